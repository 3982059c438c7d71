//! Reading a catalog, strictly: all that is wrong with it is found at once.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use bnbpip_packaging::{PackageName, Version, VersionSpecifiers, WheelFilename, range};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{Catalog, CatalogError, CommunityIndex, CommunityWheel};
use crate::rules::RuleDate;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalog {
    date: Spanned<Datetime>,
    #[serde(default, rename = "index")]
    indexes: Vec<RawIndex>,
    #[serde(default, rename = "wheel")]
    wheels: Vec<RawWheel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIndex {
    name: Spanned<String>,
    url: Spanned<String>,
    packages: Vec<Spanned<String>>,
    versions: Spanned<String>,
    why: Spanned<String>,
    provenance: Spanned<Vec<String>>,
    reviewed: Spanned<Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWheel {
    url: Spanned<String>,
    sha256: Spanned<String>,
    size: Option<Spanned<u64>>,
    torch: Option<Spanned<String>>,
    cuda: Option<Spanned<String>>,
    python: Option<Spanned<String>>,
    source: Spanned<String>,
    why: Spanned<String>,
    provenance: Spanned<Vec<String>>,
    reviewed: Spanned<Datetime>,
}

/// Reads a catalog.
pub(super) fn catalog(text: &str, file: &str) -> Result<Catalog, Vec<CatalogError>> {
    let mut reader = Reader {
        text,
        file,
        errors: Vec::new(),
    };
    let raw: RawCatalog = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            reader.error(offset, error.message().to_owned());
            return Err(reader.errors);
        }
    };
    let date = reader.date(&raw.date);
    let indexes = raw.indexes.iter().filter_map(|raw| reader.index(raw));
    let indexes: Vec<CommunityIndex> = indexes.collect();
    let wheels = raw.wheels.iter().filter_map(|raw| reader.wheel(raw));
    let wheels: Vec<CommunityWheel> = wheels.collect();
    reader.check_unique(&raw);
    match date.filter(|_| reader.errors.is_empty()) {
        Some(date) => Ok(Catalog {
            file: file.to_owned(),
            date,
            indexes,
            wheels,
        }),
        None => Err(reader.errors),
    }
}

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
    errors: Vec<CatalogError>,
}

