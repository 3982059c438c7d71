//! `--config-settings KEY=VALUE`: what a user tells a backend (PEP 517's `config_settings`).

use std::collections::BTreeMap;

use serde::Serialize;

/// Settings for a backend. A key that is given more than once has a list for its value, as with
/// pip.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfigSettings(BTreeMap<String, Value>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Value {
    One(String),
    Many(Vec<String>),
}

/// Why a text is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Arguments to --config-settings must be of the form KEY=VAL. Got '{0}'")]
pub struct ConfigSettingsError(String);

impl ConfigSettings {
    /// Adds `KEY=VALUE`.
    ///
    /// # Errors
    /// When there is no `=`, or nothing before it.
    pub fn add(&mut self, text: &str) -> Result<(), ConfigSettingsError> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| ConfigSettingsError(text.to_string()))?;
        let value = value.to_string();
        match self.0.get_mut(key) {
            None => {
                self.0.insert(key.to_string(), Value::One(value));
            }
            Some(Value::Many(values)) => values.push(value),
            Some(known @ Value::One(_)) => {
                if let Value::One(first) = known {
                    *known = Value::Many(vec![std::mem::take(first), value]);
                }
            }
        }
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_make_a_list() {
        let mut settings = ConfigSettings::default();
        for text in ["a=1", "b=x=y", "a=2", "a=3"] {
            settings.add(text).unwrap();
        }
        assert_eq!(
            serde_json::to_string(&settings).unwrap(),
            r#"{"a":["1","2","3"],"b":"x=y"}"#
        );
        assert!(settings.add("none").is_err());
        assert!(settings.add("=1").is_err());
    }
}
