//! Byte-compiling with the target interpreter: a few worker processes, each compiling many
//! files, started when the first files are queued.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use crate::environment::InterpreterFacts;

const WORKER: &str = include_str!("compile_worker.py");

/// Files per request: enough to make the pipes' cost vanish, few enough to share out evenly.
const BATCH: usize = 16;

/// A source file to compile.
#[derive(Debug, Clone)]
pub(crate) struct CompileJob {
    /// Where it is now.
    pub(crate) source: PathBuf,
    /// Where it will be: tracebacks name this path.
    pub(crate) final_path: PathBuf,
}

/// The files of one wheel that are being compiled.
#[derive(Clone)]
pub(crate) struct CompileTicket {
    state: Arc<(Mutex<TicketState>, Condvar)>,
}

struct TicketState {
    missing: usize,
    compiled: Vec<bool>,
}

impl CompileTicket {
    fn new(count: usize) -> Self {
        let state = TicketState {
            missing: count,
            compiled: vec![false; count],
        };
        Self {
            state: Arc::new((Mutex::new(state), Condvar::new())),
        }
    }

    fn answer(&self, at: usize, compiled: &[bool]) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.compiled[at..at + compiled.len()].copy_from_slice(compiled);
        state.missing -= compiled.len();
        if state.missing == 0 {
            changed.notify_all();
        }
    }

    /// Waits for all of them; says which were compiled.
    pub(crate) fn wait(&self) -> Vec<bool> {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.missing > 0 {
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.compiled)
    }
}

struct Batch {
    jobs: Vec<CompileJob>,
    ticket: CompileTicket,
    at: usize,
}

#[derive(Default)]
struct Queue {
    batches: std::collections::VecDeque<Batch>,
    closed: bool,
    failure: Option<String>,
}

/// The workers.
pub(crate) struct CompilePool {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    executable: PathBuf,
    workers: usize,
    threads: OnceLock<Vec<JoinHandle<()>>>,
}

impl CompilePool {
    /// Workers of an interpreter. None is started until there is work.
    pub(crate) fn new(interpreter: &InterpreterFacts, workers: usize) -> Self {
        Self {
            queue: Arc::new((Mutex::new(Queue::default()), Condvar::new())),
            executable: interpreter.sys_executable.clone(),
            workers: workers.max(1),
            threads: OnceLock::new(),
        }
    }

    /// Starts the workers; their interpreters come up while the caller goes on.
    fn start(&self) -> Vec<JoinHandle<()>> {
        let start_one = |_| {
            let (queue, executable) = (Arc::clone(&self.queue), self.executable.clone());
            std::thread::spawn(move || run_worker(&executable, &queue))
        };
        (0..self.workers).map(start_one).collect()
    }

    /// Queues files; the answers come with the ticket, in their order.
    pub(crate) fn submit(&self, jobs: Vec<CompileJob>) -> CompileTicket {
        self.threads.get_or_init(|| self.start());
        let ticket = CompileTicket::new(jobs.len());
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut jobs = jobs.into_iter();
        let mut at = 0;
        loop {
            let batch: Vec<CompileJob> = jobs.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let count = batch.len();
            queue.batches.push_back(Batch {
                jobs: batch,
                ticket: ticket.clone(),
                at,
            });
            at += count;
        }
        changed.notify_all();
        ticket
    }

    /// Why files were not compiled, if workers failed.
    pub(crate) fn failure(&self) -> Option<String> {
        let (queue, _) = &*self.queue;
        let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.failure.clone()
    }
}

impl Drop for CompilePool {
    fn drop(&mut self) {
        {
            let (queue, changed) = &*self.queue;
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.closed = true;
            // What nobody waits for any more need not be compiled.
            queue.batches.clear();
            changed.notify_all();
        }
        for thread in self.threads.take().into_iter().flatten() {
            // A worker that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

fn next_batch(queue: &(Mutex<Queue>, Condvar)) -> Option<Batch> {
    let (queue, changed) = queue;
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(batch) = queue.batches.pop_front() {
            return Some(batch);
        }
        if queue.closed {
            return None;
        }
        queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

fn run_worker(executable: &std::path::Path, queue: &(Mutex<Queue>, Condvar)) {
    let mut worker = Worker::start(executable);
    while let Some(batch) = next_batch(queue) {
        let outcome = match &mut worker {
            Ok(worker) => worker.compile(&batch.jobs),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        let answers = outcome.unwrap_or_else(|error| {
            let mut state = queue.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.failure.get_or_insert_with(|| error.to_string());
            drop(state);
            // A file can bring its interpreter down; the next ones deserve a new one.
            if worker.is_ok() {
                worker = Worker::start(executable);
            }
            vec![false; batch.jobs.len()]
        });
        batch.ticket.answer(batch.at, &answers);
    }
}

struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(executable: &std::path::Path) -> io::Result<Self> {
        let mut child = Command::new(executable)
            // Isolated and without `site`: the standard library is all it needs.
            .args(["-I", "-S", "-X", "utf8", "-W", "ignore", "-c", WORKER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the interpreter has no pipes"));
        };
        Ok(Self {
            child,
            input: Some(input),
            output: BufReader::new(output),
        })
    }

    fn compile(&mut self, jobs: &[CompileJob]) -> io::Result<Vec<bool>> {
        let mut request = format!("{}\0", jobs.len()).into_bytes();
        for job in jobs {
            for path in [&job.source, &job.final_path] {
                request.extend_from_slice(path.as_os_str().as_encoded_bytes());
                request.push(0);
            }
        }
        if let Some(input) = &mut self.input {
            input.write_all(&request)?;
            input.flush()?;
        }
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        let answers: Vec<bool> = answer.trim_end().bytes().map(|byte| byte == b'1').collect();
        if answers.len() == jobs.len() {
            Ok(answers)
        } else {
            Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the interpreter stopped while it compiled",
            ))
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Its end of input is its end.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
