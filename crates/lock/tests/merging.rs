//! Markers of merged entries: as short as tells a lock's own environments and accelerators apart.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

use bnbpip_lock::{Environment, Environments, LockedPackage, Solution, merge};

const SYSTEMS: [(&str, &str); 2] = [("linux", "x86_64"), ("win32", "AMD64")];
const PYTHONS: [&str; 2] = ["3.11", "3.12"];

fn environments() -> Environments {
    let mut environments = Vec::new();
    for (system, machine) in SYSTEMS {
        for python in PYTHONS {
            environments.push(Environment {
                values: vec![
                    ("sys_platform", system.to_owned()),
                    ("platform_machine", machine.to_owned()),
                    ("python_version", python.to_owned()),
                ],
            });
        }
    }
    Environments(environments)
}

/// A solution for each environment and accelerator, with the versions of `a` that `version` gives.
fn merged(
    accelerators: &[Option<&str>],
    version: impl Fn(usize, Option<&str>) -> Option<&'static str>,
) -> Vec<(String, Option<String>)> {
    let mut solutions = Vec::new();
    for accelerator in accelerators {
        for environment in 0..4 {
            let mut packages = Vec::new();
            if let Some(version) = version(environment, *accelerator) {
                let (version, marker) = version.split_once(' ').unwrap_or((version, ""));
                let mut package = LockedPackage::new("a".parse().unwrap());
                package.version = Some(version.parse().unwrap());
                package.marker = (!marker.is_empty()).then(|| marker.parse().unwrap());
                packages.push(package);
            }
            solutions.push(Solution {
                environment,
                accelerator: accelerator.map(str::to_owned),
                packages,
            });
        }
    }
    let packages = merge(&environments(), &solutions).unwrap();
    let entries = packages.into_iter().map(|package| {
        let version = package.version.unwrap().to_string();
        (version, package.marker.map(|marker| marker.to_string()))
    });
    entries.collect()
}

fn entry(version: &str, marker: &str) -> (String, Option<String>) {
    let marker = (!marker.is_empty()).then(|| marker.to_owned());
    (version.to_owned(), marker)
}

#[test]
fn environments_are_told_apart_by_as_little_as_does() {
    let alone = [None];
    let all = merged(&alone, |_, _| Some("1"));
    assert_eq!(all, [entry("1", "")]);
    let windows = merged(&alone, |place, _| (place >= 2).then_some("1"));
    assert_eq!(windows, [entry("1", "sys_platform == 'win32'")]);
    let pythons = merged(&alone, |place, _| (place % 2 == 1).then_some("1"));
    assert_eq!(pythons, [entry("1", "python_version == '3.12'")]);
    let one = merged(&alone, |place, _| (place == 3).then_some("1"));
    let marker = "sys_platform == 'win32' and python_version == '3.12'";
    assert_eq!(one, [entry("1", marker)]);
    let split = merged(&alone, |place, _| Some(if place == 3 { "2" } else { "1" }));
    let others = "python_version == '3.11' or sys_platform == 'linux'";
    assert_eq!(split, [entry("1", others), entry("2", marker)]);
    let crossed = merged(&alone, |place, _| [0, 3].contains(&place).then_some("1"));
    let both = "(sys_platform == 'linux' and python_version == '3.11') or (sys_platform == 'win32' \
                and python_version == '3.12')";
    assert_eq!(crossed, [entry("1", both)]);
}

#[test]
fn accelerators_are_extras() {
    let two = [Some("cpu"), Some("cu128")];
    let all = merged(&two, |_, _| Some("1"));
    assert_eq!(all, [entry("1", "")]);
    let apart = merged(&two, |_, family| {
        Some(if family == Some("cpu") {
            "1+cpu"
        } else {
            "1+cu128"
        })
    });
    let expected = [
        entry("1+cpu", "'cpu' in extras"),
        entry("1+cu128", "'cu128' in extras"),
    ];
    assert_eq!(apart, expected);
    let linux = merged(&two, |place, family| {
        (family == Some("cu128") && place < 2).then_some("1")
    });
    let marker = "sys_platform == 'linux' and 'cu128' in extras";
    assert_eq!(linux, [entry("1", marker)]);
    let three = [Some("cpu"), Some("cu126"), Some("cu128")];
    let not_cpu = merged(&three, |_, family| (family != Some("cpu")).then_some("1"));
    let marker = "'cu126' in extras or 'cu128' in extras";
    assert_eq!(not_cpu, [entry("1", marker)]);
}

#[test]
fn what_asks_for_a_package_stands_beside_where_it_holds() {
    let two = [Some("cpu"), Some("cu128")];
    let group = merged(&two, |_, family| {
        (family == Some("cpu")).then_some("1 'dev' in dependency_groups")
    });
    let marker = "'cpu' in extras and 'dev' in dependency_groups";
    assert_eq!(group, [entry("1", marker)]);
    let either = merged(&two, |place, _| {
        (place >= 2).then_some("1 'x' in extras or 'y' in extras")
    });
    let marker = "sys_platform == 'win32' and ('x' in extras or 'y' in extras)";
    assert_eq!(either, [entry("1", marker)]);
    // Asked for by a group on Windows alone, always on Linux.
    let mixed = merged(&[None], |place, _| {
        Some(if place < 2 {
            "1"
        } else {
            "1 'dev' in dependency_groups"
        })
    });
    let marker = "sys_platform == 'linux' or (sys_platform == 'win32' and 'dev' in \
                  dependency_groups)";
    assert_eq!(mixed, [entry("1", marker)]);
}
