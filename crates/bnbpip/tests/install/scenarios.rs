//! The scenarios of `tests/scenarios`: each is served and run, and all that differ are told at
//! once.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bnbpip_testing::load_scenarios;

#[test]
fn every_scenario_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut scenarios = load_scenarios(&folder);
    // `SCENARIO=yanked` runs those with that in their names.
    if let Ok(part) = std::env::var("SCENARIO") {
        scenarios.retain(|scenario| scenario.name.contains(&part));
    }
    assert!(!scenarios.is_empty());
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = scenario.run(env!("CARGO_BIN_EXE_bnbpip"));
                    let Err(difference) = scenario.check(&outcome) else {
                        continue;
                    };
                    failures.lock().unwrap().push(difference);
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {} scenarios differ:\n\n{}",
        failures.len(),
        scenarios.len(),
        failures.join("\n\n")
    );
}
