//! TLS: rustls on ring, with the certificate authorities of the system.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::CertificateResult;

use crate::core::process;
use crate::core::{ErrorKind, Hop, XtraError, events, file_reason};

/// Which authorities a connection may be vouched for by.
pub(crate) enum Roots<'a> {
    /// Those of the system (the bundled ones when there are none), and these PEM texts.
    SystemAnd(&'a [Vec<u8>]),
    /// None: for plain http, where loading the system's would be wasted.
    Nobody,
}

/// A client configuration of our own, so that no process-wide default provider is set or needed.
pub(crate) fn config(roots: &Roots<'_>) -> Result<ClientConfig, XtraError> {
    let store = match roots {
        Roots::SystemAnd([]) => system_roots()?,
        Roots::SystemAnd(extra) => Arc::new(with_extra(RootCertStore::clone(&*system_roots()?), extra)?),
        Roots::Nobody => Arc::new(RootCertStore::empty()),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| XtraError::new(ErrorKind::Config, "TLS could not be set up: no protocol version is available"))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// The system's authorities, loaded once a process: reading them takes milliseconds.
fn system_roots() -> Result<Arc<RootCertStore>, XtraError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(Arc::clone(roots));
    }
    // not kept when it fails: the file may be mended while the program runs
    let loaded = Arc::new(load_system_roots(process::path(CERT_FILE).as_deref(), process::path(CERT_DIR).as_deref())?);
    Ok(Arc::clone(ROOTS.get_or_init(|| loaded)))
}

/// The variables that name the authorities in place of the system's, as OpenSSL has them.
const CERT_FILE: &str = "SSL_CERT_FILE";
const CERT_DIR: &str = "SSL_CERT_DIR";

/// The authorities that the variables name, or else the system's.
fn load_system_roots(file: Option<&Path>, directories: Option<&Path>) -> Result<RootCertStore, XtraError> {
    let mut store = RootCertStore::empty();
    if let Some(file) = file {
        let found = rustls_native_certs::load_certs_from_paths(Some(file), None);
        add_named(&mut store, CERT_FILE, "a file", found)?;
    }
    if let Some(directories) = directories {
        let mut found = CertificateResult::default();
        for directory in std::env::split_paths(directories) {
            let in_this = rustls_native_certs::load_certs_from_paths(None, Some(&directory));
            found.certs.extend(in_this.certs);
            found.errors.extend(in_this.errors);
        }
        add_named(&mut store, CERT_DIR, "directories", found)?;
    }
    if file.is_none() && directories.is_none() {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            // small containers often have no certificate files at all
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
    }
    tracing::debug!(target: events::HTTP, total = store.len(), "certificate authorities loaded");
    Ok(store)
}

/// Adds what was found at the place that a variable names. Nothing is an error: whoever set it trusts nobody else.
fn add_named(store: &mut RootCertStore, variable: &str, what: &str, found: CertificateResult) -> Result<(), XtraError> {
    let cause = found.errors.into_iter().find_map(|error| match error.kind {
        rustls_native_certs::ErrorKind::Io { inner, .. } => Some(inner),
        _ => None,
    });
    let (usable, _) = store.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(());
    }
    let problem = match &cause {
        Some(error) => format!("that cannot be read ({})", file_reason(error.kind())),
        None => "without a usable PEM certificate".to_owned(),
    };
    let message = format!(
        "the environment variable {variable} names {what} {problem}, so that no certificate authority would be trusted. Correct \
         it, or unset it to use the system's"
    );
    let error = XtraError::new(ErrorKind::Config, message).at_hop(Hop::Tls);
    Err(match cause {
        Some(cause) => error.with_os_error(&cause),
        None => error,
    })
}

fn with_extra(mut store: RootCertStore, extra: &[Vec<u8>]) -> Result<RootCertStore, XtraError> {
    for (index, pem) in extra.iter().enumerate() {
        let number = index + 1;
        let mut certificates = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let Ok(certificate) = certificate else { return Err(bad_root(number, "is not valid PEM")) };
            if store.add(certificate).is_err() {
                return Err(bad_root(number, "holds something that is not a certificate"));
            }
            certificates += 1;
        }
        if certificates == 0 {
            return Err(bad_root(number, "holds no certificate; give PEM text, with its BEGIN CERTIFICATE line"));
        }
    }
    Ok(store)
}

fn bad_root(number: usize, what: &str) -> XtraError {
    XtraError::new(ErrorKind::Config, format!("root certificate {number} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pem: &[u8]) -> String {
        let good: &[Vec<u8>] = &[pem.to_vec()];
        let error = config(&Roots::SystemAnd(good)).expect_err("a bad root");
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    #[test]
    fn there_is_always_an_authority_to_trust() {
        assert!(!system_roots().expect("they load").is_empty());
        assert!(config(&Roots::SystemAnd(&[])).is_ok());
    }

    #[test]
    fn the_authorities_are_loaded_once() {
        let roots = || system_roots().expect("they load");
        assert!(Arc::ptr_eq(&roots(), &roots()));
    }

    #[test]
    fn a_variable_that_names_no_certificate_is_an_error_and_not_passed_over() {
        let directory = tempfile::tempdir().expect("a directory");
        let (empty, missing) = (directory.path().join("empty.pem"), directory.path().join("missing"));
        std::fs::write(&empty, "no certificate").expect("it can be written");
        for (file, directories, words) in [
            (Some(&missing), None, "SSL_CERT_FILE names a file that cannot be read"),
            (Some(&empty), None, "SSL_CERT_FILE names a file without a usable PEM certificate"),
            (None, Some(&missing), "SSL_CERT_DIR names directories"),
        ] {
            let error = load_system_roots(file.map(|path| path.as_path()), directories.map(|path| path.as_path()))
                .expect_err(words);
            assert_eq!((error.kind(), error.hop()), (ErrorKind::Config, Some(Hop::Tls)));
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_bad_root_certificate_is_named_by_its_number() {
        assert!(refused(b"").contains("root certificate 1 holds no certificate"));
        assert!(refused(b"der or anything else").contains("holds no certificate"));
        assert!(refused(b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n").contains("not valid PEM"));
        assert!(
            refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("not a certificate")
        );
        assert!(refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n").contains("not valid PEM"));
    }
}
