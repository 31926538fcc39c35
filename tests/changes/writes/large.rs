//! Writes to an environment that holds a value of which two versions are more than is read of an answer: what is looked at
//! before a write must not be larger than the value itself.

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, SecretSeed};
use xtrasecurity::xtra::write::{LinkSource, Written};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::writes::{builder, server};

const BRANCH: &str = "feature/new-ui";

/// As much as these clients read of an answer, and a value of half of it: 16 MiB and 8 MB in small.
const CAP: usize = 1 << 17;
const LARGE: usize = CAP * 8_000_000 / (16 << 20);

/// The large value in `staging` on `main`, in three versions, two of them large.
async fn world() -> DevServer {
    let server = server().await;
    let large = "x".repeat(LARGE);
    for value in ["small", &large, &large] {
        server.set_secret("demo", "staging", "main", "A_LARGE", value).unwrap();
    }
    server
}

/// A client that knows nothing yet.
fn new(server: &DevServer, who: &str) -> XtraClient {
    builder(server).token(server.token_for(who).unwrap()).max_response_bytes(CAP).build().unwrap()
}

#[tokio::test]
async fn a_new_client_writes_beside_it() {
    let server = world().await;
    for who in ["owner", "developer", "deploy"] {
        assert_eq!(new(&server, who).set_secret("staging", "NEW", "1").await.unwrap(), Written::Created, "{who}");
        assert_eq!(new(&server, who).set_secret("staging", "NEW", "2").await.unwrap(), Written::Updated, "{who}");
        new(&server, who).create_secret("staging", "CREATED", "1").await.unwrap();
        let report = new(&server, who).set_secrets("staging", [("NEW", "3"), ("CREATED", "3")]).await.unwrap();
        assert_eq!(report.updated.len(), 2, "{who}");
        new(&server, who).promote_secrets("production", "staging").overwrite(true).await.unwrap();
        for key in ["NEW", "CREATED"] {
            server.remove_secret("demo", "staging", "main", key).unwrap();
        }
    }
}

#[tokio::test]
async fn a_condition_is_explained_without_the_list_of_all_values() {
    for who in ["owner", "developer", "deploy"] {
        let server = world().await;
        server.set_secret("demo", "staging", "main", "API_KEY", "2").unwrap();
        // main has these in another version, and first
        new(&server, who).create_secret("staging", "API_KEY", "1").branch(BRANCH).await.unwrap();
        server.set_secret("demo", "staging", "main", "API_KEY", "3").unwrap();
        let client = new(&server, who);
        if who == "deploy" {
            // a service account is told no more than that the two differ
            let write = client.set_secret("staging", "API_KEY", "2").branch(BRANCH).expect_version(1);
            let error = write.await.unwrap_err();
            assert_eq!((error.kind(), error.conflicts()[0].name.as_str()), (ErrorKind::Conflict, "API_KEY"));
            continue;
        }
        let write = client.set_secret("staging", "API_KEY", "2").branch(BRANCH).expect_version(1);
        assert_eq!(write.await.unwrap(), Written::Updated, "{who}");
        // two rows
        server.set_secret("demo", "staging", "main", "DATABASE_URL", "2").unwrap();
        server.add_secret("demo", SecretSeed::new("staging", "DATABASE_URL", "read")).unwrap();
        let error = client.set_secret("staging", "DATABASE_URL", "3").expect_version(1).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false), "{who}");
        assert!(error.to_string().contains("several rows"), "{error}");
    }
}

#[tokio::test]
async fn a_new_client_changes_single_secrets_beside_it_and_the_value_itself() {
    for who in ["owner", "developer"] {
        let server = world().await;
        server.set_secret("demo", "staging", "main", "DATABASE_URL", "2").unwrap();
        new(&server, who).rotate_secret("staging", "DATABASE_URL").await.unwrap();
        new(&server, who).rollback_secret("staging", "DATABASE_URL", 1).await.unwrap();
        assert_eq!(new(&server, who).repair_secret("staging", "DATABASE_URL").await.unwrap().rows.len(), 1);
        assert_eq!(new(&server, who).delete_secret("staging", "DATABASE_URL").await.unwrap().rows, 1);
        assert_eq!(new(&server, who).delete_secret("staging", "NOTHING").if_exists().await.unwrap().rows, 0);
        let source = LinkSource::new(server.project_id(), "production", "API_KEY");
        new(&server, who).link_secret("staging", "LINK", source).await.unwrap();
        new(&server, who).rollback_secret("staging", "A_LARGE", 1).await.unwrap();
        assert_eq!(server.secret("demo", "staging", "main", "A_LARGE").as_deref(), Some("small"));
        assert_eq!(new(&server, who).delete_secret("staging", "A_LARGE").await.unwrap().rows, 1);
    }
}

#[tokio::test]
async fn a_value_of_eight_megabytes_that_is_the_only_one_of_its_environment_is_no_obstacle() {
    let server = server().await;
    let large = "x".repeat(8_000_000);
    server.set_secret("demo", "bulk", "main", "A_LARGE", &large).unwrap();
    let client = builder(&server).call_timeout(Duration::from_secs(300)).build().unwrap();
    assert_eq!(client.set_secret("bulk", "A_LARGE", "small").await.unwrap(), Written::Updated);
    assert_eq!(client.get_secret("bulk", "A_LARGE").await.unwrap().expose(), "small");
}
