//! A whole rule file: the rule, its evidence, its tests and its prose.

mod values;

use std::collections::BTreeMap;
use std::str::FromStr;

use bnbpip_packaging::{PackageName, Version};
use toml::Spanned;

use super::front_matter::{
    FrontMatter, Kind, Parts, RawEvidence, RawExpectation, RawSide, RawTest,
};
use super::{
    ArtifactClaim, ArtifactEvidence, Conflict, Evidence, Exclude, KnownMachine, MachineFact,
    MachineSide, Provides, Requires, Rule, RuleDate, RuleError, RuleId, RuleKind, RuleProblem,
    Severity, Side, Subject, TestTarget, VirtualPackage, WheelPattern,
};

/// Everything that a rule file says.
#[derive(Debug, Clone)]
pub struct RuleDocument {
    /// The name of the source it was read from, usually a path with forward slashes.
    pub file: String,
    /// The line of the rule's `id`, from 1.
    pub line: usize,
    /// The rule itself.
    pub rule: Rule,
    /// The day on which the rule was withdrawn. A withdrawn rule is kept for the record and takes part in nothing.
    pub withdrawn: Option<RuleDate>,
    /// Why it is believed.
    pub evidence: Vec<Evidence>,
    /// Package sets that it must and must not hit.
    pub tests: Vec<RuleTest>,
    /// The Markdown text.
    pub prose: String,
}

/// A package set and whether the rule applies to it.
#[derive(Debug, Clone)]
pub struct RuleTest {
    /// The line of the test, from 1.
    pub line: usize,
    /// Whether the rule is expected to apply.
    pub hit: bool,
    /// The packages.
    pub packages: Vec<Subject>,
    /// What the machine has.
    pub machine: KnownMachine,
    /// The environment.
    pub target: TestTarget,
}

impl RuleDocument {
    /// Reads a rule file; `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// When the text is not a rule: bad TOML, an unknown key, a value that is not what it should be.
    pub fn parse(text: &str, file: &str) -> Result<Self, RuleError> {
        let parts = Parts::split(text, file)?;
        let reader = Reader { parts: &parts };
        reader.document(parts.parse()?)
    }
}

/// Turns written values into checked ones; each error knows its line.
struct Reader<'a> {
    parts: &'a Parts<'a>,
}

