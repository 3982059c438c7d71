//! `--no-binary` and `--only-binary`: lists that depend on the order in which they were given.

use std::collections::BTreeSet;

use bnbpip_packaging::PackageName;

/// Which packages may come as wheels, which as source archives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FormatControl {
    no_binary: Names,
    only_binary: Names,
    wheels_first: bool,
}

/// Names, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) all: bool,
    pub(super) named: BTreeSet<PackageName>,
}

/// The kinds of files that a package may come as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AllowedFormats {
    /// Wheels may be used.
    pub wheels: bool,
    /// Which source archives may be used.
    pub sources: SourceArchives,
}

/// Source archives, by what else a release has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceArchives {
    /// None.
    Never,
    /// Those of releases that have no wheel for one platform or another: such a one says that the
    /// source doesn't build everywhere alike.
    WithoutPlatformWheels,
    /// All.
    Any,
}

impl FormatControl {
    /// Applies one `--no-binary` value: names with commas between, `:all:`, `:none:`.
    pub(crate) fn no_binary(&mut self, value: &str) {
        apply(value, &mut self.no_binary, &mut self.only_binary);
    }

    /// Applies one `--only-binary` value.
    pub(crate) fn only_binary(&mut self, value: &str) {
        apply(value, &mut self.only_binary, &mut self.no_binary);
    }

    /// Whether wheels alone may be used, whatever the package.
    pub(crate) fn is_only_binary(&self) -> bool {
        self.only_binary.all && self.no_binary == Names::default()
    }

    /// The same with wheels alone where nothing else is named.
    pub(crate) fn with_wheels_alone(mut self) -> Self {
        self.only_binary.all |= !self.has_no_binary();
        self
    }

    /// The same with wheels alone for what isn't named and has any.
    pub(crate) fn with_wheels_first(mut self) -> Self {
        self.wheels_first = true;
        self
    }

    /// Whether some packages may come as source archives alone.
    pub(crate) fn has_no_binary(&self) -> bool {
        self.no_binary != Names::default()
    }

    /// What a package may come as. A package that is named counts before `:all:`.
    pub(crate) fn allowed(&self, name: &PackageName) -> AllowedFormats {
        let mut allowed = AllowedFormats {
            wheels: true,
            sources: SourceArchives::Any,
        };
        if self.only_binary.named.contains(name) {
            allowed.sources = SourceArchives::Never;
        } else if self.no_binary.named.contains(name) {
            allowed.wheels = false;
        } else if self.only_binary.all {
            allowed.sources = SourceArchives::Never;
        } else if self.no_binary.all {
            allowed.wheels = false;
        } else if self.wheels_first {
            allowed.sources = SourceArchives::WithoutPlatformWheels;
        }
        allowed
    }
}

/// Puts one value into the list that it is for, and out of the other.
pub(super) fn apply(value: &str, target: &mut Names, other: &mut Names) {
    let mut words: &[&str] = &value.split(',').map(str::trim).collect::<Vec<_>>();
    while let Some(position) = words.iter().position(|word| *word == ":all:") {
        *other = Names::default();
        *target = Names {
            all: true,
            named: BTreeSet::new(),
        };
        words = &words[position + 1..];
        // `:all:` covers the names after it, unless a `:none:` among them starts anew.
        if !words.contains(&":none:") {
            return;
        }
    }
    for word in words {
        if *word == ":none:" {
            *target = Names::default();
        } else if let Ok(name) = word.parse::<PackageName>() {
            other.named.remove(&name);
            target.named.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(control: &FormatControl, name: &str) -> (bool, bool) {
        let allowed = control.allowed(&name.parse().unwrap());
        (allowed.wheels, allowed.sources != SourceArchives::Never)
    }

    #[test]
    fn later_counts_and_names_count_before_all() {
        let mut control = FormatControl::default();
        control.no_binary(":all:");
        control.only_binary("Torch,numpy");
        assert_eq!(allowed(&control, "torch"), (true, false));
        assert_eq!(allowed(&control, "six"), (false, true));
        control.only_binary(":all:");
        assert_eq!(allowed(&control, "six"), (true, false));
        control.no_binary("six");
        assert_eq!(allowed(&control, "six"), (false, true));
    }

    #[test]
    fn sources_may_be_for_want_of_wheels() {
        let sources =
            |control: &FormatControl, name: &str| control.allowed(&name.parse().unwrap()).sources;
        let mut control = FormatControl::default().with_wheels_first();
        control.no_binary("six");
        control.only_binary("torch");
        assert_eq!(
            sources(&control, "numpy"),
            SourceArchives::WithoutPlatformWheels
        );
        assert_eq!(sources(&control, "six"), SourceArchives::Any);
        assert_eq!(sources(&control, "torch"), SourceArchives::Never);
    }

    #[test]
    fn none_empties() {
        let mut control = FormatControl::default();
        control.no_binary(":all:,:none:,six");
        assert_eq!(allowed(&control, "six"), (false, true));
        assert_eq!(allowed(&control, "torch"), (true, true));
        control.no_binary(":none:");
        assert_eq!(control, FormatControl::default());
    }
}
