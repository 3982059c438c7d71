//! Several accelerators in one lock: each is an extra.

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::{environment, read};

/// The usual index, and beside it a folder with an index for each accelerator.
fn world() -> (IndexServer, TestEnvironment) {
    let wheels = [
        WheelBuilder::new("torch", "2.9.0"),
        WheelBuilder::new("app", "1.0")
            .requires("torch")
            .requires("helper"),
        WheelBuilder::new("helper", "1.0"),
        WheelBuilder::new("nvidia-runtime", "12.6"),
        WheelBuilder::new("nvidia-runtime", "12.8"),
    ];
    let server = IndexServer::with(wheels.iter().map(WheelBuilder::build));
    let environment = environment(&server);
    for (family, torch, runtime) in [
        ("cpu", "2.9.0", None),
        ("cpu", "2.12.0", None),
        ("cu118", "2.7.1", None),
        ("cu126", "2.9.0", Some("12.6")),
        ("cu128", "2.9.0", Some("12.8")),
    ] {
        let mut wheel = WheelBuilder::new("torch", &format!("{torch}+{family}"));
        if let Some(runtime) = runtime {
            wheel = wheel.requires(&format!("nvidia-runtime=={runtime}"));
        }
        let folder = environment.work().join("whl").join(family).join("torch");
        fs_err::create_dir_all(&folder).unwrap();
        wheel.build().write_to(&folder);
    }
    (server, environment)
}

/// Runs a command on a machine with this driver.
fn on(environment: &TestEnvironment, driver: &str, arguments: &[&str]) -> Run {
    let mut command = environment.command();
    command
        .env("BNBPIP_CUDA_DRIVER", driver)
        .env("BNBPIP_CUDA_ARCH", "8.9");
    command.args(arguments).output().unwrap().into()
}

const LOCK: [&str; 10] = [
    "lock",
    "app",
    "--accelerator-index-url",
    "whl",
    "--accelerator",
    "cu128",
    "--accelerator",
    "cpu",
    "--accelerator",
    "cu126",
];

/// The marker of an entry.
fn marker(text: &str, start: &str) -> Option<String> {
    let mut entries = text.split("[[packages]]");
    let entry = entries.find(|it| it.contains(start)).unwrap();
    let mut lines = entry.lines();
    let line = lines.find_map(|line| line.strip_prefix("marker = "))?;
    Some(line.trim_matches('"').to_owned())
}

#[test]
fn torch_for_every_accelerator_stands_in_one_file() {
    let (_server, environment) = world();
    drop(environment.run(LOCK).success());
    let text = read(&environment);
    let extras = "extras = [\n    \"cpu\",\n    \"cu126\",\n    \"cu128\",\n]\n";
    assert!(text.contains(extras), "{text}");
    let of = |start: &str| marker(&text, start);
    // The newest that the processor's has, and what the others have.
    assert_eq!(of("2.12.0+cpu").as_deref(), Some("'cpu' in extras"));
    assert_eq!(of("2.9.0+cu126").as_deref(), Some("'cu126' in extras"));
    assert_eq!(of("2.9.0+cu128").as_deref(), Some("'cu128' in extras"));
    assert_eq!(of("\"12.6\"").as_deref(), Some("'cu126' in extras"));
    assert_eq!(of("name = \"helper\""), None);
    assert_eq!(of("name = \"app\""), None);
    assert!(text.contains("path = \"whl/cu128/torch/torch-2.9.0+cu128-py3-none-any.whl\""));
    let root = environment.root().to_str().unwrap();
    assert!(!text.contains(root), "{text}");
    // Again, in another order.
    let mut again = LOCK;
    again.swap(5, 7);
    drop(environment.run(again).success());
    assert_eq!(read(&environment), text);
    drop(
        environment
            .run([&LOCK[..], &["--check"]].concat())
            .success(),
    );
    let run = environment.run(["lock", "app", "--check"]);
    assert!(
        run.stdout.starts_with("extra `cpu`: in the lock only\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn sync_takes_what_the_machine_runs_or_what_is_named() {
    let (_server, environment) = world();
    drop(environment.run(LOCK).success());
    let refused = |arguments: &[&str], said: &str| {
        let run = environment.run([&["sync"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(environment.installed().is_empty());
    };
    refused(
        &[],
        "ERROR: Failed to use the lock: one of its accelerators has to be chosen\nhint: \
         `--accelerator auto` takes what this machine runs best of cu128, cu126, cpu\n",
    );
    refused(
        &["--accelerator", "cu118"],
        "ERROR: Failed to use the lock: it has no accelerator `cu118`\nhint: it has cu128, cu126, cpu\n",
    );
    let two = "its accelerators `cpu` and `cu128` can't go together\nhint: name one\n";
    refused(&["--extra", "cpu", "--extra", "cu128"], two);
    refused(&["--extra", "cpu", "--accelerator", "cu128"], two);
    let torch = |driver: &str, arguments: &[&str]| {
        drop(on(&environment, driver, &[&["sync"], arguments].concat()).success());
        let installed = environment.installed();
        installed
            .into_iter()
            .filter(|it| !it.starts_with('a') && !it.starts_with('h'))
            .collect::<Vec<_>>()
    };
    let auto = ["--accelerator", "auto"];
    assert_eq!(
        torch("581.57", &auto),
        ["nvidia_runtime-12.8", "torch-2.9.0+cu128"]
    );
    assert_eq!(torch("none", &auto), ["torch-2.12.0+cpu"]);
    assert_eq!(
        torch("none", &["--accelerator", "cu126"]),
        ["nvidia_runtime-12.6", "torch-2.9.0+cu126"]
    );
    assert_eq!(torch("none", &["--extra", "cpu"]), ["torch-2.12.0+cpu"]);
}

#[test]
fn accelerators_that_cannot_stand_in_one_lock_are_named() {
    let (_server, environment) = world();
    let refused = |arguments: &[&str], said: &str| {
        let run = environment.run([&["lock", "app"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    };
    let two = ["--accelerator", "cpu", "--accelerator"];
    refused(
        &[&two[..], &["auto"]].concat(),
        "ERROR: Failed to lock for several accelerators: `auto` is this machine's\n",
    );
    refused(
        &[&two[..], &["cu1"]].concat(),
        "ERROR: Failed to find the accelerator `cu1`\n",
    );
    let project = "[project]\nname = 'x'\n[project.optional-dependencies]\ncpu = ['helper']\n";
    fs_err::write(environment.work().join("pyproject.toml"), project).unwrap();
    let run = environment.run([&["lock"], &two[..], &["cu128"]].concat());
    assert!(
        run.stderr
            .contains("`cpu`: the project has an extra of that name"),
        "{}",
        run.stderr
    );
}
