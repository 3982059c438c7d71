//! The vocabulary of Python packaging: names, versions, requirements, tags, metadata.
