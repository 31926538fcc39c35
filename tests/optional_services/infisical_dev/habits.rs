//! Habits that a client must live with, switched on by a test.

use std::time::Duration;

use serde_json::Value;
use xtrasecurity::infisical::dev::{
    Fault, Generation, HalfExpansion, IdentitySeed, InfisicalDevServer, ProjectSeed, RateLimits, Role, SecretSeed,
    route,
};

use crate::wire::{Answer, Call};

async fn start(generation: Generation, limits: RateLimits) -> InfisicalDevServer {
    InfisicalDevServer::builder()
        .generation(generation)
        .rate_limits(limits)
        .identity(IdentitySeed::new("ci"))
        .project(
            ProjectSeed::new("web")
                .member("ci", Role::Admin)
                .secret(SecretSeed::new("dev", "BASE", "b"))
                .secret(SecretSeed::new("dev", "MIDDLE", "<${BASE}>"))
                .secret(SecretSeed::new("dev", "CHAIN", "${MIDDLE}!")),
        )
        .start()
        .await
        .unwrap()
}

async fn list(server: &InfisicalDevServer) -> Answer {
    let project = server.project_id();
    let target = format!("/api/v3/secrets/raw?workspaceId={project}&environment=dev&expandSecretReferences=true");
    Call::new("GET", target).token(server.token()).send(server.port()).await
}

fn chain(answer: &Answer) -> String {
    let body: Value = answer.json();
    let rows = body["secrets"].as_array().unwrap();
    rows.iter().find(|row| row["secretKey"] == "CHAIN").unwrap()["secretValue"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_list_leaves_references_of_the_second_level_where_it_is_told_to_or_by_chance() {
    let server = start(Generation::October2024, RateLimits::off()).await;
    assert_eq!(chain(&list(&server).await), "<b>!");
    server.set_half_expansion(HalfExpansion::Of(["CHAIN".to_owned()].into()));
    assert_eq!(chain(&list(&server).await), "<${BASE}>!");
    server.set_half_expansion(HalfExpansion::Random);
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 2 {
        seen.insert(chain(&list(&server).await));
    }
}

#[tokio::test]
async fn a_spent_minute_is_refused_by_route_and_ends_with_the_clock() {
    let server = start(Generation::Current, RateLimits::new(9, 9, 2)).await;
    let first = list(&server).await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), (Some("2"), Some("1")));
    list(&server).await;
    let refused = list(&server).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"], "RateLimitExceeded");
    assert_eq!(refused.header("retry-after"), Some("60"));
    server.advance(Duration::from_secs(61));
    assert_eq!(list(&server).await.status, 200);
    assert_eq!(server.request_count(route::SECRETS_V3_LIST), 4);
}

#[tokio::test]
async fn faults_and_the_ends_of_tokens_are_in_the_hand_of_the_test() {
    let server = start(Generation::August2024, RateLimits::off()).await;
    server.fault(Fault::status(503).on(route::SECRETS_V3_LIST));
    let project = server.project_id();
    let target = format!("/api/v3/secrets/raw?workspaceId={project}&environment=dev");
    let faulty = Call::new("GET", target).token(server.token()).send(server.port()).await;
    assert_eq!((faulty.status, server.pending_faults()), (503, 0));
    assert_eq!(list(&server).await.status, 200);
    server.revoke_tokens("ci").unwrap();
    assert_eq!(list(&server).await.status, 403);
}

#[tokio::test]
async fn what_has_the_tag_that_the_client_has_is_left_out() {
    let server = start(Generation::Current, RateLimits::off()).await;
    let first = list(&server).await;
    let tag = first.header("etag").unwrap().to_owned();
    let project = server.project_id();
    let target = format!("/api/v3/secrets/raw?workspaceId={project}&environment=dev&expandSecretReferences=true");
    let again = Call::new("GET", target).token(server.token()).header("If-None-Match", &tag);
    assert_eq!(again.send(server.port()).await.status, 304);
    server.set_value("web", "dev", "/", "BASE", "c").unwrap();
    let changed = again.send(server.port()).await;
    assert_eq!((changed.status, chain(&changed)), (200, "<c>!".to_owned()));
}
