//! What a server does that a client must not be taken in by, as far as no other test of this package is about it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use xtrasecurity::clock::ManualClock;
use xtrasecurity::{ErrorKind, SecretValue};

use crate::server::{Model, PROJECT, Reply, Server, row};

#[tokio::test]
async fn an_imported_secret_is_cached_under_the_folder_that_was_asked_for() {
    // by name, the answer carries the environment and the folder that it comes from
    let server = Server::start(|seen| {
        let mut imported = row("A", &format!("as seen from {}", seen.query("environment")), "/shared");
        imported["environment"] = json!("common");
        Reply::json(&json!({ "secret": imported }))
    })
    .await;
    let client = server.client();
    for _ in 0..2 {
        for environment in ["dev", "prod"] {
            let value = client.get_secret(environment, "A").await.unwrap();
            assert_eq!(value.expose(), format!("as seen from {environment}"));
        }
    }
    assert_eq!(server.seen().len(), 2);
    let error = client.get_secret("dev", "A").include_imports(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "an import although none was asked for: {error}");
}

#[tokio::test]
async fn a_secret_that_was_missing_is_found_once_it_is_there() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", "LATE").await.unwrap_err().kind(), ErrorKind::NotFound);
    model.lock().secrets.insert("LATE".to_owned(), "there".to_owned());
    assert_eq!(client.get_secret("dev", "LATE").await.unwrap().expose(), "there");
}

#[tokio::test]
async fn a_deletion_names_its_folder_in_a_body_and_not_in_the_query() {
    for v4 in [true, false] {
        let server = Server::start(move |seen| match seen.path.starts_with("/api/v4/") && !v4 {
            true => Reply::no_route(seen),
            false => Reply::json(&json!({ "secret": row("A", "v", "/app") })),
        })
        .await;
        assert!(server.client().delete_secret("dev", "A").path("/app").await.unwrap().is_applied());
        let seen = server.last();
        let project = if v4 { "projectId" } else { "workspaceId" };
        assert_eq!(
            seen.body,
            json!({ project: PROJECT, "environment": "dev", "secretPath": "/app", "type": "shared" })
        );
        assert_eq!((seen.headers["content-type"].as_str(), seen.query.len()), ("application/json", 0));
    }
}

