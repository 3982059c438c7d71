//! `bnbpip lock --check`: whether a lock was made for what is asked for, without the network.

use std::collections::{BTreeMap, BTreeSet};

use bnbpip_lock::{Lock, LockedPackage};
use bnbpip_packaging::{PackageName, VersionOrUrl};

use super::Run;
use crate::failure::{Failure, exit_code};
use crate::request::{Request, RequestedRequirement};

type Texts = BTreeMap<PackageName, BTreeSet<String>>;

impl Run<'_> {
    /// Prints what differs between the lock and what is asked for.
    ///
    /// # Errors
    /// When something differs, or the lock can't be read.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let directory = self.settings.environment.working_directory();
        let output = &self.arguments.output;
        let lock = super::read(&directory.join(output))?;
        for target in &self.targets {
            self.inputs.check(target)?;
        }
        let mut differences = self.around(&lock)?;
        let request = self.inputs.all();
        differences.extend(self.requirements(&lock, &request));
        differences.extend(self.constraints(&lock, &request));
        if differences.is_empty() {
            let shown = output.display();
            self.printer.info(&format!("`{shown}` is up to date"));
            return Ok(());
        }
        for difference in &differences {
            self.printer.data(difference);
        }
        Err(Failure::new(format!(
            "Failed to check `{}`: it is not for what is asked for",
            output.display()
        ))
        .hint("run `bnbpip lock` in the same words without `--check`")
        .exit_with(exit_code::ERROR))
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
            (
                "extra",
                asked(lock.extras.clone()),
                asked(inputs.extras.clone()),
            ),
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
        let overlay = self.overlay()?;
        let digest = overlay.digest()?;
        let locked = lock.overlay.as_ref().map(|it| it.sha256.as_str());
        if overlay.version().is_some() && locked != Some(digest.as_str()) {
            differences.push("rules: the lock was made with others".to_owned());
        }
        Ok(differences)
    }

    fn requirements(&self, lock: &Lock, request: &Request) -> Vec<String> {
        let mut asked = Texts::new();
        let mut differences = Vec::new();
        for given in &request.requirements {
            let requirement = &given.requirement;
            if !self.applies(given) {
                continue;
            }
            if let Some(VersionOrUrl::Url(url)) = &requirement.version_or_url {
                let mut address = url.raw().clone();
                address.set_fragment(None);
                let address = super::locked::public(&address);
                let is_from = |package: &LockedPackage| {
                    let mut urls = package.wheels.iter().filter_map(|it| it.url.as_deref());
                    package.name == requirement.name && urls.any(|it| it == address)
                };
                if !lock.packages.iter().any(is_from) {
                    let name = &requirement.name;
                    differences.push(format!("{name}: asked for from `{address}`"));
                }
                continue;
            }
            let texts = asked.entry(requirement.name.clone()).or_default();
            texts.insert(requirement.to_string());
        }
        let mut locked = Texts::new();
        for package in &lock.packages {
            if !package.requirements.is_empty() {
                let texts = locked.entry(package.name.clone()).or_default();
                texts.extend(package.requirements.iter().map(|it| it.text.clone()));
            }
        }
        let names: BTreeSet<&PackageName> = asked.keys().chain(locked.keys()).collect();
        for name in names {
            let (new, old) = (asked.get(name), locked.get(name));
            if new != old {
                let (new, old) = (listed(new), listed(old));
                differences.push(format!("{name}: asked for as {new}, locked as {old}"));
            }
        }
        differences
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

fn listed(texts: Option<&BTreeSet<String>>) -> String {
    let Some(texts) = texts else {
        return "nothing".to_owned();
    };
    let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    texts.join(" and ")
}
