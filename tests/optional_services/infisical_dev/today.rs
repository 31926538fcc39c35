//! The service of today, as it is documented.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use xtrasecurity::infisical::dev::{
    Action, Grant, IdentitySeed, InfisicalDevServer, InfisicalDevServerBuilder, LoginMethod, ProjectSeed, Role,
    SecretSeed, route,
};

use crate::wire::{Answer, Call};

fn project() -> ProjectSeed {
    ProjectSeed::new("web")
        .member("ci", Role::Admin)
        .member("ann", Role::Admin)
        .member("names", Role::Custom(vec![Grant::new([Action::Describe])]))
        .member("dev", Role::Custom(vec![Grant::new([Action::Read]).environment("dev")]))
        .secret(SecretSeed::new("dev", "HOST", "localhost").tag("net"))
        .secret(SecretSeed::new("dev", "URL", "http://${HOST}:${staging.app.PORT}/"))
        .secret(SecretSeed::new("dev", "NESTED", "${staging.${WHERE}.PORT}"))
        .secret(SecretSeed::new("dev", "WHERE", "app"))
        .secret(SecretSeed::new("dev", "LOST", "<${nowhere.X}>"))
        .secret(SecretSeed::new("dev", "HOST", "ann's").personal_of("ann"))
        .secret(SecretSeed::new("staging", "PORT", "8080").path("/app"))
        .secret(SecretSeed::new("staging", "SHARED", "of ${HOST}").path("/shared"))
        .secret(SecretSeed::new("staging", "HOST", "staging.test").path("/shared"))
        .secret(SecretSeed::new("staging", "DEEP", "deep").path("/deeper"))
        .import(("dev", "/"), ("staging", "/shared"))
        .import(("staging", "/shared"), ("staging", "/deeper"))
        .approval_policy("prod", "/guarded")
        .folder("prod", "/guarded")
}

fn builder() -> InfisicalDevServerBuilder {
    let mut builder = InfisicalDevServer::builder().user("ann").project(project());
    for name in ["ci", "names", "dev"] {
        builder = builder.identity(IdentitySeed::new(name));
    }
    builder
}

async fn start() -> InfisicalDevServer {
    builder().start().await.unwrap()
}

/// Asks `METHOD /path` as an actor; `{P}` is the project.
async fn ask(server: &InfisicalDevServer, who: &str, what: &str, body: Value) -> Answer {
    call(server, who, what, &body).send(server.port()).await
}

fn call(server: &InfisicalDevServer, who: &str, what: &str, body: &Value) -> Call {
    let (method, path) = what.split_once(' ').unwrap();
    let call = Call::new(method, format!("/api{}", path.replace("{P}", server.project_id())));
    let call = match who {
        "" => call,
        who => call.token(server.token_for(who).unwrap_or(who)),
    };
    if body.is_null() { call } else { call.json(body) }
}

async fn ok(server: &InfisicalDevServer, who: &str, what: &str, body: Value) -> Value {
    let answer = ask(server, who, what, body).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.body);
    answer.json()
}

/// The status, the error word and the message of a refusal.
async fn refused(server: &InfisicalDevServer, who: &str, what: &str, body: Value) -> (u16, String, String) {
    let answer = ask(server, who, what, body).await;
    let body = answer.json();
    assert_eq!(body["statusCode"], answer.status);
    assert!(body["reqId"].as_str().is_some_and(|id| id.starts_with("req-")));
    let message = body["message"].as_str().map_or_else(|| body["message"].to_string(), str::to_owned);
    (answer.status, body["error"].as_str().unwrap().to_owned(), message)
}

