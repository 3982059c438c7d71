//! The JSON form of a page (PEP 691, 700, 714), read with borrowed strings.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::address::absolute;
use super::record::Link;
use super::{PageError, check_api_version};

/// Calls `visit` with each link of a page while it is read: all of them at once would take several
/// times the room of the page. `base` is the address that the page was finally found at.
pub(crate) fn read_json<'page>(
    bytes: &'page [u8],
    base: &Url,
    visit: &mut dyn FnMut(Link<'page>),
) -> Result<(), PageError> {
    // Checked at once: a page has a hundred thousand short strings.
    let text = std::str::from_utf8(bytes).map_err(|error| PageError::Json(Error::custom(error)))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let meta = PageReader { base, visit }
        .deserialize(&mut deserializer)
        .and_then(|meta| deserializer.end().map(|()| meta))
        .map_err(PageError::Json)?;
    meta.and_then(|meta| meta.api_version)
        .map_or(Ok(()), |version| check_api_version(&version.0))
}

/// Reads the page's object, whose files go to `visit`.
struct PageReader<'read, 'page> {
    base: &'read Url,
    visit: &'read mut dyn FnMut(Link<'page>),
}

impl<'de: 'page, 'page> DeserializeSeed<'de> for PageReader<'_, 'page> {
    type Value = Option<Meta<'page>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'page, 'page> Visitor<'de> for PageReader<'_, 'page> {
    type Value = Option<Meta<'page>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a project's page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut meta = None;
        let mut has_files = false;
        while let Some(key) = map.next_key::<Text<'page>>()? {
            match &*key.0 {
                "meta" => meta = map.next_value()?,
                "files" if has_files => return Err(A::Error::duplicate_field("files")),
                "files" => {
                    has_files = true;
                    map.next_value_seed(FilesReader {
                        base: self.base,
                        visit: &mut *self.visit,
                    })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_files {
            Ok(meta)
        } else {
            Err(A::Error::missing_field("files"))
        }
    }
}

/// Reads the page's list of files.
struct FilesReader<'read, 'page> {
    base: &'read Url,
    visit: &'read mut dyn FnMut(Link<'page>),
}

impl<'de: 'page, 'page> DeserializeSeed<'de> for FilesReader<'_, 'page> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'page, 'page> Visitor<'de> for FilesReader<'_, 'page> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(file) = files.next_element::<JsonFile<'page>>()? {
            (self.visit)(into_link(file, self.base));
        }
        Ok(())
    }
}

fn into_link<'page>(file: JsonFile<'page>, base: &Url) -> Link<'page> {
    let mut hashes = file.hashes.0;
    let mut url = file.url.0;
    if let Some((bare, fragment)) = url.split_once('#') {
        if hashes.is_empty() {
            hashes = super::html::fragment_hashes(fragment);
        }
        url = Cow::Owned(bare.to_string());
    }
    if let Some(absolute) = absolute(base, &url) {
        url = absolute;
    }
    let core_metadata = file
        .core_metadata
        .or(file.dist_info_metadata)
        .or(file.data_dist_info_metadata);
    Link {
        filename: file.filename.0,
        url,
        hashes,
        size_bytes: file.size,
        upload_time: file.upload_time.map(|text| text.0),
        requires_python: file.requires_python.map(|text| text.0),
        yanked: match file.yanked {
            Some(Flag::Set) => Some(Cow::Borrowed("")),
            Some(Flag::Text(reason)) => Some(reason),
            Some(Flag::Map(_) | Flag::Unset) | None => None,
        },
        provenance: match file.provenance {
            Some(Flag::Text(url)) => absolute(base, &url),
            Some(Flag::Map(_) | Flag::Set | Flag::Unset) | None => None,
        },
        core_metadata: match core_metadata {
            Some(Flag::Set) => Some(Vec::new()),
            Some(Flag::Map(hashes)) => Some(hashes),
            Some(Flag::Text(_) | Flag::Unset) | None => None,
        },
    }
}

#[derive(Deserialize)]
struct Meta<'page> {
    #[serde(borrow, default, rename = "api-version")]
    api_version: Option<Text<'page>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile<'page> {
    #[serde(borrow)]
    filename: Text<'page>,
    #[serde(borrow)]
    url: Text<'page>,
    #[serde(borrow, default)]
    hashes: Digests<'page>,
    #[serde(borrow, default)]
    requires_python: Option<Text<'page>>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(borrow, default)]
    upload_time: Option<Text<'page>>,
    #[serde(borrow, default)]
    yanked: Option<Flag<'page>>,
    #[serde(borrow, default)]
    core_metadata: Option<Flag<'page>>,
    #[serde(borrow, default)]
    dist_info_metadata: Option<Flag<'page>>,
    #[serde(borrow, default)]
    data_dist_info_metadata: Option<Flag<'page>>,
    #[serde(borrow, default)]
    provenance: Option<Flag<'page>>,
}

