//! Proxies: by option, by variable, with exceptions, with credentials, and such as don't answer.

use bnbpip_testing::{IndexServer, ProxyServer, Run, TestEnvironment};

use crate::support::{PROGRAM, content, environment, index};

fn install(environment: &TestEnvironment, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = environment.command();
    command.args(["install", "--retries", "0"]).args(arguments);
    command.envs(variables.iter().copied());
    command.output().unwrap().into()
}

/// Everything went through the proxy: as much as the index got, and all of it with its address.
fn assert_all_through(proxy: &ProxyServer, server: &IndexServer) {
    let asked = proxy.asked();
    let begin = format!("GET {}/", server.url());
    assert!(!asked.is_empty());
    assert!(
        asked.iter().all(|line| line.starts_with(&begin)),
        "{asked:?}"
    );
    assert_eq!(asked.len(), server.requests().len(), "{asked:?}");
}

#[test]
fn by_option() {
    let (server, proxy) = (index(), ProxyServer::start());
    let environment = environment(&server);
    drop(install(&environment, &["--proxy", &proxy.url(), "tool"], &[]).success());
    assert_all_through(&proxy, &server);
    assert_eq!(environment.installed(), ["tool-1.0"]);
}

/// As `requests`, and so pip, reads it.
#[test]
fn by_option_without_a_scheme() {
    let (server, proxy) = (index(), ProxyServer::start());
    let environment = environment(&server);
    drop(install(&environment, &["--proxy", &proxy.host(), "tool"], &[]).success());
    assert_all_through(&proxy, &server);
}

#[test]
fn by_variables() {
    // On Windows names in capitals are the same variable.
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "PIP_PROXY"] {
        let (server, proxy) = (index(), ProxyServer::start());
        let environment = environment(&server);
        drop(install(&environment, &["tool"], &[(name, &proxy.url())]).success());
        assert_all_through(&proxy, &server);
    }
}

#[test]
fn the_option_wins_over_the_variable() {
    let (server, ours, other) = (index(), ProxyServer::start(), ProxyServer::start());
    let environment = environment(&server);
    let variables = [("HTTP_PROXY", other.url())];
    let variables = variables
        .each_ref()
        .map(|(name, url)| (*name, url.as_str()));
    drop(install(&environment, &["--proxy", &ours.url(), "tool"], &variables).success());
    assert_all_through(&ours, &server);
    assert_eq!(other.asked(), [""; 0]);
}

#[test]
fn exceptions_are_asked_directly() {
    for (given, exceptions) in [
        ("HTTP_PROXY", "127.0.0.1"),
        ("HTTP_PROXY", "example.org, 127.0.0.0/8"),
        ("HTTP_PROXY", "*"),
        ("PIP_PROXY", "127.0.0.1"),
    ] {
        let (server, proxy) = (index(), ProxyServer::start());
        let environment = environment(&server);
        let url = proxy.url();
        let variables = [(given, url.as_str()), ("NO_PROXY", exceptions)];
        drop(install(&environment, &["tool"], &variables).success());
        assert_eq!(proxy.asked(), [""; 0], "{given} {exceptions}");
    }
    let (server, proxy) = (index(), ProxyServer::start());
    let environment = environment(&server);
    let url = proxy.url();
    let variables = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", "example.org")];
    drop(install(&environment, &["tool"], &variables).success());
    assert_all_through(&proxy, &server);
}

/// A server with TLS is reached through a tunnel; the proxy for plain requests is another.
#[test]
fn tunnels_for_tls() {
    let (server, tls, plain) = (index(), ProxyServer::start(), ProxyServer::start());
    let environment = TestEnvironment::new(PROGRAM);
    let host = server.url().replace("http://", "");
    let url = format!("https://{host}/simple/");
    let (tls_url, plain_url) = (tls.url(), plain.url());
    let variables = [("HTTPS_PROXY", &*tls_url), ("HTTP_PROXY", &*plain_url)];
    let run = install(&environment, &["--index-url", &url, "tool"], &variables).failure();
    let asked = tls.asked();
    assert!(!asked.is_empty());
    let tunnel = format!("CONNECT {host}");
    assert!(asked.iter().all(|line| *line == tunnel), "{asked:?}");
    assert_eq!(plain.asked(), [""; 0]);
    // What is behind the tunnel doesn't speak TLS, and that is what is said.
    assert!(run.stderr.contains("--cert"), "{}", run.stderr);
}

#[test]
fn credentials() {
    let server = index();
    let proxy = ProxyServer::with_credentials("me", "s%40crets");
    let environment = environment(&server);
    // `@` has to be encoded in an address.
    let wanted = ProxyServer::with_credentials("me", "s@crets");
    let url = wanted.url_with("me", "s%40crets");
    let run = install(&environment, &["-v", "--proxy", &url, "tool"], &[]).success();
    assert!(!format!("{run:?}").contains("crets"), "{run:?}");
    let before = content(&environment);
    for url in [proxy.url(), proxy.url_with("me", "wrong-guess")] {
        let run = install(&environment, &["-v", "--proxy", &url, "base"], &[]).failure();
        assert!(!run.stderr.contains("wrong-guess"), "{}", run.stderr);
        let hint = "hint: the proxy wants credentials: put them into the address of `--proxy`";
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        assert!(run.stderr.contains("407"), "{}", run.stderr);
        // The same where the proxy refuses the tunnel to a server with TLS.
        let secure = server.simple_url().replace("http://", "https://");
        let arguments = ["-v", "--proxy", &url, "--index-url", &secure, "base"];
        let run = install(&environment, &arguments, &[]).failure();
        assert!(!run.stderr.contains("wrong-guess"), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
    }
    assert_eq!(content(&environment), before);
}

#[test]
fn a_proxy_that_does_not_answer() {
    let server = index();
    let environment = environment(&server);
    let before = content(&environment);
    let url = ProxyServer::start().url().replace("//", "//me:secret@");
    for (arguments, variables) in [
        (vec!["--proxy", &url, "tool"], vec![]),
        (vec!["tool"], vec![("HTTP_PROXY", &*url)]),
    ] {
        let run = install(&environment, &arguments, &variables).failure();
        assert!(run.stderr.contains("proxy"), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
    assert_eq!(content(&environment), before);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_proxy_that_is_no_address() {
    let server = index();
    let environment = environment(&server);
    let run = install(
        &environment,
        &["--proxy", "me:secret@[nonsense", "tool"],
        &[],
    )
    .failure();
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    assert_eq!(server.requests().len(), 0);
}
