//! `tree` and `why` name the rules that shaped the edges, in environments and in locks.

use bnbpip_testing::{IndexServer, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use super::environment;

/// What each rule needs besides its head.
const EVIDENCE: &str = r#"
[[evidence]]
type = "source"
url = "https://example.org/source"
detail = "It says so"

[[tests]]
expect = "hit"
packages = [HIT]

[[tests]]
expect = "miss"
packages = ["other==1.0"]
+++

# Why

So.
"#;

const RULES: &[(&str, &str, &str)] = &[
    (
        "TEAM-0001",
        "title = \"glue 1 breaks base 2\"\nkind = \"conflict\"\nseverity = \"broken\"\n\n[a]\npackages = \
         [\"glue\"]\nversions = \">=1,<2\"\n\n[b]\npackages = [\"base\"]\nversions = \">=2.dev0\"\n",
        "\"glue==1.0\", \"base==2.0\"",
    ),
    (
        "TEAM-0002",
        "title = \"glue imports paste\"\nkind = \"requires\"\npackages = [\"glue\"]\nversions = \
         \"*\"\nrequirement = \"paste>=1\"\n",
        "\"glue==1.0\"",
    ),
    (
        "TEAM-0003",
        "title = \"tape-fork is tape\"\nkind = \"provides\"\npackages = [\"tape-fork\"]\nversions = \
         \"*\"\nprovides = \"tape\"\n",
        "\"tape-fork==1.0\"",
    ),
    (
        "TEAM-0004",
        "title = \"base 0 never worked\"\nkind = \"exclude\"\nseverity = \"broken\"\npackages = \
         [\"base\"]\nversions = \"<1\"\n",
        "\"base==0.5\"",
    ),
];

fn with_rules(server: &IndexServer) -> TestEnvironment {
    let environment = environment(server);
    let folder = environment.work().join("rules");
    fs_err::create_dir_all(&folder).unwrap();
    for (id, head, hit) in RULES {
        let evidence = EVIDENCE.replace("HIT", hit);
        let text = format!("+++\nid = \"{id}\"\ndate = 2026-01-31\n{head}{evidence}");
        fs_err::write(folder.join(format!("{id}.md")), text).unwrap();
    }
    fs_err::write(
        environment.work().join("bnbpip.toml"),
        "overlays = ['rules']\n",
    )
    .unwrap();
    environment
}

#[test]
fn rules_stand_on_the_edges_that_they_shaped() {
    let wheels = [
        WheelBuilder::new("base", "1.0"),
        WheelBuilder::new("base", "2.0"),
        WheelBuilder::new("glue", "1.0")
            .requires("base")
            .requires("tape"),
        WheelBuilder::new("paste", "1.0"),
        WheelBuilder::new("tape-fork", "1.0"),
        WheelBuilder::new("old", "1.0").requires("base<2"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = with_rules(&server);
    // In a pipe on Windows the lines are ASCII.
    let shown = |arguments: &[&str]| {
        let stdout = environment.run(arguments).success().stdout;
        stdout.replace("|-- ", "├── ").replace("`-- ", "└── ")
    };
    drop(environment.run(["install", "glue", "old"]).success());
    assert_snapshot!(shown(&["tree"]));
    assert_snapshot!(shown(&["tree", "--invert", "--package", "base"]));
    assert_snapshot!(shown(&["why", "base", "paste", "tape-fork"]));
    drop(
        environment
            .run(["lock", "glue", "old", "--environment", "linux-3.12"])
            .success(),
    );
    let text = crate::read(&environment);
    let glue = text.split("name = \"glue\"").nth(1).unwrap();
    let needs = glue.split("dependencies = ").nth(1).unwrap();
    let needs = needs.split("\n]").next().unwrap();
    for name in ["base", "paste", "tape-fork"] {
        assert!(needs.contains(&format!("\"{name}\"")), "{needs}");
    }
    assert_snapshot!(shown(&["tree", "pylock.toml"]));
    assert_snapshot!(shown(&["why", "paste", "--lock", "pylock.toml"]));
}