/// A string that is borrowed where it has no escapes, inside an `Option` as well.
#[derive(Deserialize)]
struct Text<'page>(#[serde(borrow)] Cow<'page, str>);

/// A map of algorithm to digest, in the page's order.
#[derive(Default)]
struct Digests<'page>(Vec<(Cow<'page, str>, Cow<'page, str>)>);

impl<'de: 'page, 'page> Deserialize<'de> for Digests<'page> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Flag::deserialize(deserializer)? {
            Flag::Map(hashes) => Ok(Self(hashes)),
            Flag::Unset | Flag::Set | Flag::Text(_) => Ok(Self::default()),
        }
    }
}

/// `true`, `false`, a text, or a map of texts: what the keys of the interface hold.
enum Flag<'page> {
    Unset,
    Set,
    Text(Cow<'page, str>),
    Map(Vec<(Cow<'page, str>, Cow<'page, str>)>),
}

impl<'de: 'page, 'page> Deserialize<'de> for Flag<'page> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, a string or a map of strings")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(if value { Flag::Set } else { Flag::Unset })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Flag::Unset)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Flag::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Flag::Text(Cow::Owned(value.to_string())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut hashes = Vec::with_capacity(1);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match map.next_value::<Scalar<'de>>()? {
                Scalar::Text(value) => hashes.push((key.0, value)),
                Scalar::Other => {}
            }
        }
        Ok(Flag::Map(hashes))
    }
}

enum Scalar<'page> {
    Text(Cow<'page, str>),
    Other,
}

impl<'de: 'page, 'page> Deserialize<'de> for Scalar<'page> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://host.example/simple/a/".parse().unwrap()
    }

    fn parse(text: &str) -> Result<Vec<Link<'_>>, PageError> {
        let mut links = Vec::new();
        read_json(text.as_bytes(), &base(), &mut |link| links.push(link))?;
        Ok(links)
    }

    #[test]
    fn reads_every_key() {
        let text = r#"{"meta":{"api-version":"1.1"},"name":"a","versions":["1.0"],"files":[
            {"filename":"a-1.0-py3-none-any.whl","url":"../../f/a-1.0-py3-none-any.whl#x","hashes":{"sha256":"AA"},
             "requires-python":">=3.8","size":7,"upload-time":"2024-01-02T03:04:05.678Z",
             "yanked":"bad\"one","core-metadata":{"sha256":"bb"}},
            {"filename":"b","url":"https://o.example/b","hashes":{},"yanked":true,"dist-info-metadata":true},
            {"filename":"c","url":"https://o.example/c","hashes":{"sha256":null},"yanked":false,"core-metadata":false,"requires-python":null}]}"#;
        let links = parse(text).unwrap();
        assert_eq!(
            links[0].url,
            "https://host.example/f/a-1.0-py3-none-any.whl"
        );
        assert_eq!(links[0].yanked.as_deref(), Some("bad\"one"));
        assert_eq!(links[0].core_metadata.as_ref().unwrap()[0].1, "bb");
        assert_eq!(links[0].size_bytes, Some(7));
        assert!(matches!(links[0].filename, Cow::Borrowed(_)));
        assert_eq!(links[1].yanked.as_deref(), Some(""));
        assert_eq!(links[1].core_metadata, Some(Vec::new()));
        assert_eq!(
            (links[2].yanked.as_ref(), links[2].core_metadata.as_ref()),
            (None, None)
        );
    }

    #[test]
    fn refuses_other_majors_cut_and_deep_pages() {
        assert!(matches!(
            parse(r#"{"meta":{"api-version":"2.0"},"files":[]}"#),
            Err(PageError::Version(_))
        ));
        for text in [
            r#"{"files":[{"filename":"a"#,
            r#"{"name":"a"}"#,
            r#"{"files":[],"files":[]}"#,
            r#"{"files":[]} {}"#,
            "[]",
        ] {
            assert!(matches!(parse(text), Err(PageError::Json(_))), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&format!("{{\"files\":[],\"x\":{}", "[".repeat(100_000))).is_err());
    }
}
