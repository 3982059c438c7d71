//! JSON as Python's `json.dumps(sort_keys=True)` writes it: keys sorted, a space behind `,` and
//! `:`, everything beyond ASCII escaped. `direct_url.json` is written so by every installer.

use std::fmt::Write as _;

use serde_json::Value;

/// Writes the value.
pub(crate) fn dump(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => push_string(text, string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                push(text, item);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            text.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                push_string(text, key);
                text.push_str(": ");
                push(text, &fields[key.as_str()]);
            }
            text.push('}');
        }
    }
}

fn push_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            ' '..='~' => text.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_python_writes() {
        let value = serde_json::json!({"url": "file:///ä\"😀", "dir_info": {"editable": true}, "a": [1, null]});
        assert_eq!(
            dump(&value),
            r#"{"a": [1, null], "dir_info": {"editable": true}, "url": "file:///\u00e4\"\ud83d\ude00"}"#
        );
    }
}
