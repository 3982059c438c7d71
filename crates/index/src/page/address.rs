//! Addresses on a page, made absolute.

use std::borrow::Cow;

use url::{Position, Url};

/// The address that `text` is on a page at `base`, without going through a parser where that would
/// change nothing: a page can have ten thousand of them. `None` if it is none.
pub(super) fn absolute<'page>(base: &Url, text: &Cow<'page, str>) -> Option<Cow<'page, str>> {
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some(text.clone());
    }
    if is_plain_path(text) {
        let origin = &base[..Position::BeforePath];
        return Some(Cow::Owned([origin, text].concat()));
    }
    base.join(text).ok().map(|url| Cow::Owned(url.into()))
}

/// Whether an address is an absolute path of letters that stand for themselves, and of whole
/// segments.
fn is_plain_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.+~%".contains(byte);
    // An encoded dot is one to a parser.
    let is_dot = |letters: &[u8]| letters.eq_ignore_ascii_case(b"%2e");
    bytes.first() == Some(&b'/')
        && bytes.iter().all(is_plain)
        && !text.contains("//")
        && !text.contains("/.")
        && !bytes.windows(3).any(is_dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_cuts_end_where_the_parser_does() {
        let bases = [
            "https://host.example/simple/a/",
            "http://user:word@host.example:8080/",
            "https://[::1]/a?b#c",
        ];
        let texts = [
            "/f/a-1.0%2Bcu124-py3-none-any.whl",
            "/f/a_1+b~c.tar.gz",
            "/",
            "",
            "a.whl",
            "../../a.whl",
            "//other.example/a",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a/.b",
            "/a/%2e%2E/b",
            "/a/%2e",
            "/a/%2F%41%",
            "/a/b.",
            "/a b",
            "/a\\b",
            "/a?b#c",
            "/é",
            "/a\tb",
            "/a|b'\"<>`{}",
            "mailto:a",
            "data:,a",
        ];
        for base in bases {
            let base = Url::parse(base).unwrap();
            for text in texts {
                let parsed = base.join(text).ok().map(String::from);
                let found = absolute(&base, &Cow::Borrowed(text));
                assert_eq!(found.as_deref(), parsed.as_deref(), "{text} at {base}");
            }
        }
    }

    #[test]
    fn what_is_absolute_is_borrowed() {
        let base = Url::parse("https://host.example/simple/a/").unwrap();
        for text in ["https://o.example/a.whl", "http://o.example/a b"] {
            let found = absolute(&base, &Cow::Borrowed(text));
            assert!(matches!(found, Some(Cow::Borrowed(it)) if it == text));
        }
    }
}
