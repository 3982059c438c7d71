//! What rules do: layers, exclusions, missing edges, stand-ins and findings.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;

use bnbpip_overlay::{
    KnownMachine, MachineFact, MachineFacts, Overlay, RuleDocument, RuleId, Severity, Subject,
    TestTarget, VirtualPackage, decode, encode,
};
use bnbpip_packaging::{PackageName, Version, VersionRange, VersionSpecifiers, range};

fn rule(id: &str, body: &str) -> RuleDocument {
    let text =
        format!("+++\nid = \"{id}\"\ntitle = \"t\"\ndate = 2026-01-31\n{body}\n+++\nText.\n");
    Overlay::parse_rule(&text, "x").unwrap()
}

fn rules() -> Vec<RuleDocument> {
    vec![
        rule(
            "AA-0001",
            "kind='conflict'\nseverity='broken'\n[a]\npackages=['alpha']\nversions='<2'\n[b]\npackages=['beta','beta-win']\nversions='>=3.dev0'\n[c]\npackages=['gamma']\nversions='*'",
        ),
        rule(
            "AA-0002",
            "kind='exclude'\nseverity='broken'\nmarker=\"sys_platform == 'win32'\"\npackages=['delta']\nversions='<2'\nwheels=['*-none-any.whl']",
        ),
        rule(
            "AA-0003",
            "kind='exclude'\nseverity='avoid'\npackages=['delta']\nversions='==1.5'",
        ),
        rule(
            "AA-0004",
            "kind='requires'\npackages=['alpha']\nversions='<2'\nrequirement='six>=1.5'",
        ),
        rule(
            "AA-0005",
            "kind='provides'\npackages=['beta-win']\nversions='*'\nprovides='beta'",
        ),
    ]
}

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn overlay() -> Overlay {
    Overlay::from_rules(rules().into_iter().map(|document| document.rule))
}

fn active(target: &str) -> bnbpip_overlay::ActiveRules {
    overlay().active(&target.parse::<TestTarget>().unwrap().environment)
}

fn findings(target: &str, set: &[&str]) -> Vec<String> {
    let set: Vec<Subject> = set.iter().map(|text| text.parse().unwrap()).collect();
    let found = active(target).evaluate(&set, &KnownMachine::default());
    let line = |finding: &bnbpip_overlay::Finding| {
        let packages: Vec<String> = finding
            .packages
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        format!("{}: {}", finding.rule.id, packages.join(", "))
    };
    found.iter().map(line).collect()
}

#[test]
fn a_conflict_needs_every_side() {
    let hit = ["six==1.16", "alpha==1.0", "beta-win==3.0.dev5", "gamma==9"];
    assert_eq!(
        findings("linux-3.11", &hit),
        ["AA-0001: alpha 1.0, beta-win 3.0.dev5, gamma 9"]
    );
    assert!(findings("linux-3.11", &["six==1.16", "alpha==1.0", "beta==3.0"]).is_empty());
    let active = active("linux-3.11");
    let conflict = active.conflicts().next().unwrap();
    assert_eq!(conflict.sides.len(), 3);
    assert!(conflict.sides[1].contains(&name("beta"), &version("3.0rc1")));
}

#[test]
fn a_missing_edge_is_found_and_served() {
    assert_eq!(
        findings("linux-3.11", &["alpha==1.0"]),
        ["AA-0004: alpha 1.0"]
    );
    assert_eq!(
        findings("linux-3.11", &["alpha==1.0", "six==1.4"]),
        ["AA-0004: alpha 1.0, six 1.4"]
    );
    assert!(findings("linux-3.11", &["alpha==2.0"]).is_empty());
    let active = active("linux-3.11");
    let old = version("1.0");
    let added: Vec<String> = active
        .extra_requirements(&name("alpha"), &old)
        .map(|(rule, requirement)| format!("{} {requirement}", rule.id))
        .collect();
    assert_eq!(added, ["AA-0004 six>=1.5"]);
    assert_eq!(
        active
            .extra_requirements(&name("alpha"), &version("2.0"))
            .count(),
        0
    );
}

