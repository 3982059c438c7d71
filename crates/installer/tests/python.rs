//! With a real interpreter: byte-code, scripts that run, and pip working on what was installed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use bnbpip_installer::{
    Environment, InstallOptions, InstalledEnvironment, Transaction, WheelInstall,
};
use common::TestWheel;

fn output(program: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_CONFIG_FILE", "/dev/null")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// A virtual environment of the first `python3` on the path.
fn virtual_environment(folder: &Path) -> Environment {
    let prefix = folder.join("my env");
    let (made, text) = output(
        Path::new("python3"),
        &["-m", "venv", prefix.to_str().unwrap()],
    );
    assert!(made, "{text}");
    let python = prefix.join("bin/python");
    let (_, text) = output(
        &python,
        &[
            "-c",
            "import sys, sysconfig; print(sysconfig.get_path('purelib')); print(sys.implementation.cache_tag); print(*sys.version_info[:2])",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    let mut environment = common::environment(&prefix, &PathBuf::from(lines[0]), &python);
    environment.interpreter.cache_tag = Some(lines[1].to_string());
    let (major, minor) = lines[2].split_once(' ').unwrap();
    environment.interpreter.version = (major.parse().unwrap(), minor.parse().unwrap());
    environment
}

#[test]
fn pip_works_on_what_was_installed() {
    let folder = tempfile::tempdir().unwrap();
    let environment = virtual_environment(folder.path());
    let python = environment.interpreter.sys_executable.clone();
    let library = environment.scheme.purelib.clone();
    let before = listing(&environment.scheme.data);
    let wheel = TestWheel::new("hello_world", "1.5")
        .file(
            "hello_world/__init__.py",
            "def main():\n    print('hello from', __file__)\n",
        )
        .file("hello_world/broken.py", "this is (not python\n")
        .file(
            "hello_world/fails.py",
            "def fail():\n    raise ValueError\n",
        )
        .file(
            "hello_world-1.5.data/scripts/say.py",
            "#!python\nimport hello_world\nhello_world.main()\n",
        )
        .info_file(
            "entry_points.txt",
            "[console_scripts]\nhello = hello_world:main\n",
        );
    let request = |wheel: &TestWheel| WheelInstall {
        wheel: wheel.unpack(&folder.path().join("store")),
        sha256: None,
        requested: true,
        direct_url: None,
        replaces: Vec::new(),
    };
    let options = || InstallOptions {
        compile: true,
        ..InstallOptions::default()
    };
    let transaction = Transaction::begin(&environment, options(), &()).unwrap();
    transaction.install(request(&wheel)).unwrap();
    let outcome = transaction.commit().unwrap();
    assert_eq!(outcome.warnings, Vec::<String>::new());

    let (ran, text) = output(&environment.scheme.scripts.join("hello"), &[]);
    assert!(ran && text.contains("hello from"), "{text}");
    let (ran, text) = output(&environment.scheme.scripts.join("say.py"), &[]);
    assert!(ran && text.contains("hello from"), "{text}");

    let tag = environment.interpreter.cache_tag.as_deref().unwrap();
    let cache = library.join("hello_world/__pycache__");
    assert!(cache.join(format!("__init__.{tag}.pyc")).is_file());
    assert!(!cache.join(format!("broken.{tag}.pyc")).exists());
    let record = fs_err::read_to_string(library.join("hello_world-1.5.dist-info/RECORD")).unwrap();
    assert!(record.contains(&format!("hello_world/__pycache__/__init__.{tag}.pyc,,\n")));
    assert!(record.contains(&format!("../../../bin/__pycache__/say.{tag}.pyc,,\n")));
    assert!(!record.contains("broken.cpython"));
    // The byte-code is valid for the file in its place, and names that place.
    let (_, text) = output(
        &python,
        &[
            "-v",
            "-c",
            "import hello_world.fails as f; print('CODE', f.fail.__code__.co_filename)",
        ],
    );
    assert!(
        text.contains(&format!(
            "CODE {}",
            library.join("hello_world/fails.py").display()
        )),
        "{text}"
    );
    assert!(
        text.contains("matches") && !text.contains("wrote"),
        "{text}"
    );

    let pip = |arguments: &[&str]| output(&python, &[&["-m", "pip"], arguments].concat());
    assert_eq!(
        pip(&["check"]),
        (true, "No broken requirements found.\n".to_string())
    );
    assert!(
        pip(&["list", "--format=freeze"])
            .1
            .contains("hello_world==1.5")
    );
    let shown = pip(&["show", "-f", "hello-world"]).1;
    assert!(
        shown.contains("../../../bin/hello") && shown.contains("Installer: bnbpip")
            || shown.contains("bin/hello"),
        "{shown}"
    );
    let (removed, text) = pip(&["uninstall", "-y", "hello_world"]);
    assert!(
        removed && text.contains("Successfully uninstalled hello_world-1.5"),
        "{text}"
    );
    let mut after = listing(&environment.scheme.data);
    after.retain(|path| !path.contains("/pip/"));
    let mut expected = before;
    expected.retain(|path| !path.contains("/pip/"));
    assert_eq!(after, expected);
}

#[test]
fn what_pip_installed_is_uninstalled() {
    let folder = tempfile::tempdir().unwrap();
    let environment = virtual_environment(folder.path());
    let found = InstalledEnvironment::scan(&environment.library_dirs).unwrap();
    let pip = found.get(&"pip".parse().unwrap()).unwrap();
    assert_eq!(pip.installer().as_deref(), Some("pip"));
    let transaction = Transaction::begin(&environment, InstallOptions::default(), &()).unwrap();
    let plan = transaction.remove(pip).unwrap();
    assert!(plan.files.len() > 300 && plan.refused.is_empty());
    transaction.commit().unwrap();
    let left = listing(&environment.scheme.data);
    assert!(
        !left
            .iter()
            .any(|path| path.contains("site-packages/pip") || path.contains("bin/pip")),
        "{left:#?}"
    );
    let (ran, _) = output(
        &environment.interpreter.sys_executable,
        &["-c", "import sys"],
    );
    assert!(ran);
}

#[test]
fn a_missing_interpreter_is_told_and_nothing_more() {
    let bench = common::Bench::new();
    let options = InstallOptions {
        compile: true,
        ..InstallOptions::default()
    };
    let wheel = TestWheel::new("a", "1").file("a.py", "");
    let outcome = bench.try_change(options, &[wheel], &[]).unwrap();
    assert_eq!(outcome.warnings.len(), 1);
    assert!(outcome.warnings[0].starts_with("Some files were not byte-compiled: "));
    assert!(bench.library().join("a.py").is_file());
}

fn listing(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

/// The second installation compiles nothing: what it writes is what compiling there gives.
#[test]
fn kept_byte_code_is_what_compiling_gives() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("bytecode");
    let wheel = TestWheel::new("kept", "1")
        .file(
            "kept/__init__.py",
            "import os\ndef f(x):\n    return [g for g in (lambda: x)()]\nclass A:\n    def m(self): return __file__\n",
        )
        .file("kept/sub/deep.py", "x = 'ü'\n")
        .file("kept/latin.py", "\u{feff}# signs of a text file\r\nx = 'é'\r\n")
        .file("kept_alone.py", "");
    let unpacked = wheel.unpack(&folder.path().join("store"));
    let install = |name: &str, python: Option<&Path>| -> PathBuf {
        let mut environment = virtual_environment(&folder.path().join(name));
        if let Some(python) = python {
            environment.interpreter.sys_executable = python.to_path_buf();
        }
        let options = InstallOptions {
            compile: true,
            byte_code_cache: Some(cache.clone()),
            ..InstallOptions::default()
        };
        let transaction = Transaction::begin(&environment, options, &()).unwrap();
        let install = WheelInstall {
            wheel: unpacked.clone(),
            sha256: Some("ab".repeat(32)),
            requested: true,
            direct_url: None,
            replaces: Vec::new(),
        };
        transaction.install(install).unwrap();
        assert_eq!(transaction.commit().unwrap().warnings, Vec::<String>::new());
        environment.scheme.purelib
    };
    let python = virtual_environment(&folder.path().join("first"))
        .interpreter
        .sys_executable;
    let first = install("first", None);
    let long = "long".repeat(60);
    // A compiler that can't run: all that is there came from the cache.
    for name in ["zwölf", long.as_str()] {
        let library = install(name, Some(Path::new("/bin/false")));
        for module in ["kept/__init__", "kept/sub/deep", "kept/latin", "kept_alone"] {
            let (folder, stem) = module.rsplit_once('/').unwrap_or(("", module));
            let compiled = |library: &Path| {
                let cache = library.join(folder).join("__pycache__");
                let mut files = fs_err::read_dir(cache).unwrap();
                let is_ours = |path: &PathBuf| {
                    path.file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .starts_with(stem)
                };
                files
                    .find_map(|file| Some(file.unwrap().path()).filter(is_ours))
                    .unwrap()
            };
            let ours = fs_err::read(compiled(&library)).unwrap();
            let source = library.join(format!("{module}.py"));
            let script = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True)";
            let (ran, text) = output(&python, &["-c", script, source.to_str().unwrap()]);
            assert!(ran, "{text}");
            assert_eq!(
                ours,
                fs_err::read(compiled(&library)).unwrap(),
                "{module} in {name}"
            );
        }
        let rows = |library: &Path| {
            let record = library.join("kept-1.dist-info/RECORD");
            let text = fs_err::read_to_string(record).unwrap();
            text.lines().filter(|line| line.contains(".pyc")).count()
        };
        assert_eq!((rows(&library), rows(&first)), (4, 4));
    }
}

/// The store's file must not be written through the link.
#[test]
fn byte_code_that_the_wheel_brings_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let environment = virtual_environment(folder.path());
    let tag = environment.interpreter.cache_tag.clone().unwrap();
    let path = format!("brought/__pycache__/__init__.{tag}.pyc");
    let wheel = TestWheel::new("brought", "1")
        .file("brought/__init__.py", "x = 1\n")
        .file(&path, "not byte-code");
    let unpacked = wheel.unpack(&folder.path().join("store"));
    let options = InstallOptions {
        compile: true,
        ..InstallOptions::default()
    };
    let transaction = Transaction::begin(&environment, options, &()).unwrap();
    let install = WheelInstall {
        wheel: unpacked.clone(),
        sha256: None,
        requested: true,
        direct_url: None,
        replaces: Vec::new(),
    };
    transaction.install(install).unwrap();
    transaction.commit().unwrap();
    let installed = fs_err::read(environment.scheme.purelib.join(&path)).unwrap();
    assert_ne!(installed, b"not byte-code");
    let kept = fs_err::read(unpacked.root.join(&path)).unwrap();
    assert_eq!(kept, b"not byte-code");
}
