//! The promises of writes.

use std::sync::Arc;

use xtrasecurity::ErrorKind;
use xtrasecurity::xtra::write::Written;

use super::XtraService;
use crate::contract::{Service, Skip, unique};

async fn read(service: &XtraService, environment: &str, key: &str) -> Option<String> {
    let secrets = service.client.get_secrets(environment.to_owned()).await.unwrap();
    secrets.get(key).map(|value| value.expose().to_owned())
}

pub(crate) async fn a_secret_is_created_and_then_updated(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let set = |value: &'static str| client.set_secret(environment.as_str(), "A", value);
    assert_eq!(service.may(set("1").await)?, Written::Created);
    assert_eq!(set("2").await.unwrap(), Written::Updated);
    assert_eq!(set("2").skip_unchanged().await.unwrap(), Written::Unchanged);
    assert_eq!(read(&service, &environment, "A").await.as_deref(), Some("2"));
    let keys = client.list_secret_names(environment.as_str()).await.unwrap();
    assert_eq!((keys.len(), keys[0].version.as_str()), (1, "2"));
    Ok(())
}

pub(crate) async fn a_condition_that_does_not_hold_keeps_everything_from_being_written(
    service: Arc<XtraService>,
) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    service.may(client.set_secrets(environment.as_str(), [("A", "1"), ("B", "1")]).await)?;
    let seen = client.get_secrets(environment.as_str()).await.unwrap();
    client.set_secret(environment.as_str(), "A", "2").expect_version(1).await.unwrap();
    let request = client.set_secrets(environment.as_str(), [("A", "3"), ("B", "3")]);
    let error = request.expect_versions([("A", 1), ("B", 1)]).await.unwrap_err();
    let [conflict] = error.conflicts() else { panic!("{error:?}") };
    assert_eq!((conflict.name.as_str(), conflict.actual.as_deref()), ("A", Some("2")));
    let error = client.set_secrets(environment.as_str(), [("A", "3")]).if_unchanged(&seen).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(read(&service, &environment, "B").await.as_deref(), Some("1"));
    Ok(())
}

pub(crate) async fn many_secrets_are_written_at_once_under_short_and_odd_names(
    service: Arc<XtraService>,
) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let mut secrets: Vec<_> = (0..8).map(|number| (format!("K{number}"), number.to_string())).collect();
    secrets.extend(["a", "0", "x.y-z_9"].map(|name| (name.to_owned(), "short".to_owned())));
    let report = service.may(client.set_secrets(environment.as_str(), secrets.clone()).verify().await)?;
    assert_eq!(report.created.len(), secrets.len());
    let odd = [("with space/slash", "o"), ("50%", "o"), ("ü", "o")];
    let error = client.set_secrets(environment.as_str(), odd).await.unwrap_err();
    assert_eq!((error.kind(), error.names().len()), (ErrorKind::Invalid, 3));
    client.set_secrets(environment.as_str(), odd).allow_any_name().verify().await.unwrap();
    assert_eq!(client.list_secret_names(environment.as_str()).await.unwrap().len(), secrets.len() + odd.len());
    Ok(())
}

pub(crate) async fn a_write_to_an_unknown_branch_is_not_found(service: Arc<XtraService>) -> Result<(), Skip> {
    let environment = service.environment();
    let request = service.client.set_secret(environment.as_str(), "A", "1").branch(format!("no/{}", unique()));
    match request.await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => service.may(outcome).map(|written| panic!("{written:?} on a branch that is not there")),
    }
}

pub(crate) async fn what_is_missing_is_promoted(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, from, to) = (&service.client, service.environment(), service.environment());
    service.may(client.set_secrets(from.as_str(), [("NEW", "1"), ("OTHER", "2")]).await)?;
    client.set_secret(to.as_str(), "OTHER", "own").await.unwrap();
    let done = client.promote_secrets(from.as_str(), to.as_str()).await.unwrap();
    assert_eq!((done.created, done.skipped), (vec!["NEW".to_owned()], vec!["OTHER".to_owned()]));
    assert_eq!(read(&service, &to, "OTHER").await.as_deref(), Some("own"));
    let done = client.promote_secrets(from.as_str(), to.as_str()).overwrite(true).await.unwrap();
    assert_eq!(done.updated, ["OTHER"]);
    assert!(client.diff_secrets(from.as_str(), to.as_str()).await.unwrap().is_empty());
    Ok(())
}
