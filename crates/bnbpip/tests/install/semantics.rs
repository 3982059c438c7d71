//! Where other installers mean something else than pip: one test for each.

use bnbpip_packaging::record;
use bnbpip_testing::{IndexServer, WheelBuilder, sha256_hex};

use crate::support::{environment, index, last_line, listing};

#[test]
fn an_upgrade_leaves_dependencies_that_do() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "top==1.0", "base==1.0"])
            .success(),
    );
    let run = environment.run(["install", "-U", "top"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed top-2.0");
    let eager = ["install", "-U", "--upgrade-strategy", "eager", "top"];
    let run = environment.run(eager).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-2.0");
}

#[test]
fn an_upper_bound_of_requires_python_counts() {
    let wheels = [
        WheelBuilder::new("old", "1.0").requires_python(">=2.7"),
        WheelBuilder::new("old", "2.0").requires_python(">=2.7,<3"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    for more in [&[][..], &["--no-deps"]] {
        let environment = environment(&server);
        let line = ["install", "old"];
        drop(environment.run(line.iter().chain(more)).success());
        assert_eq!(environment.installed(), ["old-1.0"]);
        let pinned = ["install", "old==2.0"];
        let run = environment.run(pinned.iter().chain(more)).failure();
        assert!(run.stderr.contains("Python"), "{}", run.stderr);
        let anyway = ["install", "old==2.0", "--ignore-requires-python"];
        drop(environment.run(anyway.iter().chain(more)).success());
    }
}

#[test]
fn requested_is_what_the_user_named() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("r.txt"), "top\n").unwrap();
    fs_err::write(environment.work().join("c.txt"), "base<2\nhelper==0.3\n").unwrap();
    let line = ["install", "-r", "r.txt", "-c", "c.txt"];
    drop(environment.run(line).success());
    let is_requested = |name: &str| {
        let info = environment
            .site_packages()
            .join(format!("{name}.dist-info"));
        info.join("REQUESTED").exists()
    };
    assert!(is_requested("top-2.0"));
    assert!(!is_requested("base-1.5"));
}

#[test]
fn hashes_of_all_lines_about_a_package_have_to_allow_the_file() {
    let server = index();
    let environment = environment(&server);
    let wheel = WheelBuilder::new("base", "1.0").build();
    let (right, wrong) = (sha256_hex(&wheel.bytes), "0".repeat(64));
    let install = |requirement: &str, constraint: &str| {
        fs_err::write(environment.work().join("r.txt"), requirement).unwrap();
        fs_err::write(environment.work().join("c.txt"), constraint).unwrap();
        environment.run(["install", "-r", "r.txt", "-c", "c.txt", "--dry-run"])
    };
    let both = format!("base==1.0 --hash=sha256:{right} --hash=sha256:{wrong}\n");
    let one = format!("base==1.0 --hash=sha256:{right}\n");
    let other = format!("base==1.0 --hash=sha256:{wrong}\n");
    drop(install(&both, &one).success());
    drop(install(&one, &both).success());
    drop(install(&format!("{both}{one}"), "").success());
    drop(install(&one, &other).failure());
    drop(install(&format!("{one}{other}"), "").failure());
}

#[test]
fn extras_in_a_constraints_file_are_an_error() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("c.txt"), "top[more]==2.0\n").unwrap();
    let run = environment.run(["install", "top", "-c", "c.txt"]).failure();
    let said = "ERROR: Constraints cannot have extras";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(environment.installed(), [""; 0]);
}

/// Every file below the library and the scripts stands in some RECORD, byte-code too.
#[test]
fn every_installed_file_is_recorded() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(environment.run(["install", "top[more]", "tool"]).success());
    let library = environment.site_packages();
    let mut recorded = Vec::new();
    let names = listing(&library);
    for name in names.iter().filter(|name| name.contains(".dist-info")) {
        let text = fs_err::read_to_string(library.join(name).join("RECORD")).unwrap();
        let rows = record::parse(&text).unwrap();
        recorded.extend(rows.into_iter().map(|row| normal(&library.join(row.path))));
    }
    assert!(recorded.iter().any(|path| path.contains(".pyc")));
    for (path, content) in &environment.fingerprint() {
        let is_folder = content == "folder";
        let is_own = is_folder || before.contains_key(path);
        let place = normal(&environment.venv().join(path));
        assert!(is_own || recorded.contains(&place), "{place}");
    }
}

