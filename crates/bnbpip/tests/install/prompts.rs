//! Servers that want credentials which no address brings: the keyring is asked, then whoever sits
//! at the terminal.

use std::io::Write as _;
use std::process::Stdio;

use bnbpip_testing::{IndexServer, Run, TestEnvironment, WheelBuilder};

use crate::support::{PROGRAM, last_line};

/// Pages for all, files for one.
fn index() -> IndexServer {
    let server = IndexServer::with([WheelBuilder::new("own", "1.0").build()]);
    server.configure(|options| {
        options.credentials = Some(("me".into(), "s3cret".into()));
        options.open_pages = true;
        options.metadata_files = false;
    });
    server
}

fn install(environment: &TestEnvironment, more: &[&str], input: &str) -> Run {
    let mut command = environment.command();
    command.args(["install", "own"]).args(more);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Run::from(child.wait_with_output().unwrap())
}

/// A module `keyring` of the environment that writes down what it is asked.
fn module(environment: &TestEnvironment, answer: &str) -> std::path::PathBuf {
    let log = environment.root().join("asked");
    let text = format!(
        "import collections, pathlib\n\
         Pair = collections.namedtuple('Pair', 'username password')\n\
         def note(*words):\n    with open(r'{}', 'a') as log:\n        print(*words, file=log)\n\
         def get_credential(service, user):\n    note('get', service, user)\n    return {answer}\n\
         def set_password(*all):\n    note('set', *all)\n",
        log.display()
    );
    fs_err::write(environment.site_packages().join("keyring.py"), text).unwrap();
    log
}

#[test]
fn whoever_runs_it_is_asked_for_user_and_password() {
    let server = index();
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    let host = server.url().trim_start_matches("http://").to_owned();
    let question = format!("User for {host}: ");
    let silent = install(&environment, &["--no-input"], "me\ns3cret\n").failure();
    assert!(!silent.stdout.contains("User for"), "{}", silent.stdout);
    assert!(
        silent.stderr.contains("ERROR: HTTP error 401"),
        "{}",
        silent.stderr
    );
    let nobody = install(&environment, &[], "").failure();
    assert!(nobody.stdout.contains(&question), "{}", nobody.stdout);
    let wrong = install(&environment, &[], "me\nguess\n").failure();
    let warning = "WARNING: 401 Error, Credentials not correct for http://";
    assert!(wrong.stderr.contains(warning), "{}", wrong.stderr);
    let right = install(&environment, &[], "me\ns3cret\n").success();
    let asked = format!("{question}Password: ");
    assert_eq!(right.stdout.matches(&asked).count(), 1, "{}", right.stdout);
    assert!(
        !right.stdout.contains("Save credentials"),
        "{}",
        right.stdout
    );
    assert_eq!(last_line(&right.stdout), "Successfully installed own-1.0");
    for run in [&silent, &nobody, &wrong, &right] {
        assert!(!(run.stdout.clone() + &run.stderr).contains("s3cret"));
    }
}

#[test]
fn answers_stay_with_the_host_that_asked() {
    let (server, other) = (index(), IndexServer::start());
    other.add(WheelBuilder::new("dep", "1.0").build());
    server.add(WheelBuilder::new("top", "1.0").requires("dep").build());
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    let line = ["top", "--extra-index-url", &other.simple_url()];
    drop(install(&environment, &line, "me\ns3cret\n").success());
    let requests = other.requests();
    assert!(!requests.is_empty());
    let mut requests = requests.iter();
    assert!(requests.all(|request| request.authorization.is_none()));
}

#[test]
fn the_environments_keyring_is_asked_first() {
    let server = index();
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    let asked = module(&environment, "Pair('me', 's3cret')");
    // What stands in the folder that is worked in is no module.
    fs_err::write(environment.work().join("keyring.py"), "raise SystemExit(9)").unwrap();
    for quiet in [
        &["--no-input"][..],
        &["--keyring-provider", "disabled"],
        &["--no-input", "--keyring-provider", "auto"],
    ] {
        drop(install(&environment, quiet, "").failure());
        assert!(!asked.exists(), "{quiet:?}");
    }
    let simple = server.simple_url();
    for more in [&[][..], &["--no-input", "--keyring-provider", "import"]] {
        let again = ["--no-cache-dir", "--force-reinstall"];
        let run = install(&environment, &[more, &again].concat(), "").success();
        assert!(!run.stdout.contains("User for"), "{}", run.stdout);
        let asked = fs_err::read_to_string(&asked).unwrap();
        assert_eq!(asked.lines().last(), Some(&*format!("get {simple} None")));
    }
    fs_err::remove_file(&asked).unwrap();
    // Nothing is asked for what anybody may have.
    server.configure(|options| options.credentials = None);
    let again = ["--no-cache-dir", "--force-reinstall"];
    drop(install(&environment, &again, "").success());
    assert!(!asked.exists());
}

#[test]
fn a_keyring_keeps_what_it_may() {
    let server = index();
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    let asked = module(&environment, "None");
    let host = server.url().trim_start_matches("http://").to_owned();
    let again = ["--no-cache-dir", "--force-reinstall"];
    let kept = |input: &str| {
        let run = install(&environment, &again, input);
        let log = fs_err::read_to_string(&asked).unwrap();
        fs_err::remove_file(&asked).unwrap();
        let set = log.lines().filter(|line| line.starts_with("set"));
        (run.code, set.map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(kept("me\ns3cret\nn\n"), (0, Vec::new()));
    assert_eq!(kept("me\nguess\ny\n"), (1, Vec::new()));
    let line = format!("set {host} me s3cret");
    assert_eq!(kept("me\ns3cret\nwhat\ny\n"), (0, vec![line]));
    // One that fails is told about, and left out.
    drop(module(&environment, "1 / 0"));
    let run = install(&environment, &again, "me\ns3cret\n").success();
    let warning = "WARNING: Keyring is skipped due to an exception";
    assert_eq!(run.stderr.matches(warning).count(), 1, "{}", run.stderr);
    assert!(!run.stdout.contains("Save credentials"), "{}", run.stdout);
}
