//! What a `pyproject.toml` asks for: its project's dependencies and extras (PEP 621), and its
//! dependency groups (PEP 735). Nothing is built: what a project computes is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bnbpip_packaging::{PackageName, Requirement, VersionSpecifiers, metadata};
use toml::{Table, Value};

use super::{RequestedRequirement, RequirementOrigin};
use crate::bounded;
use crate::failure::Failure;

/// The requirements of a `pyproject.toml`.
#[derive(Debug, Default)]
pub(crate) struct ProjectRequirements {
    /// The Python versions that the project is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// What it needs in any case.
    pub dependencies: Vec<RequestedRequirement>,
    /// What its extras need, by normalized name.
    pub extras: BTreeMap<String, Vec<RequestedRequirement>>,
    /// What its dependency groups hold, includes put in, by normalized name.
    pub groups: BTreeMap<String, Vec<RequestedRequirement>>,
}

/// A name of an extra or a group, as such names are compared (PEP 685).
pub(crate) fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.to_ascii_lowercase().chars() {
        match character {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            other => normalized.push(other),
        }
    }
    normalized
}

impl ProjectRequirements {
    /// Reads a `pyproject.toml`. `shown` is what messages call it.
    ///
    /// # Errors
    /// When it can't be read or understood, or its dependencies are computed by a build.
    pub(crate) fn read(path: &Path, shown: &str) -> Result<Self, Failure> {
        Self::parse(&bounded::read_toml(path)?, shown)
    }

    fn parse(text: &str, shown: &str) -> Result<Self, Failure> {
        let wrong =
            |reason: String| Failure::new(format!("Failed to read `{shown}`")).caused_by(reason);
        let table: Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let reader = Reader { shown };
        let groups = reader.groups(&table).map_err(wrong)?;
        let Some(project) = table.get("project").and_then(Value::as_table) else {
            return Ok(Self {
                groups,
                ..Self::default()
            });
        };
        let dynamic = project.get("dynamic").and_then(Value::as_array);
        for key in ["dependencies", "optional-dependencies"] {
            if dynamic.is_some_and(|keys| keys.iter().any(|it| it.as_str() == Some(key))) {
                return Err(wrong(format!(
                    "`project.{key}` is computed by its build (`dynamic`)"
                ))
                .hint("lock the project's folder instead: `bnbpip lock .`"));
            }
        }
        reader.project(project, groups).map_err(wrong)
    }
}

/// The requirements of one dependency group (PEP 735) as they are written, in pip's words where
/// they can't be had. `shown` is what messages call the file.
///
/// # Errors
/// When the file can't be read, or has no such group.
pub(crate) fn group_requirements(
    path: &Path,
    shown: &str,
    group: &str,
) -> Result<Vec<String>, Failure> {
    let text = match bounded::read_toml(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::new(format!(
                "{shown} not found. Cannot resolve '--group' option."
            )));
        }
        Err(error) => return Err(Failure::new(format!("Error reading {shown}: {error}"))),
    };
    let table: Table = toml::from_str(&text)
        .map_err(|error| Failure::new(format!("Error parsing {shown}: {error}")))?;
    let groups = match table.get("dependency-groups") {
        Some(Value::Table(groups)) => groups,
        Some(_) => {
            return Err(Failure::new(format!(
                "[dependency-groups] table was malformed in {shown}. Cannot resolve '--group' \
                 option."
            )));
        }
        None => {
            return Err(Failure::new(format!(
                "[dependency-groups] table was missing from '{shown}'. Cannot resolve '--group' \
                 option."
            )));
        }
    };
    let reader = Reader { shown };
    let unresolved = |reason: String| {
        Failure::new(format!(
            "[dependency-groups] resolution failed for '{group}' from '{shown}': {reason}"
        ))
    };
    let groups: BTreeMap<String, &Value> = groups
        .iter()
        .map(|(name, value)| (normalized(name), value))
        .collect();
    let name = normalized(group);
    if !groups.contains_key(&name) {
        let reason = format!("Dependency group '{group}' not found");
        let names: Vec<&str> = groups.keys().map(String::as_str).collect();
        let failure = unresolved(reason);
        if names.is_empty() {
            return Err(failure);
        }
        return Err(failure.hint(format!("the groups are {}", names.join(", "))));
    }
    let list = reader
        .group(&name, &groups, &mut Including::default())
        .map_err(unresolved)?;
    Ok(list.into_iter().map(|given| given.raw).collect())
}

/// How deep groups may include groups.
const MAX_DEPTH: usize = 100;

/// The groups that led to the one being read, and those that were read.
#[derive(Default)]
struct Including {
    path: Vec<String>,
    seen: BTreeSet<String>,
}

struct Reader<'a> {
    shown: &'a str,
}

