//! Pages, the cache's records of them, and wheels.

use bnbpip_index::hostile;
use bnbpip_testing::WheelBuilder;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Files of a project with a long history.
const FILES: usize = 1_500;

fn json_page() -> Vec<u8> {
    let digest = "0".repeat(64);
    let files: Vec<String> = (0..FILES)
        .map(|number| {
            let name = format!(
                "demo-{}.{}.0-cp3{}-cp3{}-manylinux_2_28_x86_64.whl",
                number / 50,
                number / 5 % 10,
                9 + number % 5,
                9 + number % 5,
            );
            format!(
                "{{\"filename\": \"{name}\", \"url\": \"https://files.example/{number}/{name}\", \
                 \"hashes\": {{\"sha256\": \"{digest}\"}}, \"requires-python\": \">=3.9\", \
                 \"size\": {number}, \"upload-time\": \"2026-01-02T03:04:05.000000Z\", \
                 \"yanked\": false, \"core-metadata\": {{\"sha256\": \"{digest}\"}}}}"
            )
        })
        .collect();
    let meta = "\"meta\": {\"api-version\": \"1.1\"}, \"name\": \"demo\"";
    format!("{{{meta}, \"files\": [{}]}}", files.join(", ")).into_bytes()
}

fn html_page() -> Vec<u8> {
    let digest = "0".repeat(64);
    let links: Vec<String> = (0..FILES)
        .map(|number| {
            let name = format!("demo-{}.{}.0-py3-none-any.whl", number / 10, number % 10);
            format!(
                "<a href=\"/{number}/{name}#sha256={digest}\" \
                 data-requires-python=\"&gt;=3.9\">{name}</a><br/>\n"
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html><html><body>{}</body></html>",
        links.concat()
    )
    .into_bytes()
}

#[divan::bench]
fn read_a_json_page(bencher: Bencher<'_, '_>) {
    let page = json_page();
    assert!(hostile::json_page(&page) > 0);
    let bencher = bencher.counter(ItemsCount::new(FILES));
    bencher.bench(|| hostile::json_page(black_box(&page)));
}

#[divan::bench]
fn read_an_html_page(bencher: Bencher<'_, '_>) {
    let page = html_page();
    assert!(hostile::html_page(&page) > 0);
    let bencher = bencher.counter(ItemsCount::new(FILES));
    bencher.bench(|| hostile::html_page(black_box(&page)));
}

#[divan::bench]
fn read_a_cached_page(bencher: Bencher<'_, '_>) {
    let record = hostile::record_of_json(&json_page());
    assert!(hostile::page_record(&record) > 0);
    let bencher = bencher.counter(ItemsCount::new(FILES));
    bencher.bench(|| hostile::page_record(black_box(&record)));
}

#[divan::bench]
fn check_and_inflate_a_wheel(bencher: Bencher<'_, '_>) {
    let wheel = (0..300).fold(WheelBuilder::new("demo", "1.0"), |wheel, module| {
        let text = format!("def function_{module}():\n    return {module}\n").repeat(200);
        wheel.file(&format!("demo/module{module}.py"), &text)
    });
    let bytes = wheel.build().bytes;
    assert!(hostile::wheel(&bytes) > 300);
    let bencher = bencher.counter(BytesCount::new(300_usize * 200 * 36));
    bencher.bench(|| hostile::wheel(black_box(&bytes)));
}
