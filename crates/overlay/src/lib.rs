//! Overlay rules: parsing, validation and evaluation.
