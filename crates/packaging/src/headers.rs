//! The header block of `METADATA` and `WHEEL` files: e-mail headers (RFC 822) as the
//! [core metadata specification](https://packaging.python.org/en/latest/specifications/core-metadata/) uses them.

/// Header fields in the order of the file, and the body behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<(String, String)>,
    body: String,
}

impl Headers {
    /// Splits a document into its fields and its body. Lines that are no field are passed over,
    /// as Python's e-mail parser does.
    pub fn parse(text: &str) -> Self {
        let mut headers = Self::default();
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        while !rest.is_empty() {
            let (line, tail) = match rest.find('\n') {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, ""),
            };
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                headers.body = tail.to_string();
                break;
            }
            headers.push_line(line);
            rest = tail;
        }
        headers
    }

    fn push_line(&mut self, line: &str) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = self.fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            self.fields
                .push((name.trim_end().to_string(), value.trim().to_string()));
        }
    }

    /// The first field of this name, whatever its case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every field of this name, whatever its case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What follows the first empty line: the long description.
    pub fn body(&self) -> &str {
        &self.body
    }
}
