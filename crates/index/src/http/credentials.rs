//! Which credentials go to which server, and to no other.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use rustc_hash::{FxHashMap, FxHashSet};
use url::Url;

use super::error::HttpError;
use crate::index_url::{IndexUrl, host_of, without_credentials};
use crate::netrc::{Login, Netrc};
use crate::options::{ClientOptions, Keyring};

/// Scheme, host and port.
type Origin = (String, String, Option<u16>);

/// Credentials by server: those of an address itself, then those that an index's address brought
/// for its server, then `.netrc`'s. For a user without a password the keyring is asked, once its
/// server wants one.
#[derive(Debug)]
pub(super) struct Credentials {
    indexes: FxHashMap<Origin, Login>,
    /// The addresses of indexes by server: what passwords are kept under.
    services: FxHashMap<Origin, Vec<String>>,
    keyring: Option<Keyring>,
    /// Users whose password isn't known.
    users: Mutex<FxHashMap<Origin, String>>,
    /// What the keyring answered.
    answers: Mutex<FxHashMap<Origin, Login>>,
    /// The servers that the keyring was asked about; one question at a time.
    asked: tokio::sync::Mutex<FxHashSet<Origin>>,
    netrc_path: Option<std::path::PathBuf>,
    netrc: OnceLock<Netrc>,
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
            keyring: options.keyring.clone(),
            users: Mutex::default(),
            answers: Mutex::default(),
            asked: tokio::sync::Mutex::default(),
            netrc_path: options.netrc.clone(),
            netrc: OnceLock::new(),
        }
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
        let Some(known) = known else {
            return Ok(self.netrc()?.login(host).and_then(basic));
        };
        if !known.password.is_empty() {
            return Ok(basic(known));
        }
        lock(&self.users).insert(origin.clone(), known.user.clone());
        let answer = lock(&self.answers).get(&origin).cloned();
        let same_user = |login: &&Login| login.user == known.user;
        Ok(match answer.as_ref().filter(same_user) {
            Some(login) => basic(login),
            None => basic(self.netrc()?.login(host).filter(same_user).unwrap_or(known)),
        })
    }

    /// Asks the keyring for the password of the user that a server turned away. Whether it has one.
    pub(super) async fn ask_keyring(&self, url: &Url) -> bool {
        let origin = origin(url);
        let user = lock(&self.users).get(&origin).cloned();
        let (Some(keyring), Some(user)) = (&self.keyring, user) else {
            return false;
        };
        let mut asked = self.asked.lock().await;
        if asked.insert(origin.clone()) {
            let mut services = self.services.get(&origin).cloned().unwrap_or_default();
            services.push(host_of(url));
            for service in services {
                let (keyring, user) = (keyring.clone(), user.clone());
                let ask = move || Ok(keyring.password(&service, &user).map(|it| (user, it)));
                if let Ok(Some((user, password))) = crate::blocking("keyring", ask).await {
                    lock(&self.answers).insert(origin.clone(), Login { user, password });
                    break;
                }
            }
        }
        lock(&self.answers).contains_key(&origin)
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

impl Keyring {
    /// The password of a user, as the program prints it.
    fn password(&self, service: &str, user: &str) -> Option<String> {
        // What looks like an option is no user.
        if user.is_empty() || user.starts_with('-') {
            return None;
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(["get", service, user]);
        command.env("PYTHONIOENCODING", "utf-8");
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => {
                tracing::debug!(%error, "the keyring can't be asked");
                return None;
            }
        };
        if !output.status.success() {
            return None;
        }
        let password = String::from_utf8(output.stdout).ok()?;
        let password = password.trim_end_matches(['\r', '\n']);
        (!password.is_empty()).then(|| password.to_string())
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
