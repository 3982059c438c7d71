//! TLS settings: which certificates are trusted. Roots are read when the first `https` request
//! is made, not before: reading them takes longer than many a whole run.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};

use super::error::HttpError;
use crate::options::ClientOptions;

/// How a server proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// By a certificate that leads to a trusted root.
    Verified,
    /// Not at all: the user named the host as trusted.
    Unverified,
    /// There is no TLS on this connection.
    Plain,
}

/// What is trusted.
#[derive(Debug, Clone)]
pub(super) struct Roots {
    store: Arc<RootCertStore>,
    /// The certificates that `--cert` names.
    named: Vec<CertificateDer<'static>>,
}

/// The settings for connections of a kind.
pub(super) fn config(
    options: &ClientOptions,
    trust: Trust,
    roots: &OnceLock<Roots>,
) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let setup = |error: rustls::Error| HttpError::Setup(error.into());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(setup)?;
    let builder = match trust {
        Trust::Plain => builder.with_root_certificates(RootCertStore::empty()),
        Trust::Unverified => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified(provider))),
        Trust::Verified => {
            let roots = if let Some(roots) = roots.get() {
                roots.clone()
            } else {
                let read = read_roots(options)?;
                roots.get_or_init(|| read).clone()
            };
            let usual = WebPkiServerVerifier::builder_with_provider(roots.store, provider);
            let usual = usual
                .build()
                .map_err(|error| HttpError::Setup(error.into()))?;
            let named = roots.named;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Named { usual, named }))
        }
    };
    match &options.client_cert {
        Some(path) if trust != Trust::Plain => {
            let (chain, key) = read_client_certificate(path)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| certificates(path, error))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> HttpError {
    HttpError::Certificates {
        path: path.to_path_buf(),
        source: source.into(),
    }
}

/// The given file or folder alone; else the bundled roots and the system's.
fn read_roots(options: &ClientOptions) -> Result<Roots, HttpError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = &options.cert else {
        let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
        let (_added, _ignored) = roots.add_parsable_certificates(bundled);
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::debug!(%error, "a certificate of the system can't be read");
        }
        let (_added, _ignored) = roots.add_parsable_certificates(system.certs);
        return Ok(Roots {
            store: Arc::new(roots),
            named: Vec::new(),
        });
    };
    let (file, folder) = if path.is_dir() {
        (None, Some(path.as_path()))
    } else {
        (Some(path.as_path()), None)
    };
    let read = rustls_native_certs::load_certs_from_paths(file, folder);
    let (added, _ignored) = roots.add_parsable_certificates(read.certs.clone());
    if added == 0 {
        let source = read.errors.into_iter().next().map_or_else(
            || "it holds no certificate in PEM form".into(),
            |error| -> Box<dyn Error + Send + Sync> { error.to_string().into() },
        );
        return Err(certificates(path, source));
    }
    Ok(Roots {
        store: Arc::new(roots),
        named: read.certs,
    })
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read_client_certificate(path: &Path) -> Result<Identity, HttpError> {
    let pem = fs_err::read(path).map_err(|error| certificates(path, error))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| certificates(path, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| certificates(path, error.to_string()))?;
    Ok((chain, key))
}

/// Takes what leads to a trusted root, and a server's own certificate where `--cert` names just
/// that, though it is one for authorities: `openssl req -x509` makes such ones, and OpenSSL, and
/// with it pip, takes them.
#[derive(Debug)]
struct Named {
    usual: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

/// Whether all that speaks against a certificate is that it is an authority's. Its dates have been
/// looked at before that.
fn is_of_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(source))) = error
    else {
        return false;
    };
    matches!(
        source.downcast_ref::<webpki::Error>(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = &self.usual;
        let verified =
            usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(error) if is_of_authority(&error) && self.named.contains(end_entity) => {
                let parsed = ParsedCertificate::try_from(end_entity)?;
                verify_server_name(&parsed, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Takes any certificate, but still checks that the server owns it.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = ClientOptions {
            cert: Some(file.path().to_path_buf()),
            ..ClientOptions::default()
        };
        let error = config(&options, Trust::Verified, &OnceLock::new()).unwrap_err();
        assert!(error.to_string().contains(&*file.path().to_string_lossy()));
        assert!(config(&options, Trust::Plain, &OnceLock::new()).is_ok());
    }
}