impl Reader<'_> {
    fn document(&self, mut front: FrontMatter) -> Result<RuleDocument, RuleError> {
        let id = RuleId::from_str(front.id.as_ref())
            .map_err(|error| self.at(&front.id, error.into()))?;
        self.check_keys(&front)?;
        let mut fixed = BTreeMap::new();
        for (name, version) in &front.fixed {
            fixed.insert(self.package(name)?, self.version(version)?);
        }
        let rule = Rule {
            id,
            title: front.title.get_ref().trim().to_owned(),
            severity: front
                .severity
                .as_ref()
                .map_or(Severity::Broken, |found| *found.get_ref()),
            date: self.date(&front.date)?,
            marker: front
                .marker
                .as_ref()
                .map(|marker| self.marker(marker))
                .transpose()?,
            hint: front
                .hint
                .as_ref()
                .map(|hint| hint.get_ref().trim().to_owned()),
            fixed,
            kind: self.kind(&mut front)?,
        };
        Ok(RuleDocument {
            file: self.parts.file.to_owned(),
            line: self.parts.line_of(front.id.span().start),
            rule,
            withdrawn: front
                .withdrawn
                .as_ref()
                .map(|date| self.date(date))
                .transpose()?,
            evidence: front
                .evidence
                .into_iter()
                .map(|evidence| self.evidence(evidence))
                .collect::<Result<_, _>>()?,
            tests: front
                .tests
                .into_iter()
                .map(|test| self.test(test))
                .collect::<Result<_, _>>()?,
            prose: self.parts.prose.to_owned(),
        })
    }

    /// Refuses keys of another kind, which would otherwise be read and ignored.
    fn check_keys(&self, front: &FrontMatter) -> Result<(), RuleError> {
        let kind = *front.kind.get_ref();
        let place = |span: std::ops::Range<usize>| span.start;
        let found = [
            (
                "severity",
                front.severity.as_ref().map(|value| place(value.span())),
            ),
            ("a", front.a.as_ref().map(|value| place(value.span()))),
            ("b", front.b.as_ref().map(|value| place(value.span()))),
            ("c", front.c.as_ref().map(|value| place(value.span()))),
            (
                "packages",
                front.packages.as_ref().map(|value| place(value.span())),
            ),
            (
                "versions",
                front.versions.as_ref().map(|value| place(value.span())),
            ),
            (
                "wheels",
                front.wheels.as_ref().map(|value| place(value.span())),
            ),
            (
                "requirement",
                front.requirement.as_ref().map(|value| place(value.span())),
            ),
            (
                "provides",
                front.provides.as_ref().map(|value| place(value.span())),
            ),
        ];
        let (needed, optional): (&[&str], &[&str]) = match kind {
            Kind::Conflict => (&["severity", "a", "b"], &["c"]),
            Kind::Exclude => (&["severity", "packages", "versions"], &["wheels"]),
            Kind::Requires => (&["packages", "versions", "requirement"], &[]),
            Kind::Provides => (&["packages", "versions", "provides"], &[]),
        };
        for (key, offset) in found {
            let kind = kind.as_str();
            match offset {
                Some(offset) if !needed.contains(&key) && !optional.contains(&key) => {
                    return Err(self
                        .parts
                        .error_at(offset, RuleProblem::UnexpectedKey { kind, key }));
                }
                None if needed.contains(&key) => {
                    let problem = RuleProblem::MissingKey { kind, key };
                    return Err(self.at(&front.kind, problem));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn kind(&self, front: &mut FrontMatter) -> Result<RuleKind, RuleError> {
        let kind = front.kind.get_ref().as_str();
        let missing = |key| self.at(&front.kind, RuleProblem::MissingKey { kind, key });
        if *front.kind.get_ref() == Kind::Conflict {
            return Ok(RuleKind::Conflict(self.conflict(front)?));
        }
        let written = front.packages.as_ref().ok_or_else(|| missing("packages"))?;
        let packages = self.packages(written)?;
        let versions = front.versions.as_ref().ok_or_else(|| missing("versions"))?;
        let versions = self.versions(versions)?;
        if let Some(requirement) = &front.requirement {
            let requirement = self.requirement(requirement)?;
            return Ok(RuleKind::Requires(Requires {
                packages,
                versions,
                requirement,
            }));
        }
        let mut packages = packages.into_iter();
        let (Some(package), None) = (packages.next(), packages.next()) else {
            return Err(self.at(written, RuleProblem::OnePackage { kind }));
        };
        if let Some(provided) = &front.provides {
            let provided = self.package(provided)?;
            return Ok(RuleKind::Provides(Provides {
                package,
                versions,
                provided,
            }));
        }
        let wheels = match &front.wheels {
            Some(wheels) if wheels.get_ref().is_empty() => {
                return Err(self.at(wheels, RuleProblem::Empty("wheels")));
            }
            Some(wheels) => wheels
                .get_ref()
                .iter()
                .map(|wheel| WheelPattern::new(wheel.as_ref()))
                .collect(),
            None => Vec::new(),
        };
        Ok(RuleKind::Exclude(Exclude {
            package,
            versions,
            wheels,
        }))
    }

    fn conflict(&self, front: &FrontMatter) -> Result<Conflict, RuleError> {
        let mut conflict = Conflict {
            sides: Vec::new(),
            machine: Vec::new(),
        };
        for side in [&front.a, &front.b, &front.c].into_iter().flatten() {
            let names = side.get_ref().packages.get_ref();
            let is_fact = |name: &Spanned<String>| VirtualPackage::is_meant_by(name.get_ref());
            if names.iter().any(is_fact) {
                conflict.machine.push(self.machine_side(side.get_ref())?);
            } else {
                conflict.sides.push(self.side(side.get_ref())?);
            }
        }
        if conflict.sides.is_empty() {
            return Err(self.at(&front.kind, RuleProblem::MachineAlone));
        }
        Ok(conflict)
    }

    fn machine_side(&self, side: &RawSide) -> Result<MachineSide, RuleError> {
        let [name] = &side.packages.get_ref()[..] else {
            return Err(self.at(&side.packages, RuleProblem::MixedSide));
        };
        Ok(MachineSide {
            package: VirtualPackage::from_str(name.get_ref())
                .map_err(|error| self.at(name, error.into()))?,
            versions: self.versions(&side.versions)?,
        })
    }

    fn side(&self, side: &RawSide) -> Result<Side, RuleError> {
        Ok(Side::new(
            self.packages(&side.packages)?,
            self.versions(&side.versions)?,
        ))
    }

    fn evidence(&self, evidence: Spanned<RawEvidence>) -> Result<Evidence, RuleError> {
        let offset = evidence.span().start;
        let fail = |problem| self.parts.error_at(offset, problem);
        Ok(match evidence.into_inner() {
            RawEvidence::Source { url, detail } => Evidence::Source { url, detail },
            RawEvidence::Changelog { url, detail } => Evidence::Changelog { url, detail },
            RawEvidence::Reproduction { detail } => Evidence::Reproduction { detail },
            RawEvidence::Issue { url } => Evidence::Issue { url },
            RawEvidence::Artifact {
                package,
                versions,
                wheel,
                member,
                present,
                contains,
                lacks,
            } => {
                let claim = match (present, contains, lacks) {
                    (Some(true), None, None) => ArtifactClaim::Present,
                    (Some(false), None, None) => ArtifactClaim::Absent,
                    (None, Some(text), None) => ArtifactClaim::Contains(text),
                    (None, None, Some(text)) => ArtifactClaim::Lacks(text),
                    _ => return Err(fail(RuleProblem::ArtifactClaim)),
                };
                if versions.is_empty() {
                    return Err(fail(RuleProblem::Empty("versions")));
                }
                let parse = |text: &String| {
                    Version::from_str(text).map_err(|_| fail(RuleProblem::Version(text.clone())))
                };
                Evidence::Artifact(ArtifactEvidence {
                    line: self.parts.line_of(offset),
                    versions: versions.iter().map(parse).collect::<Result<_, _>>()?,
                    package: PackageName::from_str(&package)
                        .map_err(|_| fail(RuleProblem::PackageName(package)))?,
                    wheel: wheel.as_deref().map(WheelPattern::new),
                    member: WheelPattern::new(&member),
                    claim,
                })
            }
        })
    }

    fn test(&self, test: Spanned<RawTest>) -> Result<RuleTest, RuleError> {
        let offset = test.span().start;
        let test = test.into_inner();
        let fail = |problem| self.parts.error_at(offset, problem);
        if test.packages.is_empty() {
            return Err(fail(RuleProblem::Empty("packages")));
        }
        let target = test.target.as_deref().unwrap_or(TestTarget::DEFAULT);
        let (machine, packages): (Vec<_>, Vec<_>) = test
            .packages
            .iter()
            .partition(|text| VirtualPackage::is_meant_by(text));
        Ok(RuleTest {
            line: self.parts.line_of(offset),
            hit: test.expect == RawExpectation::Hit,
            packages: packages
                .into_iter()
                .map(|text| Subject::from_str(text).map_err(|error| fail(error.into())))
                .collect::<Result<_, _>>()?,
            machine: machine
                .into_iter()
                .map(|text| MachineFact::from_str(text).map_err(|error| fail(error.into())))
                .collect::<Result<_, _>>()?,
            target: TestTarget::from_str(target).map_err(|error| fail(error.into()))?,
        })
    }

    fn at<T>(&self, value: &Spanned<T>, problem: RuleProblem) -> RuleError {
        self.parts.error_at(value.span().start, problem)
    }
}