impl Reader<'_> {
    fn project(
        &self,
        project: &Table,
        groups: BTreeMap<String, Vec<RequestedRequirement>>,
    ) -> Result<ProjectRequirements, String> {
        let requires_python = match project.get("requires-python") {
            None => None,
            Some(Value::String(text)) => Some(
                metadata::parse_requires_python(text)
                    .map_err(|error| format!("`project.requires-python`: {error}"))?,
            ),
            Some(_) => return Err("`project.requires-python` must be a string".into()),
        };
        let mut extras = BTreeMap::new();
        if let Some(value) = project.get("optional-dependencies") {
            let table = value
                .as_table()
                .ok_or("`project.optional-dependencies` must be a table")?;
            for (name, value) in table {
                let place = format!("extra `{name}`");
                let list = self.requirements(value, &place)?;
                if extras.insert(normalized(name), list).is_some() {
                    return Err(format!("{place} is there twice"));
                }
            }
        }
        let name = project.get("name").and_then(Value::as_str);
        if let Some(name) = name.and_then(|name| name.parse::<PackageName>().ok()) {
            extras = with_own_extras(&name, &extras)?;
        }
        let dependencies = match project.get("dependencies") {
            Some(value) => self.requirements(value, "`project.dependencies`")?,
            None => Vec::new(),
        };
        Ok(ProjectRequirements {
            requires_python,
            dependencies,
            extras,
            groups,
        })
    }

    fn requirements(
        &self,
        value: &Value,
        place: &str,
    ) -> Result<Vec<RequestedRequirement>, String> {
        let list = value
            .as_array()
            .ok_or_else(|| format!("{place} must be an array"))?;
        let texts = list.iter().map(|item| match item {
            Value::String(text) => self.requirement(text, place),
            _ => Err(format!("{place} must hold strings")),
        });
        texts.collect()
    }

    fn requirement(&self, text: &str, place: &str) -> Result<RequestedRequirement, String> {
        let requirement =
            metadata::parse_requirement(text).map_err(|error| format!("{place}: {error}"))?;
        Ok(RequestedRequirement {
            requirement,
            source: RequirementOrigin::Project(self.shown.to_owned()),
            hashes: Vec::new(),
            raw: text.to_owned(),
            editable: false,
            config_settings: Vec::new(),
            takes_settings: false,
        })
    }

    fn groups(&self, table: &Table) -> Result<BTreeMap<String, Vec<RequestedRequirement>>, String> {
        let Some(value) = table.get("dependency-groups") else {
            return Ok(BTreeMap::new());
        };
        let table = value
            .as_table()
            .ok_or("`dependency-groups` must be a table")?;
        let mut groups = BTreeMap::new();
        for (name, value) in table {
            if groups.insert(normalized(name), value).is_some() {
                return Err(format!("dependency group `{name}` is there twice"));
            }
        }
        let names = groups.keys().cloned();
        names
            .map(|name| {
                let list = self.group(&name, &groups, &mut Including::default())?;
                Ok((name, list))
            })
            .collect()
    }

    /// A group with what it includes, in the order written.
    fn group(
        &self,
        name: &str,
        groups: &BTreeMap<String, &Value>,
        including: &mut Including,
    ) -> Result<Vec<RequestedRequirement>, String> {
        let place = format!("dependency group `{name}`");
        if including.path.iter().any(|other| other == name) {
            return Err(format!(
                "Cyclic dependency group include while resolving {name}: {place} includes itself"
            ));
        }
        let Some(value) = groups.get(name) else {
            let by = including
                .path
                .last()
                .map(String::as_str)
                .unwrap_or_default();
            return Err(format!(
                "dependency group `{by}` includes `{name}`, which isn't there"
            ));
        };
        let items = value
            .as_array()
            .ok_or_else(|| format!("{place} must be an array"))?;
        if including.path.len() >= MAX_DEPTH {
            return Err(format!(
                "{place}: groups include groups more than {MAX_DEPTH} deep"
            ));
        }
        // A second time it brings nothing new, and groups that are included twice each double.
        if !including.seen.insert(name.to_owned()) {
            return Ok(Vec::new());
        }
        including.path.push(name.to_owned());
        let mut list = Vec::new();
        for item in items {
            match item {
                Value::String(text) => list.push(self.requirement(text, &place)?),
                Value::Table(table) => match (table.len(), table.get("include-group")) {
                    (1, Some(Value::String(other))) => {
                        list.extend(self.group(&normalized(other), groups, including)?);
                    }
                    _ => {
                        return Err(format!(
                            "{place}: only `include-group` may stand in a table"
                        ));
                    }
                },
                _ => return Err(format!("{place} must hold strings and tables")),
            }
        }
        including.path.pop();
        Ok(list)
    }
}

