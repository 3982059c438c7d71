//! A package index in this process: the Simple API as JSON and HTML, metadata files, byte ranges,
//! flat pages, and faults on request. It runs on its own thread, on a port of its own, and writes
//! down every request.

mod fault;
mod pages;
mod respond;
mod served;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::oneshot;

pub use fault::Fault;
use fault::PlannedFault;
pub use served::{HashInPage, HostedFile, Options, PageFormat, Ranges, RecordedRequest};

/// A running index. It stops when it is dropped.
#[derive(Debug)]
pub struct IndexServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<HostedFile>,
    options: Options,
    faults: Vec<PlannedFault>,
    requests: Vec<RecordedRequest>,
    base: String,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic elsewhere is reported there; the state is still good for the other assertions.
    state
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl IndexServer {
    /// Starts an empty index with usual manners: JSON and HTML, metadata files, byte ranges.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let state = Arc::new(Mutex::new(State {
            base,
            ..State::default()
        }));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, shared, stopped));
            // Connections that are still open are cut, not waited for.
            runtime.shutdown_background();
        });
        Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Starts an index with these wheels.
    pub fn with(files: impl IntoIterator<Item = impl Into<HostedFile>>) -> Self {
        let server = Self::start();
        for file in files {
            server.add(file);
        }
        server
    }

    /// Adds a file, or replaces the one of that name.
    pub fn add(&self, file: impl Into<HostedFile>) {
        let file = file.into();
        let mut state = lock(&self.state);
        state.files.retain(|other| other.filename != file.filename);
        state.files.push(file);
    }

    /// Changes how the index behaves, from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut lock(&self.state).options);
    }

    /// The next `times` requests whose path contains `path_part` meet this fault. Faults for the
    /// same path are used up in the order in which they were planned.
    pub fn plan_fault(&self, path_part: &str, times: usize, fault: Fault) {
        lock(&self.state).faults.push(PlannedFault {
            path_part: path_part.to_string(),
            remaining: times,
            fault,
        });
    }

    /// The address, `http://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The root of the Simple API, for `--index-url`.
    pub fn simple_url(&self) -> String {
        format!("{}/simple/", self.url())
    }

    /// The same with credentials in it.
    pub fn simple_url_with(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}/simple/", self.address)
    }

    /// A page with links to all files, for `--find-links`.
    pub fn flat_url(&self) -> String {
        format!("{}/flat/", self.url())
    }

    /// The address of a file.
    pub fn file_url(&self, filename: &str) -> String {
        format!("{}/files/{}", self.url(), respond::encode(filename))
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.state).requests.clone()
    }

    /// The requests whose path contains this.
    pub fn requests_for(&self, path_part: &str) -> Vec<RecordedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.path.contains(path_part));
        requests
    }

    /// Forgets all requests so far.
    pub fn forget_requests(&self) {
        lock(&self.state).requests.clear();
    }

    /// How many bytes of a file were served in all: of the file itself, not of its metadata.
    pub fn bytes_served_of(&self, filename: &str) -> u64 {
        let path = format!("/files/{filename}");
        let requests = self.requests();
        requests
            .iter()
            .filter(|it| it.path == path)
            .map(RecordedRequest::bytes_served)
            .sum()
    }
}

impl Drop for IndexServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It fails only if the thread is gone already.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    state: Arc<Mutex<State>>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let router = Router::new().fallback(respond::respond).with_state(state);
    tokio::select! {
        result = async { axum::serve(listener, router).await } => result.unwrap(),
        _ = stopped => {}
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
