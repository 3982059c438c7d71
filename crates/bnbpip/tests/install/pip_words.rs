//! The sentences, in pip's words and order, that scripts look for on the way.

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder, sha256_hex};

use crate::sources;
use crate::support::{environment, last_line, listing};

/// A folder of wheels for `--find-links`, without any index.
fn with_wheels(wheels: &[WheelBuilder]) -> TestEnvironment {
    let environment = environment(&IndexServer::with([] as [HostedFile; 0]));
    for wheel in wheels {
        wheel.build().write_to(&environment.work());
    }
    environment
}

const LOCAL: [&str; 4] = ["install", "--no-index", "--find-links", "."];

#[test]
fn packages_are_told_in_pips_order_and_spelling() {
    let environment = with_wheels(&[
        WheelBuilder::new("Top", "1.0").requires_all(&["Mid", "Other.Leaf"]),
        WheelBuilder::new("Mid", "1.0").requires("Other.Leaf"),
        WheelBuilder::new("Other.Leaf", "1.0"),
        WheelBuilder::new("first", "1.0"),
    ]);
    fs_err::write(environment.work().join("r.txt"), "first\nTOP==1.0\n").unwrap();
    let run = environment.run(LOCAL.iter().chain(&["-r", "r.txt"]));
    let stdout = run.success().stdout;
    let told: Vec<&str> = (stdout.lines())
        .filter(|line| line.starts_with("Processing"))
        .collect();
    let expected = [
        "Processing ./first-1.0-py3-none-any.whl (from -r r.txt (line 1))",
        "Processing ./top-1.0-py3-none-any.whl (from -r r.txt (line 2))",
        "Processing ./mid-1.0-py3-none-any.whl (from TOP==1.0->-r r.txt (line 2))",
        "Processing ./other_leaf-1.0-py3-none-any.whl (from TOP==1.0->-r r.txt (line 2))",
    ];
    let told: Vec<String> = told.iter().map(|line| line.replace('\\', "/")).collect();
    assert_eq!(told, expected);
    // What needs nothing comes first.
    let said = "Installing collected packages: Other.Leaf, first, Mid, TOP\n";
    assert!(stdout.contains(said), "{stdout}");
    assert_eq!(
        last_line(&stdout),
        "Successfully installed Mid-1.0 Other.Leaf-1.0 TOP-1.0 first-1.0"
    );
    // What is there is told with who wants it.
    let run = environment.run(LOCAL.iter().chain(&["-r", "r.txt"]));
    let said = " (from mid->TOP==1.0->-r r.txt (line 2)) (1.0)";
    let stdout = run.success().stdout;
    let either = stdout.contains(said) || stdout.contains(" (from TOP==1.0->-r r.txt (line 2))");
    assert!(either, "{stdout}");
}

