//! Why versions can't be taken, and what to do about it.

use bnbpip_packaging::{IncompatibleTag, PackageName, Version};
use bnbpip_resolver::reason::VersionReason;
use bnbpip_resolver::{Fact, Unusable};

use super::Writer;
use crate::ranges;

impl Writer<'_> {
    /// A sentence for each kind of reason, with the versions that it concerns.
    pub(super) fn version_reasons(
        &self,
        name: &PackageName,
        reasons: &[(Version, VersionReason)],
    ) -> Vec<String> {
        let mut groups: Vec<(VersionReason, Vec<&Version>)> = Vec::new();
        for (version, reason) in reasons.iter().rev() {
            match groups
                .iter_mut()
                .find(|(known, _)| same_kind(known, reason))
            {
                Some((known, versions)) => {
                    merge_offered(known, reason);
                    versions.push(version);
                }
                None => groups.push((reason.clone(), vec![version])),
            }
        }
        groups
            .into_iter()
            .map(|(reason, versions)| {
                let words = self.reason(&reason);
                let words = if versions.len() == 1 {
                    words
                } else {
                    plural(&words)
                };
                format!("{name} {} {words}", ranges::list(&versions))
            })
            .collect()
    }

    fn reason(&self, reason: &VersionReason) -> String {
        match reason {
            VersionReason::Unusable(unusable) => self.unusable(unusable),
            VersionReason::Yanked(None) => "was yanked".to_string(),
            VersionReason::Yanked(Some(why)) => format!("was yanked ({why})"),
            VersionReason::Prerelease => "is a pre-release, which nothing asks for".to_string(),
            VersionReason::InvalidMetadata(message) => {
                format!("has metadata that can't be read ({message})")
            }
            VersionReason::NotTried => {
                "was not tried, as the metadata of too many others can't be read".to_string()
            }
            VersionReason::NotCached => {
                "is not in the cache, and the network is switched off".to_string()
            }
            VersionReason::NoBuild(wanted) => {
                format!("is built for {wanted}, and there is no such build here")
            }
            VersionReason::RequiresPython(specifiers) => self.wrong_python(specifiers),
            VersionReason::ArbitraryEquality => "has another text than `===` names".to_string(),
        }
    }

    fn wrong_python(&self, specifiers: &str) -> String {
        format!(
            "requires Python {specifiers}, and this is {}",
            self.target.python
        )
    }

    fn unusable(&self, unusable: &Unusable) -> String {
        match unusable {
            Unusable::Tags { part, offered } => {
                let own = match part {
                    IncompatibleTag::Platform => &self.target.platform,
                    IncompatibleTag::Python | IncompatibleTag::Abi => &self.target.python_tag,
                };
                format!("has wheels for {}, and none for {own}", cut(offered))
            }
            Unusable::RequiresPython(specifiers) => self.wrong_python(specifiers),
            Unusable::OnlySource => {
                "has no wheel, only a source distribution that would have to be built".to_string()
            }
            Unusable::BinaryPolicy => {
                "has no file that `--only-binary` and `--no-binary` allow".to_string()
            }
            Unusable::TooNew(Some(day)) => {
                format!("was uploaded after the time limit (from {day} on)")
            }
            Unusable::TooNew(None) => {
                "is of an index that does not provide upload-time metadata".to_string()
            }
            Unusable::Hash => "has no file with one of the given hashes".to_string(),
            Unusable::Rule(id) => format!("has only files that {id} excludes"),
        }
    }

    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        for rule in self.explanation.rules() {
            if let Some(hint) = &rule.hint {
                hints.push(format!("{hint} ({})", rule.id));
            }
            hints.push(format!("`--allow {}` installs it all the same", rule.id));
        }
        for fact in &self.explanation.facts {
            if let Fact::Versions { name, reasons } = fact {
                hints.extend(self.version_hint(name, reasons));
            }
        }
        hints.dedup();
        hints
    }

    fn version_hint(
        &self,
        name: &PackageName,
        reasons: &[(Version, VersionReason)],
    ) -> Option<String> {
        let (version, reason) = reasons.first()?;
        Some(match reason {
            VersionReason::Unusable(Unusable::OnlySource) => format!(
                "{name} {version} has no wheel for this target: a source distribution is only built \
                 where the packages go to"
            ),
            VersionReason::Unusable(Unusable::TooNew(Some(_))) => {
                format!("a later `--uploaded-prior-to` lets {name} {version} in")
            }
            VersionReason::Unusable(Unusable::TooNew(None)) => {
                "without upload times nothing is known to be before `--uploaded-prior-to`: leave \
                 the limit out, or ask another index"
                    .to_string()
            }
            VersionReason::Unusable(Unusable::RequiresPython(specifiers))
            | VersionReason::RequiresPython(specifiers) => {
                format!("{name} {version} needs Python {specifiers}: use an environment with one")
            }
            VersionReason::Unusable(Unusable::Tags {
                part: IncompatibleTag::Platform,
                ..
            }) => {
                format!("{name} {version} is not made for {}", self.target.platform)
            }
            VersionReason::Unusable(Unusable::Tags { offered, .. }) => format!(
                "{name} {version} has wheels for {}: use a Python among them",
                cut(offered)
            ),
            VersionReason::Unusable(Unusable::Rule(id)) => {
                format!("`--allow {id}` takes {name} {version} all the same")
            }
            VersionReason::Prerelease => {
                format!("`--pre` allows pre-releases such as {name} {version}")
            }
            VersionReason::Yanked(_) => {
                format!("`{name}=={version}` takes the yanked version all the same")
            }
            _ => return None,
        })
    }
}

fn plural(words: &str) -> String {
    for (one, many) in [
        ("has ", "have "),
        ("was ", "were "),
        ("is ", "are "),
        ("requires ", "require "),
    ] {
        if let Some(rest) = words.strip_prefix(one) {
            return format!("{many}{rest}");
        }
    }
    words.to_string()
}

/// Whether two reasons differ at most in the tags that wheels have instead of the right one, or in
/// the day of the upload.
fn same_kind(a: &VersionReason, b: &VersionReason) -> bool {
    let place = |reason: &VersionReason| match reason {
        VersionReason::Unusable(Unusable::Tags { part, .. }) => {
            Some(u8::from(*part == IncompatibleTag::Platform))
        }
        VersionReason::Unusable(Unusable::TooNew(_)) => Some(2),
        _ => None,
    };
    a == b || (place(a).is_some() && place(a) == place(b))
}

/// Adds the tags of another version's wheels; of two days the earlier one stays.
fn merge_offered(known: &mut VersionReason, reason: &VersionReason) {
    if let VersionReason::Unusable(Unusable::TooNew(Some(day))) = known
        && let VersionReason::Unusable(Unusable::TooNew(Some(other))) = reason
        && *other < *day
    {
        day.clone_from(other);
    }
    if let VersionReason::Unusable(Unusable::Tags { offered, .. }) = known
        && let VersionReason::Unusable(Unusable::Tags { offered: more, .. }) = reason
    {
        for tag in more {
            if !offered.contains(tag) {
                offered.push(tag.clone());
            }
        }
    }
}

fn cut(offered: &[String]) -> String {
    const SHOWN: usize = 8;
    if offered.len() <= SHOWN {
        return ranges::join_and(offered);
    }
    format!(
        "{} and {} more",
        offered[..SHOWN].join(", "),
        offered.len() - SHOWN
    )
}
