//! `SECURITY.md` names tests, and they are there.

use std::path::Path;

#[test]
fn every_promise_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let text = fs_err::read_to_string(root.join("SECURITY.md")).unwrap();
    let promises = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut count = 0;
    for promise in promises {
        let tests: Vec<(&str, &str)> = promise
            .split("[`")
            .skip(1)
            .map(|link| {
                let (name, rest) = link.split_once("`](").unwrap();
                (name, rest.split_once(')').unwrap().0)
            })
            .collect();
        assert!(!tests.is_empty(), "{promise}");
        for (name, path) in tests {
            let source = fs_err::read_to_string(root.join(path)).unwrap();
            let is_there = [
                format!("#[test]\n    fn {name}()"),
                format!("#[test]\nfn {name}()"),
                format!("#[tokio::test]\nasync fn {name}()"),
            ]
            .iter()
            .any(|function| source.contains(function));
            assert!(is_there, "{path}: {name}");
        }
        count += 1;
    }
    assert!(count > 10);
}
