//! The dev server: what the vendor's pages say of tokens and folders.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xtrasecurity::ErrorKind;
use xtrasecurity::syvault::dev::{ClientSeed, SecretSeed, SyVaultDevServer};
use xtrasecurity::syvault::{SyVaultClient, SyVaultFolder};

use crate::server::{CLIENT, SyVault, UID};

/// The private key of RFC 7515, appendix A.3, with its public part, as PKCS#8.
const PKCS8: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";

/// A token that is signed by another implementation.
fn signed(header: &Value, claims: &Value) -> String {
    let random = SystemRandom::new();
    let key = BASE64_STANDARD.decode(PKCS8).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
    let encoded = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let input = format!("{}.{}", encoded(header), encoded(claims));
    let signature = key.sign(&random, input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_token_is_taken_only_in_the_form_and_for_the_time_that_the_pages_say() {
    let server = SyVault::start().await;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let header = json!({ "alg": "ES256", "typ": "JWT" });
    let good = json!({ "sub": CLIENT, "aud": server.url(), "iat": now, "exp": now + 3600 });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let status = async |token: String| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.0.port())).await.unwrap();
        let head = format!("GET /api/sm/v1/secrets/{UID} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        stream.write_all(format!("{head}Authorization: Bearer {token}\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap()
    };
    assert_eq!(status(signed(&header, &good)).await, 200);
    for claims in [
        with("sub", json!("another")),
        with("aud", json!("https://vault.example.com")),
        with("aud", json!(format!("{}/", server.url()))),
        with("iat", json!(now + 600)),
        with("iat", json!(now - 1)),
        with("exp", json!(now + 3601)),
        with("exp", json!(null)),
    ] {
        assert_eq!(status(signed(&header, &claims)).await, 401, "{claims}");
    }
    assert_eq!(status(signed(&json!({ "alg": "none" }), &good)).await, 401);
    let (token, mut other) = (signed(&header, &good), signed(&header, &good));
    other.replace_range(
        ..token.rfind('.').unwrap(),
        &signed(&header, &with("iat", json!(now - 9)))[..token.rfind('.').unwrap()],
    );
    assert_eq!(status(other).await, 401, "the signature of another token");
    server.0.advance(std::time::Duration::from_secs(3601));
    assert_eq!(status(token).await, 401, "it has ended");
}

#[tokio::test]
async fn a_client_has_the_folders_that_it_was_given() {
    let server = SyVaultDevServer::builder()
        .folder(SyVaultFolder::new("own").path(["Own"]))
        .folder(SyVaultFolder::new("other").path(["Other"]))
        .client(ClientSeed::new("reader").reads("own"))
        .client(ClientSeed::new("writer").writes("own"))
        .secret(SecretSeed::new("own", "Database").uid("OwnOne000001").field("password", "s3cret!").rotates("password"))
        .secret(SecretSeed::new("own", "Fixed").uid("FixedOne0001").field("password", "s3cret!"))
        .secret(SecretSeed::new("other", "Hidden").uid("OtherOne0001").field("password", "oth3r!"))
        .start()
        .await
        .unwrap();
    let client = |name: &str| {
        let builder = SyVaultClient::builder().dev_server(&server).no_proxy();
        let builder = builder.client_id(server.client_id(name).unwrap());
        builder.client_secret(server.client_secret(name).unwrap()).build().unwrap()
    };
    let (reader, writer) = (client("reader"), client("writer"));
    let listed: Vec<String> = reader.list().await.unwrap().into_iter().map(|secret| secret.uid).collect();
    assert_eq!(listed, ["FixedOne0001", "OwnOne000001"]);
    assert_eq!(reader.get("OtherOne0001").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(reader.rotate("OwnOne000001").await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(reader.create("own", "New", [("a", "b")]).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(server.field("OwnOne000001", "password").as_deref(), Some("s3cret!"));
    let rotated = writer.rotate("OwnOne000001").await.unwrap();
    assert_eq!(server.field("OwnOne000001", "password").as_deref(), Some(rotated.new_fields["password"].expose()));
    assert_eq!(writer.rotate("FixedOne0001").await.unwrap_err().kind(), ErrorKind::Conflict, "it has no policy");
    assert_eq!(writer.create("other", "New", [("a", "b")]).await.unwrap_err().kind(), ErrorKind::Forbidden);
    let created = writer.create("own", "New", [("a", "b")]).await.unwrap();
    assert_eq!(server.field(&created.uid, "a").as_deref(), Some("b"));
}
