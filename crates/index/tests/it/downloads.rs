//! Downloads: cuts, resumption, digests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bnbpip_index::{
    Cache, DownloadedFile, IndexClient, IndexError, NoProgress, PackageFile, Progress,
    RequiredHashes,
};
use bnbpip_packaging::HashAlgorithm;

use crate::server::{Fault, Resource, Server};
use crate::wheel::{Wheel, hex, noise, page};
use crate::{client, next_run, only_file};

async fn download(client: &IndexClient, file: &PackageFile) -> Result<DownloadedFile, IndexError> {
    client
        .download(file, &RequiredHashes::default(), &NoProgress)
        .await
}

async fn offered(body: Vec<u8>, ranges: bool) -> (Server, Wheel) {
    let server = Server::start().await;
    let wheel = Wheel {
        filename: "a-1-py3-none-any.whl".into(),
        bytes: body,
    };
    server.put_resource(
        &wheel.path(),
        Resource {
            body: wheel.bytes.clone(),
            status: 200,
            headers: vec![("ETag".into(), "\"1\"".into())],
            ranges,
        },
    );
    server.put_json("/simple/a/", page(&[wheel.json()]));
    (server, wheel)
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_ended() {
    let (server, wheel) = offered(noise(500_000), true).await;
    server.fault(&wheel.path(), Fault::Cut(200_000));
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let done = download(&client, &file).await.unwrap();
    assert_eq!(fs_err::read(&done.path).unwrap(), wheel.bytes);
    let ranges: Vec<_> = server
        .requests()
        .iter()
        .filter_map(|request| request.headers.get("range").cloned())
        .collect();
    assert_eq!(ranges, ["bytes=200000-"]);
    download(&client, &file).await.unwrap();
    assert_eq!(server.count(&wheel.path()), 2, "then it is in the cache");
}

/// A list of the pieces of such a file would fill the memory.
#[tokio::test]
async fn a_size_beyond_all_measure_is_not_believed() {
    let (server, wheel) = offered(noise(50_000), true).await;
    let mut page = page(&[wheel.json()]);
    let told = format!("\"size\":{}", wheel.bytes.len());
    for size in [u64::MAX, i64::MAX.unsigned_abs(), 1 << 50] {
        let lie = format!("\"size\":{size}");
        let pages = page.replace(&told, &lie);
        assert_ne!(pages, page, "{page}");
        server.put_json("/simple/a/", pages);
        let client = client(&server.simple());
        let file = only_file(&client, "a").await;
        // The digest tells which file it is.
        let done = download(&client, &file).await.unwrap();
        assert_eq!(fs_err::read(&done.path).unwrap(), wheel.bytes);
    }
    page.clear();
}

#[tokio::test]
async fn the_next_run_goes_on_too() {
    let (server, wheel) = offered(noise(500_000), true).await;
    for _ in 0..3 {
        server.fault(&wheel.path(), Fault::Cut(100_000));
    }
    // Each cut comes after progress; the budget is spent by failures without any.
    for _ in 0..3 {
        server.fault(&wheel.path(), Fault::Status(503, Vec::new()));
    }
    let cache = Cache::temporary().unwrap();
    let first = next_run(&server.simple(), &cache);
    let file = only_file(&first, "a").await;
    assert!(download(&first, &file).await.is_err());
    let second = next_run(&server.simple(), &cache);
    let done = download(&second, &file).await.unwrap();
    assert_eq!(hex(&fs_err::read(&done.path).unwrap()), wheel.sha256());
    let last = server.requests().pop().unwrap();
    assert_eq!(last.headers["range"], "bytes=300000-");
}

#[tokio::test]
async fn a_server_without_ranges_starts_again() {
    let (server, wheel) = offered(noise(500_000), false).await;
    server.fault(&wheel.path(), Fault::Cut(200_000));
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let done = download(&client, &file).await.unwrap();
    assert_eq!(fs_err::read(&done.path).unwrap(), wheel.bytes);
}

#[tokio::test]
async fn truncated_is_not_a_wrong_digest() {
    let (server, wheel) = offered(noise(50_000), false).await;
    for _ in 0..40 {
        server.fault(&wheel.path(), Fault::Cut(20_000));
    }
    let locations = bnbpip_index::IndexLocations::single(server.simple().parse().unwrap());
    let options = bnbpip_index::ClientOptions {
        retries: 0,
        ..crate::options()
    };
    let client = IndexClient::new(locations, Cache::temporary().unwrap(), &options);
    let file = only_file(&client, "a").await;
    match download(&client, &file).await {
        Err(IndexError::Truncated {
            expected_bytes: 50_000,
            got_bytes: 20_000,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
    // A server that announces fewer bytes than the index does.
    let (server, wheel) = offered(noise(50_000), true).await;
    server.put_file(&wheel.path(), &wheel.bytes[..30_000]);
    let client = crate::client(&server.simple());
    let file = only_file(&client, "a").await;
    let error = download(&client, &file).await.unwrap_err();
    assert!(matches!(error, IndexError::Truncated { .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_digest_drops_the_file() {
    let (server, wheel) = offered(noise(50_000), true).await;
    let mut other = wheel.bytes.clone();
    other[7] ^= 1;
    server.put_file(&wheel.path(), &other);
    let cache = Cache::temporary().unwrap();
    let client = next_run(&server.simple(), &cache);
    let file = only_file(&client, "a").await;
    match download(&client, &file).await {
        Err(IndexError::HashMismatch { expected, got, .. }) => {
            assert_eq!((expected, got), (wheel.sha256(), hex(&other)));
        }
        other => panic!("{other:?}"),
    }
    server.put_file(&wheel.path(), &wheel.bytes);
    download(&next_run(&server.simple(), &cache), &file)
        .await
        .unwrap();
    let last = server.requests().pop().unwrap();
    assert!(
        !last.headers.contains_key("range"),
        "nothing of it was kept"
    );
}

#[tokio::test]
async fn required_digests_are_checked_besides_known_ones() {
    let (server, wheel) = offered(noise(1000), true).await;
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let required = |hex: &str| RequiredHashes(vec![(HashAlgorithm::Sha256, hex.into())]);
    let wrong = client
        .download(&file, &required(&"0".repeat(64)), &NoProgress)
        .await;
    assert!(matches!(wrong, Err(IndexError::HashMismatch { .. })));
    client
        .download(&file, &required(&wheel.sha256()), &NoProgress)
        .await
        .unwrap();
}

#[derive(Default)]
struct Counted {
    bytes: AtomicU64,
    started: Mutex<Vec<(Option<u64>, u64)>>,
}

impl Progress for Counted {
    fn started(&self, _filename: &str, total_bytes: Option<u64>, resumed_bytes: u64) {
        self.started
            .lock()
            .unwrap()
            .push((total_bytes, resumed_bytes));
    }
    fn advanced(&self, _filename: &str, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }
    fn finished(&self, _filename: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_come_in_pieces_and_resume() {
    let total = (20 << 20) + 12345;
    let (server, wheel) = offered(noise(total), true).await;
    server.fault(&wheel.path(), Fault::Cut(1_000_000));
    let cache = Cache::temporary().unwrap();
    let client = next_run(&server.simple(), &cache);
    let file = only_file(&client, "a").await;
    let counted = Counted::default();
    let required = RequiredHashes::default();
    let done = client.download(&file, &required, &counted).await.unwrap();
    assert_eq!(hex(&fs_err::read(&done.path).unwrap()), wheel.sha256());
    assert_eq!(counted.bytes.load(Ordering::SeqCst), total as u64);
    assert_eq!(
        server.count(&wheel.path()),
        7,
        "six pieces, one of them in two"
    );

    // A run that ends in the middle leaves its pieces to the next.
    let (server, wheel) = offered(noise(total), true).await;
    let cache = Cache::temporary().unwrap();
    let client = next_run(&server.simple(), &cache);
    let file = only_file(&client, "a").await;
    let stopped = {
        let (client, file) = (client.clone(), file.clone());
        tokio::spawn(async move { download(&client, &file).await.map(|_| ()) })
    };
    while server.count(&wheel.path()) < 6 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    stopped.abort();
    let was_aborted = stopped.await.is_err();
    let before = server.count(&wheel.path());
    let counted = Counted::default();
    let client = next_run(&server.simple(), &cache);
    let done = client.download(&file, &required, &counted).await.unwrap();
    assert_eq!(hex(&fs_err::read(&done.path).unwrap()), wheel.sha256());
    if was_aborted {
        assert!(
            server.count(&wheel.path()) - before < 6,
            "some pieces were here already"
        );
        assert!(counted.started.lock().unwrap()[0].1 > 0);
    }
}

#[tokio::test]
async fn large_files_without_ranges_or_size_still_come() {
    let total = (17 << 20) + 5;
    let (server, wheel) = offered(noise(total), false).await;
    let without_ranges = client(&server.simple());
    let file = only_file(&without_ranges, "a").await;
    download(&without_ranges, &file).await.unwrap();

    let html = format!("<a href='{}'>a</a>", wheel.path());
    let server = Server::start().await;
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put("/simple/a/", "text/html", html);
    let cache = Cache::temporary().unwrap();
    let client = next_run(&server.simple(), &cache);
    let file = only_file(&client, "a").await;
    let done = download(&client, &file).await.unwrap();
    assert_eq!(&*done.sha256, wheel.sha256());
    assert!(server.count(&wheel.path()) > 4, "pieces");
}
