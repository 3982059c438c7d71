//! `install` from end to end: the program, an index in this process, and environments that are
//! thrown away.

mod scenarios;