#[test]
fn exclusions_respect_wheel_marker_and_severity() {
    let windows = active("windows-3.11");
    let delta = name("delta");
    let any = "delta-1.5-py3-none-any.whl".parse().unwrap();
    let native = "delta-1.5-py3-none-win_amd64.whl".parse().unwrap();
    let of = |rules: &bnbpip_overlay::ActiveRules, wheel| {
        let rule = rules.excluded(&delta, &version("1.5"), wheel);
        rule.map(|rule| (rule.id.to_string(), rule.severity))
    };
    assert_eq!(
        of(&windows, Some(&any)),
        Some(("AA-0002".into(), Severity::Broken))
    );
    assert_eq!(
        of(&windows, Some(&native)),
        Some(("AA-0003".into(), Severity::Avoid))
    );
    assert_eq!(
        of(&windows, None),
        Some(("AA-0003".into(), Severity::Avoid))
    );
    assert_eq!(
        of(&active("linux-3.11"), Some(&any)),
        Some(("AA-0003".into(), Severity::Avoid))
    );
    assert!(windows.has_exclusions(&delta) && !windows.has_exclusions(&name("alpha")));

    assert_eq!(
        findings("windows-3.11", &["delta==1.0"]),
        ["AA-0002: delta 1.0"]
    );
    assert!(findings("windows-3.11", &["delta-1.0-py3-none-win_amd64.whl"]).is_empty());
    assert!(findings("linux-3.11", &["delta==1.0"]).is_empty());
}

#[test]
fn a_stand_in_translates_versions_both_ways() {
    let active = active("windows-3.11");
    let (_, provides) = active.providers_of(&name("beta")).next().unwrap();
    assert_eq!(provides.package, name("beta-win"));
    for (package, provided) in [
        ("3.1.0.post17", "3.1.0"),
        ("3.3.0a0.post11", "3.3.0a0"),
        ("1!2.0+cu1", "1!2.0"),
        ("3.2.0.post1.dev4", "3.2.0"),
        ("3.2.0.dev4", "3.2.0.dev4"),
    ] {
        assert_eq!(
            provides.provided_version(&version(package)),
            Some(version(provided)),
            "{package}"
        );
    }

    // A version of the package is in the translated range exactly if what it stands for is in the range.
    let packages = [
        "2.9",
        "3.0.dev1",
        "3.0.dev1+x",
        "3.0.dev2",
        "3.0a1",
        "3.0a1.post3",
        "3.0rc1",
        "3.0",
        "3.0+x",
        "3.0.post0.dev0",
        "3.0.post1",
        "3.0.post17",
        "3.0.post17+x",
        "3.0.1",
        "3.1",
        "3.1.post2",
        "4.0",
    ];
    let specifiers = [
        ">=3.0",
        ">3.0",
        "<3.0",
        "<=3.0",
        "==3.0",
        "!=3.0",
        "==3.0.*",
        "~=3.0",
        "==3.0a1",
        ">=3.0.post1",
        "<3.0.post1",
        "==3.0.post17",
        ">3.0.dev1",
        "<=3.0.dev1",
        "==3.0+x",
        ">=3.0,!=3.0.1,<4",
        ">3.0rc1",
    ];
    for specifier in specifiers {
        let wanted = range::from_specifiers(&specifier.parse::<VersionSpecifiers>().unwrap());
        let translated = provides.package_range(&wanted);
        for package in packages.map(version) {
            let stands_for = provides.provided_version(&package).unwrap();
            assert_eq!(
                translated.contains(&package),
                wanted.contains(&stands_for),
                "{package} for {specifier}"
            );
        }
    }
    assert_eq!(
        provides.package_range(&VersionRange::full()),
        VersionRange::full()
    );
}