#[test]
fn a_conflict_is_told_on_standard_output_too() {
    let environment = with_wheels(&[
        WheelBuilder::new("one", "1.0").requires("base==1.0"),
        WheelBuilder::new("two", "1.0").requires("base==2.0"),
        WheelBuilder::new("base", "1.0"),
        WheelBuilder::new("base", "2.0"),
    ]);
    let run = environment
        .run(LOCAL.iter().chain(&["one", "two"]))
        .failure();
    let said = "The conflict is caused by:\n";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    for line in [
        "one 1.0 depends on base==1.0",
        "two 1.0 depends on base==2.0",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    assert!(
        run.stderr.contains("ResolutionImpossible"),
        "{}",
        run.stderr
    );
    fs_err::write(environment.work().join("c.txt"), "base!=1.0\n").unwrap();
    let line = ["base==1.0", "-c", "c.txt"];
    let run = environment.run(LOCAL.iter().chain(&line)).failure();
    let said = "    The user requested (constraint) base!=1.0";
    assert!(run.stdout.contains(said), "{}", run.stdout);
}

#[test]
fn names_of_what_is_not_there_stay_as_they_were_typed() {
    let environment = with_wheels(&[]);
    let run = environment.run(LOCAL.iter().chain(&["No_Such.Thing>=2"]));
    let stderr = run.failure().stderr;
    let said = "ERROR: No matching distribution found for No_Such.Thing>=2\n";
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn another_python_is_named() {
    let environment = with_wheels(&[WheelBuilder::new("old", "1.0")
        .tag("py2.py3-none-any")
        .requires_python("<3")]);
    let stderr = environment
        .run(LOCAL.iter().chain(&["old"]))
        .failure()
        .stderr;
    let python = environment.interpreter().version().to_string();
    let said = format!("Package 'old' requires a different Python: {python} not in '<3'");
    assert!(stderr.contains(&said), "{stderr}");
    // A major version alone is its first minor one.
    let other = [
        "--dry-run",
        "--python-version=2",
        "--only-binary=:all:",
        "old",
    ];
    drop(environment.run(LOCAL.iter().chain(&other)).success());
}

#[test]
fn a_file_that_is_not_the_one_that_was_meant() {
    let environment = with_wheels(&[]);
    let archive = sources::sdist(
        "src-1.0",
        &sources::project("src", "1.0", "\"requires\": []"),
    );
    fs_err::write(environment.work().join("src-1.0.tar.gz"), &archive).unwrap();
    let address = url::Url::from_file_path(environment.work().join("src-1.0.tar.gz")).unwrap();
    let right = sha256_hex(&archive);
    for digest in ["invalid", &"0".repeat(64)] {
        let line = [
            "install",
            "--no-index",
            &format!("{address}#sha256={digest}"),
        ];
        let stderr = environment.run(line).failure().stderr;
        let said = "THESE PACKAGES DO NOT MATCH THE HASHES";
        assert!(stderr.contains(said), "{stderr}");
        assert!(stderr.contains(&format!("Got        {right}")), "{stderr}");
    }
    let line = "src==1.0 --hash=sha256:invalid\n";
    fs_err::write(environment.work().join("wrong.txt"), line).unwrap();
    let run = environment.run(["install", "--no-index", "-r", "wrong.txt"]);
    let stderr = run.failure().stderr;
    assert!(
        stderr.contains("DO NOT MATCH THE HASHES") && stderr.contains("64 hexadecimal digits"),
        "{stderr}"
    );
    assert_eq!(environment.installed(), [""; 0]);
    // The digest that another package tells is nothing that the user trusts.
    let wheel =
        WheelBuilder::new("top", "1.0").requires(&format!("src @ {address}#sha256={right}"));
    let wheel = wheel.build();
    wheel.write_to(&environment.work());
    let pinned = format!("top==1.0 --hash=sha256:{}\n", sha256_hex(&wheel.bytes));
    fs_err::write(environment.work().join("r.txt"), pinned).unwrap();
    let run = environment.run(LOCAL.iter().chain(&["--require-hashes", "-r", "r.txt"]));
    let stderr = run.failure().stderr;
    let said = "Hashes are required in --require-hashes mode";
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn a_folder_by_a_relative_address() {
    let environment = with_wheels(&[]);
    let files = sources::project("inplace", "1.0", "\"requires\": []");
    sources::write(&files, &environment.work().join("sub/inplace"));
    for line in [
        &["install", "--no-index", "file:sub/inplace#egg=inplace"][..],
        &[
            "install",
            "--no-index",
            "-e",
            "file:sub/inplace#egg=inplace",
        ],
    ] {
        let stdout = environment.run(line).success().stdout;
        assert_eq!(last_line(&stdout), "Successfully installed inplace-1.0");
    }
    let line = [
        "install",
        "--no-index",
        "-e",
        "file:sub/inplace#egg=another",
    ];
    let stderr = environment.run(line).failure().stderr;
    let said = "has inconsistent name: expected 'another', but metadata has 'inplace'";
    assert!(stderr.contains(said), "{stderr}");
    let said = "Generating metadata for package another produced metadata for project name inplace. \
                Fix your #egg=another fragments.";
    assert!(stderr.contains(said), "{stderr}");
    fs_err::create_dir(environment.work().join("empty")).unwrap();
    let stderr = environment.run(["install", "-e", "empty"]).failure().stderr;
    let said =
        "does not appear to be a Python project: neither 'setup.py' nor 'pyproject.toml' found";
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn a_folder_is_told_by_its_place_and_what_it_needs_by_its_version() {
    let environment = with_wheels(&[WheelBuilder::new("leaf", "1.0")]);
    let files = sources::project("Here", "1.0", "\"requires\": [\"leaf\"]");
    sources::write(&files, &environment.work().join("here"));
    for (line, step) in [
        ("./here", "Preparing metadata"),
        ("-e ./here", "Preparing editable metadata"),
    ] {
        fs_err::write(environment.work().join("r.txt"), line).unwrap();
        let run = environment.run(LOCAL.iter().chain(&["-r", "r.txt", "--force-reinstall"]));
        let stdout = run.success().stdout.replace('\\', "/");
        let place = if line == "./here" {
            "Processing ./here\n"
        } else {
            "/here (from -r r.txt (line 1))\n"
        };
        assert!(stdout.contains(place), "{stdout}");
        let said = format!("{step} (pyproject.toml): started\n");
        assert!(stdout.contains(&said), "{stdout}");
        let said = "leaf-1.0-py3-none-any.whl (from Here==1.0->-r r.txt (line 1))\n";
        assert!(stdout.contains(said), "{stdout}");
    }
}

#[test]
fn a_failed_build_leaves_the_other_wheels_in_the_cache() {
    let environment = with_wheels(&[]);
    for (name, more) in [("good", "\"requires\": []"), ("bad", "\"fails\": \"x\"")] {
        let archive = sources::sdist(&format!("{name}-1.0"), &sources::project(name, "1.0", more));
        fs_err::write(
            environment.work().join(format!("{name}-1.0.tar.gz")),
            archive,
        )
        .unwrap();
    }
    let stdout = environment
        .run(LOCAL.iter().chain(&["bad", "good"]))
        .failure()
        .stdout;
    for said in ["Building wheel for good", "Failed to build bad"] {
        assert!(stdout.contains(said), "{stdout}");
    }
    let stdout = environment
        .run(LOCAL.iter().chain(&["good"]))
        .success()
        .stdout;
    let said = "  Using cached good-1.0-py3-none-any.whl";
    assert!(stdout.contains(said), "{stdout}");
}

#[test]
fn each_file_is_told_once_with_its_size() {
    let server = IndexServer::start();
    let payload = "x = '0123456789'\n".repeat(1_000);
    let wheel = WheelBuilder::new("big", "1.0").file("big.py", &payload);
    server.add(wheel.build());
    sources::served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let files = |arguments: &[&str]| -> Vec<String> {
        let stdout = environment.run(arguments).success().stdout;
        let files = stdout.lines().filter(|it| {
            it.contains("src-1.0.tar.gz (") || it.contains("big-1.0-py3-none-any.whl (")
        });
        files.map(str::to_owned).collect()
    };
    let told = files(&["install", "big", "src"]);
    let [source, wheel] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        source.starts_with("  Downloading src-1.0.tar.gz ("),
        "{source}"
    );
    assert!(
        wheel.starts_with("  Downloading big-1.0-py3-none-any.whl ("),
        "{wheel}"
    );
    let size = wheel.rsplit('(').next().unwrap_or_default();
    assert!(
        size.ends_with(" kB)") || size.ends_with(" bytes)"),
        "{wheel}"
    );
    for arguments in [
        ["install", "--force-reinstall", "big", "src"].as_slice(),
        &["download", "big", "src"],
        &["wheel", "-w", "wheels", "big", "src"],
    ] {
        let cached = told
            .iter()
            .map(|it| it.replace("Downloading", "Using cached"));
        let mut again = files(arguments);
        again.sort_by_key(|it| it.contains("big"));
        assert_eq!(again, cached.collect::<Vec<_>>(), "{arguments:?}");
    }
}

#[test]
fn a_repository_is_downloaded_as_an_archive_of_its_files() {
    let environment = with_wheels(&[]);
    let repository = environment.work().join("repo");
    sources::write(
        &sources::project("kept", "2.0", "\"requires\": []"),
        &repository,
    );
    sources::git(&repository, &["init", "-q"]);
    sources::git(&repository, &["add", "."]);
    sources::git(&repository, &["commit", "-q", "-m", "all"]);
    let address = url::Url::from_file_path(&repository).unwrap();
    let line = [
        "download",
        "--no-index",
        "-d",
        "out",
        &format!("git+{address}"),
    ];
    drop(environment.run(line).success());
    assert_eq!(listing(&environment.work().join("out")), ["kept-2.0.zip"]);
    let line = ["install", "--no-index", "out/kept-2.0.zip"];
    let stdout = environment.run(line).success().stdout;
    assert_eq!(last_line(&stdout), "Successfully installed kept-2.0");
}
