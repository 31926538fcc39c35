//! Writes of secrets.

use xtrasecurity::ErrorKind;
use xtrasecurity::infisical::dev::{Fault, Generation, InfisicalDevServer, SecretSeed, route};
use xtrasecurity::infisical::write::{Written, WrittenSecret};
use xtrasecurity::infisical::{InfisicalClient, raw};

use crate::server::{BOTH, TAG, builder, client, start, user};

fn applied(written: Written<WrittenSecret>) -> (String, Option<u64>) {
    let secret = written.applied().expect("it was carried out");
    (secret.name, secret.version)
}

/// The comment and the slugs of the tags of a secret.
async fn beside(client: &InfisicalClient, name: &str) -> (Option<String>, Vec<String>) {
    let listed = client.list_secrets("dev").await.unwrap();
    let row = listed.into_iter().find(|row| row.name == name).unwrap();
    (row.comment.map(|comment| comment.expose().to_owned()), row.tags)
}

fn writes(server: &InfisicalDevServer) -> usize {
    let routes = [
        route::SECRETS_CREATE,
        route::SECRETS_UPDATE,
        route::SECRETS_DELETE,
        route::SECRETS_V3_CREATE,
        route::SECRETS_V3_UPDATE,
        route::SECRETS_V3_DELETE,
        route::SECRETS_CREATE_BATCH,
        route::SECRETS_UPDATE_BATCH,
        route::SECRETS_V3_CREATE_BATCH,
        route::SECRETS_V3_UPDATE_BATCH,
    ];
    routes.into_iter().map(|route| server.request_count(route) as usize).sum()
}

#[tokio::test]
async fn a_secret_is_created_changed_renamed_and_deleted_and_each_answer_tells_its_version() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let created = client.create_secret("dev", "TOKEN", "t-1").path("/app").comment("of ci").tag_ids([TAG]).await;
        assert_eq!(applied(created.unwrap()), ("TOKEN".to_owned(), Some(1)));
        let changed = client.update_secret("dev", "TOKEN").path("/app").value("t-2").await.unwrap();
        assert_eq!(applied(changed), ("TOKEN".to_owned(), Some(2)));
        let renamed = client.update_secret("dev", "TOKEN").path("/app").new_name("CI_TOKEN").await.unwrap();
        assert_eq!(applied(renamed), ("CI_TOKEN".to_owned(), Some(3)));
        assert_eq!(server.value("web", "dev", "/app", "CI_TOKEN").as_deref(), Some("t-2"));
        let deleted = client.delete_secret("dev", "CI_TOKEN").path("/app").await.unwrap();
        assert_eq!(applied(deleted).0, "CI_TOKEN");
        assert_eq!(server.value("web", "dev", "/app", "CI_TOKEN"), None);
    }
}

#[tokio::test]
async fn a_change_of_what_is_beside_a_value_leaves_the_value_and_what_was_not_said() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        applied(client.update_secret("dev", "HOST").tag_ids([TAG]).await.unwrap());
        assert_eq!(beside(&client, "HOST").await, (Some("the primary".to_owned()), vec!["net".to_owned()]));
        applied(client.update_secret("dev", "HOST").comment("the replica").reminder_days(30).await.unwrap());
        assert_eq!(beside(&client, "HOST").await, (Some("the replica".to_owned()), vec!["net".to_owned()]));
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db.internal"));
        let reads = server.request_count(route::SECRETS_V3_GET);
        assert_eq!(
            reads,
            if generation == Generation::Current { 0 } else { 4 },
            "the older interface wants a value, and is read back"
        );
    }
}

#[tokio::test]
async fn a_secret_that_exists_is_not_created_and_one_that_does_not_is_not_changed() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let error = client.create_secret("dev", "HOST", "other").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false), "{error}");
        assert!(error.to_string().contains("which set_secret changes"), "{error}");
        let taken = client.update_secret("dev", "HOST").value("v").new_name("PASSWORD").await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Conflict, "{taken}");
        for error in [
            client.update_secret("dev", "NOWHERE").value("v").await.unwrap_err(),
            client.delete_secret("dev", "NOWHERE").await.unwrap_err(),
            client.create_secret("dev", "NEW", "v").path("/nowhere").await.unwrap_err(),
            client.set_secret("dev", "NEW", "v").path("/nowhere").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db.internal"));
    }
}