#[tokio::test]
async fn a_write_that_was_refused_for_its_rate_is_sent_again_and_one_that_failed_is_not() {
    let left = Arc::new(Mutex::new(vec![
        Reply::refusal(429, "RateLimitExceeded", "Rate limit exceeded. Please try again in 1 second")
            .header("retry-after", "1"),
    ]));
    let script = Arc::clone(&left);
    let server = Server::start(move |_| {
        let next = script.lock().unwrap().pop();
        next.unwrap_or_else(|| Reply::json(&json!({ "secret": row("A", "v", "/") })))
    })
    .await;
    let client = server.client();
    assert!(client.create_secret("dev", "A", "v").await.unwrap().is_applied());
    assert_eq!(server.seen().len(), 2);
    left.lock().unwrap().push(Reply::new(502, "<html>Bad Gateway</html>"));
    let error = client.create_secret("dev", "A", "v").await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn members_that_are_null_or_absent_or_new_are_no_error() {
    const OPTIONAL: [&str; 19] = [
        "id",
        "_id",
        "workspace",
        "environment",
        "version",
        "type",
        "secretComment",
        "createdAt",
        "updatedAt",
        "secretPath",
        "secretValueHidden",
        "secretReminderNote",
        "secretReminderRepeatDays",
        "skipMultilineEncoding",
        "actor",
        "isRotatedSecret",
        "rotationId",
        "secretMetadata",
        "tags",
    ];
    let mut null = json!({ "secretKey": "NULL", "secretValue": "v", "metadata": null, "of_tomorrow": { "a": [1] } });
    for name in OPTIONAL {
        null[name] = Value::Null;
    }
    let bare = json!({ "secretKey": "BARE", "secretValue": "v" });
    let actor =
        json!({ "actorId": null, "actorType": "identity", "name": null, "membershipId": null, "groupId": null });
    let full = json!({ "secretKey": "FULL", "secretValue": "v", "actor": actor, "secretReminderRepeatDays": 1.5,
        "tags": [{ "id": "1", "slug": "net", "name": "net", "color": null }], "rotationId": "r", "isRotatedSecret": true,
        "secretMetadata": [{ "key": "owner", "isEncrypted": false }] });
    let rows = [null, bare, full];
    let server = Server::start(move |seen| match seen.path.strip_prefix("/api/v4/secrets/") {
        Some(name) => Reply::json(&json!({ "secret": rows.iter().find(|row| row["secretKey"] == name) })),
        None => Reply::json(&json!({ "secrets": rows, "imports": null, "of_tomorrow": 1 })),
    })
    .await;
    let client = server.client();
    assert_eq!(client.get_secrets("dev").await.unwrap().names().collect::<Vec<_>>(), ["BARE", "FULL", "NULL"]);
    assert_eq!(client.list_secrets("dev").await.unwrap().len(), 3);
    for name in ["NULL", "BARE", "FULL"] {
        assert_eq!(client.get_secret("dev", name).await.unwrap().expose(), "v", "{name}");
    }
}

#[tokio::test]
async fn a_value_of_any_characters_comes_as_it_is_stored() {
    const VALUES: [&str; 6] =
        ["a\0b", "\u{1}\u{1b}[31m\u{7f}", "\u{2028}\u{2029}", "\u{fffd}", "🔑 ключ", "\r\n\t\\\"'"];
    let server = Server::start(|seen| match seen.path.strip_prefix("/api/v4/secrets/V") {
        Some(number) => {
            Reply::json(&json!({ "secret": row(&format!("V{number}"), VALUES[number.parse::<usize>().unwrap()], "/") }))
        }
        None => {
            let rows = VALUES.iter().enumerate().map(|(number, value)| row(&format!("V{number}"), value, "/"));
            Reply::json(&json!({ "secrets": rows.collect::<Vec<_>>() }))
        }
    })
    .await;
    let client = server.client();
    let secrets = client.get_secrets("dev").await.unwrap();
    for (number, value) in VALUES.iter().enumerate() {
        let name = format!("V{number}");
        assert_eq!(secrets.require(&name).unwrap().expose(), *value);
        assert_eq!(client.get_secret("dev", &name).await.unwrap().expose(), *value);
    }
}

#[tokio::test]
async fn the_client_calls_itself_by_its_own_name_or_by_the_one_it_is_given() {
    let server = Model::new(true).start().await;
    server.client().get_secrets("dev").await.unwrap();
    assert!(server.last().headers["user-agent"].starts_with("xtrasecurity"), "{:?}", server.last().headers);
    let client = server.builder().token("a-token").user_agent("shop/1.2").build().unwrap();
    client.get_secrets("dev").await.unwrap();
    assert_eq!(server.last().headers["user-agent"], "shop/1.2");
}

/// A server of 2024 that leaves references of the second level in lists, and follows them by name once they are there.
async fn half_expanding(follows: impl Fn(&str) -> bool + Send + 'static) -> Server {
    Server::start(move |seen| {
        let row = |name: &str, value: &str| {
            let mut row = row(name, value, seen.query("secretPath"));
            row["environment"] = json!(seen.query("environment"));
            row
        };
        match seen.path.strip_prefix("/api/v3/secrets/raw/") {
            _ if seen.path.starts_with("/api/v4/") => Reply::no_route(seen),
            Some(name) if follows(seen.query("environment")) => {
                Reply::json(&json!({ "secret": row(name, "x-plain-y") }))
            }
            Some(name) => Reply::json(&json!({ "secret": row(name, "x-${PLAIN}-y") })),
            None => Reply::json(&json!({ "secrets": [row("CHAIN", "x-${PLAIN}-y")] })),
        }
    })
    .await
}

#[tokio::test]
async fn a_reference_that_is_left_in_one_environment_is_followed_in_another() {
    let server = half_expanding(|environment| environment == "prod").await;
    let client = server.client();
    for (environment, value) in [("dev", "x-${PLAIN}-y"), ("prod", "x-plain-y"), ("dev", "x-${PLAIN}-y")] {
        let secrets = client.get_secrets(environment).no_cache().await.unwrap();
        assert_eq!(secrets.require("CHAIN").unwrap().expose(), value, "{environment}");
    }
    assert_eq!(server.count("/api/v3/secrets/raw/CHAIN"), 2, "in dev it is known");
}

#[tokio::test]
async fn a_reference_to_what_is_made_later_is_followed_then() {
    let is_there = Arc::new(Mutex::new(false));
    let server = half_expanding({
        let is_there = Arc::clone(&is_there);
        move |_| *is_there.lock().unwrap()
    })
    .await;
    let clock = ManualClock::new();
    let client = server.builder().token("a-token").clock(clock.clock()).build().unwrap();
    let chain = async || client.get_secrets("dev").no_cache().await.unwrap().require("CHAIN").unwrap().clone();
    assert_eq!(chain().await.expose(), "x-${PLAIN}-y");
    *is_there.lock().unwrap() = true;
    clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(chain().await, SecretValue::from("x-plain-y"));
}

#[tokio::test]
async fn a_read_by_name_is_one_request_and_a_folder_of_any_size_is_one() {
    let rows: Vec<Value> = (0..2_000).map(|number| row(&format!("NAME_{number}"), "v", "/")).collect();
    let server = Server::start(move |_| Reply::json(&json!({ "secrets": rows, "imports": [] }))).await;
    assert_eq!(server.client().get_secrets("dev").await.unwrap().len(), 2_000);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_login_and_nothing_else_takes_the_place_of_a_token_that_ends() {
    // a renewal ends the token at some servers, and gives the same one at others
    let model = Model::new(true);
    model.lock().expires_in = 100;
    let server = model.start().await;
    let clock = ManualClock::new();
    let client = server.builder().universal_auth("client-id", "client-secret").clock(clock.clock()).build().unwrap();
    for _ in 0..5 {
        client.get_secrets("dev").no_cache().await.unwrap();
        clock.advance(Duration::from_secs(95));
    }
    assert_eq!((server.logins(), server.count("/api/v1/auth/token/")), (5, 0));
}
