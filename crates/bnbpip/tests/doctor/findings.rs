//! What is found.

use bnbpip_testing::{TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use super::{environment, index};

/// The interpreter's version differs from machine to machine.
fn filtered(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let run = environment.run(arguments);
    let text = run.snapshot(&environment.filters());
    // So does which Windows it is.
    let is_machine = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("Machine   Windows") && !line.starts_with("\"machine\": \"Windows")
    };
    let lines = text.lines().filter(is_machine).map(|line| {
        if line.starts_with("Python ") {
            "Python       [PYTHON]".to_owned()
        } else if line.trim_start().starts_with("\"python\":") {
            "    \"python\": \"[PYTHON]\",".to_owned()
        } else {
            line.replace("[SITE-PACKAGES]\\", "[SITE-PACKAGES]/")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_healthy_environment_has_no_findings() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("top", "1.0").requires("helper<2"),
            WheelBuilder::new("helper", "1.0"),
        ],
    );
    assert_snapshot!(filtered(&environment, &["doctor"]));
    assert_eq!(environment.run(["doctor", "--fix"]).success().stderr, "");
    assert_eq!(environment.run(["doctor", "-v"]).code, 0);
}

#[test]
fn a_broken_pair_is_named_with_its_rule() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("bitsandbytes", "0.43.0"),
            WheelBuilder::new("triton", "3.2.0"),
            WheelBuilder::new("setuptools", "75.0"),
        ],
    );
    assert_snapshot!(filtered(&environment, &["doctor"]));
    assert_snapshot!(filtered(&environment, &["doctor", "--json"]));
    let allowed = environment.run(["doctor", "--allow", "BNB-0001"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stdout);
    assert_eq!(environment.run(["doctor", "--json", "--fix"]).code, 1);
}

#[test]
fn requirements_files_and_remains_are_looked_at() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("top", "1.0")
                .requires("helper<2")
                .requires("absent[x]>=3; python_version >= '3'"),
            WheelBuilder::new("helper", "2.0"),
            WheelBuilder::new("other", "1.0").file("helper/__init__.py", "theirs = 1\n"),
            WheelBuilder::new("damaged", "1.0").file("damaged/gone.py", "x = 1\n"),
            WheelBuilder::new("patched", "1.0").file("patched/own.py", "x = 1\n"),
            WheelBuilder::new("strange", "1.0").tag("cp27-cp27m-win32"),
        ],
    );
    let library = environment.site_packages();
    fs_err::remove_file(library.join("damaged/gone.py")).unwrap();
    fs_err::write(library.join("patched/own.py"), "x = 22\n").unwrap();
    fs_err::create_dir(library.join("~orch")).unwrap();
    fs_err::write(library.join("~orch/_C.so"), [0; 2048]).unwrap();
    assert_snapshot!(filtered(&environment, &["doctor"]));
}

#[test]
fn a_change_of_the_same_size_is_found_when_asked_for() {
    let server = index();
    let environment = environment(
        &server,
        &[WheelBuilder::new("patched", "1.0").file("patched/own.py", "x = 1\n")],
    );
    let file = environment.site_packages().join("patched/own.py");
    fs_err::write(file, "x = 2\n").unwrap();
    assert_eq!(environment.run(["doctor"]).code, 0);
    let run = environment.run(["doctor", "-v"]);
    assert_eq!(run.code, 5);
    assert!(
        run.stdout
            .contains("patched 1.0 has 1 file that changed since"),
        "{}",
        run.stdout
    );
}

#[test]
fn names_of_users_are_not_shown() {
    let server = index();
    let environment = environment(
        &server,
        &[WheelBuilder::new("top", "1.0").requires("absent")],
    );
    let run = |arguments: &[&str]| {
        let mut command = environment.command();
        command.env("HOME", environment.root());
        command.env("USERPROFILE", environment.root());
        let output = command.args(arguments).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        if cfg!(windows) {
            // JSON writes each twice.
            return stdout.replace("\\\\", "/").replace('\\', "/");
        }
        stdout
    };
    let mut root = environment.root().to_str().unwrap().to_owned();
    if cfg!(windows) {
        root = root.replace('\\', "/");
    }
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let shown = run(arguments);
        assert!(!shown.contains(&root), "{shown}");
        assert!(shown.contains("~/venv"), "{shown}");
    }
    assert!(run(&["doctor", "-v"]).contains(&root));
    // The shortened path can be typed.
    let shown = run(&["doctor", "--python", "~/venv"]);
    assert!(shown.contains("--python ~/venv absent"), "{shown}");
}

/// torch with the `version.py` that its wheels have.
fn torch(version: &str, cuda: &str) -> WheelBuilder {
    let text = format!("__version__ = '{version}'\ncuda: Optional[str] = {cuda}\nhip = None\n");
    WheelBuilder::new("torch", version).file("torch/version.py", text)
}

