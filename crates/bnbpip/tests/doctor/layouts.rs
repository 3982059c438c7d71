//! Environments that aren't virtual ones: conda's, and the embedded Python of portable applications
//! for Windows.

use std::path::{Path, PathBuf};

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder, base_interpreter};
use serde_json::Value;

use crate::index;

/// A place with an index, and nothing in it.
fn place(server: &IndexServer) -> TestEnvironment {
    TestEnvironment::bare(env!("CARGO_BIN_EXE_bnbpip")).with_index(server)
}

/// Puts a wheel's files into a folder, as `installer` would have left them.
fn put(folder: &Path, wheel: &WheelBuilder, installer: &str) {
    let built = wheel.build();
    let reader = std::io::Cursor::new(&built.bytes);
    let mut archive = zip::ZipArchive::new(reader).unwrap();
    archive.extract(folder).unwrap();
    let parts: Vec<&str> = built.filename.split('-').collect();
    let record = folder.join(format!("{}-{}.dist-info", parts[0], parts[1]));
    fs_err::write(record.join("INSTALLER"), format!("{installer}\n")).unwrap();
}

fn writable(path: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(path, mode).unwrap();
}

/// A conda environment: an interpreter of its own with its own library, and `conda-meta`. Its
/// library folder for packages comes back, too.
fn conda(environment: &TestEnvironment) -> (PathBuf, PathBuf) {
    let base = base_interpreter();
    let root = environment.work().join("conda");
    let version = format!("python{}.{}", base.version_info.0, base.version_info.1);
    let library = root.join("lib").join(&version);
    for folder in [root.join("bin"), root.join("conda-meta"), library.clone()] {
        fs_err::create_dir_all(folder).unwrap();
    }
    let original = base.base_prefix.join("lib").join(&version);
    for entry in fs_err::read_dir(original).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "site-packages" {
            std::os::unix::fs::symlink(entry.path(), library.join(entry.file_name())).unwrap();
        }
    }
    let packages = library.join("site-packages");
    fs_err::create_dir(&packages).unwrap();
    fs_err::write(root.join("conda-meta/history"), "").unwrap();
    let python = root.join("bin/python");
    let own = fs_err::canonicalize(&base.base_executable).unwrap();
    fs_err::copy(own, &python).unwrap();
    (root, packages)
}

fn doctor(environment: &TestEnvironment, python: &Path, more: &[&str]) -> Run {
    let line = ["doctor", "--python", python.to_str().unwrap()];
    environment.run([&line[..], more].concat())
}

fn codes(run: &Run) -> Vec<String> {
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned());
    codes.collect()
}

#[test]
fn a_conda_environment_is_examined_and_mended() {
    let server = index();
    let environment = place(&server);
    let (root, packages) = conda(&environment);
    // conda writes its prefix into files after it has recorded them.
    let rewritten = WheelBuilder::new("helper", "2.0").file("helper/place.txt", "/old");
    put(&packages, &rewritten, "conda");
    fs_err::write(packages.join("helper/place.txt"), "/a/longer/place").unwrap();
    drop(doctor(&environment, &root, &[]).success());
    put(
        &packages,
        &WheelBuilder::new("bitsandbytes", "0.43.0"),
        "pip",
    );
    put(&packages, &WheelBuilder::new("triton", "3.2.0"), "conda");
    put(&packages, &WheelBuilder::new("setuptools", "75.0"), "conda");
    let torch = WheelBuilder::new("torch", "2.6.0").file("torch/lib/libiomp5.so", "x");
    put(&packages, &torch, "pip");
    fs_err::write(root.join("lib/libiomp5.so"), "x").unwrap();
    let found = doctor(&environment, &root, &["--json"]);
    assert_eq!(found.code, 5, "{}", found.stderr);
    let found = codes(&found);
    assert!(found.contains(&"rule".to_owned()), "{found:?}");
    assert!(found.contains(&"openmp-twice".to_owned()), "{found:?}");
    // The active environment is found by conda's own variable.
    let mut active = environment.command();
    active.env("CONDA_PREFIX", &root).args(["doctor", "--fix"]);
    let mended: Run = active.output().unwrap().into();
    assert!(
        mended.stdout.contains("the active conda environment"),
        "{}",
        mended.stdout
    );
    assert!(packages.join("bitsandbytes-0.45.5.dist-info").is_dir());
    let left = doctor(&environment, &root, &["--json"]);
    assert_eq!(codes(&left), ["openmp-twice"]);
}

