//! Secrets whose names every object of JavaScript has.

use xtrasecurity::dev_server::route;
use xtrasecurity::xtra::write::Written;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::writes::{client, server};

const NAMES: [&str; 11] = [
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

const BRANCH: &str = "feature/new-ui";

async fn read(client: &XtraClient, environment: &str, branch: &str, key: &str) -> Option<String> {
    let secrets = client.get_secrets(environment).branch(branch).await.unwrap();
    secrets.get(key).map(|value| value.expose().to_owned())
}

#[tokio::test]
async fn they_are_created_changed_rolled_back_rotated_and_deleted_like_others() {
    let server = server().await;
    let client = client(&server);
    for name in NAMES {
        assert_eq!(client.set_secret("staging", name, "1").await.unwrap(), Written::Created, "{name}");
        assert_eq!(client.set_secret("staging", name, "2").await.unwrap(), Written::Updated, "{name}");
        client.set_secret("staging", name, "3").expect_version(2).await.unwrap();
        let seen = client.get_secrets("staging").await.unwrap();
        client.set_secret("staging", name, "4").if_unchanged(&seen).await.unwrap();
        assert_eq!(client.create_secret("staging", name, "5").await.unwrap_err().kind(), ErrorKind::Conflict);
        client.rollback_secret("staging", name, 1).await.unwrap();
        assert_eq!(read(&client, "staging", "main", name).await.as_deref(), Some("1"), "{name}");
        client.rotate_secret("staging", name).value("6").await.unwrap();
        // the service takes an empty value for none, so that one is written
        client.rotate_secret("staging", name).value("").await.unwrap();
        assert_eq!(read(&client, "staging", "main", name).await.as_deref(), Some(""), "{name}");
        assert_eq!(client.delete_secret("staging", name).await.unwrap().rows, 1, "{name}");
        client.create_secret("staging", name, "7").await.unwrap();
    }
    server.reset_counts();
    client.set_secrets("staging", NAMES.map(|name| (name, "8"))).verify().await.unwrap();
    assert_eq!(server.total_requests(), 3, "as many as for other names");
}

#[tokio::test]
async fn on_a_branch_they_are_written_although_main_has_them_in_another_version() {
    let server = server().await;
    let client = client(&server);
    for name in NAMES {
        client.set_secret("staging", name, "1").await.unwrap();
        client.set_secret("staging", name, "2").await.unwrap();
        assert_eq!(client.set_secret("staging", name, "new").branch(BRANCH).await.unwrap(), Written::Created, "{name}");
        let write = client.set_secret("staging", name, "newer").branch(BRANCH).expect_version(1);
        assert_eq!(write.await.unwrap(), Written::Updated, "{name}");
        let error = client.set_secret("staging", name, "no").branch(BRANCH).expect_version(7).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(read(&client, "staging", BRANCH, name).await.as_deref(), Some("newer"), "{name}");
        assert_eq!(read(&client, "staging", "main", name).await.as_deref(), Some("2"), "{name}");
    }
}

#[tokio::test]
async fn they_are_promoted_like_others() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("qa", NAMES.map(|name| (name, "from qa"))).await.unwrap();
    let done = client.promote_secrets("qa", "staging").await.unwrap();
    assert_eq!((done.created.len(), done.unconfirmed.len()), (NAMES.len(), 0));
    client.set_secrets("qa", NAMES.map(|name| (name, "again"))).await.unwrap();
    assert_eq!(client.promote_secrets("qa", "staging").overwrite(true).await.unwrap().updated.len(), NAMES.len());
}

#[tokio::test]
async fn the_one_that_the_service_loses_on_every_read_is_refused_before_anything_is_sent() {
    let server = server().await;
    let client = client(&server);
    let error = client.set_secret("staging", "__proto__", "1").allow_any_name().await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["__proto__".to_owned()][..]));
    assert!(error.to_string().contains("loses"), "{error}");
    assert_eq!(client.create_secret("staging", "__proto__", "1").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!((server.total_requests(), server.request_count(route::SECRETS_UPSERT)), (0, 0));
}
