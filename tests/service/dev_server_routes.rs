//! The state behind the dev server's routes: what one of them changes shows in the others.

use std::time::Duration;

use crate::support::{call, ok, read, read_as, text};
use serde_json::{Value, json};
use xtrasecurity::dev_server::{
    DevServer, Fault, ProjectSeed, RateLimits, Role, ServiceAccountSeed, Tier, UserSeed, route,
};

async fn start() -> DevServer {
    let project = ProjectSeed::new("web")
        .member("admin", Role::Admin)
        .member("dev", Role::Developer)
        .member("vic", Role::Viewer)
        .branch("next")
        .secret("production", "API_KEY", "one")
        .secret("production", "URL", "postgres://db")
        .secret("staging", "API_KEY", "staged")
        .service_account(ServiceAccountSeed::new("ci", ["read:secrets"]));
    let mut builder = DevServer::builder().user(UserSeed::new("owner").tier(Tier::Enterprise)).project(project);
    for name in ["admin", "dev", "vic", "out"] {
        builder = builder.user(UserSeed::new(name));
    }
    builder.rate_limits(RateLimits::off()).start().await.unwrap()
}

/// A call that is refused: its status and the text of its error.
async fn refused(server: &DevServer, who: &str, request: &str, body: Value) -> (u16, String) {
    let answer = call(server, who, request, body).await;
    let text = answer.json();
    let text = text["error"].as_str().or(text["message"].as_str()).unwrap_or_default();
    (answer.status, text.to_owned())
}

const KEY: &str = "/projects/{P}/envs/production/secrets/API_KEY";