#[test]
fn layers_replace_and_withdraw() {
    let id: RuleId = "AA-0003".parse().unwrap();
    let stricter = rule(
        "AA-0003",
        "kind='exclude'\nseverity='broken'\npackages=['delta']\nversions='==1.5'",
    );
    let withdrawn = rule(
        "AA-0003",
        "withdrawn=2026-02-01\nkind='exclude'\nseverity='broken'\npackages=['delta']\nversions='==1.5'",
    );
    let base = overlay();
    let layered = base.clone().with_layer([stricter]);
    assert_eq!(base.get(&id).unwrap().severity, Severity::Avoid);
    assert_eq!(layered.get(&id).unwrap().severity, Severity::Broken);
    assert!(base.clone().with_layer([withdrawn]).get(&id).is_none());
    assert!(
        base.clone()
            .without(std::slice::from_ref(&id))
            .get(&id)
            .is_none()
    );
    assert_eq!(base.rules().len(), 5);
    assert_eq!(base.version().unwrap().to_string(), "2026-01-31");
    assert_eq!(Overlay::empty().version(), None);
}

#[test]
fn the_digest_depends_on_the_content_alone() {
    let base = overlay();
    let backwards = Overlay::from_rules(rules().into_iter().rev().map(|document| document.rule));
    assert_eq!(base.digest().unwrap(), backwards.digest().unwrap());
    let fewer = base.clone().without(&["AA-0001".parse().unwrap()]);
    assert_ne!(base.digest().unwrap(), fewer.digest().unwrap());
    assert_eq!(base.digest().unwrap().len(), 64);
}

/// A machine that counts how often it is asked.
struct Counted {
    facts: KnownMachine,
    asked: Cell<usize>,
}

impl MachineFacts for Counted {
    fn version(&self, package: VirtualPackage) -> Option<Version> {
        self.asked.set(self.asked.get() + 1);
        self.facts.version(package)
    }
}

/// What a set breaks on a machine, and how often that was asked.
fn on_machine(set: &[&str], facts: &[&str]) -> (Vec<String>, usize) {
    let rule = rule(
        "AA-0006",
        "kind='conflict'\nseverity='avoid'\n[a]\npackages=['alpha']\nversions='>=2'\n[b]\npackages=['__cuda_driver']\nversions='<525.60.13'\n[c]\npackages=['__cuda_arch']\nversions='>=7.0'",
    );
    let encoded = encode([&rule.rule].into_iter()).unwrap();
    let overlay = Overlay::from_rules(decode(&encoded).unwrap());
    let target: TestTarget = "linux-3.11".parse().unwrap();
    let set: Vec<Subject> = set.iter().map(|text| text.parse().unwrap()).collect();
    let facts = facts
        .iter()
        .map(|text| text.parse::<MachineFact>().unwrap());
    let machine = Counted {
        facts: facts.collect(),
        asked: Cell::new(0),
    };
    let found = overlay.active(&target.environment).evaluate(&set, &machine);
    let facts = found.iter().flat_map(|finding| &finding.machine);
    (
        facts.map(ToString::to_string).collect(),
        machine.asked.get(),
    )
}

#[test]
fn a_machine_is_a_side_of_a_conflict() {
    let old = ["__cuda_driver==470.256.02", "__cuda_arch==8.9"];
    let (found, asked) = on_machine(&["alpha==2.0"], &old);
    assert_eq!(found, ["__cuda_driver==470.256.2", "__cuda_arch==8.9"]);
    assert_eq!(asked, 2);
    // A set that can't break the rule asks nothing.
    assert_eq!(on_machine(&["alpha==1.0"], &old), (Vec::new(), 0));
    for facts in [
        &["__cuda_driver==525.60.13", "__cuda_arch==8.9"][..],
        &["__cuda_driver==470.256.02", "__cuda_arch==6.1"],
        &["__cuda_driver==470.256.02"],
        &[],
    ] {
        assert!(on_machine(&["alpha==2.0"], facts).0.is_empty(), "{facts:?}");
    }
    for wrong in ["__cuda==12", "__cuda_driver", "__cuda_driver==new"] {
        assert!(wrong.parse::<MachineFact>().is_err(), "{wrong}");
    }
}
