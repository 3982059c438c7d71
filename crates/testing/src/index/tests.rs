//! The index, asked over a plain socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::WheelBuilder;

/// Status, headers and body of one request.
fn get(server: &IndexServer, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    // A cut connection gives an error after the bytes that came.
    drop(socket.read_to_end(&mut bytes));
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return (0, String::new(), bytes);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), bytes[end + 4..].to_vec())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn demo() -> crate::BuiltWheel {
    WheelBuilder::new("De.mo", "1.0+cu124")
        .requires_python(">=3.9")
        .build()
}

#[test]
fn pages_come_as_asked_for() {
    let server = IndexServer::with([HostedFile::from(demo())
        .yanked("broken")
        .uploaded("2024-01-02T03:04:05Z")]);
    let accept = "Accept: application/vnd.pypi.simple.v1+json\r\n";
    let (status, head, body) = get(&server, "/simple/de-mo/", accept);
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/vnd.pypi.simple.v1+json"));
    let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let file = &page["files"][0];
    assert_eq!(file["url"], server.file_url(&demo().filename));
    assert!(file["url"].as_str().unwrap().contains("%2Bcu124"));
    assert_eq!(file["hashes"]["sha256"], demo().sha256());
    assert_eq!(file["size"], demo().bytes.len());
    assert_eq!(file["yanked"], "broken");
    assert_eq!(file["requires-python"], ">=3.9");
    assert_eq!(file["upload-time"], "2024-01-02T03:04:05Z");
    assert!(file["core-metadata"]["sha256"].is_string());

    let (_, head, body) = get(&server, "/simple/de-mo/", "");
    assert!(head.contains("content-type: text/html"));
    let page = text(body);
    assert!(page.contains("data-requires-python=\"&gt;=3.9\""), "{page}");
    assert!(page.contains("data-yanked=\"broken\""), "{page}");
    assert_eq!(get(&server, "/simple/nothing/", accept).0, 404);
    assert_eq!(get(&server, "/simple/De.mo", accept).0, 301);
    assert!(text(get(&server, "/flat/", "").2).contains("#sha256="));
    assert!(text(get(&server, "/simple/", accept).2).contains("de-mo"));
    server.configure(|options| options.format = PageFormat::Html);
    assert!(
        get(&server, "/simple/de-mo/", accept)
            .1
            .contains("content-type: text/html")
    );
}

#[test]
fn files_come_whole_in_part_or_not_again() {
    let wheel = demo();
    let server = IndexServer::with([&wheel]);
    let path = server.file_url(&wheel.filename)[server.url().len()..].to_string();
    let (status, head, body) = get(&server, &path, "");
    assert_eq!((status, &body), (200, &wheel.bytes));
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let (status, _, body) = get(&server, &path, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((status, body.len()), (304, 0));
    let (status, head, body) = get(&server, &path, "Range: bytes=-10\r\n");
    assert_eq!(
        (status, &body[..]),
        (206, &wheel.bytes[wheel.bytes.len() - 10..])
    );
    assert!(head.contains(&format!("/{}", wheel.bytes.len())));
    assert_eq!(
        get(&server, &path, "Range: bytes=2-3\r\n").2,
        wheel.bytes[2..4]
    );
    assert_eq!(get(&server, &path, "Range: bytes=999999-\r\n").0, 416);
    let bytes = server.bytes_served_of(&wheel.filename);
    assert_eq!(
        bytes,
        wheel.bytes.len() as u64 + 12 + "416 Range Not Satisfiable".len() as u64
    );
    let metadata = get(&server, &format!("{path}.metadata"), "").2;
    assert_eq!(metadata, wheel.metadata);

    server.configure(|options| {
        options.ranges = Ranges::NoSuffix;
        options.metadata_files = false;
    });
    assert_eq!(get(&server, &path, "Range: bytes=-10\r\n").0, 416);
    assert_eq!(get(&server, &path, "Range: bytes=0-1\r\n").0, 206);
    assert_eq!(get(&server, &format!("{path}.metadata"), "").0, 404);
    server.configure(|options| options.ranges = Ranges::Ignored);
    assert_eq!(get(&server, &path, "Range: bytes=0-1\r\n").0, 200);
    let last = server.requests().pop().unwrap();
    assert_eq!(
        (last.method.as_str(), last.range.as_deref()),
        ("GET", Some("bytes=0-1"))
    );
}

#[test]
fn faults_happen_as_often_as_planned() {
    let wheel = WheelBuilder::new("demo", "1")
        .file("demo.py", "x".repeat(1000))
        .build();
    let server = IndexServer::with([&wheel]);
    let path = format!("/files/{}", wheel.filename);
    server.plan_fault("/files/", 2, Fault::RetryAfter(503, 7));
    server.plan_fault("/files/", 1, Fault::TruncateAfter(100));
    server.plan_fault("/files/", 1, Fault::Reset);
    server.plan_fault("/files/", 1, Fault::WrongBytes);
    server.plan_fault("/files/", 1, Fault::Redirect("/elsewhere".into()));
    for _ in 0..2 {
        let (status, head, _) = get(&server, &path, "");
        assert_eq!(status, 503);
        assert!(head.contains("retry-after: 7"));
    }
    let (status, head, body) = get(&server, &path, "");
    assert_eq!((status, body.len()), (200, 100));
    assert!(head.contains(&format!("content-length: {}", wheel.bytes.len())));
    assert_eq!(get(&server, &path, "").2.len(), 0);
    let wrong = get(&server, &path, "").2;
    assert_eq!(wrong.len(), wheel.bytes.len());
    assert_ne!(wrong, wheel.bytes);
    assert_eq!(get(&server, &path, "").0, 302);
    assert_eq!(get(&server, &path, "").2, wheel.bytes);
    assert_eq!(get(&server, "/simple/demo/", "").0, 200);
}

#[test]
fn credentials_are_checked() {
    let server = IndexServer::with([&demo()]);
    server.configure(|options| options.credentials = Some(("me".into(), "secret".into())));
    let (status, head, _) = get(&server, "/simple/de-mo/", "");
    assert_eq!(status, 401);
    assert!(head.contains("www-authenticate: basic"));
    let header = "Authorization: Basic bWU6c2VjcmV0\r\n";
    assert_eq!(get(&server, "/simple/de-mo/", header).0, 200);
}
