//! The `.netrc` file: credentials by host, as curl, git and pip read it.

use rustc_hash::FxHashMap;

/// One host's login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Whom the words that follow are about.
enum Machine {
    None,
    Default,
    Named(String),
}

/// A parsed `.netrc`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Netrc {
    machines: FxHashMap<String, Login>,
    default: Option<Login>,
}

impl Netrc {
    /// Reads the text. Unknown words are skipped; a macro ends at its first empty line.
    pub(crate) fn parse(text: &str) -> Self {
        let mut netrc = Self::default();
        let mut machine = Machine::None;
        let mut login = Login::default();
        let mut words = Words { rest: text };
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => {
                    netrc.close(machine, &mut login);
                    machine = words.next().map_or(Machine::None, |host| {
                        Machine::Named(host.to_ascii_lowercase())
                    });
                }
                "default" => {
                    netrc.close(machine, &mut login);
                    machine = Machine::Default;
                }
                "login" => login.user = words.next().unwrap_or_default(),
                "password" => login.password = words.next().unwrap_or_default(),
                "account" => drop(words.next()),
                "macdef" => words.skip_macro(),
                _ => {}
            }
        }
        netrc.close(machine, &mut login);
        netrc
    }

    fn close(&mut self, machine: Machine, login: &mut Login) {
        let login = std::mem::take(login);
        match machine {
            Machine::Named(host) => drop(self.machines.entry(host).or_insert(login)),
            Machine::Default => drop(self.default.get_or_insert(login)),
            Machine::None => {}
        }
    }

    /// The login for a host, or the file's `default`.
    pub(crate) fn login(&self, host: &str) -> Option<&Login> {
        self.machines
            .get(&host.to_ascii_lowercase())
            .or(self.default.as_ref())
    }
}

struct Words<'text> {
    rest: &'text str,
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                break;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let mut word = String::new();
        let quoted = self.rest.starts_with('"');
        let mut characters = self.rest.char_indices().skip(usize::from(quoted));
        let end = loop {
            let Some((at, character)) = characters.next() else {
                break self.rest.len();
            };
            match character {
                '"' if quoted => break at + 1,
                '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
                _ if !quoted && character.is_whitespace() => break at,
                _ => word.push(character),
            }
        };
        let empty = end == 0;
        self.rest = self.rest.get(end..).unwrap_or_default();
        (!empty).then_some(word)
    }

    fn skip_macro(&mut self) {
        self.rest = match (self.rest.find("\n\n"), self.rest.find("\n\r\n")) {
            (Some(at), other) if other.is_none_or(|other| at < other) => &self.rest[at + 2..],
            (_, Some(at)) => &self.rest[at + 3..],
            _ => "",
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_machines_quotes_comments_macros_and_default() {
        let netrc = Netrc::parse(
            "# a comment\nmachine Host.Example login me password \"a b\\\"c\"\n\
             macdef init\nmachine evil.example login x password y\n\n\
             machine second.example\n\tlogin two\n\taccount z\n\tpassword p#2\n\
             default login any password thing\n",
        );
        let login = |host: &str| {
            let login = netrc.login(host).unwrap();
            (login.user.as_str(), login.password.as_str())
        };
        assert_eq!(login("host.example"), ("me", "a b\"c"));
        assert_eq!(login("second.example"), ("two", "p#2"));
        assert_eq!(login("evil.example"), ("any", "thing"));
    }

    #[test]
    fn survives_cut_files() {
        for text in [
            "machine",
            "machine a login",
            "machine a password \"x",
            "macdef",
            "\"",
            "",
        ] {
            Netrc::parse(text);
        }
        assert_eq!(
            Netrc::parse("machine a login u password p").login("b"),
            None
        );
    }
}
