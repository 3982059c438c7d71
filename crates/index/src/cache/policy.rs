//! Freshness of stored answers (RFC 9111).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use serde::{Deserialize, Serialize};

/// How long an answer is fresh if the server says nothing about it, in seconds.
const DEFAULT_FRESHNESS_SECONDS: u32 = 600;

/// The policy that an answer was stored with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredPolicy(CachePolicy);

/// What to do about a stored answer.
#[derive(Debug)]
pub(crate) enum Freshness {
    /// Use it as it is.
    Fresh,
    /// Ask with these headers; 304 means that it is still right.
    Stale(HeaderMap),
}

impl StoredPolicy {
    /// The policy of an answer that just arrived; `None` if it must not be stored.
    pub(crate) fn new(
        url: &str,
        request: &HeaderMap,
        status: StatusCode,
        answer: &HeaderMap,
    ) -> Option<Self> {
        let policy = CachePolicy::new_options(
            &request_like(url, request)?,
            &response_like(status, answer),
            SystemTime::now(),
            CacheOptions {
                shared: false,
                ..CacheOptions::default()
            },
        );
        policy.is_storable().then_some(Self(policy))
    }

    /// Whether the stored answer may be used now.
    pub(crate) fn freshness(&self, url: &str, request: &HeaderMap, refresh: bool) -> Freshness {
        let Some(mut wanted) = request_like(url, request) else {
            return Freshness::Stale(request.clone());
        };
        if refresh {
            let no_cache = HeaderValue::from_static("no-cache");
            wanted.headers_mut().insert(header::CACHE_CONTROL, no_cache);
        }
        match self.0.before_request(&wanted, SystemTime::now()) {
            BeforeRequest::Fresh(_) => Freshness::Fresh,
            BeforeRequest::Stale { request, .. } => Freshness::Stale(request.headers),
        }
    }

    /// The policy after a 304; `None` if the answer doesn't confirm the stored one.
    pub(crate) fn revalidated(
        &self,
        url: &str,
        request: &HeaderMap,
        answer: &HeaderMap,
    ) -> Option<Self> {
        let response = response_like(StatusCode::NOT_MODIFIED, answer);
        let after =
            self.0
                .after_response(&request_like(url, request)?, &response, SystemTime::now());
        match after {
            AfterResponse::NotModified(policy, _) => Some(Self(policy)),
            AfterResponse::Modified(..) => None,
        }
    }

    /// How long ago the answer was made.
    pub(crate) fn age(&self) -> Duration {
        self.0.age(SystemTime::now())
    }
}

fn request_like(url: &str, headers: &HeaderMap) -> Option<Request<()>> {
    let mut request = Request::get(url).body(()).ok()?;
    *request.headers_mut() = headers.clone();
    Some(request)
}

fn response_like(status: StatusCode, headers: &HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    // Only what the policy looks at: cookies and the like have no place on disk.
    let kept = [
        header::AGE,
        header::CACHE_CONTROL,
        header::DATE,
        header::ETAG,
        header::EXPIRES,
        header::LAST_MODIFIED,
        header::PRAGMA,
        header::VARY,
    ];
    for name in kept {
        for value in headers.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    let directives = [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA];
    if !directives.iter().any(|name| headers.contains_key(name)) {
        let value = HeaderValue::from_str(&format!("max-age={DEFAULT_FRESHNESS_SECONDS}"));
        if let Ok(value) = value {
            response.headers_mut().insert(header::CACHE_CONTROL, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://host.example/simple/a/";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn policy(pairs: &[(&'static str, &'static str)]) -> Option<StoredPolicy> {
        StoredPolicy::new(URL, &HeaderMap::new(), StatusCode::OK, &headers(pairs))
    }

    #[test]
    fn silence_means_ten_minutes() {
        let policy = policy(&[("etag", "\"1\"")]).unwrap();
        let freshness = policy.freshness(URL, &HeaderMap::new(), false);
        assert!(matches!(freshness, Freshness::Fresh));
        let ttl = policy.0.time_to_live(SystemTime::now());
        assert!(ttl > Duration::from_secs(590) && ttl <= Duration::from_mins(10));
    }

    #[test]
    fn refresh_revalidates_with_the_validator() {
        let policy = policy(&[("etag", "\"1\"")]).unwrap();
        let Freshness::Stale(headers) = policy.freshness(URL, &HeaderMap::new(), true) else {
            panic!("must revalidate");
        };
        assert_eq!(headers.get("if-none-match").unwrap(), "\"1\"");
    }

    #[test]
    fn directives_are_obeyed() {
        assert!(policy(&[("cache-control", "no-store")]).is_none());
        let stale = policy(&[("cache-control", "no-cache")]).unwrap();
        assert!(matches!(
            stale.freshness(URL, &HeaderMap::new(), false),
            Freshness::Stale(_)
        ));
        let answer = headers(&[("etag", "\"1\""), ("cache-control", "max-age=60")]);
        let old = policy(&[("etag", "\"1\""), ("cache-control", "max-age=0")]).unwrap();
        let renewed = old.revalidated(URL, &HeaderMap::new(), &answer).unwrap();
        assert!(matches!(
            renewed.freshness(URL, &HeaderMap::new(), false),
            Freshness::Fresh
        ));
    }
}
