//! Version solving over a metadata provider, with overlay rules.
