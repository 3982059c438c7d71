//! Markers as lock files have them: PEP 508's, and `'name' in extras` and
//! `'name' in dependency_groups` (PEP 751).

use std::fmt;
use std::str::FromStr;

use bnbpip_packaging::{MarkerEnvironment, MarkerTree};

/// A marker of a lock file, with the text it was written as.
#[derive(Debug, Clone)]
pub struct LockMarker {
    text: String,
    expression: Expression,
}

/// The text is not a marker.
#[derive(Debug, thiserror::Error)]
#[error("Failed to parse marker `{text}`: {reason}")]
pub struct MarkerError {
    text: String,
    reason: String,
}

#[derive(Debug, Clone)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Member {
        of_groups: bool,
        name: String,
        negated: bool,
    },
    Standard(MarkerTree),
}

impl LockMarker {
    /// Whether it holds in an environment, with these extras and dependency groups asked for.
    pub fn evaluate(
        &self,
        environment: &MarkerEnvironment,
        extras: &[String],
        groups: &[String],
    ) -> bool {
        self.expression.evaluate(environment, extras, groups)
    }

    /// What is left of it when these extras and groups are asked for, as PEP 508's marker; it may
    /// never hold.
    pub(crate) fn tree_with(&self, extras: &[String], groups: &[String]) -> MarkerTree {
        self.expression.with(extras, groups)
    }

    /// The marker as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Expression {
    fn evaluate(
        &self,
        environment: &MarkerEnvironment,
        extras: &[String],
        groups: &[String],
    ) -> bool {
        let holds = |part: &Self| part.evaluate(environment, extras, groups);
        match self {
            Self::All(parts) => parts.iter().all(holds),
            Self::Any(parts) => parts.iter().any(holds),
            Self::Member {
                of_groups,
                name,
                negated,
            } => {
                let set = if *of_groups { groups } else { extras };
                set.contains(name) != *negated
            }
            Self::Standard(tree) => tree.evaluate(environment, &[]),
        }
    }
}

impl Expression {
    fn with(&self, extras: &[String], groups: &[String]) -> MarkerTree {
        match self {
            Self::All(parts) => {
                let mut tree = MarkerTree::TRUE;
                for part in parts {
                    tree.and(part.with(extras, groups));
                }
                tree
            }
            Self::Any(parts) => {
                let mut tree = MarkerTree::FALSE;
                for part in parts {
                    tree.or(part.with(extras, groups));
                }
                tree
            }
            Self::Member {
                of_groups,
                name,
                negated,
            } => {
                let set = if *of_groups { groups } else { extras };
                if set.contains(name) == *negated {
                    MarkerTree::FALSE
                } else {
                    MarkerTree::TRUE
                }
            }
            Self::Standard(tree) => tree.clone(),
        }
    }
}

impl fmt::Display for LockMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for LockMarker {
    type Err = MarkerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let tokens = tokens(text)?;
            let mut parser = Parser {
                text,
                tokens: &tokens,
                depth: 0,
            };
            let expression = parser.any()?;
            match parser.tokens.first() {
                None => Ok(expression),
                Some(rest) => Err(format!("`{}` is one too many", &text[rest.0..rest.1])),
            }
        };
        match parse() {
            Ok(expression) => Ok(Self {
                text: text.to_string(),
                expression,
            }),
            Err(reason) => Err(MarkerError {
                text: text.chars().take(MAX_SHOWN).collect(),
                reason,
            }),
        }
    }
}

/// A token's start and end in the text.
type Token = (usize, usize);

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let length = match first {
            '(' | ')' => 1,
            '\'' | '"' => {
                let end = rest[1..].find(first).ok_or("a quote isn't closed")?;
                end + 2
            }
            _ => rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"'))
                .unwrap_or(rest.len()),
        };
        let start = text.len() - rest.len();
        tokens.push((start, start + length));
        rest = &rest[length..];
    }
}

/// How many characters of a marker an error shows.
const MAX_SHOWN: usize = 200;

/// Deeper nesting than any tool writes.
const MAX_DEPTH: u32 = 64;

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    depth: u32,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens
            .first()
            .map(|(start, end)| &self.text[*start..*end])
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take("or") {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.one()?];
        while self.take("and") {
            parts.push(self.one()?);
        }
        Ok(Expression::All(parts))
    }

    fn one(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("it is nested too deep".into());
            }
            let inner = self.any()?;
            self.depth -= 1;
            return if self.take(")") {
                Ok(inner)
            } else {
                Err("a parenthesis isn't closed".into())
            };
        }
        let own = |token: &&Token| !matches!(&self.text[token.0..token.1], "and" | "or" | ")");
        let length = self.tokens.iter().take_while(own).count();
        let (atom, rest) = self.tokens.split_at(length);
        let (Some(first), Some(last)) = (atom.first(), atom.last()) else {
            return Err("a comparison is missing".into());
        };
        self.tokens = rest;
        let words: Vec<&str> = atom.iter().map(|(s, e)| &self.text[*s..*e]).collect();
        if let Some(set @ ("extras" | "dependency_groups")) = words.last().copied() {
            let (name, negated) = match words[..] {
                [name, "in", _] => (name, false),
                [name, "not", "in", _] => (name, true),
                _ => return Err(format!("`{set}` only goes with `in` and `not in`")),
            };
            return Ok(Expression::Member {
                of_groups: set == "dependency_groups",
                name: unquoted(name)?,
                negated,
            });
        }
        if words.contains(&"extra") {
            return Err("`extra` means nothing in a lock, which has `'name' in extras`".into());
        }
        let standard = &self.text[first.0..last.1];
        bnbpip_packaging::requirement::parse_marker(standard)
            .map(Expression::Standard)
            .map_err(|error| error.message.to_string())
    }
}

/// The name inside quotes, as names are compared: small, with `-` for `_` and `.`.
fn unquoted(text: &str) -> Result<String, String> {
    let inner = text
        .strip_prefix(['\'', '"'])
        .and_then(|rest| rest.strip_suffix(['\'', '"']))
        .ok_or_else(|| format!("`{text}` must stand in quotes"))?;
    Ok(inner.to_ascii_lowercase().replace(['_', '.'], "-"))
}
