//! `bnbpip lock --check`: whether a lock was made for what is asked for, without the network; with
//! `--online`, whether it would come out the same.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_lock::{AskedBy, Lock, LockedPackage, LockedRequirement, LockedSource};
use bnbpip_overlay::{MachineFact, MachineFacts};
use bnbpip_packaging::{PackageName, VersionOrUrl};

use super::Run;
use super::locked::{locked_requirement, public};
use crate::failure::{Failure, exit_code};
use crate::request::{Request, RequestedRequirement};

type Asked = BTreeMap<PackageName, BTreeSet<LockedRequirement>>;

impl Run<'_> {
    /// Prints what differs between the lock and what is asked for.
    ///
    /// # Errors
    /// When something differs, or the lock can't be read.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let lock = super::read(&self.output(), self.printer)?;
        let differences = self.differences(&lock)?;
        self.tell(&differences, "it is not for what is asked for")
    }

    /// The same, and what would be locked now.
    ///
    /// # Errors
    /// When something differs, the lock can't be read, or there is no solution.
    pub(super) fn check_online(&self) -> Result<(), Failure> {
        let lock = super::read(&self.output(), self.printer)?;
        let mut differences = self.differences(&lock)?;
        if differences.is_empty() {
            let new = self.solve(&lock)?;
            let told = bnbpip_report::lock_diff::text(&lock.diff(&new));
            if !told.is_empty() {
                differences.push(told);
            } else if new.to_toml() != lock.to_toml() {
                differences.push("the same packages would be written differently".to_owned());
            }
        }
        self.tell(&differences, "it would not come out the same")
    }

    fn tell(&self, differences: &[String], what: &str) -> Result<(), Failure> {
        let shown = self.arguments.output.display();
        if differences.is_empty() {
            self.printer.info(&format!("`{shown}` is up to date"));
            return Ok(());
        }
        for difference in differences {
            self.printer.data(difference);
        }
        Err(Failure::new(format!("Failed to check `{shown}`: {what}"))
            .hint("run `bnbpip lock` in the same words without `--check`")
            .exit_with(exit_code::ERROR))
    }

    fn differences(&self, lock: &Lock) -> Result<Vec<String>, Failure> {
        let mut differences = self.around(lock)?;
        let request = self.inputs.all();
        differences.extend(self.requirements(lock));
        differences.extend(self.constraints(lock, &request));
        differences.extend(self.pythons(lock));
        Ok(differences)
    }

    /// Packages of the lock that aren't for the Python of an environment that they are for.
    fn pythons(&self, lock: &Lock) -> Vec<String> {
        let mut differences = Vec::new();
        for package in &lock.packages {
            let Some(wanted) = &package.requires_python else {
                continue;
            };
            for target in &self.targets {
                let python = &target.target.python_full_version;
                let markers = &target.target.markers;
                let holds = package.marker.as_ref().is_none_or(|marker| {
                    marker.evaluate(markers, &lock.extras, &lock.dependency_groups)
                });
                if holds && !wanted.contains(python) {
                    let name = &package.name;
                    differences.push(format!("{name}: it is for Python {wanted}, not {python}"));
                }
            }
        }
        differences
    }

    /// Environments, extras, groups and rules.
    fn around(&self, lock: &Lock) -> Result<Vec<String>, Failure> {
        let asked = |list: Vec<String>| list.into_iter().collect::<BTreeSet<_>>();
        let markers = |list: Vec<&bnbpip_lock::LockMarker>| -> BTreeSet<String> {
            list.into_iter().map(ToString::to_string).collect()
        };
        let targets = self.targets.iter().map(|target| &target.marker).collect();
        let inputs = &self.inputs;
        let mut differences = Vec::new();
        for (noun, old, new) in [
            (
                "environment",
                markers(lock.environments.iter().collect()),
                markers(targets),
            ),
            ("extra", asked(lock.extras.clone()), asked(self.extras())),
            (
                "dependency group",
                asked(lock.dependency_groups.clone()),
                asked(inputs.groups.clone()),
            ),
        ] {
            let missing = new.difference(&old);
            differences.extend(missing.map(|it| format!("{noun} `{it}`: not in the lock")));
            let surplus = old.difference(&new);
            differences.extend(surplus.map(|it| format!("{noun} `{it}`: in the lock only")));
        }
        let described = self.described()?;
        for (noun, old, new) in [
            ("indexes", &lock.inputs.indexes, &described.indexes),
            (
                "constraints",
                &lock.inputs.constraints,
                &described.constraints,
            ),
        ] {
            if old != new {
                let (new, old) = (listed(new.iter()), listed(old.iter()));
                differences.push(format!("{noun}: {new}, locked with {old}"));
            }
        }
        let (new, old) = (&described.exclude_newer, &lock.inputs.exclude_newer);
        if new != old {
            let (new, old) = (listed(new.iter()), listed(old.iter()));
            differences.push(format!("time limit: {new}, locked with {old}"));
        }
        let machine = self.machine();
        for text in &lock.inputs.machine {
            let Ok(fact) = text.parse::<MachineFact>() else {
                continue;
            };
            let now = machine.version(fact.package);
            if now.as_ref() != Some(&fact.version) {
                let now = now.map_or("not told".to_owned(), |version| version.to_string());
                let (package, locked) = (fact.package, fact.version);
                differences.push(format!("{package}: {now}, locked with {locked}"));
            }
        }
        let overlay = &self.overlay;
        let digest = overlay.digest()?;
        let locked = lock.overlay.as_ref().map(|it| it.sha256.as_str());
        if overlay.version().is_some() && locked != Some(digest.as_str()) {
            differences.push("rules: the lock was made with others".to_owned());
        }
        Ok(differences)
    }

    fn requirements(&self, lock: &Lock) -> Vec<String> {
        let mut asked = Asked::new();
        let mut differences = Vec::new();
        let (named, unnamed) = self.named(lock);
        differences.extend(unnamed);
        let named = named.iter().map(|given| (&AskedBy::Base, given));
        for (by, given) in self.inputs.asked().chain(named) {
            if !self.applies(given) {
                continue;
            }
            let requirement = &given.requirement;
            let requirements = asked.entry(requirement.name.clone()).or_default();
            requirements.insert(locked_requirement(by, given));
            if let Some(VersionOrUrl::Url(url)) = &requirement.version_or_url
                && let Some(difference) = self.elsewhere(lock, &requirement.name, url.raw())
            {
                differences.push(difference);
            }
        }
        let mut locked = Asked::new();
        for package in &lock.packages {
            if !package.requirements.is_empty() {
                let requirements = locked.entry(package.name.clone()).or_default();
                requirements.extend(package.requirements.iter().cloned());
            }
        }
        let projects: BTreeSet<&PackageName> = asked.keys().chain(locked.keys()).collect();
        for name in projects {
            let (new, old) = (asked.get(name), locked.get(name));
            if new != old {
                let (new, old) = (requirements_text(new), requirements_text(old));
                differences.push(format!("{name}: asked for as {new}, locked as {old}"));
            }
        }
        differences
    }

    /// The requirements that are addresses alone, with the names that the lock has for them; and
    /// what to tell about those that it hasn't.
    fn named(&self, lock: &Lock) -> (Vec<RequestedRequirement>, Vec<String>) {
        let (mut named, mut unknown) = (Vec::new(), Vec::new());
        for given in &self.inputs.base.unnamed {
            let Some(VersionOrUrl::Url(url)) = &given.requirement.version_or_url else {
                continue;
            };
            let mut packages = lock.packages.iter();
            match packages.find(|package| self.is_from(package, url.raw())) {
                Some(package) => {
                    let mut given = given.clone();
                    given.requirement.name = package.name.clone();
                    named.push(given);
                }
                None => unknown.push(format!("`{}`: not in the lock", given.raw)),
            }
        }
        (named, unknown)
    }

    /// What to tell if the lock doesn't have a package from the address that was named.
    fn elsewhere(&self, lock: &Lock, name: &PackageName, url: &url::Url) -> Option<String> {
        let is_from = |package: &LockedPackage| package.name == *name && self.is_from(package, url);
        let address = match url.scheme() {
            "file" => url.path().to_owned(),
            _ => public(url),
        };
        let found = lock.packages.iter().any(is_from);
        (!found).then(|| format!("{name}: asked for from `{address}`"))
    }

    /// Whether an entry has its source at an address.
    fn is_from(&self, package: &LockedPackage, url: &url::Url) -> bool {
        let mut url = url.clone();
        url.set_fragment(None);
        let here = |path: &str| {
            let same = |path: &std::path::Path| fs_err::canonicalize(path).ok();
            let asked = url.to_file_path().ok().and_then(|path| same(&path));
            asked.is_some() && asked == same(&self.folder().join(path))
        };
        match &package.source {
            Some(LockedSource::Archive { file, .. }) => {
                let mut named = file.url.iter();
                named.any(|it| *it == public(&url)) || file.path.as_deref().is_some_and(here)
            }
            Some(LockedSource::Directory { path, .. }) => here(path),
            Some(LockedSource::Vcs(vcs)) => {
                let text = public(&url);
                let text = text.strip_prefix("git+").unwrap_or(&text);
                let (place, revision) = match text.rsplit_once('@') {
                    Some((place, revision)) if !revision.contains('/') => (place, Some(revision)),
                    _ => (text, None),
                };
                let on_disk = place.parse::<url::Url>().ok();
                let on_disk = on_disk.and_then(|url| url.to_file_path().ok());
                let same = |path: &std::path::Path| fs_err::canonicalize(path).ok();
                let is_place = match (&vcs.path, on_disk) {
                    (Some(path), Some(place)) => {
                        let place = same(&place);
                        place.is_some() && place == same(&self.folder().join(path))
                    }
                    _ => vcs.url.as_deref() == Some(place),
                };
                is_place && vcs.requested_revision.as_deref() == revision
            }
            Some(LockedSource::Sdist(_)) | None => false,
        }
    }

    fn constraints(&self, lock: &Lock, request: &Request) -> Vec<String> {
        let mut differences = Vec::new();
        for given in request.constraints.iter().filter(|it| self.applies(it)) {
            let requirement = &given.requirement;
            let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url
            else {
                continue;
            };
            for package in &lock.packages {
                if let Some(version) = package.version.as_ref()
                    && package.name == requirement.name
                    && !specifiers.contains(version)
                {
                    let name = &package.name;
                    differences.push(format!(
                        "{name}: locked at {version}, and `{}` doesn't allow it",
                        given.raw
                    ));
                }
            }
        }
        differences
    }

    fn applies(&self, given: &RequestedRequirement) -> bool {
        let mut targets = self.targets.iter();
        let marker = &given.requirement.marker;
        targets.any(|target| marker.evaluate(&target.target.markers, &[]))
    }
}

/// Texts in quotes with `and` between them, `nothing` if there are none.
fn listed<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.map(|text| format!("`{text}`")).collect();
    if texts.is_empty() {
        return "nothing".to_owned();
    }
    texts.join(" and ")
}

fn requirements_text(requirements: Option<&BTreeSet<LockedRequirement>>) -> String {
    let requirements = requirements.into_iter().flatten();
    let texts: Vec<String> = requirements
        .map(|requirement| {
            let text = &requirement.text;
            match &requirement.asked_by {
                AskedBy::Base => format!("`{text}`"),
                AskedBy::Extra(name) => format!("`{text}` by the extra `{name}`"),
                AskedBy::Group(name) => format!("`{text}` by the dependency group `{name}`"),
            }
        })
        .collect();
    if texts.is_empty() {
        return "nothing".to_owned();
    }
    texts.join(" and ")
}
