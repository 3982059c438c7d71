//! Interpreters, environments and the machine.
