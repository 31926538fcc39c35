//! The state behind the dev server's routes: seeds, guards, limits, secrets, branches.

use std::time::Duration;

use crate::support::{Answer, Call, read, read_as};
use xtrasecurity::dev_server::{
    DevServer, DevServerBuilder, Form, GrantSeed, LinkSeed, ProjectSeed, RateLimits, Role, SecretSeed,
    ServiceAccountSeed, Tier, TokenSeed, UserSeed,
};

const CANARY: &str = "canary-5e1f";

async fn write(server: &DevServer, body: &str) -> Answer {
    let target = format!("/api/projects/{}/envs/production/secrets", server.project_id());
    Call::new("POST", target).token(server.token()).json(body).send(server.port()).await.unwrap()
}

fn web(project: ProjectSeed) -> DevServerBuilder {
    DevServer::builder().user(UserSeed::new("owner").tier(Tier::Pro)).user(UserSeed::new("vic")).project(project)
}

fn project() -> ProjectSeed {
    ProjectSeed::new("web").secret("production", "API_KEY", CANARY).secret("production", "URL", "postgres://db")
}

#[tokio::test]
async fn what_is_written_is_read_with_versions_that_count_up() {
    let server = DevServer::start().await.unwrap();
    for value in ["one", "two"] {
        let answer = write(&server, &format!(r#"{{"secrets":{{"NEW":"{value}"}}}}"#)).await;
        assert_eq!(answer.body, r#"{"success":true,"count":1}"#);
    }
    let answer = read(&server, "?includeVersions=true").await.json();
    assert_eq!((answer["NEW"]["value"].as_str(), answer["NEW"]["version"].as_str()), (Some("two"), Some("2")));
    assert_eq!(server.secret_version("demo", "production", "main", "NEW").as_deref(), Some("2"));
    assert!(server.remove_secret("demo", "production", "main", "NEW").unwrap());
    assert!(read(&server, "").await.json().get("NEW").is_none());
    server.stop().await;
}

#[tokio::test]
async fn values_that_cannot_be_read_come_back_as_the_service_sends_them() {
    let envelope = r#"{"ciphertext":"aa","iv":"bb","authTag":"cc"}"#;
    let seed = project()
        .with_secret(SecretSeed::new("production", "EMPTY", ""))
        .with_secret(SecretSeed::new("production", "LOST", CANARY).form(Form::Undecryptable))
        .with_secret(SecretSeed::new("production", "OLD", "legacy text").form(Form::Verbatim))
        .with_secret(SecretSeed::new("production", "ENVELOPE", envelope).form(Form::Verbatim))
        .with_secret(SecretSeed::link("production", "LINKED", LinkSeed::new("web", "production", "URL")));
    let server = web(seed).start().await.unwrap();
    let answer = read(&server, "").await;
    let values = answer.json();
    assert!(values["EMPTY"].as_str().unwrap().contains(r#""encryptedData":"","authTag":""#));
    assert!(values["LOST"].as_str().unwrap().starts_with(r#"{"iv":""#));
    assert_eq!(values["OLD"], "legacy text");
    assert_eq!(values["ENVELOPE"], envelope);
    assert_eq!(values["LINKED"], "postgres://db");
    assert_eq!(answer.body.matches(CANARY).count(), 1, "the lost one is nowhere in the clear");
    let linked = read(&server, "?includeVersions=true").await.json();
    assert_eq!((&linked["LINKED"]["isReference"], &linked["LINKED"]["source"]), (&true.into(), &"linked".into()));
    server.remove_secret("web", "production", "main", "URL").unwrap();
    assert!(read(&server, "").await.json().get("LINKED").is_none(), "a dangling link is left out");
    server.stop().await;
}

#[tokio::test]
async fn the_secrets_of_a_deleted_branch_surface_on_main() {
    let server = DevServer::start().await.unwrap();
    let branches = Call::get(format!("/api/branch?projectId={}", server.project_id())).token(server.token());
    let branches = branches.send(server.port()).await.unwrap().json();
    let id = branches[1]["id"].as_str().unwrap();
    assert_eq!(read(&server, "").await.json()["FEATURE_NEW_UI"], "off");
    let delete = Call::new("DELETE", format!("/api/branch?id={id}")).token(server.token());
    assert_eq!(delete.send(server.port()).await.unwrap().status, 200);
    assert_eq!(read(&server, "").await.json()["FEATURE_NEW_UI"], "on", "the orphan shadows the row of main");
    assert_eq!(read(&server, "?branch=feature/new-ui").await.body, "{}", "an unknown branch is empty");
    server.stop().await;
}

#[tokio::test]
async fn a_renamed_branch_looks_deleted_and_a_new_one_is_empty() {
    let server = DevServer::start().await.unwrap();
    server.rename_branch("demo", "feature/new-ui", "renamed").unwrap();
    server.add_branch("demo", "fresh").unwrap();
    assert_eq!(read(&server, "?branch=feature/new-ui").await.body, "{}");
    assert_eq!(read(&server, "?branch=fresh").await.body, "{}");
    assert_eq!(read(&server, "?branch=renamed").await.json()["FEATURE_NEW_UI"], "on");
    server.stop().await;
}

#[tokio::test]
async fn the_gates_come_in_their_order_before_the_token_is_asked_for() {
    let seed = project().service_account(ServiceAccountSeed::new("ci", ["read:secrets"]));
    let server = web(seed).user(UserSeed::new("mfa").with_mfa()).start().await.unwrap();
    server.set_two_factor_required("web", true).unwrap();
    assert_eq!(read(&server, "").await.json()["code"], "2FA_REQUIRED");
    assert_eq!(read_as(&server, server.token_for("ci").unwrap(), "").await.status, 200, "accounts are exempt");
    let denied = read_as(&server, server.token_for("mfa").unwrap(), "").await;
    assert_eq!(denied.body, r#"{"error":"Access Denied"}"#, "past the gate, without a role");
    server.set_allowed_ips("web", ["10.0.0.0/8"]).unwrap();
    assert_eq!(read_as(&server, "nobody", "").await.json()["code"], "IP_NOT_ALLOWED");
    server.set_blocked("web", true).unwrap();
    let blocked = read_as(&server, "nobody", "").await;
    assert_eq!((blocked.status, blocked.header("x-ratelimit-limit")), (403, None));
    assert!(blocked.json().get("code").is_none());
    server.set_blocked("web", false).unwrap();
    server.set_allowed_ips("web", []).unwrap();
    assert_eq!(read_as(&server, "nobody", "").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn viewers_and_holders_of_approved_requests_read_masks() {
    let seed = project().member("vic", Role::Viewer).grant(GrantSeed::approved("jit").names(["URL"]));
    let seed = seed.grant(GrantSeed::needs_elevation("low"));
    let server = web(seed).user(UserSeed::new("jit")).user(UserSeed::new("low")).start().await.unwrap();
    let viewer = read_as(&server, server.token_for("vic").unwrap(), "").await;
    assert_eq!(viewer.body, r#"{"API_KEY":"***","URL":"***"}"#);
    assert_eq!(viewer.header("x-values-masked"), Some("true"));
    let versions = read_as(&server, server.token_for("vic").unwrap(), "?includeVersions=true").await;
    assert_eq!((versions.json()["URL"]["value"].as_str(), versions.header("x-values-masked")), (Some("***"), None));
    let narrowed = read_as(&server, server.token_for("jit").unwrap(), "").await;
    assert_eq!(narrowed.body, r#"{"URL":"***"}"#);
    let elevated = read_as(&server, server.token_for("low").unwrap(), "").await;
    assert_eq!((elevated.status, elevated.json()["action"].as_str()), (403, Some("request_jit")));
    server.stop().await;
}

#[tokio::test]
async fn tokens_expire_with_the_servers_clock_and_can_be_revoked() {
    let token = TokenSeed::new("owner", "short-lived").expires_in(60);
    let server =
        web(project()).token(token).token(TokenSeed::new("owner", "long-gone").expired()).start().await.unwrap();
    assert_eq!(read_as(&server, "long-gone", "").await.status, 401);
    assert_eq!(read_as(&server, "short-lived", "").await.status, 200);
    server.advance(Duration::from_secs(61));
    assert_eq!(read_as(&server, "short-lived", "").await.status, 401);
    assert!(server.revoke_token(server.token()));
    assert_eq!(read(&server, "").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn the_limit_by_address_is_silent_and_ends_with_its_minute() {
    let server = DevServer::start().await.unwrap();
    for _ in 0..100 {
        assert_eq!(Call::get("/api/health").send(server.port()).await.unwrap().status, 200);
    }
    let refused = read(&server, "").await;
    assert_eq!((refused.status, refused.body.as_str()), (429, r#"{"error":"Too Many Requests"}"#));
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-limit")), (None, None));
    let elsewhere = Call::get("/api/health").header("X-Forwarded-For", "203.0.113.9, 10.0.0.1");
    assert_eq!(elsewhere.send(server.port()).await.unwrap().status, 200, "another address has its own window");
    server.advance(Duration::from_secs(60));
    assert_eq!(read(&server, "").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn the_owners_budget_is_spent_by_every_caller_and_tells_when_it_ends() {
    let limits = RateLimits::default().without_per_ip().burst(3).daily(5);
    let server = web(project()).rate_limits(limits).start().await.unwrap();
    for (token, remaining) in [(server.token(), "4"), ("nobody", "3"), (server.token(), "2")] {
        let answer = read_as(&server, token, "").await;
        assert_eq!(
            (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")),
            (Some("5"), Some(remaining))
        );
    }
    let burst = read(&server, "").await;
    assert_eq!((burst.status, burst.header("x-ratelimit-limit")), (429, Some("3")));
    assert_eq!(burst.header("content-type"), Some("text/plain;charset=UTF-8"));
    let seconds = burst.json()["retryAfter"].as_u64().unwrap();
    assert!((58..=60).contains(&seconds));
    assert_eq!(burst.header("retry-after"), Some(seconds.to_string().as_str()));
    server.advance(Duration::from_secs(60));
    assert_eq!(read(&server, "").await.header("x-ratelimit-remaining"), Some("1"));
    assert_eq!(read(&server, "").await.header("x-ratelimit-remaining"), Some("0"));
    let daily = read(&server, "").await;
    assert_eq!((daily.status, daily.header("x-ratelimit-limit")), (429, Some("5")));
    assert!(daily.json()["retryAfter"].as_u64().unwrap() > 80_000);
    server.stop().await;
}

#[tokio::test]
async fn a_route_that_is_not_served_is_told_from_one_that_does_not_exist() {
    let server = DevServer::start().await.unwrap();
    let teams = Call::get("/api/team").token(server.token()).send(server.port()).await.unwrap();
    assert_eq!(teams.status, 501);
    assert!(teams.body.contains("/api/team"));
    assert_eq!(Call::get("/api/teams").send(server.port()).await.unwrap().status, 404);
    let target = format!("/api/projects/{}/envs/../secrets", server.project_id());
    assert_eq!(Call::get(target).send(server.port()).await.unwrap().status, 404, "dots go nowhere");
    let options = Call::new("OPTIONS", "/api/health").send(server.port()).await.unwrap();
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    server.stop().await;
}
