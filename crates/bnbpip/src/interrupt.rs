//! Ctrl-C.
//!
//! Outside a [`Guard`] the process says that it was cancelled and ends at once. Inside one (while
//! an environment is being changed) the wish is only noted: the guarded code asks [`check`]
//! where it can turn back, undoes what it did, and returns [`Failure::cancelled`].
//!
//! Windows ends a program whose window is closed as soon as it has heard of that, and after 5 s in
//! any case. Inside a guard the answer waits until the guarded code has turned back or is through.
//!
//! [`Failure::cancelled`]: crate::failure::Failure::cancelled

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::failure::Failure;
use crate::printer::Printer;

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// How many guards live. Whoever leaves keeps it locked to the end, so that no guarded code begins
/// in the meantime.
static GUARDS: Mutex<usize> = Mutex::new(0);
/// Told when a guard is gone.
static UNGUARDED: Condvar = Condvar::new();

fn guards() -> MutexGuard<'static, usize> {
    GUARDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts to listen for Ctrl-C. For commands that run long or change something.
pub(crate) fn listen(printer: &'static Printer) {
    // It can only fail if a handler is there already, which then does the same.
    let _ = ctrlc::set_handler(move || {
        REQUESTED.store(true, Ordering::SeqCst);
        let guards = guards();
        if *guards == 0 {
            leave(printer);
        }
    });
    #[cfg(windows)]
    closing::listen();
    #[cfg(unix)]
    let_writes_fail();
}

/// A file that grows past the limit on sizes (`ulimit -f`) ends a process by a signal, in the middle
/// of anything. Ignored, it is a write that fails, which is answered as a full disk is.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library sets no signals")]
fn let_writes_fail() {
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Whether the user has pressed Ctrl-C.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// For guarded code, where it can turn back.
///
/// # Errors
/// When the user has pressed Ctrl-C.
pub(crate) fn check() -> Result<(), Failure> {
    if requested() {
        return Err(Failure::cancelled());
    }
    Ok(())
}

/// While one lives, Ctrl-C is noted and not obeyed.
#[derive(Debug)]
pub(crate) struct Guard(());

impl Guard {
    /// Begins a stretch that must not be cut short.
    pub(crate) fn new() -> Self {
        *guards() += 1;
        Self(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        *guards() -= 1;
        UNGUARDED.notify_all();
    }
}

/// Notes the wish to end, and waits until nothing is guarded any more. No guarded code begins
/// while the answer lives.
#[cfg(any(windows, test))]
fn end_of_guarded_code() -> MutexGuard<'static, usize> {
    REQUESTED.store(true, Ordering::SeqCst);
    UNGUARDED
        .wait_while(guards(), |guards| *guards > 0)
        .unwrap_or_else(PoisonError::into_inner)
}

#[cfg(windows)]
mod closing {
    #![expect(unsafe_code, reason = "calls of the Windows API")]

    use windows_sys::Win32::System::Console::{
        CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT, SetConsoleCtrlHandler,
    };
    use windows_sys::core::BOOL;

    unsafe extern "system" fn handler(event: u32) -> BOOL {
        if ![CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT].contains(&event) {
            // Ctrl-C is for the handler that was there before, which is asked next.
            return 0;
        }
        std::mem::forget(super::end_of_guarded_code());
        1
    }

    /// Starts to listen for the window's closing. Where that can't be had, the journal mends what
    /// was cut short.
    pub(super) fn listen() {
        // SAFETY: the handler lives as long as the program.
        unsafe { SetConsoleCtrlHandler(Some(handler), 1) };
    }
}

#[expect(
    clippy::exit,
    reason = "the handler runs on a thread of its own: nothing can return"
)]
fn leave(printer: &Printer) -> ! {
    let failure = Failure::cancelled();
    // The bars are cleared, or the message would be drawn over.
    let _ = printer.progress().clear();
    printer.failure(&failure);
    std::process::exit(i32::from(failure.exit_code()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_closes_the_window_waits_for_guarded_code() {
        let guard = Guard::new();
        let (sender, receiver) = channel();
        let closing = std::thread::spawn(move || {
            drop(end_of_guarded_code());
            sender.send(()).unwrap();
        });
        let early = receiver.recv_timeout(Duration::from_millis(100));
        assert_eq!(early, Err(RecvTimeoutError::Timeout));
        assert!(requested(), "the guarded code can turn back");
        drop(guard);
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        closing.join().unwrap();
        // For the other tests of this process.
        REQUESTED.store(false, Ordering::SeqCst);
    }
}
