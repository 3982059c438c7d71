//! Several indexes: their order, their names, which packages come from which, and what is said
//! where one package is on two of them.

use bnbpip_testing::{Fault, HostedFile, IndexServer, TestEnvironment, WheelBuilder};

use crate::support::{environment, last_line};

fn served(releases: &[(&str, &str)]) -> IndexServer {
    let wheels = releases.iter();
    IndexServer::with(wheels.map(|(name, version)| WheelBuilder::new(name, version).build()))
}

/// Everybody's index, where somebody has published a private name; and the private one.
fn confused() -> (IndexServer, IndexServer) {
    let public = served(&[("corplib", "99.0"), ("base", "2.0")]);
    let private = served(&[("corplib", "1.0"), ("base", "1.0"), ("own", "1.0")]);
    (public, private)
}

fn installs(environment: &TestEnvironment, arguments: &[&str]) -> (String, String) {
    let run = environment.run([&["install", "--dry-run", "--no-deps"], arguments].concat());
    let run = run.success();
    let last = last_line(&run.stdout).strip_prefix("Would install ");
    (last.unwrap().to_owned(), run.stderr)
}

#[test]
fn an_index_that_fails_is_not_passed_over() {
    let (public, private) = confused();
    private.plan_fault("/simple/corplib", 100, Fault::Status(503));
    let environment = environment(&public);
    let url = private.simple_url();
    let line = [
        "install",
        "--retries",
        "0",
        "--extra-index-url",
        &url,
        "corplib",
    ];
    let pool = ["--index-strategy", "unsafe-best-match"];
    for more in [&[][..], &pool] {
        let run = environment.run([&line, more].concat()).failure();
        let index = url.trim_end_matches('/');
        let hint = format!(
            "hint: `{index}` may have `corplib`, so that no other index's package of that name is \
             taken for it"
        );
        assert!(run.stderr.contains("answered 503"), "{}", run.stderr);
        assert!(run.stderr.contains(&hint), "{}", run.stderr);
    }
    assert_eq!(environment.installed(), [""; 0]);
    let route = format!("corplib={}", public.simple_url());
    let (chosen, _) = installs(
        &environment,
        &[&line[1..], &["--index-for", &route]].concat(),
    );
    assert_eq!(chosen, "corplib-99.0");
    // One index alone has nobody to be taken for.
    let run = environment.run(["install", "--retries", "0", "-i", &url, "corplib"]);
    let run = run.failure();
    assert!(!run.stderr.contains("--index-for"), "{}", run.stderr);
}

#[test]
fn a_private_name_is_safe_and_pools_are_warned_of() {
    let (public, private) = confused();
    let environment = environment(&public);
    let private_url = private.simple_url();
    let from = |more: &[&str]| {
        let line = [&["--extra-index-url", &private_url, "corplib"], more].concat();
        installs(&environment, &line)
    };
    let (chosen, said) = from(&[]);
    assert_eq!(chosen, "corplib-1.0");
    assert!(!said.contains("dependency confusion"), "{said}");
    let (chosen, said) = from(&["--index-strategy", "unsafe-best-match"]);
    assert_eq!(chosen, "corplib-99.0");
    let warning = "WARNING: corplib is on more than one index, and `unsafe-best-match` mixes them: \
                   whoever can publish the name on any of these indexes may decide what is installed \
                   (dependency confusion)";
    assert!(said.contains(warning), "{said}");
    let (chosen, said) = from(&["--index-strategy", "unsafe-first-match"]);
    assert_eq!(chosen, "corplib-1.0");
    assert!(said.contains("`unsafe-first-match` mixes them"), "{said}");
    let (chosen, _) = from(&["--index-strategy", "unsafe-first-match", "corplib>1"]);
    assert_eq!(chosen, "corplib-99.0");
    // What the first index has isn't looked for elsewhere, and it is said that there is more.
    let (_, said) = from(&["-v"]);
    let also = format!(
        "corplib 1.0 is taken from {private_url}, the first index that has corplib; also there: \
         {} (up to 99.0)",
        public.simple_url()
    );
    assert!(said.contains(&also), "{said}");
    let line = [
        "install",
        "--dry-run",
        "--extra-index-url",
        &private_url,
        "corplib>1",
    ];
    let run = environment.run(line).failure();
    let hint = format!(
        "other versions of corplib are at {} (up to 99.0)",
        public.simple_url()
    );
    assert!(run.stderr.contains(&hint), "{}", run.stderr);
}

#[test]
fn within_one_source_the_index_comes_before_the_extra_ones() {
    let (public, private) = confused();
    let environment = TestEnvironment::new(crate::support::PROGRAM);
    let (public, private) = (public.simple_url(), private.simple_url());
    let line = [
        "--index-url",
        &private,
        "--extra-index-url",
        &public,
        "corplib",
        "base",
    ];
    assert_eq!(installs(&environment, &line).0, "base-1.0 corplib-1.0");
}

