//! How a transaction is to work, and what it tells: options, progress, outcome.

use std::path::PathBuf;
use std::sync::Arc;

use bnbpip_packaging::{PackageName, Version};

use crate::in_use::FileHolders;
use crate::link::LinkMode;
use crate::receipt::Receipt;
use crate::steps::StepHook;
use crate::swap::Recovery;

/// What to do about a file of another package in the place of a wheel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClobberPolicy {
    /// Refuse the wheel, unless the file is the same or known to be harmless.
    #[default]
    Refuse,
    /// Overwrite it and say so.
    Report,
}

/// pip's rules for `--target`: an item of the folder that is there already stays, with a
/// warning, unless upgrading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetMode {
    /// Whether items that are there are replaced.
    pub upgrade: bool,
}

/// How to install.
#[derive(Clone, Default)]
pub struct InstallOptions {
    /// How files come from the store.
    pub link_mode: LinkMode,
    /// Whether modules are byte-compiled.
    pub compile: bool,
    /// A folder, the caller's to clean, where byte-code is kept for the next installation of the
    /// same wheel for the same interpreter; none for no such thing. Its name should end in a
    /// format version.
    pub byte_code_cache: Option<PathBuf>,
    /// The compiling processes; 0 means one for each processor.
    pub compile_workers: usize,
    /// What to do about files of other packages.
    pub clobber: ClobberPolicy,
    /// Set for `--target`; the library folder is then the target folder.
    pub target_mode: Option<TargetMode>,
    /// Whether a wheel whose `RECORD` disagrees with its files is refused rather than reported.
    pub strict_record: bool,
    /// What the user did, for the receipt.
    pub command: String,
    /// Who is asked which programs hold a file; the system if nobody is given.
    pub holders: Option<Arc<dyn FileHolders>>,
    /// Fault injection; none outside of tests.
    pub step_hook: Option<Arc<dyn StepHook>>,
}

/// Told what happens. Every method may be called from any thread.
pub trait Progress: Sync {
    /// Another process is changing the environment; this one waits.
    fn waiting_for_lock(&self) {}
    /// An interrupted transaction was found and dealt with.
    fn recovered(&self, _recovery: Recovery) {}
    /// A wheel has been prepared.
    fn wheel_staged(&self, _name: &PackageName, _version: &Version) {}
    /// The changes begin to show.
    fn committing(&self) {}
}

impl Progress for () {}

/// What a transaction did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What changed; also kept in the environment.
    pub receipt: Receipt,
    /// What was odd but tolerated, in sentences.
    pub warnings: Vec<String>,
    /// Whether files had to be copied rather than linked, for lying on another volume than the store.
    pub copied_across_volumes: bool,
}
