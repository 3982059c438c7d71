//! A profile: exact versions of a stack that go together, reviewed as one.
//!
//! Profiles are TOML files under `constraints/profiles`, named for what `--profile` is given. A
//! profile that corrects a combination which was published elsewhere names it, with the rules that it
//! breaks: the linter proves both, that the published one breaks them and that this one breaks none.

use std::str::FromStr;

use bnbpip_packaging::{
    MarkerEnvironment, Operator, Requirement, Version, VersionOrUrl, requirement,
};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{KnownMachine, RuleDate, RuleDocument, RuleId, RuleKind, Subject, TestTarget};

/// Versions of a stack that are known to go together.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name: the file's, without its extension.
    pub name: String,
    /// The source it was read from, usually a path with forward slashes.
    pub file: String,
    /// What it is for, as a sentence without a full stop.
    pub title: String,
    /// The day of its last change.
    pub date: RuleDate,
    /// The environments that it was reviewed for, as they are written.
    pub targets: Vec<String>,
    /// What it consists of, each with one exact version; installed if nothing else is asked for.
    pub requirements: Vec<Requirement>,
    /// Exact versions that hold for packages which something else requires.
    pub constraints: Vec<Requirement>,
    /// Why these versions.
    pub why: String,
    /// Published combinations that this one stands in for.
    pub corrections: Vec<Correction>,
}

/// A published combination that breaks rules.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The line of the correction, from 1.
    pub line: usize,
    /// The published packages.
    pub published: Vec<Subject>,
    /// Where they were said to work, as it is written.
    pub target: String,
    /// The rules that they break there.
    pub rules: Vec<RuleId>,
    /// What goes wrong.
    pub why: String,
}

/// What is wrong with a profile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct ProfileError {
    /// The profile's file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    title: Spanned<String>,
    date: Spanned<Datetime>,
    targets: Vec<Spanned<String>>,
    requirements: Vec<Spanned<String>>,
    #[serde(default)]
    constraints: Vec<Spanned<String>>,
    why: String,
    #[serde(default)]
    corrects: Vec<Spanned<RawCorrection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCorrection {
    published: Vec<Spanned<String>>,
    target: Spanned<String>,
    rules: Vec<Spanned<String>>,
    why: String,
}

