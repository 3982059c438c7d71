//! What a transaction has to tell while it runs.

use bnbpip_installer::{Progress, Recovery};

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
