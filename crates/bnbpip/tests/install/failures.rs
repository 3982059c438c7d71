//! Everything that can go wrong: what is said, the exit code, and the environment as it was.

#[cfg(unix)]
use std::net::TcpListener;

use bnbpip_testing::{
    Fault, HashInPage, HostedFile, IndexServer, TestEnvironment, WheelBuilder, WheelFault,
};
use insta::assert_snapshot;

use crate::support::{PROGRAM, content, environment, index};

/// Runs what must be refused, and gives the output. Whatever was in the environment is as before.
fn refused(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let before = content(environment);
    let run = environment.run(arguments);
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert_eq!(content(environment), before, "{}", run.stderr);
    let filters = environment
        .filters()
        .with(r"Python \d+\.\d+\.\d+", "Python [VERSION]")
        .with(r"this is \d+\.\d+\.\d+", "this is [VERSION]")
        .with(r"Python: \d+\.\d+\.\d+", "Python: [VERSION]")
        .with(r"\bcp3\d+\b", "[TAG]")
        .with(
            r"\b(?:manylinux|musllinux|linux|macosx|win)_\w+\b",
            "[PLATFORM]",
        )
        .with(r"(?:pip|bnbpip)/[\d.]+", "[PROGRAM]")
        .with(r"Target .* on .*", "Target [PYTHON]")
        .with(r"os error \d+", "os error [CODE]")
        .with("[0-9a-f]{64}", "[SHA256]");
    run.snapshot(&filters)
}

/// The same with an environment that holds something already.
fn refused_after(server: &IndexServer, first: &[&str], arguments: &[&str]) -> String {
    let environment = environment(server);
    drop(environment.run(first).success());
    refused(&environment, arguments)
}

#[test]
fn unknown_package() {
    let server = index();
    assert_snapshot!(refused_after(
        &server,
        &["install", "base"],
        &["install", "-U", "base", "nonesuch"]
    ));
}

#[test]
fn no_such_version() {
    let server = index();
    assert_snapshot!(refused_after(
        &server,
        &["install", "base==1.0"],
        &["install", "base>=3"]
    ));
}

#[test]
fn no_wheel_for_this_python() {
    let server = index();
    server.add(
        WheelBuilder::new("old", "1.0")
            .tag("cp36-cp36m-linux_x86_64")
            .build(),
    );
    server.add(
        WheelBuilder::new("old", "1.1")
            .tag("cp27-cp27mu-linux_x86_64")
            .build(),
    );
    assert_snapshot!(refused(&environment(&server), &["install", "old"]));
}

#[test]
fn no_wheel_for_this_platform() {
    let server = index();
    server.add(
        WheelBuilder::new("other", "1.0")
            .tag("py3-none-plan9_mips")
            .build(),
    );
    server.add(
        WheelBuilder::new("other", "1.0")
            .tag("py3-none-haiku_1_x86")
            .build(),
    );
    assert_snapshot!(refused(&environment(&server), &["install", "other"]));
}

#[test]
fn requires_another_python() {
    let server = index();
    server.add(
        WheelBuilder::new("future", "1.0")
            .requires_python(">=3.99")
            .build(),
    );
    assert_snapshot!(refused(&environment(&server), &["install", "future"]));
}

#[test]
fn only_a_source_distribution() {
    let server = index();
    server.add(HostedFile::other("src", "src-1.0.tar.gz", &b"no wheel"[..]));
    assert_snapshot!(refused(
        &environment(&server),
        &["install", "src", "--only-binary", ":all:"]
    ));
}

#[test]
fn conflict() {
    let server = index();
    server.add(
        WheelBuilder::new("needs-old", "1.0")
            .requires("base<2")
            .build(),
    );
    server.add(
        WheelBuilder::new("needs-new", "1.0")
            .requires("base>=2")
            .build(),
    );
    assert_snapshot!(refused_after(
        &server,
        &["install", "base==1.0"],
        &["install", "needs-old", "needs-new"]
    ));
}

#[test]
fn hash_mismatch() {
    let server = index();
    let wheel = WheelBuilder::new("changed", "1.0").requires("base").build();
    server.add(HostedFile::from(wheel).hash(HashInPage::Wrong));
    assert_snapshot!(refused(&environment(&server), &["install", "changed"]));
}