#[test]
fn bitsandbytes_needs_the_library_for_torchs_cuda() {
    let server = index();
    let with = |library: &str| {
        let bitsandbytes = WheelBuilder::new("bitsandbytes", "0.43.0")
            .file(&format!("bitsandbytes/{library}"), "");
        environment(&server, &[torch("2.6.0+cu124", "'12.4'"), bitsandbytes])
    };
    let suffix = if cfg!(windows) { "dll" } else { "so" };
    let run = with(&format!("libbitsandbytes_cuda124.{suffix}")).run(["doctor"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let environment = with(&format!("libbitsandbytes_cuda121.{suffix}"));
    assert_snapshot!(filtered(&environment, &["doctor"]));
}

#[test]
fn two_openmp_runtimes_are_found() {
    let server = index();
    let environment = environment(
        &server,
        &[
            torch("2.6.0+cpu", "None").file("torch/lib/libiomp5.so", ""),
            WheelBuilder::new("other", "1.0").file("other/lib/libiomp5.so", ""),
        ],
    );
    let run = environment.run(["doctor"]);
    assert_eq!(run.code, 5);
    let line = "[warn] There are two OpenMP runtimes, one of other and one of torch";
    assert!(run.stdout.contains(line), "{}", run.stdout);
}

#[test]
fn an_untidy_wheel_is_not_an_unsupported_one() {
    let server = index();
    let environment = environment(&server, &[WheelBuilder::new("untidy", "1.0")]);
    let file = environment
        .site_packages()
        .join("untidy-1.0.dist-info/WHEEL");
    let text = fs_err::read_to_string(&file).unwrap();
    fs_err::write(&file, text.replace("Tag:", "\nTag:")).unwrap();
    let run = environment.run(["doctor"]);
    assert!(!run.stdout.contains("another platform"), "{}", run.stdout);
}

#[test]
fn rules_of_ones_own_count() {
    let server = index();
    let environment = environment(
        &server,
        &[
            WheelBuilder::new("helper", "2.0"),
            WheelBuilder::new("top", "1.0"),
        ],
    );
    let rule = "+++\nid = \"TEAM-0001\"\ntitle = \"top needs an old helper\"\nkind = \"conflict\"\n\
        severity = \"broken\"\ndate = 2026-11-23\n[a]\npackages = [\"top\"]\nversions = \"*\"\n\
        [b]\npackages = [\"helper\"]\nversions = \"==2.*\"\n\
        [[evidence]]\ntype = \"reproduction\"\ndetail = \"It was tried\"\n\
        [[tests]]\nexpect = \"hit\"\npackages = [\"top==1\", \"helper==2\"]\n\
        [[tests]]\nexpect = \"miss\"\npackages = [\"top==1\", \"helper==1\"]\n+++\n\nWhy.\n";
    fs_err::write(environment.work().join("TEAM-0001.md"), rule).unwrap();
    assert_eq!(environment.run(["doctor"]).code, 0);
    let run = environment.run(["doctor", "--overlay", "TEAM-0001.md"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(run.stdout.contains("[bad ] TEAM-0001"), "{}", run.stdout);
    let command = "bnbpip install --overlay TEAM-0001.md \"helper==1.0\"";
    assert!(run.stdout.contains(command), "{}", run.stdout);
}

#[test]
fn accelerators_are_told_with_how_they_were_found() {
    let server = index();
    let environment = environment(&server, &[torch("2.6.0+cu124", "'12.4'")]);
    let run = |driver: &str, capability: &str, options: &[&str]| {
        let mut command = environment.command();
        command.env("BNBPIP_CUDA_DRIVER", driver);
        command.env("BNBPIP_CUDA_ARCH", capability);
        let output = command.arg("doctor").args(options).output().unwrap();
        let both = [output.stdout, output.stderr].concat();
        String::from_utf8(both).unwrap()
    };
    let told = run("566.36", "8.9", &["-v"]);
    let gpu = "NVIDIA GPU (compute capability 8.9), driver 566.36";
    assert!(
        told.lines()
            .any(|line| line.starts_with("GPU ") && line.ends_with(gpu))
    );
    for attempt in [
        "Accelerators: `BNBPIP_CUDA_DRIVER`: driver 566.36, as it was told",
        "Accelerators: `BNBPIP_CUDA_ARCH`: compute capability 8.9, as it was told",
    ] {
        assert!(told.contains(attempt), "{told}");
    }
    assert!(run("566.36", "6.1,8.9", &["--json"]).contains("6.1), NVIDIA GPU (compute"));
    let none = run("none", "", &["-v"]);
    assert!(!none.contains("\nGPU "), "{none}");
    assert!(
        none.contains("`BNBPIP_CUDA_DRIVER`: no NVIDIA GPU, as it was told"),
        "{none}"
    );
}
