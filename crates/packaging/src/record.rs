//! `RECORD`: the files of a distribution with their hashes and sizes
//! ([specification](https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file)).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordEntry {
    /// The path as it stands in the file: `/`-separated, relative to the folder of the
    /// `.dist-info` directory, or absolute.
    pub path: String,
    /// `algorithm=digest` in URL-safe base64 without padding.
    pub hash: Option<String>,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// Why a `RECORD` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not CSV.
    #[error("Failed to read `RECORD`")]
    Csv(#[from] csv::Error),
    /// A row doesn't have a path, a hash and a size.
    #[error("Failed to read `RECORD`: line {line} doesn't hold a path, a hash and a size")]
    Row {
        /// Its number, from 1.
        line: u64,
    },
}

impl RecordEntry {
    /// Whether the row's SHA-256 is this digest; `None` if the row gives no SHA-256.
    pub fn agrees_with(&self, digest: &[u8; 32]) -> Option<bool> {
        let given = self.hash.as_deref()?.strip_prefix("sha256=")?;
        let mut text = [0; 43];
        let is_written = URL_SAFE_NO_PAD.encode_slice(digest, &mut text).is_ok();
        Some(is_written && given.trim_end_matches('=').as_bytes() == text)
    }
}

/// The `sha256=…` text of a row from a digest's bytes.
pub fn sha256_field(digest: &[u8]) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(digest))
}

/// Parses a `RECORD`.
///
/// # Errors
///
/// When it is not CSV or a row has the wrong shape.
pub fn parse(text: &str) -> Result<Vec<RecordEntry>, RecordError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut entries = Vec::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let size = row.get(2).unwrap_or_default().trim();
        let path = row.get(0).unwrap_or_default();
        if path.is_empty() || row.len() > 3 {
            return Err(RecordError::Row { line });
        }
        entries.push(RecordEntry {
            path: path.to_string(),
            hash: row
                .get(1)
                .filter(|hash| !hash.is_empty())
                .map(str::to_string),
            size: if size.is_empty() {
                None
            } else {
                Some(size.parse().map_err(|_| RecordError::Row { line })?)
            },
        });
    }
    Ok(entries)
}

/// Writes a `RECORD` with its rows sorted, as pip leaves it.
pub fn write(entries: &[RecordEntry]) -> String {
    let mut rows: Vec<&RecordEntry> = entries.iter().collect();
    rows.sort_unstable();
    let mut text = String::with_capacity(rows.len() * 96);
    for row in rows {
        push_field(&mut text, &row.path);
        text.push(',');
        push_field(&mut text, row.hash.as_deref().unwrap_or_default());
        text.push(',');
        if let Some(size) = row.size {
            // Writing to a string can't fail.
            let _ = write!(text, "{size}");
        }
        text.push('\n');
    }
    text
}

fn push_field(text: &mut String, field: &str) {
    if field.contains(['"', ',', '\n', '\r']) {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_a_round_trip_with_quoting() {
        let text =
            "\"a,\"\"b.py\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nc/RECORD,,\n";
        let entries = parse(text).unwrap();
        assert_eq!(entries[0].path, "a,\"b.py");
        assert_eq!(write(&entries), text);
    }

    #[test]
    fn knows_whether_a_digest_is_the_rows() {
        let row = |hash: &str| RecordEntry {
            path: "a".to_string(),
            hash: Some(hash.to_string()),
            size: None,
        };
        let digest = [7; 32];
        let field = sha256_field(&digest);
        assert_eq!(row(&field).agrees_with(&digest), Some(true));
        assert_eq!(row(&format!("{field}=")).agrees_with(&digest), Some(true));
        assert_eq!(row(&field).agrees_with(&[8; 32]), Some(false));
        assert_eq!(row("sha256=!").agrees_with(&digest), Some(false));
        assert_eq!(row("md5=x").agrees_with(&digest), None);
    }

    #[test]
    fn refuses_rows_of_the_wrong_shape() {
        assert!(parse("a,b,c\n").is_err());
        assert!(parse("a,b,1,d\n").is_err());
        assert!(parse(",,\n").is_err());
    }
}
