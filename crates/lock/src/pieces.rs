//! A lock's text, bnbpip's or another tool's, in pieces that are parsed one after another. A parsed value takes hundreds of
//! bytes: all those of a large lock at once take many times the room of the lock.

use toml::{Table, Value};

use crate::read::{LockError, line_of};

/// The most values that a piece may have: a package has some ten for each of its files.
const VALUES_LIMIT: usize = 250_000;

/// The most packages that a lock may have.
const PACKAGES_LIMIT: usize = 50_000;

/// A lock's top level, and its packages.
pub(crate) struct Pieces<'a> {
    /// With the packages, where they aren't cut out of it.
    pub(crate) top: Table,
    pub(crate) packages: Vec<Piece<'a>>,
}

/// The text of one package, from its `[[packages]]` to the next.
pub(crate) struct Piece<'a> {
    key: &'static str,
    text: &'a str,
    lines_before: usize,
}

impl<'a> Pieces<'a> {
    /// Cuts a text and parses its top level. The packages are the tables of the array `key`.
    pub(crate) fn read(text: &'a str, key: &'static str) -> Result<Self, LockError> {
        if let Some((rest, packages)) = cut(text, key)?
            && !packages.is_empty()
        {
            let top = parse(&rest, 0)?;
            if !top.contains_key(key) {
                return Ok(Self { top, packages });
            }
        }
        Self::whole(text)
    }

    fn whole(text: &str) -> Result<Self, LockError> {
        let mut scanner = Scanner::default();
        for line in text.split_inclusive('\n') {
            scanner.line(line);
        }
        scanner.check()?;
        Ok(Self {
            top: parse(text, 0)?,
            packages: Vec::new(),
        })
    }
}

impl Piece<'_> {
    /// The package's table.
    pub(crate) fn parse(&self) -> Result<Table, LockError> {
        let mut top = parse(self.text, self.lines_before)?;
        // The text begins with the only `[[packages]]` that it has.
        match top
            .get_mut(self.key)
            .and_then(Value::as_array_mut)
            .and_then(Vec::pop)
        {
            Some(Value::Table(package)) => Ok(package),
            _ => Ok(Table::new()),
        }
    }
}

fn parse(text: &str, lines_before: usize) -> Result<Table, LockError> {
    toml::from_str(text).map_err(|error| LockError::Syntax {
        line: lines_before + line_of(text, error.span().map_or(text.len(), |span| span.start)),
        message: error.message().to_string(),
    })
}

/// The text outside of packages, with empty lines in their place, and the packages. `None`: the text
/// isn't written as locks usually are, and can't be cut.
fn cut<'a>(
    text: &'a str,
    key: &'static str,
) -> Result<Option<(String, Vec<Piece<'a>>)>, LockError> {
    let mut rest = String::new();
    let mut packages: Vec<Piece<'a>> = Vec::new();
    let (mut of_rest, mut of_package) = (Scanner::default(), Scanner::default());
    let mut in_package = false;
    let (mut start, mut at) = (0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let scanner = if in_package { &of_package } else { &of_rest };
        let header = scanner
            .is_between_statements()
            .then(|| header(line, key))
            .flatten();
        if in_package && matches!(header, Some(Header::Package | Header::Other)) {
            of_package.check()?;
            if let Some(package) = packages.last_mut() {
                package.text = &text[start..at];
            }
            in_package = false;
        }
        match header {
            Some(Header::Package) if packages.len() == PACKAGES_LIMIT => {
                return Err(LockError::TooManyPackages {
                    limit: PACKAGES_LIMIT,
                });
            }
            Some(Header::Package) => {
                in_package = true;
                of_package = Scanner::default();
                start = at;
                packages.push(Piece {
                    key,
                    text: &text[start..],
                    lines_before: number,
                });
            }
            Some(Header::OfPackage) if !in_package => return Ok(None),
            _ => {}
        }
        if in_package {
            of_package.line(line);
            rest.push('\n');
        } else {
            of_rest.line(line);
            rest.push_str(line);
        }
        at += line.len();
    }
    of_package.check()?;
    of_rest.check()?;
    Ok(Some((rest, packages)))
}

/// What a line begins.
enum Header {
    /// `[[packages]]`
    Package,
    /// `[packages.vcs]`
    OfPackage,
    Other,
}

fn header(line: &str, key: &str) -> Option<Header> {
    let name = line.trim_start().strip_prefix('[')?;
    let (name, is_element) = match name.strip_prefix('[') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let Some(after) = name.trim_start().strip_prefix(key) else {
        return Some(Header::Other);
    };
    Some(match after.trim_start().bytes().next() {
        Some(b']') if is_element => Header::Package,
        Some(b']' | b'.') => Header::OfPackage,
        _ => Header::Other,
    })
}

/// Reads TOML as far as it takes to know where statements begin, and counts values.
#[derive(Default)]
struct Scanner {
    /// The quote of a string of several lines.
    quote: Option<u8>,
    /// How many brackets are open.
    depth: usize,
    /// No fewer than there are values and tables.
    values: usize,
}

