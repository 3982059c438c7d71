//! Installing, installing again, upgrading, and what is then on disk.

use bnbpip_packaging::record;
use bnbpip_testing::{Run, WheelBuilder};

use crate::support::{environment, index, last_line, listing};

#[test]
fn more_packages_than_are_fetched_at_once() {
    let server = index();
    let names: Vec<String> = (0..300).map(|number| format!("many{number}")).collect();
    for name in &names {
        server.add(WheelBuilder::new(name, "1.0").build());
    }
    let environment = environment(&server);
    let mut arguments = vec!["install"];
    arguments.extend(names.iter().map(String::as_str));
    drop(environment.run(arguments).success());
    assert_eq!(environment.installed().len(), names.len());
}

#[test]
fn a_package_comes_with_what_it_needs() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["install", "Top==1.*"]).success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed Top-1.0 base-2.0"
    );
    assert_eq!(environment.installed(), ["base-2.0", "top-1.0"]);
    let code = "import top, base; print(top.__version__, base.__version__)";
    assert_eq!(environment.python(code).success().stdout.trim(), "1.0 2.0");
    // Only what was named is marked as asked for.
    let site_packages = environment.site_packages();
    let is_requested = |name: &str| site_packages.join(name).join("REQUESTED").exists();
    assert!(is_requested("top-1.0.dist-info"));
    assert!(!is_requested("base-2.0.dist-info"));
    let installer = site_packages.join("base-2.0.dist-info/INSTALLER");
    assert_eq!(fs_err::read_to_string(installer).unwrap(), "bnbpip\n");
    assert!(
        !site_packages
            .join("top-1.0.dist-info/direct_url.json")
            .exists()
    );
}

#[test]
fn what_is_there_already_costs_no_request() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "top[more]"]).success());
    let before = environment.fingerprint();
    server.forget_requests();
    let run = environment
        .run(["install", "top[more]", "base>1"])
        .success();
    assert_eq!(server.requests().len(), 0);
    assert_eq!(environment.fingerprint(), before);
    assert!(
        run.stdout
            .contains("Requirement already satisfied: top[more] in ")
            && run
                .stdout
                .contains("Requirement already satisfied: base>1 in ")
            && run.stdout.contains("(from top[more])"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("Successfully"), "{}", run.stdout);
}

