//! `--accelerator`: which of PyTorch's indexes torch comes from.
//!
//! The machine's facts are gathered here; which build they call for is decided in
//! [`bnbpip_overlay`], from `constraints/indexes`.

use bnbpip_installer::{InstalledDistribution, InstalledEnvironment};
use bnbpip_overlay::{AcceleratorFacts, AcceleratorSystem, Capability, Family, TorchIndexes};
use bnbpip_packaging::{PackageName, Version, VersionOrUrl, VersionRange, range};
use bnbpip_platform::{Accelerators, OperatingSystem, Target, ThisMachine};
use bnbpip_report::accelerator as words;
use bnbpip_report::doctor::{Torch, TorchBuild};
use bnbpip_resolver::PreferredVersions;

use super::network;
use crate::cli::resolve::ResolveArgs;
use crate::configuration::DEFAULT_INDEX_URL;
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::request::{AutomaticAccelerator, Request, Route};

/// The family of builds that a run keeps to.
#[derive(Debug)]
pub(crate) struct Accelerator {
    /// Its name, `cu126`.
    pub(crate) family: String,
    /// The packages that have builds of their own for it.
    packages: Vec<PackageName>,
    /// Whether it was chosen because the installed torch is built for it.
    pub(crate) keeps_installed: bool,
}

impl Accelerator {
    /// What the options or the project ask for, if anything: says which and why, and has the
    /// request's packages come from its index. `installed` is asked only if it matters.
    ///
    /// # Errors
    /// When there is no such accelerator, or the environment can't be read.
    pub(crate) fn choose(
        options: &ResolveArgs,
        request: &mut Request,
        target: &Target,
        installed: impl FnOnce() -> Result<InstalledEnvironment, Failure>,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<Option<Self>, Failure> {
        let of_project = settings.project.options.accelerator.as_deref();
        let Some(wanted) = options.accelerator().or(of_project) else {
            Self::unasked(options, request, target, settings)?;
            return Ok(None);
        };
        if options.index.no_index || request.options.no_index {
            printer.warning("--accelerator chooses an index, and --no-index leaves none");
            return Ok(None);
        }
        let indexes = TorchIndexes::embedded()?;
        let choosing = Choosing {
            indexes: &indexes,
            machine: facts(target, settings, printer),
            torch: asked_torch(request, target),
            printer,
        };
        if wanted != "auto" {
            let family = choosing.named(wanted)?;
            return Ok(Some(Self::route(&indexes, family, options, request)));
        }
        if let Some(family) = choosing.of_installed(&installed()?) {
            return Ok(Some(Self {
                keeps_installed: true,
                ..Self::route(&indexes, family, options, request)
            }));
        }
        let Some(machine) = choosing.machine else {
            printer.status("Accelerator: this system's torch has one build for all");
            return Ok(None);
        };
        request.automatic = Some(AutomaticAccelerator {
            machine: Some(machine),
            index_base: index_base(options, &indexes).to_owned(),
        });
        Ok(Some(Self {
            family: "auto".to_owned(),
            packages: indexes.packages,
            keeps_installed: false,
        }))
    }

    /// Where nobody says what torch is to run on, nor where packages come from, it may come from one
    /// of PyTorch's indexes: if the request reaches it, and the usual index has no build that this
    /// machine's GPU runs. Who names an index has said where torch comes from.
    fn unasked(
        options: &ResolveArgs,
        request: &mut Request,
        target: &Target,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let has_drivers = matches!(
            target.operating_system,
            OperatingSystem::Linux | OperatingSystem::Windows
        );
        if !has_drivers || target.is_synthetic || settings.network.offline {
            return Ok(());
        }
        let locations = network::locations(&options.index, &request.options, settings)?;
        let usual = DEFAULT_INDEX_URL.trim_end_matches('/');
        let is_usual = matches!(
            &locations.indexes[..],
            [only] if only.url.as_str().trim_end_matches('/') == usual
        );
        if is_usual && !locations.no_index && locations.routes.is_empty() {
            let indexes = TorchIndexes::embedded()?;
            request.automatic = Some(AutomaticAccelerator {
                machine: None,
                index_base: index_base(options, &indexes).to_owned(),
            });
        }
        Ok(())
    }

    /// Has the packages come from where they came from before.
    pub(crate) fn take_back(&self, request: &mut Request) {
        let routes = &mut request.options.routes;
        routes.retain(|route| route.index != self.family);
    }

    /// The same for an accelerator that is named, without a word about it and without asking the
    /// machine.
    ///
    /// # Errors
    /// When there is no such accelerator.
    pub(crate) fn named(
        name: &str,
        options: &ResolveArgs,
        request: &mut Request,
    ) -> Result<(), Failure> {
        let indexes = TorchIndexes::embedded()?;
        let family = find(&indexes, name)?;
        Self::route(&indexes, family, options, request);
        Ok(())
    }

    /// Has the packages come from the family's index.
    fn route(
        indexes: &TorchIndexes,
        family: &Family,
        options: &ResolveArgs,
        request: &mut Request,
    ) -> Self {
        let base = index_base(options, indexes);
        request.options.routes.extend(routes(indexes, family, base));
        Self {
            family: family.name.clone(),
            packages: indexes.packages.clone(),
            keeps_installed: false,
        }
    }

    /// The releases that are installed come first in the builds for this accelerator, too.
    pub(crate) fn preferred(&self, installed: &InstalledEnvironment) -> PreferredVersions {
        let distributions = installed.distributions.iter();
        let family = distributions.filter(|one| self.packages.contains(&one.name));
        let preferred = family.map(|one| {
            let public = one.version.clone().without_local();
            let built: Option<Version> = format!("{public}+{}", self.family).parse().ok();
            (
                one.name.clone(),
                built.into_iter().chain([public]).collect(),
            )
        });
        preferred.collect()
    }

    /// What is installed, without those builds that are for something else.
    pub(crate) fn fitting(&self, installed: &InstalledEnvironment) -> InstalledEnvironment {
        let mut fitting = installed.clone();
        let torch = torch_of(installed);
        let same =
            torch.is_some_and(|torch| family_of(torch).is_some_and(|family| family == self.family));
        fitting.distributions.retain(|distribution| {
            if !self.packages.contains(&distribution.name) {
                return true;
            }
            match local(&distribution.version) {
                Some(local) => local == self.family,
                // Built as torch is, wherever both came from.
                None => same,
            }
        });
        fitting
    }
}

/// What the families' indexes lie below.
fn index_base<'a>(options: &'a ResolveArgs, indexes: &'a TorchIndexes) -> &'a str {
    let base = options.accelerator_index_url.as_deref();
    base.unwrap_or(&indexes.url).trim_end_matches('/')
}

/// The family's packages on the way to its index.
pub(super) fn routes(indexes: &TorchIndexes, family: &Family, base: &str) -> Vec<Route> {
    let packages = indexes.packages.iter();
    let routes = packages.map(|package| Route {
        package: package.clone(),
        index: family.name.clone(),
        url: format!("{base}/{}", family.name),
    });
    routes.collect()
}

/// The choice, and what it is made from.
struct Choosing<'a> {
    indexes: &'a TorchIndexes,
    /// `None` on a system that has no NVIDIA driver.
    machine: Option<AcceleratorFacts>,
    torch: VersionRange,
    printer: &'a Printer,
}

