//! Pages: formats, redirects, credentials, freshness, several indexes.

use bnbpip_index::{
    Cache, ClientOptions, HttpError, IndexClient, IndexEntry, IndexError, IndexLocations,
    IndexStrategy,
};

use crate::server::{Fault, Resource, Server};
use crate::wheel::{Wheel, page};
use crate::{chain, client, error, name, next_run, only_file, options, project};

fn versions(project: &bnbpip_index::Project) -> Vec<String> {
    project.versions().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn json_pages_are_read_and_sorted() {
    let server = Server::start().await;
    let files = ["1.10", "1.9", "1.9.0", "2.0rc1", "1.0+cu121"].map(|version| {
        let filename = format!("a_b-{version}-py3-none-any.whl");
        format!(r#"{{"filename":"{filename}","url":"{filename}","hashes":{{}}}}"#)
    });
    let mut files = files.to_vec();
    files.push(r#"{"filename":"a-b-1.9.tar.gz","url":"x/a-b-1.9.tar.gz","hashes":{},"upload-time":"2024-01-02T03:04:05Z"}"#.into());
    files.push(r#"{"filename":"a-b-1.9.exe","url":"x/a-b-1.9.exe","hashes":{}}"#.into());
    files.push(r#"{"filename":"other-1-py3-none-any.whl","url":"o","hashes":{}}"#.into());
    files
        .push(r#"{"filename":"a_b-3-py3-none-any.whl","url":"o","hashes":{"sha256":"zz"}}"#.into());
    files.push(r#"{"filename":"a_b-4-py3-none-any.whl","url":"file:///tmp/a_b-4-py3-none-any.whl","hashes":{}}"#.into());
    server.put_json("/simple/a-b/", page(&files));
    let client = client(&server.simple());
    let project = project(&client, "A.b").await;
    assert_eq!(versions(&project), ["1.0+cu121", "1.9", "1.10", "2.0rc1"]);
    let files: Vec<_> = project.files(&"1.9".parse().unwrap()).collect();
    assert_eq!(files.len(), 3, "1.9 and 1.9.0 are one version");
    assert_eq!(files[2].upload_time_ms, Some(1_704_164_645_000));
    assert_eq!(
        files[2].url.as_str(),
        server.url("/simple/a-b/x/a-b-1.9.tar.gz")
    );
    let skipped: Vec<_> = project.skipped().map(|file| file.filename).collect();
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    assert_eq!(
        client.project(&name("none")).await.unwrap().map(|_| ()),
        None
    );
}

#[tokio::test]
async fn html_pages_follow_redirects_and_base() {
    let server = Server::start().await;
    server.redirect("/simple/a/", "/moved/deep/a/");
    let html = "<base href='../f/'><a href='a-1-py3-none-any.whl#sha256=\
        0000000000000000000000000000000000000000000000000000000000000000'>a</a>\
        <a href='/root/a-2-py3-none-any.whl' data-yanked='why'>b</a>\
        <a href='file:///etc/a-3-py3-none-any.whl'>c</a>";
    server.put("/moved/deep/a/", "text/html; charset=utf-8", html);
    let client = client(&server.simple());
    let project = project(&client, "a").await;
    assert_eq!(versions(&project), ["1", "2"]);
    let first = project.files(&"1".parse().unwrap()).next().unwrap();
    assert_eq!(
        first.url.as_str(),
        server.url("/moved/deep/f/a-1-py3-none-any.whl")
    );
    assert!(first.hashes.sha256().is_some());
    let second = project.files(&"2".parse().unwrap()).next().unwrap();
    assert_eq!(second.yanked.as_deref(), Some("why"));
    let skipped: Vec<_> = project.skipped().collect();
    assert!(skipped[0].reason.contains("a file on this machine"));
    let accept = &server.requests()[0].headers["accept"];
    assert!(
        accept.starts_with("application/vnd.pypi.simple.v1+json,"),
        "{accept}"
    );
}

#[tokio::test]
async fn redirects_to_files_are_refused_and_loops_end() {
    let server = Server::start().await;
    server.redirect("/simple/a/", "file:///etc/passwd");
    server.redirect("/simple/b/", "/simple/b/");
    let client = client(&server.simple());
    for package in ["a", "b"] {
        let error = error(client.project(&name(package)).await);
        assert!(
            matches!(&*error, IndexError::Http(HttpError::Redirect { .. })),
            "{error}"
        );
    }
}

#[tokio::test]
async fn fresh_pages_are_not_asked_for_again() {
    let server = Server::start().await;
    server.put_json("/simple/a/", page(&[Wheel::new("a", "1").json()]));
    let cache = Cache::temporary().unwrap();
    for _ in 0..3 {
        project(&next_run(&server.simple(), &cache), "a").await;
    }
    assert_eq!(server.count("/simple/a/"), 1);
}

#[tokio::test]
async fn stale_pages_are_revalidated() {
    let server = Server::start().await;
    let resource = |version: &str| Resource {
        body: page(&[Wheel::new("a", version).json()]).into(),
        status: 200,
        headers: vec![
            (
                "Content-Type".into(),
                "application/vnd.pypi.simple.v1+json".into(),
            ),
            ("ETag".into(), format!("\"{version}\"")),
            ("Cache-Control".into(), "max-age=0".into()),
        ],
        ranges: false,
    };
    let cache = Cache::temporary().unwrap();
    server.put_resource("/simple/a/", resource("1"));
    for _ in 0..2 {
        let project = project(&next_run(&server.simple(), &cache), "a").await;
        assert_eq!(versions(&project), ["1"]);
    }
    let second = &server.requests()[1];
    assert_eq!(second.headers["if-none-match"], "\"1\"");
    server.put_resource("/simple/a/", resource("2"));
    let project = project(&next_run(&server.simple(), &cache), "a").await;
    assert_eq!(versions(&project), ["2"]);
}

#[tokio::test]
async fn refresh_and_offline_do_what_they_say() {
    let server = Server::start().await;
    server.put_json("/simple/a/", page(&[Wheel::new("a", "1").json()]));
    let cache = Cache::temporary().unwrap();
    project(&next_run(&server.simple(), &cache), "a").await;
    let with = |options: ClientOptions| {
        let locations = IndexLocations::single(server.simple().parse().unwrap());
        IndexClient::new(locations, cache.clone(), &options)
    };
    let refreshing = with(ClientOptions {
        refresh: true,
        ..options()
    });
    project(&refreshing, "a").await;
    assert_eq!(server.count("/simple/a/"), 2);
    let offline = with(ClientOptions {
        offline: true,
        ..options()
    });
    project(&offline, "a").await;
    let error = error(offline.project(&name("b")).await);
    assert!(
        error.is_offline() && error.to_string().contains("/simple/b/"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_error_page_need_not_come_whole() {
    let server = Server::start().await;
    let path = "/simple/a/";
    let missing = Resource {
        status: 404,
        body: b"there is nothing of that name".to_vec(),
        ..Resource::default()
    };
    server.put_resource(path, missing);
    server.fault(path, Fault::Cut(10));
    let found = client(&server.simple()).project(&name("a")).await;
    assert!(found.unwrap().is_none());
    assert_eq!(server.count(path), 1);
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let server = Server::start().await;
    let path = "/simple/a/";
    server.put_json(path, page(&[Wheel::new("a", "1").json()]));
    server.fault(
        path,
        Fault::Status(503, vec![("Retry-After".into(), "1".into())]),
    );
    server.fault(path, Fault::Cut(10));
    let before = std::time::Instant::now();
    project(&client(&server.simple()), "a").await;
    assert!(before.elapsed().as_millis() >= 1000, "Retry-After counts");
    assert_eq!(server.count(path), 3);

    for _ in 0..3 {
        server.fault(path, Fault::Hang);
    }
    let failed = error(client(&server.simple()).project(&name("a")).await);
    assert!(
        failed.to_string().contains("127.0.0.1"),
        "{}",
        chain(&*failed)
    );
    server.fault(
        path,
        Fault::Status(429, vec![("Retry-After".into(), "3600".into())]),
    );
    let failed = error(client(&server.simple()).project(&name("a")).await);
    assert!(failed.to_string().contains("429"), "{failed}");
}

#[tokio::test]
async fn a_failed_handshake_is_told_as_such_and_not_tried_again() {
    let server = Server::start().await;
    server.answer_garbage();
    let index = format!("https://127.0.0.1:{}/simple", server.port());
    let before = std::time::Instant::now();
    let failed = error(client(&index).project(&name("a")).await);
    match &*failed {
        IndexError::Http(HttpError::Network { kind, .. }) => {
            assert_eq!(
                *kind,
                bnbpip_index::NetworkErrorKind::Tls,
                "{}",
                chain(&*failed)
            );
        }
        other => panic!("{other}"),
    }
    assert!(before.elapsed().as_millis() < 150, "no second try");
}

#[tokio::test]
async fn a_failing_index_is_not_an_index_without_the_project() {
    let (first, second) = (Server::start().await, Server::start().await);
    second.put_json("/simple/a/", page(&[Wheel::new("a", "99").json()]));
    first.put("/simple/a/", "text/html", "");
    first.fault("/simple/a/", Fault::Status(403, Vec::new()));
    let mut locations = IndexLocations::single(first.simple().parse().unwrap());
    locations
        .indexes
        .push(IndexEntry::new(second.simple().parse().unwrap()));
    let client = IndexClient::new(locations, Cache::temporary().unwrap(), &options());
    let error = error(client.project(&name("a")).await);
    assert!(error.to_string().contains("403"), "{error}");
}

#[tokio::test]
async fn extra_indexes_fill_gaps_and_routes_are_obeyed() {
    let (first, second) = (Server::start().await, Server::start().await);
    first.put_json("/simple/both/", page(&[Wheel::new("both", "1").json()]));
    for package in ["both", "extra"] {
        let path = format!("/simple/{package}/");
        second.put_json(&path, page(&[Wheel::new(package, "99").json()]));
    }
    let mut locations = IndexLocations::single(first.simple().parse().unwrap());
    let mut extra = IndexEntry::new(second.simple().parse().unwrap());
    extra.name = Some("extra".into());
    locations.indexes.push(extra);
    let with = |change: &dyn Fn(&mut IndexLocations)| {
        let mut locations = locations.clone();
        change(&mut locations);
        IndexClient::new(locations, Cache::temporary().unwrap(), &options())
    };
    let safe = with(&|_| {});
    assert_eq!(versions(&*project(&safe, "both").await), ["1"]);
    assert_eq!(versions(&*project(&safe, "extra").await), ["99"]);
    let merged = with(&|locations| locations.strategy = IndexStrategy::UnsafeBestMatch);
    let both = project(&merged, "both").await;
    assert_eq!(versions(&both), ["1", "99"]);
    assert_eq!(both.indexes().count(), 2);
    let routed = with(&|locations| {
        locations.routes.insert(name("both"), "extra".into());
        locations.routes.insert(name("lost"), "nowhere".into());
    });
    assert_eq!(versions(&*project(&routed, "both").await), ["99"]);
    let error = error(routed.project(&name("lost")).await);
    assert!(error.to_string().contains("`nowhere`"), "{error}");
    let none = with(&|locations| locations.no_index = true);
    assert!(none.project(&name("both")).await.unwrap().is_none());
}

#[tokio::test]
async fn find_links_come_from_folders_and_flat_pages() {
    let server = Server::start().await;
    server.put(
        "/flat.html",
        "text/html",
        "<a href='cpu/a-2%2Bcpu-py3-none-any.whl'>a</a><a href='b-1.tar.gz'>b</a>",
    );
    let folder = tempfile::tempdir().unwrap();
    let wheel = Wheel::new("a", "1");
    fs_err::write(folder.path().join(&wheel.filename), &wheel.bytes).unwrap();
    fs_err::write(folder.path().join("notes.txt"), "x").unwrap();
    let locations = IndexLocations {
        find_links: vec![
            folder.path().to_str().unwrap().parse().unwrap(),
            server.url("/flat.html").parse().unwrap(),
        ],
        no_index: true,
        ..IndexLocations::default()
    };
    let client = IndexClient::new(locations, Cache::temporary().unwrap(), &options());
    let found = project(&client, "a").await;
    assert_eq!(versions(&found), ["1", "2+cpu"]);
    let local = found.files(&"1".parse().unwrap()).next().unwrap();
    assert_eq!(local.size_bytes, Some(wheel.bytes.len() as u64));
    project(&client, "b").await;
    assert_eq!(server.count("/flat.html"), 1);
    assert!(client.project(&name("c")).await.unwrap().is_none());
}

#[tokio::test]
async fn local_indexes_are_folders() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = Wheel::new("a", "1");
    fs_err::create_dir(folder.path().join("a")).unwrap();
    fs_err::write(folder.path().join("a").join(&wheel.filename), &wheel.bytes).unwrap();
    fs_err::create_dir(folder.path().join("b")).unwrap();
    fs_err::write(
        folder.path().join("b/index.html"),
        "<a href='../a/b-1-py3-none-any.whl'>b</a>",
    )
    .unwrap();
    let client = client(folder.path().to_str().unwrap());
    let file = only_file(&client, "a").await;
    assert!(file.local_path().unwrap().is_file());
    assert_eq!(only_file(&client, "b").await.url.scheme(), "file");
    assert!(client.project(&name("c")).await.unwrap().is_none());
}

#[tokio::test]
async fn pages_that_are_too_large_or_odd_are_refused() {
    let server = Server::start().await;
    server.put_json("/simple/a/", vec![b' '; 3000]);
    server.put("/simple/b/", "image/png", "x");
    server.put_json("/simple/c/", "{\"files\": [");
    let locations = IndexLocations::single(server.simple().parse().unwrap());
    let options = ClientOptions {
        page_limit_bytes: 1000,
        ..options()
    };
    let client = IndexClient::new(locations, Cache::temporary().unwrap(), &options);
    let large = error(client.project(&name("a")).await);
    assert!(matches!(
        &*large,
        IndexError::Http(HttpError::TooLarge {
            limit_bytes: 1000,
            ..
        })
    ));
    for package in ["b", "c"] {
        let error = error(client.project(&name(package)).await);
        assert!(matches!(&*error, IndexError::BadPage { .. }), "{error}");
    }
    assert_eq!(
        server.count("/simple/a/"),
        1,
        "a large page is not asked for again"
    );
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let (index, other) = (Server::start().await, Server::start().await);
    let wheel = Wheel::new("a", "1");
    index.put_json("/simple/a/", page(&[wheel.json()]));
    index.redirect(&wheel.path(), &other.url("/elsewhere"));
    other.put_file("/elsewhere", &wheel.bytes);
    let client = client(&format!(
        "http://user:secret@127.0.0.1:{}/simple",
        index.port()
    ));
    let file = only_file(&client, "a").await;
    let required = bnbpip_index::RequiredHashes::default();
    client
        .download(&file, &required, &bnbpip_index::NoProgress)
        .await
        .unwrap();
    for request in index.requests() {
        assert_eq!(request.headers["authorization"], "Basic dXNlcjpzZWNyZXQ=");
    }
    assert!(!other.requests()[0].headers.contains_key("authorization"));
    index.fault("/simple/b/", Fault::Status(401, Vec::new()));
    let error = error(client.project(&name("b")).await);
    assert!(chain(&*error).contains("401"));
    assert!(!chain(&*error).contains("secret"));
}
