//! What is said where a request has no solution.

use std::sync::Arc;

use bnbpip_packaging::{PackageName, Version, VersionOrUrl, VersionRange, WheelFilename};
use bnbpip_report::{TargetWords, no_solution};
use bnbpip_resolver::Project;
use bnbpip_resolver::{Explanation, Fact, ResolveError, SolveRequest};

use super::connection::Connection;
use super::provider::{IndexProvider, SourceError};
use super::{Resolving, elsewhere, known_names, network, requirements, suggestion};
use crate::failure::Failure;
use crate::request::RequestedRequirement;

impl Resolving<'_> {
    pub(super) fn failure(
        &self,
        error: ResolveError,
        provider: &IndexProvider,
        connection: &Connection,
        request: &mut SolveRequest,
    ) -> Failure {
        match error {
            ResolveError::NoSolution(explanation) => {
                let failure = self.no_solution(&explanation, provider, request);
                elsewhere::hint(
                    failure,
                    &explanation,
                    &connection.client,
                    &connection.runtime,
                )
            }
            ResolveError::Provider(error) => {
                let error = match error.0.downcast::<SourceError>() {
                    Ok(failure) => return failure.0,
                    Err(other) => other,
                };
                match error.downcast::<Arc<bnbpip_index::IndexError>>() {
                    Ok(error) => {
                        let locations = connection.client.locations();
                        elsewhere::unanswered(network::explained(&error), &error, locations)
                    }
                    Err(other) => Failure::from(bnbpip_resolver::ProviderError(other)),
                }
            }
            error @ ResolveError::TwoUrls { .. } => self.two_urls(error),
        }
    }

    fn no_solution(
        &self,
        explanation: &Explanation,
        provider: &IndexProvider,
        request: &mut SolveRequest,
    ) -> Failure {
        let words = TargetWords {
            python: self.target.python_full_version.to_string(),
            python_tag: self.python_tag(),
            platform: self
                .target
                .platform_tags
                .first()
                .cloned()
                .unwrap_or_default(),
        };
        let spelled = |project: &Project, versions: &VersionRange, needed: &PackageName| {
            provider.spelled(&project.name, versions, needed, &self.target.markers)
        };
        let text = no_solution(&self.with_versions(explanation), &words, &spelled);
        if !text.narration.is_empty() {
            self.printer.narrate(&text.narration.join("\n"));
        }
        let not_found = text.messages.iter();
        for message in not_found.filter(|it| it.starts_with("No matching distribution found")) {
            // The kind of failure, which pip's traceback ends with.
            self.printer
                .details(&format!("DistributionNotFound: {message}"));
        }
        let mut messages = text.messages.into_iter();
        let mut failure = Failure::new(messages.next().unwrap_or_default());
        for message in messages {
            failure = failure.and(message);
        }
        let derivation: Vec<String> = text
            .derivation
            .iter()
            .map(|line| format!("    {line}"))
            .collect();
        failure = failure.detail(derivation.join("\n")).without_solution();
        let found = std::thread::scope(|scope| {
            scope
                .spawn(|| suggestion::find(provider, request, explanation))
                .join()
                .ok()
                .flatten()
        });
        if let Some(found) = found {
            failure = failure.hint(self.suggested_command(&found));
        }
        for name in text.unknown {
            if let Some(nearest) = known_names::nearest(&name, &self.overlay, &request.installed) {
                failure = failure.hint(format!("is `{nearest}` meant?"));
            }
        }
        let hints = text.hints.into_iter();
        hints
            .chain(self.community_hints(explanation))
            .fold(failure, Failure::hint)
    }

    /// The explanation with the versions of what addresses lead to, where they are known by now.
    fn with_versions(&self, explanation: &Explanation) -> Explanation {
        let mut explanation = explanation.clone();
        for fact in &mut explanation.facts {
            let Fact::Requested {
                name, requirement, ..
            } = fact
            else {
                continue;
            };
            let given = self.request.requirements.iter();
            let mut addresses = given.filter_map(|given| match &given.requirement.version_or_url {
                Some(VersionOrUrl::Url(url)) if requirements::written(given) == *requirement => {
                    Some(url)
                }
                _ => None,
            });
            if let Some(url) = addresses.next()
                && let Some(version) = self.version_at(&url.to_url())
            {
                *requirement = format!("{name} {version} (from {url})");
            }
        }
        explanation
    }

    fn two_urls(&self, error: ResolveError) -> Failure {
        let ResolveError::TwoUrls {
            name,
            first,
            second,
        } = &error
        else {
            return Failure::from(error);
        };
        let mut narration = vec![String::new(), "The conflict is caused by:".to_owned()];
        let mut requested = Vec::new();
        for address in [first, second] {
            let version = address.parse().ok().and_then(|url| self.version_at(&url));
            let what = match version {
                Some(version) => format!("{name} {version} (from {address})"),
                None => format!("{name} (from {address})"),
            };
            if self.is_constraint(address) {
                narration.push(format!("    The user requested (constraint) {what}"));
            } else {
                narration.push(format!("    The user requested {what}"));
                requested.push(what);
            }
        }
        self.printer.narrate(&narration.join("\n"));
        let what = if requested.is_empty() {
            name.to_string()
        } else {
            bnbpip_report::ranges::join_and(&requested)
        };
        Failure::from(error).context(format!(
            "Cannot install {what} because these package versions have conflicting dependencies."
        ))
    }

    /// Whether an address is one that a constraint has, and no requirement.
    fn is_constraint(&self, address: &str) -> bool {
        let named = |given: &RequestedRequirement| {
            matches!(&given.requirement.version_or_url,
                Some(VersionOrUrl::Url(url)) if url.to_string() == address)
        };
        let mut requirements = self.request.requirements.iter();
        self.request.constraints.iter().any(named) && !requirements.any(named)
    }

    /// The version of what an address leads to, if that is known by now.
    fn version_at(&self, url: &url::Url) -> Option<Version> {
        let file = url.path_segments()?.next_back()?;
        let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
        match file.parse::<WheelFilename>() {
            Ok(wheel) => Some(wheel.version),
            Err(_) => self.sources.as_ref()?.known_version(url),
        }
    }

    /// A command that works in place of the one that didn't.
    fn suggested_command(&self, found: &suggestion::Suggestion) -> String {
        let quoted: Vec<String> = found
            .requirements
            .iter()
            .map(|text| format!("\"{text}\""))
            .collect();
        format!(
            "{} {}: bnbpip {} {}{}",
            bnbpip_report::ranges::join_and(&found.pins),
            if found.pins.len() == 1 {
                "works"
            } else {
                "work"
            },
            self.command.name,
            quoted.join(" "),
            self.command.options
        )
    }
}
