//! The HTML form of a page (PEP 503, 592, 658, 714), and flat pages of links.

use std::borrow::Cow;
use std::collections::BTreeMap;

use html5gum::{DefaultEmitter, HtmlString, Spanned, Token, Tokenizer};
use url::Url;

use super::file::last_segment;
use super::record::Link;
use super::{PageError, check_api_version};

/// The longest address of a link; no server takes longer ones.
const ADDRESS_LIMIT_BYTES: usize = 64 << 10;

type Attributes = BTreeMap<HtmlString, Spanned<HtmlString, ()>>;

/// Calls `visit` with each link of a page while it is read. `base` is the address that the page was
/// finally found at; the page's own `<base href>` is resolved against it.
pub(crate) fn read_html<'page>(
    bytes: &[u8],
    base: &Url,
    visit: &mut dyn FnMut(Link<'page>),
) -> Result<(), PageError> {
    each_anchor(bytes, base, |attributes, base| {
        if let Some(link) = read_anchor(attributes, base) {
            visit(link);
        }
    })
}

/// The addresses that the links of a page lead to, whatever they are of.
pub(super) fn targets(bytes: &[u8], base: &Url) -> Result<Vec<Url>, PageError> {
    let mut targets = Vec::new();
    each_anchor(bytes, base, |attributes, base| {
        let href = attribute(attributes, "href");
        targets.extend(href.and_then(|href| base.join(href.trim()).ok()));
    })?;
    Ok(targets)
}

/// Calls `visit` with the attributes of each link and the address that it is relative to.
fn each_anchor(
    bytes: &[u8],
    base: &Url,
    mut visit: impl FnMut(&Attributes, &Url),
) -> Result<(), PageError> {
    let text = String::from_utf8_lossy(bytes);
    let mut emitter = DefaultEmitter::default();
    // So that what looks like a tag inside `<script>` or `<style>` is text.
    emitter.naively_switch_states(true);
    let mut base = Cow::Borrowed(base);
    let mut base_seen = false;
    for token in Tokenizer::new_with_emitter(&*text, emitter) {
        let Ok(Token::StartTag(tag)) = token else {
            continue;
        };
        match &**tag.name {
            b"a" => visit(&tag.attributes, &base),
            b"base" if !base_seen => {
                if let Some(joined) =
                    attribute(&tag.attributes, "href").and_then(|href| base.join(&href).ok())
                {
                    base = Cow::Owned(joined);
                    base_seen = true;
                }
            }
            b"meta" => {
                let is_version = attribute(&tag.attributes, "name")
                    .is_some_and(|name| name == "pypi:repository-version");
                if is_version && let Some(version) = attribute(&tag.attributes, "content") {
                    check_api_version(&version)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn attribute(attributes: &Attributes, name: &str) -> Option<String> {
    let value = attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn read_anchor(attributes: &Attributes, base: &Url) -> Option<Link<'static>> {
    let href = attribute(attributes, "href").filter(|href| href.len() <= ADDRESS_LIMIT_BYTES)?;
    let mut url = base.join(href.trim()).ok()?;
    let hashes = url.fragment().map(fragment_hashes).unwrap_or_default();
    url.set_fragment(None);
    let filename = last_segment(&url);
    if filename.is_empty() {
        return None;
    }
    let core_metadata = attribute(attributes, "data-core-metadata")
        .or_else(|| attribute(attributes, "data-dist-info-metadata"))
        .filter(|value| value != "false")
        .map(|value| fragment_hashes(&value));
    Some(Link {
        filename: Cow::Owned(filename),
        url: Cow::Owned(url.into()),
        hashes,
        size_bytes: None,
        upload_time: None,
        requires_python: attribute(attributes, "data-requires-python").map(Cow::Owned),
        yanked: attribute(attributes, "data-yanked").map(Cow::Owned),
        core_metadata,
        provenance: attribute(attributes, "data-provenance")
            .and_then(|text| base.join(text.trim()).ok())
            .map(|url| Cow::Owned(url.into())),
    })
}

/// `sha256=…&md5=…` as pairs; other keys (`egg=`) are no digests.
pub(super) fn fragment_hashes(fragment: &str) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    fragment
        .split('&')
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| name.parse::<bnbpip_packaging::HashAlgorithm>().is_ok())
        .map(|(name, hex)| (Cow::Owned(name.to_string()), Cow::Owned(hex.to_string())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &[u8]) -> Result<Vec<Link<'static>>, PageError> {
        let base = "https://host.example/simple/a/".parse().unwrap();
        let mut links = Vec::new();
        read_html(html, &base, &mut |link| links.push(link))?;
        Ok(links)
    }

    fn parse(html: &str) -> Vec<Link<'static>> {
        read(html.as_bytes()).unwrap()
    }

    #[test]
    fn reads_attributes_entities_and_fragments() {
        let links = parse(
            "<!DOCTYPE html><p>1 < 2<!-- > <A HREF='../../f/a-1.0%2Bcu1-py3-none-any.whl#sha256=ab&amp;egg=x' \
             data-requires-python='&gt;=3.8' data-yanked data-dist-info-metadata='sha256=cd'>a</A> -->\
             <A HREF='../../f/a-1.0%2Bcu1-py3-none-any.whl#sha256=ab&amp;egg=x' \
             data-requires-python='&gt;=3.8' data-yanked data-dist-info-metadata='sha256=cd' data-provenance='/p/a'>a</A>",
        );
        assert_eq!(links.len(), 1, "the comment holds no link");
        let link = &links[0];
        assert_eq!(link.filename, "a-1.0+cu1-py3-none-any.whl");
        assert_eq!(
            link.url,
            "https://host.example/f/a-1.0%2Bcu1-py3-none-any.whl"
        );
        assert_eq!(link.hashes, [("sha256".into(), "ab".into())]);
        assert_eq!(link.requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(link.yanked.as_deref(), Some(""));
        assert_eq!(link.core_metadata.as_ref().unwrap()[0].1, "cd");
        assert_eq!(link.provenance.as_deref(), Some("https://host.example/p/a"));
    }

    #[test]
    fn takes_the_first_base_and_no_links_from_scripts() {
        let links = parse(
            "<base href='//cdn.example/x/'><base href='https://second.example/'>\
             <script>document.write('<a href=\"evil.whl\">')</script>\
             <a href='a.whl'>",
        );
        let urls: Vec<_> = links.iter().map(|link| &*link.url).collect();
        assert_eq!(urls, ["https://cdn.example/x/a.whl"]);
    }

    #[test]
    fn refuses_another_major_version() {
        let html = "<meta name='pypi:repository-version' content='2.0'>";
        assert!(matches!(read(html.as_bytes()), Err(PageError::Version(_))));
    }

    #[test]
    fn takes_no_link_that_is_longer_than_any() {
        let long = "x".repeat(ADDRESS_LIMIT_BYTES);
        let links = parse(&format!(
            "<a href='{long}/a-1.tar.gz'><a href='b-1.tar.gz'>"
        ));
        assert_eq!(links.len(), 1);
    }

    #[test]
    fn survives_latin1_and_cut_text() {
        let links = read(b"<p>\xe9\xff</p><a href='b-1.tar.gz'>\xe9</a><a hr").unwrap();
        assert_eq!(links.len(), 1);
    }
}