#[tokio::test]
async fn set_secret_changes_what_is_there_and_creates_the_rest() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        assert_eq!(applied(client.set_secret("dev", "HOST", "db-2").await.unwrap()), ("HOST".to_owned(), Some(2)));
        assert_eq!(applied(client.set_secret("dev", "NEW", "v").await.unwrap()), ("NEW".to_owned(), Some(1)));
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db-2"));
        assert_eq!(server.value("web", "dev", "/", "NEW").as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn several_secrets_are_set_by_one_request_for_those_that_are_there_and_one_for_the_rest() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let pairs = [("HOST", "db-2"), ("A", "1"), ("B", "2"), ("PASSWORD", "plum-4712")];
        let written = client.set_secrets("dev", pairs).await.unwrap();
        assert!(written.is_applied());
        let names = |secrets: &[WrittenSecret]| {
            let mut names: Vec<String> = secrets.iter().map(|secret| secret.name.clone()).collect();
            names.sort();
            names
        };
        assert_eq!(
            (names(&written.created), names(&written.updated)),
            (vec!["A".into(), "B".into()], vec!["HOST".into(), "PASSWORD".into()])
        );
        for (name, value) in pairs {
            assert_eq!(server.value("web", "dev", "/", name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(writes(&server), 2);
        let none: [(&str, &str); 0] = [];
        assert!(client.set_secrets("dev", none).await.unwrap().is_applied());
        assert_eq!(writes(&server), 2);
    }
}

#[tokio::test]
async fn a_name_that_a_folder_has_twice_is_not_set_among_several() {
    let server = start(Generation::October2024).await;
    server.add_secret("web", SecretSeed::new("dev", "HOST", "second")).unwrap();
    let error = client(&server).set_secrets("dev", [("HOST", "v"), ("A", "1")]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["HOST".to_owned()][..]));
    assert_eq!(writes(&server), 0);
}

#[tokio::test]
async fn a_name_that_is_there_twice_is_no_plain_success_of_a_change() {
    for generation in [Generation::August2024, Generation::October2024] {
        let server = start(generation).await;
        let client = client(&server);
        server.add_secret("web", SecretSeed::new("dev", "HOST", "second")).unwrap();
        for error in [
            client.update_secret("dev", "HOST").value("db-2").await.unwrap_err(),
            client.update_secret("dev", "HOST").comment("the replica").await.unwrap_err(),
            client.set_secret("dev", "HOST", "db-2").await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["HOST".to_owned()][..]), "{error}");
            assert!(error.may_have_been_applied() && error.hint().is_some(), "{error}");
        }
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db.internal"), "what reads give");
    }
}

#[tokio::test]
async fn a_change_is_unconfirmed_when_its_read_fails_or_gives_another_value_and_servers_of_today_get_no_read() {
    for generation in [Generation::August2024, Generation::October2024, Generation::Current] {
        let is_old = generation != Generation::Current;
        let server = start(generation).await;
        let client = client(&server);
        let set = async |value: &str| client.set_secret("dev", "HOST", value).await.unwrap().applied().unwrap();
        assert!(!set("db-2").await.unconfirmed);
        server.fault(Fault::status(403).on(route::SECRETS_V3_GET));
        assert_eq!(set("db-3").await.unconfirmed, is_old);
        let hold = server.hold(route::SECRETS_V3_GET);
        let (written, ()) = tokio::join!(set("db-4"), async {
            if is_old {
                hold.waiting_for(1).await;
                server.set_value("web", "dev", "/", "HOST", "of another").unwrap();
            }
            drop(hold);
        });
        assert_eq!(written.unconfirmed, is_old);
        let reads = server.request_count(route::SECRETS_V3_GET) + server.request_count(route::SECRETS_GET);
        assert_eq!(reads, if is_old { 3 } else { 0 });
    }
}

