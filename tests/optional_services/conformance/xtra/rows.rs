//! The promises about a secret that other branches have too.

use std::sync::Arc;

use xtrasecurity::ErrorKind;
use xtrasecurity::xtra::write::{LinkSource, SecretOrigin};

use super::XtraService;
use crate::contract::{Service, Skip};

/// The key on `main` and on a branch of its own, in an environment of its own.
async fn twice(service: &XtraService) -> Result<(String, String), Skip> {
    let environment = service.environment();
    let branch = service.branch().await?;
    service.may(service.client.set_secret(environment.as_str(), "A", "of main").await)?;
    service.client.set_secret(environment.as_str(), "A", "of the branch").branch(branch.as_str()).await.unwrap();
    Ok((environment, branch))
}

async fn read(service: &XtraService, environment: &str, branch: &str) -> Option<String> {
    let secrets = service.client.get_secrets(environment.to_owned()).branch(branch.to_owned()).await.unwrap();
    secrets.get("A").map(|value| value.expose().to_owned())
}

pub(crate) async fn a_secret_is_deleted_on_its_branch_only(service: Arc<XtraService>) -> Result<(), Skip> {
    let (environment, branch) = twice(&service).await?;
    let delete = || service.client.delete_secret(environment.as_str(), "A").branch(branch.as_str());
    assert_eq!(service.may(delete().await)?.rows, 1);
    assert_eq!(read(&service, &environment, &branch).await, None);
    assert_eq!(read(&service, &environment, "main").await.as_deref(), Some("of main"));
    assert_eq!(delete().await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(delete().if_exists().await.unwrap().rows, 0);
    Ok(())
}

pub(crate) async fn the_history_of_a_branch_is_its_own_and_leads_back(service: Arc<XtraService>) -> Result<(), Skip> {
    let (environment, branch) = twice(&service).await?;
    service.client.set_secret(environment.as_str(), "A", "changed").branch(branch.as_str()).await.unwrap();
    let history = service.client.secret_history(environment.as_str(), "A").branch(branch.as_str()).await.unwrap();
    let told: Vec<_> =
        history.entries.iter().map(|entry| (entry.version.as_str(), entry.value.clone().unwrap())).collect();
    assert_eq!(told, [("2", "changed".into()), ("1", "of the branch".into())]);
    let rolled = service.client.rollback_secret(environment.as_str(), "A", 1).branch(branch.as_str()).await;
    assert_eq!(service.may(rolled)?.version, "3");
    assert_eq!(read(&service, &environment, &branch).await.as_deref(), Some("of the branch"));
    let error = service.client.rollback_secret(environment.as_str(), "A", 7).branch(branch.as_str()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let main = service.client.secret_history(environment.as_str(), "A").await.unwrap();
    assert_eq!((main.current_version.as_str(), main.entries.len()), ("1", 1));
    Ok(())
}

pub(crate) async fn a_rotation_changes_one_branch_only(service: Arc<XtraService>) -> Result<(), Skip> {
    let (environment, branch) = twice(&service).await?;
    for (branch, other) in [("main", branch.as_str()), (branch.as_str(), "main")] {
        let before = read(&service, &environment, other).await;
        let rotated = service.may(service.client.rotate_secret(environment.as_str(), "A").branch(branch).await)?;
        assert_eq!((rotated.value.len(), rotated.version.as_str()), (32, "2"));
        assert_eq!(read(&service, &environment, branch).await.as_deref(), Some(rotated.value.expose()));
        assert_eq!(read(&service, &environment, other).await, before);
    }
    Ok(())
}

pub(crate) async fn a_link_shows_its_source(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, environment, from) = (&service.client, service.environment(), service.environment());
    service.may(client.set_secret(from.as_str(), "SOURCE", "1").await)?;
    let source = LinkSource::new(service.project.as_str(), from.as_str(), "SOURCE");
    service.may(client.link_secret(environment.as_str(), "A", source.clone()).await)?;
    client.set_secret(from.as_str(), "SOURCE", "2").await.unwrap();
    assert_eq!(read(&service, &environment, "main").await.as_deref(), Some("2"));
    assert_eq!(client.list_secret_names(environment.as_str()).await.unwrap()[0].origin, SecretOrigin::Linked);
    assert_eq!(client.link_secret(environment.as_str(), "A", source).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(service.may(client.delete_secret(environment.as_str(), "A").await)?.rows, 1);
    assert_eq!(client.get_secret(from.as_str(), "SOURCE").await.unwrap().expose(), "2");
    Ok(())
}

pub(crate) async fn an_environment_is_cloned(service: Arc<XtraService>) -> Result<(), Skip> {
    let (client, from, to) = (&service.client, service.environment(), service.environment());
    service.may(client.set_secrets(from.as_str(), [("A", "1"), ("B", "2")]).await)?;
    client.set_secret(to.as_str(), "B", "own").await.unwrap();
    let cloned = service.may(client.clone_environment(from.as_str(), to.as_str()).await)?;
    assert_eq!((cloned.copied, cloned.updated, cloned.skipped), (1, 0, 1));
    assert_eq!(client.get_secret(to.as_str(), "B").await.unwrap().expose(), "own");
    let cloned = client.clone_environment(from.as_str(), to.as_str()).overwrite(true).await.unwrap();
    assert_eq!((cloned.copied, cloned.updated, cloned.skipped), (0, 2, 0));
    assert!(client.diff_secrets(from.as_str(), to.as_str()).await.unwrap().is_empty());
    Ok(())
}
