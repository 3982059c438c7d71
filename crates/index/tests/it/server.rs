//! A server that does what it is told: resources, byte ranges, conditions, and faults in a queue.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is at a path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) ranges: bool,
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status instead, with these headers.
    Status(u16, Vec<(String, String)>),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The connection ends before the answer.
    Hang,
    /// Zeros instead of the bytes that were asked for.
    WrongRange,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct State {
    resources: HashMap<String, Resource>,
    faults: HashMap<String, VecDeque<Fault>>,
    requests: Vec<Request>,
    garbage: bool,
}

/// The server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn simple(&self) -> String {
        self.url("/simple")
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn put(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.put_resource(
            path,
            Resource {
                body: body.into(),
                status: 200,
                headers: vec![("Content-Type".into(), content_type.into())],
                ranges: false,
            },
        );
    }

    pub(crate) fn put_json(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.put(path, "application/vnd.pypi.simple.v1+json", body);
    }

    /// A file with byte ranges and an `ETag`.
    pub(crate) fn put_file(&self, path: &str, body: &[u8]) {
        self.put_resource(
            path,
            Resource {
                body: body.to_vec(),
                status: 200,
                headers: vec![("ETag".into(), format!("\"{}\"", body.len()))],
                ranges: true,
            },
        );
    }

    pub(crate) fn put_resource(&self, path: &str, resource: Resource) {
        let mut state = self.state.lock().unwrap();
        state.resources.insert(path.to_string(), resource);
    }

    pub(crate) fn redirect(&self, path: &str, location: &str) {
        let resource = Resource {
            status: 302,
            headers: vec![("Location".into(), location.into())],
            ..Resource::default()
        };
        self.put_resource(path, resource);
    }

    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        state
            .faults
            .entry(path.to_string())
            .or_default()
            .push_back(fault);
    }

    /// From now on every connection gets something that is neither HTTP nor TLS.
    pub(crate) fn answer_garbage(&self) {
        self.state.lock().unwrap().garbage = true;
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.path == path)
            .count()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut buffer = Vec::new();
    if state.lock().unwrap().garbage {
        let _sent = stream.write_all(b"garbage garbage garbage\r\n\r\n").await;
        let _kept_open = stream.read_buf(&mut buffer).await;
        return;
    }
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at;
            }
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let request = parse(&String::from_utf8_lossy(&buffer[..head_end]));
        buffer.drain(..head_end + 4);
        let (head, body, cut) = {
            let mut state = state.lock().unwrap();
            let fault = state
                .faults
                .get_mut(&request.path)
                .and_then(VecDeque::pop_front);
            let resource = state.resources.get(&request.path).cloned();
            let answer = answer(&request, resource, fault);
            state.requests.push(request);
            match answer {
                Some(answer) => answer,
                None => return,
            }
        };
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        let sent = &body[..cut.unwrap_or(body.len()).min(body.len())];
        if stream.write_all(sent).await.is_err() || cut.is_some() {
            let _closed = stream.shutdown().await;
            return;
        }
    }
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
        .collect();
    Request {
        path: path.to_string(),
        headers,
    }
}

type Answer = (String, Vec<u8>, Option<usize>);

fn answer(request: &Request, resource: Option<Resource>, fault: Option<Fault>) -> Option<Answer> {
    let mut cut = None;
    let mut zeros = false;
    match fault {
        Some(Fault::WrongRange) => zeros = true,
        Some(Fault::Hang) => return None,
        Some(Fault::Status(status, headers)) => {
            return Some((head(status, &headers, 0), Vec::new(), None));
        }
        Some(Fault::Cut(bytes)) => cut = Some(bytes),
        None => {}
    }
    let Some(resource) = resource else {
        return Some((head(404, &[], 0), Vec::new(), None));
    };
    let etag = resource.headers.iter().find(|(name, _)| name == "ETag");
    if let Some((_, etag)) = etag
        && request.headers.get("if-none-match") == Some(etag)
    {
        return Some((head(304, &resource.headers, 0), Vec::new(), None));
    }
    let range = request.headers.get("range").filter(|_| resource.ranges);
    if let Some(range) = range {
        let total = resource.body.len();
        let (first, last) = range
            .strip_prefix("bytes=")
            .unwrap()
            .split_once('-')
            .unwrap();
        let (first, last) = match (first, last) {
            ("", suffix) => (total.saturating_sub(suffix.parse().unwrap()), total - 1),
            (first, "") => (first.parse().unwrap(), total - 1),
            (first, last) => (
                first.parse().unwrap(),
                last.parse::<usize>().unwrap().min(total - 1),
            ),
        };
        if first >= total {
            return Some((head(416, &[], 0), Vec::new(), None));
        }
        let mut headers = resource.headers;
        headers.push((
            "Content-Range".into(),
            format!("bytes {first}-{last}/{total}"),
        ));
        let mut body = resource.body[first..=last].to_vec();
        if zeros {
            body.fill(0);
        }
        return Some((head(206, &headers, body.len()), body, cut));
    }
    let mut headers = resource.headers;
    if resource.ranges {
        headers.push(("Accept-Ranges".into(), "bytes".into()));
    }
    let head = head(resource.status, &headers, resource.body.len());
    Some((head, resource.body, cut))
}

fn head(status: u16, headers: &[(String, String)], length: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    head
}
