//! Which credentials go to which server, and to no other.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use rustc_hash::{FxHashMap, FxHashSet};
use url::Url;

use super::error::HttpError;
use crate::index_url::{IndexUrl, host_of, redacted, without_credentials};
use crate::keyring::{Asker, Found, Keyring};
use crate::netrc::{Login, Netrc};
use crate::options::ClientOptions;

/// Scheme, host and port.
type Origin = (String, String, Option<u16>);

/// Credentials by server: those of an address itself, then those that an index's address brought
/// for its server, then `.netrc`'s. A server that turns these away, or came with a user alone, is
/// reason to ask the keyring, and then whoever sits at the terminal.
#[derive(Debug)]
pub(super) struct Credentials {
    indexes: FxHashMap<Origin, Login>,
    /// The addresses of indexes by server: what passwords are kept under.
    services: FxHashMap<Origin, Vec<String>>,
    keyrings: Vec<Keyring>,
    asker: Option<Arc<dyn Asker>>,
    /// Users whose password isn't known.
    users: Mutex<FxHashMap<Origin, String>>,
    /// What the keyring or the user answered.
    answers: Mutex<FxHashMap<Origin, Login>>,
    /// The servers that were asked about; one question at a time.
    asked: tokio::sync::Mutex<FxHashSet<Origin>>,
    netrc_path: Option<std::path::PathBuf>,
    netrc: OnceLock<Netrc>,
}

/// What a server wants that turned a request away.
#[derive(Debug)]
pub(super) struct Answer {
    /// The `Authorization` to try.
    pub(super) authorization: HeaderValue,
    /// The keyring that is to keep it once it has served.
    keep: Option<(Found, Login)>,
}

impl Credentials {
    pub(super) fn new<'index>(
        options: &ClientOptions,
        indexes: impl Iterator<Item = &'index IndexUrl>,
    ) -> Self {
        let mut logins = FxHashMap::default();
        let mut services: FxHashMap<Origin, Vec<String>> = FxHashMap::default();
        for index in indexes {
            let origin = origin(index.url());
            let service = without_credentials(index.url());
            services.entry(origin.clone()).or_default().push(service);
            if let Some(login) = login_of(index.url()) {
                logins.entry(origin).or_insert(login);
            }
        }
        Self {
            indexes: logins,
            services,
            keyrings: options.keyrings.clone(),
            asker: options.asker.clone(),
            users: Mutex::default(),
            answers: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
            netrc_path: options.netrc.clone(),
            netrc: OnceLock::new(),
        }
    }

    pub(super) fn asker(&self) -> Option<&dyn Asker> {
        self.asker.as_deref()
    }

    /// Takes the credentials out of the address; the answer is the `Authorization` for its server.
    ///
    /// # Errors
    /// When there is a `.netrc` that can't be read.
    pub(super) fn take(&self, url: &mut Url) -> Result<Option<HeaderValue>, HttpError> {
        let own = login_of(url);
        let _no_host_no_credentials = url.set_password(None);
        let _no_host_no_credentials = url.set_username("");
        let origin = origin(url);
        let known = own.as_ref().or_else(|| self.indexes.get(&origin));
        let host = url.host_str().unwrap_or_default();
        let answer = lock(&self.answers).get(&origin).cloned();
        let Some(known) = known else {
            return Ok(match &answer {
                Some(login) => basic(login),
                None => self.netrc()?.login(host).and_then(basic),
            });
        };
        if !known.password.is_empty() {
            return Ok(basic(known));
        }
        lock(&self.users).insert(origin.clone(), known.user.clone());
        let same_user = |login: &&Login| login.user == known.user;
        Ok(match answer.as_ref().filter(same_user) {
            Some(login) => basic(login),
            None => basic(self.netrc()?.login(host).filter(same_user).unwrap_or(known)),
        })
    }

    /// What to try with a server that turned a request with this `Authorization` away: the
    /// keyring's answer or the user's, each asked once for a server. `None` where the password came
    /// with the index's address, or where there is no answer.
    pub(super) async fn find_others(
        &self,
        url: &Url,
        sent: Option<&HeaderValue>,
    ) -> Option<Answer> {
        let origin = origin(url);
        let of_index = self.indexes.get(&origin);
        if of_index.is_some_and(|login| !login.password.is_empty() && basic(login).as_ref() == sent)
        {
            return None;
        }
        let mut asked = self.asked.lock().await;
        let answered = lock(&self.answers).get(&origin).and_then(basic);
        if answered.as_ref() == sent && sent.is_some() {
            return None;
        }
        if let Some(authorization) = answered {
            let keep = None;
            return Some(Answer {
                authorization,
                keep,
            });
        }
        if !asked.insert(origin.clone()) {
            return None;
        }
        let question = Question {
            keyrings: self.keyrings.clone(),
            asker: self.asker.clone(),
            services: self.services.get(&origin).cloned().unwrap_or_default(),
            host: host_of(url),
            user: lock(&self.users).get(&origin).cloned(),
        };
        let ask = move || Ok(question.ask());
        let (login, keep) = crate::blocking("credentials", ask).await.ok()??;
        let authorization = basic(&login)?;
        lock(&self.answers).insert(origin, login.clone());
        let keep = keep.map(|keyring| (keyring, login));
        Some(Answer {
            authorization,
            keep,
        })
    }

    /// The answer has been tried: it is kept where that is wanted, or it was the wrong one.
    pub(super) async fn tried(&self, url: &Url, status: StatusCode, answer: Answer) {
        let Some(asker) = self.asker.clone() else {
            return;
        };
        if status == StatusCode::UNAUTHORIZED {
            let text = format!("401 Error, Credentials not correct for {}", redacted(url));
            asker.warn(&text);
        }
        let Some((keyring, login)) = answer.keep.filter(|_| status.as_u16() < 400) else {
            return;
        };
        let host = host_of(url);
        let save = move || {
            if let Err(error) = keyring.set(&host, &login) {
                asker.warn(&format!("The keyring didn't keep the password: {error}"));
            }
            Ok(())
        };
        let _not_told_twice = crate::blocking("keyring", save).await;
    }

    fn netrc(&self) -> Result<&Netrc, HttpError> {
        if let Some(netrc) = self.netrc.get() {
            return Ok(netrc);
        }
        let netrc = match &self.netrc_path {
            None => Netrc::default(),
            Some(path) => match read_netrc(path) {
                Ok(bytes) => Netrc::parse(&String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Netrc::default(),
                Err(source) => {
                    return Err(HttpError::Netrc {
                        path: path.clone(),
                        source,
                    });
                }
            },
        };
        Ok(self.netrc.get_or_init(|| netrc))
    }
}

