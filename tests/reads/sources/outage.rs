//! Layers while a service is away: what its own client kept stands in, and the other layers are as they are now.

use std::fs;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits};
use xtrasecurity::sources::{DotenvFile, Layer, Layered};
use xtrasecurity::{Client, EngineOptions, ErrorKind, OfflineOptions, XtraClient, clock::ManualClock};

use super::layers::{TTL, client_over, given};

#[tokio::test]
async fn while_a_service_is_away_what_its_client_kept_stands_in_and_an_override_is_seen_at_once() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (file, copies) = (dir.path().join(".env"), dir.path().join("copies"));
    let clock = ManualClock::new();
    let service = || {
        let builder = XtraClient::builder().dev_server(&server).clock(clock.clock()).max_retries(0);
        builder.offline(OfflineOptions::new(&copies)).build().unwrap()
    };
    let layered = || {
        let layers = [
            Layer::new(DotenvFile::new(&file), ()),
            Layer::of_client(&service(), "production").names(["API_KEY", "PORT"]),
        ];
        Client::with_options(Layered::new(layers).unwrap(), EngineOptions::default().clock(clock.clock()))
    };
    fs::write(&file, "HOST=db\n").unwrap();
    let client = layered();
    let before = client.read(()).await.unwrap();
    let key = before.require("API_KEY").unwrap().expose().to_owned();
    assert_eq!(before.layer_of("API_KEY").map(|layer| layer.number()), Some(2));

    server.fault(Fault::refuse().forever());
    clock.advance(4 * TTL);
    fs::write(&file, "HOST=db\nPORT=1\n").unwrap();
    let kept = client.refresh(()).await.unwrap();
    assert_eq!(kept.require("API_KEY").unwrap().expose(), key);
    assert_eq!(kept.require("PORT").unwrap().expose(), "1");
    assert!(kept.age() >= 4 * TTL && kept.is_stale(), "as old as its oldest part: {:?}", kept.age());

    // a program that starts now has the copy on disk of the service alone
    let started = layered().read(()).await.unwrap();
    assert_eq!(started.require("API_KEY").unwrap().expose(), key);
    fs::write(&file, "HOST=db\nAPI_KEY=mended\n").unwrap();
    assert_eq!(layered().read(()).await.unwrap().require("API_KEY").unwrap().expose(), "mended");
    for copy in fs::read_dir(&copies).unwrap() {
        fs::remove_file(copy.unwrap().path()).unwrap();
    }
    let error = layered().read(()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Network && error.to_string().contains("layer 2 ("), "{error}");
}

#[tokio::test]
async fn a_service_that_is_away_is_not_asked_by_every_read() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let clock = ManualClock::new();
    let service = XtraClient::builder().dev_server(&server).clock(clock.clock()).max_retries(0).build().unwrap();
    let layers = [Layer::of_client(&service, "production")];
    let client = Client::with_options(Layered::new(layers).unwrap(), EngineOptions::default().clock(clock.clock()));
    client.read(()).await.unwrap();
    server.fault(Fault::refuse().forever());
    clock.advance(4 * TTL);
    for _ in 0..50 {
        assert!(client.refresh(()).await.is_ok());
    }
    assert_eq!(service.stats().requests, 2, "one failed");
    clock.advance(Duration::from_secs(2));
    client.refresh(()).await.unwrap();
    assert_eq!(service.stats().requests, 3, "and after a pause the next");
}

#[tokio::test]
async fn a_layer_that_suddenly_has_no_secrets_is_held_back_although_the_other_layers_have_some() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let service = XtraClient::builder().dev_server(&server).build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    fs::write(&file, "HOST=db\n").unwrap();
    let (client, _clock) =
        client_over([Layer::new(DotenvFile::new(&file), ()), Layer::of_client(&service, "production").every_name()]);
    let before = client.read(()).await.unwrap();
    server.fault(Fault::body(200, "application/json", b"{}").forever());
    let after = client.refresh(()).await.unwrap();
    assert!(before.len() > 1);
    assert_eq!(given(&after), given(&before));
    assert_eq!(service.stats().shrinks_refused, 1);
}
