//! Fewer requests at once for servers that close the connection after each.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Version, header};
use rustc_hash::FxHashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Origin, Url};

/// How many requests such a server gets at once. Each of them is a new connection, and small servers
/// let few wait: Python's `socketserver` five. What comes on top is dropped, and sent again by the
/// operating system only after a second, then after three.
const AT_ONCE: usize = 5;

/// The servers that closed at their latest answer. Servers that keep connections close one now and
/// then as well, after so many requests or an error: their next answer takes them out again.
#[derive(Debug, Default)]
pub(super) struct Turns {
    closing: Mutex<FxHashMap<Origin, Arc<Semaphore>>>,
}

/// A request's place among the few of its server; `None` where the connection serves the next one.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl Turns {
    /// Waits until the server of `url` may be asked.
    pub(super) async fn turn(&self, url: &Url) -> Turn {
        let places = self.places(&url.origin())?;
        places.acquire_owned().await.ok()
    }

    /// Remembers whether a server closes the connection after an answer like this.
    pub(super) fn note(&self, url: &Url, version: Version, headers: &HeaderMap) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        if closes(version, headers) {
            closing
                .entry(url.origin())
                .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
        } else {
            closing.remove(&url.origin());
        }
    }

    fn places(&self, origin: &Origin) -> Option<Arc<Semaphore>> {
        let closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.get(origin).cloned()
    }
}

/// RFC 9112, section 9.3: HTTP/1.1 keeps a connection unless told, HTTP/1.0 only where told.
fn closes(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        let values = headers.get_all(header::CONNECTION).into_iter();
        values
            .filter_map(|value: &HeaderValue| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|option| option.trim().eq_ignore_ascii_case(word))
    };
    match version {
        Version::HTTP_09 => true,
        Version::HTTP_10 => !says("keep-alive"),
        Version::HTTP_11 => says("close"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONNECTION, HeaderValue::from_static(value))])
    }

    #[test]
    fn tells_servers_that_close_by_version_and_header() {
        assert!(!closes(Version::HTTP_11, &HeaderMap::new()));
        assert!(closes(Version::HTTP_11, &connection("foo, Close")));
        assert!(closes(Version::HTTP_10, &HeaderMap::new()));
        assert!(!closes(Version::HTTP_10, &connection("Keep-Alive")));
        assert!(!closes(Version::HTTP_2, &HeaderMap::new()));
    }

    #[tokio::test]
    async fn only_servers_that_close_have_turns() {
        let turns = Turns::default();
        let url: Url = "http://one.example/simple/a/".parse().unwrap();
        assert!(turns.turn(&url).await.is_none());
        turns.note(&url, Version::HTTP_11, &connection("close"));
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(turns.turn(&url).await.unwrap());
        }
        let sixth = tokio::time::timeout(std::time::Duration::from_millis(20), turns.turn(&url));
        assert!(sixth.await.is_err());
        let other: Url = "http://two.example/".parse().unwrap();
        assert!(turns.turn(&other).await.is_none());
        held.pop();
        assert!(turns.turn(&url).await.is_some());
        turns.note(&url, Version::HTTP_11, &HeaderMap::new());
        assert!(turns.turn(&url).await.is_none());
    }
}
