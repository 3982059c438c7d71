//! A root of an index whose project page links to files on another server, without hashes, as the
//! community's page of bitsandbytes for Windows is: by every option that people name it with.

use std::path::Path;

use bnbpip_testing::{
    BuiltWheel, HashInPage, HostedFile, IndexServer, PageFormat, TestEnvironment, WheelBuilder,
};
use serde_json::Value;

use crate::support::{PROGRAM, environment, last_line};

const VERSIONS: [&str; 5] = ["0.35.0", "0.38.1", "0.41.0", "0.41.1", "0.41.2.post2"];
const WANTED: &str = "bitsandbytes-0.41.1-py3-none-win_amd64.whl";
const WINDOWS: [&str; 4] = ["--python-platform", "windows", "--python-version", "3.11"];

fn wheel(version: &str) -> BuiltWheel {
    WheelBuilder::new("bitsandbytes", version)
        .tag("py3-none-win_amd64")
        .build()
}

/// The server of the pages and that of the files.
fn community() -> (IndexServer, IndexServer) {
    let files = IndexServer::with(VERSIONS.map(wheel));
    files.configure(|options| options.metadata_files = false);
    let pages = IndexServer::start();
    pages.configure(|options| options.format = PageFormat::Html);
    for version in VERSIONS {
        let wheel = wheel(version);
        let link = files.file_url(&wheel.filename);
        let file = HostedFile::from(&wheel).without_metadata();
        pages.add(file.hash(HashInPage::Missing).linked_as(&link));
    }
    (pages, files)
}

/// The usual index: its wheel for any platform is for Linux alone.
fn usual() -> IndexServer {
    let any = WheelBuilder::new("bitsandbytes", "0.41.1");
    let newest = WheelBuilder::new("bitsandbytes", "0.42.0");
    let triton = WheelBuilder::new("triton", "3.2.0").tag("cp311-cp311-win_amd64");
    IndexServer::with([any.build(), newest.build(), triton.build()])
}

/// The address of the file that a dry run would install, and its hashes.
fn chosen(environment: &TestEnvironment, arguments: &[&str]) -> (String, Value) {
    let line = ["install", "--dry-run", "-q", "--no-deps", "--report", "-"];
    let run = environment.run([&line[..], &WINDOWS, arguments].concat());
    let report: Value = serde_json::from_str(&run.success().stdout).unwrap();
    let file = &report["install"][0]["download_info"];
    let hashes = file["archive_info"]["hashes"].clone();
    (file["url"].as_str().unwrap().to_owned(), hashes)
}

#[test]
fn a_root_is_found_by_every_option() {
    let ((pages, files), usual) = (community(), usual());
    let environment = environment(&usual);
    let root = pages.simple_url();
    let bare = root.trim_end_matches('/');
    let project = format!("{root}bitsandbytes/");
    for option in [
        ["--extra-index-url", &root],
        ["--extra-index-url", bare],
        ["--index", bare],
        ["--find-links", &root],
        ["-f", bare],
        ["--find-links", &project],
    ] {
        let (url, hashes) = chosen(
            &environment,
            &[&option[..], &["bitsandbytes==0.41.1"]].concat(),
        );
        assert_eq!(url, files.file_url(WANTED), "{option:?}");
        assert_eq!(
            hashes.as_object().map_or(0, serde_json::Map::len),
            0,
            "{option:?}"
        );
    }
    // It ends at 0.41.2.post2, and what is asked for beyond is told to be elsewhere.
    let beyond = [
        "install",
        "--dry-run",
        "bitsandbytes>=0.42",
        "--extra-index-url",
        bare,
    ];
    let run = environment.run([&beyond[..], &WINDOWS].concat()).failure();
    let hint = format!(
        "other versions of bitsandbytes are at {}",
        usual.simple_url()
    );
    assert!(run.stderr.contains(&hint), "{}", run.stderr);
}

