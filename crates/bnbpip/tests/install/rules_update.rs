//! `rules update`: a published set in place of the one that the program carries.

use std::cell::RefCell;

use bnbpip_testing::sha256_hex;
use insta::assert_snapshot;

use crate::support::last_line;
use crate::team_rules::{RULE, index, with_rules};

#[test]
fn a_newer_published_set_is_taken_with_its_hash_and_given_up_again() {
    let server = index();
    let environment = with_rules(&server, &RULE.replace("2026-01-31", "2126-01-31"));
    let work = environment.work();
    let export = ["rules", "export", "--format", "json", "--overlay", "rules"];
    let set = environment.run(export).success().stdout;
    fs_err::write(work.join("set.json"), &set).unwrap();
    let sha256 = sha256_hex(set.as_bytes());
    let filters = environment.filters();
    let filters = filters.with("digest [0-9a-f]{12}", "digest [DIGEST]");
    let filters = filters.with(r"\d+ rules of \d{4}-\d\d-\d\d", "[N] rules of [DATE]");
    let filters = filters.with("[0-9a-f]{64}", "[SHA256]");
    let (folder, usual) = if cfg!(windows) {
        ("AppData/Roaming", r"AppData\\Roaming")
    } else {
        (".local/share", r"\.local/share")
    };
    let filters = filters.with(usual, "[DATA]");

    let index_url = server.simple_url().clone();
    let said = RefCell::new(String::new());
    let update = |words: &[&str]| {
        let run = environment.run([&["rules", "update"], words].concat());
        let mut said = said.borrow_mut();
        said.extend(["$ update ", &words.join(" "), "\n"]);
        said.extend([&*run.stdout, &*run.stderr, "\n"]);
        run.code
    };
    let planned = |words: &[&str]| {
        let plan = [&["install", "--dry-run", "glue"], words].concat();
        let run = environment.run(plan).success();
        last_line(&run.stdout).to_owned()
    };
    let (free, ruled) = (
        "Would install base-2.0 glue-1.0",
        "Would install base-1.0 glue-1.0",
    );

    assert_eq!(update(&[]), 0);
    // Never without a hash, nor with another.
    assert_eq!(update(&["set.json"]), 1);
    assert_eq!(update(&["set.json", "--sha256", &"0".repeat(64)]), 1);
    assert_eq!(update(&["set.json", "--sha256", "12"]), 1);
    assert_eq!(update(&["set.json", "--sha256", &sha256, "--dry-run"]), 0);
    assert_eq!(planned(&[]), free);

    assert_eq!(update(&["set.json", "--sha256", &sha256]), 0);
    assert_eq!(planned(&[]), ruled);
    let isolated = ["--isolated", "--index-url", &index_url];
    assert_eq!(planned(&isolated), free);
    assert_eq!(update(&[]), 0);
    assert_eq!(update(&["set.json", "--sha256", &sha256]), 0);

    // What the program carries is older now.
    let carried = ["--isolated", "rules", "export", "--format", "json"];
    let carried = environment.run(carried).success().stdout;
    fs_err::write(work.join("older.json"), &carried).unwrap();
    let older = sha256_hex(carried.as_bytes());
    assert_eq!(update(&["older.json", "--sha256", &older]), 1);

    // A damaged file is told, and both ways out of it work.
    let kept = environment.home().join(folder).join("bnbpip/rules.json");
    let text = fs_err::read_to_string(&kept).unwrap();
    fs_err::write(&kept, text.replace("TEAM-0001", "TEAM-0002")).unwrap();
    assert_eq!(update(&[]), 3);
    assert_eq!(environment.run(["install", "--dry-run", "glue"]).code, 3);
    assert_eq!(update(&["set.json", "--sha256", &sha256]), 0);
    assert_eq!(planned(&[]), ruled);
    assert_eq!(update(&["embedded"]), 0);
    assert_eq!(planned(&[]), free);
    assert!(!kept.exists());
    assert_snapshot!(filters.apply(&said.into_inner()));
}
