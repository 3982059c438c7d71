//! JSON as Python's `json.dumps` writes it, byte for byte: a blank after `,` and `:`, and nothing
//! but ASCII.

use std::fmt::Write as _;

use serde_json::Value;

/// An array of objects whose values are all strings.
pub(super) fn array_of_objects(objects: &[Vec<(&str, String)>]) -> String {
    let objects: Vec<String> = objects
        .iter()
        .map(|fields| {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", string(key), string(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        })
        .collect();
    format!("[{}]", objects.join(", "))
}

/// An object, its fields in this order.
pub(super) fn object(fields: &[(&str, Value)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(key, item)| format!("{}: {}", string(key), value(item)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn value(item: &Value) -> String {
    match item {
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, item)| (key.as_str(), item.clone()))
                .collect();
            object(&fields)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => item.to_string(),
    }
}

fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_does() {
        let objects = [
            vec![
                ("name", "a\"\\".to_owned()),
                ("version", "é𝄞\u{1}".to_owned()),
            ],
            vec![],
        ];
        assert_eq!(
            array_of_objects(&objects),
            r#"[{"name": "a\"\\", "version": "\u00e9\ud834\udd1e\u0001"}, {}]"#
        );
        assert_eq!(array_of_objects(&[]), "[]");
        let nested = serde_json::json!([1, true, null, "\u{e9}", {"c": []}]);
        assert_eq!(
            object(&[("b", nested), ("a", "".into())]),
            r#"{"b": [1, true, null, "\u00e9", {"c": []}], "a": ""}"#
        );
    }
}
