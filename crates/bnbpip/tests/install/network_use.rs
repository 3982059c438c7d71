//! What is asked of the index, and how much comes over the line.

use bnbpip_testing::{IndexServer, Ranges, WheelBuilder};

use crate::support::{environment, last_line};

/// A large wheel (so that ranges pay) that needs a small one.
fn large() -> IndexServer {
    let noise: Vec<u8> = (0..600_000u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let big = WheelBuilder::new("big", "1.0")
        .requires("small")
        .file("big/noise.bin", noise)
        .compression(bnbpip_testing::Compression::Stored);
    IndexServer::with([big.build(), WheelBuilder::new("small", "1.0").build()])
}

const BIG: &str = "big-1.0-py3-none-any.whl";

#[test]
fn a_dry_run_reads_metadata_files() {
    let server = large();
    let environment = environment(&server);
    drop(environment.run(["install", "--dry-run", "big"]).success());
    assert_eq!(server.bytes_served_of(BIG), 0);
    assert_eq!(server.requests_for(&format!("{BIG}.metadata")).len(), 1);
    // All that was learned is remembered.
    server.forget_requests();
    drop(environment.run(["install", "--dry-run", "big"]).success());
    let again = server.requests();
    assert!(
        again
            .iter()
            .all(|request| !request.path.starts_with("/files/")),
        "{again:?}"
    );
}

#[test]
fn a_dry_run_reads_the_ends_of_wheels() {
    let server = large();
    server.configure(|options| options.metadata_files = false);
    let environment = environment(&server);
    let run = environment.run(["install", "--dry-run", "big"]).success();
    assert_eq!(last_line(&run.stdout), "Would install big-1.0 small-1.0");
    let requests = server.requests_for(&format!("/files/{BIG}"));
    assert!(!requests.is_empty());
    assert!(
        requests.iter().all(|request| request.status == 206),
        "{requests:?}"
    );
    let bytes = server.bytes_served_of(BIG);
    assert!(bytes < 100_000, "{bytes}");
}

#[test]
fn without_suffix_ranges_it_works_all_the_same() {
    let server = large();
    server.configure(|options| {
        options.metadata_files = false;
        options.ranges = Ranges::NoSuffix;
    });
    let environment = environment(&server);
    drop(environment.run(["install", "--dry-run", "big"]).success());
    let bytes = server.bytes_served_of(BIG);
    // By the other end of the ladder, if need be: the whole file, and that once.
    assert!(bytes < 700_000, "{bytes}");
}

#[test]
fn without_ranges_the_wheel_is_fetched_once() {
    let server = large();
    server.configure(|options| {
        options.metadata_files = false;
        options.ranges = Ranges::Ignored;
    });
    let environment = environment(&server);
    drop(environment.run(["install", "big"]).success());
    assert_eq!(environment.installed(), ["big-1.0", "small-1.0"]);
    let requests = server.requests_for(&format!("/files/{BIG}"));
    // What was sent in the place of a range is kept.
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[test]
fn a_wheel_in_the_cache_is_not_fetched_again() {
    let server = large();
    let environment = environment(&server);
    drop(environment.run(["install", "big"]).success());
    server.forget_requests();
    drop(
        environment
            .run(["install", "--target", "lib", "big"])
            .success(),
    );
    assert_eq!(server.bytes_served_of(BIG), 0);
    let wheels = server.requests_for(".whl");
    assert!(wheels.is_empty(), "{wheels:?}");
}

#[test]
fn html_pages_do() {
    let server = large();
    server.configure(|options| {
        options.format = bnbpip_testing::PageFormat::Html;
        options.relative_links = true;
    });
    let environment = environment(&server);
    drop(environment.run(["install", "big"]).success());
    assert_eq!(environment.installed(), ["big-1.0", "small-1.0"]);
}

/// A plan needs the pages and the metadata alone.
#[test]
fn without_network_a_plan_needs_no_wheels() {
    let server = large();
    let environment = environment(&server);
    drop(environment.run(["install", "--dry-run", "big"]).success());
    server.forget_requests();
    let plan = ["install", "--offline", "--dry-run", "big"];
    drop(environment.run(plan).success());
    assert_eq!(server.requests().len(), 0);
    let install = environment.run(["install", "--offline", "big"]).failure();
    assert!(
        install.stderr.contains("are not in the cache"),
        "{}",
        install.stderr
    );
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn without_network_the_cache_serves() {
    let server = large();
    let environment = environment(&server);
    drop(environment.run(["install", "big"]).success());
    server.forget_requests();
    drop(
        environment
            .run(["install", "--offline", "--force-reinstall", "big"])
            .success(),
    );
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_stands_before_the_index_is_told_to_ask_it_too() {
    let server = large();
    let environment = environment(&server);
    let asked = |words: &[&str]| {
        server.forget_requests();
        drop(environment.run(words).success());
        let pages = server.requests_for("/simple/small/");
        pages[0].cache_control.clone()
    };
    assert_eq!(asked(&["install", "--dry-run", "small"]), None);
    let words = [
        "install",
        "--dry-run",
        "--refresh-package",
        ":all:",
        "small",
    ];
    assert_eq!(asked(&words).as_deref(), Some("max-age=0"));
}
