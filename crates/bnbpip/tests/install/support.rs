//! What the tests share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bnbpip_testing::{HostedFile, IndexServer, TestEnvironment, WheelBuilder};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_bnbpip");

/// An index with a package that needs another, which has an extra and three versions; and a tool
/// with a script.
pub(crate) fn index() -> IndexServer {
    let wheels = [
        WheelBuilder::new("base", "1.0"),
        WheelBuilder::new("base", "1.5"),
        WheelBuilder::new("base", "2.0"),
        WheelBuilder::new("top", "1.0").requires("base>=1"),
        WheelBuilder::new("top", "2.0")
            .requires("base>=1")
            .requires("helper; extra == 'more'")
            .extra("more"),
        WheelBuilder::new("helper", "0.3"),
        WheelBuilder::new("tool", "1.0")
            .file("tool.py", "def main():\n    print('the tool runs')\n")
            .console_script("run-tool", "tool:main"),
    ];
    IndexServer::with(wheels.iter().map(WheelBuilder::build))
}

/// An environment that uses the index.
pub(crate) fn environment(server: &IndexServer) -> TestEnvironment {
    TestEnvironment::new(PROGRAM).with_index(server)
}

/// The names of what is in a folder, sorted; none if there is no such folder.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The last line of standard output.
pub(crate) fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// A folder of wheels in `wheels`, without any index.
pub(crate) fn with_wheels(wheels: &[WheelBuilder]) -> TestEnvironment {
    let environment = environment(&IndexServer::with([] as [HostedFile; 0]));
    let folder = environment.work().join("wheels");
    fs_err::create_dir_all(&folder).unwrap();
    for wheel in wheels {
        wheel.build().write_to(&folder);
    }
    environment
}

/// The environment as it is.
pub(crate) fn content(environment: &TestEnvironment) -> BTreeMap<PathBuf, String> {
    environment.fingerprint()
}

/// Says on the test's own output that this machine can't show something.
#[cfg(unix)]
pub(crate) fn skipped(why: &str) {
    use std::io::Write as _;
    let test = std::thread::current();
    let name = test.name().unwrap_or("a test");
    let mut output = std::io::stderr();
    writeln!(output, "SKIPPED {name}: {why}").unwrap();
}

/// The program with the arguments, held to the permissions of files even where the tests run as
/// the system's administrator. Nothing where that can't be had.
#[cfg(unix)]
pub(crate) fn bound_by_permissions(
    environment: &TestEnvironment,
    arguments: &[&str],
) -> Option<bnbpip_testing::Run> {
    let probe = environment.root().join("tmp/probe");
    fs_err::write(&probe, "").unwrap();
    let no_permissions = std::os::unix::fs::PermissionsExt::from_mode(0o000);
    fs_err::set_permissions(&probe, no_permissions).unwrap();
    let mut command = environment.command();
    if fs_err::File::open(&probe).is_ok() {
        let limits = ["--bounding-set=-dac_override,-dac_read_search"];
        let mut wrapped = std::process::Command::new("setpriv");
        wrapped.args(limits).env_clear();
        wrapped.current_dir(environment.work());
        let variables = command
            .get_envs()
            .filter_map(|(name, to)| Some((name, to?)));
        wrapped.envs(variables).arg(command.get_program());
        command = wrapped;
    }
    match command.args(arguments).output() {
        Ok(output) => Some(output.into()),
        Err(error) => {
            skipped(&format!("`setpriv` can't be had: {error}"));
            None
        }
    }
}
