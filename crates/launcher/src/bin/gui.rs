//! The launcher of GUI scripts: it opens no console window.

#![cfg_attr(windows, no_std, no_main)]

/// Where Windows starts the program.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "system" fn start() -> ! {
    bnbpip_launcher::run::run(true)
}

#[cfg(not(windows))]
fn main() {}
