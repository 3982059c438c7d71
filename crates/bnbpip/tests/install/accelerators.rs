//! `--accelerator`: torch from the index of the builds that a machine runs.

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use crate::support::{environment, last_line};

/// The usual index: a torch without a local version, as PyPI has it, and what needs one.
fn index() -> IndexServer {
    let torch = ["2.6.0", "2.7.1", "2.8.0", "2.9.0", "2.12.0"];
    let torch = torch.map(|version| WheelBuilder::new("torch", version).requires("helper"));
    let others = [
        WheelBuilder::new("torchvision", "0.24.0").requires("torch==2.9.0"),
        WheelBuilder::new("helper", "1.0"),
        WheelBuilder::new("old", "1.0").requires("torch<2.8"),
        WheelBuilder::new("new", "1.0").requires("torch>=2.9"),
        WheelBuilder::new("capped", "0.9").requires("torch"),
        WheelBuilder::new("capped", "1.0").requires("torch<2.10"),
    ];
    let wheels = torch.iter().chain(&others).map(WheelBuilder::build);
    IndexServer::with(wheels)
}

/// The usual index, and beside it a folder with an index for each accelerator. Those have an older
/// `helper`, as PyTorch's have.
fn world(server: &IndexServer) -> TestEnvironment {
    let environment = environment(server);
    for (family, torch, torchvision) in [
        ("cpu", "2.6.0", "0.21.0"),
        ("cpu", "2.9.0", "0.24.0"),
        ("cpu", "2.12.0", "0.27.0"),
        ("cu118", "2.7.1", "0.22.1"),
        ("cu124", "2.6.0", "0.21.0"),
        ("cu126", "2.9.0", "0.24.0"),
        ("cu126", "2.12.0", "0.27.0"),
        ("cu128", "2.7.1", "0.22.1"),
        ("cu128", "2.9.0", "0.24.0"),
        ("cu129", "2.8.0", "0.23.0"),
        ("cu130", "2.9.0", "0.24.0"),
        ("cu132", "2.12.0", "0.27.0"),
    ] {
        let exactly = format!("torch=={torch}");
        for wheel in [
            WheelBuilder::new("torch", &format!("{torch}+{family}")).requires("helper"),
            WheelBuilder::new("torchvision", &format!("{torchvision}+{family}")).requires(&exactly),
            WheelBuilder::new("helper", "0.1"),
        ] {
            let wheel = wheel.build();
            let name = wheel.filename.split('-').next().unwrap();
            let folder = environment.work().join("whl").join(family).join(name);
            fs_err::create_dir_all(&folder).unwrap();
            wheel.write_to(&folder);
        }
    }
    environment
}

/// Runs a command on a machine with this driver and these cards.
fn on(environment: &TestEnvironment, driver: &str, cards: &str, arguments: &[&str]) -> Run {
    let mut command = environment.command();
    command
        .env("BNBPIP_CUDA_DRIVER", driver)
        .env("BNBPIP_ACCELERATOR_INDEX_URL", "whl");
    if !cards.is_empty() {
        command.env("BNBPIP_CUDA_ARCH", cards);
    }
    command.args(arguments).output().unwrap().into()
}

const DRY: [&str; 3] = ["install", "--dry-run", "--accelerator"];
const WINDOWS: [&str; 8] = [
    "--python-platform",
    "windows",
    "--python-version",
    "3.11",
    "--target",
    "there",
    "--only-binary",
    ":all:",
];

/// The line about the accelerator, and the last line.
fn told(run: &Run) -> (String, String) {
    let mut lines = run.stderr.lines();
    let accelerator = lines.find(|line| line.starts_with("Accelerator "));
    let accelerator = accelerator.unwrap_or_default().to_owned();
    (accelerator, last_line(&run.stdout).to_owned())
}

