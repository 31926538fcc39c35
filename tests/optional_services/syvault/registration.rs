//! The registration of a client by a token that is good once.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use xtrasecurity::syvault::dev::{ClientSeed, Fault, SecretSeed, SyVaultDevServer, route};
use xtrasecurity::syvault::{SyVaultClient, SyVaultClientBuilder, SyVaultFolder, new_client_secret};
use xtrasecurity::{ErrorKind, SecretValue, blocking};

async fn server() -> SyVaultDevServer {
    let builder = SyVaultDevServer::builder()
        .folder(SyVaultFolder::new("own").path(["Own"]))
        .folder(SyVaultFolder::new("other"))
        .client(ClientSeed::unregistered("new").reads("own"))
        .secret(SecretSeed::new("own", "Database").uid("OwnOne000001").field("password", "s3cret!"));
    builder.start().await.unwrap()
}

fn builder(server: &SyVaultDevServer, key: &SecretValue) -> SyVaultClientBuilder {
    let builder = SyVaultClient::builder().server(server.url()).client_secret(key.clone()).no_proxy();
    server.folders().into_iter().fold(builder, SyVaultClientBuilder::folder)
}

#[tokio::test]
async fn a_client_registers_its_key_once_and_is_known_from_then_on() {
    let server = server().await;
    let (key, token) = (new_client_secret().unwrap(), server.one_time_token("new").unwrap());
    let unknown = builder(&server, &key).client_id(server.client_id("new").unwrap()).build().unwrap();
    assert_eq!(unknown.get("OwnOne000001").await.unwrap_err().kind(), ErrorKind::Unauthorized);
    let registration = builder(&server, &key).bootstrap(token.as_str()).await.unwrap();
    assert_eq!(Some(&registration.client_id), server.client_id("new").as_ref());
    assert_eq!(registration.encrypted_folder_keys.keys().collect::<Vec<_>>(), ["own"], "what it may read");
    assert!(!format!("{registration:?}").contains(registration.encrypted_folder_keys["own"].expose()));
    let client = builder(&server, &key).client_id(registration.client_id).build().unwrap();
    assert_eq!(client.get("OwnOne000001").await.unwrap().require("password").unwrap().expose(), "s3cret!");
    let error = builder(&server, &key).bootstrap(token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().starts_with("bootstrap: ") && error.to_string().contains("good once"), "{error}");
}

#[tokio::test]
async fn the_request_has_the_public_point_and_no_authorization() {
    let server = server().await;
    let (key, token) = (new_client_secret().unwrap(), server.one_time_token("new").unwrap());
    builder(&server, &key).bootstrap(token.as_str()).await.unwrap();
    let seen = server.requests(route::BOOTSTRAP_CREATE).pop().unwrap();
    assert_eq!(seen.header("authorization"), None);
    let body: serde_json::Value = serde_json::from_slice(seen.body().unwrap()).unwrap();
    let point = BASE64_STANDARD.decode(body["public_key"].as_str().unwrap()).unwrap();
    assert_eq!((body["token"].as_str(), point.len(), point[0]), (Some(token.as_str()), 65, 4));
    assert!(!body.to_string().contains(key.expose()));
}

#[tokio::test]
async fn a_registration_is_never_sent_twice_and_its_doubt_is_told() {
    let server = server().await;
    let key = new_client_secret().unwrap();
    for fault in [Fault::status(503), Fault::refuse(), Fault::status(500)] {
        server.reset_counts();
        server.fault(fault);
        let error = builder(&server, &key).bootstrap("vft_canary").await.unwrap_err();
        assert!(error.may_have_been_applied() && error.to_string().contains("may be used up"), "{error}");
        assert!(!format!("{error:?}").contains("vft_canary"), "{error}");
        assert_eq!(server.total_requests(), 1);
    }
    let empty = builder(&server, &key).bootstrap(" ").await.unwrap_err();
    let keyless = SyVaultClient::builder().server(server.url()).client_secret("hunter2").bootstrap("vft_1").await;
    assert_eq!((empty.kind(), keyless.unwrap_err().kind()), (ErrorKind::Credentials, ErrorKind::Credentials));
    assert_eq!(server.total_requests(), 1, "nothing more was sent");
}

#[test]
fn a_program_without_async_registers_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(server());
    let key = new_client_secret().unwrap();
    let builder = blocking::SyVaultClient::builder().server(server.url()).client_secret(key).no_proxy();
    let registration = builder.bootstrap(server.one_time_token("new").unwrap()).unwrap();
    assert_eq!(Some(registration.client_id), server.client_id("new"));
}
