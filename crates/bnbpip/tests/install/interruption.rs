//! Ctrl-C.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bnbpip_testing::{Fault, TestEnvironment};

use crate::support::{content, environment, index};

fn start(environment: &TestEnvironment, arguments: &[&str]) -> Child {
    let mut command = environment.command();
    command.args(arguments);
    interruptible(&mut command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
fn interruptible(_: &mut Command) {}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Gives the program a console of its own: Ctrl-C comes to all programs of a console.
#[cfg(windows)]
fn interruptible(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NO_WINDOW);
}

/// Presses Ctrl-C in the program's console, from a program that goes there to do so. Where there is
/// none any more it has ended.
#[cfg(windows)]
fn interrupt(child: &Child) {
    let code = format!(
        "import ctypes\n\
         kernel = ctypes.WinDLL('kernel32')\n\
         kernel.FreeConsole()\n\
         if kernel.AttachConsole({}):\n    \
             kernel.SetConsoleCtrlHandler(None, True)\n    \
             kernel.GenerateConsoleCtrlEvent(0, 0)\n",
        child.id()
    );
    let status = Command::new("python").args(["-c", &code]).status();
    assert!(status.unwrap().success());
}

/// By how much a program runs longer than the one before: what starts late is interrupted later.
const STEP: Duration = Duration::from_millis(if cfg!(windows) { 60 } else { 12 });

#[test]
fn in_the_middle_of_a_download() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    let before = content(&environment);
    server.plan_fault("base-2.0-py3-none-any.whl", 9, Fault::StallAfter(10));
    server.configure(|options| options.metadata_files = true);
    let child = start(&environment, &["install", "-U", "base"]);
    let asked = |part: &str| !server.requests_for(part).is_empty();
    let begun = Instant::now();
    while !asked("base-2.0-py3-none-any.whl") {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&child);
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it waits for the server"
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Operation cancelled by user"), "{stderr}");
    assert_eq!(output.status.code(), Some(1), "pip's code");
    assert_eq!(content(&environment), before);
}

#[test]
fn at_any_moment_the_environment_is_the_old_or_the_new() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0", "tool"]).success());
    drop(environment.run(["install", "-U", "base"]).success());
    for moment in 0..12_u32 {
        let version = if moment % 2 == 0 {
            "base==1.0"
        } else {
            "base==2.0"
        };
        let child = start(&environment, &["install", version]);
        std::thread::sleep(STEP * moment);
        interrupt(&child);
        drop(child.wait_with_output().unwrap());
        let installed = environment.installed();
        assert_eq!(installed.len(), 2, "{installed:?}");
        let code =
            "import base, importlib.metadata as m; assert base.__version__ == m.version('base')";
        drop(environment.python(code).success());
        assert!(!environment.venv().join(".bnbpip").exists());
    }
}

#[test]
fn an_undo_is_done_or_not_begun() {
    let server = index();
    let environment = environment(&server);
    drop(environment.run(["install", "base==1.0"]).success());
    drop(environment.run(["install", "-U", "base", "tool"]).success());
    let (one, two) = (
        vec!["base-1.0".to_owned()],
        vec!["base-2.0".to_owned(), "tool-1.0".to_owned()],
    );
    for moment in 0..6_u32 {
        let before = environment.installed();
        let child = start(&environment, &["undo"]);
        std::thread::sleep(STEP * moment);
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let installed = environment.installed();
        if output.status.success() {
            assert_ne!(installed, before, "at {moment}");
        }
        assert!([&one, &two].contains(&&installed), "{installed:?}");
        let code =
            "import base, importlib.metadata as m; assert base.__version__ == m.version('base')";
        drop(environment.python(code).success());
    }
}
