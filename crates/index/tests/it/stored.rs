//! The store: what is unpacked, how damage is noticed, what is shared.

use bnbpip_index::{Cache, IndexClient, NoProgress, RequiredHashes, StoredWheel, Verification};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

use crate::server::Server;
use crate::wheel::{Wheel, page};
use crate::{next_run, only_file};

async fn fetch(client: &IndexClient, text: &str) -> Arc<StoredWheel> {
    let file = only_file(client, text).await;
    client
        .fetch(&file, &RequiredHashes::default(), &NoProgress)
        .await
        .unwrap()
}

async fn offered(wheel: &Wheel) -> Server {
    let server = Server::start().await;
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    server
}

#[tokio::test]
async fn wheels_are_unpacked_once_with_modes_and_digests() {
    let payload = crate::wheel::noise(3 << 20);
    let wheel = Wheel::with("a", "1", &[("a/deep/er/data.bin", &payload)]);
    let server = offered(&wheel).await;
    let cache = Cache::temporary().unwrap();
    let client = next_run(&server.simple(), &cache);
    let file = only_file(&client, "a").await;
    assert!(!client.is_stored(&file));
    let stored = fetch(&client, "a").await;
    assert!(client.is_stored(&file));
    assert_eq!(&*stored.sha256, wheel.sha256());
    assert_eq!(
        fs_err::read(stored.root.join("a/deep/er/data.bin")).unwrap(),
        payload
    );
    let by_path = |path: &str| {
        stored
            .files
            .iter()
            .find(|file| &*file.path == path)
            .unwrap()
    };
    assert!(by_path("run.sh").executable && !by_path("a/__init__.py").executable);
    let digest = by_path("a/__init__.py").sha256;
    assert_eq!(digest[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    // `RECORD` doesn't name it.
    let content = fs_err::read(stored.root.join("run.sh")).unwrap();
    assert_eq!(by_path("run.sh").sha256[..], Sha256::digest(content)[..]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| {
            let metadata = fs_err::metadata(stored.root.join(path)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode("run.sh") & 0o700, 0o700);
        assert_eq!(mode("a/__init__.py") & 0o111, 0);
    }
    stored.verify(Verification::Contents).unwrap();
    fetch(&next_run(&server.simple(), &cache), "a").await;
    assert_eq!(server.count(&wheel.path()), 1);
}

/// A file of this size has a thread that writes it.
#[tokio::test]
async fn a_large_file_comes_out_whole_or_not_at_all() {
    let payload = b"a library ".repeat(4 << 20);
    let wheel = Wheel::with("a", "1", &[("a/large.so", &payload)]);
    let server = offered(&wheel).await;
    let cache = Cache::temporary().unwrap();
    let stored = fetch(&next_run(&server.simple(), &cache), "a").await;
    assert!(fs_err::read(stored.root.join("a/large.so")).unwrap() == payload);
    stored.verify(Verification::Contents).unwrap();
    // In the order of the archive, which isn't that of the work.
    let paths: Vec<&str> = stored.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths[..3], ["a/__init__.py", "run.sh", "a/large.so"]);

    let mut damaged = wheel.clone();
    let middle = damaged.bytes.len() / 2;
    damaged.bytes[middle] ^= 1;
    let server = offered(&damaged).await;
    let client = next_run(&server.simple(), &Cache::temporary().unwrap());
    let file = only_file(&client, "a").await;
    let any = RequiredHashes::default();
    let fetched = client.fetch(&file, &any, &NoProgress).await;
    let error = format!("{:?}", fetched.unwrap_err());
    assert!(error.contains("damaged"), "{error}");
}

#[tokio::test]
async fn damage_is_noticed_and_mended() {
    let wheel = Wheel::with("a", "1", &[("a/b.py", b"x = 1\n")]);
    let server = offered(&wheel).await;
    let cache = Cache::temporary().unwrap();
    let stored = fetch(&next_run(&server.simple(), &cache), "a").await;
    let target = stored.root.join("a/b.py");
    let manifest = stored.root.with_added_extension("manifest");
    let damages: [(&str, &dyn Fn()); 5] = [
        ("cut", &|| fs_err::write(&target, "x =").unwrap()),
        ("edited", &|| fs_err::write(&target, "x = 2\n").unwrap()),
        ("gone", &|| fs_err::remove_file(&target).unwrap()),
        ("no manifest", &|| fs_err::remove_file(&manifest).unwrap()),
        ("manifest cut", &|| {
            fs_err::write(&manifest, "STO1").unwrap();
        }),
    ];
    for (damage, apply) in damages {
        // So that the time of change can't be the same by chance.
        std::thread::sleep(std::time::Duration::from_millis(20));
        apply();
        assert!(stored.verify(Verification::Stamps).is_err(), "{damage}");
        let again = fetch(&next_run(&server.simple(), &cache), "a").await;
        assert_eq!(
            fs_err::read_to_string(again.root.join("a/b.py")).unwrap(),
            "x = 1\n",
            "{damage}"
        );
    }
    assert_eq!(server.count(&wheel.path()), 6);
    fs_err::write(&target, "x = 1\n").unwrap();
    stored.verify(Verification::Stamps).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_fetches_share_one_download() {
    let wheel = Wheel::new("a", "1");
    let server = offered(&wheel).await;
    let cache = Cache::temporary().unwrap();
    let clients: Vec<_> = (0..8).map(|_| next_run(&server.simple(), &cache)).collect();
    let fetches = clients
        .iter()
        .flat_map(|client| [fetch(client, "a"), fetch(client, "a")]);
    let stored = futures::future::join_all(fetches).await;
    assert!(stored.iter().all(|other| other.root == stored[0].root));
    stored[0].verify(Verification::Contents).unwrap();
}

#[tokio::test]
async fn local_wheels_stay_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = Wheel::new("a", "1");
    let path = folder.path().join(&wheel.filename);
    fs_err::write(&path, &wheel.bytes).unwrap();
    let client = next_run("https://index.invalid/simple", &Cache::temporary().unwrap());
    let file = bnbpip_index::PackageFile::from_path(&path).unwrap();
    let required = RequiredHashes::default();
    let stored = client.fetch(&file, &required, &NoProgress).await.unwrap();
    assert_eq!(&*stored.sha256, wheel.sha256());
    assert!(path.is_file());
    match client.metadata(&file).await.unwrap() {
        bnbpip_index::Metadata::Wheel(lite) => assert_eq!(lite.version.to_string(), "1"),
        bnbpip_index::Metadata::NeedsBuild => panic!("must be a wheel"),
    }
}
