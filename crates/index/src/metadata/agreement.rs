//! Whether a wheel says of itself what its index said of it (PEP 658 wants the same bytes).

use std::collections::BTreeSet;
use std::path::Path;

use bnbpip_packaging::WheelFilename;
use bnbpip_packaging::metadata::{parse_requirement, parse_requires_python};

use super::WheelMetadataLite;
use super::archive::document_of_local_wheel;
use crate::error::IndexError;

/// The first field in which two metadata differ: its name, and what each has that the other lacks.
type Difference = (&'static str, String, String);

/// Checks the metadata in a wheel on disk against what was told of it.
///
/// # Errors
/// When the file can't be read, or what a choice of versions depends on differs.
pub(crate) fn check_agreement(
    told: &WheelMetadataLite,
    path: &Path,
    wheel: &WheelFilename,
    location: String,
) -> Result<(), IndexError> {
    // What can't be read at all is refused when the wheel is unpacked, with the reason.
    let Ok(own) = WheelMetadataLite::parse(&document_of_local_wheel(path, wheel)?) else {
        return Ok(());
    };
    let Some((field, told, own)) = difference(told, &own) else {
        return Ok(());
    };
    Err(IndexError::MetadataDiffers {
        filename: wheel.to_string(),
        location,
        field,
        told,
        own,
    })
}

fn difference(told: &WheelMetadataLite, own: &WheelMetadataLite) -> Option<Difference> {
    if told == own {
        return None;
    }
    if told.name != own.name {
        return Some(("Name", told.name.to_string(), own.name.to_string()));
    }
    if told.version != own.version {
        return Some(("Version", told.version.to_string(), own.version.to_string()));
    }
    let requirements = |lite: &WheelMetadataLite| set(&lite.requires_dist, requirement);
    if let Some((told, own)) = lacking(&requirements(told), &requirements(own)) {
        return Some(("Requires-Dist", told, own));
    }
    let python = |lite: &WheelMetadataLite| {
        let text = lite.requires_python.as_deref().unwrap_or_default();
        parse_requires_python(text).map_or_else(|_| text.to_string(), |it| it.to_string())
    };
    let (told_python, own_python) = (python(told), python(own));
    if told_python != own_python {
        return Some(("Requires-Python", told_python, own_python));
    }
    let extras = |lite: &WheelMetadataLite| set(&lite.provides_extra, extra);
    let (told, own) = lacking(&extras(told), &extras(own))?;
    Some(("Provides-Extra", told, own))
}

/// A requirement in one spelling, whichever it has.
fn requirement(text: &str) -> String {
    parse_requirement(text).map_or_else(|_| text.to_string(), |it| it.to_string())
}

fn extra(text: &str) -> String {
    let extra = text.parse::<bnbpip_packaging::ExtraName>();
    extra.map_or_else(|_| text.to_string(), |it| it.to_string())
}

fn set(texts: &[Box<str>], spelling: fn(&str) -> String) -> BTreeSet<String> {
    texts.iter().map(|text| spelling(text)).collect()
}

/// What each has that the other lacks, if they aren't the same.
fn lacking(told: &BTreeSet<String>, own: &BTreeSet<String>) -> Option<(String, String)> {
    let only = |of: &BTreeSet<String>, not: &BTreeSet<String>| {
        let texts: Vec<&str> = of.difference(not).map(String::as_str).collect();
        texts.join(", ")
    };
    (told != own).then(|| (only(told, own), only(own, told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lite(fields: &str) -> WheelMetadataLite {
        WheelMetadataLite::parse(format!("Name: a\nVersion: 1\n{fields}").as_bytes()).unwrap()
    }

    #[test]
    fn spelling_and_order_make_no_difference() {
        let told = lite(
            "Requires-Dist: b (>=1,<2)\nRequires-Dist: c; python_version > '3'\n\
             Requires-Python: >=3.8, <4\nProvides-Extra: X_y\n",
        );
        let own = lite(
            "Requires-Dist: c ; python_version>\"3\"\nRequires-Dist: b<2,>=1\n\
             Requires-Python: <4,>=3.8\nProvides-Extra: x-y\n",
        );
        assert_eq!(difference(&told, &own), None);
    }

    #[test]
    fn what_differs_is_told_with_what_each_has() {
        let own = lite("Requires-Dist: b\nRequires-Python: >=3.8\n");
        for (told, field, has, lacks) in [
            (
                "Requires-Dist: b\nRequires-Dist: evil==1\n",
                "Requires-Dist",
                "evil==1",
                "",
            ),
            ("", "Requires-Dist", "", "b"),
            ("Requires-Dist: b\n", "Requires-Python", "", ">=3.8"),
            (
                "Requires-Dist: b\nRequires-Python: >=3.8\nProvides-Extra: e\n",
                "Provides-Extra",
                "e",
                "",
            ),
        ] {
            let expected = (field, has.to_string(), lacks.to_string());
            assert_eq!(difference(&lite(told), &own), Some(expected));
        }
    }
}