/// The largest netrc file: it is read whole, and may be a device that never ends.
const NETRC_LIMIT_BYTES: u64 = 4 << 20;

/// Half of a file could end in half of a password: all of it is read, or none.
fn read_netrc(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(NETRC_LIMIT_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > NETRC_LIMIT_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {NETRC_LIMIT_BYTES} bytes"),
        ));
    }
    Ok(bytes)
}

/// What is asked once a server wants credentials.
struct Question {
    keyrings: Vec<Keyring>,
    asker: Option<Arc<dyn Asker>>,
    services: Vec<String>,
    host: String,
    user: Option<String>,
}

impl Question {
    /// The login, and the keyring that is to keep it.
    fn ask(&self) -> Option<(Login, Option<Found>)> {
        let asker = self.asker.as_deref();
        let mut places = self.keyrings.iter();
        let mut keyring = places.find_map(|place| place.find(asker));
        let host = std::iter::once(&self.host);
        for service in self.services.iter().chain(host) {
            let login = self.ask_keyring(&mut keyring, service, self.user.as_deref());
            if let Some(login) = login {
                return Some((login, None));
            }
        }
        // As pip has it, nobody is asked about a user that an address names.
        let asker = asker.filter(|_| self.user.is_none())?;
        let user = asker.user(&self.host)?;
        if let Some(login) = self.ask_keyring(&mut keyring, &self.host, Some(&user)) {
            return Some((login, None));
        }
        let password = asker.password()?;
        let keyring = keyring.filter(|_| asker.may_save());
        Some((Login { user, password }, keyring))
    }

    /// A keyring that fails is left out from there on.
    fn ask_keyring(
        &self,
        keyring: &mut Option<Found>,
        service: &str,
        user: Option<&str>,
    ) -> Option<Login> {
        let found = keyring.as_ref()?;
        if let Some(asker) = &self.asker {
            asker.tell(&format!("Asking the keyring for credentials for {service}"));
        }
        match found.get(service, user) {
            Ok(login) => login,
            Err(error) => {
                if let Some(asker) = &self.asker {
                    asker.warn(&format!("Keyring is skipped due to an exception: {error}"));
                }
                *keyring = None;
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn origin(url: &Url) -> Origin {
    (
        url.scheme().to_string(),
        url.host_str().unwrap_or_default().to_string(),
        url.port_or_known_default(),
    )
}

fn login_of(url: &Url) -> Option<Login> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = url.password().map(decode);
    if url.username().is_empty() && password.is_none() {
        return None;
    }
    Some(Login {
        user: decode(url.username()),
        password: password.unwrap_or_default(),
    })
}

fn basic(login: &Login) -> Option<HeaderValue> {
    let pair = BASE64_STANDARD.encode(format!("{}:{}", login.user, login.password));
    HeaderValue::from_str(&format!("Basic {pair}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> (tempfile::NamedTempFile, Credentials) {
        let netrc = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(netrc.path(), "machine other.example login n password n").unwrap();
        let index: IndexUrl = "https://u%40x:p%3A@host.example/simple".parse().unwrap();
        let options = ClientOptions {
            netrc: Some(netrc.path().to_path_buf()),
            ..ClientOptions::default()
        };
        (netrc, Credentials::new(&options, std::iter::once(&index)))
    }

    fn sent(credentials: &Credentials, url: &str) -> Option<String> {
        let mut url: Url = url.parse().unwrap();
        let value = credentials.take(&mut url).unwrap();
        assert_eq!((url.username(), url.password()), ("", None));
        let value = value?.to_str().unwrap()["Basic ".len()..].to_string();
        Some(String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap())
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let (_file, credentials) = credentials();
        let sent = |url: &str| sent(&credentials, url);
        assert_eq!(
            sent("https://host.example/f/a.whl").as_deref(),
            Some("u@x:p:")
        );
        assert_eq!(
            sent("https://own:one@host.example/").as_deref(),
            Some("own:one")
        );
        assert_eq!(sent("https://other.example/").as_deref(), Some("n:n"));
        for url in [
            "http://host.example/f/a.whl",
            "https://host.example:8443/",
            "https://sub.host.example/",
            "https://host.example.evil/",
        ] {
            assert_eq!(sent(url), None, "{url}");
        }
    }

    #[test]
    fn a_netrc_without_end_is_refused_as_a_whole() {
        let (file, credentials) = credentials();
        let long = "# not the end\n".repeat(400 << 10);
        fs_err::write(file.path(), long).unwrap();
        let error = credentials.take(&mut "https://other.example/".parse().unwrap());
        assert!(matches!(error, Err(HttpError::Netrc { .. })), "{error:?}");
    }
}