#[test]
fn truncated_wheel() {
    let server = index();
    let noise: Vec<u8> = (0..50_000u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let wheel = WheelBuilder::new("cut", "1.0")
        .file("cut/noise.bin", noise)
        .build();
    server.add(&wheel);
    let environment = environment(&server);
    drop(environment.run(["install", "--dry-run", "cut"]).success());
    server.plan_fault("/files/cut-1.0", 100, Fault::TruncateAfter(100));
    let arguments = ["install", "--retries", "0", "cut", "base"];
    assert_snapshot!(refused(&environment, &arguments));
}

#[test]
fn corrupt_wheel() {
    let server = index();
    let wheel = WheelBuilder::new("corrupt", "1.0")
        .file("corrupt/data.txt", "text ".repeat(100))
        .fault(WheelFault::CorruptMember("corrupt/data.txt".into()));
    server.add(wheel.build());
    assert_snapshot!(refused(
        &environment(&server),
        &["install", "corrupt", "base"]
    ));
}

#[test]
fn dangerous_wheel() {
    let server = index();
    let wheel = WheelBuilder::new("evil", "1.0").fault(WheelFault::Member("../../evil.py".into()));
    server.add(wheel.build());
    assert_snapshot!(refused(&environment(&server), &["install", "evil", "base"]));
}

#[test]
fn wheel_without_its_metadata() {
    let server = index();
    server.configure(|options| options.metadata_files = false);
    server.add(
        WheelBuilder::new("bare", "1.0")
            .fault(WheelFault::NoMetadata)
            .build(),
    );
    assert_snapshot!(refused(&environment(&server), &["install", "bare"]));
}

/// The system's own words are part of it.
#[cfg(unix)]
#[test]
fn network_down() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let environment = TestEnvironment::new(PROGRAM);
    let url = format!("http://127.0.0.1:{port}/simple/");
    let arguments = ["install", "--retries", "0", "--index-url", &url, "base"];
    assert_snapshot!(refused(&environment, &arguments));
}

#[test]
fn tls_failure() {
    let server = index();
    let environment = TestEnvironment::new(PROGRAM);
    let url = server.simple_url().replace("http://", "https://");
    let arguments = ["install", "--retries", "0", "--index-url", &url, "base"];
    assert_snapshot!(refused(&environment, &arguments));
}

#[test]
fn credentials_wanted() {
    let server = index();
    server.configure(|options| options.credentials = Some(("me".into(), "secret".into())));
    let environment = environment(&server);
    let without = refused(&environment, &["install", "base"]);
    let url = server.simple_url_with("me", "guessed");
    let wrong = refused(&environment, &["install", "--index-url", &url, "base"]);
    assert!(!wrong.contains("guessed"), "{wrong}");
    assert_snapshot!(format!("{without}\n=====\n{wrong}"));
    let url = server.simple_url_with("me", "secret");
    let run = environment
        .run(["install", "-v", "--index-url", &url, "base"])
        .success();
    assert!(!format!("{run:?}").contains("secret"), "{run:?}");
}

#[test]
fn index_in_trouble() {
    let server = index();
    server.plan_fault("/simple/base", 100, Fault::Status(503));
    let arguments = ["install", "--retries", "0", "base"];
    assert_snapshot!(refused(&environment(&server), &arguments));
}

#[test]
fn a_server_says_in_its_own_words_why_it_refuses() {
    let server = index();
    let words = "Quarantined: see https://intranet/policy";
    server.plan_fault("/files/", 100, Fault::Refusal(403, words.into()));
    let said = refused(&environment(&server), &["install", "--no-deps", "base"]);
    let told = format!("answered 403 {words}\n");
    assert!(said.contains(&told), "{said}");
}

#[test]
fn captive_portal() {
    let server = index();
    let page = "<html><body>Please log in to this network</body></html>";
    server.plan_fault("", 1000, Fault::Html(page.into()));
    assert_snapshot!(refused(&environment(&server), &["install", "base"]));
}

#[test]
fn offline_with_an_empty_cache() {
    let server = index();
    let arguments = ["install", "--offline", "base"];
    assert_snapshot!(refused(&environment(&server), &arguments));
    assert_eq!(server.requests().len(), 0);
}

/// A file stands where a folder is needed: that stops everybody, the system's administrator too.
#[cfg(unix)]
#[test]
fn a_place_that_can_not_be_written() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("lib"), "in the way").unwrap();
    let arguments = ["install", "--target", "lib/below", "base"];
    assert_snapshot!(refused(&environment, &arguments));
}

