//! bnbpip in an environment, told to change bnbpip: Windows lets a running program be moved aside, and not
//! removed.

use std::process::Command;

use bnbpip_testing::{Compression, IndexServer, Run, WheelBuilder};

use crate::support::{PROGRAM, environment};

#[test]
fn the_program_that_runs_is_replaced_and_removed() {
    let program = fs_err::read(PROGRAM).unwrap();
    let wheel = |version| {
        let wheel = WheelBuilder::new("bnbpip", version).compression(Compression::Stored);
        wheel.data("scripts", "bnbpip.exe", &program).build()
    };
    let server = IndexServer::with([wheel("1.0"), wheel("2.0")]);
    let environment = environment(&server);
    drop(environment.run(["install", "bnbpip==1.0"]).success());
    let installed = environment.scripts().join("bnbpip.exe");
    let run = |arguments: &[&str]| -> Run {
        let mut command = Command::new(&installed);
        command.current_dir(environment.work()).env_clear();
        let usual = environment.command();
        command.envs(usual.get_envs().filter_map(|(name, to)| Some((name, to?))));
        command.args(arguments).output().unwrap().into()
    };
    let stdout = run(&["install", "--upgrade", "bnbpip"]).success().stdout;
    assert!(
        stdout.contains("Successfully installed bnbpip-2.0"),
        "{stdout}"
    );
    assert_eq!(environment.installed(), ["bnbpip-2.0"]);
    let stdout = run(&["uninstall", "-y", "bnbpip"]).success().stdout;
    assert!(
        stdout.contains("Successfully uninstalled bnbpip-2.0"),
        "{stdout}"
    );
    assert!(!installed.exists());
    // What couldn't be removed while it ran is gone with the next change.
    drop(environment.run(["install", "bnbpip==1.0"]).success());
    let state = environment.venv().join(".bnbpip");
    let left = fs_err::read_dir(state).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("tx-")
    });
    assert_eq!(left.count(), 0);
}
