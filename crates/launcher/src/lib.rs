//! The small executable that starts a Python script on Windows.
//!
//! An installed script is one file: this executable, a `#!` line that names the interpreter, and a
//! ZIP archive with the script, which Python runs when it is given the file
//! ([`script`] says how they are found). The launcher starts the interpreter with its own path in front
//! of the user's arguments, waits, and ends with the same exit code.
//!
//! It uses `kernel32` alone, allocates little, and hands the user's arguments on as they were written:
//! nothing is split and quoted again ([`command_line`]).

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod command_line;
#[cfg(windows)]
pub mod run;
pub mod script;
#[cfg(windows)]
pub mod system;
