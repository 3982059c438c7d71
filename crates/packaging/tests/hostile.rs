//! Deep nesting, which recursion would not survive. Mangled files of every kind are replayed by
//! the tests of `bnbpip-testing`.

use bnbpip_packaging::{CoreMetadata, EntryPoints, Hashes, WheelFilename, WheelMetadata, record};

fn parse_all(bytes: &[u8]) {
    drop(CoreMetadata::parse(bytes));
    let text = String::from_utf8_lossy(bytes);
    drop(record::parse(&text));
    drop(EntryPoints::parse(&text));
    drop(WheelMetadata::parse(&text));
    drop(text.parse::<WheelFilename>());
    drop(Hashes::parse_fragment(&text));
}

#[test]
fn deep_nesting_is_no_crash() {
    for depth in [100, 5_000, 50_000] {
        let marker = format!("{}os_name == 'nt'{}", "(".repeat(depth), ")".repeat(depth));
        let text = format!("Name: a\nVersion: 1\nRequires-Dist: b; {marker}\n");
        parse_all(text.as_bytes());
    }
}
