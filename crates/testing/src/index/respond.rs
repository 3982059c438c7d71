//! One request, one answer: routing, content negotiation, byte ranges, entity tags, credentials,
//! and the fault that was planned for the path.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, Method, Response, StatusCode, header};
use base64::Engine as _;
use bytes::Bytes;
use futures::stream;
use hyper::ext::ReasonPhrase;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::served::{PageFormat, Ranges, RecordedRequest, normalize};
use super::{Fault, State, fault, lock, pages};

const KEPT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!');

/// A file name as part of a path: `+` becomes `%2B`, as indexes write it.
pub(super) fn encode(name: &str) -> String {
    utf8_percent_encode(name, KEPT_IN_PATHS).to_string()
}

/// An answer before it is cut into pieces.
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Answer {
    fn status(status: StatusCode) -> Self {
        let body = Bytes::from(status.to_string());
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    fn page(content_type: &str, text: String) -> Self {
        let headers = vec![(header::CONTENT_TYPE, content_type.to_string())];
        Self {
            status: StatusCode::OK,
            headers,
            body: text.into(),
        }
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(super) async fn respond(
    Shared(shared): Shared<Arc<Mutex<State>>>,
    request: Request,
) -> Response<Body> {
    let path = percent_decode_str(request.uri().path())
        .decode_utf8_lossy()
        .into_owned();
    let served = Arc::new(AtomicU64::new(0));
    let (answer, fault) = {
        let mut state = lock(&shared);
        let fault = fault::take(&mut state.faults, &path);
        let answer = answer(&state, &path, request.headers(), fault.as_ref());
        let recorded = record(&request, &path, &answer, fault.as_ref(), &served);
        state.requests.push(recorded);
        (answer, fault)
    };
    if let Some(Fault::Delay(pause)) = fault {
        tokio::time::sleep(pause).await;
    }
    into_response(answer, request.method(), fault.as_ref(), served)
}

fn record(
    request: &Request,
    path: &str,
    answer: &Answer,
    fault: Option<&Fault>,
    served: &Arc<AtomicU64>,
) -> RecordedRequest {
    let header = |name| text_of(request.headers(), &name);
    RecordedRequest {
        method: request.method().to_string(),
        path: path.to_string(),
        range: header(header::RANGE),
        if_none_match: header(header::IF_NONE_MATCH),
        cache_control: header(header::CACHE_CONTROL),
        accept: header(header::ACCEPT),
        authorization: header(header::AUTHORIZATION),
        user_agent: header(header::USER_AGENT),
        status: if fault == Some(&Fault::Reset) {
            0
        } else {
            answer.status.as_u16()
        },
        served: Arc::clone(served),
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_string)
}

fn answer(state: &State, path: &str, headers: &HeaderMap, fault: Option<&Fault>) -> Answer {
    let code = |code: u16| StatusCode::from_u16(code).unwrap();
    match fault {
        Some(Fault::Status(status) | Fault::Refusal(status, _)) => {
            return Answer::status(code(*status));
        }
        Some(Fault::RetryAfter(status, seconds)) => {
            return Answer::status(code(*status)).with(header::RETRY_AFTER, seconds.to_string());
        }
        Some(Fault::Redirect(url)) => {
            return Answer::status(StatusCode::FOUND).with(header::LOCATION, url);
        }
        Some(Fault::Html(text)) => return Answer::page("text/html", text.clone()),
        _ => {}
    }
    let is_open = state.options.open_pages && !path.starts_with("/files/");
    if !is_open && !is_authorized(state, headers) {
        let challenge = "Basic realm=\"packages\"";
        return Answer::status(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, challenge);
    }
    let mut answer = route(state, path, headers);
    if answer.status == StatusCode::OK {
        answer = tagged(state, answer, headers);
    }
    if fault == Some(&Fault::WrongBytes) && !answer.body.is_empty() {
        let mut bytes = answer.body.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        answer.body = bytes.into();
    }
    answer
}

fn is_authorized(state: &State, headers: &HeaderMap) -> bool {
    let Some((user, password)) = &state.options.credentials else {
        return true;
    };
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    text_of(headers, &header::AUTHORIZATION) == Some(format!("Basic {pair}"))
}

fn route(state: &State, path: &str, headers: &HeaderMap) -> Answer {
    let not_found = || Answer::status(StatusCode::NOT_FOUND);
    if path == "/flat/" || path == "/flat" {
        return Answer::page("text/html", pages::flat_html(state));
    }
    if let Some(filename) = path.strip_prefix("/files/") {
        return file(state, filename, headers);
    }
    if let Some(file) = path.strip_prefix("/integrity/") {
        return match pages::provenance(state, file) {
            Some(text) => Answer::page("application/vnd.pypi.integrity.v1+json", text),
            None => not_found(),
        };
    }
    let Some(project) = path
        .strip_prefix("/simple")
        .map(|rest| rest.trim_start_matches('/'))
    else {
        return not_found();
    };
    if project.is_empty() {
        return simple_page(
            state,
            "",
            headers,
            Some(pages::root_json(state)),
            Some(pages::root_html(state)),
        );
    }
    let Some(name) = project.strip_suffix('/') else {
        if state.options.redirect_to_slash {
            let location = format!("/simple/{}/", encode(&normalize(project)));
            return Answer::status(StatusCode::MOVED_PERMANENTLY).with(header::LOCATION, location);
        }
        return not_found();
    };
    let json = pages::project_json(state, name);
    simple_page(state, name, headers, json, pages::project_html(state, name))
}

fn simple_page(
    state: &State,
    project: &str,
    headers: &HeaderMap,
    json: Option<String>,
    html: Option<String>,
) -> Answer {
    let (Some(json), Some(html)) = (json, html) else {
        return Answer::status(StatusCode::NOT_FOUND);
    };
    let format = state
        .options
        .formats
        .get(project)
        .copied()
        .unwrap_or(state.options.format);
    let accept = text_of(headers, &header::ACCEPT).unwrap_or_default();
    let wants_json = match format {
        PageFormat::Json => true,
        PageFormat::Html => false,
        PageFormat::Negotiated => accept.contains(pages::JSON),
    };
    if wants_json {
        return cached(state, Answer::page(pages::JSON, json));
    }
    let knows_html = accept.contains(pages::HTML);
    cached(
        state,
        Answer::page(if knows_html { pages::HTML } else { "text/html" }, html),
    )
}

fn cached(state: &State, answer: Answer) -> Answer {
    let answer = answer.with(header::VARY, "Accept");
    match &state.options.cache_control {
        Some(directives) => answer.with(header::CACHE_CONTROL, directives),
        None => answer,
    }
}

fn file(state: &State, filename: &str, headers: &HeaderMap) -> Answer {
    let find = |name: &str| state.files.iter().find(|file| file.filename == name);
    if let Some(found) = find(filename) {
        let headers_out = vec![(header::CONTENT_TYPE, "application/octet-stream".to_string())];
        let body = found.bytes.clone();
        let whole = Answer {
            status: StatusCode::OK,
            headers: headers_out,
            body,
        };
        return ranged(
            state.options.ranges,
            whole,
            text_of(headers, &header::RANGE),
        );
    }
    let metadata = (filename.strip_suffix(".metadata"))
        .filter(|_| state.options.metadata_files)
        .and_then(find)
        .and_then(|file| file.metadata.clone());
    match metadata {
        Some(body) => {
            let headers = vec![(header::CONTENT_TYPE, "application/octet-stream".to_string())];
            cached(
                state,
                Answer {
                    status: StatusCode::OK,
                    headers,
                    body,
                },
            )
        }
        None => Answer::status(StatusCode::NOT_FOUND),
    }
}

fn ranged(ranges: Ranges, whole: Answer, range: Option<String>) -> Answer {
    if ranges == Ranges::Ignored {
        return whole;
    }
    let whole = whole.with(header::ACCEPT_RANGES, "bytes");
    let Some(range) = range else {
        return whole;
    };
    let length = whole.body.len();
    let is_suffix = range.starts_with("bytes=-");
    let bounds = parse_range(&range, length).filter(|_| !(is_suffix && ranges == Ranges::NoSuffix));
    let Some((start, end)) = bounds else {
        return Answer::status(StatusCode::RANGE_NOT_SATISFIABLE)
            .with(header::CONTENT_RANGE, format!("bytes */{length}"));
    };
    let content_range = format!("bytes {start}-{}/{length}", end - 1);
    let mut part = whole.with(header::CONTENT_RANGE, content_range);
    part.status = StatusCode::PARTIAL_CONTENT;
    part.body = part.body.slice(start..end);
    part
}

/// The bounds of a single range, the end exclusive.
fn parse_range(range: &str, length: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start, end) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length),
        (start, "") => (start.parse().ok()?, length),
        (start, end) => (
            start.parse().ok()?,
            end.parse::<usize>().ok()?.saturating_add(1).min(length),
        ),
    };
    (start < end).then_some((start, end))
}