impl Profile {
    /// Reads a profile; `file` is what errors call it, and names the profile.
    ///
    /// # Errors
    /// When the text is not a profile: bad TOML, an unknown key, a requirement without an exact version.
    pub fn parse(text: &str, file: &str) -> Result<Self, ProfileError> {
        let reader = Reader { text, file };
        let raw: RawProfile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            reader.error(offset, error.message())
        })?;
        let date = raw.date.get_ref();
        let Some(day) = date.date.filter(|_| date.time.is_none()) else {
            return Err(reader.at(&raw.date, "it is not a plain date such as `2026-11-23`"));
        };
        if raw.title.get_ref().ends_with('.') || raw.title.get_ref().contains('\n') {
            return Err(reader.at(&raw.title, "it is not one sentence without a full stop"));
        }
        if raw.requirements.is_empty() || raw.targets.is_empty() {
            return Err(reader.error(0, "`requirements` or `targets` is empty"));
        }
        for target in &raw.targets {
            reader.parsed::<TestTarget>(target)?;
        }
        let pins = |texts: &[Spanned<String>]| -> Result<Vec<Requirement>, ProfileError> {
            texts.iter().map(|text| reader.pin(text)).collect()
        };
        Ok(Self {
            name: name_of(file).to_owned(),
            file: file.to_owned(),
            title: raw.title.get_ref().clone(),
            date: RuleDate {
                year: day.year,
                month: day.month,
                day: day.day,
            },
            targets: raw
                .targets
                .iter()
                .map(|one| one.get_ref().clone())
                .collect(),
            requirements: pins(&raw.requirements)?,
            constraints: pins(&raw.constraints)?,
            why: raw.why.trim().to_owned(),
            corrections: raw
                .corrects
                .iter()
                .map(|one| reader.correction(one))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The packages with their versions in an environment.
    pub fn packages(&self, environment: &MarkerEnvironment) -> Vec<Subject> {
        let all = self.requirements.iter().chain(&self.constraints);
        all.filter(|requirement| requirement.marker.evaluate(environment, &[]))
            .filter_map(|pin| Some(Subject::new(pin.name.clone(), exact(pin)?.clone())))
            .collect()
    }

    /// What is wrong with the profile in the light of these rules.
    pub fn lint(&self, rules: &[RuleDocument]) -> Vec<ProfileError> {
        let error = |line, message| ProfileError {
            file: self.file.clone(),
            line,
            message,
        };
        let mut found = Vec::new();
        for text in &self.targets {
            let Ok(target) = text.parse::<TestTarget>() else {
                continue;
            };
            let set = self.packages(&target.environment);
            let broken = broken(rules, &set, &target.environment);
            found.extend(broken.into_iter().map(|rule| {
                let message = format!("it breaks {} on {text}: {}", rule.rule.id, rule.rule.title);
                error(1, message)
            }));
        }
        for correction in &self.corrections {
            let Ok(target) = correction.target.parse::<TestTarget>() else {
                continue;
            };
            let broken = broken(rules, &correction.published, &target.environment);
            for id in &correction.rules {
                if broken.iter().all(|document| document.rule.id != *id) {
                    let message = format!("the published combination does not break {id}");
                    found.push(error(correction.line, message));
                }
            }
        }
        found
    }
}

/// The rules that a set breaks on any machine; an edge that metadata lacks is added, not broken.
fn broken<'a>(
    rules: &'a [RuleDocument],
    set: &[Subject],
    environment: &MarkerEnvironment,
) -> Vec<&'a RuleDocument> {
    let forbids = |document: &&RuleDocument| {
        document.withdrawn.is_none()
            && matches!(
                document.rule.kind,
                RuleKind::Conflict(_) | RuleKind::Exclude(_)
            )
            && document
                .rule
                .applies(set, environment, &KnownMachine::default())
                .is_some()
    };
    rules.iter().filter(forbids).collect()
}

/// `qlora` of `constraints/profiles/qlora.toml`.
fn name_of(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}

/// The version that a requirement pins.
fn exact(requirement: &Requirement) -> Option<&Version> {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => match &**specifiers {
            [only] if *only.operator() == Operator::Equal => Some(only.version()),
            _ => None,
        },
        _ => None,
    }
}

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
}

impl Reader<'_> {
    fn pin(&self, text: &Spanned<String>) -> Result<Requirement, ProfileError> {
        let requirement = self.read(text, requirement::parse)?;
        if exact(&requirement).is_none() {
            let message = format!("`{}` names no exact version with `==`", text.get_ref());
            return Err(self.at(text, &message));
        }
        Ok(requirement)
    }

    fn correction(&self, raw: &Spanned<RawCorrection>) -> Result<Correction, ProfileError> {
        let correction = raw.get_ref();
        self.parsed::<TestTarget>(&correction.target)?;
        Ok(Correction {
            line: self.line(raw.span().start),
            published: correction
                .published
                .iter()
                .map(|text| self.parsed(text))
                .collect::<Result<_, _>>()?,
            target: correction.target.get_ref().clone(),
            rules: correction
                .rules
                .iter()
                .map(|text| self.parsed(text))
                .collect::<Result<_, _>>()?,
            why: correction.why.trim().to_owned(),
        })
    }

    fn parsed<T: FromStr>(&self, text: &Spanned<String>) -> Result<T, ProfileError>
    where
        T::Err: std::fmt::Display,
    {
        self.read(text, str::parse)
    }

    fn read<T, E: std::fmt::Display>(
        &self,
        text: &Spanned<String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ProfileError> {
        parse(text.get_ref()).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().next().unwrap_or_default();
            self.at(text, &format!("`{}`: {reason}", text.get_ref()))
        })
    }

    fn at<T>(&self, value: &Spanned<T>, message: &str) -> ProfileError {
        self.error(value.span().start, message)
    }

    fn error(&self, offset: usize, message: &str) -> ProfileError {
        ProfileError {
            file: self.file.to_owned(),
            line: self.line(offset),
            message: message.to_owned(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        1 + before.matches('\n').count()
    }
}
