//! Promises that Infisical's own clients do not keep. Each test is named by the promise; its first line says what another client
//! does in its place: the crate `infisical` 0.0.4, or `infisicalsdk` 1.0.18 of PyPI.

use std::process::Command;

use serde_json::{Value, json};
use xtrasecurity::infisical::write::Written;
use xtrasecurity::snapshot::UnreadableReason;
use xtrasecurity::{ErrorKind, Secrets};

use crate::server::{Model, PROJECT, Reply, Seen, Server, row};

/// A server of either age that answers its routes of secrets like this.
async fn of_secrets(v4: bool, answer: impl Fn(&Seen) -> Value + Send + 'static) -> Server {
    Server::start(move |seen| match seen.path.starts_with("/api/v4/") && !v4 {
        true => Reply::no_route(seen),
        false => Reply::json(&answer(seen)),
    })
    .await
}

fn list(rows: &[Value], imports: &Value) -> Value {
    json!({ "secrets": rows, "imports": imports })
}

fn values(secrets: &Secrets) -> Vec<(&str, &str)> {
    secrets.iter().map(|(name, value)| (name, value.expose())).collect()
}

#[tokio::test]
async fn a_key_is_looked_up_by_its_name_in_its_project() {
    // the crate sends no project, which every server refuses
    let key = json!({ "key": { "id": "22", "name": "app", "projectId": PROJECT } });
    let server = Server::start(move |seen| match (seen.path.as_str(), seen.query("projectId")) {
        ("/api/v1/kms/keys/key-name/app", PROJECT) => Reply::json(&key),
        _ => Reply::refusal(422, "ValidationFailure", json!([{ "code": "invalid_type", "path": ["projectId"] }])),
    })
    .await;
    assert_eq!(server.client().get_kms_key_by_name("app").await.unwrap().id, "22");
}

#[tokio::test]
async fn a_name_of_any_letters_is_one_segment_of_the_path_in_every_call() {
    // the crate and the SDK paste the name into the path: `a/b?c#d e` asks for another resource
    const NAME: &str = "a/b?c#d e%é";
    const PATH: &str = "/api/v4/secrets/a%2Fb%3Fc%23d%20e%25%C3%A9";
    let server = of_secrets(true, |_| json!({ "secret": row(NAME, "v", "/") })).await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", NAME).await.unwrap().expose(), "v");
    assert_eq!(server.last().path, PATH);
    assert!(client.update_secret("dev", NAME).value("v").await.unwrap().is_applied());
    assert_eq!((server.last().method.as_str(), server.last().path.as_str()), ("PATCH", PATH));
    assert!(client.delete_secret("dev", NAME).await.unwrap().is_applied());
    assert_eq!((server.last().method.as_str(), server.last().path.as_str()), ("DELETE", PATH));
}

#[tokio::test]
async fn a_key_without_a_description_and_with_other_nulls_is_listed_and_looked_up() {
    // the crate cannot read a key whose description is null
    let key = json!({
        "id": "22", "name": "app", "description": null, "isDisabled": null, "projectId": null, "orgId": "o",
        "version": null, "encryptionAlgorithm": null, "keyUsage": null, "createdAt": null, "updatedAt": null,
    });
    let server = Server::start(move |seen| {
        Reply::json(&match seen.path.as_str() {
            "/api/v1/kms/keys" => json!({ "keys": [key], "totalCount": 1 }),
            _ => json!({ "key": key }),
        })
    })
    .await;
    let client = server.client();
    let listed = client.list_kms_keys().await.unwrap();
    assert_eq!((listed.len(), listed[0].description.as_deref(), listed[0].is_disabled), (1, None, false));
    assert_eq!(client.get_kms_key("22").await.unwrap(), listed[0]);
}

#[tokio::test]
async fn an_import_counts_whatever_its_block_leaves_out() {
    // the crate reads nothing of a folder that has an import without a `folderId`
    for v4 in [true, false] {
        let server = of_secrets(v4, |_| {
            let imported = json!({ "secretKey": "I", "secretValue": "imported" });
            list(&[row("A", "a", "/")], &json!([{ "secrets": [imported] }, { "folderId": null, "secrets": null }, {}]))
        })
        .await;
        let secrets = server.client().get_secrets("dev").await.unwrap();
        assert_eq!(values(&secrets), [("A", "a"), ("I", "imported")]);
    }
}

#[tokio::test]
async fn a_write_that_awaits_an_approval_says_so() {
    // the crate fails with "missing field `secret`" although the request was opened; the SDK raises a KeyError
    let approval = json!({ "approval": {
        "id": "9f", "policyId": "p", "folderId": "f", "slug": "quick-fox", "status": "open", "hasMerged": false,
        "conflicts": null, "committerUserId": null, "createdAt": "2026-01-02T03:04:05.678Z",
    } });
    for v4 in [true, false] {
        let answer = approval.clone();
        let server = of_secrets(v4, move |_| answer.clone()).await;
        let client = server.client();
        for written in [
            client.create_secret("dev", "A", "v").await.unwrap(),
            client.update_secret("dev", "A").value("v").await.unwrap(),
            client.delete_secret("dev", "A").await.unwrap(),
        ] {
            let Written::AwaitsApproval(approval) = written else { panic!("nothing was written") };
            assert_eq!((approval.id.as_str(), approval.slug.as_deref()), ("9f", Some("quick-fox")));
        }
    }
}