#[test]
fn upgrading_changes_what_was_named_and_what_must() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "top==1.0", "base==1.0"])
            .success(),
    );
    let run = environment.run(["install", "top"]).success();
    assert!(run.stdout.contains("already satisfied"), "{}", run.stdout);
    let run = environment.run(["install", "-U", "top"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed top-2.0");
    assert_eq!(environment.installed(), ["base-1.0", "top-2.0"]);
    let eager = ["install", "-U", "--upgrade-strategy", "eager", "top"];
    let run = environment.run(eager).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-2.0");
    assert_eq!(environment.installed(), ["base-2.0", "top-2.0"]);
    // The newest version is there: nothing is installed again.
    let before = environment.fingerprint();
    let run = environment.run(["install", "-U", "top", "base"]).success();
    assert!(!run.stdout.contains("Successfully"), "{}", run.stdout);
    assert_eq!(environment.fingerprint(), before);
    let run = environment.run(["install", "base<2"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-1.5");
    assert_eq!(environment.installed(), ["base-1.5", "top-2.0"]);
}

#[test]
fn reinstalling_mends_what_was_damaged() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "top"]).success());
    let module = environment.site_packages().join("base/__init__.py");
    let module = if module.exists() {
        module
    } else {
        environment.site_packages().join("base.py")
    };
    let content = fs_err::read(&module).unwrap();
    fs_err::remove_file(&module).unwrap();
    let run = environment
        .run(["install", "--force-reinstall", "top"])
        .success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-2.0 top-2.0"
    );
    assert_eq!(fs_err::read(&module).unwrap(), content);
    let alone = ["install", "--force-reinstall", "--no-deps", "top"];
    let run = environment.run(alone).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed top-2.0");
    let run = environment.run(["install", "-I", "base==1.0"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed base-1.0");
    assert_eq!(environment.installed(), ["base-1.0", "top-2.0"]);
}

#[test]
fn dependencies_can_be_left_out() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["install", "--no-deps", "top"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed top-2.0");
    assert_eq!(environment.installed(), ["top-2.0"]);
    assert_eq!(server.requests_for("/base").len(), 0);
}

#[test]
fn files_give_requirements_and_constraints() {
    let server = index();
    let environment = environment(&server);
    let work = environment.work();
    fs_err::write(work.join("r.txt"), "# all\ntop[more] \\\n  >=1\n-c c.txt\n").unwrap();
    fs_err::write(work.join("c.txt"), "base<2\ntool==9\n").unwrap();
    fs_err::write(work.join("d.txt"), "base!=1.5\n").unwrap();
    let run = environment
        .run(["install", "-r", "r.txt", "-c", "d.txt"])
        .success();
    assert_eq!(
        last_line(&run.stdout),
        "Successfully installed base-1.0 helper-0.3 top-2.0"
    );
    let site_packages = environment.site_packages();
    assert!(site_packages.join("top-2.0.dist-info/REQUESTED").exists());
    assert!(!site_packages.join("base-1.0.dist-info/REQUESTED").exists());
}

#[test]
fn an_extra_that_does_not_exist_is_named() {
    let server = index();
    let environment = environment(&server);
    let run = environment.run(["install", "top[nonsense]"]).success();
    assert!(
        run.stderr
            .contains("WARNING: top 2.0 does not provide the extra 'nonsense'"),
        "{}",
        run.stderr
    );
    assert_eq!(environment.installed(), ["base-2.0", "top-2.0"]);
}

#[test]
fn record_lists_every_file_and_scripts_run() {
    let server = index();
    server.add(
        WheelBuilder::new("wide", "1.0")
            .file("wide/data/values.txt", "1 2 3")
            .data(
                "scripts",
                "wide-script",
                "#!python\nprint('a plain script runs')\n",
            )
            .data("data", "share/wide/doc.txt", "words")
            .console_script("wide-tool", "wide:main")
            .build(),
    );
    let environment = environment(&server);
    let before = environment.fingerprint();
    drop(environment.run(["install", "tool", "wide"]).success());
    let new: Vec<_> = environment
        .fingerprint()
        .into_iter()
        .filter(|(path, content)| content != "folder" && !before.contains_key(path))
        .map(|(path, _)| environment.venv().join(path))
        .collect();
    let mut listed = Vec::new();
    for name in ["tool-1.0", "wide-1.0"] {
        let folder = environment.site_packages();
        let record = folder.join(format!("{name}.dist-info/RECORD"));
        for entry in record::parse(&fs_err::read_to_string(record).unwrap()).unwrap() {
            let path = fs_err::canonicalize(folder.join(&entry.path)).unwrap();
            if entry.hash.is_some() {
                let size = fs_err::metadata(&path).unwrap().len();
                assert_eq!(entry.size, Some(size), "{}", entry.path);
            }
            listed.push(path);
        }
    }
    for path in &new {
        let path = fs_err::canonicalize(path).unwrap();
        assert!(listed.contains(&path), "{} is in no RECORD", path.display());
    }
    let suffix = if cfg!(windows) { ".exe" } else { "" };
    let tool = environment.scripts().join(format!("run-tool{suffix}"));
    let output = std::process::Command::new(tool).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "the tool runs"
    );
    if cfg!(unix) {
        let script = environment.scripts().join("wide-script");
        let text = fs_err::read_to_string(script).unwrap();
        assert!(text.starts_with("#!/"), "{text}");
    }
}

#[test]
fn byte_code_is_made_unless_it_is_not_wanted() {
    let server = index();
    let environment = environment(&server);
    drop(
        environment
            .run(["install", "--no-compile", "tool"])
            .success(),
    );
    let compiled = environment.site_packages().join("__pycache__");
    assert_eq!(listing(&compiled), Vec::<String>::new());
    drop(
        environment
            .run(["install", "--force-reinstall", "tool"])
            .success(),
    );
    let names = listing(&compiled);
    assert!(
        names.iter().any(|name| name.starts_with("tool.cpython-")),
        "{names:?}"
    );
}

/// What `py_compile` does, whatever an earlier installation left in the cache.
#[test]
fn byte_code_has_a_digest_where_builds_are_to_repeat() {
    let server = index();
    let environment = environment(&server);
    let compiled = environment.site_packages().join("__pycache__");
    let flags = || {
        let name = listing(&compiled).pop().unwrap();
        fs_err::read(compiled.join(name)).unwrap()[4]
    };
    for (epoch, expected) in [("", 0), ("1700000000", 3), ("", 0)] {
        let install = ["install", "--force-reinstall", "tool"];
        let mut command = environment.command();
        command.args(install).env("SOURCE_DATE_EPOCH", epoch);
        drop(Run::from(command.output().unwrap()).success());
        assert_eq!(flags(), expected, "{epoch}");
    }
}

#[test]
fn a_dry_run_changes_nothing() {
    let server = index();
    let environment = environment(&server);
    let before = environment.fingerprint();
    let run = environment.run(["install", "--dry-run", "top"]).success();
    assert_eq!(last_line(&run.stdout), "Would install base-2.0 top-2.0");
    assert_eq!(environment.fingerprint(), before);
}

#[test]
fn the_rest_of_the_environment_is_looked_after() {
    let server = index();
    let environment = environment(&server);
    environment.install_by_hand(&WheelBuilder::new("strict", "1.0").requires("base<2"));
    let run = environment.run(["install", "base==2.0"]);
    // What pip does: it installs, and says what that breaks.
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("strict 1.0 requires base<2, but you have base 2.0 which is incompatible."),
        "{}",
        run.stderr
    );
}
