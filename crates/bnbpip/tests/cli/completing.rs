//! What pip's completion code in shells is answered.

#![expect(clippy::unwrap_used, reason = "test support")]

use bnbpip_testing::{TestEnvironment, WheelBuilder};

fn answer(environment: &TestEnvironment, line: &str) -> Vec<String> {
    let place = line.split(' ').count() - 1;
    let output = environment
        .command()
        .env("PIP_AUTO_COMPLETE", "1")
        .env("COMP_WORDS", line)
        .env("COMP_CWORD", place.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn words_are_completed() {
    let environment = TestEnvironment::new(env!("CARGO_BIN_EXE_bnbpip"));
    environment.install_by_hand(&WheelBuilder::new("Some.Package", "1.0"));
    for (name, content) in [("requirements.txt", ""), ("readme.md", "")] {
        fs_err::write(environment.work().join(name), content).unwrap();
    }
    fs_err::create_dir(environment.work().join("really")).unwrap();
    let folder = if cfg!(windows) { "really\\" } else { "really/" };
    for (line, expected) in [
        ("pip uni", &["uninstall"][..]),
        ("pip co", &["config", "completion"]),
        ("pip help c", &[]),
        ("pip show som", &["Some.Package"]),
        ("pip show Some.Package som", &[]),
        ("pip install --report", &["--report="]),
        (
            "pip install --pre --pref",
            &["--prefix=", "--prefer-binary"],
        ),
        (
            "pip install -r re",
            &["readme.md", folder, "requirements.txt"],
        ),
        ("pip --cache-dir re", &[folder]),
        ("pip cache pu", &["purge"]),
        ("pip cache remove pu", &[]),
        ("pip config unse", &["unset"]),
        ("pip config set se", &[]),
        ("pip index ve", &["versions"]),
    ] {
        let answered = answer(&environment, line);
        if line == "pip install -r re" {
            assert!(
                expected
                    .iter()
                    .all(|it| answered.iter().any(|word| word == it))
            );
            continue;
        }
        assert_eq!(answered, expected, "{line}");
    }
    let all = answer(&environment, "pip --");
    assert!(all.contains(&"--verbose".to_owned()), "{all:?}");
}