#[tokio::test]
async fn a_name_that_two_imports_have_is_there_once_with_the_value_of_the_last() {
    // the crate gives both rows; the SDK for Node gives the first, where the server by name gives the last
    for v4 in [true, false] {
        let server = of_secrets(v4, |_| {
            let block = |value| json!({ "secrets": [row("DUP", value, "/"), row("B", value, "/")] });
            list(&[row("B", "own", "/")], &json!([block("first"), block("last")]))
        })
        .await;
        let secrets = server.client().get_secrets("dev").await.unwrap();
        assert_eq!(values(&secrets), [("B", "own"), ("DUP", "last")]);
    }
}

#[tokio::test]
async fn a_tree_keeps_every_row_with_its_folder_in_the_order_sent_and_picks_none_of_one_name() {
    // the crate drops rows of one name by chance and forgets the folders
    let rows = || [row("URL", "1", "/b"), row("A", "2", "/"), row("URL", "3", "/a"), row("Z", "4", "/a/b")];
    for v4 in [true, false] {
        let server = of_secrets(v4, move |_| list(&rows(), &Value::Null)).await;
        let client = server.client();
        for _ in 0..3 {
            let listed = client.list_secrets("dev").recursive().await.unwrap();
            let listed: Vec<_> = listed.iter().map(|row| (row.name.as_str(), row.folder.as_str())).collect();
            assert_eq!(listed, [("URL", "/b"), ("A", "/"), ("URL", "/a"), ("Z", "/a/b")]);
            let error = client.get_secrets("dev").recursive().no_cache().await.unwrap_err();
            assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["URL".to_owned()][..]));
            let rest = client.get_secrets("dev").recursive().allow_unreadable().no_cache().await.unwrap();
            assert_eq!(values(&rest), [("A", "2"), ("Z", "4")]);
        }
    }
}