#[test]
fn settings_of_pip_are_one_pool_where_that_is_asked_for() {
    let (public, private) = confused();
    let environment = TestEnvironment::new(crate::support::PROGRAM);
    let run = |more: &[(&str, &str)]| {
        let mut command = environment.command();
        command.args(["install", "--dry-run", "corplib"]);
        command.env("PIP_INDEX_URL", private.simple_url());
        command.env("PIP_EXTRA_INDEX_URL", public.simple_url());
        command.envs(more.iter().copied());
        let run = bnbpip_testing::Run::from(command.output().unwrap()).success();
        (last_line(&run.stdout).to_owned(), run.stderr)
    };
    assert_eq!(run(&[]).0, "Would install corplib-1.0");
    let (last, said) = run(&[("BNBPIP_PIP_INDEX_STRATEGY", "unsafe-best-match")]);
    assert_eq!(last, "Would install corplib-99.0");
    assert!(said.contains("dependency confusion"), "{said}");
    let both = [
        ("BNBPIP_PIP_INDEX_STRATEGY", "unsafe-best-match"),
        ("BNBPIP_INDEX_STRATEGY", "first-index"),
    ];
    assert_eq!(run(&both).0, "Would install corplib-1.0");
    // The switch is for pip's settings alone.
    let line = [
        "--index-url",
        &private.simple_url(),
        "--extra-index-url",
        &public.simple_url(),
    ];
    let line = [
        &line[..],
        &["--pip-index-strategy", "unsafe-best-match", "corplib"],
    ]
    .concat();
    assert_eq!(installs(&environment, &line).0, "corplib-1.0");
}

fn configure(environment: &TestEnvironment, text: &str) {
    fs_err::write(environment.work().join("bnbpip.toml"), text).unwrap();
}

#[test]
fn the_projects_indexes_have_an_order_and_packages() {
    let (public, private) = confused();
    let other = served(&[("corplib", "5.0"), ("own", "5.0"), ("base", "5.0")]);
    let environment = environment(&public);
    let table = |index: &IndexServer, name: &str, more: &str| {
        format!(
            "[[index]]\nname = '{name}'\nurl = '{}'\n{more}\n",
            index.simple_url()
        )
    };
    let both = |first: &str, second: &str| {
        table(&private, "private", first) + &table(&other, "other", second)
    };
    let all = ["corplib", "own", "base"];
    // A variable of this shell is nearer than the project's file.
    configure(&environment, &both("", ""));
    assert_eq!(
        installs(&environment, &all).0,
        "base-2.0 corplib-99.0 own-1.0"
    );
    configure(&environment, &both("", "priority = 1"));
    assert_eq!(
        installs(&environment, &all).0,
        "base-2.0 corplib-99.0 own-5.0"
    );
    configure(&environment, &both("explicit = true", ""));
    assert_eq!(installs(&environment, &["own"]).0, "own-5.0");
    let packages = both(
        "packages = ['CorpLib']",
        "explicit = true\npackages = ['own']",
    );
    configure(&environment, &packages);
    assert_eq!(
        installs(&environment, &all).0,
        "base-2.0 corplib-1.0 own-5.0"
    );
    let by_name = [
        "--index-for",
        "own=private",
        "--index-for",
        "base=other",
        "own",
        "base",
    ];
    assert_eq!(installs(&environment, &by_name).0, "base-5.0 own-1.0");
    let by_url = format!("base={}", private.simple_url());
    assert_eq!(
        installs(&environment, &["--index-for", &by_url, "base"]).0,
        "base-1.0"
    );
    // Named for this run, an index is asked before all others.
    let named = format!("mine={}", private.simple_url());
    assert_eq!(
        installs(&environment, &["--index", &named, "base"]).0,
        "base-1.0"
    );
    assert_eq!(
        installs(&environment, &["--index", "other", "base"]).0,
        "base-5.0"
    );
    // One in PyPI's place is the last.
    let mut command = environment.command();
    configure(
        &environment,
        &(table(&public, "main", "default = true") + &table(&private, "p", "")),
    );
    command.env_remove("BNBPIP_INDEX_URL");
    let run = command
        .args(["install", "--dry-run", "corplib", "base"])
        .output()
        .unwrap();
    let run = bnbpip_testing::Run::from(run).success();
    assert_eq!(last_line(&run.stdout), "Would install base-1.0 corplib-1.0");
    let strategy = "index-strategy = 'unsafe-best-match'\n".to_owned();
    configure(&environment, &(strategy + &table(&private, "p", "")));
    assert_eq!(
        installs(&environment, &["corplib", "own"]).0,
        "corplib-99.0 own-1.0"
    );
}

