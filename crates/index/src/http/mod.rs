//! Requests: credentials, redirects, retries, limits. Everything that leaves this process for
//! the network goes through [`HttpClient`].

mod connections;
mod credentials;
mod error;
mod retry;
mod tls;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::ext::ReasonPhrase;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::index_url::{IndexUrl, redacted};
use crate::options::ClientOptions;

pub use error::{HttpError, NetworkErrorKind};

pub(crate) use connections::Purpose;
pub(crate) use retry::Retry;

use connections::Connections;
use credentials::Credentials;
use error::is_transient_status;
use turns::{Turn, Turns};

/// The most redirects that are followed.
const REDIRECT_LIMIT: usize = 10;

/// How many characters of a server's own words for a status are told.
const PHRASE_LIMIT: usize = 400;

/// How much room is made ahead for the body of an answer.
const ROOM_AHEAD_BYTES: usize = 8 << 20;

/// The slowest that a body may come, in bytes per second: none that helps is slower.
const SLOWEST: u64 = 256;

/// The client for every request.
#[derive(Debug)]
pub(crate) struct HttpClient {
    connections: Connections,
    credentials: Credentials,
    permits: Semaphore,
    turns: Turns,
    retries: u32,
    patience: Duration,
    offline: bool,
}

/// A GET request.
#[derive(Debug, Clone)]
pub(crate) struct Get<'url> {
    pub(crate) url: &'url Url,
    pub(crate) purpose: Purpose,
    pub(crate) headers: HeaderMap,
    /// How often it is sent again when it fails; `None` for the user's setting.
    pub(crate) retries: Option<u32>,
}

