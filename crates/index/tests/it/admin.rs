//! The cache's caretaker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bnbpip_index::{Cache, CacheAdmin, NoProgress, RequiredHashes};

use crate::server::Server;
use crate::wheel::{Wheel, page};
use crate::{next_run, only_file};

#[tokio::test]
async fn counts_lists_removes_and_purges() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("cache");
    let admin = CacheAdmin::new(&root);
    assert!(admin.info().unwrap().is_empty());
    assert_eq!(admin.purge(|| ()).unwrap().files, 0);
    let cache = Cache::open(&root).unwrap();
    let client = next_run(&server.simple(), &cache);
    for package in ["aa", "bb"] {
        let wheel = Wheel::new(package, "1");
        server.put_file(&wheel.path(), &wheel.bytes);
        server.put_json(&format!("/simple/{package}/"), page(&[wheel.json()]));
        let file = only_file(&client, package).await;
        client.metadata(&file).await.unwrap();
        client
            .fetch(&file, &RequiredHashes::default(), &NoProgress)
            .await
            .unwrap();
    }
    assert!(root.join("CACHEDIR.TAG").is_file());
    let count = |name: &str| {
        let info = admin.info().unwrap();
        let bucket = info.iter().find(|bucket| bucket.name == name);
        bucket.map_or(0, |bucket| bucket.entries)
    };
    assert_eq!(
        (count("simple-v2"), count("metadata-v1"), count("store-v1")),
        (2, 2, 2)
    );
    let names = |pattern: Option<&str>| -> Vec<String> {
        let listed = admin.list(pattern).unwrap();
        listed.into_iter().map(|entry| entry.filename).collect()
    };
    assert_eq!(
        names(None),
        ["aa-1-py3-none-any.whl", "bb-1-py3-none-any.whl"]
    );
    assert_eq!(names(Some("AA")), ["aa-1-py3-none-any.whl"]);
    drop((client, cache));
    let removed = admin
        .remove("aa", || panic!("nobody holds the cache"))
        .unwrap();
    assert!(removed.files > 2 && removed.size_bytes > 0);
    assert_eq!(names(None), ["bb-1-py3-none-any.whl"]);
    assert_eq!(count("metadata-v1"), 1);
    admin.purge(|| panic!("nobody holds the cache")).unwrap();
    assert!(admin.info().unwrap().is_empty());
    assert!(root.join("CACHEDIR.TAG").is_file());
}

#[test]
fn purge_waits_for_an_open_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    fs_err::create_dir(folder.path().join("simple-v1")).unwrap();
    fs_err::write(folder.path().join("simple-v1/x"), "1").unwrap();
    let waited = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let purge = scope.spawn(|| {
            let admin = CacheAdmin::new(folder.path());
            admin
                .purge(|| waited.store(true, Ordering::SeqCst))
                .unwrap()
        });
        while !waited.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(folder.path().join("simple-v1/x").is_file());
        drop(cache);
        assert_eq!(purge.join().unwrap().files, 1);
    });
}
