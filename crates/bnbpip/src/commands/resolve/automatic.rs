//! `--accelerator auto`: the release of torch is chosen first, and then the build of it.
//!
//! Which release a request comes to depends on all that it reaches, and each family of builds has
//! some releases only. So the usual index is asked first, among the releases that have a build for
//! this machine; the family that has the release is then the only place for torch.

use bnbpip_overlay::{AcceleratorFacts, Because, FamilyChoice, KnownMachine, TorchIndexes};
use bnbpip_packaging::{PackageName, Version, VersionRange, range};
use bnbpip_platform::OperatingSystem;
use bnbpip_report::accelerator as words;
use bnbpip_resolver::{Constraint, Source};

use super::accelerator::{asked_torch, facts, routes};
use super::machine::Machine;
use super::resolution::Installed;
use super::{Resolved, Resolving};
use crate::failure::Failure;
use crate::request::{AutomaticAccelerator, Request};

/// The machine that torch is to run on, and what the families' indexes lie below.
#[derive(Clone, Copy)]
struct On<'a> {
    machine: &'a AcceleratorFacts,
    index_base: &'a str,
}

impl AutomaticAccelerator {
    fn on<'a>(&'a self, machine: &'a AcceleratorFacts) -> On<'a> {
        On {
            machine,
            index_base: &self.index_base,
        }
    }
}

impl Resolving<'_> {
    /// Resolves the request.
    ///
    /// # Errors
    /// When there is no solution, or an index can't be asked.
    pub(crate) fn run(self, installed: Installed) -> Result<Resolved, Failure> {
        match &self.request.automatic {
            None => self.run_once(installed),
            Some(automatic) => match &automatic.machine {
                Some(machine) => self.run_automatic(automatic.on(machine), installed),
                None => self.run_unasked(automatic, installed),
            },
        }
    }

    /// The usual index's torch, unless it is new here, this machine has a GPU, and that build doesn't
    /// run on it: on Windows none does, on Linux rules about the machine tell.
    fn run_unasked(
        &self,
        automatic: &AutomaticAccelerator,
        installed: Installed,
    ) -> Result<Resolved, Failure> {
        let usual = self.clone().run_once(installed.clone())?;
        let torch: PackageName = "torch".parse()?;
        let mut packages = usual.resolution.packages.iter();
        let is_new = !installed.contains_key(&torch)
            && packages.any(|one| one.name == torch && matches!(one.source, Source::Index(_)));
        let runs = self.target.operating_system == OperatingSystem::Linux
            && usual.resolution.machine.is_empty();
        if !is_new || runs {
            return Ok(usual);
        }
        let machine = facts(self.target, self.settings, self.printer);
        let Some(machine) = machine.filter(|machine| machine.has_nvidia) else {
            return Ok(usual);
        };
        let asked = asked_torch(self.request, self.target);
        let indexes = TorchIndexes::embedded()?;
        let choice = indexes.choose(&machine, &asked);
        if choice.is_none_or(|choice| choice.family.cuda.is_none()) {
            return Ok(usual);
        }
        self.run_automatic(automatic.on(&machine), installed)
            .or_else(|failure| {
                if crate::interrupt::requested() {
                    return Err(failure);
                }
                let why = failure.messages().first().cloned().unwrap_or_default();
                self.printer.warning(&format!(
                    "torch comes from the usual index, since PyTorch's own gave none for this GPU: \
                     {why}"
                ));
                Ok(usual)
            })
    }

    fn run_automatic(&self, on: On<'_>, installed: Installed) -> Result<Resolved, Failure> {
        let indexes = TorchIndexes::embedded()?;
        let torch: PackageName = "torch".parse()?;
        let asked = asked_torch(self.request, self.target);
        let suitable = indexes.suitable(on.machine);
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
                match self.run_for(on, &indexes, Some(&version), &asked, wanted) {
                    Err(failure) if failure.is_no_solution() => {}
                    built => return built,
                }
            }
            // The usual index need not have torch.
            Err(failure) if failure.is_no_solution() => {}
            Err(failure) => return Err(failure),
        }
        self.run_for(on, &indexes, None, &asked, installed)
    }

    /// Resolves with the family that has this release, or the newest that is asked for.
    fn run_for(
        &self,
        on: On<'_>,
        indexes: &TorchIndexes,
        version: Option<&Version>,
        asked: &VersionRange,
        installed: Installed,
    ) -> Result<Resolved, Failure> {
        let wanted = match version {
            Some(version) => range::equal(version.clone()),
            None => asked.clone(),
        };
        let Some(choice) = indexes.choose(on.machine, &wanted) else {
            return self.clone().run_once(installed);
        };
        self.say(on.machine, &choice, version);
        let torch: PackageName = "torch".parse()?;
        let range = match (version, choice.only) {
            (Some(_), _) => wanted,
            (None, Some(builds)) => builds.range(),
            (None, None) => VersionRange::full(),
        };
        let mut request: Request = self.request.clone();
        let family = routes(indexes, choice.family, on.index_base);
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
        machine: &AcceleratorFacts,
        choice: &FamilyChoice<'_>,
        version: Option<&Version>,
    ) {
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
