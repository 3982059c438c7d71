//! `bnbpip tree` and `bnbpip why`: who requires whom, in an environment or in a lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bnbpip_lock::Lock;
use bnbpip_packaging::{ExtraName, MarkerEnvironment, PackageName};
use bnbpip_report::dependency_graph::{DependencyGraph, GraphEdge, GraphPackage, TreeOptions};

use super::distribution::{Dependency, Distribution};
use super::{lock, selection, target_environment};
use crate::cli::{TreeArgs, WhyArgs};
use crate::configuration::settings::Settings;
use crate::failure::Failure;
use crate::printer::Printer;

/// Shows the tree.
///
/// # Errors
/// When there is no environment, the lock can't be read, or a package that is named isn't there.
pub(crate) fn run(
    arguments: &TreeArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let view = View::open(arguments.lock.as_deref(), settings, printer)?;
    let mut roots = Vec::new();
    for name in &arguments.package {
        roots.extend(view.find(name)?);
    }
    let options = TreeOptions {
        invert: arguments.invert,
        depth: arguments.depth,
        roots: &roots,
        ascii: !printer.may_draw(),
    };
    let tree = view.graph.tree(options);
    if !tree.is_empty() {
        printer.data(&tree);
    }
    Ok(())
}

/// Shows why packages are there.
///
/// # Errors
/// As [`run`].
pub(crate) fn why(
    arguments: &WhyArgs,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let view = View::open(arguments.lock.as_deref(), settings, printer)?;
    let mut places = Vec::new();
    for name in &arguments.packages {
        places.extend(view.find(name)?);
    }
    for place in places {
        printer.data(&view.graph.why(place));
    }
    Ok(())
}

/// A graph and the names of its packages.
struct View {
    graph: DependencyGraph,
    names: Vec<PackageName>,
    /// What the packages are part of, in words.
    whole: String,
}

impl View {
    fn open(file: Option<&Path>, settings: &Settings, printer: &Printer) -> Result<Self, Failure> {
        if let Some(file) = file {
            let path = settings.environment.working_directory().join(file);
            return Ok(Self::of_lock(&lock::read(&path)?, file));
        }
        let interpreter = target_environment::find_to_read(settings)?;
        target_environment::settle(&interpreter, printer);
        let mut all =
            selection::read_all(&target_environment::library_dirs(&interpreter), printer)?;
        all.sort_by(|a, b| a.installed.name.cmp(&b.installed.name));
        Ok(Self::of_environment(&all, &interpreter.markers, printer))
    }

    fn of_lock(lock: &Lock, file: &Path) -> Self {
        let names: Vec<PackageName> = lock.packages.iter().map(|it| it.name.clone()).collect();
        let meets = |name: &PackageName| -> Vec<GraphEdge> {
            let places = names.iter().enumerate().filter(|(_, other)| *other == name);
            places
                .map(|(to, name)| GraphEdge {
                    to,
                    requirement: name.to_string(),
                })
                .collect()
        };
        let packages = lock.packages.iter().map(|package| {
            let mut label = package.name.to_string();
            if let Some(version) = &package.version {
                label = format!("{label} {version}");
            }
            if let Some(marker) = &package.marker {
                label = format!("{label} ({marker})");
            }
            GraphPackage {
                label,
                requested: package
                    .requirements
                    .iter()
                    .map(|it| it.text.clone())
                    .collect(),
                requires: package.dependencies.iter().flat_map(meets).collect(),
            }
        });
        Self {
            graph: DependencyGraph {
                packages: packages.collect(),
            },
            whole: format!("`{}` doesn't have it", file.display()),
            names,
        }
    }

    fn of_environment(
        all: &[Distribution],
        markers: &MarkerEnvironment,
        printer: &Printer,
    ) -> Self {
        let names: Vec<PackageName> = all.iter().map(|it| it.installed.name.clone()).collect();
        let requirements: Vec<Vec<Dependency>> = all.iter().map(|it| read(it, printer)).collect();
        let extras = extras(&names, &requirements, markers);
        let packages = all.iter().zip(&requirements).map(|(distribution, given)| {
            let name = &distribution.installed.name;
            let requires = given.iter().filter_map(|dependency| {
                let requirement = &dependency.requirement;
                let to = names.iter().position(|other| *other == requirement.name)?;
                let holds = requirement.evaluate_markers(markers, &extras[name]);
                let mut shown = requirement.clone();
                shown.marker = bnbpip_packaging::MarkerTree::TRUE;
                holds.then(|| GraphEdge {
                    to,
                    requirement: shown.to_string(),
                })
            });
            let asked = distribution
                .record_text("REQUESTED")
                .map(|_| name.to_string());
            GraphPackage {
                label: format!("{name} {}", distribution.version()),
                requested: asked.into_iter().collect(),
                requires: requires.collect(),
            }
        });
        Self {
            graph: DependencyGraph {
                packages: packages.collect(),
            },
            whole: "it isn't installed".to_owned(),
            names,
        }
    }

    /// The places of a package: a lock may have several of a name.
    fn find(&self, name: &str) -> Result<Vec<usize>, Failure> {
        let wanted: PackageName = name.parse()?;
        let places = self.names.iter().enumerate();
        let found: Vec<usize> = places
            .filter(|(_, other)| **other == wanted)
            .map(|(place, _)| place)
            .collect();
        if found.is_empty() {
            return Err(Failure::new(format!(
                "Failed to find `{wanted}`: {}",
                self.whole
            )));
        }
        Ok(found)
    }
}

/// All requirements of a distribution, those of its extras too.
fn read(distribution: &Distribution, printer: &Printer) -> Vec<Dependency> {
    let mut read = Vec::new();
    for raw in distribution.headers.all("Requires-Dist") {
        match Dependency::parse(raw) {
            Ok(dependency) => read.push(dependency),
            Err(error) => printer.warning(&format!(
                "Error parsing dependencies of {}: {error}",
                distribution.installed.name
            )),
        }
    }
    read
}

/// The extras of each package that others ask for: extras may ask for further ones.
fn extras(
    names: &[PackageName],
    requirements: &[Vec<Dependency>],
    markers: &MarkerEnvironment,
) -> BTreeMap<PackageName, Vec<ExtraName>> {
    let empty = names.iter().map(|name| (name.clone(), Vec::new()));
    let mut extras: BTreeMap<PackageName, Vec<ExtraName>> = empty.collect();
    loop {
        let mut asked = BTreeSet::new();
        for (name, given) in names.iter().zip(requirements) {
            for Dependency { requirement, .. } in given {
                if requirement.evaluate_markers(markers, &extras[name]) {
                    let wanted = requirement.extras.iter();
                    asked.extend(wanted.map(|it| (requirement.name.clone(), it.clone())));
                }
            }
        }
        let mut grown = false;
        for (name, extra) in asked {
            if let Some(known) = extras.get_mut(&name)
                && !known.contains(&extra)
            {
                known.push(extra);
                grown = true;
            }
        }
        if !grown {
            return extras;
        }
    }
}