#[test]
fn no_environment() {
    let server = index();
    let environment = TestEnvironment::bare(PROGRAM).with_index(&server);
    let empty = environment.root().join("tmp");
    let output = environment
        .command()
        .env("PATH", &empty)
        .args(["install", "base"])
        .output()
        .unwrap();
    let run = bnbpip_testing::Run::from(output);
    assert_snapshot!(run.snapshot(&environment.filters()));
    assert_eq!(server.requests().len(), 0);
}

/// A Python that another package manager looks after: a virtual environment's own, by a marker
/// in the standard library that a fake home gives it.
#[cfg(unix)]
#[test]
fn externally_managed() {
    let server = index();
    let environment = TestEnvironment::bare(PROGRAM).with_index(&server);
    let base = bnbpip_testing::environment::base_interpreter();
    let prefix = environment.root().join("system");
    let version = base.schemes.prefix.purelib.parent().unwrap();
    let stdlib = prefix.join("lib").join(version.file_name().unwrap());
    fs_err::create_dir_all(stdlib.join("site-packages")).unwrap();
    fs_err::create_dir_all(prefix.join("bin")).unwrap();
    let message = "[externally-managed]\nError=To install Python packages system-wide, use the\n \
                   system's own tool.\n";
    fs_err::write(stdlib.join("EXTERNALLY-MANAGED"), message).unwrap();
    for entry in fs_err::read_dir(version).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name != "site-packages" && name != "EXTERNALLY-MANAGED" {
            std::os::unix::fs::symlink(entry.path(), stdlib.join(name)).unwrap();
        }
    }
    let python = prefix.join("bin/python3");
    fs_err::copy(&base.sys_executable, &python).unwrap();
    let run = |more: &[&str]| {
        let python = python.display().to_string();
        let arguments = ["install", "base", "--python", &python];
        environment.run(arguments.iter().chain(more))
    };
    let refused = run(&[]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let filters = environment
        .filters()
        .with(r"Python \d+\.\d+\.\d+", "Python [VERSION]");
    assert_snapshot!(refused.snapshot(&filters));
    let folder = stdlib.join("site-packages");
    assert_eq!(crate::support::listing(&folder), Vec::<String>::new());
    assert_eq!(server.requests().len(), 0);
    drop(run(&["--break-system-packages"]).success());
    assert!(folder.join("base-2.0.dist-info").exists());
}

#[test]
fn bad_requirements() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("r.txt"), "base\n# more\ntop=>1\n").unwrap();
    let texts: Vec<String> = [
        &["install", "base=1.0"][..],
        &["install", "base[more"],
        &["install", "base>=1; python_version >"],
        &["install", "-r", "r.txt"],
        &["install", "-r", "gone.txt"],
        &["install", "gone-1.0-py3-none-any.whl"],
        &["install", "./folder"],
        &["install"],
    ]
    .iter()
    .map(|arguments| {
        format!(
            "$ {}\n{}",
            arguments.join(" "),
            refused(&environment, arguments)
        )
    })
    .collect();
    assert_snapshot!(texts.join("\n"));
    assert_eq!(server.requests().len(), 0);
}

/// Names that end in a sign: the requirement is wrong, from the command line or in a package.
#[test]
fn names_that_end_in_a_sign() {
    let server = index();
    server.add(
        WheelBuilder::new("wrong", "1.0")
            .requires("base_>=1")
            .build(),
    );
    let environment = environment(&server);
    let before = content(&environment);
    let said = "name must end with an alphanumeric character, not";
    for (requirement, message) in [
        ("base_>=1", said),
        ("base[more-]", said),
        ("wrong", "wrong 1.0 has metadata that can't be read"),
    ] {
        let run = environment.run(["install", requirement]).failure();
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    assert_eq!(content(&environment), before);
}

#[test]
fn rules() {
    let server = index();
    for (name, version) in [
        ("bitsandbytes", "0.43.0"),
        ("triton", "3.2.0"),
        ("triton", "3.1.0"),
    ] {
        server.add(WheelBuilder::new(name, version).build());
    }
    let environment = environment(&server);
    let arguments = ["install", "bitsandbytes==0.43.0", "triton==3.2.0"];
    assert_snapshot!(refused(&environment, &arguments));
}