fn values(rows: &Value) -> Vec<(String, String)> {
    let mut values: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["secretKey"].as_str().unwrap().to_owned(), row["secretValue"].as_str().unwrap().to_owned()))
        .collect();
    values.sort();
    values
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_list_has_imports_and_expanded_values_when_nothing_else_is_said() {
    let server = start().await;
    let list = ok(&server, "ci", "GET /v4/secrets?projectId={P}&environment=dev", Value::Null).await;
    let expected = [
        ("HOST", "localhost"),
        ("LOST", "<${nowhere.X}>"),
        ("NESTED", "8080"),
        ("URL", "http://localhost:8080/"),
        ("WHERE", "app"),
    ];
    assert_eq!(values(&list["secrets"]), pairs(&expected));
    let imported = &list["imports"][0];
    assert_eq!((&imported["environment"], &imported["secretPath"]), (&json!("staging"), &json!("/shared")));
    // a local name is looked for where the list is first, and imports of imports are folded in
    assert_eq!(
        values(&imported["secrets"]),
        pairs(&[("DEEP", "deep"), ("HOST", "staging.test"), ("SHARED", "of localhost")])
    );
    let bare = "GET /v4/secrets?projectId={P}&environment=dev&includeImports=false&expandSecretReferences=false";
    let bare = ok(&server, "ci", bare, Value::Null).await;
    assert!(bare.get("imports").is_none());
    assert!(values(&bare["secrets"]).contains(&("URL".to_owned(), "http://${HOST}:${staging.app.PORT}/".to_owned())));
    let third = ok(&server, "ci", "GET /v3/secrets/raw?workspaceSlug=web&environment=dev", Value::Null).await;
    assert_eq!(third["secrets"].as_array().unwrap().len(), 5);
    assert!(third.get("imports").is_none());
    assert_eq!(server.request_count(route::SECRETS_LIST), 2);
    assert_eq!(server.request_count(route::SECRETS_V3_LIST), 1);
}

