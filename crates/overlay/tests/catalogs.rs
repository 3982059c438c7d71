//! Catalogs of community wheels: what is read, and all that is found wrong at once.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

use bnbpip_overlay::{Catalog, embedded_catalogs};
use bnbpip_packaging::Version;

fn wheel(url: &str, more: &str) -> String {
    let digest = "ab".repeat(32);
    format!(
        "[[wheel]]\nurl = \"{url}\"\nsha256 = \"{digest}\"\n{more}source = \"a/b\"\nwhy = \"it has none\"\n\
         provenance = [\"a lock\"]\nreviewed = 2026-11-28\n"
    )
}

fn problems(text: &str) -> Vec<String> {
    let errors = Catalog::parse(&format!("date = 2026-11-28\n{text}"), "catalog.toml");
    errors
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

const URL: &str =
    "https://host.example/flash-2.8.3%2Bcu128torch2.8.0cxx11abiFALSE-cp312-cp312-win_amd64.whl";
const BUILD: &str = "torch = \"==2.8.*\"\ncuda = \"12.8\"\n";

#[test]
fn the_embedded_catalogs_hold() {
    let catalogs = embedded_catalogs().iter();
    let catalogs: Vec<Catalog> = catalogs
        .map(|source| Catalog::parse(source.text, source.path).unwrap())
        .collect();
    let wheels = || catalogs.iter().flat_map(|catalog| &catalog.wheels);
    assert!(wheels().count() > 10);
    for wheel in wheels() {
        assert!(
            wheel.torch.is_some() && wheel.cuda.is_some(),
            "{}",
            wheel.url
        );
    }
}

#[test]
fn a_wheel_works_with_the_builds_that_it_is_made_for() {
    let text = format!("date = 2026-11-28\n{}", wheel(URL, BUILD));
    let catalog = Catalog::parse(&text, "catalog.toml").unwrap();
    let [wheel] = &catalog.wheels[..] else {
        unreachable!("there is one")
    };
    let works = |version: &str| wheel.works_with(&version.parse::<Version>().unwrap());
    assert!(works("2.8.0+cu128") && works("2.8.1+cu128"));
    for other in [
        "2.8.0",
        "2.8.0+cpu",
        "2.8.0+cu126",
        "2.7.1+cu128",
        "2.9.0+cu128",
    ] {
        assert!(!works(other), "{other}");
    }
    assert_eq!(wheel.torch_build().as_deref(), Some("cu128"));
    assert_eq!(
        wheel.built_for().as_deref(),
        Some("torch 2.8.* with CUDA 12.8")
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let bad = "[[wheel]]\nurl = \"http://host.example/a-1.0-py3-none-any.whl\"\nsha256 = \"AB\"\nsize = 0\n\
               cuda = \"12\"\nsource = \"\"\nwhy = \"A sentence.\"\nprovenance = []\nreviewed = 2026-11-28\n";
    assert_eq!(
        problems(bad),
        [
            "catalog.toml:3: it is not a plain `https` address",
            "catalog.toml:4: it is not a SHA-256 in 64 lowercase hexadecimal digits",
            "catalog.toml:5: `size` is 0",
            "catalog.toml:8: it is not one sentence without a full stop",
            "catalog.toml:9: it says not who recorded this",
            "catalog.toml:3: the wheel is for any platform: its project should publish it",
            "catalog.toml:6: it is not a version of CUDA such as `12.8`",
            "catalog.toml:6: `cuda` says which builds of torch fit: `torch` is missing",
            "catalog.toml:7: it is empty",
        ]
    );
}

#[test]
fn the_name_of_a_file_and_its_entry_agree() {
    let other = "torch = \"==2.9.*\"\ncuda = \"13.0\"\n";
    assert_eq!(
        problems(&wheel(URL, other)),
        [
            "catalog.toml:3: the file is named for cu128, and `cuda` isn't that",
            "catalog.toml:3: the file is named for torch 2.8.0, and `torch` isn't for that",
        ]
    );
    let twice = [wheel(URL, BUILD), wheel(URL, BUILD)].concat();
    let found = problems(&twice);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|problem| problem.ends_with("it is there twice"))
    );
    let unknown = problems(&wheel(URL, "colour = \"red\"\n"));
    assert!(unknown[0].contains("unknown field `colour`"), "{unknown:?}");
}
