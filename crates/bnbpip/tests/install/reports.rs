//! `--report`, pip's installation report.

use bnbpip_testing::WheelBuilder;
use serde_json::Value;

use crate::support::{environment, index};

fn item<'a>(report: &'a Value, name: &str) -> &'a Value {
    let items = report["install"].as_array().unwrap();
    let found = items.iter().find(|item| item["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn a_dry_run_to_standard_output() {
    let server = index();
    let far = WheelBuilder::new("far", "1.0")
        .requires_python(">=3.8")
        .header("Summary", "Far away")
        .build();
    server.add(&far);
    let environment = environment(&server);
    let url = format!("far @ {}", server.file_url(&far.filename));
    let arguments = ["install", "--dry-run", "--quiet", "--report", "-"];
    let run = environment
        .run(arguments.iter().chain(&["top[more]==2.0", &url]))
        .success();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["version"], "1");
    assert!(report["pip_version"].is_string(), "{report}");
    assert!(report["environment"]["python_full_version"].is_string());
    assert_eq!(report["install"].as_array().unwrap().len(), 4);

    let top = item(&report, "top");
    assert_eq!(top["is_direct"], false);
    assert_eq!(top["is_yanked"], false);
    assert_eq!(top["requested"], true);
    assert_eq!(top["requested_extras"], serde_json::json!(["more"]));
    assert_eq!(top["metadata"]["version"], "2.0");
    assert_eq!(
        top["metadata"]["provides_extra"],
        serde_json::json!(["more"])
    );
    let requires = top["metadata"]["requires_dist"].as_array().unwrap();
    assert_eq!(requires[0], "base>=1");
    let info = &top["download_info"];
    assert_eq!(info["url"], server.file_url("top-2.0-py3-none-any.whl"));
    let sha256 = info["archive_info"]["hashes"]["sha256"].as_str().unwrap();
    assert_eq!(info["archive_info"]["hash"], format!("sha256={sha256}"));

    let base = item(&report, "base");
    assert_eq!(base["requested"], false);
    assert!(base.get("requested_extras").is_none(), "{base}");

    let far = item(&report, "far");
    assert_eq!(far["is_direct"], true);
    assert_eq!(far["metadata"]["summary"], "Far away");
    assert_eq!(far["metadata"]["requires_python"], ">=3.8");
    assert_eq!(environment.installed(), Vec::<String>::new());
}

#[test]
fn an_installation_to_a_file() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "--report", "report.json", "top"])
            .success(),
    );
    let text = fs_err::read_to_string(environment.work().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(item(&report, "base")["metadata"]["version"], "2.0");
    assert_eq!(environment.installed(), ["base-2.0", "top-2.0"]);
    // Nothing left to do, and the report says so.
    drop(
        environment
            .run(["install", "--report", "report.json", "top"])
            .success(),
    );
    let text = fs_err::read_to_string(environment.work().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["install"], serde_json::json!([]));
}
