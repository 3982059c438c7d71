//! Versions, ranges, markers and `RECORD`.
#![expect(clippy::unwrap_used, reason = "measurements for developers")]

use bnbpip_packaging::{MarkerTree, Version, VersionRange, VersionSpecifiers, range, record};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// What a page of a package with a long history has.
fn texts() -> Vec<String> {
    let minors = (0..12).flat_map(|major| (0..10).map(move |minor| (major, minor)));
    minors
        .flat_map(|(major, minor)| {
            [
                format!("{major}.{minor}.0"),
                format!("{major}.{minor}.1rc2"),
                format!("{major}.{minor}.1.post3"),
                format!("{major}.{minor}.2.dev20260101+cu128"),
            ]
        })
        .collect()
}

fn versions() -> Vec<Version> {
    texts().iter().map(|text| text.parse().unwrap()).collect()
}

#[divan::bench]
fn parse_versions(bencher: Bencher<'_, '_>) {
    let texts = texts();
    bencher.counter(ItemsCount::new(texts.len())).bench(|| {
        let parsed = texts.iter().map(|text| text.parse::<Version>().unwrap());
        parsed.for_each(|version| drop(black_box(version)));
    });
}

#[divan::bench]
fn compare_versions(bencher: Bencher<'_, '_>) {
    let mut versions = versions();
    versions.reverse();
    bencher
        .with_inputs(|| versions.clone())
        .bench_values(|mut versions| {
            versions.sort_unstable();
            versions
        });
}

#[divan::bench]
fn specifiers_to_a_range(bencher: Bencher<'_, '_>) {
    let text = ">=1.2,!=1.3.*,!=2.0.1,<11,~=1.2";
    bencher.bench(|| {
        let specifiers: VersionSpecifiers = black_box(text).parse().unwrap();
        range::from_specifiers(&specifiers)
    });
}

fn ranges() -> (VersionRange, VersionRange) {
    let range = |text: &str| range::from_specifiers(&text.parse().unwrap());
    let first = range(">=1.2,!=1.3.*,!=2.0.1,!=4.5.*,<11");
    let second = range(">=2,!=3.1.*,!=7.0.*,<10.5");
    (first, second)
}

#[divan::bench]
fn intersect_ranges(bencher: Bencher<'_, '_>) {
    let (first, second) = ranges();
    bencher.bench(|| black_box(&first).intersection(black_box(&second)));
}

#[divan::bench]
fn versions_in_a_range(bencher: Bencher<'_, '_>) {
    let ((first, _), versions) = (ranges(), versions());
    let count = ItemsCount::new(versions.len());
    bencher.counter(count).bench(|| {
        let inside = versions.iter().filter(|version| first.contains(version));
        inside.count()
    });
}

const MARKER: &str = "(python_version >= '3.9' and sys_platform == 'linux' and platform_machine == \
    'x86_64') or (extra == 'cuda' and os_name != 'nt')";

#[divan::bench]
fn parse_a_marker(bencher: Bencher<'_, '_>) {
    bencher.bench(|| black_box(MARKER).parse::<MarkerTree>().unwrap());
}

#[divan::bench]
fn evaluate_a_marker(bencher: Bencher<'_, '_>) {
    let marker: MarkerTree = MARKER.parse().unwrap();
    let environment = bnbpip_benches::linux().unwrap();
    bencher.bench(|| black_box(&marker).evaluate(&environment, &[]));
}

/// Rows of a large wheel.
const ROWS: usize = 5_000;

fn rows() -> String {
    let rows = (0..ROWS)
        .map(|row| {
            let digest = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
            format!(
                "package/folder{}/module{row}.py,sha256={digest},{row}\n",
                row % 50
            )
        })
        .collect::<Vec<_>>();
    rows.concat()
}

#[divan::bench]
fn read_a_record(bencher: Bencher<'_, '_>) {
    let rows = rows();
    let count = ItemsCount::new(ROWS);
    bencher
        .counter(count)
        .bench(|| record::parse(black_box(&rows)).unwrap());
}

#[divan::bench]
fn write_a_record(bencher: Bencher<'_, '_>) {
    let rows = record::parse(&rows()).unwrap();
    let count = ItemsCount::new(ROWS);
    bencher
        .counter(count)
        .bench(|| record::write(black_box(&rows)));
}
