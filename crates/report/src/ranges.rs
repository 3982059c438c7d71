//! Version ranges in words, narrowed to versions that exist.
//!
//! The solver widens and splits ranges freely; what is shown has to be true of real versions and
//! short. `numpy >2.4.1` that in fact means 2.4.2 and 2.5.0 is said as those two.

use std::ops::Bound;

use bnbpip_packaging::{Version, VersionRange};

/// The versions of `existing` (ascending) that lie in the range.
pub fn narrow<'a>(range: &VersionRange, existing: &'a [Version]) -> Vec<&'a Version> {
    existing
        .iter()
        .filter(|version| range.contains(*version))
        .collect()
}

/// `name` with the versions meant: `six ==1.16.0`, `six >=1.10,<1.16`, or all versions.
///
/// With `existing` the text speaks of real versions; without it, of the range itself.
pub fn describe(name: &str, range: &VersionRange, existing: &[Version]) -> String {
    let inside = narrow(range, existing);
    if !existing.is_empty() && inside.len() == existing.len() {
        return if existing.len() == 1 {
            format!("{name} {}", existing[0])
        } else {
            format!("every version of {name}")
        };
    }
    if inside.is_empty() {
        return format!("{name}{}", specifiers(range));
    }
    if inside.len() > 2 && is_one_run(&inside, existing) {
        return format!("{name}{}", real_bounds(&inside, existing));
    }
    format!("{name} {}", list(&inside))
}

/// Whether no existing version lies between those inside.
fn is_one_run(inside: &[&Version], existing: &[Version]) -> bool {
    let first = existing
        .iter()
        .position(|version| Some(&version) == inside.first());
    first.is_some_and(|first| existing.get(first + inside.len() - 1) == inside.last().copied())
}

/// The first and last real version of a run, as specifiers.
fn real_bounds(inside: &[&Version], existing: &[Version]) -> String {
    let (Some(first), Some(last)) = (inside.first(), inside.last()) else {
        return String::new();
    };
    let from_start = existing.first() == Some(*first);
    let to_end = existing.last() == Some(*last);
    match (from_start, to_end) {
        (true, _) => format!("<={last}"),
        (_, true) => format!(">={first}"),
        _ => format!(">={first},<={last}"),
    }
}

/// `1.0`, `1.0 and 1.1`, `1.0, 1.1 and 1.2`; long lists are cut in the middle.
pub fn list(versions: &[&Version]) -> String {
    const SHOWN: usize = 6;
    let mut words: Vec<String> = versions.iter().map(ToString::to_string).collect();
    if words.len() > SHOWN {
        let left_out = words.len() - SHOWN;
        words.splice(
            SHOWN / 2..SHOWN / 2 + left_out,
            [format!("({left_out} more)")],
        );
    }
    join_and(&words)
}

/// Words joined by commas and a final `and`.
pub fn join_and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// The range as PEP 440 specifiers, pieces joined by `or`. The empty text is every version.
pub fn specifiers(range: &VersionRange) -> String {
    if range.is_empty() {
        return " (no version at all)".to_string();
    }
    let pieces: Vec<String> = range.iter().map(piece).collect();
    pieces.join(" or ")
}

fn piece((lower, upper): (Bound<&Version>, Bound<&Version>)) -> String {
    if let (Bound::Included(lower), Bound::Excluded(upper)) = (lower, upper) {
        let same = bnbpip_packaging::range::equal(lower.clone());
        if same == VersionRange::between(lower.clone(), upper.clone()) {
            return format!("=={lower}");
        }
    }
    if let (Bound::Included(lower), Bound::Included(upper)) = (lower, upper)
        && lower == upper
    {
        return format!("=={lower}");
    }
    let lower = match lower {
        Bound::Unbounded => None,
        Bound::Included(version) => Some(format!(">={}", plain(version))),
        Bound::Excluded(version) => Some(format!(">{}", plain(version))),
    };
    let upper = match upper {
        Bound::Unbounded => None,
        Bound::Included(version) => Some(format!("<={}", plain(version))),
        Bound::Excluded(version) => Some(upper_specifier(version)),
    };
    [lower, upper]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(",")
}

/// `<V` or, where the bound is the end of V's local versions, `<=V`.
fn upper_specifier(version: &Version) -> String {
    if version.post() == Some(0) && version.dev() == Some(0) {
        return format!("<={}", version.clone().with_post(None).with_dev(None));
    }
    format!("<{}", plain(version))
}

/// Without the marks that only ranges have.
fn plain(version: &Version) -> Version {
    match (version.min(), version.max()) {
        (None, None) => version.clone(),
        (Some(_), _) => version.clone().with_min(None),
        (_, Some(_)) => version.clone().with_max(None),
    }
}

#[cfg(test)]
mod tests {
    use bnbpip_packaging::{VersionSpecifiers, range};

    use super::*;

    fn parse(specifiers: &str) -> VersionRange {
        range::from_specifiers(&specifiers.parse::<VersionSpecifiers>().unwrap())
    }

    #[test]
    fn ranges_are_narrowed_to_real_versions() {
        let existing: Vec<Version> = ["1.0", "1.1", "1.2", "1.3", "2.0"]
            .iter()
            .map(|v| v.parse().unwrap())
            .collect();
        for (specifiers, text) in [
            (">1.1,<2", "a 1.2 and 1.3"),
            ("<2", "a<=1.3"),
            ("==1.1", "a 1.1"),
            (">=1.0", "every version of a"),
            (">3,<4", "a>3,<4"),
            ("!=1.1", "a 1.0, 1.2, 1.3 and 2.0"),
        ] {
            assert_eq!(
                describe("a", &parse(specifiers), &existing),
                text,
                "{specifiers}"
            );
        }
    }

    #[test]
    fn specifiers_read_like_pep_440() {
        for text in ["==1.0", ">=1.0,<2.0", "<=1.5", ">=3", "==2.6.0+cu124"] {
            assert_eq!(specifiers(&parse(text)), text);
        }
        assert_eq!(specifiers(&parse("!=1.0")), "<1.0 or >=1.0.post0.dev0");
    }
}