impl<'a> Choosing<'a> {
    /// The family that is installed, if there is no reason to leave it.
    fn of_installed(&self, installed: &InstalledEnvironment) -> Option<&'a Family> {
        let machine = self.machine.as_ref()?;
        let torch = torch_of(installed)?;
        if !self.torch.contains(&torch.version) {
            return None;
        }
        let family = self.indexes.family(&family_of(torch)?)?;
        let stays = if let Some(cuda) = &family.cuda {
            self.runs(family, cuda, &torch.version, machine)
        } else {
            // For AMD's and Intel's cards by somebody's choice; for the processor, if there is no
            // better one.
            let best = self.indexes.choose(machine, &VersionRange::full());
            family.name != "cpu" || best.is_none_or(|best| best.family.cuda.is_none())
        };
        if !stays {
            return None;
        }
        self.printer.status(&format!(
            "Accelerator {}: the installed torch {} is built for it",
            words::name(family),
            torch.version
        ));
        Some(family)
    }

    /// Whether the machine runs a release's build.
    fn runs(
        &self,
        family: &Family,
        cuda: &str,
        version: &Version,
        machine: &AcceleratorFacts,
    ) -> bool {
        let oldest = self.indexes.oldest_driver(cuda, machine.system);
        let driver = machine.driver.as_ref().zip(oldest);
        let builds = family.builds.iter();
        let mut builds = builds.filter(|builds| builds.range().contains(version));
        machine.has_nvidia
            && driver.is_some_and(|(driver, oldest)| driver >= oldest)
            && builds.any(|builds| {
                let mut cards = machine.capabilities.iter();
                cards.all(|card| builds.run_on(*card, machine.system))
            })
    }

    /// A family by name, with a warning where this machine can't run it.
    fn named(&self, wanted: &str) -> Result<&'a Family, Failure> {
        let family = find(self.indexes, wanted)?;
        self.printer.status(&format!(
            "Accelerator {}: as it was asked for",
            words::name(family)
        ));
        if let (Some(machine), Some(cuda)) = (&self.machine, &family.cuda) {
            self.warn_about(family, cuda, machine);
        }
        Ok(family)
    }

    fn warn_about(&self, family: &Family, cuda: &str, machine: &AcceleratorFacts) {
        let oldest = self.indexes.oldest_driver(cuda, machine.system);
        if let (Some(driver), Some(oldest)) = (&machine.driver, oldest)
            && driver < oldest
        {
            let (driver, oldest) = (words::driver_version(driver), words::driver_version(oldest));
            self.printer.warning(&format!(
                "Driver {driver} is too old for CUDA {cuda}, which needs {oldest}"
            ));
        }
        for card in &machine.capabilities {
            let mut builds = family.builds.iter();
            if !builds.any(|builds| builds.run_on(*card, machine.system)) {
                self.printer.warning(&format!(
                    "torch for {} has no code for compute capability {card}, this machine's",
                    family.name
                ));
            }
        }
    }
}

