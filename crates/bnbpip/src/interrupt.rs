//! Ctrl-C.
//!
//! Outside a [`Guard`] the process says that it was cancelled and ends at once. Inside one (while
//! an environment is being changed) the wish is only noted: the guarded code asks [`requested`]
//! where it can turn back, undoes what it did, and returns [`Failure::cancelled`].
//!
//! [`Failure::cancelled`]: crate::failure::Failure::cancelled

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::failure::Failure;
use crate::printer::Printer;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static GUARDS: AtomicUsize = AtomicUsize::new(0);

/// Starts to listen for Ctrl-C. For commands that run long or change something.
pub(crate) fn listen(printer: &'static Printer) {
    // It can only fail if a handler is there already, which then does the same.
    let _ = ctrlc::set_handler(move || {
        REQUESTED.store(true, Ordering::SeqCst);
        if GUARDS.load(Ordering::SeqCst) == 0 {
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
        GUARDS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDS.fetch_sub(1, Ordering::SeqCst);
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
