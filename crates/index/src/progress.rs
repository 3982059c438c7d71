//! How downloads tell what they are doing; the edge draws it.

/// Receives the progress of downloads. Called from several threads.
pub trait Progress: Send + Sync {
    /// A file begins; `total_bytes` if it is known, `resumed_bytes` of it are already here.
    fn started(&self, filename: &str, total_bytes: Option<u64>, resumed_bytes: u64);
    /// More bytes of a file arrived.
    fn advanced(&self, filename: &str, bytes: u64);
    /// A file is complete, or failed for good.
    fn finished(&self, filename: &str);
    /// Bytes that were counted are of no use: the file starts again from `resumed_bytes`.
    fn restarted(&self, filename: &str, resumed_bytes: u64) {
        self.finished(filename);
        self.started(filename, None, resumed_bytes);
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn started(&self, _filename: &str, _total_bytes: Option<u64>, _resumed_bytes: u64) {}
    fn advanced(&self, _filename: &str, _bytes: u64) {}
    fn finished(&self, _filename: &str) {}
}
