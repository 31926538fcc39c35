//! The hop at which a call fails, told by name: proxies and certificates.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use reqwest::Method;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::process::{CHILD, again, current_thread, in_child, passes};
use super::server::{Act, Server, answer};
use super::{fails, quick, transport_to};
use crate::core::{ErrorKind, Hint, Hop, XtraError};
use crate::http::TransportOptions;

const ROOT: &str = "https://name.invalid/api";

/// In a child: the error of a call by a proxy. In the parent: what that proxy was sent, once the child has passed.
async fn by_proxy(test: &str, script: Vec<Act>) -> Result<Vec<String>, XtraError> {
    if std::env::var_os(CHILD).is_some() {
        return Err(fails(&transport_to(ROOT, quick()), Method::GET).await);
    }
    let proxy = Server::start(script).await;
    let address = proxy.root().replace("http://", "").replace("/api", "");
    let mut command = again(module_path!(), test);
    command
        .env(CHILD, "1")
        .env("HTTPS_PROXY", format!("http://canary-user:canary-password@{address}"))
        .env("PROXY_UNDER_TEST", address)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD");
    // off this thread, which serves the proxy meanwhile
    tokio::task::spawn_blocking(move || passes(&mut command)).await.expect("it passes");
    Ok(proxy.requests())
}

/// The proxy is named by host and port.
fn is_named(error: &XtraError) {
    let address = std::env::var("PROXY_UNDER_TEST").expect("in the child");
    assert!(error.to_string().contains(&format!("the proxy {address}")), "{error}");
    assert_eq!(error.hop(), Some(Hop::Proxy));
    assert!(matches!(error.hint(), Some(Hint::FixProxy { .. })), "{error}");
}

#[tokio::test]
async fn a_proxy_that_wants_other_credentials_is_asked_once_and_named() {
    let test = "a_proxy_that_wants_other_credentials_is_asked_once_and_named";
    match by_proxy(test, (0..4).map(|_| answer(407, "", "")).collect()).await {
        Ok(requests) => {
            assert_eq!(requests.len(), 1, "the same password is not sent twice");
            assert!(requests[0].starts_with("CONNECT name.invalid:443 HTTP/1.1\r\n"), "{}", requests[0]);
        }
        Err(error) => {
            is_named(&error);
            assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Config, Some(407), 1));
            assert!(!error.is_retryable() && error.is_foreign_refusal());
        }
    }
}