#[tokio::test]
async fn the_text_that_stands_for_a_hidden_value_never_becomes_a_value() {
    // the crate and the SDK for Node put it into the process environment
    let hidden = |name| {
        let mut hidden = row(name, "<hidden-by-infisical>", "/");
        hidden["secretValueHidden"] = json!(true);
        hidden
    };
    for v4 in [true, false] {
        let server = of_secrets(v4, move |seen| match seen.path.ends_with("/HIDDEN") {
            true => json!({ "secret": hidden("HIDDEN") }),
            false => list(&[row("A", "a", "/"), hidden("HIDDEN")], &json!([{ "secrets": [hidden("IMPORTED")] }])),
        })
        .await;
        let client = server.client();
        let error = client.get_secrets("dev").await.unwrap_err();
        assert_eq!((error.kind(), error.names().len()), (ErrorKind::Masked, 2), "{error}");
        assert_eq!(client.get_secret("dev", "HIDDEN").await.unwrap_err().kind(), ErrorKind::Masked);
        assert_eq!(client.inject_secrets("dev").await.unwrap_err().kind(), ErrorKind::Masked);
        let readable = client.get_secrets("dev").allow_unreadable().await.unwrap();
        let mut child = Command::new("true");
        assert_eq!(readable.apply_to(&mut child).unwrap().set(), ["A"]);
        assert!(readable.unreadable().iter().all(|secret| secret.reason == UnreadableReason::Masked));
        let listed = client.list_secrets("dev").await.unwrap();
        assert_eq!(listed.iter().map(|row| row.value.is_some()).collect::<Vec<_>>(), [true, false]);
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_base_url_makes_no_other_path() {
    // the crate asks for `//api/…`, which no server has
    let server = Model::new(true).start().await;
    for end in ["", "/", "//", "/api", "/api/", "/api//"] {
        let client = server.builder().base_url(format!("{}{end}", server.url())).token("a-token").build().unwrap();
        client.get_secrets("dev").await.unwrap();
        assert_eq!(server.last().path, "/api/v4/secrets", "{end:?}");
    }
}

/// A server that has versions, and hides what is asked for hidden.
async fn of_versions() -> Server {
    of_secrets(true, |seen| {
        let version = seen.query("version").parse().unwrap_or(2_u64);
        let mut secret = row("A", &format!("value of version {version}"), "/");
        secret["version"] = json!(version);
        if seen.query("viewSecretValue") == "false" {
            (secret["secretValue"], secret["secretValueHidden"]) = (json!("<hidden-by-infisical>"), json!(true));
        }
        json!({ "secret": secret })
    })
    .await
}

#[tokio::test]
async fn an_old_version_in_the_cache_is_not_the_newest_one() {
    // the SDK gives version 1 to whoever asks for the newest after it
    let server = of_versions().await;
    let client = server.client();
    for _ in 0..2 {
        assert_eq!(client.get_secret("dev", "A").version(1).await.unwrap().expose(), "value of version 1");
        assert_eq!(client.get_secret("dev", "A").await.unwrap().expose(), "value of version 2");
    }
    assert_eq!(server.seen().len(), 2, "each is cached");
}

#[tokio::test]
async fn a_value_that_was_asked_for_hidden_is_not_given_to_who_asks_for_it() {
    // the SDK gives the text that stands for hidden values
    let server = of_versions().await;
    let client = server.client();
    let error = client.get_secret("dev", "A").view_secret_value(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Masked);
    assert_eq!(client.get_secret("dev", "A").await.unwrap().expose(), "value of version 2");
    assert_eq!(client.get_secret("dev", "A").view_secret_value(false).await.unwrap_err().kind(), ErrorKind::Masked);
}

#[tokio::test]
async fn projects_that_are_named_by_slugs_share_nothing() {
    // the SDK gives the secret of the first project for the second
    let server = of_secrets(false, |seen| {
        let mut secret = row("A", seen.query("workspaceSlug"), "/");
        secret["workspace"] = json!(null);
        match seen.path.ends_with("/A") {
            true => json!({ "secret": secret }),
            false => list(&[secret], &json!([])),
        }
    })
    .await;
    let client = server.client();
    for _ in 0..2 {
        for slug in ["alpha", "beta"] {
            assert_eq!(client.get_secret("dev", "A").project_slug(slug).await.unwrap().expose(), slug);
            let secrets = client.get_secrets("dev").project_slug(slug).await.unwrap();
            assert_eq!(values(&secrets), [("A", slug)]);
        }
    }
}

#[tokio::test]
async fn what_one_identity_has_read_is_not_given_to_another() {
    // the SDK, told to use another identity's token, goes on with what the first one has read
    let server = of_secrets(true, |seen| {
        let secret = row("A", seen.token().unwrap_or_default(), "/");
        if seen.path.ends_with("/A") { json!({ "secret": secret }) } else { list(&[secret], &json!([])) }
    })
    .await;
    let of = |token: &str| server.builder().token(token).build().unwrap();
    for token in ["token-of-ann", "token-of-ben"] {
        let client = of(token);
        assert_eq!(client.get_secret("dev", "A").await.unwrap().expose(), token);
        assert_eq!(client.get_secrets("dev").await.unwrap().require("A").unwrap().expose(), token);
    }
}

#[tokio::test]
async fn a_secret_that_takes_the_name_of_a_cached_one_is_read_anew_by_that_name() {
    // the SDK goes on with the value that the new name had before
    let names = std::sync::Mutex::new(vec![("OLD", "moved"), ("NEW", "before")]);
    let server = of_secrets(true, move |seen| {
        let mut names = names.lock().unwrap();
        if seen.method == "DELETE" {
            names.retain(|(name, _)| *name != "NEW");
            return json!({ "secret": row("NEW", "before", "/") });
        }
        if seen.method == "PATCH" {
            *names = vec![("NEW", "moved")];
            return json!({ "secret": row("NEW", "", "/") });
        }
        let name = seen.path.rsplit('/').next().unwrap_or_default();
        let value = names.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        json!({ "secret": row(name, value, "/") })
    })
    .await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", "NEW").await.unwrap().expose(), "before");
    assert!(client.delete_secret("dev", "NEW").await.unwrap().is_applied());
    assert!(client.update_secret("dev", "OLD").new_name("NEW").await.unwrap().is_applied());
    assert_eq!(client.get_secret("dev", "NEW").await.unwrap().expose(), "moved");
}

#[tokio::test]
async fn reads_that_differ_in_one_option_are_cached_apart() {
    // the SDK's cache of single secrets passes over references, imports, versions and views
    let server = of_secrets(true, |seen| {
        let options = [seen.query("expandSecretReferences"), seen.query("includeImports"), seen.query("secretPath")];
        json!({ "secret": row("A", &options.join(" "), seen.query("secretPath")) })
    })
    .await;
    let client = server.client();
    let value = async |expand: bool, imports: bool, path: &str| {
        let read = client.get_secret("dev", "A").expand_references(expand).include_imports(imports).path(path);
        read.await.unwrap().expose().to_owned()
    };
    for _ in 0..2 {
        for (expand, imports, path) in [(true, true, "/"), (false, true, "/"), (true, false, "/"), (true, true, "/app")]
        {
            assert_eq!(value(expand, imports, path).await, format!("{expand} {imports} {path}"));
        }
    }
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_change_says_only_what_the_caller_has_said_and_an_empty_text_clears() {
    // the SDK sends `skipMultilineEncoding: false` with every change, and cannot take a comment away
    let server = of_secrets(true, |_| json!({ "secret": row("A", "", "/") })).await;
    let client = server.client();
    assert!(client.update_secret("dev", "A").comment("").reminder_note(None).await.unwrap().is_applied());
    let Value::Object(body) = server.last().body else { panic!("a body") };
    let names: Vec<_> = body.keys().map(String::as_str).collect();
    assert_eq!(names, ["environment", "projectId", "secretComment", "secretPath", "secretReminderNote", "type"]);
    assert_eq!((&body["secretComment"], &body["secretReminderNote"]), (&json!(""), &Value::Null));
}
