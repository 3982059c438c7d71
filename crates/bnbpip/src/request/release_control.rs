//! `--all-releases` and `--only-final`: whose pre-releases may be taken; lists that depend on the
//! order in which they were given.

use bnbpip_packaging::PackageName;
use bnbpip_resolver::PrereleasePolicy;
use rustc_hash::FxHashMap;

use super::format_control::{Names, apply};

/// Whose pre-releases may be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReleaseControl {
    all_releases: Names,
    only_final: Names,
}

impl ReleaseControl {
    /// Applies one `--all-releases` value: names with commas between, `:all:`, `:none:`.
    pub(crate) fn all_releases(&mut self, value: &str) {
        apply(value, &mut self.all_releases, &mut self.only_final);
    }

    /// Applies one `--only-final` value.
    pub(crate) fn only_final(&mut self, value: &str) {
        apply(value, &mut self.only_final, &mut self.all_releases);
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What holds for packages that aren't named.
    pub(crate) fn of_all(&self) -> PrereleasePolicy {
        match (self.all_releases.all, self.only_final.all) {
            (true, _) => PrereleasePolicy::Allow,
            (false, true) => PrereleasePolicy::Never,
            (false, false) => PrereleasePolicy::IfNecessary,
        }
    }

    /// What holds for the packages that are named.
    pub(crate) fn of_named(&self) -> FxHashMap<PackageName, PrereleasePolicy> {
        let policy = |policy| move |name: &PackageName| (name.clone(), policy);
        let never = self.only_final.named.iter();
        let allow = self.all_releases.named.iter();
        never
            .map(policy(PrereleasePolicy::Never))
            .chain(allow.map(policy(PrereleasePolicy::Allow)))
            .collect()
    }

    /// Whether pre-releases of a package are listed.
    pub(crate) fn lists(&self, name: &PackageName) -> bool {
        let of_name = self.of_named().get(name).copied();
        of_name.unwrap_or(self.of_all()) == PrereleasePolicy::Allow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_before_all_and_later_before_earlier() {
        let mut control = ReleaseControl::default();
        assert!(control.is_empty());
        control.all_releases(":all:");
        control.only_final("torch");
        let torch: PackageName = "torch".parse().unwrap();
        assert_eq!(control.of_all(), PrereleasePolicy::Allow);
        assert_eq!(control.of_named()[&torch], PrereleasePolicy::Never);
        assert!(!control.lists(&torch));
        control.all_releases("torch");
        assert!(control.lists(&torch));
        control.only_final(":all:");
        assert_eq!(control.of_all(), PrereleasePolicy::Never);
        assert!(!control.lists(&torch));
    }
}
