//! Names as whoever asks for them writes them, and what `-vv` tells, as pip has it.

use bnbpip_testing::{IndexServer, WheelBuilder};

use crate::sources::{project, write};
use crate::support::{environment, last_line};

#[test]
fn names_are_spelled_as_they_are_asked_for() {
    let dep = WheelBuilder::new("dep.Of", "1.0").build();
    let server = IndexServer::with([
        WheelBuilder::new("Top_Most", "1.0")
            .requires("DEP_of>=0.5; python_version > '3'")
            .requires("other-one; python_version < '3'")
            .build(),
        dep.clone(),
    ]);
    let environment = environment(&server);
    let run = environment.run(["install", "top.most"]).success();
    for line in [
        "Collecting top.most\n",
        "Collecting DEP_of>=0.5 (from top.most)\n",
        "Installing collected packages: DEP_of, top.most\n",
        "Successfully installed DEP_of-1.0 top.most-1.0\n",
    ] {
        assert!(run.stdout.contains(line), "{line}{}", run.stdout);
    }
    drop(environment.run(["uninstall", "-y", "top-most"]).success());
    let run = environment.run(["install", "top.most"]).success();
    let there = "Requirement already satisfied: DEP_of>=0.5 in ";
    assert!(run.stdout.contains(there), "{}", run.stdout);
    // The name of a file that is a path is nobody's spelling.
    let path = dep.write_to(&environment.work());
    let path = path.to_str().unwrap();
    let run = environment
        .run(["install", "--force-reinstall", path])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed dep-of-1.0");
}

#[test]
fn what_an_extra_of_a_folder_lacks_is_told_as_a_requirement() {
    let server = IndexServer::start();
    let environment = environment(&server);
    let folder = environment.work().join("here");
    let requires = r#""requires": ["Missing_Pkg<9; extra == 'more-of'\nProvides-Extra: More_Of"]"#;
    write(&project("here", "1.0", requires), &folder);
    let run = environment.run(["install", "./here[MORE.of]"]).failure();
    let said = "ERROR: Could not find a version that satisfies the requirement Missing_Pkg<9 (from \
                here[more-of]) (from versions: none)\n\
                ERROR: No matching distribution found for Missing_Pkg<9 (from here[more-of])\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!run.stderr.contains("no version of here"), "{}", run.stderr);
    drop(environment.run(["install", "./here"]).success());
}

#[test]
fn a_project_without_a_name_is_called_unknown() {
    let environment = environment(&IndexServer::start());
    let folder = environment.work().join("here");
    write(&project("UNKNOWN", "0.0.0", ""), &folder);
    let run = environment.run(["install", "./here"]).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed UNKNOWN-0.0.0"
    );
}

#[test]
fn what_is_looked_at_is_told_with_vv() {
    let server = IndexServer::with([WheelBuilder::new("own", "1.0").build()]);
    let environment = environment(&server);
    let page = format!(
        "Fetching project page and analyzing links: {url}own/\nGetting page {url}own/\n",
        url = server.simple_url()
    );
    let quiet = environment
        .run(["install", "own", "--dry-run", "-v"])
        .success();
    assert!(!quiet.stdout.contains(&page), "{}", quiet.stdout);
    for _fetched_then_cached in 0..2 {
        let run = environment
            .run(["install", "own", "--dry-run", "-vv"])
            .success();
        assert_eq!(run.stdout.matches(&page).count(), 1, "{}", run.stdout);
    }
    let run = environment
        .run(["install", "own", "-vv", "--no-index"])
        .failure();
    let index = server.simple_url();
    let ignored = format!("Ignoring indexes: {}\n", index.trim_end_matches('/'));
    assert!(run.stdout.contains(&ignored), "{}", run.stdout);
    let kind = "DistributionNotFound: No matching distribution found for own\n";
    assert!(run.stdout.contains(kind), "{}", run.stdout);
}
