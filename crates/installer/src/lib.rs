//! Unpacked wheels into environments: schemes, scripts, RECORD and the transaction.
