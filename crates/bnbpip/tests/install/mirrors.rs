//! Mirrors: asked before the index, held to its hashes, and left for good when they fail.

use bnbpip_testing::{
    Fault, HashInPage, HostedFile, IndexServer, Run, TestEnvironment, WheelBuilder,
};

use crate::support::{PROGRAM, last_line};

const WHEEL: &str = "demo-1.0-py3-none-any.whl";

fn files() -> [HostedFile; 2] {
    let demo = WheelBuilder::new("demo", "1.0").requires("dep").build();
    let dep = WheelBuilder::new("dep", "1.0").build();
    [demo.into(), dep.into()]
}

struct World {
    index: IndexServer,
    mirror: IndexServer,
    environment: TestEnvironment,
}

fn world(change: impl Fn(HostedFile) -> HostedFile) -> World {
    let index = IndexServer::with(files());
    let mirror = IndexServer::with(files().map(change));
    let environment = TestEnvironment::new(PROGRAM).with_index(&index);
    World {
        index,
        mirror,
        environment,
    }
}

impl World {
    fn install(&self, mirrors: &[&str]) -> Run {
        let mut line = vec!["install".to_owned(), "demo".to_owned()];
        for mirror in mirrors {
            line.push(format!("--mirror={}={mirror}", self.index.simple_url()));
        }
        let run = self.environment.run(&line).success();
        let installed = "Successfully installed demo-1.0 dep-1.0";
        assert_eq!(last_line(&run.stdout), installed);
        run
    }
}

#[test]
fn a_mirror_spares_its_index() {
    let world = world(|file| file);
    let run = world.install(&[&world.mirror.simple_url()]);
    assert!(!run.stderr.contains("mirror"), "{}", run.stderr);
    assert_eq!(world.index.requests().len(), 0);
    assert!(world.mirror.bytes_served_of(WHEEL) > 0);
}

#[test]
fn the_project_names_mirrors_in_order() {
    let world = world(|file| file);
    let dead = IndexServer::start();
    dead.plan_fault("/simple/", 100, Fault::Status(503));
    let text = format!(
        "[[index]]\nname = 'main'\nurl = '{}'\n[[mirror]]\nindex = 'main'\nurls = ['{}', '{}']\n",
        world.index.simple_url(),
        dead.simple_url(),
        world.mirror.simple_url()
    );
    fs_err::write(world.environment.work().join("bnbpip.toml"), text).unwrap();
    let run = world.install(&[]);
    let told = format!(
        "WARNING: The mirror `{}` is not asked any more in this run: ",
        dead.simple_url()
    );
    assert_eq!(run.stderr.matches(&told).count(), 1, "{}", run.stderr);
    // Two projects, and it was asked for the first alone: once, and once again.
    let asked = dead.requests_for("/simple/").len();
    assert!(asked <= 2, "{asked}");
    assert_eq!(world.index.requests().len(), 0);
    assert!(world.mirror.bytes_served_of(WHEEL) > 0);
}

#[test]
fn without_hashes_a_mirror_is_held_to_those_of_the_index() {
    let world = world(|file| file.hash(HashInPage::Missing));
    drop(world.install(&[&world.mirror.simple_url()]));
    assert_eq!(world.index.bytes_served_of(WHEEL), 0);
    assert!(world.mirror.bytes_served_of(WHEEL) > 0);
    // Other bytes than the index's are noticed, and come from the index after all.
    let world = self::world(|file| file.hash(HashInPage::Missing));
    let evil = WheelBuilder::new("demo", "1.0")
        .requires("dep")
        .file("demo/evil.py", "");
    world
        .mirror
        .add(HostedFile::from(evil.build()).hash(HashInPage::Missing));
    let run = world.install(&[&world.mirror.simple_url()]);
    assert!(
        run.stderr.contains("WARNING: The mirror `"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("should be `"), "{}", run.stderr);
    assert!(world.index.bytes_served_of(WHEEL) > 0);
    assert!(
        !world
            .environment
            .site_packages()
            .join("demo/evil.py")
            .exists()
    );
}

#[test]
fn a_file_that_a_mirror_has_not_comes_from_the_index() {
    let world = world(|file| file);
    world.mirror.plan_fault("/files/", 100, Fault::Status(404));
    let run = world.install(&[&world.mirror.simple_url()]);
    assert!(
        run.stderr.contains("is not asked any more in this run"),
        "{}",
        run.stderr
    );
    assert!(world.index.bytes_served_of(WHEEL) > 0);
}

#[test]
fn a_locked_file_comes_from_a_mirror() {
    let world = world(|file| file);
    let lock = [
        "lock",
        "demo",
        "--environment",
        "linux-3.11",
        "--environment",
        "linux-3.12",
    ];
    let lock = [
        &lock[..],
        &["--environment", "linux-3.13", "--environment", "windows"],
    ]
    .concat();
    drop(world.environment.run(lock).success());
    world.index.forget_requests();
    let mirror = format!(
        "--mirror={}={}",
        world.index.simple_url(),
        world.mirror.simple_url()
    );
    let run = world.environment.run(["sync", &mirror]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(world.index.requests().len(), 0);
    assert!(world.mirror.bytes_served_of(WHEEL) > 0);
}

#[test]
fn a_lock_has_the_addresses_of_the_index_where_it_can_be_asked() {
    let world = world(|file| file);
    let mirror = format!(
        "--mirror={}={}",
        world.index.simple_url(),
        world.mirror.simple_url()
    );
    let lock = ["lock", "demo", "--environment", "linux-3.12", &mirror];
    drop(world.environment.run(lock).success());
    let path = world.environment.work().join("pylock.toml");
    let text = fs_err::read_to_string(&path).unwrap();
    let (own, others) = (world.index.url(), world.mirror.url());
    assert!(text.contains(&own) && !text.contains(&others), "{text}");
    // An index that doesn't answer is told once, whatever the number of environments.
    fs_err::remove_file(&path).unwrap();
    fs_err::remove_dir_all(world.environment.cache()).unwrap();
    world.index.plan_fault("/simple/", 100, Fault::Status(503));
    let lock = [&lock[..], &["--environment", "windows-3.12"]].concat();
    let run = world.environment.run(lock).success();
    let told = "can't be asked: the lock has the addresses that its mirrors give";
    assert_eq!(run.stderr.matches(told).count(), 1, "{}", run.stderr);
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.contains(&others), "{text}");
}

#[test]
fn a_folder_can_be_a_mirror_and_is_left_as_it_is() {
    let world = world(|file| file);
    let folder = world.environment.work().join("mirror");
    for file in files() {
        let project = folder.join(&file.project);
        fs_err::create_dir_all(&project).unwrap();
        fs_err::write(project.join(&file.filename), &file.bytes).unwrap();
    }
    drop(world.install(&["mirror"]));
    assert!(folder.join("demo").join(WHEEL).is_file());
    assert_eq!(world.index.requests_for("/files/").len(), 0);
}