/// An embedded Python for Windows in a portable application: one that says it is, here.
fn embedded(environment: &TestEnvironment, path_file: &str) -> PathBuf {
    const PYTHON: &str = r#"
import json, subprocess, sys
BEGIN, END = "<<bnbpip-facts>>", "<</bnbpip-facts>>"
done = subprocess.run([sys.executable, *sys.argv[1:]], capture_output=True, text=True)
before, _, rest = done.stdout.partition(BEGIN)
facts = json.loads(rest.partition(END)[0].replace(sys.base_prefix, FOLDER))
packages = FOLDER + "/Lib/site-packages"
facts["prefix"] = facts["base_prefix"] = FOLDER
facts["sys_executable"] = facts["base_executable"] = FOLDER + "/python.exe"
facts["markers"].update(
    os_name="nt", sys_platform="win32", platform_system="Windows", platform_machine="AMD64"
)
facts.update(sysconfig_platform="win-amd64", glibc=None, sys_path=[FOLDER, packages])
for part in ("purelib", "platlib"):
    facts["schemes"]["prefix"][part] = packages
print(BEGIN + json.dumps(facts) + END)
"#;
    let folder = environment.work().join("python_embeded");
    fs_err::create_dir_all(folder.join("Lib/site-packages")).unwrap();
    fs_err::write(folder.join("python311._pth"), path_file).unwrap();
    let base = base_interpreter().base_executable.display();
    let python = folder.join("python.exe");
    let text = format!(
        "#!{base}\nFOLDER = {:?}\n{PYTHON}",
        folder.to_str().unwrap()
    );
    fs_err::write(&python, text).unwrap();
    writable(&python);
    python
}

#[test]
fn an_embedded_python_is_examined() {
    let server = index();
    let environment = place(&server);
    let python = embedded(&environment, "python311.zip\n.\n#import site\n");
    let packages = environment.work().join("python_embeded/Lib/site-packages");
    let told = doctor(&environment, &python, &[]);
    assert_eq!(told.code, 5, "{}{}", told.stdout, told.stderr);
    assert!(
        told.stdout.contains("an embedded Python")
            && told
                .stdout
                .contains("take the `#` away before `import site` in `python311._pth`"),
        "{}",
        told.stdout
    );
    put(
        &packages,
        &WheelBuilder::new("triton-windows", "3.2.0.post21"),
        "pip",
    );
    put(&packages, &WheelBuilder::new("setuptools", "75.0"), "pip");
    put(
        &packages,
        &WheelBuilder::new("bitsandbytes", "0.43.0"),
        "pip",
    );
    let found = codes(&doctor(&environment, &python, &["--json"]));
    for code in ["embedded-path", "embedded-headers", "rule"] {
        assert!(found.contains(&code.to_owned()), "{code}: {found:?}");
    }
    let python = embedded(
        &environment,
        "python311.zip\n.\nLib/site-packages\nimport site\n",
    );
    let folder = environment.work().join("python_embeded");
    for (below, file) in [("include", "Python.h"), ("libs", "python311.lib")] {
        fs_err::create_dir(folder.join(below)).unwrap();
        fs_err::write(folder.join(below).join(file), "").unwrap();
    }
    let found = codes(&doctor(&environment, &python, &["--json"]));
    assert!(
        !found.iter().any(|code| code.starts_with("embedded-")),
        "{found:?}"
    );
}

/// What Windows can't do is said with the way out.
#[test]
fn linux_inside_of_windows_is_the_hint_for_what_windows_cannot_do() {
    let server = index();
    let environment = place(&server);
    let python = embedded(&environment, "import site\n");
    let packages = environment.work().join("python_embeded/Lib/site-packages");
    let wants = WheelBuilder::new("served", "1.0").requires("vllm");
    put(&packages, &wants, "pip");
    let told = doctor(&environment, &python, &[]);
    assert_eq!(told.code, 5, "{}", told.stderr);
    assert!(
        told.stdout
            .contains("served requires vllm, which has no wheel for Windows")
            && told.stdout.contains("`wsl --install`"),
        "{}",
        told.stdout
    );
}
