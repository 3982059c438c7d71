//! Texts without the credentials of the addresses in them.

use std::borrow::Cow;

/// The text with `****` in place of user and password of each address in it. The user alone of an
/// `ssh` address is no secret.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains("://") || !text.contains('@') {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        shown.push_str(before);
        let ends = |character: char| character.is_whitespace() || "/?#\"'`<>".contains(character);
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        rest = after;
        if let Some((login, _)) = authority.rsplit_once('@') {
            let is_public = before.ends_with("ssh://") && !login.contains(':');
            if !is_public {
                shown.push_str("****");
                rest = &after[login.len()..];
            }
        }
    }
    shown.push_str(rest);
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out() {
        for (text, expected) in [
            (
                "own @ https://u:p@h.example/a.whl, https://t@h:8/x",
                "own @ https://****@h.example/a.whl, https://****@h:8/x",
            ),
            (
                "git+ssh://git@h.example/r@main",
                "git+ssh://git@h.example/r@main",
            ),
            (
                "git+https://u:p@h.example/r@main#egg=x",
                "git+https://****@h.example/r@main#egg=x",
            ),
            ("`http://u:p%40@h example/s`", "`http://****@h example/s`"),
            ("http://u:a@b@h/", "http://****@h/"),
            (
                "file:///a@b me@h.example ://@ x",
                "file:///a@b me@h.example ://****@ x",
            ),
            ("https://h.example/a@b", "https://h.example/a@b"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
