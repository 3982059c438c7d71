//! A torch that the machine's GPU or driver can't run, and the build that it can.

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use super::{environment, printed_command};

/// torch with the `version.py` that its wheels have.
fn torch(version: &str, cuda: &str) -> WheelBuilder {
    let text = format!("__version__ = '{version}'\ncuda: Optional[str] = {cuda}\nhip = None\n");
    WheelBuilder::new("torch", version).file("torch/version.py", text)
}

fn world(server: &IndexServer, installed: &[WheelBuilder]) -> TestEnvironment {
    let environment = environment(server, installed);
    for (family, cuda, version) in [
        ("cu126", "12.6", "2.9.0"),
        ("cu128", "12.8", "2.9.0"),
        ("cu128", "12.8", "2.11.0"),
        ("cu132", "13.2", "2.12.0"),
    ] {
        let torch = torch(&format!("{version}+{family}"), &format!("'{cuda}'"));
        let vision = WheelBuilder::new("torchvision", &format!("0.24.0+{family}"));
        for wheel in [torch.build(), vision.build()] {
            let name = wheel.filename.split('-').next().unwrap();
            let folder = environment.work().join("whl").join(family).join(name);
            fs_err::create_dir_all(&folder).unwrap();
            wheel.write_to(&folder);
        }
    }
    environment
}

/// Runs a command on a machine with this driver and card.
fn on(environment: &TestEnvironment, (driver, card): (&str, &str), arguments: &[String]) -> Run {
    let mut command = environment.command();
    command
        .env("BNBPIP_CUDA_DRIVER", driver)
        .env("BNBPIP_CUDA_ARCH", card)
        .env("BNBPIP_ACCELERATOR_INDEX_URL", "whl");
    command.args(arguments).output().unwrap().into()
}

fn doctor() -> [String; 1] {
    ["doctor".to_owned()]
}

/// What doctor says, and what is installed after the command that it prints.
fn mended(machine: (&str, &str), installed: &[WheelBuilder]) -> (String, Vec<String>) {
    let server = IndexServer::start();
    let environment = world(&server, installed);
    let run = on(&environment, machine, &doctor());
    assert_eq!(run.code, 5, "{}", run.stdout);
    let finding = run.stdout.lines().find(|line| line.starts_with("[bad ]"));
    let command = printed_command(&run.stdout);
    assert!(
        !run.stdout.contains("could not be tried out"),
        "{}",
        run.stdout
    );
    drop(on(&environment, machine, &command).success());
    let healthy = on(&environment, machine, &doctor());
    assert_eq!(healthy.code, 0, "{}", healthy.stdout);
    let said = format!("{}\n{}", finding.unwrap(), command.join(" "));
    (said, environment.installed())
}

#[test]
fn a_cpu_torch_beside_a_gpu() {
    let vision = WheelBuilder::new("torchvision", "0.24.0+cpu");
    let installed = [torch("2.9.0+cpu", "None"), vision];
    let (said, after) = mended(("566.36", "8.9"), &installed);
    assert_eq!(
        said,
        "[bad ] torch 2.9.0+cpu is built for the processor only, and this machine has an NVIDIA GPU \
         (driver 566.36)\n\
         install --accelerator cu128 torch==2.9.0 torchvision==0.24.0"
    );
    assert_eq!(after, ["torch-2.9.0+cu128", "torchvision-0.24.0+cu128"]);
}

#[test]
fn a_driver_that_is_too_old() {
    let (said, after) = mended(("566.36", "8.9"), &[torch("2.11.0", "'13.0'")]);
    assert_eq!(
        said,
        "[bad ] torch 2.11.0 is built for CUDA 13.0, which needs NVIDIA's driver 580 or newer, and \
         this machine has 566.36\n\
         install --accelerator cu128 torch==2.11.0"
    );
    assert_eq!(after, ["torch-2.11.0+cu128"]);
}

#[test]
fn a_build_without_code_for_the_gpu() {
    let (said, after) = mended(("581.57", "6.1"), &[torch("2.9.0+cu128", "'12.8'")]);
    assert_eq!(
        said,
        "[bad ] torch 2.9.0+cu128 has no code for this machine's GPU with compute capability 6.1\n\
         install --accelerator cu126 torch==2.9.0"
    );
    assert_eq!(after, ["torch-2.9.0+cu126"]);
}

#[test]
fn what_no_build_mends_is_left_to_the_person() {
    let server = IndexServer::start();
    let environment = world(&server, &[torch("2.9.0+cu128", "'12.8'")]);
    let run = on(&environment, ("390.77", "6.1"), &doctor());
    assert_eq!(run.code, 5);
    let to_do = "to do: update NVIDIA's driver to 525.60.13 or newer";
    let windows = to_do.replace("525.60.13", "528.33");
    assert!(
        run.stdout
            .contains(if cfg!(windows) { &windows } else { to_do }),
        "{}",
        run.stdout
    );
    // Without a GPU there is nothing to be wrong.
    let none = on(&environment, ("none", ""), &doctor());
    assert_eq!(none.code, 0, "{}", none.stdout);
}

#[test]
fn an_index_that_lacks_the_build_is_told() {
    let server = IndexServer::start();
    let environment = world(&server, &[torch("2.10.0+cpu", "None")]);
    let run = on(&environment, ("566.36", "8.9"), &doctor());
    assert_eq!(
        printed_command(&run.stdout).join(" "),
        "install --accelerator cu128 torch==2.10.0"
    );
    let note = "The command could not be tried out: ";
    assert!(run.stdout.contains(note), "{}", run.stdout);
}

#[test]
fn a_torch_that_has_to_change_keeps_its_builds() {
    // torchao 0.17 wants a torch from 2.11 on, as a rule knows.
    let newer = WheelBuilder::new("torch", "2.11.0").build();
    let server = IndexServer::with([newer]);
    let torchao = WheelBuilder::new("torchao", "0.17.0");
    let environment = world(&server, &[torch("2.9.0+cu128", "'12.8'"), torchao]);
    let machine = ("566.36", "8.9");
    let run = on(&environment, machine, &doctor());
    let command = printed_command(&run.stdout);
    assert_eq!(
        command.join(" "),
        "install --accelerator cu128 torch==2.11.0+cu128"
    );
    drop(on(&environment, machine, &command).success());
    assert_eq!(
        environment.installed(),
        ["torch-2.11.0+cu128", "torchao-0.17.0"]
    );
}

#[test]
fn what_is_built_for_something_else_than_torch() {
    let vision = WheelBuilder::new("torchvision", "0.24.0+cpu");
    let installed = [torch("2.9.0+cu126", "'12.6'"), vision];
    let (said, after) = mended(("581.57", "8.9"), &installed);
    assert_eq!(
        said,
        "[bad ] torchvision 0.24.0+cpu is built for something else than torch 2.9.0+cu126\n\
         install --accelerator cu126 torchvision==0.24.0"
    );
    assert_eq!(after, ["torch-2.9.0+cu126", "torchvision-0.24.0+cu126"]);
}