/// A path without `..`, as text.
fn normal(path: &std::path::Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// Into the user's own folder. A virtual environment has none, unless it sees the system's
/// packages.
#[cfg(unix)]
#[test]
fn into_the_users_folder() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["install", "--user", "tool"]).failure();
    let said = "Can not perform a '--user' install. User site-packages are not visible in this \
                virtualenv.";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let configuration = environment.venv().join("pyvenv.cfg");
    let text = fs_err::read_to_string(&configuration).unwrap();
    let text = text.replace(
        "include-system-site-packages = false",
        "include-system-site-packages = true",
    );
    fs_err::write(&configuration, text).unwrap();
    server.add(
        WheelBuilder::new("native", "1.0")
            .data("headers", "native.h", "")
            .build(),
    );
    let line = ["install", "--user", "tool", "native"];
    let run = environment.run(line).success();
    assert_eq!(environment.installed(), [""; 0]);
    let users = environment.home().join(".local");
    assert!(users.join("bin/run-tool").is_file());
    let said = format!(
        "The script run-tool is installed in '{}' which is not on PATH.",
        users.join("bin").display()
    );
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    let library = environment.site_packages();
    let python = library.parent().unwrap().file_name().unwrap();
    let headers = users.join("include/site").join(python);
    assert!(headers.join("native/native.h").is_file());
    let run = environment.run(["list", "--user"]).success();
    assert!(run.stdout.contains("tool"), "{}", run.stdout);
}

#[test]
fn nothing_is_left_in_the_temporary_folder() {
    let server = index();
    let environment = environment(&server);
    let temporary = environment.root().join("tmp");
    for line in [
        "install top tool",
        "install nothing-of-that-name",
        "install -U base==1.0 --no-deps",
        "download -d out top",
        "wheel -w out top",
        "uninstall -y tool",
    ] {
        drop(environment.run(line.split(' ')));
        assert_eq!(listing(&temporary), [""; 0], "{line}");
    }
}

#[test]
fn show_spells_names_as_projects_do() {
    let wheels = [
        WheelBuilder::new("Mixed_Case.Name", "1.0"),
        WheelBuilder::new("Needs-It", "1.0").requires("mixed-case_name"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    let run = environment.run(["install", "needs_it"]).success();
    assert!(last_line(&run.stdout).starts_with("Successfully installed "));
    let run = environment.run(["show", "mixed.case-name"]).success();
    assert!(
        run.stdout.contains("Name: Mixed_Case.Name\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("Required-by: Needs-It"),
        "{}",
        run.stdout
    );
}

/// The command line's come first, then the files', in the order in which they stand.
#[test]
fn binaries_by_the_order_of_command_line_and_files() {
    let server = index();
    crate::sources::served(&server, "both", "1.0", "");
    server.add(WheelBuilder::new("both", "1.0").build());
    let environment = environment(&server);
    let is_built = |line: &str, file: &str| {
        fs_err::write(environment.work().join("r.txt"), file).unwrap();
        let words = [
            "install",
            "--no-cache-dir",
            "--force-reinstall",
            "-r",
            "r.txt",
        ];
        let more = line.split_whitespace();
        let run = environment.run(words.into_iter().chain(more)).success();
        run.stderr.contains("Building both 1.0 from source")
    };
    assert!(!is_built("", "both\n"));
    assert!(is_built("--no-binary both", "both\n"));
    assert!(is_built("--only-binary both --no-binary both", "both\n"));
    assert!(!is_built("--no-binary both --only-binary both", "both\n"));
    assert!(!is_built("--no-binary both", "--only-binary both\nboth\n"));
    assert!(is_built("--only-binary both", "--no-binary both\nboth\n"));
    let twice = "--no-binary both\n--only-binary :all:\n--no-binary both\nboth\n";
    assert!(is_built("--only-binary :all:", twice));
}