#[test]
fn a_machine_gets_the_build_that_it_runs() {
    let server = index();
    let environment = world(&server);
    let mut seen = Vec::new();
    for (machine, driver, cards, wish) in [
        ("RTX 4070", "581.57", "8.9", "torch"),
        ("RTX 4070, older driver", "566.36", "8.9", "torch"),
        ("GTX 1080", "581.57", "6.1", "torch"),
        ("GTX 1080, old driver", "472.12", "6.1", "torch"),
        ("GTX 1080 and RTX 5090", "581.57", "6.1,12.0", "torch"),
        ("RTX 5090", "581.57", "12.0", "torch<2.9"),
        (
            "RTX 5090, torch that doesn't know it",
            "581.57",
            "12.0",
            "torch<2.7",
        ),
        ("RTX 4070, what caps torch", "581.57", "8.9", "capped"),
        ("nothing to do with torch", "581.57", "8.9", "helper"),
        ("no card", "none", "", "torch"),
        ("ancient driver", "390.77", "6.1", "torch"),
        ("unknown card", "581.57", "", "torch"),
    ] {
        let run = on(
            &environment,
            driver,
            cards,
            &[&DRY[..], &["auto", wish]].concat(),
        );
        let (accelerator, last) = told(&run);
        let warning = run.stderr.lines().find(|line| line.starts_with("WARNING"));
        let lines = [
            Some(&*accelerator).filter(|it| !it.is_empty()),
            warning,
            Some(&last),
        ];
        let lines: Vec<&str> = lines.into_iter().flatten().collect();
        seen.push(format!("{machine}:\n  {}", lines.join("\n  ")));
    }
    // The oldest driver that does has other numbers on Windows.
    let minimum = if cfg!(windows) { "528.33" } else { "525.60.13" };
    assert_snapshot!(seen.join("\n").replace(minimum, "[MINIMUM]"));
}

#[test]
fn only_torchs_family_comes_from_the_accelerators_index() {
    let server = index();
    let environment = world(&server);
    let arguments = ["install", "--accelerator", "cu128", "torchvision"];
    drop(on(&environment, "581.57", "8.9", &arguments).success());
    assert_eq!(
        environment.installed(),
        [
            "helper-1.0",
            "torch-2.9.0+cu128",
            "torchvision-0.24.0+cu128"
        ]
    );
    // Nothing is left to do, and auto stays with what is there.
    let again = on(&environment, "581.57", "8.9", &arguments).success();
    let satisfied = "Requirement already satisfied: torchvision";
    assert!(again.stdout.contains(satisfied), "{}", again.stdout);
    let automatic = ["install", "--accelerator=auto", "torch"];
    let automatic = on(&environment, "581.57", "8.9", &automatic).success();
    assert_eq!(
        told(&automatic).0,
        "Accelerator cu128 (CUDA 12.8): the installed torch 2.9.0+cu128 is built for it"
    );
    let satisfied = "Requirement already satisfied: torch ";
    assert!(automatic.stdout.contains(satisfied), "{}", automatic.stdout);
    // Another accelerator is another build of the same version.
    let other = on(
        &environment,
        "581.57",
        "8.9",
        &["install", "--accelerator=cu126", "torchvision"],
    );
    drop(other.success());
    assert_eq!(
        environment.installed(),
        [
            "helper-1.0",
            "torch-2.9.0+cu126",
            "torchvision-0.24.0+cu126"
        ]
    );
}