#[tokio::test]
async fn a_proxy_that_gives_no_tunnel_is_named() {
    let script = [403, 502, 503, 500].into_iter().map(|status| answer(status, "", "canary")).collect();
    match by_proxy("a_proxy_that_gives_no_tunnel_is_named", script).await {
        Ok(requests) => assert_eq!(requests.len(), 4),
        Err(error) => {
            is_named(&error);
            assert_eq!(error.kind(), ErrorKind::Network);
            assert!(error.to_string().contains("refused to open a tunnel to name.invalid:443 (4 attempts)"), "{error}");
            assert!(error.to_string().contains("HTTPS_PROXY, which names this proxy"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_closes_the_connection_is_told_from_one_that_refuses() {
    let script = (0..4).map(|_| Act::Hang).collect();
    match by_proxy("a_proxy_that_closes_the_connection_is_told_from_one_that_refuses", script).await {
        Ok(requests) => assert_eq!(requests.len(), 4),
        Err(error) => {
            is_named(&error);
            let words = "closed the connection when it was asked for a tunnel to name.invalid:443";
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_speak_http_is_told_from_one_that_refuses() {
    let long = format!("HTTP/1.1 200 Any\r\nx: {}", "y".repeat(9_000));
    let script = (0..4).map(|_| Act::Answer(long.clone().into_bytes())).collect();
    match by_proxy("a_proxy_that_does_not_speak_http_is_told_from_one_that_refuses", script).await {
        Ok(requests) => assert_eq!(requests.len(), 4),
        Err(error) => {
            is_named(&error);
            assert!(error.to_string().contains("gave no usable answer when it was asked for a tunnel"), "{error}");
        }
    }
}

/// Runs a test in a child for which this is the proxy.
fn with_proxy(test: &str, proxy: &str) -> bool {
    in_child(module_path!(), test, &[("HTTPS_PROXY", proxy), ("NO_PROXY", ""), ("no_proxy", "")])
}

#[test]
fn a_proxy_that_refuses_the_connection_is_named() {
    if with_proxy("a_proxy_that_refuses_the_connection_is_named", "http://canary:canary@127.0.0.1:1") {
        current_thread().block_on(async {
            let error = fails(&transport_to(ROOT, quick()), Method::GET).await;
            assert_eq!((error.kind(), error.hop()), (ErrorKind::Network, Some(Hop::Proxy)));
            assert!(error.to_string().contains("refused by the proxy at 127.0.0.1:1"), "{error}");
        });
    }
}

#[test]
fn a_proxy_that_cannot_be_resolved_is_named() {
    if with_proxy("a_proxy_that_cannot_be_resolved_is_named", "proxy.invalid:3128") {
        current_thread().block_on(async {
            let error = fails(&transport_to(ROOT, quick()), Method::GET).await;
            assert_eq!((error.kind(), error.hop()), (ErrorKind::Network, Some(Hop::Proxy)));
            let words = "the host name of the proxy, proxy.invalid:3128, could not be resolved";
            assert!(error.to_string().contains(words), "{error}");
        });
    }
}

#[test]
fn variables_that_cannot_be_used_fail_the_client_that_needs_them_and_no_other() {
    let variables = [
        ("HTTPS_PROXY", "socks5://canary:canary@127.0.0.1:1"),
        ("NO_PROXY", "direct.invalid"),
        ("SSL_CERT_FILE", "/none"),
    ];
    let test = "variables_that_cannot_be_used_fail_the_client_that_needs_them_and_no_other";
    if in_child(module_path!(), test, &variables) {
        let build = |root: &str| {
            let base = crate::http::BaseUrl::parse(root, "", true).expect("a root");
            let credentials = super::Numbered::with_renewals(0);
            let protocol = Arc::new(crate::http::protocol::Plain);
            super::Transport::new(&base, protocol, credentials, TransportOptions::default()).map(drop)
        };
        for (root, variable) in [
            ("https://other.invalid", "HTTPS_PROXY"),
            ("https://direct.invalid", "SSL_CERT_FILE"),
            ("https://[::1]", "SSL_CERT_FILE"),
        ] {
            let error = build(root).expect_err(root);
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains(variable) && !text.contains("canary"), "{text}");
        }
        build("http://127.0.0.1:1").expect("needs neither");
        build("http://plain.invalid").expect("needs neither");
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_names_the_service() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = fails(&transport_to(&format!("http://{address}/api"), quick()), Method::GET).await;
    assert_eq!((error.kind(), error.hop()), (ErrorKind::Network, Some(Hop::Connection)));
    assert!(error.to_string().contains(&format!("refused by the service at {address}")), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_tells_its_head_from_its_body() {
    for (act, hop) in
        [(Act::Hang, Hop::Http), (Act::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()), Hop::Body)]
    {
        let server = Server::start(vec![act]).await;
        let error = fails(&transport_to(&server.root(), quick()), Method::POST).await;
        assert_eq!((error.kind(), error.hop()), (ErrorKind::Network, Some(hop)));
    }
}

/// The error of a call to a server with a self-signed certificate, and the certificate.
async fn to_self_signed(is_ca: IsCa, trusted: bool) -> XtraError {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.is_ca = is_ca;
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], der)
        .expect("they fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    let mut options = quick();
    options.root_certificates.extend(trusted.then(|| certificate.pem().into_bytes()));
    let lookup = |_: &str| Ok(vec![std::net::SocketAddr::from(([127, 0, 0, 1], 0))]);
    options.lookup = Some(Arc::new(lookup));
    let error = fails(&transport_to(&format!("https://localhost:{port}/api"), options), Method::GET).await;
    assert_eq!((error.kind(), error.hop(), error.attempts()), (ErrorKind::Network, Some(Hop::Tls), 1));
    error
}

#[tokio::test]
async fn an_unknown_authority_comes_with_the_advice_to_add_it() {
    let error = to_self_signed(IsCa::NoCa, false).await;
    assert_eq!(error.hint(), Some(&Hint::AddRootCertificate));
    assert!(error.to_string().contains("issuer is unknown"), "{error}");
}

#[tokio::test]
async fn an_authority_s_certificate_that_a_server_uses_as_its_own_is_told() {
    for trusted in [true, false] {
        let error = to_self_signed(IsCa::Ca(BasicConstraints::Unconstrained), trusted).await;
        assert!(error.to_string().contains("certificate authority (CA:TRUE)"), "{error}");
    }
}
