//! The canary: a planted value and token are in no `Debug`, `Display`, cause, event or panic of any public type.
//!
//! The types are those of the written-down API (`tests/public_api.txt`, `tests/public_api_raw.txt`), so a new one that is
//! not looked at here fails the test.

mod copies;
mod events;
mod failures;
mod generated;
#[cfg(feature = "infisical")]
mod infisical;
#[cfg(feature = "infisical")]
mod infisical_generated;
#[cfg(feature = "infisical")]
mod infisical_writes;
mod planted;
mod public_types;
mod requests;
mod rows;
mod sample;
#[cfg(feature = "secr")]
mod secr;
mod small_sources;
#[cfg(feature = "syvault")]
mod syvault;
mod world;

use std::collections::BTreeSet;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{Fault, route};

use events::Watch;
use planted::{BRANCH, ENVIRONMENT, KEY, PROJECT, VALUE, hides, hides_debug};
use sample::{Plant, Sampler};

/// The types that are written down, by their public paths. Those of services that are off by default are looked at with their
/// tests, in `tests/optional_services`.
fn written_types() -> BTreeSet<&'static str> {
    let text = include_str!("../public_api.txt");
    let heads = text.lines().filter(|line| !line.starts_with(' ') && !line.starts_with("infisical::dev::"));
    // those of a service that is compiled in
    let heads = heads.filter(|head| cfg!(feature = "infisical") || !head.contains("infisical::"));
    let heads = heads.filter(|head| cfg!(feature = "secr") || !head.contains("secr::"));
    let heads = heads.filter(|head| cfg!(feature = "tower") || !head.starts_with("secr::WebhookLayer"));
    let heads = heads.filter(|head| cfg!(feature = "tower") || !head.starts_with("secr::WebhookService"));
    let heads = heads.filter(|head| cfg!(feature = "syvault") || !head.contains("syvault::"));
    heads.filter_map(|line| line.strip_suffix(" (struct)").or_else(|| line.strip_suffix(" (enum)"))).collect()
}

#[track_caller]
fn assert_all_known(what: &str, written: &BTreeSet<&str>, known: &BTreeSet<&str>) {
    let missing: Vec<_> = written.difference(known).collect();
    assert!(missing.is_empty(), "new {what}: {missing:?}. Add them to the canary");
    let gone: Vec<_> = known.difference(written).collect();
    assert!(gone.is_empty(), "the canary knows {what} that are gone: {gone:?}");
}

#[tokio::test]
async fn no_public_type_shows_a_value_or_a_token() {
    let _watch = Watch::start();
    let server = world::server().await;
    let mut table = public_types::Table::default();
    public_types::all(&mut table, &server).await;
    rows::all(&mut table).await;
    small_sources::all(&mut table).await;
    copies::all(&mut table).await;
    #[cfg(feature = "infisical")]
    {
        infisical::all(&mut table).await;
        infisical_writes::all(&mut table).await;
    }
    #[cfg(feature = "secr")]
    secr::all(&mut table).await;
    #[cfg(feature = "syvault")]
    syvault::all(&mut table).await;
    assert_all_known("public types", &written_types(), &table.0);
    server.stop().await;
}

#[test]
fn no_generated_type_shows_a_value() {
    let written = include_str!("../public_api_raw.txt").lines().filter_map(|line| line.strip_prefix("type "));
    assert_generated_types_hide(&sample::document(), &generated::types(), &written.collect());
}

/// Of its schemas, what is sent in the place of a secret and what has no fixed form are types of the library.
#[cfg(feature = "infisical")]
#[test]
fn no_generated_type_of_infisical_shows_a_value() {
    const REPLACED: [&str; 4] = ["FreeForm", "SecretData", "SecretInput", "SecretValue"];
    let written = include_str!("../public_api_raw_infisical.txt").lines();
    let written = written.filter_map(|line| line.strip_prefix("schema ")).filter(|name| !REPLACED.contains(name));
    assert_generated_types_hide(&sample::infisical_document(), &infisical_generated::types(), &written.collect());
}

