//! What a script says about itself in its first comment (PEP 723).

use std::path::Path;

use toml::{Table, Value};

use super::ScriptPython;
use crate::bounded;
use crate::failure::Failure;

/// A script's own requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// What it needs, as it is written.
    pub dependencies: Vec<String>,
    /// The Python versions that it is for.
    pub python: Option<ScriptPython>,
}

impl Script {
    /// Reads a script. `shown` is what messages call it.
    ///
    /// # Errors
    /// When it can't be read, or doesn't hold one `script` block in the form of the standard.
    pub(crate) fn read(path: &Path, shown: &str) -> Result<Self, Failure> {
        let text = bounded::read_toml(path)
            .map_err(|error| Failure::new(format!("Could not open script '{shown}': {error}")))?;
        Self::parse(&text, shown)
    }

    fn parse(text: &str, shown: &str) -> Result<Self, Failure> {
        let blocks = blocks(text);
        let content = match &blocks[..] {
            [one] => one,
            [] => {
                return Err(Failure::new(format!(
                    "File does not contain 'script' metadata: '{shown}'"
                )));
            }
            _ => {
                return Err(Failure::new(format!(
                    "Multiple 'script' blocks found in '{shown}'"
                )));
            }
        };
        let wrong = |reason: String| {
            Failure::new(format!("Failed to parse TOML in '{shown}'")).caused_by(reason)
        };
        let table: Table = toml::from_str(content).map_err(|error| wrong(error.to_string()))?;
        let dependencies = match table.get("dependencies") {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("`dependencies` must hold strings".to_owned()))?,
            Some(_) => return Err(wrong("`dependencies` must be an array".to_owned())),
        };
        let python = match table.get("requires-python").map(Value::as_str) {
            None | Some(Some("")) => None,
            Some(Some(text)) => Some(ScriptPython {
                script: shown.to_owned(),
                requires_python: bnbpip_packaging::metadata::parse_requires_python(text)
                    .map_err(|error| wrong(format!("`requires-python`: {error}")))?,
                text: text.to_owned(),
            }),
            Some(None) => return Err(wrong("`requires-python` must be a string".to_owned())),
        };
        Ok(Self {
            dependencies,
            python,
        })
    }
}

/// The content of each `# /// script` block, without the comment signs. A block ends at the last
/// `# ///` of its run of comment lines.
fn blocks(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        index += 1;
        if lines[index - 1].trim_end() != "# /// script" {
            continue;
        }
        let is_comment = |line: &&&str| **line == "#" || line.starts_with("# ");
        let run = lines[index..].iter().take_while(is_comment).count();
        let run = &lines[index..index + run];
        let Some(end) = run.iter().rposition(|line| line.trim_end() == "# ///") else {
            continue;
        };
        let content = run[..end].iter();
        let content = content.map(|line| line.strip_prefix("# ").unwrap_or_default());
        blocks.push(content.collect::<Vec<_>>().join("\n"));
        index += end + 1;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_block() {
        let text = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.9\"\n\
                    # dependencies = [\n#   \"a<2\",\n#\n#   \"b\",\n# ]\n# ///\nimport a\n";
        let script = Script::parse(text, "s.py").unwrap();
        assert_eq!(script.dependencies, ["a<2", "b"]);
        assert_eq!(script.python.unwrap().text, ">=3.9");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let block = "# /// script\n# x = 1\n# ///\n";
        for (text, said) in [
            (
                "import a\n",
                "File does not contain 'script' metadata: 's.py'",
            ),
            (
                "# /// script\n# x = 1\n",
                "File does not contain 'script' metadata: 's.py'",
            ),
            (
                &format!("{block}\n{block}"),
                "Multiple 'script' blocks found in 's.py'",
            ),
            (
                "# /// script\n# x = \n# ///\n",
                "Failed to parse TOML in 's.py'",
            ),
            (
                "# /// script\n# dependencies = 1\n# ///\n",
                "Failed to parse TOML in 's.py'",
            ),
        ] {
            assert_eq!(Script::parse(text, "s.py").unwrap_err().messages(), [said]);
        }
    }
}