fn tagged(state: &State, answer: Answer, headers: &HeaderMap) -> Answer {
    if !state.options.etags {
        return answer;
    }
    let tag = format!("\"{}\"", &crate::sha256_hex(&answer.body)[..16]);
    if text_of(headers, &header::IF_NONE_MATCH).as_deref() == Some(tag.as_str()) {
        let kept = answer
            .headers
            .into_iter()
            .filter(|(name, _)| name != header::CONTENT_TYPE);
        return Answer {
            status: StatusCode::NOT_MODIFIED,
            headers: kept.collect(),
            body: Bytes::new(),
        }
        .with(header::ETAG, tag);
    }
    answer.with(header::ETAG, tag)
}

/// How a body is sent: up to where, in which pieces, and what happens there.
struct Pace {
    limit: usize,
    piece: usize,
    pause: Duration,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Whole,
    Cut,
    Stall,
}

impl Pace {
    fn new(fault: Option<&Fault>) -> Self {
        let at = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let (limit, end) = match fault {
            Some(Fault::TruncateAfter(limit)) => (at(*limit), End::Cut),
            Some(Fault::Reset) => (0, End::Cut),
            Some(Fault::StallAfter(limit)) => (at(*limit), End::Stall),
            _ => (usize::MAX, End::Whole),
        };
        let (piece, pause) = match fault {
            Some(Fault::Slow(piece, pause)) => ((*piece).max(1), *pause),
            _ => (64 * 1024, Duration::ZERO),
        };
        Self {
            limit,
            piece,
            pause,
            end,
        }
    }
}

