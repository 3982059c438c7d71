//! Test support: a wheel builder, an in-process index and test environments.