fn assert_generated_types_hide(
    document: &serde_json::Value,
    types: &std::collections::BTreeMap<&'static str, generated::Show>,
    written: &BTreeSet<&str>,
) {
    let _watch = Watch::start();
    assert_all_known("generated types", written, &types.keys().copied().collect());
    let mut held = 0;
    for (name, show) in types {
        // the generator's name for the object in a schema that may be null
        let schema = name.strip_suffix("Inner").unwrap_or(name);
        for rich in [false, true] {
            let (json, planted) = Sampler::new(document, Plant::Everywhere, rich).sample(schema);
            let shown = show(json).unwrap_or_else(|error| panic!("{name}: {error}"));
            shown.debug.iter().for_each(|text| hides(name, text));
            let marked = |text: &String| text.contains("[REDACTED]") || text.contains("FreeForm(");
            assert!(
                planted == 0 || shown.debug.iter().all(marked),
                "{name} has lost what was planted: {:?}",
                shown.debug
            );
            held += planted;

            let (json, planted) = Sampler::new(document, Plant::InAnswers, rich).sample(schema);
            let shown = show(json).unwrap_or_else(|error| panic!("{name}: {error}"));
            hides(name, &shown.written);
            assert!(planted == 0 || shown.written.contains("[REDACTED]"), "{name} has lost it: {}", shown.written);
        }
    }
    assert!(held > 40, "something was planted at {held} places");
}

#[tokio::test]
async fn no_request_of_the_raw_client_shows_the_secret_that_it_will_send() {
    let _watch = Watch::start();
    let server = world::server().await;
    let client = world::client(&server);
    let document = sample::document();
    let requests = requests::requests(&client, &document);
    for (name, request) in &requests {
        hides_debug(name, request);
        let shown = format!("{request:?}");
        assert!(shown.contains("[REDACTED]") || shown.contains("FreeForm("), "{name} holds no secret: {shown}");
    }
    let known = requests.iter().map(|(name, _)| *name).collect();
    let needed = sample::operations_with_secrets(&document);
    assert_all_known("operations that send secrets", &needed.iter().map(String::as_str).collect(), &known);
    server.stop().await;
}

#[tokio::test]
async fn no_error_shows_what_an_answer_a_header_or_an_address_held() {
    let _watch = Watch::start();
    let server = world::server().await;
    let mut seen = failures::Seen { errors: 0 };
    let faults = failures::faults();
    for (name, fault) in &faults {
        failures::meet(&server, name, fault, &mut seen).await;
    }
    assert!(seen.errors > 3 * faults.len(), "{} faults, {} errors", faults.len(), seen.errors);
    failures::repeated_token(&server, &mut seen).await;
    failures::without_an_answer(&server, &mut seen).await;
    server.stop().await;
}

#[tokio::test]
async fn the_watch_hears_this_crate_and_the_http_client() {
    let watch = Watch::start();
    let server = world::server().await;
    let client = world::client(&server);
    let secrets = client.get_secrets(ENVIRONMENT).branch(BRANCH).await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE);
    client.get_secrets("nothing-here").await.unwrap();
    client.raw().projects_get().id(PROJECT).send().await.unwrap();
    let guarded = XtraClient::builder().dev_server(&server).branch(BRANCH).required([KEY]).build().unwrap();
    guarded.get_secrets(ENVIRONMENT).await.unwrap();
    server.fault(Fault::body(200, "application/json", r#"{"OTHER":"v"}"#).on(route::SECRETS_READ));
    assert_eq!(guarded.refresh(ENVIRONMENT).await.unwrap_err().names(), [KEY]);
    assert!(watch.has_heard_from("xtrasecurity::http DEBUG"), "requests");
    assert!(watch.has_heard_from("xtrasecurity::engine WARN"), "an empty scope");
    assert!(watch.has_heard_from("reqwest::connect DEBUG"), "connections");
    server.stop().await;
}
