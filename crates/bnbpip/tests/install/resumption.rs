//! Downloads that are cut again and again: what has arrived isn't asked for again, neither by the
//! same run nor by the next one.

use std::time::Duration;

use bnbpip_testing::{
    BuiltWheel, Compression, Fault, HashInPage, HostedFile, IndexServer, PageFormat, Ranges,
    TestEnvironment, WheelBuilder,
};

use crate::support::{PROGRAM, last_line};

const WHEEL: &str = "big-1.0-py3-none-any.whl";

/// More than what may be lost with each cut: what was under way.
const BLOCK_BYTES: u64 = 64 << 10;

/// Numbers without order, the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8))
            .flat_map(|_| self.next().to_le_bytes())
            .take(count)
            .collect()
    }
}

fn wheel(bytes: usize) -> BuiltWheel {
    let noise = Noise(0x2545_f491_4f6c_dd1d).bytes(bytes);
    WheelBuilder::new("big", "1.0")
        .file("big/noise.bin", noise)
        .compression(Compression::Stored)
        .build()
}

fn index(bytes: usize) -> (IndexServer, u64) {
    let wheel = wheel(bytes);
    let total = wheel.bytes.len() as u64;
    let server = IndexServer::with([HostedFile::from(wheel)]);
    // The faults that are planned below are for the wheel alone.
    server.plan_fault(".metadata", usize::MAX, Fault::Delay(Duration::ZERO));
    (server, total)
}

/// Plans ten cuts, each after a random part of what is missing then.
fn cut(server: &IndexServer, seed: u64, total: u64) {
    let mut noise = Noise(seed);
    let mut left = total;
    for _ in 0..10 {
        let after = 1 + noise.next() % (left / 4);
        server.plan_fault(WHEEL, 1, Fault::TruncateAfter(after));
        left -= after;
    }
}

#[test]
fn one_run_goes_on_after_every_cut() {
    let (server, total) = index(3_000_000);
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    cut(&server, 7, total);
    let run = environment.run(["install", "big"]).success();
    assert_eq!(last_line(&run.stdout), "Successfully installed big-1.0");
    let sent = server.bytes_served_of(WHEEL);
    assert!(sent <= total + 10 * BLOCK_BYTES, "{sent} of {total}");
}

#[test]
fn ten_runs_go_on_where_the_one_before_ended() {
    let (server, total) = index(3_000_000);
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    cut(&server, 4711, total);
    for _ in 0..10 {
        let run = environment
            .run(["install", "big", "--retries", "0"])
            .failure();
        assert!(
            run.stderr.contains("the same command goes on from there"),
            "{}",
            run.stderr
        );
        assert_eq!(environment.installed(), [""; 0]);
    }
    let run = environment
        .run(["install", "big", "--retries", "0"])
        .success();
    assert_eq!(last_line(&run.stdout), "Successfully installed big-1.0");
    let sent = server.bytes_served_of(WHEEL);
    assert!(sent <= total + 10 * BLOCK_BYTES, "{sent} of {total}");
    assert_eq!(server.requests_for(&format!("/files/{WHEEL}")).len(), 12);
}

/// A large file comes in pieces, several at once, and a cut of one ends the run for all: whether the
/// page tells the file's size or not.
#[test]
fn pieces_of_a_large_file_are_kept_as_far_as_they_came() {
    for format in [PageFormat::Json, PageFormat::Html] {
        let (server, _) = index(20 << 20);
        server.configure(|options| options.format = format);
        let environment = TestEnvironment::new(PROGRAM).with_index(&server);
        cut(&server, 99, 4 << 20);
        let mut runs = 0;
        let run = loop {
            let run = environment.run(["install", "big", "--retries", "0"]);
            runs += 1;
            if run.code == 0 || runs > 11 {
                break run;
            }
        };
        assert_eq!(
            last_line(&run.success().stdout),
            "Successfully installed big-1.0"
        );
        // What had arrived of a piece isn't asked for again: the next request begins behind it.
        let starts = server.requests().into_iter().filter_map(|request| {
            let range = request.range?;
            let (start, _) = range.strip_prefix("bytes=")?.split_once('-')?;
            start.parse::<u64>().ok()
        });
        let inside = starts.filter(|start| start % (4 << 20) != 0).count() as u64;
        assert!(
            runs > 1 && inside >= runs - 1,
            "{format:?}: {inside} in {runs} runs"
        );
    }
}

/// What an earlier run was told of a file may have become untrue.
#[test]
fn a_large_file_that_was_replaced_starts_anew() {
    let big = |bytes: usize| HostedFile::from(wheel(bytes)).hash(HashInPage::Missing);
    let server = IndexServer::with([big(20 << 20)]);
    server.configure(|options| options.format = PageFormat::Html);
    server.plan_fault(".metadata", usize::MAX, Fault::Delay(Duration::ZERO));
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    server.plan_fault(WHEEL, 1, Fault::Delay(Duration::ZERO));
    server.plan_fault(WHEEL, 1, Fault::TruncateAfter(1 << 20));
    let run = environment.run(["install", "big", "--retries", "0"]);
    drop(run.failure());
    server.add(big(18 << 20));
    drop(environment.run(["install", "big"]).success());
    let place = environment.site_packages().join("big").join("noise.bin");
    assert_eq!(fs_err::metadata(place).unwrap().len(), 18 << 20);
}

#[test]
fn a_server_without_ranges_starts_anew() {
    let (server, _) = index(300_000);
    server.configure(|options| options.ranges = Ranges::Ignored);
    let environment = TestEnvironment::new(PROGRAM).with_index(&server);
    server.plan_fault(WHEEL, 1, Fault::TruncateAfter(100_000));
    drop(environment.run(["install", "big"]).success());
    assert_eq!(environment.installed(), ["big-1.0"]);
}