#[test]
fn names_that_nobody_has_are_told() {
    let (public, _) = confused();
    let environment = environment(&public);
    let says = |arguments: &[&str], message: &str, code: i32| {
        let run = environment.run([&["install", "--dry-run", "base"], arguments].concat());
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    };
    says(
        &["--index-for", "torch=cu999"],
        "no index has the name `cu999`",
        2,
    );
    says(
        &["--index-for", "torch=cu999"],
        "hint: there are pypi, cu1",
        2,
    );
    says(&["--index-for", "torch"], "it is no `package=index`", 2);
    says(&["--mirror", "cu124"], "it is no `index=url`", 2);
    says(
        &["--mirror", "cu999=https://m.example"],
        "no index has this name",
        2,
    );
    configure(
        &environment,
        "[[index]]\nname = 'a'\nurl = 'https://a.example'\nsecure = true\n",
    );
    says(&[], "bnbpip.toml` at line 4", 3);
    let pyproject = "[tool.bnbpip]\n[[tool.bnbpip.index]]\nname = 'a'\nurl = 'u'\n\
                     [[tool.bnbpip.index]]\nname = 'a'\nurl = 'v'\n";
    fs_err::remove_file(environment.work().join("bnbpip.toml")).unwrap();
    fs_err::write(environment.work().join("pyproject.toml"), pyproject).unwrap();
    says(&[], "pyproject.toml` at line 6", 3);
    says(&[], "two indexes have the name `a`", 3);
}

/// The names of PyTorch's own indexes are known; here a mirror stands in for them. What they have
/// besides torch is old, and never taken before what the usual index has.
#[test]
fn families_have_names_and_own_their_packages() {
    let usual = served(&[("torch", "2.6.0"), ("requests", "2.32.0")]);
    let family = served(&[
        ("torch", "2.6.0+cu124"),
        ("requests", "2.28.1"),
        ("only-here", "1"),
    ]);
    let environment = environment(&usual);
    let mirror = format!("cu124={}", family.simple_url());
    let pinned = [
        "--index-for",
        "torch=cu124",
        "--mirror",
        &mirror,
        "torch",
        "requests",
    ];
    assert_eq!(
        installs(&environment, &pinned).0,
        "requests-2.32.0 torch-2.6.0+cu124"
    );
    let whl = bnbpip_overlay::TorchIndexes::embedded().unwrap().url + "/cu124";
    let all = ["torch", "requests", "only-here"];
    let extra = [&["--extra-index-url", &whl, "--mirror", &mirror], &all[..]].concat();
    let expected = "only-here-1 requests-2.32.0 torch-2.6.0+cu124";
    assert_eq!(installs(&environment, &extra).0, expected);
}

/// Folders of the project's file start where it is, and are looked at from below it as well.
#[test]
fn a_project_has_links_of_its_own() {
    let server = served(&[("base", "1.0")]);
    let environment = environment(&server);
    let folder = environment.work().join("shared/wheels");
    fs_err::create_dir_all(&folder).unwrap();
    WheelBuilder::new("base", "3.0").build().write_to(&folder);
    configure(&environment, "find-links = ['shared/wheels']\n");
    assert_eq!(installs(&environment, &["base"]).0, "base-3.0");
    let below = environment.work().join("deep/down");
    fs_err::create_dir_all(&below).unwrap();
    let mut command = environment.command();
    command
        .current_dir(&below)
        .args(["install", "--dry-run", "base"]);
    let run = bnbpip_testing::Run::from(command.output().unwrap()).success();
    assert_eq!(last_line(&run.stdout), "Would install base-3.0");
    assert_eq!(
        installs(
            &environment,
            &["base", "--isolated", "--index-url", &server.simple_url()]
        )
        .0,
        "base-1.0"
    );
    configure(&environment, "find-links = 'shared/wheels'\n");
    let run = environment.run(["install", "base"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("bnbpip.toml` at line 1"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_lock_names_the_index_of_each_package() {
    let (public, private) = confused();
    let environment = environment(&public);
    let named = format!("corplib={}", private.simple_url());
    let line = [
        "lock",
        "corplib",
        "base",
        "--index-for",
        &named,
        "--environment",
        "linux-3.11",
    ];
    drop(environment.run(line).success());
    let lock = fs_err::read_to_string(environment.work().join("pylock.toml")).unwrap();
    for (index, file) in [(&private, "corplib-1.0"), (&public, "base-2.0")] {
        assert!(
            lock.contains(&format!("index = \"{}\"", index.simple_url())),
            "{lock}"
        );
        assert!(lock.contains(file), "{lock}");
    }
}

#[test]
fn first_match_keeps_to_the_order_where_a_version_is_on_both() {
    let first = IndexServer::start();
    first.add(HostedFile::from(WheelBuilder::new("both", "1.0").build()));
    let second = served(&[("both", "1.0"), ("both", "2.0")]);
    let environment = environment(&second);
    let line = ["--extra-index-url", &first.simple_url(), "--index-strategy"];
    let line = [&line[..], &["unsafe-first-match", "both"]].concat();
    assert_eq!(installs(&environment, &line).0, "both-1.0");
    second.forget_requests();
    let run = environment
        .run([&["install"], &line[..]].concat())
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed both-1.0");
    assert_eq!(second.requests_for("/files/").len(), 0);
}