/// The family of this name.
fn find<'a>(indexes: &'a TorchIndexes, name: &str) -> Result<&'a Family, Failure> {
    indexes.family(name).ok_or_else(|| {
        let families = indexes.families.iter();
        let known: Vec<&str> = families.map(|family| family.name.as_str()).collect();
        Failure::new(format!("Failed to find the accelerator `{name}`"))
            .hint(format!("there are auto, {}", known.join(", ")))
    })
}

/// The facts of this machine, for a target's system.
pub(crate) fn facts(
    target: &Target,
    settings: &Settings,
    printer: &Printer,
) -> Option<AcceleratorFacts> {
    let system = match target.operating_system {
        OperatingSystem::Linux => AcceleratorSystem::Linux,
        OperatingSystem::Windows => AcceleratorSystem::Windows,
        _ => return None,
    };
    let found = Accelerators::detect(&ThisMachine, &settings.accelerator_inputs());
    for attempt in &found.trace {
        printer.verbose(&format!("Accelerators: {attempt}"));
    }
    Some(machine_facts(&found, system))
}

/// What was found, as the table of families takes it.
pub(crate) fn machine_facts(found: &Accelerators, system: AcceleratorSystem) -> AcceleratorFacts {
    let cards = found.capabilities().into_iter();
    AcceleratorFacts {
        system,
        has_nvidia: found.has_nvidia(),
        driver: found
            .nvidia_driver
            .and_then(|driver| driver.to_string().parse().ok()),
        capabilities: cards
            .map(|card| Capability {
                major: card.major,
                minor: card.minor,
            })
            .collect(),
    }
}

/// The versions of torch that the request leaves.
pub(super) fn asked_torch(request: &Request, target: &Target) -> VersionRange {
    let given = request.requirements.iter().chain(&request.constraints);
    let torch = given.filter(|given| {
        let requirement = &given.requirement;
        requirement.name.as_ref() == "torch" && requirement.marker.evaluate(&target.markers, &[])
    });
    torch.fold(VersionRange::full(), |range, given| {
        match &given.requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                range.intersection(&range::from_specifiers(specifiers))
            }
            _ => range,
        }
    })
}

/// The accelerator to say when these packages change: another one, or that of the installed torch,
/// which then stays with the builds that it has. `None` for the usual index's, and where torch has
/// no part in it.
pub(crate) fn accelerator_of(
    installed: &InstalledEnvironment,
    other: Option<&str>,
    requirements: &[String],
) -> Option<String> {
    let indexes = TorchIndexes::embedded().ok()?;
    let mut named = requirements.iter().filter_map(|text| {
        let requirement = bnbpip_packaging::requirement::parse(text).ok()?;
        Some(requirement.name)
    });
    if !named.any(|name| indexes.packages.contains(&name)) {
        return None;
    }
    let own = || local(&torch_of(installed)?.version);
    let family = other.map(str::to_owned).or_else(own)?;
    indexes.family(&family).map(|family| family.name.clone())
}

fn torch_of(installed: &InstalledEnvironment) -> Option<&InstalledDistribution> {
    let mut distributions = installed.distributions.iter();
    distributions.find(|distribution| distribution.name.as_ref() == "torch")
}

/// The family that an installed torch was built for: by its version, else by its own account, which
/// PyPI's builds have alone.
pub(crate) fn family_of(torch: &InstalledDistribution) -> Option<String> {
    if let Some(local) = local(&torch.version) {
        return Some(local);
    }
    let file = torch.location.join("torch").join("version.py");
    let build = Torch::parse(&fs_err::read_to_string(file).ok()?)?.build;
    Some(match build {
        TorchBuild::Cuda(cuda) => format!("cu{}", cuda.replace('.', "")),
        TorchBuild::Cpu => "cpu".to_owned(),
        TorchBuild::Rocm(_) | TorchBuild::Xpu(_) => return None,
    })
}

/// `cu124` of `2.6.0+cu124`.
pub(crate) fn local(version: &Version) -> Option<String> {
    let text = version.to_string();
    text.split_once('+').map(|(_, local)| local.to_owned())
}
