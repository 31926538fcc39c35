//! TLS: rustls on ring, with the certificate authorities of the system.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::core::{ErrorKind, XtraError};

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
        Roots::SystemAnd([]) => Arc::clone(system_roots()),
        Roots::SystemAnd(extra) => Arc::new(with_extra(RootCertStore::clone(system_roots()), extra)?),
        Roots::Nobody => Arc::new(RootCertStore::empty()),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| XtraError::new(ErrorKind::Config, "TLS could not be set up: no protocol version is available"))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// The system's authorities, loaded once a process: reading them takes milliseconds.
fn system_roots() -> &'static Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS.get_or_init(|| Arc::new(load_system_roots()))
}

fn load_system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        // small containers often have no certificate files at all
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    tracing::debug!(target: "xtrasecurity::transport", system = usable, total = store.len(), "certificate authorities loaded");
    store
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
        assert!(!system_roots().is_empty());
        assert!(config(&Roots::SystemAnd(&[])).is_ok());
    }

    #[test]
    fn the_authorities_are_loaded_once() {
        assert!(Arc::ptr_eq(system_roots(), system_roots()));
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
