//! Metadata that an index has beside its files (PEP 658), in an index on this machine.

use std::path::{Path, PathBuf};

use bnbpip_testing::{TestEnvironment, WheelBuilder};

use crate::support::{PROGRAM, last_line, listing};

/// An index in a folder.
struct Pages(PathBuf);

impl Pages {
    fn below(environment: &TestEnvironment) -> Self {
        let root = environment.work().join("pages");
        fs_err::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn address(&self) -> String {
        url::Url::from_file_path(&self.0).unwrap().to_string()
    }

    /// A file, and what its index says of its metadata.
    fn add(&self, project: &str, filename: &str, content: &[u8], told: Option<&str>) {
        let folder = self.0.join(project);
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(folder.join(filename), content).unwrap();
        let mut attribute = "";
        if let Some(told) = told {
            fs_err::write(folder.join(format!("{filename}.metadata")), told).unwrap();
            attribute = " data-dist-info-metadata='true'";
        }
        let page = folder.join("index.html");
        let mut text = fs_err::read_to_string(&page).unwrap_or_default();
        let link = format!("<a href='{filename}'{attribute}>{filename}</a>\n");
        text.push_str(&link);
        fs_err::write(page, text).unwrap();
    }

    fn add_wheel(&self, wheel: &WheelBuilder, told: Option<&str>) {
        let wheel = wheel.build();
        let name = wheel.filename.split('-').next().unwrap();
        self.add(name, &wheel.filename, &wheel.bytes, told);
    }
}

fn metadata(name: &str, requires: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: {requires}\n")
}

#[test]
fn of_a_source_it_saves_a_build() {
    let environment = TestEnvironment::new(PROGRAM);
    let pages = Pages::below(&environment);
    pages.add_wheel(&WheelBuilder::new("needed", "1"), None);
    // No archive at all: who opened it would fail.
    let told = metadata("src", "needed");
    pages.add("src", "src-1.tar.gz", b"", Some(&told));
    let index = pages.address();
    let run = environment.run(["install", "--dry-run", "src", "-i", &index]);
    assert_eq!(
        last_line(&run.success().stdout),
        "Would install needed-1 src-1"
    );
    let run = environment.run(["download", "src", "-d", "here", "-i", &index]);
    drop(run.success());
    let files = ["needed-1-py3-none-any.whl", "src-1.tar.gz"];
    assert_eq!(listing(&environment.work().join("here")), files);
}

#[test]
fn of_another_project_it_counts_out_the_source() {
    let environment = TestEnvironment::new(PROGRAM);
    let pages = Pages::below(&environment);
    let told = metadata("other", "needed");
    pages.add("src", "src-1.tar.gz", b"", Some(&told));
    let run = environment.run(["download", "src==1", "-i", &pages.address()]);
    let run = run.failure();
    let said = "src-1.tar.gz has inconsistent Name: expected 'src', but metadata has 'other'";
    assert_eq!(run.stdout.matches(said).count(), 1, "{}", run.stdout);
}

#[test]
fn a_wheel_has_to_keep_to_it() {
    let environment = TestEnvironment::new(PROGRAM);
    let pages = Pages::below(&environment);
    let told = metadata("liar", "needed");
    pages.add_wheel(&WheelBuilder::new("liar", "1"), Some(&told));
    pages.add_wheel(&WheelBuilder::new("needed", "1"), None);
    let index = pages.address();
    let run = environment.run(["install", "--dry-run", "liar", "-i", &index]);
    assert_eq!(
        last_line(&run.success().stdout),
        "Would install liar-1 needed-1"
    );
    for command in [&["install"][..], &["download", "-d", "here"]] {
        let run = environment.run([command, &["liar", "-i", &index]].concat());
        let run = run.failure();
        let said = "has inconsistent Requires-Dist between its PEP 658 .metadata file and the \
            wheel's METADATA: sidecar has 'needed', wheel has ''";
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(!run.stderr.contains("from ``"), "{}", run.stderr);
    }
    assert_eq!(environment.installed(), [""; 0]);
    assert!(
        !Path::new(&environment.work())
            .join("here/liar-1-py3-none-any.whl")
            .exists()
    );
}

#[test]
fn what_never_ends_or_is_too_long_is_not_read() {
    let environment = TestEnvironment::new(PROGRAM);
    let pages = Pages::below(&environment);
    pages.add_wheel(&WheelBuilder::new("long", "1"), Some(""));
    let told = pages.0.join("long/long-1-py3-none-any.whl.metadata");
    let refused = || {
        let run = environment.run(["install", "--dry-run", "long", "-i", &pages.address()]);
        let run = run.failure();
        let said = "it is no file of at most 16777216 bytes";
        assert!(run.stderr.contains(said), "{}", run.stderr);
    };
    let file = fs_err::File::create(&told).unwrap();
    file.set_len((16 << 20) + 1).unwrap();
    refused();
    #[cfg(unix)]
    {
        fs_err::remove_file(&told).unwrap();
        fs_err::os::unix::fs::symlink("/dev/zero", &told).unwrap();
        refused();
    }
}
