//! The fuzz targets' seeds, and seeded mutations of them, on every compiler: whatever a stranger
//! writes, a parser answers and doesn't panic.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is the test's failure"
)]

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bnbpip_scan::SetupOptions;
use bnbpip_testing::mangle::{replay, seeds};

fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.unwrap().join("fuzz/corpus")
}

/// How many mutated files each target gets; more by the variable, for a longer hunt.
fn rounds() -> usize {
    let given = std::env::var("BNBPIP_FUZZ_ROUNDS").ok();
    given.map_or(4_000, |text| text.parse().unwrap())
}

/// The seeds of a target. A cached page is made from a page, as its form is no one's to keep.
fn seeds_of(target: &str) -> Vec<Vec<u8>> {
    if target == "page_record" {
        let pages = seeds(&corpus().join("json_page"));
        let records = pages
            .iter()
            .map(|page| bnbpip_index::hostile::record_of_json(page));
        return records.collect();
    }
    seeds(&corpus().join(target))
}

#[test]
fn no_mangled_file_makes_a_parser_panic() {
    for (target, body) in bodies::TARGETS {
        let mut slowest = Duration::ZERO;
        let count = replay(&seeds_of(target), rounds(), &mut |bytes| {
            let start = Instant::now();
            let outcome = std::panic::catch_unwind(|| body(bytes));
            slowest = slowest.max(start.elapsed());
            assert!(outcome.is_ok(), "{target}: b\"{}\"", bytes.escape_ascii());
        });
        assert!(count > rounds());
        // Generous, for a busy machine: what is quadratic takes far longer.
        assert!(slowest < Duration::from_secs(5), "{target}: {slowest:?}");
    }
}

/// The seeds are what they should be: else nothing but refusals is tested.
#[test]
fn seeds_are_sound() {
    use bnbpip_index::hostile;
    for seed in seeds_of("wheel") {
        assert!(hostile::wheel(&seed) >= 6, "{}", seed.escape_ascii());
    }
    assert!(
        seeds_of("json_page")
            .iter()
            .any(|seed| hostile::json_page(seed) >= 4)
    );
    assert!(
        seeds_of("html_page")
            .iter()
            .any(|seed| hostile::html_page(seed) >= 2)
    );
    assert!(
        seeds_of("page_record")
            .iter()
            .any(|seed| hostile::page_record(seed) >= 4)
    );
    for seed in seeds_of("pylock") {
        let text = String::from_utf8(seed).unwrap();
        drop(text.parse::<bnbpip_lock::Lock>().unwrap());
    }
    for seed in seeds_of("rules") {
        let text = String::from_utf8(seed).unwrap();
        let is_profile = bnbpip_overlay::Profile::parse(&text, "p.toml").is_ok();
        let rule = bnbpip_overlay::RuleDocument::parse(&text, "BNB-0001.md");
        assert!(is_profile || rule.is_ok(), "{rule:?}");
    }
    let scripts = seeds_of("setup_script");
    let said = scripts
        .iter()
        .filter_map(|seed| bnbpip_scan::setup_requirements(Some(seed), &SetupOptions::default()));
    assert!(said.count() == 1 && scripts.len() == 2);
}