#[tokio::test]
async fn secrets_that_were_not_created_after_others_were_changed_are_named() {
    let server = start(Generation::Current).await;
    server.fault(Fault::status(500).on(route::SECRETS_CREATE_BATCH));
    let error = client(&server).set_secrets("dev", [("HOST", "db-2"), ("A", "1")]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Incomplete, &["A".to_owned()][..]), "{error}");
    assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db-2"));
}

#[tokio::test]
async fn a_write_that_awaits_an_approval_is_an_outcome_of_its_own_and_stores_nothing() {
    for generation in BOTH {
        let server = start(generation).await;
        // servers of 2024 ask users alone
        let client = user(&server);
        for written in [
            client.create_secret("dev", "KEY", "v").path("/guarded").await.unwrap(),
            client.set_secret("dev", "KEY", "v").path("/guarded").await.unwrap(),
        ] {
            let Written::AwaitsApproval(approval) = written else { panic!("it needs an approval") };
            assert!(!approval.id.is_empty() && approval.slug.is_some());
        }
        let several = client.set_secrets("dev", [("KEY", "v")]).path("/guarded").await.unwrap();
        assert!(!several.is_applied() && several.created.is_empty());
        assert_eq!(server.value("web", "dev", "/guarded", "KEY"), None);
    }
}

#[tokio::test]
async fn a_personal_value_is_written_beside_the_shared_one() {
    for generation in BOTH {
        let server = start(generation).await;
        let ann = user(&server);
        applied(ann.create_secret("dev", "HOST", "localhost").personal().await.unwrap());
        assert_eq!(ann.get_secret("dev", "HOST").personal().await.unwrap().expose(), "localhost");
        applied(ann.update_secret("dev", "HOST").value("127.0.0.1").personal().await.unwrap());
        assert_eq!(ann.get_secret("dev", "HOST").personal().no_cache().await.unwrap().expose(), "127.0.0.1");
        applied(ann.delete_secret("dev", "HOST").personal().await.unwrap());
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db.internal"));
        let error = client(&server).create_secret("dev", "HOST", "v").personal().await.unwrap_err();
        assert_eq!(error.status(), Some(400), "a machine has none: {error}");
    }
}

#[tokio::test]
async fn a_write_drops_the_snapshots_of_its_project_by_whatever_name_they_were_read() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let other = || client.get_secrets("dev").path("/app").project_slug("web");
        assert_eq!(client.get_secrets("dev").await.unwrap().require("HOST").unwrap().expose(), "db.internal");
        other().await.unwrap();
        let before = client.stats().hits;
        other().await.unwrap();
        assert_eq!(client.stats().hits, before + 1);
        applied(client.set_secret("dev", "HOST", "db-2").await.unwrap());
        other().await.unwrap();
        assert_eq!(client.stats().hits, before + 1, "it was fetched");
        assert_eq!(client.get_secrets("dev").await.unwrap().require("HOST").unwrap().expose(), "db-2");
    }
}

#[tokio::test]
async fn a_project_is_written_by_its_slug_too() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = InfisicalClient::builder().token(server.token()).project_slug("web").base_url(server.url());
        let client = client.no_proxy().build().unwrap();
        applied(client.set_secret("dev", "HOST", "db-2").await.unwrap());
        assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db-2"));
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_sent_once_and_says_that_it_may_have_been_applied() {
    for (generation, route) in
        [(Generation::October2024, route::SECRETS_V3_CREATE), (Generation::Current, route::SECRETS_CREATE)]
    {
        let server = start(generation).await;
        let client = client(&server);
        client.get_secrets("dev").await.unwrap();
        server.fault(Fault::cut_body().on(route));
        let error = client.create_secret("dev", "NEW", "v").await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(server.request_count(route), 1);
        assert!(client.get_secrets("dev").await.unwrap().contains("NEW"), "the cache was dropped");
    }
}

