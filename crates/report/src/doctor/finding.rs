//! One thing that is wrong, with its cause and what mends it.

use bnbpip_overlay::RuleId;
use bnbpip_packaging::{PackageName, Version};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something doesn't work.
    Broken,
    /// Something may not work, or only in part.
    Warning,
}

impl Severity {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is, in words that never change: `rule`, `missing-requirement`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as one sentence without a full stop.
    pub sentence: String,
    /// Causes and evidence, a sentence each.
    pub details: Vec<String>,
    /// The overlay rule that says so.
    pub rule: Option<RuleId>,
    /// Where it can be read up.
    pub links: Vec<String>,
    /// The packages concerned.
    pub packages: Vec<(PackageName, Version)>,
    /// What mends it.
    pub mend: Mend,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mend {
    /// One of these packages has to change its version, the best choice first. With each the
    /// requirement that is asked for, `bitsandbytes>=0.45.1` or the bare name.
    Change(Vec<(PackageName, String)>),
    /// These requirements have to be met.
    Require(Vec<String>),
    /// This version has to be installed again.
    Reinstall(PackageName, Version),
    /// These go, and what stays is installed again, because they own the same files.
    Separate {
        /// What stays.
        keep: (PackageName, Version),
        /// What goes.
        remove: Vec<PackageName>,
    },
    /// Another build of torch has to be installed.
    Rebuild {
        /// The accelerator that it is for, as `--accelerator` takes it.
        accelerator: String,
        /// torch, and what of its family is installed.
        requirements: Vec<String>,
    },
    /// Remains are removed by `bnbpip doctor --fix`.
    Clean,
    /// The person has to do this; a sentence without a full stop.
    ByHand(String),
}

impl Finding {
    /// A finding without a rule.
    pub fn new(
        code: &'static str,
        severity: Severity,
        sentence: impl Into<String>,
        mend: Mend,
    ) -> Self {
        Self {
            code,
            severity,
            sentence: sentence.into(),
            details: Vec::new(),
            rule: None,
            links: Vec::new(),
            packages: Vec::new(),
            mend,
        }
    }

    /// Adds a cause or a piece of evidence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Adds a place to read it up.
    #[must_use]
    pub fn link(mut self, link: impl Into<String>) -> Self {
        self.links.push(link.into());
        self
    }

    /// Adds a package that is concerned.
    #[must_use]
    pub fn package(mut self, name: PackageName, version: Version) -> Self {
        self.packages.push((name, version));
        self
    }
}
