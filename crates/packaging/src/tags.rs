//! PEP 425 compatibility tags: which wheels a target accepts, in order of preference.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::WheelFilename;

/// The Python implementations with wheel tags of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    /// CPython (`cp`)
    CPython,
    /// PyPy (`pp`)
    PyPy,
}

/// What tags are generated from.
#[derive(Debug, Clone)]
pub struct TargetTags {
    /// The implementation.
    pub implementation: Implementation,
    /// Major and minor version.
    pub python: (u8, u8),
    /// Whether it is the build without the global interpreter lock (`cp313t`).
    pub free_threaded: bool,
    /// The interpreter's own ABI tags, best first; empty derives them (`cp311`).
    pub abis: Vec<String>,
    /// Platform tags, best first, without `any`.
    pub platforms: Vec<String>,
}

/// Which part of a wheel's tags the target doesn't accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncompatibleTag {
    /// No Python tag is accepted at all (`cp39` on Python 3.12).
    Python,
    /// The Python tag is accepted, but not with the wheel's ABI tag.
    Abi,
    /// Python and ABI are accepted, but not on this platform.
    Platform,
}

/// Whether a wheel fits a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagCompatibility {
    /// It does; the higher the number, the better.
    Compatible(u32),
    /// It doesn't; the furthest part that was reached.
    Incompatible(IncompatibleTag),
}

/// The tags that a target accepts, in order of preference.
#[derive(Debug, Clone)]
pub struct Tags {
    triples: Vec<(String, String, String)>,
    pythons: FxHashMap<Box<str>, u16>,
    abis: FxHashMap<Box<str>, u16>,
    platforms: FxHashMap<Box<str>, u16>,
    pairs: FxHashSet<(u16, u16)>,
    priorities: FxHashMap<(u16, u16, u16), u32>,
}

impl Tags {
    /// Tags from `(python, abi, platform)` triples, best first.
    pub fn new(triples: Vec<(String, String, String)>) -> Self {
        let mut tags = Self {
            pythons: FxHashMap::default(),
            abis: FxHashMap::default(),
            platforms: FxHashMap::default(),
            pairs: FxHashSet::default(),
            priorities: FxHashMap::default(),
            triples: Vec::new(),
        };
        let count = u32::try_from(triples.len()).unwrap_or(u32::MAX);
        for ((python, abi, platform), rank) in triples.iter().zip(0..count) {
            let python = intern(&mut tags.pythons, python);
            let abi = intern(&mut tags.abis, abi);
            let platform = intern(&mut tags.platforms, platform);
            tags.pairs.insert((python, abi));
            tags.priorities
                .entry((python, abi, platform))
                .or_insert(count - rank);
        }
        tags.triples = triples;
        tags
    }

    /// The tags of an interpreter, in the order of `packaging.tags.sys_tags()`.
    pub fn for_target(target: &TargetTags) -> Self {
        let mut triples = Vec::new();
        match target.implementation {
            Implementation::CPython => push_cpython(target, &mut triples),
            Implementation::PyPy => push_pypy(target, &mut triples),
        }
        push_pure(target, &mut triples);
        Self::new(triples)
    }

    /// All `(python, abi, platform)` triples, best first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.triples
            .iter()
            .map(|(python, abi, platform)| (&**python, &**abi, &**platform))
    }

    /// How well a wheel fits: higher is better, `None` is not at all.
    pub fn priority(&self, wheel: &WheelFilename) -> Option<u32> {
        match self.compatibility(wheel) {
            TagCompatibility::Compatible(priority) => Some(priority),
            TagCompatibility::Incompatible(_) => None,
        }
    }

    /// How well a wheel fits, or which of its tags doesn't.
    pub fn compatibility(&self, wheel: &WheelFilename) -> TagCompatibility {
        self.compatibility_of(&wheel.python_tags, &wheel.abi_tags, &wheel.platform_tags)
    }

    /// The same for tags that were split from a file name by the caller.
    pub fn compatibility_of<T: AsRef<str>>(
        &self,
        pythons: &[T],
        abis: &[T],
        platforms: &[T],
    ) -> TagCompatibility {
        let mut best: Option<u32> = None;
        let mut reached = IncompatibleTag::Python;
        for python in pythons
            .iter()
            .filter_map(|tag| self.pythons.get(tag.as_ref()))
        {
            reached = reached.max(IncompatibleTag::Abi);
            for abi in abis.iter().filter_map(|tag| self.abis.get(tag.as_ref())) {
                if !self.pairs.contains(&(*python, *abi)) {
                    continue;
                }
                reached = IncompatibleTag::Platform;
                for platform in platforms
                    .iter()
                    .filter_map(|tag| self.platforms.get(tag.as_ref()))
                {
                    best = best.max(self.priorities.get(&(*python, *abi, *platform)).copied());
                }
            }
        }
        best.map_or(
            TagCompatibility::Incompatible(reached),
            TagCompatibility::Compatible,
        )
    }
}

fn intern(table: &mut FxHashMap<Box<str>, u16>, tag: &str) -> u16 {
    if let Some(id) = table.get(tag) {
        return *id;
    }
    let id = u16::try_from(table.len()).unwrap_or(u16::MAX);
    table.insert(tag.into(), id);
    id
}

type Triples = Vec<(String, String, String)>;

