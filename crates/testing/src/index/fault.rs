//! Ways in which the index can misbehave.

use std::time::Duration;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and nothing else.
    Status(u16),
    /// Answers with this status and words of its own beside it.
    Refusal(u16, String),
    /// Answers with this status and a `Retry-After` of so many seconds.
    RetryAfter(u16, u64),
    /// Cuts the connection after so many bytes of the body.
    TruncateAfter(u64),
    /// Cuts the connection before a body, or (usually) an answer, is sent.
    Reset,
    /// Waits before it answers.
    Delay(Duration),
    /// Sends so many bytes of the body, then nothing more, with the connection open.
    StallAfter(u64),
    /// Sends the body in pieces of so many bytes with a pause after each.
    Slow(usize, Duration),
    /// Sends a body of the right length with one byte changed.
    WrongBytes,
    /// Sends another page in place of the answer, with status 200 (a captive portal).
    Html(String),
    /// Redirects there.
    Redirect(String),
}

#[derive(Debug)]
pub(super) struct PlannedFault {
    pub(super) path_part: String,
    pub(super) remaining: usize,
    pub(super) fault: Fault,
}

/// The fault that a request meets, which is then used up by one.
pub(super) fn take(faults: &mut [PlannedFault], path: &str) -> Option<Fault> {
    let fault = faults
        .iter_mut()
        .find(|fault| fault.remaining > 0 && path.contains(&fault.path_part))?;
    fault.remaining -= 1;
    Some(fault.fault.clone())
}
