//! What stands in the way of a copy is named before the first write.

use xtrasecurity::copy::ObstacleKind;
use xtrasecurity::infisical::InfisicalScope;
use xtrasecurity::infisical::dev;
use xtrasecurity::snapshot::UnreadableReason;
use xtrasecurity::syvault::SyVaultScope;
use xtrasecurity::syvault::dev::SecretSeed;
use xtrasecurity::{ErrorKind, Secrets, XtraClient};

use crate::services::{FOLDER, InfisicalService, SecrService, Service, SyVaultService, XtraService, fill, values};

async fn keeps_what_is_there(target: &impl Service) {
    fill(target, "one", &[("SAME", "1"), ("OTHER", "mine")]).await;
    let before = (values(target, "one").await, target.writes());
    let secrets = Secrets::from_iter([("SAME", "1"), ("OTHER", "yours")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    let [obstacle] = plan.obstacles() else { panic!("{plan:?}") };
    assert_eq!((obstacle.name.as_str(), obstacle.kind), ("OTHER", ObstacleKind::Conflict));
    assert_eq!((plan.present(), plan.created().len()), (&["SAME".to_owned()][..], 0));
    let error = plan.apply().await.unwrap_err();
    assert_eq!((error.error().kind(), error.error().names()), (ErrorKind::Conflict, &["OTHER".to_owned()][..]));
    assert!(!format!("{plan:?} {error} {error:?} {obstacle}").contains("yours"));
    assert_eq!((values(target, "one").await, target.writes()), before);

    let report = plan.apply().skip(["OTHER"]).await.unwrap();
    assert_eq!(
        (report.present.as_slice(), report.skipped.as_slice()),
        (&["SAME".to_owned()][..], &["OTHER".to_owned()][..])
    );
    assert_eq!((values(target, "one").await, target.writes()), before);
    assert_eq!(plan.apply().skip(["SAME"]).await.unwrap_err().error().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn another_value_in_the_target_is_a_conflict_and_nothing_is_written() {
    keeps_what_is_there(&XtraService::start().await).await;
    keeps_what_is_there(&InfisicalService::start().await).await;
    keeps_what_is_there(&SecrService::start().await).await;
    keeps_what_is_there(&SyVaultService::start().await).await;
}

async fn replaces_what_is_there(target: &impl Service) {
    fill(target, "one", &[("SAME", "1"), ("OTHER", "mine"), ("REST", "stays")]).await;
    let secrets = Secrets::from_iter([("SAME", "1"), ("OTHER", "yours"), ("NEW", "n")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).overwrite().await.unwrap();
    assert_eq!((plan.created(), plan.replaced()), (&["NEW".to_owned()][..], &["OTHER".to_owned()][..]));
    let report = plan.apply().await.unwrap();
    assert_eq!(
        (report.created, report.replaced, report.present.len()),
        (vec!["NEW".to_owned()], vec!["OTHER".to_owned()], 1)
    );
    let expected = [("NEW", "n"), ("OTHER", "yours"), ("REST", "stays"), ("SAME", "1")];
    assert_eq!(values(target, "one").await, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn what_the_target_has_is_replaced_only_when_that_is_said() {
    replaces_what_is_there(&XtraService::start().await).await;
    replaces_what_is_there(&InfisicalService::start().await).await;
    replaces_what_is_there(&SecrService::start().await).await;
}

#[tokio::test]
async fn a_secret_of_syvault_that_is_there_takes_no_other_field_and_the_plan_says_so() {
    let target = SyVaultService::start().await;
    fill(&target, "one", &[("A", "1")]).await;
    let secrets = Secrets::from_iter([("A", "2"), ("B", "2")]);
    let plan = target.client.copy_secrets(target.at("one"), &secrets).overwrite().await.unwrap();
    let kinds: Vec<_> = plan.obstacles().iter().map(|one| (one.name.as_str(), one.kind)).collect();
    assert_eq!(kinds, [("A", ObstacleKind::Refused), ("B", ObstacleKind::Refused)]);
    let asked = target.server.total_requests();
    assert_eq!(plan.apply().await.unwrap_err().error().kind(), ErrorKind::Invalid);
    assert_eq!(target.server.total_requests(), asked, "nothing is sent");

    // by its uid a secret is as it is, or an obstacle
    let uid = target.server.put_secret(SecretSeed::new(FOLDER, "Database").field("host", "db.example.com")).unwrap();
    let secrets = Secrets::from_iter([("host", "db.example.com"), ("port", "5432")]);
    let plan = target.client.copy_secrets(SyVaultScope::secret(uid), &secrets).await.unwrap();
    assert_eq!((plan.present(), plan.obstacles()[0].name.as_str()), (&["host".to_owned()][..], "port"));

    // of which folder nobody has the key, there can be no new secret
    let error = target.client.copy_secrets(SyVaultScope::titled("other", "T"), &secrets).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
}

#[tokio::test]
async fn two_secrets_of_syvault_with_one_title_are_a_conflict_that_names_both() {
    let target = SyVaultService::start().await;
    for uid in ["first", "second"] {
        target.server.put_secret(SecretSeed::new(FOLDER, "Twice").uid(uid).field("A", "1")).unwrap();
    }
    let secrets = Secrets::from_iter([("A", "1")]);
    let scope = SyVaultScope::titled(FOLDER, "Twice");
    let error = target.client.copy_secrets(scope, &secrets).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["first".to_owned(), "second".to_owned()][..]));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_named_and_nothing_is_written() {
    let (from, to) = (InfisicalService::start().await, SecrService::start().await);
    fill(&from, "one", &[("A", "1"), ("B", "2")]).await;
    from.server.add_secret("web", dev::SecretSeed::new("dev", "B", "another row").path("/one")).unwrap();
    let plan =
        from.client.get_secrets("dev").path("/one").copy_to(&to.client, to.at("one")).prefix("X_").await.unwrap();
    let [obstacle] = plan.obstacles() else { panic!("{plan:?}") };
    assert_eq!((obstacle.name.as_str(), obstacle.source_name.as_str()), ("X_B", "B"));
    assert_eq!(obstacle.kind, ObstacleKind::Unreadable(UnreadableReason::Ambiguous));
    let error = plan.apply().await.unwrap_err();
    assert_eq!((error.error().kind(), error.error().names()), (ErrorKind::Undecryptable, &["X_B".to_owned()][..]));
    assert_eq!(to.writes(), 0);
    assert_eq!(plan.apply().skip(["X_B"]).await.unwrap().created, ["X_A"]);
}

#[tokio::test]
async fn a_source_that_fails_or_is_empty_is_an_error_and_no_empty_copy() {
    let (from, to) = (SecrService::start().await, XtraService::start().await);
    from.refuse_read(0, 403);
    let error = from.client.get_secrets("acme", "web", "production").copy_to(&to.client, "one").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Forbidden, Some(403)));
    assert!(error.to_string().contains("copy_to") && error.to_string().contains("Nothing was written"), "{error}");
    let error = from.client.get_secrets("acme", "web", "one").copy_to(&to.client, "one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    let request = from.client.get_secrets("acme", "web", "production").copy_to(&to.client, "one");
    let error = request.only(["DB_HOST", "DB_PASWORD"]).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["DB_PASWORD".to_owned()][..]));
    assert!(error.to_string().contains("DB_PASSWORD"), "{error}");
    assert_eq!(to.writes(), 0);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_an_error_of_the_plan() {
    let (from, to) = (SecrService::start().await, InfisicalService::start().await);
    let request = from.client.get_secrets("acme", "web", "production");
    let error = request.copy_to(&to.client, InfisicalScope::new("dev").path("/nowhere")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("target of a copy. Nothing was written"), "{error}");
}

#[tokio::test]
async fn options_of_a_read_are_none_of_a_target() {
    let to = InfisicalService::start().await;
    let secrets = Secrets::from_iter([("A", "1")]);
    for scope in [
        InfisicalScope::new("dev").recursive(),
        InfisicalScope::new("dev").tag("ci"),
        InfisicalScope::new("dev").secret("A"),
        InfisicalScope::new("dev").personal(),
    ] {
        assert_eq!(to.client.copy_secrets(scope, &secrets).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(to.server.total_requests(), 0);
}

#[tokio::test]
async fn names_are_chosen_prefixed_and_changed_and_two_values_of_one_name_are_an_obstacle() {
    let to = SecrService::start().await;
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2"), ("C", "3"), ("D", "1")]);
    let plan =
        to.client.copy_secrets(to.at("one"), &secrets).prefix("X_").exclude(["C"]).rename("B", "PLAIN").await.unwrap();
    assert_eq!(plan.created(), ["PLAIN", "X_A", "X_D"]);
    let request = to.client.copy_secrets(to.at("one"), &secrets).only(["A", "B", "D"]);
    let plan = request.rename("B", "A").await.unwrap();
    let [obstacle] = plan.obstacles() else { panic!("{plan:?}") };
    assert_eq!((obstacle.name.as_str(), obstacle.kind), ("A", ObstacleKind::Collision));
    // two secrets of one value lose nothing by it
    let plan = to.client.copy_secrets(to.at("one"), &secrets).only(["A", "D"]).rename("D", "A").await.unwrap();
    assert_eq!((plan.created(), plan.is_clear()), (&["A".to_owned()][..], true));
}

#[tokio::test]
async fn a_name_to_choose_to_leave_out_or_to_change_that_is_not_there_is_refused_with_the_one_that_was_meant() {
    let to = SecrService::start().await;
    let secrets = Secrets::from_iter([("API_KEY", "1"), ("HOST", "h")]);
    let copy = || to.client.copy_secrets(to.at("one"), &secrets);
    for request in [copy().only(["API_KEI"]), copy().exclude(["API_KEI"]), copy().rename("API_KEI", "KEY")] {
        let error = request.await.unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::MissingSecret, &["API_KEI".to_owned()][..]));
        assert!(error.to_string().contains("API_KEY"), "{error}");
    }
    assert_eq!(to.writes(), 0);
}

#[tokio::test]
async fn references_arrive_expanded_or_as_they_are_stored_and_never_as_something_else() {
    let (from, xtra) = (InfisicalService::start().await, XtraService::start().await);
    from.server.add_secret("web", dev::SecretSeed::new("dev", "URL", "https://${dev.HOST}/").path("/one")).unwrap();
    let read = || from.client.get_secrets("dev").path("/one");
    read().copy_to(&xtra.client, "one").await.unwrap().apply().await.unwrap();
    assert_eq!(values(&xtra, "one").await["URL"], "https://db.internal/");
    read().expand_references(false).copy_to(&xtra.client, "two").await.unwrap().apply().await.unwrap();
    assert_eq!(values(&xtra, "two").await["URL"], "https://${dev.HOST}/");

    // as it is stored, it would be expanded in the target again
    let stored = || read().expand_references(false).copy_to(&from.client, from.at("two"));
    let plan = stored().await.unwrap();
    assert_eq!(plan.obstacles()[0].kind, ObstacleKind::Refused);
    stored().allow_references().await.unwrap().apply().await.unwrap();
    assert_eq!(from.server.value("web", "dev", "/two", "URL").as_deref(), Some("https://${dev.HOST}/"));
    assert_eq!(values(&from, "two").await["URL"], "https://db.internal/");
}

#[tokio::test]
async fn a_client_that_protects_production_is_copied_to_only_when_that_is_confirmed() {
    let to = XtraService::start().await;
    let client = XtraClient::builder().dev_server(&to.server).protect_production().build().unwrap();
    let secrets = Secrets::from_iter([("COPIED_KEY", "1")]);
    let plan = client.copy_secrets("production", &secrets).await.unwrap();
    let stopped = plan.apply().await.unwrap_err();
    assert_eq!(stopped.error().kind(), ErrorKind::Unconfirmed);
    assert_eq!(stopped.report().not_written, ["COPIED_KEY"]);
    assert_eq!(plan.apply().confirm_production().await.unwrap().created, ["COPIED_KEY"]);
}
