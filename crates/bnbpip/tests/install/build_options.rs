//! Options about builds that go together, and such that don't.

use bnbpip_testing::{IndexServer, WheelBuilder};

use crate::sources::served;
use crate::support::{environment, index};

#[test]
fn constraints_of_builds_are_files_that_are_there() {
    let server = index();
    served(&server, "src", "1.0", "\"build_requires\": [\"base\"]");
    let environment = environment(&server);
    let said = |option: &str| {
        let run = environment.run(["install", "src", option, "gone.txt"]);
        let said = run.failure().stderr;
        said.lines()
            .find(|line| line.starts_with("ERROR: "))
            .map(str::to_owned)
    };
    let of_install = said("-c");
    let words = "ERROR: Could not open constraint file: [Errno 2] No such file or directory: \
                 'gone.txt'";
    assert_eq!(of_install.as_deref(), Some(words));
    let of_build = said("--build-constraint");
    let words = words.replace("constraint file", "requirements file");
    assert_eq!(of_build, Some(words));
}

#[test]
fn constraints_are_for_builds_that_get_an_environment() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    fs_err::write(environment.work().join("c.txt"), "base<2\n").unwrap();
    let line = "install src --no-build-isolation --build-constraint c.txt";
    let run = environment.run(line.split(' ')).failure();
    let said = "ERROR: --build-constraint cannot be used with --no-build-isolation.\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(environment.installed(), [""; 0]);
}

#[test]
fn requirements_of_builds_are_looked_at_where_that_is_asked_for() {
    let server = index();
    served(&server, "src", "1.0", "");
    let environment = environment(&server);
    let folder = environment.work().join("here");
    crate::sources::write(&crate::sources::project("here", "1.0", ""), &folder);
    let toml = "[build-system]\nrequires = [\"base>=3\", \"Other.Thing\"]\nbuild-backend = \"backend\"\n\
                backend-path = [\".\"]\n";
    fs_err::write(folder.join("pyproject.toml"), toml).unwrap();
    let line = "install ./here --no-build-isolation";
    let checked = format!("{line} --check-build-dependencies");
    let run = environment.run(checked.split(' ')).failure();
    assert!(
        run.stderr
            .contains("are missing: 'Other.Thing', 'base>=3'."),
        "{}",
        run.stderr
    );
    drop(environment.run(line.split(' ')).success());
    assert_eq!(environment.installed(), ["here-1.0"]);
}

#[test]
fn a_backend_that_installs_nothing_in_place_says_so() {
    let server = index();
    let environment = environment(&server);
    let folder = environment.work().join("here");
    crate::sources::write(&crate::sources::project("here", "1.0", ""), &folder);
    let backend = folder.join("backend.py");
    let text = fs_err::read_to_string(&backend).unwrap();
    let text = text.replace("def build_editable", "def not_build_editable");
    fs_err::write(&backend, text).unwrap();
    let run = environment.run(["install", "-e", "./here"]).failure();
    let said = "is missing the 'build_editable' hook, so it cannot be installed in editable mode\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    drop(environment.run(["install", "./here"]).success());
}

#[test]
fn a_setuptools_that_is_too_old_to_be_the_usual_backend_is_refused() {
    let server = IndexServer::with([WheelBuilder::new("setuptools", "1.0").build()]);
    let environment = environment(&server);
    let folder = environment.work().join("project");
    fs_err::create_dir(&folder).unwrap();
    fs_err::write(folder.join("setup.py"), "raise SystemExit\n").unwrap();
    let toml = "[build-system]\nrequires = ['setuptools==1.0']\n";
    fs_err::write(folder.join("pyproject.toml"), toml).unwrap();
    let stderr = environment.run(["install", "./project"]).failure().stderr;
    let address = url::Url::from_file_path(&folder).unwrap();
    let said = format!(
        "Some build dependencies for {address} conflict with PEP 517/518 supported requirements: \
         setuptools==1.0 is incompatible with setuptools>=40.8.0."
    );
    assert!(stderr.contains(&said), "{stderr}");
}

#[test]
fn backends_that_cannot_be_imported_are_told_in_pips_words() {
    let environment = environment(&index());
    let folder = environment.work().join("here");
    fs_err::create_dir(&folder).unwrap();
    let toml = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\n\
                backend-path = [\".\"]\n";
    fs_err::write(folder.join("pyproject.toml"), toml).unwrap();
    let install = |backend: &str| {
        fs_err::write(folder.join("backend.py"), backend).unwrap();
        environment.run(["install", "./here"]).failure().stderr
    };
    let unavailable = "ERROR: backend-unavailable: Cannot import build backend 'backend'.\n";
    let of_metadata = "ERROR: metadata-generation-failed: Encountered error while generating package \
                       metadata.\n";
    let stderr = install("import nowhere_at_all\n");
    assert!(stderr.contains(unavailable), "{stderr}");
    assert!(!stderr.contains(of_metadata), "{stderr}");
    // It can be at first, and can't when it is asked for metadata.
    let stderr = install(
        "import pathlib\nmark = pathlib.Path(__file__).with_name('mark')\nif mark.exists():\n    \
         import nowhere_at_all\nmark.touch()\n",
    );
    assert!(stderr.contains(unavailable), "{stderr}");
    assert!(stderr.contains(of_metadata), "{stderr}");
    let stderr = install("def prepare_metadata_for_build_wheel(*_): raise ValueError\n");
    assert!(!stderr.contains(unavailable), "{stderr}");
    assert!(stderr.contains(of_metadata), "{stderr}");
}