impl Reader<'_> {
    fn index(&mut self, raw: &RawIndex) -> Option<CommunityIndex> {
        self.address(&raw.url);
        if raw.packages.is_empty() {
            self.at(&raw.name, "the index has no packages");
        }
        let packages = raw.packages.iter().map(|name| self.parsed(name));
        let packages: Vec<Option<PackageName>> = packages.collect();
        let versions = self.parsed(&raw.versions);
        self.sentence(&raw.why);
        self.provenance(&raw.provenance);
        Some(CommunityIndex {
            name: self.named(&raw.name),
            url: raw.url.get_ref().clone(),
            packages: packages.into_iter().collect::<Option<_>>()?,
            versions: versions?,
            why: raw.why.get_ref().clone(),
            provenance: raw.provenance.get_ref().clone(),
            reviewed: self.date(&raw.reviewed)?,
        })
    }

    fn wheel(&mut self, raw: &RawWheel) -> Option<CommunityWheel> {
        self.address(&raw.url);
        self.digest(&raw.sha256);
        if let Some(size) = raw.size.as_ref().filter(|size| *size.get_ref() == 0) {
            self.at(size, "`size` is 0");
        }
        self.sentence(&raw.why);
        self.provenance(&raw.provenance);
        let filename = self.filename(&raw.url);
        let torch: Option<VersionSpecifiers> = self.optional(raw.torch.as_ref());
        let python = self.optional(raw.python.as_ref());
        let cuda = raw.cuda.as_ref().and_then(|cuda| self.cuda(cuda));
        if let (Some(cuda), None) = (&raw.cuda, &raw.torch) {
            self.at(
                cuda,
                "`cuda` says which builds of torch fit: `torch` is missing",
            );
        }
        let wheel = CommunityWheel {
            url: raw.url.get_ref().clone(),
            filename: filename?,
            sha256: raw.sha256.get_ref().clone(),
            size_bytes: raw.size.as_ref().map(|size| *size.get_ref()),
            torch,
            cuda,
            python,
            source: self.named(&raw.source),
            why: raw.why.get_ref().clone(),
            provenance: raw.provenance.get_ref().clone(),
            reviewed: self.date(&raw.reviewed)?,
        };
        self.check_name(&wheel, &raw.url);
        Some(wheel)
    }

    /// What a wheel's local version tells (`cu128torch2.8.0`) has to be what the entry says.
    fn check_name(&mut self, wheel: &CommunityWheel, url: &Spanned<String>) {
        let version = wheel.filename.version.to_string();
        let Some((_, local)) = version.split_once('+') else {
            return;
        };
        let digits = |text: &str| -> String {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
            let found = &text[..end.unwrap_or(text.len())];
            found.trim_end_matches('.').to_owned()
        };
        if let Some((_, rest)) = local.split_once("cu")
            && let named = digits(rest).replace('.', "")
            && !named.is_empty()
            && wheel.torch_build() != Some(format!("cu{named}"))
        {
            self.at(
                url,
                &format!("the file is named for cu{named}, and `cuda` isn't that"),
            );
        }
        if let Some((_, rest)) = local.split_once("torch")
            && let Ok(named) = digits(rest).parse::<Version>()
            && !wheel
                .torch
                .as_ref()
                .is_some_and(|torch| range::from_specifiers(torch).contains(&named))
        {
            let message =
                format!("the file is named for torch {named}, and `torch` isn't for that");
            self.at(url, &message);
        }
    }

    fn filename(&mut self, url: &Spanned<String>) -> Option<WheelFilename> {
        let last = url.get_ref().rsplit('/').next().unwrap_or_default();
        let name = last.replace("%2B", "+").replace("%2b", "+");
        let wheel: WheelFilename = match name.parse() {
            Ok(wheel) => wheel,
            Err(error) => {
                self.at(url, &first_line(&error));
                return None;
            }
        };
        if wheel.is_any_platform() {
            self.at(
                url,
                "the wheel is for any platform: its project should publish it",
            );
        }
        Some(wheel)
    }

    fn address(&mut self, url: &Spanned<String>) {
        let text = url.get_ref();
        let is_plain = text.starts_with("https://") || text.starts_with("http://127.0.0.1:");
        if !is_plain || text.contains(['@', '#', '?', ' ']) {
            self.at(url, "it is not a plain `https` address");
        }
    }

    fn digest(&mut self, sha256: &Spanned<String>) {
        let text = sha256.get_ref();
        let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() != 64 || !text.bytes().all(is_hex) {
            self.at(
                sha256,
                "it is not a SHA-256 in 64 lowercase hexadecimal digits",
            );
        }
    }

    fn cuda(&mut self, cuda: &Spanned<String>) -> Option<String> {
        let text = cuda.get_ref();
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        let is_version = text
            .split_once('.')
            .is_some_and(|(major, minor)| is_number(major) && is_number(minor));
        if !is_version {
            self.at(cuda, "it is not a version of CUDA such as `12.8`");
        }
        is_version.then(|| text.clone())
    }

    fn sentence(&mut self, text: &Spanned<String>) {
        let sentence = text.get_ref();
        if sentence.is_empty() || sentence.ends_with('.') || sentence.contains('\n') {
            self.at(text, "it is not one sentence without a full stop");
        }
    }

    fn named(&mut self, text: &Spanned<String>) -> String {
        if text.get_ref().is_empty() {
            self.at(text, "it is empty");
        }
        text.get_ref().clone()
    }

    fn provenance(&mut self, given: &Spanned<Vec<String>>) {
        if given.get_ref().iter().all(|text| text.trim().is_empty()) {
            self.at(given, "it says not who recorded this");
        }
    }

    fn date(&mut self, date: &Spanned<Datetime>) -> Option<RuleDate> {
        let value = date.get_ref();
        let Some(day) = value.date.filter(|_| value.time.is_none()) else {
            self.at(date, "it is not a plain date such as `2026-11-23`");
            return None;
        };
        Some(RuleDate {
            year: day.year,
            month: day.month,
            day: day.day,
        })
    }

    fn optional<T: FromStr<Err: Display>>(&mut self, text: Option<&Spanned<String>>) -> Option<T> {
        self.parsed(text?)
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, text: &Spanned<String>) -> Option<T> {
        match text.get_ref().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!("`{}`: {}", text.get_ref(), first_line(&error));
                self.at(text, &message);
                None
            }
        }
    }

    fn check_unique(&mut self, raw: &RawCatalog) {
        let mut seen = BTreeSet::new();
        for wheel in &raw.wheels {
            for text in [&wheel.url, &wheel.sha256] {
                if !seen.insert(text.get_ref()) {
                    self.at(text, "it is there twice");
                }
            }
        }
    }

    fn at<T>(&mut self, value: &Spanned<T>, message: &str) {
        self.error(value.span().start, message.to_owned());
    }

    fn error(&mut self, offset: usize, message: String) {
        let before = self.text.get(..offset).unwrap_or_default();
        self.errors.push(CatalogError {
            file: self.file.to_owned(),
            line: 1 + before.matches('\n').count(),
            message,
        });
    }
}

fn first_line(error: &impl Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
