//! `bnbpip tree` and `bnbpip why`: who requires whom, in an environment or in a lock.

mod shaped;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bnbpip_lock::Lock;
use bnbpip_overlay::{ActiveRules, Rule, RuleKind};
use bnbpip_packaging::{ExtraName, MarkerEnvironment, PackageName, Requirement, Version};
use bnbpip_report::dependency_graph::{DependencyGraph, GraphEdge, GraphPackage, TreeOptions};

use self::shaped::Known;
use super::distribution::{Dependency, Distribution};
use super::resolve::machine::Machine;
use super::{lock, rule_set, selection, target_environment};
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
    printer: &'static Printer,
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
        printer.data(&view.explained(&tree));
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
    printer: &'static Printer,
) -> Result<(), Failure> {
    let view = View::open(arguments.lock.as_deref(), settings, printer)?;
    let mut places = Vec::new();
    for name in &arguments.packages {
        places.extend(view.find(name)?);
    }
    let answers: Vec<String> = places.iter().map(|it| view.graph.why(*it)).collect();
    printer.data(&view.explained(&answers.join("\n")));
    Ok(())
}

/// A graph and the names of its packages.
struct View {
    graph: DependencyGraph,
    names: Vec<PackageName>,
    /// What the packages are part of, in words.
    whole: String,
    /// The rules that shaped edges: identifier and what it says.
    rules: BTreeMap<String, String>,
}

impl View {
    fn open(
        file: Option<&Path>,
        settings: &Settings,
        printer: &'static Printer,
    ) -> Result<Self, Failure> {
        if let Some(file) = file {
            let path = settings.environment.working_directory().join(file);
            let lock = lock::read(&path, printer)?;
            let mut view = Self::of_lock(&lock, file);
            let subjects = lock.packages.iter();
            let subjects = subjects.map(|it| (it.name.clone(), it.version.clone()));
            let subjects: Vec<(PackageName, Option<Version>)> = subjects.collect();
            let overlay = rule_set::overlay(&[], &[], settings)?;
            let environments = lock.environment_markers();
            // A lock names the rules that took something away or added it; which conflicts it
            // steers clear of shows in its versions.
            let counts = |rule: &&Rule| match &rule.kind {
                RuleKind::Conflict(conflict) if conflict.machine.is_empty() => {
                    rule.marker.is_none() || environments.iter().any(|it| rule.holds_in(it))
                }
                _ => lock.rules.iter().any(|id| id == rule.id.as_str()),
            };
            let rules = overlay.rules().filter(counts);
            view.shape(&subjects, rules, Known::Recorded);
            return Ok(view);
        }
        let interpreter = target_environment::find_to_read(settings)?;
        target_environment::settle(&interpreter, printer);
        let mut all =
            selection::read_all(&target_environment::library_dirs(&interpreter), printer)?;
        all.sort_by(|a, b| a.installed.name.cmp(&b.installed.name));
        let markers = &interpreter.markers;
        let active = rule_set::overlay(&[], &[], settings)?.active(markers);
        let mut view = Self::of_environment(&all, &active, printer);
        let subjects = all.iter().map(|it| &it.installed);
        let subjects = subjects.map(|it| (it.name.clone(), Some(it.version.clone())));
        let subjects: Vec<(PackageName, Option<Version>)> = subjects.collect();
        let machine = Machine::this(settings, printer);
        let is_here = |rule: &&Rule| {
            let mut sides = rule.machine_sides().iter();
            sides.all(|side| side.present_on(&machine).is_some())
        };
        let rules = active.rules().iter().map(AsRef::as_ref).filter(is_here);
        view.shape(&subjects, rules, Known::Holding(markers));
        Ok(view)
    }

    fn shape<'a>(
        &mut self,
        subjects: &shaped::Subjects,
        rules: impl Iterator<Item = &'a Rule>,
        known: Known<'_>,
    ) {
        for rule in shaped::mark(&mut self.graph, subjects, rules, known) {
            self.rules.insert(rule.id.to_string(), rule.title.clone());
        }
    }

    /// A text with what the rules say that it names.
    fn explained(&self, text: &str) -> String {
        let named = self
            .rules
            .iter()
            .filter(|(id, _)| text.contains(&format!("({id})")));
        let lines = named.map(|(id, title)| format!("\n({id}) {title}"));
        format!("{text}{}", lines.collect::<String>())
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
            rules: BTreeMap::new(),
            names,
        }
    }

    fn of_environment(all: &[Distribution], active: &ActiveRules, printer: &Printer) -> Self {
        let markers = active.environment();
        let mut rules = BTreeMap::new();
        let names: Vec<PackageName> = all.iter().map(|it| it.installed.name.clone()).collect();
        let requirements: Vec<Vec<Dependency>> = all.iter().map(|it| read(it, printer)).collect();
        let extras = extras(&names, &requirements, markers);
        let mut packages = Vec::new();
        for (distribution, given) in all.iter().zip(&requirements) {
            let name = &distribution.installed.name;
            let holding = given.iter().map(|dependency| &dependency.requirement);
            let holding = holding.filter(|it| it.evaluate_markers(markers, &extras[name]));
            let mut requires = Vec::new();
            for requirement in holding {
                let mut shown = requirement.clone();
                shown.marker = bnbpip_packaging::MarkerTree::TRUE;
                let mut shown = shown.to_string();
                let mut to = names.iter().position(|other| *other == requirement.name);
                if to.is_none()
                    && let Some((place, rule)) = stand_in(requirement, all, active)
                {
                    shown = shaped::noted(&shown, &rule.id);
                    rules.insert(rule.id.to_string(), rule.title.clone());
                    to = Some(place);
                }
                requires.extend(to.map(|to| GraphEdge {
                    to,
                    requirement: shown,
                }));
            }
            let asked = distribution
                .record_text("REQUESTED")
                .map(|_| name.to_string());
            packages.push(GraphPackage {
                label: format!("{name} {}", distribution.version()),
                requested: asked.into_iter().collect(),
                requires,
            });
        }
        Self {
            graph: DependencyGraph { packages },
            whole: "it isn't installed".to_owned(),
            names,
            rules,
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

/// What is installed and stands in for a package that isn't, and the rule that says so.
fn stand_in<'a>(
    requirement: &Requirement,
    all: &[Distribution],
    active: &'a ActiveRules,
) -> Option<(usize, &'a Rule)> {
    active
        .providers_of(&requirement.name)
        .find_map(|(rule, provides)| {
            let place = all.iter().position(|it| {
                let installed = &it.installed;
                installed.name == provides.package && provides.versions.contains(&installed.version)
            });
            Some((place?, rule.as_ref()))
        })
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
