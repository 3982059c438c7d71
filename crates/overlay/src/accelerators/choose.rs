//! The family for a machine: of those that its driver runs and whose builds have code for its cards,
//! the one with the newest torch.

use std::ops::Bound;

use bnbpip_packaging::{Version, VersionRange};

use super::{Builds, Capability, Family, TorchIndexes};

/// The systems that there are drivers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceleratorSystem {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

/// What a machine offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceleratorFacts {
    /// The system that torch will run on.
    pub system: AcceleratorSystem,
    /// Whether there is an NVIDIA GPU.
    pub has_nvidia: bool,
    /// The version of NVIDIA's driver, where it is known.
    pub driver: Option<Version>,
    /// The compute capability of each NVIDIA GPU, as far as they are known.
    pub capabilities: Vec<Capability>,
}

/// Why a family is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Driver and cards run it.
    Fits,
    /// The driver runs it; the cards aren't known.
    DriverAlone,
    /// There is no NVIDIA GPU.
    NoGpu,
    /// There is a GPU, and no version of its driver to be read.
    UnknownDriver,
    /// The driver runs no family that has the releases asked for.
    DriverTooOld {
        /// The oldest driver that would do.
        needed: Version,
    },
    /// No family has a release that was asked for.
    NoSuchTorch,
    /// No build that the driver runs has code for the card.
    NoCode {
        /// The card's capability.
        card: Capability,
    },
}

/// A family, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct FamilyChoice<'a> {
    /// The family.
    pub family: &'a Family,
    /// Why this one.
    pub because: Because,
    /// The builds to keep to, where the family has others that don't run on the cards.
    pub only: Option<&'a Builds>,
    /// Cards that this family's builds have no code for, beside the one that it is chosen for.
    pub without: Vec<Capability>,
}

impl TorchIndexes {
    /// The family for a machine, among those that have a release of torch within `torch`. `None`
    /// only if the table has no family for the processor.
    pub fn choose(
        &self,
        machine: &AcceleratorFacts,
        torch: &VersionRange,
    ) -> Option<FamilyChoice<'_>> {
        if !machine.has_nvidia {
            return self.processor(Because::NoGpu);
        }
        let Some(driver) = &machine.driver else {
            return self.processor(Because::UnknownDriver);
        };
        let offered = |family: &&Family| {
            let mut builds = family.builds.iter();
            builds.any(|builds| !builds.range().is_disjoint(torch))
        };
        let oldest = |family: &Family| {
            let cuda = family.cuda.as_deref()?;
            self.oldest_driver(cuda, machine.system)
        };
        let families = self.families.iter().filter(offered);
        let (runnable, others): (Vec<_>, Vec<_>) =
            families.partition(|family| oldest(family).is_some_and(|oldest| driver >= oldest));
        if runnable.is_empty() {
            let needed = others.into_iter().filter_map(oldest).min();
            return self.processor(match needed {
                Some(needed) => Because::DriverTooOld {
                    needed: needed.clone(),
                },
                None => Because::NoSuchTorch,
            });
        }
        let mut cards = machine.capabilities.clone();
        cards.sort();
        cards.dedup();
        let for_cards = |cards: &[Capability]| best(&runnable, cards, machine.system, torch);
        let Some(newest_card) = cards.last().copied() else {
            return for_cards(&[]).map(|choice| FamilyChoice {
                because: Because::DriverAlone,
                ..choice
            });
        };
        let Some(choice) = for_cards(&cards).or_else(|| for_cards(&[newest_card])) else {
            return self.processor(Because::NoCode { card: newest_card });
        };
        let builds = choice.only.or(choice.family.builds.first());
        let has_code =
            |card: Capability| builds.is_some_and(|builds| builds.run_on(card, machine.system));
        cards.retain(|card| !has_code(*card));
        Some(FamilyChoice {
            without: cards,
            ..choice
        })
    }

    /// The releases of torch that have a build which runs on a machine; all of them where none has,
    /// or nobody knows.
    pub fn suitable(&self, machine: &AcceleratorFacts) -> VersionRange {
        let newest = machine.capabilities.iter().max().copied();
        let cards = [&machine.capabilities[..], newest.as_slice()];
        let served = cards.iter().map(|cards| self.served(cards, machine));
        let mut served = served.filter(|range| !range.is_empty());
        served.next().unwrap_or_else(VersionRange::full)
    }

    /// The releases that the driver runs on all of these cards.
    fn served(&self, cards: &[Capability], machine: &AcceleratorFacts) -> VersionRange {
        let families = self.families.iter().filter(|family| {
            let cuda = family.cuda.as_deref();
            let oldest = cuda.and_then(|cuda| self.oldest_driver(cuda, machine.system));
            oldest.is_some_and(|oldest| machine.driver.as_ref().is_some_and(|it| it >= oldest))
        });
        let builds = families.flat_map(|family| &family.builds);
        let serving = builds.filter(|builds| {
            let mut cards = cards.iter();
            cards.all(|card| builds.run_on(*card, machine.system))
        });
        serving.fold(VersionRange::empty(), |all, builds| {
            all.union(&builds.range())
        })
    }

    fn processor(&self, because: Because) -> Option<FamilyChoice<'_>> {
        Some(FamilyChoice {
            family: self.family("cpu")?,
            because,
            only: None,
            without: Vec::new(),
        })
    }
}

/// The family that serves all of these cards and has the newest torch for them; of several, the one
/// for the newest CUDA.
fn best<'a>(
    families: &[&'a Family],
    cards: &[Capability],
    system: AcceleratorSystem,
    torch: &VersionRange,
) -> Option<FamilyChoice<'a>> {
    let serves = |builds: &&Builds| cards.iter().all(|card| builds.run_on(*card, system));
    let mut best: Option<(VersionRange, FamilyChoice<'a>)> = None;
    for family in families {
        let serving = family.builds.iter().filter(serves);
        let offered = serving.map(|builds| (builds, builds.range().intersection(torch)));
        let Some((builds, range)) = { offered }.find(|(_, range)| !range.is_empty()) else {
            continue;
        };
        if best
            .as_ref()
            .is_some_and(|(known, _)| !reaches_further(&range, known))
        {
            continue;
        }
        let all = family.builds.iter().all(|builds| serves(&builds));
        let choice = FamilyChoice {
            family,
            because: Because::Fits,
            only: (!all).then_some(builds),
            without: Vec::new(),
        };
        best = Some((range, choice));
    }
    best.map(|(_, choice)| choice)
}

/// Whether a set holds newer versions than another.
fn reaches_further(range: &VersionRange, other: &VersionRange) -> bool {
    !range.intersection(&above(other)).is_empty()
}

/// What is newer than everything in a set.
fn above(range: &VersionRange) -> VersionRange {
    match range.bounding_range() {
        Some((_, Bound::Included(last))) => VersionRange::strictly_higher_than(last.clone()),
        Some((_, Bound::Excluded(end))) => VersionRange::higher_than(end.clone()),
        Some((_, Bound::Unbounded)) => VersionRange::empty(),
        None => VersionRange::full(),
    }
}
