//! A target that has changed since the plan.

use xtrasecurity::ErrorKind;
use xtrasecurity::Secrets;
use xtrasecurity::infisical::dev::SecretSeed;

use crate::services::{InfisicalService, SecrService, Service, SyVaultService, XtraService, fill, values};

async fn notices(target: &impl Service) {
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    fill(target, "one", &[("B", "of somebody else")]).await;
    let writes = target.writes();
    let error = plan.apply().await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Conflict);
    assert!(error.error().names().contains(&"B".to_owned()), "{error}");
    assert!(!error.error().may_have_been_applied());
    assert_eq!(target.writes(), writes);
    assert_eq!(values(target, "one").await, [("B".to_owned(), "of somebody else".to_owned())].into());
}

#[tokio::test]
async fn a_secret_that_somebody_has_written_since_the_plan_stops_the_copy_before_its_first_write() {
    notices(&XtraService::start().await).await;
    notices(&InfisicalService::start().await).await;
    notices(&SecrService::start().await).await;
    notices(&SyVaultService::start().await).await;
}

async fn goes_on(target: &impl Service) {
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    fill(target, "one", &[("B", "2")]).await;
    let report = plan.apply().await.unwrap();
    assert_eq!((report.created, report.present), (vec!["A".to_owned()], vec!["B".to_owned()]));
}

#[tokio::test]
async fn a_secret_that_has_the_value_by_now_is_not_written_again() {
    goes_on(&XtraService::start().await).await;
    goes_on(&InfisicalService::start().await).await;
    goes_on(&SecrService::start().await).await;
}

#[tokio::test]
async fn a_secret_that_was_equal_and_is_not_any_more_stops_the_copy() {
    let target = SecrService::start().await;
    fill(&target, "one", &[("A", "1")]).await;
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    target.server.remove_secret("acme", "web", "one", "A").unwrap();
    let error = plan.apply().await.unwrap_err();
    assert_eq!((error.error().kind(), error.error().names()), (ErrorKind::Conflict, &["A".to_owned()][..]));
    assert!(values(&target, "one").await.is_empty());
}

#[tokio::test]
async fn a_value_that_somebody_replaces_behind_the_write_is_no_success() {
    let target = SecrService::start().await;
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    let stopped = plan.apply().on_progress(|progress| {
        if progress.written == 2 {
            target.server.set_secret("acme", "web", "one", "B", "of somebody else").unwrap();
        }
    });
    let stopped = stopped.await.unwrap_err();
    assert_eq!((stopped.error().kind(), stopped.error().names()), (ErrorKind::Conflict, &["B".to_owned()][..]));
    assert!(stopped.error().may_have_been_applied());
    assert_eq!(
        (&stopped.report().created[..], &stopped.report().in_doubt[..]),
        (&["A".to_owned()][..], &["B".to_owned()][..])
    );
}

#[tokio::test]
async fn a_copy_is_of_what_is_there_now_whatever_the_caches_hold() {
    let (from, to) = (SecrService::start().await, SecrService::start().await);
    let read = async |service: &SecrService, place| service.client.get_secrets("acme", "web", place).await.unwrap();
    read(&from, "production").await;
    read(&to, "one").await;
    from.server.set_secret("acme", "web", "production", "NEW", "n").unwrap();
    to.server.set_secret("acme", "web", "one", "PORT", "of somebody else").unwrap();
    let plan = from.client.get_secrets("acme", "web", "production").copy_to(&to.client, to.at("one")).await.unwrap();
    assert!(plan.created().contains(&"NEW".to_owned()), "{plan:?}");
    assert_eq!(plan.obstacles()[0].name, "PORT");
    // and what was written is what the next read gives
    plan.apply().skip(["PORT"]).await.unwrap();
    assert_eq!(read(&to, "one").await.len(), 4);
}

/// Somebody writes in the last moment.
async fn is_not_overwritten(target: &impl Service, write: impl Fn() + Send + Sync) {
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    let stopped = plan.apply().on_progress(|progress| {
        if progress.written == 0 {
            write();
        }
    });
    let stopped = stopped.await.unwrap_err();
    assert_eq!(stopped.error().kind(), ErrorKind::Conflict);
    assert_eq!((stopped.report().not_written.len(), stopped.report().in_doubt.len()), (2, 0), "{stopped}");
    assert_eq!(values(target, "one").await, [("B".to_owned(), "of somebody else".to_owned())].into());
}

#[tokio::test]
async fn a_secret_that_is_created_in_the_last_moment_is_not_overwritten() {
    let xtra = XtraService::start().await;
    let project = xtra.server.project_id();
    let write = || xtra.server.set_secret(project, "one", "main", "B", "of somebody else").unwrap();
    is_not_overwritten(&xtra, write).await;
    let infisical = InfisicalService::start().await;
    let secret = || SecretSeed::new("dev", "B", "of somebody else").path("/one");
    is_not_overwritten(&infisical, || infisical.server.add_secret("web", secret()).unwrap()).await;
}