impl Scanner {
    fn is_between_statements(&self) -> bool {
        self.quote.is_none() && self.depth == 0
    }

    fn check(&self) -> Result<(), LockError> {
        if self.values > VALUES_LIMIT {
            return Err(LockError::TooManyValues {
                limit: VALUES_LIMIT,
            });
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        let bytes = line.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            let is_quote = matches!(byte, b'"' | b'\'');
            let is_triple = is_quote && bytes[at..].starts_with(&[byte; 3]);
            match self.quote {
                Some(b'"') if byte == b'\\' => at += 1,
                Some(quote) if byte == quote && is_triple => {
                    self.quote = None;
                    // Up to two more belong to the text before them.
                    let quotes = bytes[at..].iter().take_while(|it| **it == quote);
                    at += quotes.take(5).count() - 1;
                }
                Some(_) => {}
                None if is_triple => {
                    self.quote = Some(byte);
                    at += 2;
                }
                None if is_quote => at = end_of_string(bytes, at),
                None => match byte {
                    b'#' => return,
                    b'[' | b'{' => {
                        self.depth += 1;
                        self.values += 1;
                    }
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    b'=' | b',' | b'.' => self.values += 1,
                    _ => {}
                },
            }
            at += 1;
        }
    }
}

/// The place of the quote that ends a string of one line, or of the line's end.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            byte if *byte == quote => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lock;

    const TOP: &str = "lock-version = '1.0'\ncreated-by = 'x'\n";

    fn names(text: &str) -> Result<Vec<String>, String> {
        let lock: Lock = text.parse().map_err(|error: LockError| error.to_string())?;
        Ok(lock.packages.iter().map(|it| it.name.to_string()).collect())
    }

    fn count(text: &str) -> Option<usize> {
        cut(text, "packages")
            .unwrap()
            .map(|(_, packages)| packages.len())
    }

    #[test]
    fn packages_are_cut_out_wherever_they_stand() {
        let text = format!(
            "{TOP}environments = [\n  \"python_version >= '3.8'\",\n]\n\
             [[packages]]\nname = 'a'\ndirectory = {{path = 'a'}}\n\
             [packages.tool.x]\ny = \"\"\"\\\"\"\"\n[[packages]]\n\"\"\"\"\n\
             [tool.x]\ny = '''\n[[packages]]\n'''\nz = [\n[1],\n]\n\
             [[ packages ]] # [[\nname = 'b'\n[packages.directory]\npath = \"b\\\" # [[\"\n\
             [tool.z]\n"
        );
        assert_eq!(count(&text), Some(2));
        assert_eq!(names(&text).unwrap(), ["a", "b"]);
    }

    #[test]
    fn other_spellings_are_read_as_well() {
        let inline = "packages = [{name = 'a', directory = {path = 'a'}}]\n";
        let quoted = "[[\"packages\"]]\nname = 'a'\ndirectory.path = 'a'\n";
        let apart = "[[packages]]\nname = 'a'\n[tool.x]\n[packages.directory]\npath = 'a'\n";
        for text in [inline, quoted, apart] {
            assert_eq!(names(&format!("{TOP}{text}")).unwrap(), ["a"], "{text}");
        }
    }

    #[test]
    fn errors_name_their_line() {
        let package = "[[packages]]\nname = 'a'\ndirectory = {path = 'a'}\n";
        for (text, line) in [
            (format!("{package}[[packages]]\nname = \n"), 7),
            (format!("{package}[tool.x]\ny = \n"), 7),
            (format!("packages = []\n{package}"), 4),
            (format!("{package}[packages]\n"), 6),
        ] {
            let error = names(&format!("{TOP}{text}")).unwrap_err();
            assert!(error.starts_with(&format!("line {line}:")), "{error}");
        }
    }

    #[test]
    fn packages_are_counted() {
        let package = |number| format!("[[packages]]\nname = 'a{number}'\ndirectory.path = 'a'\n");
        let fits: String = (0..PACKAGES_LIMIT).map(package).collect();
        assert_eq!(
            names(&format!("{TOP}{fits}")).unwrap().len(),
            PACKAGES_LIMIT
        );
        let error = names(&format!("{TOP}{fits}{}", package(PACKAGES_LIMIT))).unwrap_err();
        assert_eq!(error, "it has more than 50000 packages");
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        let signs = "=,[".repeat(VALUES_LIMIT);
        let fits = format!("{TOP}packages = []\n[tool]\nx = '{signs}' # {signs}\n");
        assert!(names(&fits).unwrap().is_empty());
        let values = "0,".repeat(VALUES_LIMIT);
        for (head, tail) in [("x = [", "]"), ("[[packages]]\nx = [", "]\n[tool]\n")] {
            let error = names(&format!("{TOP}{head}{values}{tail}")).unwrap_err();
            assert!(error.contains("250000 values"), "{error}");
        }
    }
}
