//! The promises about branches, service accounts and the token itself.

use std::sync::Arc;

use xtrasecurity::{ErrorKind, XtraClient};

use super::XtraService;
use crate::contract::{Service, Skip, unique};

pub(crate) async fn a_branch_is_made_renamed_and_deleted_with_its_secrets(
    service: Arc<XtraService>,
) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let (name, renamed) = (service.branch().await?, format!("conformance/{}", unique()));
    service.keep_branch(&renamed);
    let count = || async {
        let branches = client.list_branches().await.unwrap();
        branches
            .into_iter()
            .find(|branch| branch.name == name || branch.name == renamed)
            .map(|branch| branch.secret_count)
    };
    assert_eq!(count().await, Some(Some(0)));
    let again = client.create_branch(name.as_str()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Invalid, "{again}");
    client.set_secret(environment.as_str(), "A", "1").branch(name.as_str()).await.unwrap();
    client.rename_branch(name.as_str(), renamed.as_str()).await.unwrap();
    let read = |branch: &str| client.get_secrets(environment.clone()).branch(branch.to_owned());
    assert!(read(&name).await.unwrap().is_empty());
    assert_eq!(read(&renamed).await.unwrap().require("A").unwrap().expose(), "1");
    assert_eq!(count().await, Some(Some(1)));
    service.may(client.delete_branch(renamed.as_str()).await)?;
    assert_eq!(count().await, None);
    // and they do not come up elsewhere
    assert!(client.get_secrets(environment.as_str()).await.unwrap().is_empty());
    assert_eq!(client.delete_branch(renamed.as_str()).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(client.delete_branch("main").await.unwrap_err().kind(), ErrorKind::Invalid);
    Ok(())
}

pub(crate) async fn a_service_account_has_a_key_that_works_until_it_is_deleted(
    service: Arc<XtraService>,
) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let account = service.account(&["read:secrets", "write:secrets"]).await?;
    let new = service.may(client.create_service_account_key(account.id.as_str()).label("conformance").await)?;
    let listed = client.list_service_account_keys(account.id.as_str()).await.unwrap();
    assert_eq!((listed.len(), listed[0].id.as_str()), (1, new.id.as_str()));

    // it knows its project by itself
    let other = XtraClient::builder().api_url(service.api_url.as_str()).token(new.key).cache(false).build().unwrap();
    let caller = other.whoami().await.unwrap();
    assert_eq!((caller.id(), caller.is_service_account()), (account.id.as_str(), true));
    other.set_secret(environment.as_str(), "A", "1").await.unwrap();
    assert_eq!(client.get_secret(environment.as_str(), "A").await.unwrap().expose(), "1");

    client.delete_service_account_key(account.id.as_str(), new.id.as_str()).await.unwrap();
    assert!(client.list_service_account_keys(account.id.as_str()).await.unwrap().is_empty());
    client.delete_service_account(account.id.as_str()).await.unwrap();
    let accounts = client.list_service_accounts().await.unwrap();
    assert!(accounts.iter().all(|known| known.id != account.id));
    // a service with a cache of its own lets the key in for some minutes more
    if !service.is_live() {
        assert_eq!(other.whoami().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    Ok(())
}

pub(crate) async fn the_token_is_the_same_caller_s_every_time(service: Arc<XtraService>) -> Result<(), Skip> {
    let caller = service.client.whoami().await.unwrap();
    assert!(!caller.id().is_empty());
    assert_eq!(service.client.whoami().await.unwrap().id(), caller.id());
    let wrong = XtraClient::builder().api_url(service.api_url.as_str()).token("xs_nobody").build().unwrap();
    assert_eq!(wrong.whoami().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    Ok(())
}
