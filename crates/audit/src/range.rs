//! Ranges of versions as events: a version is vulnerable from one that introduces the fault until
//! one that ends it (OSV format, "Evaluation").

use bnbpip_packaging::Version;

/// Where a vulnerability begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// This version has it.
    Introduced(Version),
    /// This version no longer has it.
    Fixed(Version),
    /// This version is the last that has it.
    LastAffected(Version),
    /// Nothing is said about this version and later ones.
    Limit(Version),
}

impl Event {
    fn version(&self) -> &Version {
        match self {
            Self::Introduced(version)
            | Self::Fixed(version)
            | Self::LastAffected(version)
            | Self::Limit(version) => version,
        }
    }
}

/// The events of one line of versions, in order.
#[derive(Debug, Clone)]
pub(crate) struct Range(Vec<Event>);

impl Range {
    pub(crate) fn new(mut events: Vec<Event>) -> Self {
        // At the same version an end comes before a beginning: the fault is there again.
        let rank = |event: &Event| matches!(event, Event::Introduced(_));
        events.sort_by(|a, b| {
            let order = a.version().cmp(b.version());
            order.then_with(|| rank(a).cmp(&rank(b)))
        });
        Self(events)
    }

    pub(crate) fn contains(&self, version: &Version) -> bool {
        let mut inside = false;
        for event in &self.0 {
            let at = comparable(version, event.version());
            match event {
                Event::Introduced(begin) if at >= *begin => inside = true,
                Event::Fixed(end) if at >= *end => inside = false,
                Event::LastAffected(last) if at > *last => inside = false,
                Event::Limit(end) if at >= *end => return false,
                _ => {}
            }
        }
        inside
    }

    /// The first version after this one that no longer has the fault.
    pub(crate) fn fixed_after(&self, version: &Version) -> Option<&Version> {
        self.0.iter().find_map(|event| match event {
            Event::Fixed(fixed) if comparable(version, fixed) < *fixed => Some(fixed),
            _ => None,
        })
    }
}

/// A version as an advisory means it: `2.6.0+cu124` is 2.6.0, unless the advisory itself tells
/// builds apart.
pub(crate) fn comparable(version: &Version, other: &Version) -> Version {
    if other.is_local() {
        version.clone()
    } else {
        version.clone().without_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_between_the_events_are_inside() {
        let range = Range::new(vec![
            Event::Fixed(version("3.2.1")),
            Event::Introduced(version("3.0")),
            Event::Introduced(version("0")),
            Event::Fixed(version("2.20.0")),
        ]);
        let inside = ["1.0", "2.20.0rc1", "3.0", "3.2", "3.2.1.dev1", "3.2+cu124"];
        let outside = ["2.20", "2.99", "3.0rc1", "3.2.1", "3.2.1+cu124", "4"];
        assert!(inside.iter().all(|text| range.contains(&version(text))));
        assert!(!outside.iter().any(|text| range.contains(&version(text))));
        let fixed = |text: &str| range.fixed_after(&version(text)).map(ToString::to_string);
        assert_eq!(fixed("1.0").as_deref(), Some("2.20.0"));
        assert_eq!(fixed("3.1+cpu").as_deref(), Some("3.2.1"));
        assert_eq!(fixed("3.2.1"), None);
    }

    #[test]
    fn the_last_affected_version_and_its_builds_are_inside() {
        let range = Range::new(vec![
            Event::Introduced(version("0")),
            Event::LastAffected(version("2.6.0")),
        ]);
        for text in ["2.6", "2.6.0+cu124"] {
            assert!(range.contains(&version(text)), "{text}");
        }
        assert!(!range.contains(&version("2.6.0.post1")));
        assert_eq!(range.fixed_after(&version("2.6")), None);
        let limited = Range::new(vec![
            Event::Introduced(version("1")),
            Event::Limit(version("2")),
        ]);
        assert!(limited.contains(&version("1.9")) && !limited.contains(&version("2")));
        let build = Range::new(vec![
            Event::Introduced(version("0")),
            Event::Fixed(version("1.0+fixed.1")),
        ]);
        assert!(build.contains(&version("1.0")) && !build.contains(&version("1.0+fixed.1")));
    }
}
