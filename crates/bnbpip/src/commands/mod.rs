//! The commands. Each module runs one.

pub(crate) mod install;
