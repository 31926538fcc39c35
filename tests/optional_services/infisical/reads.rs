//! Reads: the interface that is asked, what is merged, and what is no value.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use xtrasecurity::clock::{ManualClock, Timestamp};
use xtrasecurity::snapshot::UnreadableReason;
use xtrasecurity::{ErrorKind, XtraError};

use crate::server::{Model, PROJECT, Reply, Seen, Server, row};

/// An old server, which lists these in every folder.
async fn old(list: Value) -> Server {
    Server::start(
        move |seen| if seen.path.starts_with("/api/v4/") { Reply::no_route(seen) } else { Reply::json(&list) },
    )
    .await
}

fn is_list(seen: &Seen) -> bool {
    matches!(seen.path.as_str(), "/api/v3/secrets/raw" | "/api/v4/secrets")
}

#[tokio::test]
async fn an_old_server_is_found_out_once_and_its_new_neighbour_is_asked_the_new_way_alone() {
    let old = Model::new(false).start().await;
    let client = old.client();
    client.get_secrets("dev").await.unwrap();
    client.get_secret("dev", "PORT").await.unwrap();
    client.get_secrets("dev").no_cache().await.unwrap();
    assert_eq!((old.count("/api/v4/"), old.count("/api/v3/secrets/raw")), (1, 3));
    let new = Model::new(true).start().await;
    let client = new.client();
    client.get_secrets("dev").await.unwrap();
    client.get_secret("dev", "PORT").await.unwrap();
    assert_eq!((new.count("/api/v4/secrets"), new.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_server_that_is_upgraded_or_put_back_is_found_out_again() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    client.get_secrets("dev").await.unwrap();
    model.lock().v4 = false;
    client.get_secrets("dev").no_cache().await.unwrap();
    assert_eq!(server.count("/api/v3/"), 1);
    model.lock().faults.push(Reply::refusal(404, "Not Found", "Route GET:/api/v3/secrets/raw not found"));
    model.lock().v4 = true;
    client.get_secrets("dev").no_cache().await.unwrap();
    assert_eq!(server.last().path, "/api/v4/secrets");
}

#[tokio::test]
async fn a_place_without_an_infisical_is_told_as_such_and_the_address_is_not_shown() {
    let server = Server::start(Reply::no_route).await;
    let error = server.client().get_secrets("dev").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no such route"), "{error}");
    assert!(!format!("{error} {error:?}").contains("/api/v"), "{error}");
    let error = server.client().get_secret("dev", "N".repeat(101)).await.unwrap_err();
    assert!(error.to_string().contains("more than 100 characters"), "{error}");
}

#[tokio::test]
async fn every_flag_is_said_to_either_server_in_the_words_that_it_knows() {
    let ask = async |server: &Server| {
        let client = server.client();
        let read = client.get_secrets("dev").path("/app/").recursive().include_imports(false).expand_references(false);
        let _ = read.tag("db").tag("critical").no_cache().await;
        server.last()
    };
    let seen = ask(&Model::new(true).start().await).await;
    for (name, value) in [
        ("projectId", PROJECT),
        ("environment", "dev"),
        ("secretPath", "/app"),
        ("viewSecretValue", "true"),
        ("expandSecretReferences", "false"),
        ("recursive", "true"),
        ("includeImports", "false"),
        ("include_imports", "false"),
        ("includePersonalOverrides", "false"),
        ("tagSlugs", "db,critical"),
    ] {
        assert_eq!(seen.query(name), value, "{name}");
    }
    assert_eq!(seen.query.len(), 10, "{:?}", seen.query);
    let server = Model::new(false).start().await;
    ask(&server).await;
    let seen = server.seen().into_iter().rfind(|seen| seen.path == "/api/v3/secrets/raw").unwrap();
    assert_eq!((seen.query("workspaceId"), seen.query("include_imports")), (PROJECT, "false"));
    assert_eq!(seen.query("includeImports"), "");
}

#[tokio::test]
async fn a_name_stays_one_segment_of_the_path() {
    let server = Model::new(true).start().await;
    server.client().get_secret("dev", "a/b?c#d e").await.unwrap_err();
    assert_eq!(server.last().path, "/api/v4/secrets/a%2Fb%3Fc%23d%20e");
}

#[tokio::test]
async fn the_base_url_may_end_in_api_or_in_a_slash() {
    let server = Model::new(true).start().await;
    for end in ["", "/", "/api", "/api/"] {
        let url = format!("{}{end}", server.url());
        let client = server.builder().base_url(url).token("a-token").build().unwrap();
        assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3);
        assert_eq!(server.last().path, "/api/v4/secrets");
    }
}

#[tokio::test]
async fn a_project_is_named_by_its_slug_to_servers_of_either_kind() {
    let server = Model::new(false).start().await;
    server.client().get_secrets("dev").project_slug("my-project").await.unwrap();
    assert_eq!((server.last().query("workspaceSlug"), server.last().query("workspaceId")), ("my-project", ""));
    assert_eq!(server.count("/api/v4/"), 0);
    // one that has dropped the older interface
    let model = Model::new(true);
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/api/v1/projects/slug/my-project" => Reply::json(&json!({ "project": { "id": PROJECT } })),
        path if path.starts_with("/api/v3/") => Reply::no_route(seen),
        _ => model.answer_now(seen),
    })
    .await;
    server.client().get_secrets("dev").project_slug("my-project").await.unwrap();
    assert_eq!(server.last().query("projectId"), PROJECT);
}