fn push(triples: &mut Triples, python: &str, abi: &str, platforms: &[String]) {
    triples.extend(
        platforms
            .iter()
            .map(|platform| (python.to_string(), abi.to_string(), platform.clone())),
    );
}

fn push_cpython(target: &TargetTags, triples: &mut Triples) {
    let (major, minor) = target.python;
    let interpreter = format!("cp{major}{minor}");
    let derived = [format!(
        "{interpreter}{}",
        if target.free_threaded { "t" } else { "" }
    )];
    let abis: &[String] = if target.abis.is_empty() {
        &derived
    } else {
        &target.abis
    };
    for abi in abis {
        push(triples, &interpreter, abi, &target.platforms);
    }
    let stable = stable_abis(target);
    for (abi, _) in &stable {
        push(triples, &interpreter, abi, &target.platforms);
    }
    push(triples, &interpreter, "none", &target.platforms);
    for older in (2..minor).rev() {
        for (abi, _) in stable.iter().filter(|(_, since)| older >= *since) {
            push(
                triples,
                &format!("cp{major}{older}"),
                abi,
                &target.platforms,
            );
        }
    }
}

/// The stable ABIs that the interpreter loads, each with the minor version that brought it:
/// `abi3` with the lock since 3.2 (PEP 384), `abi3t` without it since 3.15 (PEP 803).
fn stable_abis(target: &TargetTags) -> Vec<(&'static str, u8)> {
    let (major, minor) = target.python;
    match (major, target.free_threaded) {
        (3, false) if minor >= 2 => vec![("abi3", 2)],
        (3, true) if minor >= 15 => vec![("abi3t", 15)],
        _ => Vec::new(),
    }
}

fn push_pypy(target: &TargetTags, triples: &mut Triples) {
    let (major, minor) = target.python;
    let interpreter = format!("pp{major}{minor}");
    for abi in &target.abis {
        push(triples, &interpreter, abi, &target.platforms);
    }
    push(triples, &interpreter, "none", &target.platforms);
}

/// `py3XY-none-*`: wheels without compiled code for any implementation.
fn push_pure(target: &TargetTags, triples: &mut Triples) {
    let (major, minor) = target.python;
    let mut versions = vec![format!("py{major}{minor}"), format!("py{major}")];
    versions.extend((0..minor).rev().map(|older| format!("py{major}{older}")));
    for version in &versions {
        push(triples, version, "none", &target.platforms);
    }
    let any = ["any".to_string()];
    let interpreter = match target.implementation {
        Implementation::CPython => format!("cp{major}{minor}"),
        Implementation::PyPy => format!("pp{major}"),
    };
    push(triples, &interpreter, "none", &any);
    for version in &versions {
        push(triples, version, "none", &any);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(free_threaded: bool, minor: u8) -> Tags {
        Tags::for_target(&TargetTags {
            implementation: Implementation::CPython,
            python: (3, minor),
            free_threaded,
            abis: Vec::new(),
            platforms: vec!["manylinux_2_17_x86_64".into(), "linux_x86_64".into()],
        })
    }

    fn check(tags: &Tags, filename: &str) -> TagCompatibility {
        tags.compatibility(&filename.parse().unwrap())
    }

    #[test]
    fn prefers_the_interpreters_own_abi() {
        let tags = tags(false, 12);
        let order = [
            "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
            "a-1-cp312-abi3-manylinux_2_17_x86_64.whl",
            "a-1-cp38-abi3-manylinux_2_17_x86_64.whl",
            "a-1-py3-none-manylinux_2_17_x86_64.whl",
            "a-1-py3-none-any.whl",
        ]
        .map(|filename| tags.priority(&filename.parse().unwrap()).unwrap());
        assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
    }

    #[test]
    fn says_which_tag_is_wrong() {
        let tags = tags(false, 12);
        for (filename, expected) in [
            (
                "a-1-cp39-cp39-manylinux_2_17_x86_64.whl",
                IncompatibleTag::Abi,
            ),
            (
                "a-1-cp313-cp313-manylinux_2_17_x86_64.whl",
                IncompatibleTag::Python,
            ),
            (
                "a-1-cp312-cp312t-manylinux_2_17_x86_64.whl",
                IncompatibleTag::Abi,
            ),
            ("a-1-cp312-cp312-win_amd64.whl", IncompatibleTag::Platform),
            ("a-1-py3-none-win_amd64.whl", IncompatibleTag::Platform),
        ] {
            assert_eq!(
                check(&tags, filename),
                TagCompatibility::Incompatible(expected),
                "{filename}"
            );
        }
    }

    #[test]
    fn free_threaded_builds_have_their_own_stable_abi() {
        let wheel = "a-1-cp312-abi3-linux_x86_64.whl";
        assert!(matches!(
            check(&tags(true, 13), wheel),
            TagCompatibility::Incompatible(_)
        ));
        let own = "a-1-cp313-cp313t-linux_x86_64.whl";
        assert!(matches!(
            check(&tags(true, 13), own),
            TagCompatibility::Compatible(_)
        ));
        let stable = "a-1-cp315-abi3t-linux_x86_64.whl";
        assert!(matches!(
            check(&tags(true, 16), stable),
            TagCompatibility::Compatible(_)
        ));
    }
}
