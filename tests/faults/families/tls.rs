//! Certificates and encrypted connections.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use xtrasecurity::ErrorKind::{Network, Timeout};

use crate::case::{Case, Trouble};
use crate::peer::{Act, Manner, Wrong};
use crate::planted::{ELSEWHERE, KEY, NEW};

pub const NAME: &str = "TLS";

const HOST: &str = "localhost";

/// An authority of one's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server with a certificate of this authority.
    fn server(&self, params: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        config(certificate, &key, &[&TLS12, &TLS13])
    }
}

fn config(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static tokio_rustls::rustls::SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn valid(from: i32, to: i32) -> CertificateParams {
    let mut params = named(HOST);
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

fn self_signed() -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    config(named(HOST).self_signed(&key).unwrap().der().clone(), &key, &[&TLS13])
}

fn of_version_1_2(authority: &Authority) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    config(named(HOST).signed_by(&key, &authority.issuer).unwrap().der().clone(), &key, &[&TLS12])
}

pub fn cases() -> Vec<Case> {
    let authority = Authority::new("authority of the tests");
    let manner = Manner { keeps_alive: false, tls: Some(authority.server(named(HOST))) };
    let at = |wrong| Trouble::Socket(manner.clone(), wrong);
    let shows = |params| at(Wrong::Tls(authority.server(params)));
    let mut for_clients = named(HOST);
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    // the end of the connection is the end of the body, so an attacker could choose it
    let without_length = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{{\"{KEY}\":\"{NEW}\"}}");
    let cases = vec![
        Case::works("a right certificate, with `add_root_certificate`", at(Wrong::IdleClosed)),
        Case::works("TLS 1.2 only", at(Wrong::Tls(of_version_1_2(&authority)))),
        Case::fails("another name", shows(named(ELSEWHERE)), Network),
        Case::fails("expired", shows(valid(2001, 2002)), Network),
        Case::fails("not valid yet", shows(valid(2090, 2091)), Network),
        Case::fails("self-signed", at(Wrong::Tls(self_signed())), Network),
        Case::fails("of another authority", at(Wrong::Tls(Authority::new("another").server(named(HOST)))), Network),
        Case::fails(
            "of another authority with the same name",
            at(Wrong::Tls(Authority::new("authority of the tests").server(named(HOST)))),
            Network,
        ),
        Case::fails("for clients", shows(for_clients), Network),
        Case::fails("no TLS there", at(Wrong::NoTls(Act::bytes("HTTP/1.1 400 Bad Request\r\n\r\nmagpie"))), Network),
        Case::fails("a reset in place of the handshake", at(Wrong::NoTls(Act::reset_after(""))), Network),
        Case::fails("a handshake without end", at(Wrong::NoTls(Act::silence_after(""))), Timeout)
            .tuned(|builder| builder.connect_timeout(Duration::from_millis(500))),
        Case::fails("cut before the headers", at(Wrong::Act(Act::dropped_after(""))), Network),
        Case::fails("cut where the body could end", at(Wrong::Act(Act::dropped_after(without_length))), Network),
    ];
    let root = authority.pem;
    cases
        .into_iter()
        .map(|case| {
            let root = root.clone();
            case.tuned(move |builder| builder.add_root_certificate(root.as_str()))
        })
        .collect()
}
