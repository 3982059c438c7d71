//! A map whose values are computed once; concurrent callers of one key share the computation.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

/// Results by key. An error is a result as well: a second caller gets it without a second try.
#[derive(Debug)]
pub(crate) struct OnceMap<K, V> {
    cells: Mutex<FxHashMap<K, Arc<OnceCell<V>>>>,
}

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self {
            cells: Mutex::new(FxHashMap::default()),
        }
    }
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    /// The value for `key`. If the caller that computes it is cancelled, a waiting one takes over.
    pub(crate) async fn get_or_compute<F: Future<Output = V>>(
        &self,
        key: K,
        compute: impl FnOnce() -> F,
    ) -> V {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key).or_default())
        };
        cell.get_or_init(compute).await.clone()
    }

    /// The value for `key`, if it was computed.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.get(key)?.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn concurrent_callers_share_one_computation() {
        let map = OnceMap::default();
        let runs = AtomicU32::new(0);
        let compute = || async {
            tokio::task::yield_now().await;
            runs.fetch_add(1, Ordering::SeqCst) + 1
        };
        let (first, second) = tokio::join!(
            map.get_or_compute("a", compute),
            map.get_or_compute("a", compute)
        );
        assert_eq!((first, second, runs.load(Ordering::SeqCst)), (1, 1, 1));
    }
}