fn into_response(
    answer: Answer,
    method: &Method,
    fault: Option<&Fault>,
    served: Arc<AtomicU64>,
) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    if answer.status != StatusCode::NOT_MODIFIED {
        response = response.header(header::CONTENT_LENGTH, answer.body.len());
    }
    let body = if *method == Method::HEAD || answer.status == StatusCode::NOT_MODIFIED {
        Body::empty()
    } else {
        paced(answer.body, Pace::new(fault), served)
    };
    let mut response = response.body(body).unwrap();
    if let Some(Fault::Refusal(_, words)) = fault {
        let phrase = ReasonPhrase::try_from(words.as_bytes()).unwrap();
        response.extensions_mut().insert(phrase);
    }
    response
}

fn paced(bytes: Bytes, pace: Pace, served: Arc<AtomicU64>) -> Body {
    let end = pace.limit.min(bytes.len());
    Body::from_stream(stream::unfold(
        (0, bytes, pace, served),
        move |state| async move {
            let (at, bytes, pace, served) = state;
            if at >= end {
                match pace.end {
                    End::Whole => return None,
                    End::Stall => std::future::pending().await,
                    End::Cut => {
                        // What was sent should get there before the connection is cut.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        let error = io::Error::from(io::ErrorKind::ConnectionReset);
                        return Some((Err(error), (at, bytes, pace, served)));
                    }
                }
            }
            if at > 0 && !pace.pause.is_zero() {
                tokio::time::sleep(pace.pause).await;
            }
            let next = (at + pace.piece).min(end);
            let piece = bytes.slice(at..next);
            served.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Some((Ok(piece), (next, bytes, pace, served)))
        },
    ))
}
