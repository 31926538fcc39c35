//! A dev server that keeps its state in a file, and one with many secrets.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Call, read, read_as};
use serde_json::Value;
use xtrasecurity::dev_server::{
    DevServer, DevServerError, Form, ProjectSeed, RateLimits, SecretSeed, TokenSeed, UserSeed,
};

async fn start(path: &Path) -> DevServer {
    DevServer::builder().persist(path).rate_limits(RateLimits::off()).start().await.unwrap()
}

async fn send(server: &DevServer, token: &str, method: &str, target: &str, body: &str) -> Value {
    let target = format!("/api{}", target.replace("{P}", server.project_id()));
    let answer = Call::new(method, target).token(token).json(body).send(server.port()).await.unwrap();
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    answer.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_persisted_server_comes_back_with_its_state_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let server = start(&path).await;
    let (token, project, owner) = (server.token().to_owned(), server.project_id().to_owned(), server.token());
    send(&server, owner, "POST", "/projects/{P}/envs/production/secrets", r#"{"9":"nine","API_KEY":"two","EMPTY":""}"#)
        .await;
    send(&server, owner, "POST", "/branch", &format!(r#"{{"name":"later","projectId":"{project}"}}"#)).await;
    server.set_secret("demo", "production", "later", "LATE", "v").unwrap();
    let accounts = send(&server, owner, "POST", "/projects/{P}/service-accounts", r#"{"name":"bot"}"#).await;
    let keys = format!("/projects/{{P}}/service-accounts/{}/keys", text(&accounts["id"]));
    let key = text(&send(&server, owner, "POST", &keys, "{}").await["key"]);
    let signed = send(&server, "", "POST", "/auth/cli-login", &format!(r#"{{"apiKey":"{token}"}}"#)).await;
    let body = format!(r#"{{"projectId":"{project}","reason":"r","duration":5}}"#);
    let asked = send(&server, server.token_for("outsider").unwrap(), "POST", "/access/request", &body).await;
    let values = read(&server, "?includeVersions=true").await.body;
    server.stop().await;

    let server = start(&path).await;
    assert_eq!((server.token(), server.project_id()), (token.as_str(), project.as_str()));
    assert_eq!(read(&server, "?includeVersions=true").await.body, values, "values, versions and their order");
    assert_eq!(read(&server, "?branch=later").await.body, r#"{"LATE":"v"}"#);
    assert_eq!(read_as(&server, &key, "").await.status, 200, "a key that was created");
    assert_eq!(read_as(&server, &text(&signed["token"]), "").await.status, 200, "a token that was signed");
    assert_eq!(read_as(&server, server.token_for("ci").unwrap(), "").await.status, 200, "a token of the seed");
    let history = "/projects/{P}/envs/production/secrets/API_KEY/history";
    assert_eq!(send(&server, &token, "POST", history, r#"{"version":"1"}"#).await["version"], "3");
    let patch = format!("/access-requests/{}", text(&asked["requestId"]));
    send(&server, &token, "PATCH", &patch, r#"{"status":"approved"}"#).await;
    assert_eq!(read_as(&server, server.token_for("outsider").unwrap(), "").await.status, 200);
    // New ids go on after the old ones.
    let second = send(&server, &token, "POST", "/projects/{P}/service-accounts", r#"{"name":"second"}"#).await;
    assert_ne!(second["id"], accounts["id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_dropped_has_kept_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let server = start(&path).await;
    let owner = server.token().to_owned();
    send(&server, &owner, "POST", "/projects/{P}/envs/production/secrets", r#"{"LAST":"word"}"#).await;
    assert!(server.revoke_token(server.token_for("ci").unwrap()));
    server.rename_branch("demo", "feature/new-ui", "renamed").unwrap();
    drop(server);
    let server = start(&path).await;
    assert_eq!(read(&server, "").await.json()["LAST"], "word");
    assert_eq!(read(&server, "?branch=renamed").await.json()["FEATURE_NEW_UI"], "on");
    assert_eq!(read_as(&server, server.token_for("ci").unwrap(), "").await.status, 401, "what was revoked stays so");
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["state.json"], "nothing is left beside it");
    server.stop().await;
}

#[tokio::test]
async fn the_state_wins_over_the_seed_and_keeps_what_cannot_be_decrypted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let project = ProjectSeed::new("web")
        .secret("production", "API_KEY", "seeded")
        .with_secret(SecretSeed::new("production", "LOST", "x").form(Form::Undecryptable))
        .with_secret(SecretSeed::new("production", "OLD", "legacy").form(Form::Verbatim));
    let builder = || {
        let token = TokenSeed::new("owner", "short-lived").expires_in(60);
        DevServer::builder()
            .user(UserSeed::new("owner").token("given"))
            .project(project.clone())
            .token(token)
            .persist(&path)
    };
    let server = builder().start().await.unwrap();
    server.set_secret("web", "production", "main", "API_KEY", "changed").unwrap();
    server.advance(Duration::from_secs(61));
    let lost = text(&read(&server, "").await.json()["LOST"]);
    server.stop().await;
    let server = builder().start().await.unwrap();
    let values = read_as(&server, "given", "").await.json();
    assert_eq!((&values["API_KEY"], &values["OLD"]), (&"changed".into(), &"legacy".into()));
    assert_eq!(text(&values["LOST"]), lost);
    assert_eq!(read_as(&server, "short-lived", "").await.status, 401, "the clock has gone on");
    assert_eq!(server.token(), "given");
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_state_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let canary = "canary-5e1f";
    start(&path).await.stop().await;
    let cut = fs::read_to_string(&path).unwrap();
    let cut = &cut[..cut.len() / 2];
    for wrong in
        ["", "{", cut, &format!("{{\"format\":1,\"tokens\":\"{canary}\"}}"), &format!("{{\"format\":\"{canary}\"}}")]
    {
        fs::write(&path, wrong).unwrap();
        let error = DevServer::builder().persist(&path).start().await.unwrap_err();
        assert!(matches!(error, DevServerError::StateSyntax { .. }), "{error:?}");
        assert!(error.to_string().contains("state.json") && !format!("{error:?}").contains(canary), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), wrong, "not written over");
    }
    fs::write(&path, r#"{"format":2,"more":[]}"#).unwrap();
    let error = DevServer::builder().persist(&path).start().await.unwrap_err();
    assert!(matches!(error, DevServerError::StateFormat { format: 2, .. }), "{error:?}");
    for nowhere in [folder.path().join("missing/state.json"), folder.path().to_owned()] {
        let error = DevServer::builder().persist(&nowhere).start().await.unwrap_err();
        assert!(matches!(error, DevServerError::StateFile { .. }), "{error:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_the_state_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let server = start(&path).await;
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    server.set_secret("demo", "production", "main", "K", "v").unwrap();
    assert_eq!(mode(), 0o600, "the next write makes it so again");
    server.stop().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    let server = start(&below.join("state.json")).await;
    fs::remove_dir_all(&below).unwrap();
    let error = server.set_secret("demo", "production", "main", "K", "v").unwrap_err();
    assert!(matches!(error, DevServerError::StateFile { .. }), "{error:?}");
    let target = format!("/api/projects/{}/envs/production/secrets", server.project_id());
    let write = Call::new("POST", target).token(server.token()).json(r#"{"K":"v"}"#);
    assert_eq!(write.send(server.port()).await.unwrap().status, 500);
    assert_eq!(read(&server, "").await.status, 200, "reads go on");
    server.stop().await;
}

#[tokio::test]
async fn ten_thousand_secrets_are_written_and_read_in_seconds() {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let target = format!("/api/projects/{}/envs/many/secrets", server.project_id());
    let started = Instant::now();
    for part in 0..50 {
        let secrets: Vec<String> =
            (0..200).map(|key| format!(r#""KEY_{part}_{key}":"value of {part} {key}""#)).collect();
        let body = format!(r#"{{"secrets":{{{}}}}}"#, secrets.join(","));
        let answer = Call::new("POST", &target).token(server.token()).json(body).send(server.port()).await.unwrap();
        assert_eq!(answer.body, r#"{"success":true,"count":200}"#);
    }
    let answer = Call::get(&target).token(server.token()).send(server.port()).await.unwrap();
    let took = started.elapsed();
    println!("10,000 secrets written and read in {took:?}");
    assert_eq!(answer.json().as_object().unwrap().len(), 10_000);
    // Far above what it takes, and far below what looking at every secret for each key would.
    assert!(took < Duration::from_secs(10), "{took:?}");
    server.stop().await;
}