/// An answer whose body hasn't been read yet. It counts as a request under way while it lives.
#[derive(Debug)]
pub(crate) struct Answer<'client> {
    response: reqwest::Response,
    /// Where the redirects led to, without credentials.
    pub(crate) url: Url,
    pace: Pace,
    _permit: Option<SemaphorePermit<'client>>,
    _turn: Turn,
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    phrase: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) url: Url,
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// A client that knows the credentials of these indexes. Nothing is opened yet.
    pub(crate) fn new<'index>(
        options: &ClientOptions,
        indexes: impl Iterator<Item = &'index IndexUrl>,
    ) -> Self {
        Self {
            connections: Connections::new(options),
            credentials: Credentials::new(options, indexes),
            permits: Semaphore::new(options.concurrent_requests.max(1)),
            turns: Turns::default(),
            retries: options.retries,
            patience: options.timeout * 2,
            offline: options.offline,
        }
    }

    /// Tells that a page is looked at.
    pub(crate) fn looks_at(&self, url: &Url) {
        if let Some(asker) = self.credentials.asker() {
            asker.looks_at(&redacted(url));
        }
    }

    /// Does the slow part of the first `https` request (reading certificates).
    pub(crate) fn prepare(&self) {
        if !self.offline {
            self.connections.prepare();
        }
    }

    /// A budget of retries for one action.
    pub(crate) fn retry(&self) -> Retry {
        Retry::new(self.retries)
    }

    /// Sends once, following redirects. Any status but a redirect is an answer.
    pub(crate) async fn send(&self, get: &Get<'_>) -> Result<Answer<'_>, HttpError> {
        if self.offline {
            return Err(HttpError::Offline {
                url: redacted(get.url),
            });
        }
        // Downloads have their own limit and last long: they must not starve pages.
        let permit = match get.purpose {
            Purpose::Bulk => None,
            Purpose::Page | Purpose::File => self.permits.acquire().await.ok(),
        };
        let mut url = get.url.clone();
        for _ in 0..REDIRECT_LIMIT {
            let turn = self.turns.turn(&url).await;
            let authorization = self.credentials.take(&mut url)?;
            url.set_fragment(None);
            let sent = authorization.clone();
            let mut response = self.send_one(&url, get, authorization).await?;
            if response.status() == StatusCode::UNAUTHORIZED
                && let Some(answer) = self.credentials.find_others(&url, sent.as_ref()).await
            {
                let authorization = Some(answer.authorization.clone());
                response = self.send_one(&url, get, authorization).await?;
                let status = response.status();
                self.credentials.tried(&url, status, answer).await;
            }
            let Some(location) = redirect_target(&response) else {
                return Ok(Answer {
                    response,
                    url,
                    pace: Pace::new(self.patience),
                    _permit: permit,
                    _turn: turn,
                });
            };
            url = self.next_hop(&url, &location)?;
        }
        Err(HttpError::Redirect {
            url: redacted(get.url),
            reason: format!("more than {REDIRECT_LIMIT} redirects"),
        })
    }

    /// One hop: the credentials go to this host only, as a header.
    async fn send_one(
        &self,
        url: &Url,
        get: &Get<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<reqwest::Response, HttpError> {
        let client = self.connections.client(get.purpose, url)?;
        let mut request = client.get(url.clone()).headers(get.headers.clone());
        if let Some(mut value) = authorization {
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let response = request
            .send()
            .await
            .map_err(|source| HttpError::network(url, source))?;
        self.turns.note(url, response.version(), response.headers());
        Ok(response)
    }

    fn next_hop(&self, from: &Url, location: &str) -> Result<Url, HttpError> {
        let refuse = |reason: &str| HttpError::Redirect {
            url: redacted(from),
            reason: reason.to_string(),
        };
        let next = from
            .join(location)
            .map_err(|_| refuse("the target is no address"))?;
        match (from.scheme(), next.scheme()) {
            ("https", "http") if !self.connections.is_trusted(&next) => Err(refuse(
                "it leads from `https` to `http`, where anyone could change the answer",
            )),
            (_, "http" | "https") => Ok(next),
            _ => Err(refuse("it leads out of the web")),
        }
    }

    /// Sends and reads the body, at most `limit_bytes` of it, with retries around both.
    pub(crate) async fn get_whole(
        &self,
        get: &Get<'_>,
        limit_bytes: u64,
    ) -> Result<Whole, HttpError> {
        let mut retry = Retry::new(get.retries.unwrap_or(self.retries));
        loop {
            let error = match self.get_whole_once(get, limit_bytes).await {
                Ok(whole) if !is_transient_status(whole.status) => return Ok(whole),
                Ok(whole) => whole.refusal(get.url),
                Err(error) => error,
            };
            retry.pause(error).await?;
        }
    }

    async fn get_whole_once(&self, get: &Get<'_>, limit_bytes: u64) -> Result<Whole, HttpError> {
        let mut answer = self.send(get).await?;
        let mut body = Vec::new();
        loop {
            let chunk = match answer.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // The status says it all; some servers end such an answer by hanging up.
                Err(_) if !answer.status().is_success() => break,
                Err(error) => return Err(error),
            };
            if (body.len() + chunk.len()) as u64 > limit_bytes {
                return Err(HttpError::TooLarge {
                    url: redacted(&answer.url),
                    limit_bytes,
                });
            }
            // Bodies come compressed, so that their size isn't known. Room that isn't used costs
            // nothing; each move to a larger one costs a copy.
            if body.capacity() - body.len() < chunk.len() {
                body.reserve(chunk.len().max((3 * body.capacity()).min(ROOM_AHEAD_BYTES)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Whole {
            status: answer.response.status(),
            phrase: answer.phrase(),
            headers: std::mem::take(answer.response.headers_mut()),
            url: answer.url,
            body,
        })
    }
}

impl Whole {
    /// The error that this is where only another status would do.
    pub(crate) fn refusal(&self, url: &Url) -> HttpError {
        HttpError::status(url, self.status, &self.headers, self.phrase.as_deref())
    }
}

impl Answer<'_> {
    /// The error that this is where only another status would do.
    pub(crate) fn refusal(&self, url: &Url) -> HttpError {
        HttpError::status(url, self.status(), self.headers(), self.phrase().as_deref())
    }

    /// What the server says beside the status, if it isn't the usual; not all of it if it is long.
    fn phrase(&self) -> Option<String> {
        let phrase = self.response.extensions().get::<ReasonPhrase>()?;
        let phrase = String::from_utf8_lossy(phrase.as_bytes());
        let phrase: String = phrase.trim().chars().take(PHRASE_LIMIT).collect();
        (!phrase.is_empty()).then_some(phrase)
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes of the body, decoded.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let begun = Instant::now();
        let chunk = self
            .response
            .chunk()
            .await
            .map_err(|source| HttpError::network(&self.url, source))?;
        if let Some(chunk) = &chunk {
            self.pace.note(chunk.len(), begun.elapsed());
            if self.pace.is_too_slow() {
                let Pace {
                    received_bytes,
                    waited,
                    ..
                } = self.pace;
                return Err(HttpError::slow(&self.url, received_bytes, waited));
            }
        }
        Ok(chunk)
    }
}

/// How fast a body comes. A server that sends a byte now and then would never be given up
/// otherwise: each byte comes in time.
#[derive(Debug)]
struct Pace {
    received_bytes: u64,
    /// How long was waited for these, without what was done with them.
    waited: Duration,
    /// How long any pace is right.
    patience: Duration,
}

impl Pace {
    fn new(patience: Duration) -> Self {
        Self {
            received_bytes: 0,
            waited: Duration::ZERO,
            patience,
        }
    }

    fn note(&mut self, bytes: usize, waited: Duration) {
        self.received_bytes += bytes as u64;
        self.waited += waited;
    }

    fn is_too_slow(&self) -> bool {
        self.waited > self.patience && self.received_bytes < SLOWEST * self.waited.as_secs()
    }
}

fn redirect_target(response: &reqwest::Response) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION)?;
    is_redirect.then(|| String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// `bytes=…` of the header `Range`.
pub(crate) fn range_header(range: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("bytes={range}"))
        .unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

/// First byte, last byte and total of a `Content-Range`.
pub(crate) fn content_range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last, total.trim().parse().ok()))
}

/// The `Content-Length`.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Shared by everything that asks the network.
pub(crate) type SharedHttp = Arc<HttpClient>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_come_slowly_but_not_for_ever() {
        let mut pace = Pace::new(Duration::from_secs(30));
        pace.note(1, Duration::from_secs(30));
        assert!(!pace.is_too_slow());
        pace.note(1, Duration::from_secs(1));
        assert!(pace.is_too_slow());
        pace.note(8_000, Duration::ZERO);
        assert!(!pace.is_too_slow());
    }

    #[test]
    fn reads_content_ranges() {
        let read = |text: &'static str| {
            let value = HeaderValue::from_static(text);
            content_range(&HeaderMap::from_iter([(header::CONTENT_RANGE, value)]))
        };
        assert_eq!(read("bytes 0-9/100"), Some((0, 9, Some(100))));
        assert_eq!(read("bytes 5-9/*"), Some((5, 9, None)));
        for text in [
            "bytes */100",
            "bytes 9-5/100",
            "items 0-9/10",
            "bytes a-b/c",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