#[tokio::test]
async fn without_a_project_only_a_service_token_reads() {
    let server = Model::new(false).start().await;
    let builder = || xtrasecurity::infisical::InfisicalClient::builder().base_url(server.url()).no_proxy();
    let error = builder().token("a-token").build().unwrap().get_secrets("dev").await.unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::Config, 0));
    let _ = builder().token("st.0123.4567").build().unwrap().get_secrets("dev").await;
    assert!(server.seen().iter().all(|seen| seen.query("workspaceId").is_empty()) && !server.seen().is_empty());
}

#[tokio::test]
async fn a_snapshot_that_has_not_changed_is_refreshed_without_its_secrets_and_counted() {
    for v4 in [true, false] {
        let model = Model::new(v4);
        let server = model.start().await;
        let clock = ManualClock::new();
        let client = server.builder().token("a-token").clock(clock.clock()).build().unwrap();
        client.get_secrets("dev").await.unwrap();
        clock.advance(Duration::from_secs(50));
        let refreshed = client.refresh("dev").await.unwrap();
        assert_eq!((refreshed.age(), refreshed.len(), client.stats().unchanged), (Duration::ZERO, 3, 1));
        assert!(server.last().headers["if-none-match"].starts_with('"'));
        assert_eq!(client.get_secrets("dev").await.unwrap().require("PORT").unwrap().expose(), "8080");
        model.lock().secrets.insert("PORT".to_owned(), "8081".to_owned());
        let changed = client.refresh("dev").await.unwrap();
        assert_eq!((changed.require("PORT").unwrap().expose(), client.stats().unchanged), ("8081", 1));
        assert_eq!(client.refresh("dev").await.unwrap().require("PORT").unwrap().expose(), "8081");
        assert_eq!(client.stats().unchanged, 2);
    }
}

#[tokio::test]
async fn a_secret_by_its_name_is_revalidated_too_and_nothing_is_known_once_the_cache_is_cleared() {
    let server = Model::new(true).start().await;
    let client = server.client();
    client.get_secret("dev", "PORT").await.unwrap();
    assert_eq!(client.get_secret("dev", "PORT").no_cache().await.unwrap().expose(), "8080");
    assert_eq!(client.stats().unchanged, 1);
    client.clear_cache();
    client.get_secret("dev", "PORT").await.unwrap();
    assert!(!server.last().headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn the_tag_of_a_refusal_is_never_sent() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    for refusal in
        [Reply::refusal(401, "UnauthorizedError", "Token missing"), Reply::refusal(404, "NotFound", "Secret not found")]
    {
        model.lock().faults.push(refusal);
        client.get_secrets("dev").no_cache().await.unwrap_err();
    }
    client.get_secrets("dev").await.unwrap();
    assert!(server.seen().iter().all(|seen| !seen.headers.contains_key("if-none-match")));
}

#[tokio::test]
async fn an_identity_that_may_no_longer_read_is_refused_although_nothing_has_changed() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    client.get_secrets("dev").await.unwrap();
    model.lock().faults.push(Reply::refusal(403, "PermissionDenied", "You are not allowed to read on secrets"));
    assert_eq!(client.refresh("dev").await.unwrap_err().kind(), ErrorKind::Forbidden);
    client.get_secrets("dev").await.unwrap();
    assert!(!server.last().headers.contains_key("if-none-match"), "the snapshot was dropped");
}

