//! Wheels by their path and by their URL.

use bnbpip_testing::{TestEnvironment, WheelBuilder};
use serde_json::Value;

use crate::support::{content, environment, index, last_line};

fn direct_url(environment: &TestEnvironment, folder: &str) -> Value {
    let path = environment.site_packages().join(folder);
    let text = fs_err::read_to_string(path.join("direct_url.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_wheel_by_its_path() {
    let server = index();
    let environment = environment(&server);
    let wheel = WheelBuilder::new("local-one", "3.0")
        .requires("base")
        .build();
    let path = wheel.write_to(&environment.work());
    let run = environment
        .run(["install", &format!("./{}", wheel.filename)])
        .success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 local-one-3.0"
    );
    let found = direct_url(&environment, "local_one-3.0.dist-info");
    let expected = url::Url::from_file_path(fs_err::canonicalize(path).unwrap()).unwrap();
    let named = url::Url::parse(found["url"].as_str().unwrap()).unwrap();
    let named = fs_err::canonicalize(named.to_file_path().unwrap()).unwrap();
    assert_eq!(url::Url::from_file_path(named).unwrap(), expected);
    assert_eq!(
        found["archive_info"]["hash"],
        format!("sha256={}", wheel.sha256())
    );
    assert_eq!(found["archive_info"]["hashes"]["sha256"], wheel.sha256());
    assert!(
        !environment
            .site_packages()
            .join("base-2.0.dist-info/direct_url.json")
            .exists()
    );
}

#[test]
fn a_wheel_by_its_url() {
    let server = index();
    let wheel = WheelBuilder::new("far", "1.0+cu124")
        .requires("base<2")
        .build();
    server.add(&wheel);
    let environment = environment(&server);
    let url = server.file_url(&wheel.filename);
    let run = environment.run(["install", &url]).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-1.5 far-1.0+cu124"
    );
    let found = direct_url(&environment, "far-1.0+cu124.dist-info");
    assert_eq!(found["url"], url);
    assert_eq!(found["archive_info"]["hashes"]["sha256"], wheel.sha256());
    // Named with its package, and with credentials, which are not written down.
    let secret = url.replace("http://", "http://me:secret@");
    let named = format!("far @ {secret}");
    drop(
        environment
            .run(["install", "--force-reinstall", "--no-deps", &named])
            .success(),
    );
    let found = direct_url(&environment, "far-1.0+cu124.dist-info");
    assert!(!found.to_string().contains("secret"), "{found}");
}

#[test]
fn a_url_with_a_hash_is_checked() {
    let server = index();
    let wheel = WheelBuilder::new("far", "1.0").build();
    server.add(&wheel);
    let environment = environment(&server);
    let url = server.file_url(&wheel.filename);
    let wrong = format!("{url}#sha256={}", "0".repeat(64));
    let before = content(&environment);
    let run = environment.run(["install", &wrong]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains(&wheel.sha256()), "{}", run.stderr);
    assert_eq!(content(&environment), before);
    let right = format!("{url}#sha256={}", wheel.sha256());
    drop(environment.run(["install", &right]).success());
    assert_eq!(environment.installed(), ["far-1.0"]);
}

#[test]
fn a_folder_of_wheels() {
    let server = index();
    let environment = environment(&server);
    let wheel = WheelBuilder::new("found", "1.0").build();
    wheel.write_to(&environment.work());
    let run = environment
        .run(["install", "--no-index", "--find-links", ".", "found"])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed found-1.0");
    assert_eq!(server.requests().len(), 0);
    let folder = environment.site_packages().join("found-1.0.dist-info");
    assert!(!folder.join("direct_url.json").exists());
}
