//! The launcher of console scripts.

#![cfg_attr(windows, no_std, no_main)]

/// Where Windows starts the program.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "system" fn start() -> ! {
    bnbpip_launcher::run::run(false)
}

#[cfg(not(windows))]
fn main() {}
