//! The places that a lock tells apart: its environments, and in each what is always installed and
//! each extra and dependency group.

use bnbpip_packaging::{MarkerEnvironment, MarkerEnvironmentBuilder, PackageName};

use crate::{Lock, LockMarker, LockedPackage};

/// An environment that a marker describes completely.
#[derive(Debug, Clone)]
pub(crate) struct DescribedEnvironment {
    /// Its short name, as `--environment` takes it: `windows-3.12`.
    pub(crate) name: String,
    markers: MarkerEnvironment,
}

/// What is asked for in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// What is always installed.
    Base,
    /// That and an extra.
    Extra(String),
    /// A dependency group instead of the default ones.
    Group(String),
}

impl DescribedEnvironment {
    /// The environment of a marker of equalities that name the system, the machine and the Python;
    /// none if it says more or less.
    pub(crate) fn of(marker: &LockMarker) -> Option<Self> {
        let (mut system, mut machine, mut python) = (None, None, None);
        for part in marker.as_str().split(" and ") {
            let (key, value) = part.split_once("==")?;
            let value = value.trim().trim_matches(['\'', '"']);
            let place = match key.trim() {
                "sys_platform" => &mut system,
                "platform_machine" => &mut machine,
                "python_version" => &mut python,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let (system, machine, python) = (system?, machine?, python?);
        let (short, usual, os_name, platform) = match system {
            "win32" => ("windows", "AMD64", "nt", "Windows"),
            "linux" => ("linux", "x86_64", "posix", "Linux"),
            "darwin" => ("macos", "arm64", "posix", "Darwin"),
            _ => return None,
        };
        let machine_name = if machine == usual {
            String::new()
        } else {
            format!("-{machine}")
        };
        let full = format!("{python}.0");
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name,
            platform_machine: machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: platform,
            platform_version: "",
            python_full_version: &full,
            python_version: python,
            sys_platform: system,
        });
        Some(Self {
            name: format!("{short}{machine_name}-{python}"),
            markers: markers.ok()?,
        })
    }
}

impl Lock {
    /// The environments, if all are described completely and there are any.
    pub(crate) fn described(&self) -> Option<Vec<DescribedEnvironment>> {
        let described = self.environments.iter().map(DescribedEnvironment::of);
        let described: Option<Vec<_>> = described.collect();
        described.filter(|it| !it.is_empty())
    }

    /// The short names of the environments that are described completely: `windows-3.12`.
    pub fn environment_names(&self) -> Vec<String> {
        let described = self
            .environments
            .iter()
            .filter_map(DescribedEnvironment::of);
        described.map(|it| it.name).collect()
    }

    /// The environments that are described completely.
    pub fn environment_markers(&self) -> Vec<MarkerEnvironment> {
        let described = self
            .environments
            .iter()
            .filter_map(DescribedEnvironment::of);
        described.map(|it| it.markers).collect()
    }

    /// What can be asked for.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let extras = self.extras.iter().cloned().map(Part::Extra);
        let groups = self.dependency_groups.iter().cloned().map(Part::Group);
        [Part::Base]
            .into_iter()
            .chain(extras)
            .chain(groups)
            .collect()
    }

    /// The entries of a package that count in a place; more than one is a fault of the lock.
    pub(crate) fn entries(
        &self,
        name: &PackageName,
        environment: &DescribedEnvironment,
        part: &Part,
    ) -> Vec<&LockedPackage> {
        let none: Vec<String> = Vec::new();
        let (extras, groups) = match part {
            Part::Base => (none, self.default_groups.clone()),
            Part::Extra(name) => (vec![name.clone()], self.default_groups.clone()),
            Part::Group(name) => (none, vec![name.clone()]),
        };
        let holds = |package: &&LockedPackage| {
            let marker = package.marker.as_ref();
            package.name == *name
                && marker.is_none_or(|it| it.evaluate(&environment.markers, &extras, &groups))
        };
        self.packages.iter().filter(holds).collect()
    }
}