#[test]
fn roots_on_this_machine_are_found_too() {
    let environment = TestEnvironment::bare(PROGRAM);
    let root = environment.work().join("index");
    let project = root.join("bitsandbytes");
    fs_err::create_dir_all(&project).unwrap();
    fs_err::write(
        root.join("index.html"),
        "<!DOCTYPE html><html><body><a href=\"bitsandbytes/\">bitsandbytes</a></body></html>",
    )
    .unwrap();
    fs_err::create_dir(environment.work().join("files")).unwrap();
    let mut links = String::new();
    for version in VERSIONS {
        let wheel = wheel(version);
        wheel.write_to(&environment.work().join("files"));
        let name = wheel.filename;
        links.extend(["<a href=\"../../files/", &name, "\">", &name, "</a><br/>\n"]);
    }
    fs_err::write(project.join("index.html"), links).unwrap();
    let find_links = |place: &str| {
        let line = [
            "install",
            "--dry-run",
            "--no-index",
            "--target",
            "out",
            "-f",
            place,
        ];
        let line = [&line[..], &["bitsandbytes==0.41.1", "--no-deps"], &WINDOWS].concat();
        let run = environment.run(line).success();
        assert_eq!(
            last_line(&run.stdout),
            "Would install bitsandbytes-0.41.1",
            "{place}"
        );
    };
    find_links("index");
    find_links("index/index.html");
    find_links("index/bitsandbytes");
    find_links("index/bitsandbytes/index.html");
    find_links(&format!("files/{WANTED}"));
}

#[test]
fn hashes_are_asked_of_files_whose_page_has_none() {
    let ((pages, files), usual) = (community(), usual());
    let environment = environment(&usual);
    let bytes = |folder: &Path| fs_err::read(folder.join(WANTED)).unwrap();
    let requirements = environment.work().join("requirements.txt");
    let download = |hash: &str, folder: &str| {
        let line = format!("bitsandbytes==0.41.1 --hash=sha256:{hash}\n");
        fs_err::write(&requirements, line).unwrap();
        let root = pages.simple_url();
        let line = [
            "download",
            "-r",
            "requirements.txt",
            "--no-deps",
            "-d",
            folder,
        ];
        let options = ["--only-binary", ":all:", "--extra-index-url", &root];
        environment.run([&line[..], &options, &WINDOWS].concat())
    };
    let right = wheel("0.41.1");
    drop(download(&right.sha256(), "right").success());
    assert_eq!(bytes(&environment.work().join("right")), right.bytes);
    let run = download(&"0".repeat(64), "wrong").failure();
    assert!(run.stderr.contains(&right.sha256()), "{}", run.stderr);
    assert!(!environment.work().join("wrong").join(WANTED).exists());
    // Nothing was kept from a file that isn't the one that was meant, and the next run has it.
    assert!(files.bytes_served_of(WANTED) > 0);
    drop(download(&right.sha256(), "again").success());
}

#[test]
fn the_rules_apply_to_every_index() {
    let ((pages, _files), usual) = (community(), usual());
    let environment = environment(&usual);
    let root = pages.simple_url();
    let line = ["install", "--dry-run", "--extra-index-url", &root];
    let both = ["bitsandbytes==0.41.1", "triton==3.2.0"];
    let run = environment
        .run([&line[..], &both, &WINDOWS].concat())
        .failure();
    assert!(run.stderr.contains("(BNB-0001)"), "{}", run.stderr);
}

#[test]
fn of_two_links_to_a_file_the_one_with_a_hash_counts() {
    let server = IndexServer::start();
    let wheel = WheelBuilder::new("twice", "1.0").build();
    server.add(&wheel);
    let built = WheelBuilder::new("twice", "1.0").build_tag("7").build();
    server.add(&built);
    let environment = TestEnvironment::new(PROGRAM);
    let page = environment.work().join("links.html");
    let url = |wheel: &BuiltWheel| server.file_url(&wheel.filename);
    let links = format!(
        "<base href='{0}/files/'><a href='{1}'></a><a href='{1}#sha256={2}'></a>",
        server.url(),
        wheel.filename,
        wheel.sha256()
    );
    fs_err::write(&page, &links).unwrap();
    let line = ["install", "--dry-run", "-q", "--no-index", "--report", "-"];
    let report = || {
        let run = environment.run([&line[..], &["-f", "links.html", "twice"]].concat());
        let report: Value = serde_json::from_str(&run.success().stdout).unwrap();
        report["install"][0]["download_info"].clone()
    };
    let found = report();
    assert_eq!(found["url"], url(&wheel));
    assert_eq!(found["archive_info"]["hashes"]["sha256"], wheel.sha256());
    // A higher build number is the better wheel.
    fs_err::write(&page, format!("{links}<a href='{}'></a>", built.filename)).unwrap();
    assert_eq!(report()["url"], url(&built));
}
