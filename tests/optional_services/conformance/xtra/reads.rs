//! The promises of reads.

use std::sync::Arc;

use super::XtraService;
use crate::contract::{Service, Skip, unique};

pub(crate) async fn reads_do_not_tell_cases_of_an_environment_apart(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    service.may(client.set_secret(environment.as_str(), "A", "1").await)?;
    let upper = client.get_secrets(environment.to_uppercase()).await.unwrap();
    assert_eq!(upper.require("A").unwrap().expose(), "1");
    // writes do, so that nobody makes a second one
    let error = client.set_secret(environment.to_uppercase(), "A", "2").await.unwrap_err();
    assert_eq!(error.kind(), xtrasecurity::ErrorKind::Invalid, "{error}");
    Ok(())
}

pub(crate) async fn an_unknown_branch_or_environment_is_empty(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    assert!(client.get_secrets(environment.as_str()).await.unwrap().is_empty());
    service.may(client.set_secret(environment.as_str(), "A", "1").await)?;
    let unknown = client.get_secrets(environment.as_str()).branch(format!("no/{}", unique())).await.unwrap();
    assert!(unknown.is_empty());
    Ok(())
}