#[tokio::test]
async fn rows_are_in_the_order_of_their_ids() {
    let server = start().await;
    for _ in 0..3 {
        let list = ok(&server, "ci", "GET /v4/secrets?projectId={P}&environment=dev", Value::Null).await;
        let ids: Vec<&str> =
            list["secrets"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }
}

#[tokio::test]
async fn a_value_that_an_actor_may_not_read_is_hidden_and_asking_for_it_is_refused() {
    let server = start().await;
    let list = "GET /v4/secrets?projectId={P}&environment=dev";
    let (status, error, _) = refused(&server, "names", list, Value::Null).await;
    assert_eq!((status, error.as_str()), (403, "PermissionDenied"));
    let hidden = ok(&server, "names", &format!("{list}&viewSecretValue=false"), Value::Null).await;
    for row in hidden["secrets"].as_array().unwrap() {
        assert_eq!(row["secretValue"], "<hidden-by-infisical>");
        assert_eq!(row["secretValueHidden"], true);
    }
    let one = "GET /v4/secrets/HOST?projectId={P}&environment=dev&viewSecretValue=false";
    assert_eq!(ok(&server, "names", one, Value::Null).await["secret"]["secretValueHidden"], true);
}

#[tokio::test]
async fn one_unreadable_reference_refuses_a_whole_list() {
    let server = start().await;
    let list = "GET /v4/secrets?projectId={P}&environment=dev&includeImports=false";
    let answer = ask(&server, "dev", list, Value::Null).await;
    assert_eq!(answer.status, 403);
    let environment = answer.json()["details"][0]["environment"].clone();
    assert!(environment == "staging" || environment == "nowhere", "{environment}");
    ok(&server, "dev", &format!("{list}&expandSecretReferences=false"), Value::Null).await;
}

#[tokio::test]
async fn a_missing_folder_and_a_request_that_is_not_valid_have_words_of_their_own() {
    let server = start().await;
    let (status, error, _) =
        refused(&server, "ci", "GET /v4/secrets?projectId={P}&environment=dev&secretPath=/none", Value::Null).await;
    assert_eq!((status, error.as_str()), (404, "SecretPathNotFound"));
    let (status, error, message) =
        refused(&server, "ci", "GET /v4/secrets?projectId={P}&environment=dev&recursive=1", Value::Null).await;
    assert_eq!((status, error.as_str()), (422, "ValidationFailure"));
    assert!(message.contains("invalid_enum_value"), "{message}");
    let (status, ..) = refused(&server, "ci", "GET /v4/secrets?projectId=web&environment=dev", Value::Null).await;
    assert_eq!(status, 404);
    assert_eq!(refused(&server, "", "GET /v4/secrets?projectId={P}&environment=dev", Value::Null).await.0, 401);
    let unknown = ask(&server, "ci", "GET /v5/secrets", Value::Null).await;
    assert_eq!(unknown.json()["error"], "Not Found");
}

#[tokio::test]
async fn a_recursive_list_has_no_folder_that_only_begins_alike() {
    let server = start().await;
    server.add_secret("web", SecretSeed::new("staging", "APPLE", "a").path("/apple")).unwrap();
    let list = "GET /v4/secrets?projectId={P}&environment=staging&secretPath=/app&recursive=true";
    let list = ok(&server, "ci", list, Value::Null).await;
    assert_eq!(values(&list["secrets"]), pairs(&[("PORT", "8080")]));
}

#[tokio::test]
async fn personal_values_stand_in_for_shared_ones_when_they_are_asked_for() {
    let server = start().await;
    let list = "GET /v4/secrets?projectId={P}&environment=dev&tagSlugs=net";
    assert_eq!(values(&ok(&server, "ann", list, Value::Null).await["secrets"]), pairs(&[("HOST", "localhost")]));
    let list =
        "GET /v4/secrets?projectId={P}&environment=dev&includePersonalOverrides=true&expandSecretReferences=false";
    let own = values(&ok(&server, "ann", list, Value::Null).await["secrets"]);
    assert!(own.contains(&("HOST".to_owned(), "ann's".to_owned())), "{own:?}");
    assert_eq!(own.len(), 5);
}

#[tokio::test]
async fn a_secret_is_created_changed_read_by_version_and_deleted() {
    let server = start().await;
    let at = json!({"projectId": server.project_id(), "environment": "dev", "secretPath": "/"});
    let with = |more: Value| {
        let mut body = at.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let created = ok(&server, "ci", "POST /v4/secrets/NEW", with(json!({"secretValue": " one "}))).await;
    assert_eq!(created["secret"]["secretValue"], "one");
    let (status, _, message) = refused(&server, "ci", "POST /v4/secrets/NEW", with(json!({"secretValue": "x"}))).await;
    assert_eq!((status, message.as_str()), (400, "Secret already exists"));
    // an update without a value answers none, and keeps it
    let changed = ok(&server, "ci", "PATCH /v4/secrets/NEW", with(json!({"secretComment": "c"}))).await;
    assert_eq!(changed["secret"]["secretValue"], "");
    ok(&server, "ci", "PATCH /v4/secrets/NEW", with(json!({"secretValue": "two", "newSecretName": "NEWER"}))).await;
    let one = "GET /v4/secrets/NEWER?projectId={P}&environment=dev";
    let latest = ok(&server, "ci", one, Value::Null).await["secret"].clone();
    assert_eq!(
        (&latest["secretValue"], &latest["version"], &latest["secretComment"]),
        (&json!("two"), &json!(3), &json!("c"))
    );
    let first = ok(&server, "ci", &format!("{one}&version=1"), Value::Null).await;
    assert_eq!(first["secret"]["secretValue"], "one");
    assert_eq!(refused(&server, "ci", &format!("{one}&version=9"), Value::Null).await.0, 404);
    let id = latest["id"].as_str().unwrap();
    assert_eq!(
        ok(&server, "ci", &format!("GET /v4/secrets/id/{id}"), Value::Null).await["secret"]["secretKey"],
        "NEWER"
    );
    assert_eq!(refused(&server, "ci", "POST /v4/secrets/a%3Ab", with(json!({"secretValue": "x"}))).await.0, 400);
    let moved = json!({
        "projectId": server.project_id(), "sourceEnvironment": "dev", "destinationEnvironment": "staging",
        "destinationSecretPath": "/app", "secretIds": [id],
    });
    ok(&server, "ci", "POST /v4/secrets/move", moved).await;
    assert_eq!(server.value("web", "staging", "/app", "NEWER").as_deref(), Some("two"));
    let there = json!({"projectId": server.project_id(), "environment": "staging", "secretPath": "/app"});
    ok(&server, "ci", "DELETE /v4/secrets/NEWER", there).await;
    assert_eq!(server.value("web", "staging", "/app", "NEWER"), None);
}

#[tokio::test]
async fn many_secrets_are_written_at_once() {
    let server = start().await;
    let body = |secrets: Value| json!({"projectId": server.project_id(), "environment": "dev", "secrets": secrets});
    let two = json!([{"secretKey": "A", "secretValue": "1"}, {"secretKey": "B", "secretValue": "2"}]);
    let created = ok(&server, "ci", "POST /v4/secrets/batch", body(two)).await;
    assert_eq!(created["secrets"].as_array().unwrap().len(), 2);
    ok(&server, "ci", "PATCH /v4/secrets/batch", body(json!([{"secretKey": "A", "secretValue": "3"}]))).await;
    assert_eq!(server.value("web", "dev", "/", "A").as_deref(), Some("3"));
    ok(&server, "ci", "DELETE /v4/secrets/batch", body(json!([{"secretKey": "A"}, {"secretKey": "B"}]))).await;
    assert_eq!(server.value("web", "dev", "/", "B"), None);
}

#[tokio::test]
async fn a_write_under_a_policy_opens_a_request_and_stores_nothing() {
    let server = start().await;
    let body = json!({
        "projectId": server.project_id(), "environment": "prod", "secretPath": "/guarded", "secretValue": "v",
    });
    let answer = ok(&server, "ci", "POST /v4/secrets/HELD", body).await;
    assert_eq!(answer["approval"]["status"], "open");
    assert_eq!(server.value("web", "prod", "/guarded", "HELD"), None);
    let waiting = ok(&server, "ci", "GET /v1/secret-approval-requests?workspaceId={P}", Value::Null).await;
    assert_eq!(waiting["approvals"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn three_failed_logins_lock_an_identity_for_five_minutes() {
    let server = start().await;
    let body = |secret: &str| json!({"clientId": server.client_id("ci").unwrap(), "clientSecret": secret});
    let (login, right) = ("POST /v1/auth/universal-auth/login", server.client_secret("ci").unwrap());
    for _ in 0..3 {
        assert_eq!(refused(&server, "", login, body("wrong")).await.2, "Invalid credentials");
    }
    assert!(refused(&server, "", login, body(&right)).await.2.contains("locked"));
    server.advance(Duration::from_secs(301));
    ok(&server, "", login, body(&right)).await;
}

#[tokio::test]
async fn a_renewal_gives_a_new_token_for_the_rest_of_the_longest_lifetime() {
    let hour = Duration::from_secs(3600);
    let server = InfisicalDevServer::builder()
        .identity(IdentitySeed::new("ci").ttl(hour).max_ttl(hour * 2))
        .project(ProjectSeed::new("web").member("ci", Role::Viewer))
        .start()
        .await
        .unwrap();
    let renew = |token: String| json!({"accessToken": token});
    let (route, first) = ("POST /v1/auth/token/renew", server.token().to_owned());
    server.advance(hour * 3 / 4);
    let second = ok(&server, "", route, renew(first.clone())).await;
    assert_eq!(second["expiresIn"], 3600);
    let second = second["accessToken"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    server.advance(hour * 3 / 4);
    let list = "GET /v4/secrets?projectId={P}&environment=dev";
    let (status, error, _) = refused(&server, &first, list, Value::Null).await;
    assert_eq!((status, error.as_str()), (403, "TokenError"));
    let third = ok(&server, "", route, renew(second)).await;
    // the clock goes on by itself as well
    assert!((1700..=1800).contains(&third["expiresIn"].as_i64().unwrap()));
    let third = third["accessToken"].as_str().unwrap().to_owned();
    ok(&server, &third, list, Value::Null).await;
    server.advance(hour);
    assert_eq!(refused(&server, "", route, renew(third)).await.0, 403);
}

#[tokio::test]
async fn every_way_to_log_in_takes_its_own_credential_alone() {
    let ways = [
        (LoginMethod::Oidc, "oidc-auth"),
        (LoginMethod::Jwt, "jwt-auth"),
        (LoginMethod::Kubernetes, "kubernetes-auth"),
        (LoginMethod::Gcp, "gcp-auth"),
        (LoginMethod::Azure, "azure-auth"),
    ];
    let mut identity = IdentitySeed::new("ci").login(LoginMethod::Ldap, "ann:secret").login(LoginMethod::Aws, "");
    for (method, name) in ways {
        identity = identity.login(method, name);
    }
    let server = InfisicalDevServer::builder().identity(identity).start().await.unwrap();
    let id = server.identity_id("ci").unwrap();
    for (_, name) in ways {
        let login = format!("POST /v1/auth/{name}/login");
        let token = ok(&server, "", &login, json!({"identityId": id, "jwt": name})).await;
        assert!(token["accessToken"].as_str().unwrap().starts_with("eyJ"));
        assert_eq!(refused(&server, "", &login, json!({"identityId": id, "jwt": "other"})).await.0, 401);
    }
    let ldap = |password: &str| json!({"identityId": id, "username": "ann", "password": password});
    ok(&server, "", "POST /v1/auth/ldap-auth/login", ldap("secret")).await;
    assert_eq!(refused(&server, "", "POST /v1/auth/ldap-auth/login", ldap("wrong")).await.0, 401);
    let aws = |headers: &str| json!({"identityId": id, "iamRequestBody": "QQ==", "iamRequestHeaders": headers});
    // {"Authorization":"x"}
    ok(&server, "", "POST /v1/auth/aws-auth/login", aws("eyJBdXRob3JpemF0aW9uIjoieCJ9")).await;
    assert_eq!(refused(&server, "", "POST /v1/auth/aws-auth/login", aws("e30=")).await.0, 401);
}

#[tokio::test]
async fn a_token_made_without_a_login_is_good_until_it_is_revoked() {
    let server = start().await;
    let tokens = format!("/v1/auth/token-auth/identities/{}/tokens", server.identity_id("ci").unwrap());
    assert_eq!(refused(&server, "dev", &format!("POST {tokens}"), json!({"name": "t"})).await.0, 403);
    let made = ok(&server, "ci", &format!("POST {tokens}"), json!({"name": "t"})).await;
    let token = made["accessToken"].as_str().unwrap();
    let list = "GET /v4/secrets?projectId={P}&environment=dev";
    ok(&server, token, list, Value::Null).await;
    let listed = ok(&server, "ci", &format!("GET {tokens}"), Value::Null).await;
    assert_eq!((&listed["tokens"][0]["name"], &listed["tokens"][0]["accessTokenNumUses"]), (&json!("t"), &json!(1)));
    let id = listed["tokens"][0]["id"].as_str().unwrap();
    ok(&server, "ci", &format!("POST /v1/auth/token-auth/tokens/{id}/revoke"), json!({})).await;
    assert_eq!(refused(&server, token, list, Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_key_decrypts_what_it_encrypted_and_is_found_by_its_name() {
    let server = start().await;
    let body = json!({"projectId": server.project_id(), "name": "App"});
    let key = ok(&server, "ci", "POST /v1/kms/keys", body).await["key"].clone();
    assert_eq!((&key["name"], &key["encryptionAlgorithm"]), (&json!("app"), &json!("aes-256-gcm")));
    let id = key["id"].as_str().unwrap();
    let sealed = ok(&server, "ci", &format!("POST /v1/kms/keys/{id}/encrypt"), json!({"plaintext": "aGVsbG8="})).await;
    let opened = ok(&server, "ci", &format!("POST /v1/kms/keys/{id}/decrypt"), sealed).await;
    assert_eq!(opened["plaintext"], "aGVsbG8=");
    let found = ok(&server, "ci", "GET /v1/kms/keys/key-name/app?projectId={P}", Value::Null).await;
    assert_eq!(found["key"]["id"], id);
    ok(&server, "ci", &format!("PATCH /v1/kms/keys/{id}"), json!({"isDisabled": true})).await;
    let (status, ..) =
        refused(&server, "ci", &format!("POST /v1/kms/keys/{id}/encrypt"), json!({"plaintext": "aGk="})).await;
    assert_eq!(status, 400);
    ok(&server, "ci", &format!("DELETE /v1/kms/keys/{id}"), Value::Null).await;
    assert_eq!(refused(&server, "ci", &format!("GET /v1/kms/keys/{id}"), Value::Null).await.0, 404);
    let sign = ask(&server, "ci", &format!("POST /v1/kms/keys/{id}/sign"), json!({"data": "aGk="})).await;
    assert_eq!(sign.status, 501);
}

#[tokio::test]
async fn a_lease_lives_as_long_as_it_was_given_and_not_longer_than_allowed() {
    let server = start().await;
    let at = json!({"projectSlug": "web", "environmentSlug": "dev", "path": "/"});
    let with = |more: Value| {
        let mut body = at.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let provider = json!({"type": "sql-database", "inputs": {"host": "db"}});
    let made = with(json!({"name": "db", "provider": provider, "defaultTTL": "1h", "maxTTL": "2h"}));
    ok(&server, "ci", "POST /v1/dynamic-secrets", made).await;
    let lease = ok(&server, "ci", "POST /v1/dynamic-secrets/leases", with(json!({"dynamicSecretName": "db"}))).await;
    assert!(lease["data"]["DB_PASSWORD"].as_str().is_some_and(|password| !password.is_empty()));
    let id = lease["lease"]["id"].as_str().unwrap();
    let query = "projectSlug=web&environmentSlug=dev&path=/";
    let get = format!("GET /v1/dynamic-secrets/leases/{id}?{query}");
    server.advance(Duration::from_secs(3000));
    ok(&server, "ci", &get, Value::Null).await;
    ok(&server, "ci", &format!("POST /v1/dynamic-secrets/leases/{id}/renew"), with(json!({"ttl": "30m"}))).await;
    let renew = format!("POST /v1/dynamic-secrets/leases/{id}/renew");
    assert_eq!(refused(&server, "ci", &renew, with(json!({"ttl": "3h"}))).await.0, 400);
    assert_eq!(refused(&server, "ci", &renew, with(json!({"ttl": "soon"}))).await.0, 422);
    server.advance(Duration::from_secs(1801));
    assert_eq!(refused(&server, "ci", &get, Value::Null).await.0, 404);
    let open = ok(&server, "ci", &format!("GET /v1/dynamic-secrets/db/leases?{query}"), Value::Null).await;
    assert_eq!(open["leases"], json!([]));
}

#[tokio::test]
async fn a_stream_tells_of_the_changes_that_it_is_for_and_ends_when_it_is_ended() {
    let server = start().await;
    let body = json!({"projectId": server.project_id(), "register": [
        {"event": "secret:update", "conditions": {"environmentSlug": "dev", "secretPath": "/"}},
        {"event": "secret:import-mutation"},
    ]});
    let subscribe = "POST /v1/events/subscribe/project-events";
    let mut stream = call(&server, "ci", subscribe, &body).open(server.port()).await.unwrap();
    let mut received = String::new();
    let mut chunk = [0; 4096];
    while !received.contains("\r\n\r\n") {
        let count = stream.read(&mut chunk).await.unwrap();
        received += std::str::from_utf8(&chunk[..count]).unwrap();
    }
    assert!(received.contains("text/event-stream"), "{received}");
    assert_eq!(server.subscriptions(), 1);
    let change = |environment: &str| json!({"projectId": server.project_id(), "environment": environment, "secretPath": "/", "secretValue": "v"});
    ok(&server, "ci", "POST /v4/secrets/UNHEARD", change("dev")).await;
    ok(&server, "ci", "POST /v4/secrets/UNHEARD", change("prod")).await;
    ok(&server, "ci", "PATCH /v4/secrets/UNHEARD", change("prod")).await;
    ok(&server, "ci", "PATCH /v4/secrets/HOST", change("dev")).await;
    let import = json!({"projectId": server.project_id(), "environment": "dev", "path": "/",
        "import": {"environment": "prod", "path": "/"}});
    ok(&server, "ci", "POST /v2/secret-imports", import).await;
    server.end_subscriptions();
    loop {
        let count = stream.read(&mut chunk).await.unwrap();
        received += std::str::from_utf8(&chunk[..count]).unwrap();
        if count == 0 || received.ends_with("0\r\n\r\n") {
            break;
        }
    }
    assert_eq!(received.matches("event: ").count(), 2, "{received}");
    assert!(received.contains("event: secret:update") && received.contains(r#""secretKey":"HOST""#), "{received}");
    assert!(received.contains("event: secret:import-mutation"), "{received}");
    let unlicensed = builder().without_events().start().await.unwrap();
    let body = json!({"projectId": unlicensed.project_id(), "register": [{"event": "secret:create"}]});
    assert_eq!(refused(&unlicensed, "ci", subscribe, body).await.0, 400);
}

#[tokio::test]
async fn folders_tags_and_environments_are_made_and_unmade() {
    let server = start().await;
    let folder = json!({"projectId": server.project_id(), "environment": "dev", "path": "/a/b", "name": "c"});
    let made = ok(&server, "ci", "POST /v2/folders", folder.clone()).await;
    assert_eq!(refused(&server, "ci", "POST /v2/folders", folder).await.0, 400);
    let id = made["folder"]["id"].as_str().unwrap();
    assert_eq!(ok(&server, "ci", &format!("GET /v2/folders/{id}"), Value::Null).await["folder"]["path"], "/a/b/c");
    let below = ok(&server, "ci", "GET /v2/folders?projectId={P}&environment=dev&recursive=true", Value::Null).await;
    assert_eq!(below["folders"].as_array().unwrap().len(), 3);
    let tag = ok(&server, "ci", "POST /v1/projects/{P}/tags", json!({"slug": "t", "color": "#000000"})).await;
    let id = tag["tag"]["id"].as_str().unwrap();
    ok(&server, "ci", &format!("DELETE /v1/projects/{{P}}/tags/{id}"), Value::Null).await;
    assert_eq!(refused(&server, "ci", &format!("GET /v1/projects/{{P}}/tags/{id}"), Value::Null).await.0, 404);
    let made = ok(&server, "ci", "POST /v1/projects/{P}/environments", json!({"name": "QA", "slug": "qa"})).await;
    let body = json!({"projectId": server.project_id(), "environment": "qa", "secretValue": "v"});
    ok(&server, "ci", "POST /v4/secrets/IN_QA", body).await;
    let id = made["environment"]["id"].as_str().unwrap();
    ok(&server, "ci", &format!("DELETE /v1/projects/{{P}}/environments/{id}"), Value::Null).await;
    assert_eq!(refused(&server, "ci", "GET /v4/secrets?projectId={P}&environment=qa", Value::Null).await.0, 404);
}
