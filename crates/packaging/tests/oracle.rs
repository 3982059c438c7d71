//! Version ranges and markers against Python's `packaging`, the reference implementation.
//!
//! Cases are generated here, and a `python3` with pip (which carries `packaging`) answers all of
//! them in one run.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::str::FromStr as _;

use bnbpip_packaging::{
    MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, Version, VersionSpecifiers, range,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const ORACLE: &str = r#"
import sys
try:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version
    from packaging.markers import Marker
except ImportError:
    from pip._vendor.packaging.specifiers import SpecifierSet
    from pip._vendor.packaging.version import Version
    from pip._vendor.packaging.markers import Marker
for line in sys.stdin:
    kind, left, right = line.rstrip("\n").split("\t")
    if kind == "contains":
        print(int(SpecifierSet(left).contains(Version(right), prereleases=True)))
    elif kind == "order":
        print(int(Version(left) < Version(right)))
    else:
        python, platform = right.split(",")
        system = {"win32": "Windows", "linux": "Linux", "darwin": "Darwin"}[platform]
        print(int(Marker(left).evaluate({
            "implementation_name": "cpython", "implementation_version": python,
            "os_name": "nt" if platform == "win32" else "posix",
            "platform_machine": "x86_64", "platform_python_implementation": "CPython",
            "platform_release": "", "platform_system": system, "platform_version": "",
            "python_full_version": python, "python_version": ".".join(python.split(".")[:2]),
            "sys_platform": platform, "extra": "",
        })))
"#;

/// The oracle's answers to `kind`, left and right.
fn ask(kind: &str, cases: &[(String, String)]) -> Vec<bool> {
    let mut child = Command::new("python3")
        .args(["-c", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test asks a `python3` with pip");
    let mut stdin = child.stdin.take().unwrap();
    let lines: Vec<String> = cases
        .iter()
        .map(|(l, r)| format!("{kind}\t{l}\t{r}\n"))
        .collect();
    let lines = lines.concat();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let answers: Vec<bool> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line == "1")
        .collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

fn generate<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// Few numbers, so that bounds are hit often.
fn public_version() -> impl Strategy<Value = String> {
    let release = prop::collection::vec(0u8..3, 1..4);
    let pre = prop::option::weighted(0.3, (prop::sample::select(vec!["a", "b", "rc"]), 0u8..3));
    let post = prop::option::weighted(0.2, 0u8..3);
    let dev = prop::option::weighted(0.2, 0u8..3);
    let epoch = prop::option::weighted(0.05, 0u8..2);
    (epoch, release, pre, post, dev).prop_map(|(epoch, release, pre, post, dev)| {
        let release: Vec<String> = release.iter().map(ToString::to_string).collect();
        let mut text = epoch.map(|epoch| format!("{epoch}!")).unwrap_or_default();
        text += &release.join(".");
        text += &pre
            .map(|(kind, number)| format!("{kind}{number}"))
            .unwrap_or_default();
        text += &post
            .map(|number| format!(".post{number}"))
            .unwrap_or_default();
        text + &dev
            .map(|number| format!(".dev{number}"))
            .unwrap_or_default()
    })
}

fn version() -> impl Strategy<Value = String> {
    let local = prop::option::weighted(0.2, prop::sample::select(vec!["cu124", "cpu", "1.2"]));
    (public_version(), local)
        .prop_map(|(version, local)| version + &local.map(|l| format!("+{l}")).unwrap_or_default())
}

fn specifier() -> impl Strategy<Value = String> {
    let plain = (
        prop::sample::select(vec![">=", "<=", ">", "<"]),
        public_version(),
    );
    let plain = plain.prop_map(|(operator, version)| format!("{operator}{version}"));
    let equal = (prop::sample::select(vec!["==", "!="]), version());
    let equal = equal.prop_map(|(operator, version)| format!("{operator}{version}"));
    let star = (
        prop::sample::select(vec!["==", "!="]),
        prop::collection::vec(0u8..3, 1..4),
    );
    let star = star.prop_map(|(operator, release)| {
        let release: Vec<String> = release.iter().map(ToString::to_string).collect();
        format!("{operator}{}.*", release.join("."))
    });
    let compatible = (
        prop::collection::vec(0u8..3, 2..4),
        prop::option::weighted(0.2, 0u8..3),
    );
    let compatible = compatible.prop_map(|(release, post)| {
        let release: Vec<String> = release.iter().map(ToString::to_string).collect();
        format!(
            "~={}{}",
            release.join("."),
            post.map(|p| format!(".post{p}")).unwrap_or_default()
        )
    });
    prop_oneof![4 => plain, 3 => equal, 1 => star, 1 => compatible]
}

/// Corners in which `packaging` compares base versions by a rule of its own that no interval
/// follows, and which no real specifier uses: `>` or `<` beside a post-release or local version of
/// a version that is itself more than a plain release.
fn is_exempt(specifier: &str, version: &Version) -> bool {
    let Some(bound) = specifier
        .strip_prefix(['<', '>'])
        .filter(|rest| !rest.starts_with('='))
    else {
        return false;
    };
    let bound = Version::from_str(bound).unwrap();
    let same_release =
        bound.epoch() == version.epoch() && trimmed(bound.release()) == trimmed(version.release());
    same_release
        && (!version.local().is_empty() || version.post().is_some() || bound.post().is_some())
        && (bound.any_prerelease() || bound.post().is_some())
}

/// `packaging` before 22.0, which pip before 24.1 carries, pads no zeros in front of a suffix: it
/// doesn't find `2.post1` in `==2.0.*`, nor in `~=2.0.0`.
fn is_misjudged_by_old_packaging(specifier: &str, version: &Version) -> bool {
    let prefix = match specifier.strip_prefix("~=") {
        Some(release) => release.split(".post").next().unwrap(),
        None if specifier.ends_with(".*") => specifier,
        None => return false,
    };
    let has_suffix = version.any_prerelease() || version.post().is_some();
    // The last part is cut off, be it a number of `~=` or a star.
    has_suffix && prefix.matches('.').count() > version.release().len()
}

fn trimmed(release: &[u64]) -> &[u64] {
    let end = release
        .iter()
        .rposition(|number| *number != 0)
        .map_or(0, |last| last + 1);
    &release[..end]
}

#[test]
fn ranges_hold_what_packaging_holds() {
    let cases = generate(6000, &(specifier(), version()));
    let answers = ask("contains", &cases);
    let padding = ("==2.0.*".to_string(), "2.post1".to_string());
    let is_old = !ask("contains", &[padding])[0];
    let mut exempt = 0;
    for ((specifier, text), expected) in cases.iter().zip(answers) {
        let specifiers = VersionSpecifiers::from_str(specifier).unwrap();
        let version = Version::from_str(text).unwrap();
        if is_exempt(specifier, &version)
            || is_old && is_misjudged_by_old_packaging(specifier, &version)
        {
            exempt += 1;
            continue;
        }
        let holds = range::from_specifiers(&specifiers).contains(&version);
        assert_eq!(holds, expected, "{text} in {specifier}");
    }
    assert!(exempt < 300, "{exempt} cases were passed over");
}

#[test]
fn versions_are_ordered_as_packaging_orders_them() {
    let cases = generate(4000, &(version(), version()));
    let answers = ask("order", &cases);
    for ((left, right), expected) in cases.iter().zip(answers) {
        let less = Version::from_str(left).unwrap() < Version::from_str(right).unwrap();
        assert_eq!(less, expected, "{left} < {right}");
    }
}

fn marker() -> impl Strategy<Value = String> {
    let python = (
        prop::sample::select(vec!["python_version", "python_full_version"]),
        prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]),
        prop::sample::select(vec!["3.8", "3.9", "3.11", "3.12"]),
    );
    let python = python.prop_map(|(key, operator, value)| format!("{key} {operator} '{value}'"));
    let text = (
        prop::sample::select(vec![
            "sys_platform == 'win32'",
            "sys_platform != 'linux'",
            "os_name == 'nt'",
            "platform_system == 'Darwin'",
            "platform_machine in 'x86_64 AMD64'",
            "implementation_name == 'cpython'",
            "platform_python_implementation != 'PyPy'",
            "python_version in '3.11 3.12'",
        ]),
        Just(()),
    );
    let text = text.prop_map(|(text, ())| text.to_string());
    let leaf = prop_oneof![python, text];
    leaf.prop_recursive(3, 12, 2, |inner| {
        (
            inner.clone(),
            prop::sample::select(vec!["and", "or"]),
            inner,
        )
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    })
}

fn environment(python: &str, platform: &str) -> MarkerEnvironment {
    let minor: Vec<&str> = python.split('.').take(2).collect();
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: python,
        os_name: if platform == "win32" { "nt" } else { "posix" },
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: match platform {
            "win32" => "Windows",
            "darwin" => "Darwin",
            _ => "Linux",
        },
        platform_version: "",
        python_full_version: python,
        python_version: &minor.join("."),
        sys_platform: platform,
    })
    .unwrap()
}

#[test]
fn markers_hold_where_packaging_says_so() {
    let python = prop::sample::select(vec!["3.8.18", "3.11.4", "3.12.0", "3.13.1"]);
    let platform = prop::sample::select(vec!["win32", "linux", "darwin"]);
    let target = (python, platform).prop_map(|(python, platform)| format!("{python},{platform}"));
    let cases = generate(3000, &(marker(), target));
    let answers = ask("marker", &cases);
    for ((marker, target), expected) in cases.iter().zip(answers) {
        let (python, platform) = target.split_once(',').unwrap();
        let tree = MarkerTree::from_str(marker).unwrap();
        let holds = tree.evaluate(&environment(python, platform), &[]);
        assert_eq!(holds, expected, "{marker} on {target}");
    }
}