#[tokio::test]
async fn a_folder_that_an_old_server_does_not_have_is_not_found_and_an_empty_one_is_empty() {
    // an empty folder has no imports where none are asked for, and a missing one has
    let missing = old(json!({ "secrets": [], "imports": [] })).await;
    let error = missing.client().get_secrets("dev").path("/nope").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("/nope"), "{error}");
    let empty = Server::start(|seen| {
        let imports = if seen.query("include_imports") == "true" { json!([]) } else { Value::Null };
        if seen.path.starts_with("/api/v4/") {
            Reply::no_route(seen)
        } else {
            Reply::json(&json!({ "secrets": [], "imports": imports }))
        }
    })
    .await;
    assert!(empty.client().get_secrets("dev").path("/empty").await.unwrap().is_empty());
    // a new one says so itself, and may list no imports of an empty folder in any way
    let new = Server::start(|_| Reply::json(&json!({ "secrets": [], "imports": [] }))).await;
    assert!(new.client().get_secrets("dev").await.unwrap().is_empty());
    assert_eq!(new.seen().len(), 1);
    assert!(new.client().get_secrets("dev").project_slug("my-project").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_tree_of_an_old_server_has_the_imports_of_its_folder_and_not_the_neighbour_that_begins_alike() {
    let server = Server::start(|seen| match (seen.query("recursive"), is_list(seen)) {
        _ if seen.path.starts_with("/api/v4/") => Reply::no_route(seen),
        ("true", _) => Reply::json(
            &json!({ "secrets": [row("A", "1", "/app"), row("B", "2", "/app/db"), row("C", "3", "/apple")] }),
        ),
        _ => Reply::json(&json!({
            "secrets": [row("A", "1", "/app")],
            "imports": [{ "environment": "prod", "secrets": [{ "secretKey": "I", "secretValue": "imported" }] }],
        })),
    })
    .await;
    let secrets = server.client().get_secrets("dev").path("/app").recursive().await.unwrap();
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["A", "B", "I"]);
}

#[tokio::test]
async fn names_that_are_there_twice_fail_the_read_by_name_and_the_rest_can_be_had() {
    let rows = json!({ "secrets": [row("RACE", "1", "/"), row("A", "a", "/"), row("RACE", "2", "/")] });
    let server = old(rows).await;
    let client = server.client();
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["RACE".to_owned()][..]));
    let rest = client.get_secrets("dev").allow_unreadable().await.unwrap();
    assert_eq!((rest.len(), rest.unreadable()[0].reason), (1, UnreadableReason::Ambiguous));
    assert_eq!(rest.require("RACE").unwrap_err().kind(), ErrorKind::Conflict);
    let listed = client.list_secrets("dev").await.unwrap();
    let listed: Vec<_> = listed.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(listed, ["RACE", "A", "RACE"], "each row, in the order sent");
}

#[tokio::test]
async fn a_list_keeps_folders_versions_comments_tags_metadata_and_moments() {
    let mut tagged = row("B", "b", "/app/db");
    tagged["tags"] = json!([{ "id": "1", "slug": "critical", "color": null }]);
    tagged["secretComment"] = json!("ask the team");
    tagged["version"] = json!(7);
    tagged["secretMetadata"] = json!([{ "key": "owner", "value": "the platform team" }]);
    tagged["updatedAt"] = json!("2026-01-02T03:04:05.678Z");
    let server = old(json!({ "secrets": [row("Z", "z", "/app"), tagged, row("X", "x", "/apple")] })).await;
    let listed = server.client().list_secrets("dev").path("/app").recursive().await.unwrap();
    let [first, second] = &listed[..] else { panic!("two rows") };
    assert_eq!((first.name.as_str(), first.folder.as_str(), first.version), ("Z", "/app", Some(1)));
    assert_eq!(
        (second.folder.as_str(), second.version, &second.tags[..]),
        ("/app/db", Some(7), &["critical".to_owned()][..])
    );
    assert_eq!(second.comment.as_ref().unwrap().expose(), "ask the team");
    assert_eq!(second.metadata, [("owner".to_owned(), "the platform team".into())]);
    assert_eq!((second.id.as_deref(), second.updated_at), (Some("B"), Timestamp::parse("2026-01-02T03:04:05.678Z")));
    assert!(!format!("{listed:?}").contains("team"));
}

