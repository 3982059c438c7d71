//! `--accelerator auto`: the release of torch is chosen first, and then the build of it.
//!
//! Which release a request comes to depends on all that it reaches, and each family of builds has
//! some releases only. So the usual index is asked first, among the releases that have a build for
//! this machine; the family that has the release is then the only place for torch.

use bnbpip_overlay::{Because, FamilyChoice, KnownMachine, TorchIndexes};
use bnbpip_packaging::{PackageName, Version, VersionRange, range};
use bnbpip_report::accelerator as words;
use bnbpip_resolver::Constraint;

use super::accelerator::{asked_torch, routes};
use super::machine::Machine;
use super::resolution::Installed;
use super::{Resolved, Resolving};
use crate::failure::Failure;
use crate::request::{AutomaticAccelerator, Request};

/// Whether the solver came to the end, and nothing went wrong on the way: it explains itself.
pub(crate) fn is_no_solution(failure: &Failure) -> bool {
    failure.detail_text().is_some()
}

impl Resolving<'_> {
    /// Resolves the request.
    ///
    /// # Errors
    /// When there is no solution, or an index can't be asked.
    pub(crate) fn run(self, installed: Installed) -> Result<Resolved, Failure> {
        match &self.request.automatic {
            None => self.run_once(installed),
            Some(automatic) => self.run_automatic(automatic, installed),
        }
    }

    fn run_automatic(
        &self,
        automatic: &AutomaticAccelerator,
        installed: Installed,
    ) -> Result<Resolved, Failure> {
        let indexes = TorchIndexes::embedded()?;
        let torch: PackageName = "torch".parse()?;
        let asked = asked_torch(self.request, self.target);
        let suitable = indexes.suitable(&automatic.machine);
        // Where no build runs, the processor's are as good as any.
        let suitable = if suitable.is_disjoint(&asked) {
            VersionRange::full()
        } else {
            suitable
        };
        // Rules about the machine speak of the usual index's own build, which isn't taken.
        let scout = Resolving {
            machine: Machine::known(KnownMachine::default()),
            ..self.kept_to(&torch, suitable)
        };
        match scout.run_once(installed.clone()) {
            Ok(resolved) => {
                let packages = &resolved.resolution.packages;
                let Some(found) = packages.iter().find(|package| package.name == torch) else {
                    return Ok(resolved);
                };
                let version = found.version.clone().without_local();
                let wanted = installed.clone();
                match self.run_for(automatic, &indexes, Some(&version), &asked, wanted) {
                    Err(failure) if is_no_solution(&failure) => {}
                    built => return built,
                }
            }
            // The usual index need not have torch.
            Err(failure) if is_no_solution(&failure) => {}
            Err(failure) => return Err(failure),
        }
        self.run_for(automatic, &indexes, None, &asked, installed)
    }

    /// Resolves with the family that has this release, or the newest that is asked for.
    fn run_for(
        &self,
        automatic: &AutomaticAccelerator,
        indexes: &TorchIndexes,
        version: Option<&Version>,
        asked: &VersionRange,
        installed: Installed,
    ) -> Result<Resolved, Failure> {
        let wanted = match version {
            Some(version) => range::equal(version.clone()),
            None => asked.clone(),
        };
        let Some(choice) = indexes.choose(&automatic.machine, &wanted) else {
            return self.clone().run_once(installed);
        };
        self.say(automatic, &choice, version);
        let torch: PackageName = "torch".parse()?;
        let range = match (version, choice.only) {
            (Some(_), _) => wanted,
            (None, Some(builds)) => builds.range(),
            (None, None) => VersionRange::full(),
        };
        let mut request: Request = self.request.clone();
        let family = routes(indexes, choice.family, &automatic.index_base);
        request.options.routes.extend(family);
        let resolving = Resolving {
            request: &request,
            ..self.kept_to(&torch, range)
        };
        resolving.run_once(installed)
    }

    /// The same with the versions of a package limited.
    fn kept_to(&self, name: &PackageName, range: VersionRange) -> Self {
        let mut kept = self.clone();
        if range != VersionRange::full() {
            kept.constraints.push(Constraint {
                name: name.clone(),
                text: format!("{name}{}", bnbpip_report::ranges::specifiers(&range)),
                range,
                origin: Some("--accelerator auto".to_owned()),
            });
        }
        kept
    }

    fn say(
        &self,
        automatic: &AutomaticAccelerator,
        choice: &FamilyChoice<'_>,
        version: Option<&Version>,
    ) {
        let machine = &automatic.machine;
        let chosen = words::chosen(choice, machine, version);
        if self.target.is_synthetic {
            let target = &self.target.description;
            self.printer.status(&format!("{chosen} ({target})"));
        } else {
            self.printer.status(&chosen);
        }
        if choice.because == Because::Fits && !choice.without.is_empty() {
            let cards = words::capabilities(&choice.without);
            self.printer
                .warning(&format!("torch won't run on the GPU with {cards}"));
        }
    }
}
