//! Everything that a person reads: plans, explanations, tables.
