//! When to try again, and how long to wait before.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::error::HttpError;

/// The longest wait that a server may ask for; beyond it the failure is reported instead.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The first wait; it doubles with every failure.
const FIRST_WAIT: Duration = Duration::from_millis(150);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much has to arrive to count as progress: a server that gives a byte for each request would
/// be asked for ever.
const PROGRESS_BYTES: u64 = 16 << 10;

/// The tries of one action.
#[derive(Debug)]
pub(crate) struct Retry {
    left: u32,
    allowed: u32,
    failures: u32,
}

impl Retry {
    pub(super) fn new(allowed: u32) -> Self {
        Self {
            left: allowed,
            allowed,
            failures: 0,
        }
    }

    /// So much arrived since the last failure. Where it is worth a connection the budget is whole
    /// again.
    pub(crate) fn progressed(&mut self, bytes: u64) {
        if bytes >= PROGRESS_BYTES {
            self.left = self.allowed;
            self.failures = 0;
        }
    }

    /// Waits before the next try, as long as the server asks for if it does.
    ///
    /// # Errors
    /// Gives `error` back if there is to be no next try.
    pub(crate) async fn pause(&mut self, error: HttpError) -> Result<(), HttpError> {
        let asked = error.retry_after();
        if self.left == 0
            || !error.is_transient()
            || asked.is_some_and(|asked| asked > LONGEST_RETRY_AFTER)
        {
            return Err(error);
        }
        let wait = asked.unwrap_or_else(|| backoff(self.failures, jitter()));
        self.left -= 1;
        self.failures += 1;
        tracing::debug!(%error, ?wait, "trying again");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// The wait after `failures` earlier ones; `jitter` in 0..1000 takes away up to half of it.
fn backoff(failures: u32, jitter: u32) -> Duration {
    let full = (FIRST_WAIT * 2_u32.saturating_pow(failures.min(10))).min(LONGEST_WAIT);
    full.saturating_sub(full * jitter / 2000)
}

fn jitter() -> u32 {
    // A fresh `RandomState` is seeded at random: enough to spread clients out.
    u32::try_from(RandomState::new().hash_one(0) % 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        assert_eq!(backoff(0, 0), Duration::from_millis(150));
        assert_eq!(backoff(2, 0), Duration::from_millis(600));
        assert_eq!(backoff(2, 1000), Duration::from_millis(300));
        assert_eq!(backoff(60, 0), LONGEST_WAIT);
    }
}
