//! Package indexes: pages, metadata, downloads, the cache and the wheel store.