#[tokio::test]
async fn masked_values_fail_the_read_and_names_alone_are_had_of_old_servers_too() {
    let mut hidden = row("B", "b", "/");
    hidden["secretValueHidden"] = json!(true);
    let server = old(json!({ "secrets": [row("A", "<hidden-by-infisical>", "/"), hidden, row("C", "c", "/")] })).await;
    let client = server.client();
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_eq!((error.kind(), error.names().len()), (ErrorKind::Masked, 2));
    let names = client.get_secrets("dev").view_secret_value(false).allow_unreadable().await.unwrap();
    assert_eq!((names.len(), names.unreadable().len()), (0, 3), "its values came, and are dropped");
    assert_eq!(server.last().query("viewSecretValue"), "false");
}

/// A server that expands a reference by name and leaves it in lists.
async fn half_expanding(by_name: fn(&str) -> Reply) -> Server {
    Server::start(move |seen| match seen.path.strip_prefix("/api/v3/secrets/raw/") {
        _ if seen.path.starts_with("/api/v4/") => Reply::no_route(seen),
        Some(name) => by_name(name),
        None => Reply::json(&json!({ "secrets": [row("CHAIN", "x-${PLAIN}-y", "/"), row("PLAIN", "plain", "/")] })),
    })
    .await
}

#[tokio::test]
async fn a_reference_that_a_list_has_left_is_followed_by_name() {
    let server = half_expanding(|name| Reply::json(&json!({ "secret": row(name, "x-plain-y", "/") }))).await;
    let client = server.client();
    let secrets = client.get_secrets("dev").await.unwrap();
    assert_eq!(secrets.require("CHAIN").unwrap().expose(), "x-plain-y");
    assert_eq!(server.count("/api/v3/secrets/raw/CHAIN"), 1);
    client.refresh("dev").await.unwrap();
    assert_eq!(client.stats().unchanged, 0, "the list says nothing of what the name gives");
    let stored = client.get_secrets("dev").expand_references(false).await.unwrap();
    assert_eq!(stored.require("CHAIN").unwrap().expose(), "x-${PLAIN}-y");
}

#[tokio::test]
async fn a_text_that_only_looks_like_a_reference_is_asked_for_by_name_once() {
    let server = half_expanding(|name| Reply::json(&json!({ "secret": row(name, "x-${PLAIN}-y", "/") }))).await;
    let client = server.client();
    for _ in 0..3 {
        let secrets = client.get_secrets("dev").no_cache().await.unwrap();
        assert_eq!(secrets.require("CHAIN").unwrap().expose(), "x-${PLAIN}-y");
    }
    assert_eq!(server.count("/api/v3/secrets/raw/CHAIN"), 1);
    let error = client.get_secrets("dev").refuse_unexpanded().await.unwrap_err();
    assert_eq!(error.names(), ["CHAIN"]);
}

#[tokio::test]
async fn a_reference_that_the_server_refuses_to_follow_is_no_value() {
    let refusals: [fn(&str) -> Reply; 2] = [
        |_| {
            Reply::refusal(
                403,
                "ForbiddenError",
                "You are attempting to reference secret named A from environment prod in path / which you do not have access to.",
            )
        },
        |_| Reply::refusal(500, "InternalServerError", "Something went wrong"),
    ];
    for refusal in refusals {
        let server = half_expanding(refusal).await;
        let rest = server.client().get_secrets("dev").allow_unreadable().await.unwrap();
        assert_eq!((rest.len(), rest.unreadable()[0].reason), (1, UnreadableReason::Unexpanded));
    }
}

#[tokio::test]
async fn an_imported_secret_that_an_old_server_gives_by_name_without_its_value_is_taken_from_the_list() {
    let values = Arc::new(Mutex::new("dup-prod"));
    let value = Arc::clone(&values);
    let server = Server::start(move |seen| match seen.path.strip_prefix("/api/v3/secrets/raw") {
        Some("") => Reply::json(&json!({
            "secrets": [],
            "imports": [{ "environment": "prod", "secrets": [{ "secretKey": "DUP", "secretValue": *value.lock().unwrap() }] }],
        })),
        Some(_) => Reply::json(&json!({ "secret": { "secretKey": "DUP", "secretValue": "", "environment": "prod" } })),
        None => Reply::no_route(seen),
    })
    .await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", "DUP").await.unwrap().expose(), "dup-prod");
    // the answer by name is the same as before
    *values.lock().unwrap() = "dup-new";
    assert_eq!(client.get_secret("dev", "DUP").no_cache().await.unwrap().expose(), "dup-new");
}

