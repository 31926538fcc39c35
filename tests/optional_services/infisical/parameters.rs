//! Every parameter that a caller can give, as it is sent.

use serde_json::{Value, json};
use xtrasecurity::infisical::write::Written;

use crate::server::{PROJECT, Reply, Seen, Server, row};

/// A server of either age that confirms every write of `A` and reads of it, and has the key `app`.
async fn start(v4: bool) -> Server {
    Server::start(move |seen| {
        if seen.path.starts_with("/api/v4/") && !v4 {
            return Reply::no_route(seen);
        }
        let key = json!({ "id": "22", "name": "app", "isDisabled": false });
        Reply::json(&match seen.path.strip_prefix("/api") {
            Some("/v1/kms/keys") if seen.method == "GET" => json!({ "keys": [key], "totalCount": 1 }),
            Some(path) if path.starts_with("/v1/kms/keys") => json!({ "key": key }),
            Some("/v4/secrets" | "/v3/secrets/raw") => {
                let mut row = row("A", "v", seen.query("secretPath"));
                row["secretMetadata"] = json!([{ "key": "owner", "value": "ops" }, { "key": "tier", "value": "1" }]);
                json!({ "secrets": [row], "imports": [] })
            }
            _ => {
                let name = seen.body["newSecretName"].as_str().unwrap_or("A");
                let mut row = row(name, "v", "/app");
                row["version"] = json!(seen.query("version").parse().unwrap_or(1));
                json!({ "secret": row })
            }
        })
    })
    .await
}

fn query(seen: &Seen) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> = seen.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    pairs
}

#[tokio::test]
async fn a_read_by_name_says_each_of_its_options_and_its_defaults() {
    let server = start(true).await;
    let client = server.client();
    client.get_secret("dev", "A").await.unwrap();
    let defaults = [
        ("environment", "dev"),
        ("expandSecretReferences", "true"),
        ("includeImports", "true"),
        ("include_imports", "true"),
        ("projectId", PROJECT),
        ("secretPath", "/"),
        ("type", "shared"),
        ("viewSecretValue", "true"),
    ];
    assert_eq!(query(&server.last()), defaults);
    let read = client.get_secret("dev", "A").project_id("another").environment("staging").path("/app");
    let read = read.expand_references(false).include_imports(false).view_secret_value(false).version(3).personal();
    let _ = read.await;
    let all = [
        ("environment", "staging"),
        ("expandSecretReferences", "false"),
        ("includeImports", "false"),
        ("include_imports", "false"),
        ("projectId", "another"),
        ("secretPath", "/app"),
        ("type", "personal"),
        ("version", "3"),
        ("viewSecretValue", "false"),
    ];
    assert_eq!(query(&server.seen()[1]), all);
}

#[tokio::test]
async fn a_filter_by_tags_and_metadata_is_said_in_one_parameter_each_and_leaves_imports_out() {
    for v4 in [true, false] {
        let server = start(v4).await;
        let client = server.client();
        let read = client.get_secrets("dev").tag("db").tag("net").metadata("owner", "ops").metadata("tier", "1");
        let _ = read.await.unwrap();
        let seen = server.last();
        assert_eq!(seen.query("tagSlugs"), "db,net");
        assert_eq!(seen.query("metadataFilter"), "key=owner,value=ops|key=tier,value=1");
        assert_eq!(seen.query("include_imports"), "false");
    }
}

#[tokio::test]
async fn names_alone_and_the_folders_below_and_personal_values_are_asked_for_where_the_caller_says_so() {
    let server = start(true).await;
    let client = server.client();
    let read = client.get_secrets("dev").recursive().personal().view_secret_value(false).allow_unreadable();
    assert_eq!(read.await.unwrap().len(), 0);
    let seen = server.last();
    for (name, value) in [("recursive", "true"), ("includePersonalOverrides", "true"), ("viewSecretValue", "false")] {
        assert_eq!(seen.query(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_write_says_each_of_its_options_in_its_body() {
    let server = start(true).await;
    let client = server.client();
    let created = client.create_secret("dev", "A", "v").path("/app").comment("c").tag_ids(["t1", "t2"]);
    let created = created.secret_metadata([("owner", "ops")]).skip_multiline_encoding(true);
    assert!(created.reminder_days(30).reminder_note("rotate".to_owned()).await.unwrap().is_applied());
    let said = json!({
        "projectId": PROJECT, "environment": "dev", "secretPath": "/app", "type": "shared", "secretValue": "v",
        "secretComment": "c", "tagIds": ["t1", "t2"], "secretMetadata": [{ "key": "owner", "value": "ops" }],
        "skipMultilineEncoding": true, "secretReminderRepeatDays": 30, "secretReminderNote": "rotate",
    });
    assert_eq!((server.last().method.as_str(), server.last().body), ("POST", said.clone()));
    let changed = client.update_secret("dev", "A").path("/app").value("v").new_name("B").comment("c").personal();
    let changed = changed.tag_ids(["t1", "t2"]).secret_metadata([("owner", "ops")]).skip_multiline_encoding(true);
    let changed = changed.reminder_days(30).reminder_note("rotate".to_owned()).await.unwrap();
    let Written::Applied(secret) = changed else { panic!("it was written") };
    assert_eq!(secret.name, "B");
    let mut said = said;
    (said["newSecretName"], said["type"]) = (json!("B"), json!("personal"));
    assert_eq!((server.last().method.as_str(), server.last().body), ("PATCH", said));
}

#[tokio::test]
async fn a_write_to_an_old_server_says_the_same_in_its_words_but_for_what_that_does_not_have() {
    let server = start(false).await;
    let client = server.client();
    let created = client.create_secret("dev", "A", "v").path("/app").comment("c").tag_ids(["t1"]);
    let created = created.skip_multiline_encoding(false).reminder_days(None).reminder_note(None);
    assert!(created.await.unwrap().is_applied());
    let said = json!({
        "workspaceId": PROJECT, "environment": "dev", "secretPath": "/app", "type": "shared", "secretValue": "v",
        "secretComment": "c", "tagIds": ["t1"], "skipMultilineEncoding": false, "secretReminderRepeatDays": null,
        "secretReminderNote": null,
    });
    assert_eq!(server.last().body, said);
}

#[tokio::test]
async fn a_key_is_made_changed_and_listed_with_what_the_caller_says() {
    let server = start(true).await;
    let client = server.client();
    client.create_kms_key("app").description("d").algorithm("aes-128-gcm").await.unwrap();
    let said = json!({ "projectId": PROJECT, "name": "app", "description": "d", "encryptionAlgorithm": "aes-128-gcm" });
    assert_eq!(server.last().body, said);
    client.update_kms_key("22").name("app").description("d").disabled(true).await.unwrap();
    assert_eq!(server.last().body, json!({ "name": "app", "description": "d", "isDisabled": true }));
    client.delete_kms_key("22").await.unwrap();
    assert_eq!((server.last().method.as_str(), server.last().path.as_str()), ("DELETE", "/api/v1/kms/keys/22"));
    client.list_kms_keys().search("ap").descending().offset(0).limit(1).await.unwrap();
    let all = [
        ("limit", "1"),
        ("offset", "0"),
        ("orderBy", "name"),
        ("orderDirection", "desc"),
        ("projectId", PROJECT),
        ("search", "ap"),
    ];
    assert_eq!(query(&server.last()), all);
    assert_eq!(server.last().body, Value::Null);
}
