//! Ctrl-C.
//!
//! Outside a [`Guard`] the process says that it was cancelled and ends at once. Inside one (while
//! an environment is being changed) the wish is only noted: the guarded code asks [`requested`]
//! where it can turn back, undoes what it did, and returns [`Failure::cancelled`].
//!
//! [`Failure::cancelled`]: crate::failure::Failure::cancelled

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::Failure;
use crate::printer::Printer;

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// How many guards live. Whoever leaves keeps it locked to the end, so that no guarded code begins
/// in the meantime.
static GUARDS: Mutex<usize> = Mutex::new(0);

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
}

/// Whether the user has pressed Ctrl-C.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
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
