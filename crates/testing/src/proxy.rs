//! A web proxy in this process: it passes plain requests on, opens tunnels for `CONNECT`, asks
//! for credentials where it is told to, and writes down what it was asked for.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A running proxy. It stops when it is dropped.
#[derive(Debug)]
pub struct ProxyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The value of `Proxy-Authorization` that it wants.
    wanted: Option<String>,
    asked: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl ProxyServer {
    /// Starts a proxy that serves everybody.
    pub fn start() -> Self {
        Self::listen(None)
    }

    /// Starts a proxy that wants these credentials.
    pub fn with_credentials(user: &str, password: &str) -> Self {
        let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
        Self::listen(Some(format!("Basic {login}")))
    }

    fn listen(wanted: Option<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            wanted,
            ..Shared::default()
        });
        let ours = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                if ours.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&ours);
                // A client that goes away is its own affair.
                std::thread::spawn(move || shared.serve(client).ok());
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Host and port, `127.0.0.1:40001`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address, `http://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address with credentials in it.
    pub fn url_with(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}", self.address)
    }

    /// The first lines of all requests so far without the protocol: `GET http://h/simple/a/`,
    /// `CONNECT h:443`.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread, which waits for a client.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    /// One request per connection, or one tunnel.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut reader = BufReader::new(client.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            headers.push(line.trim_end().to_string());
        }
        let mut words = first.split_ascii_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(());
        };
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{method} {target}"));
        if !self.accepts(&headers) {
            let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                          Proxy-Authenticate: Basic realm=\"test\"\r\n\
                          Content-Length: 0\r\nConnection: close\r\n\r\n";
            return client.write_all(answer.as_bytes());
        }
        if method == "CONNECT" {
            let server = TcpStream::connect(target)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            return tunnel(reader, client, server);
        }
        let Some((host, path)) = target
            .strip_prefix("http://")
            .and_then(|rest| rest.find('/').map(|at| rest.split_at(at)))
        else {
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        };
        let mut server = TcpStream::connect(host)?;
        write!(server, "{method} {path} HTTP/1.1\r\n")?;
        for header in headers {
            let name = header.split(':').next().unwrap_or_default();
            if !["connection", "proxy-connection", "proxy-authorization"]
                .contains(&name.to_ascii_lowercase().as_str())
            {
                write!(server, "{header}\r\n")?;
            }
        }
        write!(server, "Connection: close\r\n\r\n")?;
        io::copy(&mut server, &mut client)?;
        client.shutdown(Shutdown::Both)
    }

    fn accepts(&self, headers: &[String]) -> bool {
        self.wanted.as_deref().is_none_or(|wanted| {
            headers.iter().any(|header| {
                header.split_once(':').is_some_and(|(name, value)| {
                    name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == wanted
                })
            })
        })
    }
}

/// Passes bytes both ways until both sides have ended.
fn tunnel(
    mut reader: BufReader<TcpStream>,
    mut client: TcpStream,
    server: TcpStream,
) -> io::Result<()> {
    let mut to_server = server.try_clone()?;
    let up = std::thread::spawn(move || {
        io::copy(&mut reader, &mut to_server).ok();
        to_server.shutdown(Shutdown::Write).ok();
    });
    let mut server = server.take(u64::MAX);
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write).ok();
    up.join().ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IndexServer, WheelBuilder};

    fn ask(proxy: &ProxyServer, text: &str) -> String {
        let mut socket = TcpStream::connect(proxy.address).unwrap();
        socket.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn requests_pass_and_tunnels_open() {
        let server = IndexServer::with([WheelBuilder::new("demo", "1.0").build()]);
        let proxy = ProxyServer::start();
        let page = format!("{}demo/", server.simple_url());
        let answer = ask(&proxy, &format!("GET {page} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let host = server.url().replace("http://", "");
        let inner = "GET /simple/demo/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = ask(&proxy, &format!("CONNECT {host} HTTP/1.1\r\n\r\n{inner}"));
        assert!(answer.contains("demo-1.0"), "{answer}");
        assert_eq!(
            proxy.asked(),
            [format!("GET {page}"), format!("CONNECT {host}")]
        );
        assert_eq!(server.requests().len(), 2);
    }

    #[test]
    fn credentials_are_asked_for() {
        let proxy = ProxyServer::with_credentials("me", "secret");
        let answer = ask(&proxy, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 407"), "{answer}");
    }
}
