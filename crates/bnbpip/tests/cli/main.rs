//! The program from outside: what it prints, where, and its exit codes.
//!
//! Environments are fabricated: a folder with an interpreter that links to the machine's Python,
//! and distributions of a few lines each.

mod caching;
mod command_line;
mod completing;
mod config;
mod configuration_files;
mod daily_options;
mod fabricated;
mod files;
mod inspection;
mod pip_details;
mod removal;
mod rules_scan;
mod selecting;
