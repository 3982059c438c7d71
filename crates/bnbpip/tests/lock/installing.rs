//! Installing a lock: builds of the same version are told apart; `install -r pylock.toml`.

use std::ffi::OsStr;

use bnbpip_testing::{IndexServer, WheelBuilder};

use crate::{PROJECT, environment, index, lock};

#[test]
fn another_build_of_the_same_version_is_replaced() {
    let python = {
        let server = IndexServer::start();
        let environment = environment(&server);
        let (major, minor) = environment.interpreter().version_info;
        format!("cp{major}{minor}")
    };
    let own = WheelBuilder::new("native", "1.0").tag(&format!("{python}-none-any"));
    let server = IndexServer::with([own.build(), WheelBuilder::new("base", "1.0").build()]);
    let environment = environment(&server);
    drop(lock(
        &environment,
        &["native", "base", "--environment", "linux"],
    ));
    // Somebody else installed other files of the same versions.
    environment.install_by_hand(&WheelBuilder::new("native", "1.0"));
    let base = WheelBuilder::new("base", "1.0").file("other.py", "");
    let path = base.build().write_to(&environment.work());
    drop(
        environment
            .run([OsStr::new("install"), path.as_os_str()])
            .success(),
    );
    let run = environment.run(["sync"]).success();
    let last = "Successfully installed base-1.0 native-1.0\n";
    assert!(run.stdout.ends_with(last), "{}", run.stdout);
    assert!(!environment.site_packages().join("other.py").exists());
    let run = environment.run(["sync"]).success();
    assert_eq!(run.stdout, "The environment is as the lock says\n");
    // The very file counts where bnbpip installed it itself.
    let other = WheelBuilder::new("native", "1.0")
        .tag(&format!("{python}-none-any"))
        .file("x.py", "");
    server.add(other.build());
    fs_err::remove_dir_all(environment.cache()).unwrap();
    drop(lock(
        &environment,
        &["native", "base", "--environment", "linux", "--upgrade"],
    ));
    let run = environment.run(["sync"]).success();
    let last = "Successfully installed native-1.0\n";
    assert!(run.stdout.ends_with(last), "{}", run.stdout);
}

#[test]
fn install_takes_a_lock_for_a_requirements_file() {
    let server = index();
    let environment = environment(&server);
    fs_err::write(environment.work().join("pyproject.toml"), PROJECT).unwrap();
    drop(lock(&environment, &[]));
    drop(environment.run(["install", "leaf"]).success());
    drop(
        environment
            .run(["install", "-r", "pylock.toml[extra_one]"])
            .success(),
    );
    // What the lock doesn't have for this choice stays.
    assert_eq!(
        environment.installed(),
        ["base-2.0", "leaf-1.0", "native-1.0", "top-1.0"]
    );
    let refused = |arguments: &[&str], said: &str| {
        let run = environment.run([&["install", "-r", "pylock.toml"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    };
    refused(
        &["base"],
        "together with other requirements: a lock is complete\n",
    );
    refused(
        &["-r", "pylock.other.toml"],
        "together with `pylock.toml`: one lock at a time\n",
    );
    refused(
        &["--target", "x"],
        "with `--target`: a lock makes an environment what it says\n",
    );
    let run = environment.run(["install", "-r", "pylock.toml[nope]"]);
    assert!(
        run.stderr
            .contains("ERROR: Failed to use the lock: it has no extra `nope`\n"),
        "{}",
        run.stderr
    );
}