#[tokio::test]
async fn an_empty_secret_stays_empty() {
    let server = Server::start(|seen| match seen.path.strip_prefix("/api/v3/secrets/raw") {
        Some("") => Reply::json(&json!({ "secrets": [row("EMPTY", "", "/")], "imports": [] })),
        Some(_) => Reply::json(&json!({ "secret": row("EMPTY", "", "/") })),
        None => Reply::no_route(seen),
    })
    .await;
    assert_eq!(server.client().get_secret("dev", "EMPTY").await.unwrap().expose(), "");
}

#[tokio::test]
async fn another_version_than_the_one_asked_for_is_never_taken_for_it() {
    let model = Model::new(false);
    let server = model.start().await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", "PORT").version(1).await.unwrap().expose(), "8080");
    assert_eq!(server.last().query("version"), "1");
    let error = client.get_secret("dev", "PORT").version(2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("answered with version 1"), "{error}");
}

#[tokio::test]
async fn a_personal_value_is_asked_for_by_name_and_where_there_is_none_the_shared_one() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.query("type")) {
        ("/api/v4/secrets/MINE", "personal") | ("/api/v4/secrets/OURS", "shared") => {
            let name = &seen.path["/api/v4/secrets/".len()..];
            Reply::json(&json!({ "secret": row(name, seen.query("type"), "/") }))
        }
        _ => Reply::refusal(404, "NotFound", "Secret with name 'X' not found"),
    })
    .await;
    let client = server.client();
    assert_eq!(client.get_secret("dev", "MINE").personal().await.unwrap().expose(), "personal");
    assert_eq!(client.get_secret("dev", "OURS").personal().await.unwrap().expose(), "shared");
    assert_eq!(client.get_secret("dev", "MINE").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_missing_secret_is_told_by_its_name_and_place() {
    for v4 in [true, false] {
        let server = Model::new(v4).start().await;
        let error = server.client().get_secret("dev", "NOPE").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error.to_string().contains("no such secret") && error.call() == Some(r#"get_secret("dev", "NOPE")"#),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_answer_about_another_place_than_was_asked_for_is_refused() {
    let mut elsewhere = row("A", "a", "/");
    elsewhere["environment"] = json!("prod");
    let server = old(json!({ "secrets": [elsewhere] })).await;
    let error = server.client().get_secrets("dev").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let server = Server::start(|_| Reply::json(&json!({ "secret": row("B", "b", "/") }))).await;
    assert_eq!(server.client().get_secret("dev", "A").await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_limit_of_the_server_is_kept_to_and_told() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.builder().token("a-token").call_timeout(Duration::from_secs(2)).build().unwrap();
    let limited = Reply::refusal(429, "RateLimitExceeded", "Rate limit exceeded. Please try again in 1 minute");
    let limited = limited
        .header("x-ratelimit-limit", "40")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "52");
    model.lock().faults.push(limited.header("retry-after", "52"));
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(52))));
    let error: XtraError = client.get_secrets("dev").await.unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::RateLimited, 1), "it is not sent before its time");
    // limits are of routes: a secret by its name is read all the same
    assert!(client.get_secret("dev", "PORT").await.is_ok());
}

#[tokio::test]
async fn a_failure_that_will_not_pass_is_sent_once_and_one_that_may_again() {
    let model = Model::new(true);
    let server = model.start().await;
    let client = server.client();
    model.lock().faults.push(Reply::refusal(500, "InternalServerError", "Something went wrong"));
    assert_eq!(client.get_secrets("dev").await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(server.seen().len(), 1);
    model.lock().faults.push(Reply::new(503, ""));
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_page_of_something_in_between_does_not_take_the_snapshot_away() {
    let model = Model::new(true);
    let away = Arc::new(AtomicBool::new(false));
    let server = {
        let (model, away) = (model.clone(), Arc::clone(&away));
        Server::start(move |seen| match away.load(Ordering::SeqCst) {
            true => Reply::new(404, "<html>nothing here</html>"),
            false => model.answer_now(seen),
        })
        .await
    };
    let clock = ManualClock::new();
    let client = server.builder().token("a-token").clock(clock.clock()).build().unwrap();
    client.get_secrets("dev").await.unwrap();
    away.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(125));
    assert_eq!(client.get_secrets("dev").await.unwrap().len(), 3);
    assert!(client.stats().foreign_refusals > 0);
}