/// Extras that name others of the project's own (`all = ["project[a,b]"]`) hold what those hold.
fn with_own_extras(
    project: &PackageName,
    extras: &BTreeMap<String, Vec<RequestedRequirement>>,
) -> Result<BTreeMap<String, Vec<RequestedRequirement>>, String> {
    let mut expanded = BTreeMap::new();
    for name in extras.keys() {
        let mut list = Vec::new();
        let mut pending = vec![(name.clone(), bnbpip_packaging::MarkerTree::TRUE)];
        let mut seen = BTreeSet::new();
        while let Some((extra, marker)) = pending.pop() {
            let Some(given) = extras.get(&extra) else {
                return Err(format!(
                    "extra `{name}` includes `{extra}`, which isn't there"
                ));
            };
            for one in given {
                let mut requirement: Requirement = one.requirement.clone();
                requirement.marker.and(marker.clone());
                if requirement.name != *project {
                    list.push(RequestedRequirement {
                        requirement,
                        ..one.clone()
                    });
                    continue;
                }
                for other in &requirement.extras {
                    let other = (normalized(other.as_ref()), requirement.marker.clone());
                    if seen.insert(format!("{other:?}")) {
                        pending.push(other);
                    }
                }
            }
        }
        expanded.insert(name.clone(), list);
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn parse(text: &str) -> Result<ProjectRequirements, Failure> {
        ProjectRequirements::parse(text, "pyproject.toml")
    }

    fn names(list: &[RequestedRequirement]) -> Vec<String> {
        list.iter().map(|it| it.requirement.to_string()).collect()
    }

    #[test]
    fn groups_and_own_extras_are_put_in() {
        let project = parse(
            "[project]\nname = 'My_App'\nrequires-python = '>=3.10'\ndependencies = ['a>=1']\n\
             [project.optional-dependencies]\nGPU = ['b']\n\
             all = [\"my.app[gpu]; sys_platform == 'win32'\", 'c']\n\
             [dependency-groups]\nTest_Kit = ['d']\ndev = [{include-group = 'test.kit'}, 'e']\n",
        )
        .unwrap();
        assert_eq!(names(&project.dependencies), ["a>=1"]);
        assert_eq!(names(&project.extras["gpu"]), ["b"]);
        assert_eq!(
            names(&project.extras["all"]),
            ["c", "b ; sys_platform == 'win32'"]
        );
        assert_eq!(names(&project.groups["dev"]), ["d", "e"]);
        assert_eq!(names(&project.groups["test-kit"]), ["d"]);
        assert_eq!(project.requires_python.unwrap().to_string(), ">=3.10");
    }

    #[test]
    fn groups_that_double_and_groups_without_end() {
        let mut text = "[dependency-groups]\ng60 = ['a']\n".to_owned();
        for number in 0..60 {
            let next = number + 1;
            writeln!(
                text,
                "g{number} = [{{include-group = 'g{next}'}}, {{include-group = 'g{next}'}}]"
            )
            .unwrap();
        }
        assert_eq!(names(&parse(&text).unwrap().groups["g0"]), ["a"]);
        let mut text = "[dependency-groups]\n".to_owned();
        for number in 0..20_000 {
            writeln!(text, "g{number} = [{{include-group = 'g{}'}}]", number + 1).unwrap();
        }
        let failure = parse(&text).unwrap_err();
        assert!(
            failure.causes()[0].contains("more than 100 deep"),
            "{failure:?}"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (
                "[project]\nname = 'a'\ndynamic = ['dependencies']",
                "is computed by its build",
            ),
            (
                "[project]\ndependencies = 'a'",
                "`project.dependencies` must be an array",
            ),
            (
                "[project]\ndependencies = [1]",
                "`project.dependencies` must hold strings",
            ),
            (
                "[project]\ndependencies = ['a b']",
                "`project.dependencies`: ",
            ),
            (
                "[project]\nrequires-python = 3",
                "`project.requires-python` must be a string",
            ),
            (
                "[project]\nname = 'a'\noptional-dependencies.x = ['a[y]']",
                "extra `x` includes `y`, which isn't there",
            ),
            (
                "[project.optional-dependencies]\na-b = []\na_b = []",
                "extra `a_b` is there twice",
            ),
            ("[dependency-groups]\na-b = []\na_b = []", "is there twice"),
            (
                "[dependency-groups]\na = [{include-group = 'b'}]",
                "dependency group `a` includes `b`, which isn't there",
            ),
            (
                "[dependency-groups]\na = [{include-group = 'b'}]\nb = [{include-group = 'a'}]",
                "Cyclic dependency group include while resolving a: dependency group `a` includes itself",
            ),
            (
                "[dependency-groups]\na = [{path = 'b'}]",
                "only `include-group` may stand in a table",
            ),
            (
                "[dependency-groups]\na = [1]",
                "must hold strings and tables",
            ),
        ];
        for (text, said) in cases {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.messages()[0], "Failed to read `pyproject.toml`");
            assert!(failure.causes()[0].contains(said), "{:?}", failure.causes());
        }
    }
}