/// The versions and values of a history, in its order.
fn steps(history: &Value) -> Vec<(String, String)> {
    history["history"].as_array().unwrap().iter().map(|step| (text(&step["version"]), text(&step["value"]))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(version, value)| ((*version).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_rotation_records_the_old_value_under_the_old_version() {
    let server = start().await;
    server.set_secret("web", "production", "main", "API_KEY", "two").unwrap();
    let rotate = format!("POST {KEY}/rotate");
    let body = json!({"strategy": "regenerate", "parsedNewValue": "three", "value": "ignored"});
    assert_eq!(ok(&server, "vic", &rotate, body).await["shadowValue"], "three", "nobody is refused");
    let history = ok(&server, "owner", &format!("GET {KEY}/history"), Value::Null).await;
    assert_eq!(history["currentVersion"], "3");
    assert_eq!(steps(&history), pairs(&[("1", "one"), ("2", "two"), ("2", "two")]));
    assert!(history["history"][2]["updatedAt"].is_string() && history["history"][2].get("description").is_none());
    assert_eq!(history["history"][2]["updatedBy"], "vic@example.test");
    assert_eq!(read(&server, "").await.json()["API_KEY"], "three");
    let drawn = ok(&server, "ci", &rotate, json!({"strategy": "regenerate"})).await;
    assert_eq!(read(&server, "").await.json()["API_KEY"], drawn["shadowValue"]);
    assert_eq!(text(&drawn["shadowValue"]).len(), 32);
    let (status, error) = refused(&server, "owner", &rotate, json!({"strategy": "shadow"})).await;
    assert!(status == 500 && error.contains("shadowStatus"), "{status} {error}");
    assert_eq!(server.secret_version("web", "production", "main", "API_KEY").as_deref(), Some("4"));
    server.stop().await;
}

#[tokio::test]
async fn a_rollback_is_a_new_version_at_the_head_of_the_history() {
    let server = start().await;
    server.set_secret("web", "production", "main", "API_KEY", "two").unwrap();
    let history = format!("{KEY}/history");
    let back = ok(&server, "admin", &format!("POST {history}"), json!({"version": "1"})).await;
    assert_eq!(back, json!({"success": true, "version": "3"}));
    assert_eq!(read(&server, "").await.json()["API_KEY"], "one");
    server.set_secret("web", "production", "main", "API_KEY", "four").unwrap();
    let list = ok(&server, "vic", &format!("GET {history}"), Value::Null).await;
    assert_eq!(steps(&list), pairs(&[("3", "one"), ("1", "one"), ("2", "two"), ("4", "four")]), "for viewers as well");
    let post = format!("POST {history}");
    for (who, body, status) in [
        ("dev", json!({"version": "1"}), 403),
        ("ci", json!({"version": "1"}), 403),
        ("vic", json!({"version": "1"}), 403),
        ("out", json!({"version": "1"}), 403),
        ("owner", json!({"version": "4"}), 400),
        ("owner", json!({"version": 1}), 404),
        ("owner", Value::Null, 500),
    ] {
        assert_eq!(refused(&server, who, &post, body).await.0, status, "{who}");
    }
    let staging = "POST /projects/{P}/envs/staging/secrets/API_KEY/history";
    assert_eq!(refused(&server, "dev", staging, json!({"version": "2"})).await.0, 404, "developers may, in staging");
    server.stop().await;
}

#[tokio::test]
async fn the_history_decodes_its_key_a_second_time() {
    let server = start().await;
    for key in ["a/b", "100%"] {
        server.set_secret("web", "production", "main", key, "v").unwrap();
    }
    let of = |key: &str| format!("GET /projects/{{P}}/envs/production/secrets/{key}/history");
    for key in ["a%2Fb", "a%252Fb"] {
        assert_eq!(ok(&server, "owner", &of(key), Value::Null).await["currentVersion"], "1", "{key}");
    }
    assert_eq!(refused(&server, "owner", &of("100%25"), Value::Null).await, (500, "URI malformed".to_owned()));
    assert_eq!(ok(&server, "owner", &of("100%2525"), Value::Null).await["currentVersion"], "1");
    let one = ok(&server, "owner", "GET /projects/{P}/envs/production/secrets/100%25", Value::Null).await;
    assert_eq!(one["key"], "100%", "the other routes decode once");
    server.stop().await;
}

#[tokio::test]
async fn by_key_the_first_row_on_any_branch_is_meant_and_each_delete_takes_one() {
    let server = start().await;
    server.set_secret("web", "production", "next", "API_KEY", "on next").unwrap();
    let (get, delete) = (format!("GET {KEY}?branch=next"), format!("DELETE {KEY}"));
    let row = ok(&server, "vic", &get, Value::Null).await;
    assert!(text(&row["value"][0]).contains("encryptedData"), "ciphertext");
    assert_eq!(
        refused(&server, "owner", "GET /projects/{P}/envs/Production/secrets/API_KEY", Value::Null).await.0,
        404
    );
    for who in ["dev", "vic", "out", "ci"] {
        assert_eq!(refused(&server, who, &delete, Value::Null).await, (403, "Access Denied".to_owned()), "{who}");
    }
    assert_eq!(ok(&server, "admin", &delete, Value::Null).await, json!({"success": true}));
    assert!(read(&server, "").await.json().get("API_KEY").is_none());
    assert_eq!(read(&server, "?branch=next").await.json()["API_KEY"], "on next");
    ok(&server, "admin", &delete, Value::Null).await;
    assert_eq!(read(&server, "?branch=next").await.body, "{}", "a replay takes the next row");
    assert_eq!(refused(&server, "admin", &delete, Value::Null).await.0, 404);
    let unknown = "/projects/aaaaaaaaaaaaaaaaaaaaaaaa/envs/production/secrets/API_KEY";
    assert_eq!(refused(&server, "owner", &format!("GET {unknown}"), Value::Null).await.0, 404);
    let malformed = call(&server, "owner", "GET /projects/web/envs/production/secrets/API_KEY", Value::Null).await;
    assert_eq!((malformed.status, malformed.body.as_str()), (500, ""));
    server.stop().await;
}

#[tokio::test]
async fn a_link_shows_on_main_and_follows_its_source() {
    let server = start().await;
    let link = "POST /projects/{P}/envs/production/secrets/link";
    let body = json!({"key": "LINKED", "sourceProjectId": server.project_id(), "sourceEnv": "staging", "sourceKey": "API_KEY"});
    let row = ok(&server, "vic", link, body).await;
    assert_eq!((&row["value"], &row["isReference"], &row["branchId"]), (&json!([]), &json!(true), &Value::Null));
    server.set_secret("web", "staging", "main", "API_KEY", "moved on").unwrap();
    assert_eq!(read(&server, "").await.json()["LINKED"], "moved on");
    assert!(read(&server, "?branch=next").await.json().get("LINKED").is_none());
    let of_link =
        json!({"key": "L", "sourceProjectId": server.project_id(), "sourceEnv": "production", "sourceKey": "LINKED"});
    assert_eq!(refused(&server, "owner", link, of_link).await.0, 400);
    let get = call(&server, "owner", &link.replace("POST", "GET"), Value::Null).await;
    assert_eq!((get.status, get.body.as_str()), (405, ""));
    server.stop().await;
}

#[tokio::test]
async fn a_clone_copies_what_is_missing_and_overwrites_when_it_is_told_to() {
    let server = start().await;
    let clone = "POST /projects/{P}/envs/clone";
    let body = json!({"fromEnv": "Production", "toEnv": "STAGING"});
    let summary = ok(&server, "owner", clone, body).await;
    assert_eq!(summary["summary"], json!({"copied": 1, "updated": 0, "skipped": 1}));
    let staging = |key: &str| server.secret("web", "staging", "main", key);
    assert_eq!((staging("URL").as_deref(), staging("API_KEY").as_deref()), (Some("postgres://db"), Some("staged")));
    let body = json!({"fromEnv": "production", "toEnv": "staging", "overwrite": true});
    assert_eq!(ok(&server, "owner", clone, body).await["summary"], json!({"copied": 0, "updated": 2, "skipped": 0}));
    assert_eq!(staging("API_KEY").as_deref(), Some("one"));
    let history = ok(&server, "owner", "GET /projects/{P}/envs/staging/secrets/API_KEY/history", Value::Null).await;
    assert_eq!(steps(&history), pairs(&[("2", "one"), ("1", "staged")]), "at the head");
    let body = json!({"fromEnv": "production", "toEnv": "qa"});
    assert_eq!(refused(&server, "admin", clone, body.clone()).await, (404, "Project not found".to_owned()));
    let crash = call(&server, "ci", clone, body).await;
    assert!(crash.status == 500 && crash.json()["stack"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn the_dashboard_names_a_secret_by_its_id_and_hides_values_from_developers() {
    let server = start().await;
    let project = server.project_id();
    let body = json!({"key": "API_KEY", "value": "twin", "projectId": project, "environmentType": "production"});
    let twin = ok(&server, "owner", "POST /secret", body.clone()).await;
    assert_eq!(
        (&twin["value"], &twin["branchId"], &twin["updatedBy"]),
        (&json!("twin"), &Value::Null, &json!("owner@example.test"))
    );
    assert_eq!(read(&server, "").await.json()["API_KEY"], "twin", "the later row wins");
    let id = text(&twin["id"]);
    let put = format!("PUT /secret?id={id}");
    let changed =
        ok(&server, "owner", &put, json!({"key": "RENAMED", "value": "new", "changeReason": "because"})).await;
    assert_eq!((&changed["version"], &changed["history"][0]["changeReason"]), (&json!("2"), &json!("because")));
    let values = read(&server, "").await.json();
    assert_eq!((&values["API_KEY"], &values["RENAMED"]), (&json!("one"), &json!("new")));
    let back = json!({"secretId": id, "targetVersion": "1"});
    assert_eq!(ok(&server, "owner", "POST /secret/rollback", back).await["version"], "3");
    assert_eq!(server.secret("web", "production", "main", "RENAMED").as_deref(), Some("twin"));
    let values_for = async |who: &str| {
        let list = ok(&server, who, "GET /secret?projectId={P}", Value::Null).await;
        list.as_array().unwrap().iter().map(|row| text(&row["value"])).collect::<Vec<_>>()
    };
    assert_eq!(values_for("admin").await, ["one", "postgres://db", "staged", "twin"]);
    assert_eq!(values_for("dev").await, ["[REDACTED]"; 4]);
    assert_eq!(refused(&server, "ci", "GET /secret?projectId={P}", Value::Null).await.0, 500);
    assert_eq!(refused(&server, "dev", "POST /secret", body).await.0, 403, "not in production");
    let delete = format!("DELETE /secret?id={id}");
    assert_eq!(refused(&server, "vic", &delete, Value::Null).await.0, 403);
    ok(&server, "owner", &delete, Value::Null).await;
    assert_eq!(refused(&server, "owner", &delete, Value::Null).await, (404, "Secret not found".to_owned()));
    assert_eq!(read(&server, "").await.json()["API_KEY"], "one", "its twin is still there");
    server.stop().await;
}

#[tokio::test]
async fn two_branches_are_compared_by_environment_and_key() {
    let server = start().await;
    server.set_secret("web", "production", "next", "API_KEY", "changed").unwrap();
    server.set_secret("web", "production", "next", "ADDED", "new").unwrap();
    let branches = ok(&server, "owner", "GET /branch?projectId={P}", Value::Null).await;
    let (main, next) = (text(&branches[0]["id"]), text(&branches[1]["id"]));
    let difference = ok(&server, "out", &format!("GET /branch/compare?base={main}&compare={next}"), Value::Null).await;
    assert_eq!(difference["added"][0]["decryptedValue"], "new");
    let removed: Vec<String> = difference["removed"].as_array().unwrap().iter().map(|row| text(&row["key"])).collect();
    assert_eq!(removed, ["URL", "API_KEY"], "the second one is of staging");
    let modified = &difference["modified"][0];
    assert_eq!((&modified["baseValue"], &modified["compareValue"]), (&json!("one"), &json!("changed")));
    server.stop().await;
}

#[tokio::test]
async fn a_service_account_key_works_at_once_and_a_deleted_one_stops() {
    let server = start().await;
    let accounts = "/projects/{P}/service-accounts";
    let body = json!({"name": "bot", "permissions": ["read:secrets"]});
    assert_eq!(refused(&server, "dev", &format!("POST {accounts}"), body.clone()).await.0, 403);
    let account = ok(&server, "admin", &format!("POST {accounts}"), body).await;
    let keys = format!("{accounts}/{}/keys", text(&account["id"]));
    let key = ok(&server, "vic", &format!("POST {keys}"), json!({"expiresInDays": 0.5})).await;
    let (token, id) = (text(&key["key"]), text(&key["id"]));
    assert!(token.starts_with("xtra_") && token.len() == 69);
    assert_eq!(read_as(&server, &token, "").await.json()["API_KEY"], "one");
    let listed = ok(&server, "out", &format!("GET {keys}"), Value::Null).await;
    assert_eq!(listed[0]["keyMask"], key["mask"]);
    assert!(listed[0]["lastUsed"].is_string(), "it was used");
    let who = ok(&server, &token, "GET /service-account/resolve", Value::Null).await;
    assert_eq!(who["serviceAccount"]["name"], "bot");
    let patch = format!("PATCH {accounts}/{}", text(&account["id"]));
    ok(&server, "admin", &patch, json!({"permissions": ["write:secrets"]})).await;
    let write = "POST /projects/{P}/envs/production/secrets";
    assert_eq!(ok(&server, &token, write, json!({"secrets": {"NEW": "v"}})).await["count"], 1);
    server.advance(Duration::from_secs(13 * 3600));
    assert_eq!(read_as(&server, &token, "").await.status, 401, "half a day is over");
    let second = text(&ok(&server, "owner", &format!("POST {keys}"), json!({})).await["key"]);
    assert_eq!(read_as(&server, &second, "").await.status, 200);
    ok(&server, "owner", &format!("DELETE {keys}/{id}"), Value::Null).await;
    assert_eq!(refused(&server, "owner", &format!("DELETE {keys}/{id}"), Value::Null).await.0, 404);
    ok(&server, "owner", &format!("DELETE {accounts}/{}", text(&account["id"])), Value::Null).await;
    assert_eq!(read_as(&server, &second, "").await.status, 401, "its keys went with it");
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_service_account_key_stops_working() {
    let server = start().await;
    let accounts = ok(&server, "owner", "GET /projects/{P}/service-accounts", Value::Null).await;
    assert_eq!((&accounts[0]["name"], &accounts[0]["_count"]["apiKeys"]), (&json!("ci"), &json!(1)));
    let keys = format!("/projects/{{P}}/service-accounts/{}/keys", text(&accounts[0]["id"]));
    let key = ok(&server, "owner", &format!("GET {keys}"), Value::Null).await;
    ok(&server, "owner", &format!("DELETE {keys}/{}", text(&key[0]["id"])), Value::Null).await;
    assert_eq!(read_as(&server, server.token_for("ci").unwrap(), "").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn an_approved_request_opens_the_project_for_its_time_and_masked() {
    let server = start().await;
    let body = json!({"projectId": server.project_id(), "reason": "look", "duration": "30"});
    assert_eq!(read_as(&server, server.token_for("out").unwrap(), "").await.status, 403);
    let asked = ok(&server, "out", "POST /access/request", body).await;
    let id = text(&asked["requestId"]);
    let status = format!("GET /access/request?id={id}");
    assert_eq!(ok(&server, "nobody", &status, Value::Null).await["status"], "pending", "to anybody");
    let patch = format!("PATCH /access-requests/{id}");
    assert_eq!(refused(&server, "dev", &patch, json!({"status": "approved"})).await.0, 403);
    ok(&server, "admin", &patch, json!({"status": "approved"})).await;
    let opened = read_as(&server, server.token_for("out").unwrap(), "").await;
    assert_eq!(
        (opened.body.as_str(), opened.header("x-values-masked")),
        (r#"{"API_KEY":"***","URL":"***"}"#, Some("true"))
    );
    server.advance(Duration::from_secs(31 * 60));
    assert_eq!(read_as(&server, server.token_for("out").unwrap(), "").await.status, 403, "its time is over");
    server.stop().await;
}

#[tokio::test]
async fn an_approved_request_for_one_secret_narrows_what_its_holder_reads() {
    let server = start().await;
    let list = ok(&server, "owner", "GET /secret?projectId={P}", Value::Null).await;
    let body = json!({"secretId": list[1]["id"], "reason": "look", "duration": 5});
    let asked = ok(&server, "vic", "POST /access-requests", body).await;
    let workspace = text(&asked["workspaceId"]);
    let vic = server.token_for("vic").unwrap();
    assert_eq!(read_as(&server, vic, "").await.body, r#"{"API_KEY":"***","URL":"***"}"#, "not before it is approved");
    let approve = json!({"requestId": asked["id"], "decision": "approved"});
    assert_eq!(refused(&server, "dev", "POST /access/approve", approve.clone()).await.0, 403);
    ok(&server, "owner", "POST /access/approve", approve.clone()).await;
    let twice = refused(&server, "owner", "POST /access/approve", approve).await;
    assert_eq!(twice, (400, "Request is already approved".to_owned()));
    assert_eq!(read_as(&server, vic, "").await.body, r#"{"URL":"***"}"#);
    let seen = ok(&server, "vic", "GET /secret?projectId={P}", Value::Null).await;
    let seen: Vec<String> = seen.as_array().unwrap().iter().map(|row| text(&row["value"])).collect();
    assert_eq!(seen, ["[REDACTED]", "postgres://db", "[REDACTED]"], "the dashboard shows it in the clear");
    let mine = ok(&server, "vic", "GET /access/list", Value::Null).await;
    assert_eq!((&mine[0]["secret"]["key"], &mine[0]["user"]["email"]), (&json!("URL"), &json!("vic@example.test")));
    let history = format!("GET /access/list?mode=history&workspaceId={workspace}");
    assert_eq!(refused(&server, "vic", &history, Value::Null).await.0, 403);
    assert_eq!(ok(&server, "owner", &history, Value::Null).await.as_array().unwrap().len(), 1);
    let revoke = json!({"requestId": asked["id"], "decision": "revoked"});
    ok(&server, "owner", "POST /access/approve", revoke).await;
    assert_eq!(read_as(&server, vic, "").await.body, r#"{"API_KEY":"***","URL":"***"}"#, "until it is revoked");
    server.stop().await;
}

#[tokio::test]
async fn a_link_makes_one_request_that_still_has_to_be_approved() {
    let server = start().await;
    let body = json!({"projectId": server.project_id(), "duration": 60, "label": "contractor"});
    assert_eq!(refused(&server, "dev", "POST /jit/generate", body.clone()).await.0, 403, "on the free plan");
    let link = ok(&server, "owner", "POST /jit/generate", body.clone()).await;
    let token = text(&link["token"]);
    let claim = json!({"token": token});
    assert_eq!(refused(&server, "owner", "POST /jit/claim", claim.clone()).await.0, 400, "one's own");
    let info = format!("GET /jit/{token}");
    assert_eq!(ok(&server, "out", &info, Value::Null).await["projectName"], "web");
    let claimed = ok(&server, "out", "POST /jit/claim", claim.clone()).await;
    assert_eq!(read_as(&server, server.token_for("out").unwrap(), "").await.status, 403);
    assert_eq!(refused(&server, "out", "POST /jit/claim", claim).await.0, 410, "used up");
    let patch = format!("PATCH /access-requests/{}", text(&claimed["requestId"]));
    ok(&server, "owner", &patch, json!({"status": "approved"})).await;
    assert_eq!(read_as(&server, server.token_for("out").unwrap(), "").await.status, 200);
    let second = ok(&server, "owner", "POST /jit/generate", body).await;
    server.advance(Duration::from_secs(25 * 3600));
    let expired = call(&server, "out", &format!("GET /jit/{}", text(&second["token"])), Value::Null).await;
    assert_eq!((expired.status, &expired.json()["expired"]), (410, &json!(true)));
    server.stop().await;
}

#[tokio::test]
async fn a_key_signs_in_to_a_token_that_is_accepted_for_a_day() {
    let server = start().await;
    let created =
        ok(&server, "vic", "POST /auth/api-keys", json!({"label": "laptop", "expiresAt": "2099-01-01"})).await;
    let key = text(&created["key"]);
    assert_eq!(created["expiresAt"], "2099-01-01T00:00:00.000Z");
    assert_eq!(ok(&server, &key, "GET /user", Value::Null).await["email"], "vic@example.test");
    let signed = ok(&server, "nobody", "POST /auth/cli-login", json!({"apiKey": format!(" {key} ")})).await;
    let jwt = text(&signed["token"]);
    assert_eq!(jwt.split('.').count(), 3);
    assert_eq!(read_as(&server, &jwt, "").await.status, 200);
    let listed = ok(&server, "vic", "GET /auth/api-keys", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "the signed token is no key");
    assert_eq!(listed[0]["label"], "laptop");
    let delete = format!("DELETE /auth/api-keys/{}", text(&created["id"]));
    assert_eq!(refused(&server, "dev", &delete, Value::Null).await.0, 404, "another's");
    ok(&server, "vic", &delete, Value::Null).await;
    assert_eq!(read_as(&server, &key, "").await.status, 401);
    assert_eq!(refused(&server, "nobody", "POST /auth/cli-login", json!({"apiKey": key})).await.0, 401);
    server.advance(Duration::from_secs(24 * 3600 + 1));
    assert_eq!(read_as(&server, &jwt, "").await.status, 401, "the day is over");
    server.stop().await;
}

#[tokio::test]
async fn a_shared_secret_is_shown_as_often_as_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let server = DevServer::builder().persist(&path).start().await.unwrap();
    let list = ok(&server, "owner", "GET /secret?projectId={P}", Value::Null).await;
    let body = json!({"secretId": list[0]["id"], "maxViews": 2});
    let share = ok(&server, "outsider", "POST /secret/share", body).await;
    let view = format!("GET /secret/share?token={}", text(&share["token"]));
    let seen = ok(&server, "nobody", &view, Value::Null).await;
    assert_eq!((&seen["value"], &seen["viewCount"]), (&json!("postgres://app:dev@localhost/app"), &json!(1)));
    server.stop().await;
    let server = DevServer::builder().persist(&path).start().await.unwrap();
    assert_eq!(ok(&server, "nobody", &view, Value::Null).await["viewCount"], 2, "a view is kept");
    assert_eq!(refused(&server, "nobody", &view, Value::Null).await.0, 410);
    let share = ok(&server, "owner", "POST /secret/share", json!({"secretId": list[0]["id"]})).await;
    let revoke = format!("DELETE /secret/share?id={}", text(&share["id"]));
    assert_eq!(refused(&server, "viewer", &revoke, Value::Null).await.0, 403);
    ok(&server, "owner", &revoke, Value::Null).await;
    let view = format!("GET /secret/share?token={}", text(&share["token"]));
    assert_eq!(refused(&server, "nobody", &view, Value::Null).await, (410, "This link has been revoked".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_team_that_loses_the_project_loses_its_roles() {
    let server = start().await;
    let teams = ok(&server, "admin", "GET /project/{P}/teams", Value::Null).await;
    let remove = format!("DELETE /project/{{P}}/teams/{}", text(&teams[0]["id"]));
    assert_eq!(refused(&server, "dev", &remove, Value::Null).await.0, 403);
    ok(&server, "owner", &remove, Value::Null).await;
    assert_eq!(read_as(&server, server.token_for("dev").unwrap(), "").await.status, 403);
    let team = json!({"teamId": teams[0]["teamId"]});
    assert_eq!(ok(&server, "owner", "POST /project/{P}/teams", team.clone()).await["team"], teams[0]["team"]);
    assert_eq!(read_as(&server, server.token_for("dev").unwrap(), "").await.status, 200);
    assert_eq!(refused(&server, "owner", "POST /project/{P}/teams", team).await.0, 409);
    server.stop().await;
}

#[tokio::test]
async fn the_first_address_that_is_let_in_locks_the_others_out() {
    let server = start().await;
    assert_eq!(refused(&server, "admin", "GET /project/{P}/ip", Value::Null).await.0, 404, "for the creator alone");
    let body = json!({"ip": "10.0.0.0/8", "description": "office"});
    let added = ok(&server, "owner", "POST /project/{P}/ip", body.clone()).await;
    assert!(added["ipRestrictions"][0]["addedAt"].is_string());
    assert_eq!(read(&server, "").await.json()["code"], "IP_NOT_ALLOWED");
    assert_eq!(refused(&server, "owner", "POST /project/{P}/ip", body.clone()).await.0, 400);
    assert_eq!(
        ok(&server, "owner", "GET /project/{P}/ip", Value::Null).await["count"],
        1,
        "this route has no such check"
    );
    ok(&server, "owner", "DELETE /project/{P}/ip", body).await;
    assert_eq!(read(&server, "").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn the_glass_is_broken_for_a_quarter_of_an_hour() {
    let server = start().await;
    let body = json!({"projectId": server.project_id(), "reason": "outage"});
    assert_eq!(refused(&server, "dev", "POST /access/break-glass", body.clone()).await.0, 403);
    assert_eq!(ok(&server, "admin", "POST /access/break-glass", body.clone()).await["success"], true);
    let again = ok(&server, "admin", "POST /access/break-glass", body.clone()).await;
    assert!(again.get("success").is_none() && again["session"]["isActive"] == true);
    ok(&server, "admin", "PUT /access/break-glass", json!({"projectId": server.project_id(), "command": "ls"})).await;
    server.advance(Duration::from_secs(15 * 60));
    assert_eq!(refused(&server, "admin", "PUT /access/break-glass", body.clone()).await.0, 403);
    ok(&server, "admin", "POST /access/break-glass", body.clone()).await;
    ok(&server, "admin", "PATCH /access/break-glass", body.clone()).await;
    assert_eq!(refused(&server, "admin", "PUT /access/break-glass", body).await.0, 403);
    server.stop().await;
}

#[tokio::test]
async fn webhooks_are_their_creators_and_keep_a_project_from_being_deleted() {
    let server = start().await;
    let hooks = "/projects/{P}/webhooks";
    let body = json!({"url": "https://hooks.example.test", "events": ["secret.update"]});
    assert_eq!(refused(&server, "admin", &format!("POST {hooks}"), body.clone()).await.0, 404);
    let hook = ok(&server, "owner", &format!("POST {hooks}"), body).await;
    assert_eq!(ok(&server, "admin", &format!("GET {hooks}"), Value::Null).await, json!([]));
    ok(&server, "vic", &format!("PATCH {hooks}"), json!({"id": hook["id"], "active": false})).await;
    assert_eq!(ok(&server, "owner", &format!("GET {hooks}"), Value::Null).await[0]["active"], false);
    let accounts = ok(&server, "owner", "GET /projects/{P}/service-accounts", Value::Null).await;
    let account = format!("DELETE /projects/{{P}}/service-accounts/{}", text(&accounts[0]["id"]));
    ok(&server, "owner", &account, Value::Null).await;
    assert_eq!(refused(&server, "owner", "DELETE /project?id={P}", Value::Null).await.0, 500);
    assert_eq!(refused(&server, "owner", &format!("DELETE {hooks}?id={{P}}"), Value::Null).await.0, 500, "unknown");
    ok(&server, "owner", &format!("DELETE {hooks}/{}", text(&hook["id"])), Value::Null).await;
    ok(&server, "owner", "DELETE /project?id={P}", Value::Null).await;
    server.stop().await;
}

#[tokio::test]
async fn workspaces_are_listed_with_the_callers_part_in_them() {
    let server = start().await;
    let list = ok(&server, "owner", "GET /workspace", Value::Null).await;
    assert_eq!((list.as_array().unwrap().len(), &list[0]["role"]), (1, &json!("owner")));
    let one = format!("GET /workspace?id={}", text(&list[0]["id"]));
    assert_eq!(ok(&server, "dev", &one, Value::Null).await["projects"][0]["name"], "web");
    assert_eq!(refused(&server, "out", &one, Value::Null).await.0, 404);
    assert_eq!(refused(&server, "owner", "GET /workspace?id=web", Value::Null).await.0, 404, "no id at all, too");
    assert_eq!(call(&server, "owner", "POST /workspace", json!({"name": "n"})).await.status, 501);
    server.stop().await;
}

#[tokio::test]
async fn the_named_routes_are_those_that_faults_and_counts_know() {
    let server = start().await;
    server.fault(Fault::status(503).on(route::SECRET_HISTORY));
    assert_eq!(call(&server, "owner", &format!("GET {KEY}/history"), Value::Null).await.status, 503);
    ok(&server, "owner", &format!("GET {KEY}/history"), Value::Null).await;
    ok(&server, "owner", &format!("POST {KEY}/rotate"), json!({"strategy": "regenerate"})).await;
    assert_eq!(server.request_count(route::SECRET_HISTORY), 2);
    assert_eq!(server.request_count(route::SECRET_ROTATE), 1);
    assert_eq!(server.request_count(route::SECRET_GET), 0);
    server.stop().await;
}
