//! Why a rule is believed.

use super::WheelPattern;
use bnbpip_packaging::{PackageName, Version};

/// One piece of evidence.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// The source code of the project, at an address.
    Source {
        /// Where it can be read.
        url: String,
        /// What is to be seen there.
        detail: String,
    },
    /// The contents of published wheels; a machine can check it again.
    Artifact(ArtifactEvidence),
    /// The project's own change log, release notes or compatibility table.
    Changelog {
        /// Where it can be read.
        url: String,
        /// What it says.
        detail: String,
    },
    /// It was run.
    Reproduction {
        /// What was run where, and what came of it.
        detail: String,
    },
    /// A public report. It supports other evidence and is not enough by itself.
    Issue {
        /// Its address.
        url: String,
    },
}

/// A claim about one member of the wheels of some releases.
#[derive(Debug, Clone)]
pub struct ArtifactEvidence {
    /// The line of the evidence in its file, from 1.
    pub line: usize,
    /// The package.
    pub package: PackageName,
    /// The releases for which the claim was checked.
    pub versions: Vec<Version>,
    /// Only wheels whose filename fits; `None` means every wheel of the release.
    pub wheel: Option<WheelPattern>,
    /// The member's path inside the wheel, in which `*` stands for any run of characters.
    pub member: WheelPattern,
    /// What is claimed.
    pub claim: ArtifactClaim,
}

/// What an artifact is claimed to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactClaim {
    /// A member of this name exists.
    Present,
    /// No member of this name exists.
    Absent,
    /// The member contains this text.
    Contains(String),
    /// The member exists and does not contain this text.
    Lacks(String),
}

impl Evidence {
    /// Whether the evidence carries a rule by itself.
    pub fn is_sufficient(&self) -> bool {
        !matches!(self, Self::Issue { .. })
    }
}