#[tokio::test]
async fn an_answer_about_something_else_confirms_nothing() {
    let server = start(Generation::Current).await;
    let client = client(&server);
    for body in [
        r#"{"secret":{"secretKey":"OTHER","version":1}}"#,
        r#"{"secret":{"secretKey":"NEW","secretValue":"w","version":1}}"#,
        r#"{"secret":{"secretKey":"NEW","environment":"prod"}}"#,
        "{}",
        "[]",
    ] {
        server.fault(Fault::body(200, "application/json", body).on(route::SECRETS_CREATE));
        let error = client.create_secret("dev", "NEW", "v").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{body}: {error}");
    }
    let hidden = r#"{"secret":{"secretKey":"NEW","secretValue":"<hidden-by-infisical>","secretValueHidden":true}}"#;
    server.fault(Fault::body(200, "application/json", hidden).on(route::SECRETS_CREATE));
    assert!(client.create_secret("dev", "NEW", "v").await.unwrap().is_applied());
}

#[tokio::test]
async fn what_servers_refuse_or_change_is_refused_before_anything_is_sent() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        for error in [
            client.create_secret("dev", "a/b", "v").await.unwrap_err(),
            client.create_secret("dev", "", "v").await.unwrap_err(),
            client.create_secret("dev", " A", "v").await.unwrap_err(),
            client.create_secret("dev", "A", " v").await.unwrap_err(),
            client.create_secret("dev", "A", "v").path("/a//b").await.unwrap_err(),
            client.create_secret("dev", "A", "v").metadata("owner", "ops").await.unwrap_err(),
            client.update_secret("dev", "HOST").await.unwrap_err(),
            client.update_secret("dev", "HOST").new_name("a:b").await.unwrap_err(),
            client.set_secrets("dev", [("A", "1"), ("A", "2")]).await.unwrap_err(),
            client.delete_secret("dev", "..").await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Invalid, false), "{error}");
        }
        assert_eq!(writes(&server), 0);
        let trimmed = client.create_secret("dev", "A", " v ").allow_trimming().await.unwrap();
        assert!(trimmed.is_applied());
        assert_eq!(server.value("web", "dev", "/", "A").as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn metadata_is_stored_where_the_server_has_it_and_not_dropped_where_it_has_not() {
    let server = start(Generation::Current).await;
    let current = client(&server);
    applied(current.create_secret("dev", "A", "v").secret_metadata([("owner", "ops")]).await.unwrap());
    let found = current.raw().secrets_get().secret_name("A").project_id(server.project_id()).environment("dev");
    let metadata = found.send().await.unwrap().into_inner().secret.secret_metadata.unwrap();
    assert_eq!(metadata[0].value.as_ref().and_then(raw::WireSecret::expose), Some("ops"));
    let old = start(Generation::October2024).await;
    let error = client(&old).create_secret("dev", "A", "v").secret_metadata([("owner", "ops")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(writes(&old), 0);
}

#[tokio::test]
async fn a_secret_with_the_name_of_a_route_is_written_all_the_same() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        for name in ["batch", "move"] {
            applied(client.set_secret("dev", name, "v").await.unwrap());
            assert_eq!(server.value("web", "dev", "/", name).as_deref(), Some("v"));
            applied(client.delete_secret("dev", name).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_write_without_a_project_is_refused() {
    let server = start(Generation::Current).await;
    let client = InfisicalClient::builder().token(server.token()).base_url(server.url()).no_proxy().build().unwrap();
    let error = client.set_secret("dev", "A", "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(writes(&server), 0);
}

#[test]
fn the_blocking_client_writes_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(start(Generation::Current));
    let client = xtrasecurity::blocking::InfisicalClient::from(builder(&server).build().unwrap());
    assert!(client.set_secret("dev", "HOST", "db-2").send().unwrap().is_applied());
    assert_eq!(server.value("web", "dev", "/", "HOST").as_deref(), Some("db-2"));
}
