//! Promotion and comparison.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::route;
use xtrasecurity::xtra::XtraScope;

use crate::writes::{arrived, client, server};

#[tokio::test]
async fn a_promotion_creates_what_is_missing_and_keeps_what_is_there() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("qa", [("NEW", "1"), ("SAME", "s"), ("OTHER", "of qa")]).await.unwrap();
    client.set_secrets("live", [("SAME", "s"), ("OTHER", "of live"), ("OWN", "o")]).await.unwrap();
    let plan = client.promote_secrets("qa", "live").overwrite(true).dry_run().await.unwrap();
    assert_eq!(plan.promoted().collect::<Vec<_>>(), ["NEW", "OTHER"]);
    let done = client.promote_secrets("qa", "live").await.unwrap();
    assert_eq!((done.created, done.updated), (vec!["NEW".to_owned()], vec![]));
    assert_eq!(done.skipped, ["OTHER", "SAME"]);
    let at = |key| server.secret("demo", "live", "main", key).unwrap();
    assert_eq!([at("NEW"), at("OTHER"), at("OWN")], ["1", "of live", "o"]);
    let done = client.promote_secrets("qa", "live").overwrite(true).await.unwrap();
    assert_eq!((done.updated, done.skipped), (vec!["OTHER".to_owned()], vec!["NEW".to_owned(), "SAME".to_owned()]));
    assert_eq!([at("OTHER"), at("OWN")], ["of qa", "o"]);
    assert_eq!(server.secret_version("demo", "live", "main", "SAME").as_deref(), Some("1"));
}

#[tokio::test]
async fn only_the_keys_that_are_named_are_promoted_and_each_must_be_there() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("qa", [("A", "1"), ("B", "2"), ("MASK_LIKE", "x")]).await.unwrap();
    server.set_secret("demo", "qa", "main", "HIDDEN", "***").unwrap();
    client.promote_secrets("qa", "live").only(["B"]).await.unwrap();
    assert_eq!(server.secret("demo", "live", "main", "A"), None);
    let error = client.promote_secrets("qa", "live").only(["A", "NOPE"]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["NOPE".to_owned()][..]));
    assert!(error.to_string().contains("nothing was promoted") && error.to_string().contains("\"main\""), "{error}");
    let error = client.promote_secrets("qa", "live").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Masked, &["HIDDEN".to_owned()][..]));
    assert!(
        error.to_string().contains("Nothing was promoted")
            && error.to_string().contains("name the others with only(..)"),
        "{error}"
    );
    assert_eq!(server.secret("demo", "live", "main", "A"), None, "nothing is promoted when something cannot be read");
}

#[tokio::test]
async fn a_promotion_may_lead_to_another_branch_but_not_to_where_it_starts() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("qa", "A", "1").branch("feature/new-ui").await.unwrap();
    client.promote_secrets("qa", "qa").branch("feature/new-ui").to_branch("main").await.unwrap();
    assert_eq!(server.secret("demo", "qa", "main", "A").as_deref(), Some("1"));
    assert_eq!(client.promote_secrets("qa", "QA").await.unwrap_err().kind(), ErrorKind::Invalid);
    let error = client.promote_secrets("nowhere", "qa").branch("feature/new-ui").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(error.to_string().contains("\"feature/new-ui\""), "{error}");
}

#[tokio::test]
async fn somebody_who_changes_the_target_meanwhile_is_not_overwritten() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("qa", "A", "new").await.unwrap();
    client.set_secret("live", "A", "old").await.unwrap();
    let hold = server.hold(route::SECRETS_UPSERT);
    let promotion = tokio::spawn({
        let client = client.clone();
        async move { client.promote_secrets("qa", "live").overwrite(true).await }
    });
    arrived(&hold, 1).await;
    server.set_secret("demo", "live", "main", "A", "theirs").unwrap();
    hold.release();
    assert_eq!(promotion.await.unwrap().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(server.secret("demo", "live", "main", "A").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn two_environments_are_compared_by_name_and_value() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("qa", [("GONE", "1"), ("SAME", "s"), ("OTHER", "of qa"), ("BOTH_HIDDEN", "x")]).await.unwrap();
    client.set_secrets("live", [("SAME", "s"), ("OTHER", "of live"), ("NEW", "n")]).await.unwrap();
    server.set_secret("demo", "live", "main", "BOTH_HIDDEN", "***").unwrap();
    let difference = client.diff_secrets("qa", "live").await.unwrap();
    assert_eq!((difference.added, difference.removed), (vec!["NEW".to_owned()], vec!["GONE".to_owned()]));
    assert_eq!((difference.changed, difference.unchanged), (vec!["OTHER".to_owned()], vec!["SAME".to_owned()]));
    assert_eq!(difference.unknown, ["BOTH_HIDDEN"]);
    assert!(client.diff_secrets("qa", XtraScope::new("qa").branch("main")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_side_without_secrets_is_an_error_unless_it_is_accepted() {
    let server = server().await;
    let client = client(&server);
    let error = client.diff_secrets("staging", "stagign").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(error.to_string().contains("second"), "{error}");
    assert!(client.diff_secrets("nothing", "nowhere").allow_empty().await.unwrap().is_empty());
}
