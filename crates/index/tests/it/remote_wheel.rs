//! Files out of wheels that stay on their server.

use bnbpip_index::{Cache, CacheAdmin, IndexError};

use crate::server::{Fault, Resource, Server};
use crate::wheel::{Wheel, noise, page};
use crate::{chain, client, error, next_run, only_file};

/// A wheel of 3 MB whose Python files lie around a large library.
fn large_wheel() -> Wheel {
    let library = noise(3 << 20);
    let files: [(&str, &[u8]); 4] = [
        ("a/first.py", b"import b\n"),
        ("a/second.py", b"x = 1\n"),
        ("a/library.so", &library),
        ("a/third.py", b"y = 2\n"),
    ];
    Wheel::with("a", "1", &files)
}

async fn serve(wheel: &Wheel) -> Server {
    let server = Server::start().await;
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    server
}

#[tokio::test]
async fn files_are_listed_and_read_without_the_whole_and_once() {
    let wheel = large_wheel();
    let server = serve(&wheel).await;
    let cache = Cache::temporary().unwrap();
    for _ in 0..2 {
        let client = next_run(&server.simple(), &cache);
        let file = only_file(&client, "a").await;
        let remote = client.open_remote(&file).await.unwrap();
        let listed = remote.files();
        assert!(
            listed
                .iter()
                .any(|file| &*file.path == "a/library.so" && file.size_bytes == 3 << 20)
        );
        assert!(remote.contains("a/third.py") && !remote.contains("a/fourth.py"));
        let paths = [
            "a/third.py",
            "a/missing.py",
            "a/first.py",
            "a/second.py",
            "a/first.py",
        ];
        let contents = remote.read_many(&paths).await.unwrap();
        let texts: Vec<Option<&str>> = contents
            .iter()
            .map(|content| {
                content
                    .as_deref()
                    .map(|bytes| str::from_utf8(bytes).unwrap())
            })
            .collect();
        let first = Some("import b\n");
        assert_eq!(
            texts,
            [Some("y = 2\n"), None, first, Some("x = 1\n"), first]
        );
    }
    let ranges = server
        .requests()
        .into_iter()
        .filter(|request| request.path == wheel.path());
    let ranges: Vec<String> = ranges
        .map(|request| request.headers["range"].clone())
        .collect();
    assert_eq!(
        ranges.len(),
        3,
        "directory, both sides of the library: {ranges:?}"
    );
}

#[tokio::test]
async fn a_directory_larger_than_the_first_range_is_widened_to() {
    let names: Vec<String> = (0..6000)
        .map(|at| format!("a/module_number_{at}.py"))
        .collect();
    let more: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"1"[..]))
        .collect();
    let wheel = Wheel::with("a", "1", &more);
    let server = serve(&wheel).await;
    let client = client(&server.simple());
    let remote = client
        .open_remote(&only_file(&client, "a").await)
        .await
        .unwrap();
    assert!(remote.files().len() > 6000);
    let last = remote.read("a/module_number_5999.py").await.unwrap();
    assert_eq!(last.as_deref(), Some(&b"1"[..]));
}

#[tokio::test]
async fn servers_without_ranges_give_the_whole_wheel() {
    let wheel = large_wheel();
    let server = serve(&wheel).await;
    let resource = Resource {
        body: wheel.bytes.clone(),
        status: 200,
        ..Resource::default()
    };
    server.put_resource(&wheel.path(), resource);
    let client = client(&server.simple());
    let remote = client
        .open_remote(&only_file(&client, "a").await)
        .await
        .unwrap();
    let content = remote.read("a/third.py").await.unwrap();
    assert_eq!(content.as_deref(), Some(&b"y = 2\n"[..]));
    assert_eq!(
        server.count(&wheel.path()),
        1,
        "what was sent in place of a range"
    );
}

#[tokio::test]
async fn damaged_members_are_refused() {
    let mut wheel = large_wheel();
    let at = wheel
        .bytes
        .windows(10)
        .position(|bytes| bytes == b"a/third.py")
        .unwrap();
    wheel.bytes[at + 12] ^= 1;
    let server = serve(&wheel).await;
    let client = client(&server.simple());
    let remote = client
        .open_remote(&only_file(&client, "a").await)
        .await
        .unwrap();
    let error = error(remote.read("a/third.py").await);
    assert!(matches!(&*error, IndexError::BadWheel { .. }), "{error}");
    assert!(chain(&*error).contains("a/third.py"), "{}", chain(&*error));
}

#[tokio::test]
async fn other_bytes_than_asked_for_lead_to_the_whole_wheel() {
    let wheel = large_wheel();
    let server = serve(&wheel).await;
    server.fault(&wheel.path(), Fault::WrongRange);
    let client = client(&server.simple());
    let remote = client
        .open_remote(&only_file(&client, "a").await)
        .await
        .unwrap();
    let content = remote.read("a/first.py").await.unwrap();
    assert_eq!(content.as_deref(), Some(&b"import b\n"[..]));
}

#[tokio::test]
async fn source_distributions_have_no_files_to_read() {
    let server = Server::start().await;
    let sdist = r#"{"filename":"a-1.tar.gz","url":"a-1.tar.gz","hashes":{}}"#;
    server.put_json("/simple/a/", page(&[sdist.to_string()]));
    let client = client(&server.simple());
    let error = error(client.open_remote(&only_file(&client, "a").await).await);
    assert!(matches!(&*error, IndexError::NeedsBuild { .. }), "{error}");
}

#[tokio::test]
async fn removing_a_wheel_from_the_cache_removes_what_was_read_of_it() {
    let wheel = large_wheel();
    let server = serve(&wheel).await;
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("cache")).unwrap();
    let client = next_run(&server.simple(), &cache);
    let remote = client
        .open_remote(&only_file(&client, "a").await)
        .await
        .unwrap();
    remote.read("a/first.py").await.unwrap();
    let admin = CacheAdmin::new(cache.root());
    let count = || {
        let info = admin.info().unwrap();
        let bucket = info.into_iter().find(|bucket| bucket.name == "members-v1");
        bucket.map_or(0, |bucket| bucket.entries)
    };
    assert_eq!(count(), 2);
    drop((remote, client, cache));
    // `remove` looks for the wheel in the store or among the downloads; the members go with it.
    admin
        .remove("a", || panic!("nobody holds the cache"))
        .unwrap();
    assert_eq!(count(), 0);
}
