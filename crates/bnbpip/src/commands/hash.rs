//! `bnbpip hash`: what stands behind `--hash=` for a file that the user has.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::cli::hash::FileHashAlgorithm;
use crate::cli::{self, HashArgs};
use crate::failure::{Failure, exit_code};
use crate::printer::Printer;

/// Read at once; a wheel of several gigabytes is never held in memory.
const CHUNK_BYTES: usize = 1 << 16;

/// Prints a `--hash` option for each file.
///
/// # Errors
/// When no file is given, or one can't be read.
pub(crate) fn run(arguments: &HashArgs, printer: &Printer) -> Result<(), Failure> {
    if arguments.files.is_empty() {
        let usage = cli::error_usage(&["hash"]);
        let failure = Failure::usage(usage, "You must give at least one file to hash");
        return Err(failure.exit_with(exit_code::ERROR));
    }
    for file in &arguments.files {
        let (name, digest) = match arguments.algorithm {
            FileHashAlgorithm::Sha256 => ("sha256", digest_of::<Sha256>(file)?),
            FileHashAlgorithm::Sha384 => ("sha384", digest_of::<Sha384>(file)?),
            FileHashAlgorithm::Sha512 => ("sha512", digest_of::<Sha512>(file)?),
        };
        printer.info(&format!("{}:\n--hash={name}:{digest}", file.display()));
    }
    Ok(())
}

/// A file's digest in lowercase hexadecimal.
///
/// # Errors
/// When the file can't be read.
pub(crate) fn digest_of<D: Digest>(path: &Path) -> std::io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = D::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hasher.update(chunk.get(..read).unwrap_or_default());
    }
    let mut hexadecimal = String::new();
    for byte in hasher.finalize() {
        // Writing to a string can't fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    Ok(hexadecimal)
}
