//! What a transaction has to tell: while it runs, and when it fails.

use bnbpip_installer::{Progress, Recovery, RemovalError, TransactionError};

use crate::failure::Failure;
use crate::printer::Printer;

/// Prints a transaction's waits and recoveries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransactionNotes<'a>(pub(crate) &'a Printer);

impl Progress for TransactionNotes<'_> {
    fn waiting_for_lock(&self) {
        self.0
            .status("Waiting for another bnbpip process that changes the environment");
    }

    fn recovered(&self, recovery: Recovery) {
        match recovery {
            Recovery::RolledBack => {
                self.0
                    .status("An interrupted change of the environment was taken back");
            }
            Recovery::Completed => {
                self.0
                    .status("An interrupted change of the environment was finished");
            }
            Recovery::Discarded | Recovery::CleanedUp => {
                self.0
                    .verbose("The remains of an interrupted run were removed");
            }
        }
    }
}

/// The failure for files that are unknown, in pip's words.
pub(crate) fn unremovable(error: RemovalError) -> Failure {
    let hint = error.hint();
    let failure = match &error {
        RemovalError::NoRecord { name, version, .. } => {
            Failure::new(format!("Cannot uninstall {name} {version}")).caused_by(format!(
                "The package's contents are unknown: no RECORD file was found for {name}."
            ))
        }
        RemovalError::Distutils { name, version } => {
            Failure::new(format!("Cannot uninstall {name} {version}")).caused_by(
                "It is a distutils installed project and thus we cannot accurately determine \
                 which files belong to it which would lead to only a partial uninstall.",
            )
        }
        _ => Failure::from(error),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A transaction's error with what the user can do.
pub(crate) fn with_hint(error: TransactionError) -> Failure {
    match error {
        TransactionError::Removal(error) => unremovable(error),
        error => {
            let hint = error.hint();
            let failure = Failure::from(error);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
    }
}