#[test]
fn what_is_named_is_taken_with_a_warning() {
    let server = index();
    let environment = world(&server);
    let run = on(
        &environment,
        "472.12",
        "6.1",
        &[&DRY[..], &["cu130", "torch"]].concat(),
    );
    assert_snapshot!(
        run.success()
            .stderr
            .lines()
            .take(3)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let unknown = environment.run([&DRY[..], &["cu999", "torch"]].concat());
    assert_eq!(unknown.code, 1);
    assert_snapshot!(unknown.stderr);
    let backend = ["install", "--dry-run", "--torch-backend=cpu", "torch"];
    let (_, last) = told(&on(&environment, "none", "", &backend).success());
    assert_eq!(last, "Would install helper-1.0 torch-2.12.0+cpu");
    let verbose = [&["-v"], &DRY[..], &["auto", "torch"]].concat();
    let verbose = on(&environment, "566.36", "8.9", &verbose).success();
    let tried = "Accelerators: `BNBPIP_CUDA_DRIVER`: driver 566.36, as it was told";
    assert!(verbose.stderr.contains(tried), "{}", verbose.stderr);
    let none = environment.run([&DRY[..], &["auto", "helper", "--no-index"]].concat());
    let warning = "--accelerator chooses an index, and --no-index leaves none";
    assert!(none.stderr.contains(warning), "{}", none.stderr);
}

#[test]
fn variables_and_projects_choose_too() {
    let server = index();
    let environment = world(&server);
    let run = |variables: &[(&str, &str)]| {
        let mut command = environment.command();
        command.env("BNBPIP_ACCELERATOR_INDEX_URL", "whl");
        command.envs(variables.iter().copied());
        let run: Run = command
            .args(["install", "--dry-run", "torch"])
            .output()
            .unwrap()
            .into();
        last_line(&run.success().stdout).to_owned()
    };
    assert_eq!(run(&[]), "Would install helper-1.0 torch-2.12.0");
    let of_variable = [("BNBPIP_ACCELERATOR", "cu130")];
    assert_eq!(
        run(&of_variable),
        "Would install helper-1.0 torch-2.9.0+cu130"
    );
    let project = environment.work().join("bnbpip.toml");
    fs_err::write(project, "accelerator = 'cu126'\n").unwrap();
    assert_eq!(run(&[]), "Would install helper-1.0 torch-2.12.0+cu126");
    assert_eq!(
        run(&of_variable),
        "Would install helper-1.0 torch-2.9.0+cu130"
    );
}

#[test]
fn downloads_and_locks_take_it_as_well() {
    let server = index();
    let environment = world(&server);
    let download = [
        "download",
        "--accelerator=cu126",
        "--no-deps",
        "-d",
        "files",
        "torch",
    ];
    drop(on(&environment, "none", "", &download).success());
    assert!(
        environment
            .work()
            .join("files")
            .join("torch-2.12.0+cu126-py3-none-any.whl")
            .exists()
    );
    // A lock names no files of this machine.
    let wheel = WheelBuilder::new("torch", "2.12.0+cu126").build();
    let pytorch = IndexServer::with([wheel.clone()]);
    let folder = environment.work().join("whl/cu126/torch");
    let (url, hash) = (pytorch.file_url(&wheel.filename), wheel.sha256());
    let page = format!("<a href='{url}#sha256={hash}'>{}</a>", wheel.filename);
    fs_err::write(folder.join("index.html"), page).unwrap();
    let lock = [
        "lock",
        "--environment=windows-3.11",
        "--accelerator=auto",
        "torch",
    ];
    let locked = on(&environment, "566.36", "8.9", &lock).success();
    assert_eq!(
        told(&locked).0,
        "Accelerator cu126 (CUDA 12.6): the newest build of torch 2.12.0 that driver 566.36 and \
         compute capability 8.9 run (CPython 3.11.0 on Windows x86_64)"
    );
    let text = fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap();
    assert!(text.contains("version = \"2.12.0+cu126\""), "{text}");
    assert!(text.contains(&url) && text.contains(&hash), "{text}");
}

#[test]
fn a_torch_for_cuda_is_not_replaced_unasked() {
    let server = index();
    let environment = world(&server);
    drop(
        on(
            &environment,
            "none",
            "",
            &["install", "--accelerator=cu124", "torch"],
        )
        .success(),
    );
    let before = environment.fingerprint();
    // PyPI's for Linux says nothing of its CUDA; the processor's does.
    let cpu = environment.work().join("whl").join("cpu");
    let index = format!("--index-url={}", cpu.display());
    let run = environment.run([
        "install",
        &index,
        "--extra-index-url",
        &server.simple_url(),
        "new",
    ]);
    assert_eq!(run.code, 1);
    assert_snapshot!(run.stderr.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert_eq!(environment.fingerprint(), before);
    // What it needs not be replaced for goes on, and so does what was named.
    drop(environment.run(["install", "old"]).success());
    let named = ["install", "--dry-run", &index, "torch>=2.9", "--no-deps"];
    let (_, last) = told(&environment.run(named).success());
    assert_eq!(last, "Would install torch-2.12.0+cpu");
}

#[test]
fn on_windows_the_usual_torch_is_told_to_have_no_cuda() {
    let server = index();
    let environment = world(&server);
    let run = environment.run([&["install", "--dry-run", "torch"], &WINDOWS[..]].concat());
    let hint = "hint: torch 2.12.0 from here is built for the processor only on Windows: \
                `--accelerator auto` takes one for the GPU";
    assert!(run.success().stderr.contains(hint));
    let chosen = [&DRY[..], &["cu126", "torch"], &WINDOWS].concat();
    let run = on(&environment, "none", "", &chosen).success();
    assert!(!run.stderr.contains("processor only"), "{}", run.stderr);
    let (_, last) = told(&run);
    assert_eq!(last, "Would install helper-1.0 torch-2.12.0+cu126");
}

#[test]
fn auto_leaves_the_installed_build_where_it_must() {
    let server = index();
    let environment = world(&server);
    let auto = |arguments: &[&str]| {
        let arguments = [&["install", "--accelerator=auto"], arguments].concat();
        on(&environment, "581.57", "8.9", &arguments).success()
    };
    drop(
        on(
            &environment,
            "none",
            "",
            &["install", "--accelerator=cu124", "torch"],
        )
        .success(),
    );
    drop(auto(&["old"]));
    assert!(
        environment
            .installed()
            .contains(&"torch-2.6.0+cu124".to_owned())
    );
    let run = auto(&["new"]);
    assert_snapshot!(
        run.stderr
            .lines()
            .skip(1)
            .take(3)
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(
        environment
            .installed()
            .contains(&"torch-2.12.0+cu132".to_owned())
    );
    drop(
        on(
            &environment,
            "none",
            "",
            &["install", "--accelerator=cu124", "torch"],
        )
        .success(),
    );
    let upgrade = auto(&["-U", "torch"]);
    assert!(
        told(&upgrade).0.starts_with("Accelerator cu132"),
        "{}",
        upgrade.stderr
    );
}

#[test]
fn the_usual_index_need_not_have_torch() {
    let server = IndexServer::with([WheelBuilder::new("helper", "1.0").build()]);
    let environment = world(&server);
    let auto = |wish: &str| {
        let run = on(
            &environment,
            "581.57",
            "8.9",
            &[&DRY[..], &["auto", wish]].concat(),
        );
        (told(&run), run.code)
    };
    let ((accelerator, last), _) = auto("torch<2.9");
    assert_eq!(
        accelerator,
        "Accelerator cu129 (CUDA 12.9): the newest torch that driver 581.57 and compute capability \
         8.9 run"
    );
    assert_eq!(last, "Would install helper-1.0 torch-2.8.0+cu129");
    assert_eq!(auto("torch==1.0").1, 1);
}

#[test]
fn a_network_that_fails_is_said_once() {
    let server = index();
    let environment = world(&server);
    let mut command = environment.command();
    command
        .env("BNBPIP_CUDA_DRIVER", "581.57")
        .env("BNBPIP_ACCELERATOR_INDEX_URL", "http://127.0.0.1:1/whl");
    let arguments = [&["--retries", "0"], &DRY[..], &["auto", "torch"]].concat();
    let run: Run = command.args(arguments).output().unwrap().into();
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr.matches("Accelerator ").count(),
        1,
        "{}",
        run.stderr
    );
    let address = "http://127.0.0.1:1/whl/cu132/torch/";
    assert!(run.stderr.contains(address), "{}", run.stderr);
}

#[test]
fn what_stays_with_another_build_is_told() {
    let server = index();
    let environment = world(&server);
    let arguments = ["install", "--accelerator=cu128", "torchvision==0.24.0"];
    drop(on(&environment, "none", "", &arguments).success());
    let run = on(
        &environment,
        "none",
        "",
        &[&DRY[..], &["cu126", "torch"]].concat(),
    );
    let lines = run.success().stderr;
    let told = lines.lines().filter(|line| line.contains("torchvision"));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

/// Where nobody says a word about indexes and accelerators. The usual index is the real one, with a
/// mirror in front that has all.
#[test]
fn without_the_option_torch_comes_from_where_it_runs() {
    let server = index();
    let world = world(&server);
    let mirror = format!("pypi={}", server.simple_url());
    let on = |driver: &str, cards: &str, more: &[&str]| {
        let mut command = world.command();
        command
            .env_remove("BNBPIP_INDEX_URL")
            .env("BNBPIP_CUDA_DRIVER", driver)
            .env("BNBPIP_CUDA_ARCH", cards)
            .env("BNBPIP_ACCELERATOR_INDEX_URL", "whl")
            .args(["install", "--dry-run", "--mirror", &mirror])
            .args(more);
        told(&Run::from(command.output().unwrap()).success())
    };
    let (said, done) = on("535.183.01", "8.9", &["torch"]);
    assert_eq!(
        said,
        "Accelerator cu126 (CUDA 12.6): the newest build of torch 2.12.0 that driver 535.183.01 and \
         compute capability 8.9 run"
    );
    assert_eq!(done, "Would install helper-1.0 torch-2.12.0+cu126");
    // What the usual index has runs without a GPU, and on a newer driver where it is for one: for
    // Windows it isn't.
    let usual = (
        String::new(),
        "Would install helper-1.0 torch-2.12.0".to_owned(),
    );
    let newer = on("581.57", "8.9", &["torch"]);
    if cfg!(windows) {
        assert_eq!(newer.1, "Would install helper-1.0 torch-2.12.0+cu132");
    } else {
        assert_eq!(newer, usual);
    }
    assert_eq!(on("none", "", &["torch"]), usual);
    let helper = (String::new(), "Would install helper-1.0".to_owned());
    assert_eq!(on("535.183.01", "8.9", &["helper"]), helper);
    // No build for CUDA: the usual index's is as good. For Windows it never is one.
    let usual = if cfg!(windows) {
        "Would install helper-1.0 torch-2.12.0"
    } else {
        "Would install helper-1.0 torch-2.9.0"
    };
    let (said, done) = on("390.77", "8.9", &["torch"]);
    assert_eq!((said.as_str(), done.as_str()), ("", usual));
    // Who names an index has said where torch comes from.
    let named = ["torch", "--extra-index-url", &server.simple_url()];
    assert_eq!(on("535.183.01", "8.9", &named).1, usual);
}

#[test]
fn what_tells_of_a_machine_has_to_be_readable() {
    let server = index();
    let environment = world(&server);
    let said = |driver: &str, cards: &str| {
        let run = on(&environment, driver, cards, &["list"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        run.stderr
    };
    assert_eq!(
        said("newest", ""),
        "ERROR: Failed to read `BNBPIP_CUDA_DRIVER=newest`\n\
         hint: give the driver's version, such as `566.36`, or `none`\n"
    );
    assert_eq!(
        said("566.36", "8.9, Ada"),
        "ERROR: Failed to read `BNBPIP_CUDA_ARCH=8.9, Ada`\n\
         hint: give each card's compute capability, such as `8.9` or `6.1,8.9`\n"
    );
}
