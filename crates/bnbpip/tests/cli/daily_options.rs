//! What is typed into pip every day, each held to the help of its command; and manual pages.

use crate::fabricated::World;

/// Commands and the options that scripts, files for containers and how-tos rely on.
const DAILY: &[(&str, &str)] = &[
    (
        "install",
        "--help --version --python --verbose --quiet --log --no-input --isolated --require-virtualenv \
         --proxy --cert --client-cert --trusted-host --retries --timeout --cache-dir --no-cache-dir \
         --disable-pip-version-check --no-color --keyring-provider --index-url --extra-index-url \
         --no-index --find-links --pre --no-binary --only-binary --prefer-binary --uploaded-prior-to \
         --requirement --constraint --editable --upgrade --upgrade-strategy --force-reinstall \
         --ignore-installed --no-deps --dry-run --report --target --user --root --prefix --platform \
         --python-version --implementation --abi --require-hashes --no-build-isolation \
         --config-settings --build-constraint --break-system-packages --ignore-requires-python \
         --compile --no-compile --no-warn-script-location --no-warn-conflicts --progress-bar \
         --root-user-action --group --requirements-from-script --only-deps",
    ),
    (
        "uninstall",
        "--requirement --yes --root-user-action --break-system-packages",
    ),
    (
        "list",
        "--outdated --editable --local --user --path --format --exclude",
    ),
    (
        "freeze",
        "--requirement --local --user --path --all --exclude-editable --exclude",
    ),
    ("show", "--files"),
    (
        "download",
        "--dest --requirement --constraint --group --platform --python-version --implementation --abi \
         --require-hashes --no-deps --only-binary",
    ),
    ("wheel", "--wheel-dir --requirement --no-deps"),
    (
        "lock",
        "--output --requirement --constraint --editable --group --no-deps --only-binary",
    ),
    ("inspect", "--local --user --path"),
    ("index", "--json --pre --platform --python-version"),
    ("hash", "--algorithm"),
    ("config", "--editor --global --user --site"),
    ("completion", "--bash --zsh --fish --powershell"),
    (
        "debug",
        "--platform --python-version --implementation --abi",
    ),
];

#[test]
fn options_of_every_day_stand_in_the_help() {
    let world = World::new();
    for (command, options) in DAILY {
        let help = world.run(&format!("help {command}"));
        let words: Vec<&str> = help.split([' ', ',', '.', '\n', '[', '<', '=']).collect();
        for option in options.split_whitespace() {
            assert!(words.contains(&option), "{command} {option}: {help}");
        }
    }
}

#[test]
fn manual_pages_of_all_commands_are_written() {
    let world = World::new();
    let shown = world.run("help --man pages");
    assert!(shown.contains("Wrote the manual pages to "), "{shown}");
    let page = |name: &str| {
        fs_err::read_to_string(world.path().join("pages").join(name)).unwrap_or_default()
    };
    let root = page("bnbpip.1");
    assert!(root.contains(".TH bnbpip 1"), "{root}");
    let install = page("bnbpip-install.1");
    for said in ["Install Options", "Package Index Options", "upgrade"] {
        assert!(
            install.to_lowercase().contains(&said.to_lowercase()),
            "{said}: {install}"
        );
    }
    assert!(!page("bnbpip-cache-list.1").is_empty());
}
