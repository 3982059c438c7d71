use super::*;

fn machine(system: AcceleratorSystem, driver: &str, cards: &[&str]) -> AcceleratorFacts {
    AcceleratorFacts {
        system,
        has_nvidia: driver != "none",
        driver: driver.parse().ok(),
        capabilities: cards.iter().map(|card| card.parse().unwrap()).collect(),
    }
}

/// The family, what torch is kept to, and what is left without code.
fn chosen(system: AcceleratorSystem, driver: &str, cards: &[&str], torch: &str) -> String {
    let indexes = TorchIndexes::embedded().unwrap();
    let torch: VersionSpecifiers = torch.parse().unwrap();
    let machine = machine(system, driver, cards);
    let choice = indexes
        .choose(&machine, &range::from_specifiers(&torch))
        .unwrap();
    let name = &choice.family.name;
    let only = choice.only.map(|only| format!(" torch{}", only.torch));
    let mut without = choice.without.iter();
    let without = without.next().map(|card| format!(" without {card}"));
    let why = match choice.because {
        Because::Fits => String::new(),
        Because::DriverTooOld { needed } => format!(" (driver {needed} needed)"),
        Because::NoCode { card } => format!(" (no code for {card})"),
        other => format!(" ({other:?})"),
    };
    format!(
        "{name}{}{}{why}",
        only.unwrap_or_default(),
        without.unwrap_or_default()
    )
}

/// Written down from PyTorch's and NVIDIA's tables before it was run.
#[test]
fn machines_and_their_families() {
    use AcceleratorSystem::{Linux, Windows};
    const GTX_1080: &[&str] = &["6.1"];
    const V100: &[&str] = &["7.0"];
    const RTX_2060: &[&str] = &["7.5"];
    const RTX_4070: &[&str] = &["8.9"];
    const RTX_5090: &[&str] = &["12.0"];
    for (system, driver, cards, torch, expected) in [
        (Windows, "581.57", GTX_1080, "", "cu126"),
        (Linux, "580.95.05", GTX_1080, "", "cu126"),
        (
            Windows,
            "581.57",
            GTX_1080,
            ">=2.15",
            "cpu (no code for 6.1)",
        ),
        (Windows, "566.36", GTX_1080, "==2.5.1", "cu124"),
        (Windows, "472.12", GTX_1080, "", "cu118"),
        (
            Windows,
            "472.12",
            GTX_1080,
            ">=2.8",
            "cpu (driver 528.33 needed)",
        ),
        (Linux, "580.95.05", V100, "", "cu126"),
        (
            Linux,
            "580.95.05",
            V100,
            ">=2.8,<2.11",
            "cu128 torch>=2.8, <2.11",
        ),
        (Linux, "580.95.05", V100, ">=2.11", "cu126"),
        (Linux, "580.95.05", V100, "==2.7.1", "cu126"),
        (Linux, "580.95.05", V100, "==2.8.0", "cu129"),
        (Windows, "581.57", RTX_2060, "", "cu132"),
        (Windows, "566.36", RTX_2060, "", "cu126"),
        (Windows, "528.33", RTX_2060, "==2.4.1", "cu124"),
        (Windows, "528.24", RTX_2060, "==2.4.1", "cu118"),
        (Windows, "581.57", RTX_4070, "", "cu132"),
        (Windows, "581.57", RTX_4070, "==2.11.0", "cu130"),
        (Windows, "566.36", RTX_4070, "==2.11.0", "cu128"),
        (Windows, "566.36", RTX_4070, "==2.6.0", "cu126"),
        (Windows, "566.36", RTX_4070, "==2.4.1", "cu124"),
        (Windows, "566.36", RTX_4070, "==2.3.1", "cu121"),
        (Windows, "566.36", RTX_4070, "==2.0.1", "cu118"),
        (Linux, "525.60.13", RTX_4070, "==2.6.0", "cu126"),
        (Linux, "525.60.12", RTX_4070, "==2.6.0", "cu118"),
        (Linux, "450.80.02", RTX_4070, "==2.6.0", "cu118"),
        (
            Linux,
            "390.77",
            RTX_4070,
            "",
            "cpu (driver 450.80.2 needed)",
        ),
        (Windows, "581.57", RTX_5090, "", "cu132"),
        (Windows, "572.16", RTX_5090, "==2.7.0", "cu128"),
        (
            Windows,
            "572.16",
            RTX_5090,
            "==2.6.0",
            "cpu (no code for 12.0)",
        ),
        (Windows, "999.99", RTX_5090, "", "cu132"),
        (Linux, "580.95.05", &["12.1"], "", "cu132"),
        (Linux, "580.95.05", &["13.0"], "", "cu132"),
        (Windows, "581.57", &["13.0"], "", "cpu (no code for 13.0)"),
        (Linux, "470.82.01", &["3.7"], "", "cu118"),
        (Linux, "470.82.01", &["3.5"], "", "cpu (no code for 3.5)"),
        (Windows, "581.57", &["6.1", "8.9"], "", "cu126"),
        (Windows, "581.57", &["6.1", "12.0"], "", "cu132 without 6.1"),
        (Windows, "581.57", &["7.5", "12.0"], "", "cu132"),
        (Linux, "580.95.05", &[], "", "cu132 (DriverAlone)"),
        (Linux, "550.90.07", &[], "", "cu126 (DriverAlone)"),
        (Linux, "580.95.05", RTX_4070, "<2", "cpu (NoSuchTorch)"),
        (Linux, "unknown", RTX_4070, "", "cpu (UnknownDriver)"),
        (Windows, "none", &[], "", "cpu (NoGpu)"),
    ] {
        assert_eq!(
            chosen(system, driver, cards, torch),
            expected,
            "{system:?} {driver} {cards:?} torch{torch}"
        );
    }
}

#[test]
fn the_table_is_whole() {
    let indexes = TorchIndexes::embedded().unwrap();
    assert!(!indexes.evidence.is_empty() && !indexes.packages.is_empty());
    for family in &indexes.families {
        let system = AcceleratorSystem::Linux;
        if let Some(cuda) = &family.cuda {
            assert_eq!(family.name, format!("cu{}", cuda.replace('.', "")));
            assert!(indexes.oldest_driver(cuda, system).is_some(), "{cuda}");
            assert!(!family.builds.is_empty(), "{cuda}");
        }
    }
    assert_eq!(indexes.family_for_cuda("12.4").unwrap().name, "cu124");
    assert!(indexes.family("cu100").is_none());
}

#[test]
fn the_releases_that_a_machine_runs() {
    let indexes = TorchIndexes::embedded().unwrap();
    let runs = |driver: &str, cards: &[&str], torch: &str| {
        let machine = machine(AcceleratorSystem::Windows, driver, cards);
        indexes.suitable(&machine).contains(&torch.parse().unwrap())
    };
    assert!(runs("581.57", &["6.1"], "2.14.1") && !runs("581.57", &["6.1"], "2.15.0"));
    assert!(runs("581.57", &["12.0"], "2.15.0") && !runs("581.57", &["12.0"], "2.6.0"));
    assert!(runs("472.12", &["8.9"], "2.7.1") && !runs("472.12", &["8.9"], "2.8.0"));
    // The newer card counts where no build is for both.
    assert!(runs("581.57", &["6.1", "12.0"], "2.15.0"));
    assert!(!runs("581.57", &["6.1", "8.9"], "2.15.0"));
    assert!(runs("none", &[], "2.15.0") && runs("390.77", &["6.1"], "2.15.0"));
}
