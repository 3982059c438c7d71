//! The single values of a rule file: names, versions, markers, requirements, dates.

use std::str::FromStr;

use bnbpip_packaging::{MarkerTree, PackageName, Requirement, Version};
use toml::Spanned;
use toml::Value;
use toml::value::Datetime;

use super::Reader;
use crate::rules::{RuleDate, RuleError, RuleProblem, VersionSet};

impl Reader<'_> {
    pub(super) fn packages(
        &self,
        names: &Spanned<Vec<Spanned<String>>>,
    ) -> Result<Vec<PackageName>, RuleError> {
        if names.get_ref().is_empty() {
            return Err(self.at(names, RuleProblem::Empty("packages")));
        }
        names
            .get_ref()
            .iter()
            .map(|name| self.package(name))
            .collect()
    }

    pub(super) fn package(&self, name: &Spanned<String>) -> Result<PackageName, RuleError> {
        PackageName::from_str(name.as_ref())
            .map_err(|_| self.at(name, RuleProblem::PackageName(name.get_ref().clone())))
    }

    pub(super) fn version(&self, version: &Spanned<String>) -> Result<Version, RuleError> {
        Version::from_str(version.as_ref())
            .map_err(|_| self.at(version, RuleProblem::Version(version.get_ref().clone())))
    }

    pub(super) fn versions(&self, versions: &Spanned<Value>) -> Result<VersionSet, RuleError> {
        let texts = match versions.get_ref() {
            Value::String(text) => Some(vec![text.as_str()]),
            Value::Array(values) => values.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let texts = texts.ok_or_else(|| self.at(versions, RuleProblem::VersionsShape))?;
        if texts.is_empty() {
            return Err(self.at(versions, RuleProblem::Empty("versions")));
        }
        VersionSet::parse(texts).map_err(|(text, error)| {
            let message = first_line(&error);
            self.at(versions, RuleProblem::Versions { text, message })
        })
    }

    pub(super) fn marker(&self, marker: &Spanned<String>) -> Result<MarkerTree, RuleError> {
        bnbpip_packaging::requirement::parse_marker(marker.as_ref()).map_err(|error| {
            let text = marker.get_ref().clone();
            self.at(
                marker,
                RuleProblem::Marker {
                    text,
                    message: first_line(&error),
                },
            )
        })
    }

    pub(super) fn requirement(
        &self,
        requirement: &Spanned<String>,
    ) -> Result<Requirement, RuleError> {
        bnbpip_packaging::requirement::parse(requirement.as_ref()).map_err(|error| {
            let text = requirement.get_ref().clone();
            self.at(
                requirement,
                RuleProblem::Requirement {
                    text,
                    message: first_line(&error),
                },
            )
        })
    }

    pub(super) fn date(&self, date: &Spanned<Datetime>) -> Result<RuleDate, RuleError> {
        let written = date.get_ref();
        match (written.date, written.time) {
            (Some(day), None) => Ok(RuleDate {
                year: day.year,
                month: day.month,
                day: day.day,
            }),
            _ => Err(self.at(date, RuleProblem::Date(written.to_string()))),
        }
    }
}

/// The parsers draw the place under their message; a line number is enough here.
fn first_line(error: &impl ToString) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_end_matches(':').to_owned()
}
