//! Metadata: beside the wheel, from its end, from the whole.

use bnbpip_index::{Cache, IndexError, Metadata, NoProgress, RequiredHashes, WheelMetadataLite};
use std::sync::Arc;

use crate::server::{Fault, Resource, Server};
use crate::wheel::{Wheel, hex, metadata, noise, page};
use crate::{chain, client, error, next_run, only_file};

fn wheel_metadata(metadata: Metadata) -> Arc<WheelMetadataLite> {
    match metadata {
        Metadata::Wheel(lite) => lite,
        Metadata::NeedsBuild => panic!("must be a wheel"),
    }
}

#[tokio::test]
async fn the_file_beside_the_wheel_is_preferred_and_checked() {
    let server = Server::start().await;
    let wheel = Wheel::new("a", "1");
    let text = metadata("a", "1");
    let core = |hash: &str| format!(r#","core-metadata":{{"sha256":"{hash}"}}"#);
    let path = format!("{}.metadata", wheel.path());
    server.put(&path, "text/plain", text.clone());
    server.put_json(
        "/simple/a/",
        page(&[wheel.json_with(&wheel.sha256(), &core(&hex(text.as_bytes())))]),
    );
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let lite = wheel_metadata(client.metadata(&file).await.unwrap());
    assert_eq!(lite.requires_dist, ["dep>=1".into()]);
    assert_eq!(server.count(&wheel.path()), 0);

    server.put_json(
        "/simple/a/",
        page(&[wheel.json_with(&wheel.sha256(), &core(&"0".repeat(64)))]),
    );
    let client = crate::client(&server.simple());
    let file = only_file(&client, "a").await;
    let error = error(client.metadata(&file).await);
    assert!(
        matches!(&*error, IndexError::HashMismatch { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_digest_that_no_file_has_is_told_where_the_metadata_is_wanted() {
    let server = Server::start().await;
    let wheel = Wheel::new("a", "1");
    let path = format!("{}.metadata", wheel.path());
    server.put(&path, "text/plain", metadata("a", "1"));
    let more = r#","core-metadata":{"sha256":"NO-HASH"}"#;
    server.put_json(
        "/simple/a/",
        page(&[wheel.json_with(&wheel.sha256(), more)]),
    );
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let text = error(client.metadata(&file).await).to_string();
    assert!(text.contains("sha256 should be `no-hash`"), "{text}");
}

#[tokio::test]
async fn a_wheel_that_says_other_things_than_its_index_is_refused() {
    let server = Server::start().await;
    let wheel = Wheel::new("a", "1");
    server.put_file(&wheel.path(), &wheel.bytes);
    let told = metadata("a", "1").replace("dep>=1", "evil");
    let path = format!("{}.metadata", wheel.path());
    server.put(&path, "text/plain", told);
    let more = r#","core-metadata":true"#;
    server.put_json(
        "/simple/a/",
        page(&[wheel.json_with(&wheel.sha256(), more)]),
    );
    let cache = Cache::temporary().unwrap();
    // The second run has the metadata and the file in its cache.
    for _ in 0..2 {
        let client = next_run(&server.simple(), &cache);
        let file = only_file(&client, "a").await;
        wheel_metadata(client.metadata(&file).await.unwrap());
        let required = RequiredHashes::default();
        let text = error(client.fetch(&file, &required, &NoProgress).await).to_string();
        let said = "sidecar has 'evil', wheel has 'dep>=1'";
        assert!(
            text.contains("Requires-Dist") && text.contains(said),
            "{text}"
        );
    }
}

#[tokio::test]
async fn metadata_of_something_else_is_refused() {
    let server = Server::start().await;
    let wheel = Wheel::new("a", "1");
    server.put(
        &format!("{}.metadata", wheel.path()),
        "text/plain",
        metadata("b", "1"),
    );
    let more = r#","core-metadata":true"#;
    server.put_json(
        "/simple/a/",
        page(&[wheel.json_with(&wheel.sha256(), more)]),
    );
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    let text = chain(&*error(client.metadata(&file).await));
    assert!(text.contains("`b 1`") || text.contains("b 1"), "{text}");
}

#[tokio::test]
async fn one_range_is_enough_and_is_cached() {
    let server = Server::start().await;
    let payload = noise(2 << 20);
    let wheel = Wheel::with("a", "1", &[("a/data", &payload)]);
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    let cache = Cache::temporary().unwrap();
    for _ in 0..2 {
        let client = next_run(&server.simple(), &cache);
        let file = only_file(&client, "a").await;
        let lite = wheel_metadata(client.metadata(&file).await.unwrap());
        assert_eq!(lite.requires_python.as_deref(), Some(">=3.8"));
    }
    assert_eq!(server.count(&wheel.path()), 1);
    let range = server.requests()[1].headers["range"].clone();
    let length: usize = range.strip_prefix("bytes=-").unwrap().parse().unwrap();
    assert!(length < wheel.bytes.len() / 10, "{range}");
}

#[tokio::test]
async fn far_metadata_takes_a_second_range() {
    let server = Server::start().await;
    // The metadata is the first member, as some build tools write it.
    let text = metadata("a", "1");
    let payload = noise(2 << 20);
    let wheel = Wheel {
        filename: "a-1-py3-none-any.whl".into(),
        bytes: crate::wheel::archive(&[
            ("a-1.dist-info/METADATA", text.as_bytes()),
            ("a/data", &payload),
        ]),
    };
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    wheel_metadata(client.metadata(&file).await.unwrap());
    assert_eq!(server.count(&wheel.path()), 2);
}

#[tokio::test]
async fn a_large_directory_is_widened_to() {
    let server = Server::start().await;
    let names: Vec<String> = (0..6000)
        .map(|at| format!("a/module_number_{at}.py"))
        .collect();
    let more: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let wheel = Wheel::with("a", "1", &more);
    server.put_file(&wheel.path(), &wheel.bytes);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    wheel_metadata(client.metadata(&file).await.unwrap());
    assert!((2..=3).contains(&server.count(&wheel.path())));
}

#[tokio::test]
async fn servers_without_ranges_are_remembered_and_the_wheel_is_kept() {
    let server = Server::start().await;
    for package in ["a", "b"] {
        let wheel = Wheel::new(package, "1");
        server.put_resource(
            &wheel.path(),
            Resource {
                body: wheel.bytes.clone(),
                status: 200,
                ..Resource::default()
            },
        );
        server.put_json(&format!("/simple/{package}/"), page(&[wheel.json()]));
    }
    let client = client(&server.simple());
    for package in ["a", "b"] {
        let file = only_file(&client, package).await;
        wheel_metadata(client.metadata(&file).await.unwrap());
        let required = bnbpip_index::RequiredHashes::default();
        client
            .fetch(&file, &required, &bnbpip_index::NoProgress)
            .await
            .unwrap();
    }
    for (path, kept) in [
        (
            "/files/a-1-py3-none-any.whl",
            "what was sent in place of a range",
        ),
        ("/files/b-1-py3-none-any.whl", "the whole at once"),
    ] {
        assert_eq!(server.count(path), 1, "{kept}");
    }
}

#[tokio::test]
async fn wrong_bytes_for_a_range_lead_to_the_whole_wheel() {
    let server = Server::start().await;
    let payload = noise(1 << 20);
    let wheel = Wheel::with("a", "1", &[("a/data", &payload)]);
    server.put_file(&wheel.path(), &wheel.bytes);
    server.fault(&wheel.path(), Fault::WrongRange);
    server.put_json("/simple/a/", page(&[wheel.json()]));
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    wheel_metadata(client.metadata(&file).await.unwrap());
    let last = server.requests().pop().unwrap();
    assert!(!last.headers.contains_key("range"), "the whole wheel");
}

#[tokio::test]
async fn source_distributions_need_a_build() {
    let server = Server::start().await;
    server.put_json(
        "/simple/a/",
        page(&[r#"{"filename":"a-1.tar.gz","url":"a-1.tar.gz","hashes":{}}"#.to_string()]),
    );
    let client = client(&server.simple());
    let file = only_file(&client, "a").await;
    assert!(matches!(
        client.metadata(&file).await.unwrap(),
        Metadata::NeedsBuild
    ));
}
