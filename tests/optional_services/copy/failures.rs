//! A write that fails: what became of each secret is known, and the same copy goes on.

use std::collections::BTreeMap;

use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::{ErrorKind, Secrets};

use crate::services::{InfisicalService, SecrService, Service, SyVaultService, XtraService, values};

/// More than one request of any service takes.
const MANY: usize = 250;

fn many() -> BTreeMap<String, String> {
    (0..MANY).map(|number| (format!("NAME_{number:03}"), format!("value {number}"))).collect()
}

/// Fails the write after the first hundred.
async fn stops_and_goes_on(target: &impl Service, status: u16, is_doubtful: bool) {
    let (expected, secrets) = (many(), Secrets::from_iter(many()));
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    let mut told = Vec::new();
    let stopped = plan.apply().on_progress(|progress| {
        told.push((progress.written, progress.total));
        if progress.written == 100 {
            target.refuse(status);
        }
    });
    let stopped = stopped.await.unwrap_err();
    assert_eq!(told, [(0, MANY), (100, MANY)]);
    let report = stopped.report();
    assert_eq!(report.created.len(), 100);
    let (doubt, left) = if is_doubtful { (100, 50) } else { (0, 150) };
    assert_eq!((report.in_doubt.len(), report.not_written.len()), (doubt, left), "{stopped}");
    assert_eq!((stopped.error().names().len(), stopped.error().may_have_been_applied()), (150, is_doubtful));
    assert!(stopped.to_string().contains("100 of 250"), "{stopped}");
    assert_eq!(values(target, "one").await.len(), 100);

    let again = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    assert_eq!((again.present().len(), again.created().len(), again.is_clear()), (100, 150, true));
    let writes = target.writes();
    assert_eq!(again.apply().await.unwrap().created.len(), 150);
    assert_eq!((values(target, "one").await, target.writes()), (expected, writes + 2));
    // the first plan finds that there is nothing left to do
    assert_eq!(plan.apply().await.unwrap().present.len(), MANY);
    assert_eq!(target.writes(), writes + 2);
}

#[tokio::test]
async fn a_copy_that_is_refused_half_way_goes_on_and_writes_nothing_twice() {
    stops_and_goes_on(&XtraService::start().await, 403, false).await;
    stops_and_goes_on(&InfisicalService::start().await, 403, false).await;
    stops_and_goes_on(&SecrService::start().await, 403, false).await;
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_in_doubt_and_never_sent_twice() {
    stops_and_goes_on(&XtraService::start().await, 500, true).await;
    stops_and_goes_on(&InfisicalService::start().await, 500, true).await;
    stops_and_goes_on(&SecrService::start().await, 500, true).await;
}

#[tokio::test]
async fn a_secret_of_syvault_is_made_once_whatever_becomes_of_the_answer() {
    let target = SyVaultService::start().await;
    let secrets = Secrets::from_iter(many());
    let plan = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    let stopped = plan.apply().on_progress(|progress| {
        if progress.written == 0 {
            target.refuse(500);
        }
    });
    let stopped = stopped.await.unwrap_err();
    assert_eq!((stopped.report().in_doubt.len(), stopped.error().may_have_been_applied()), (MANY, true));
    assert_eq!(plan.apply().await.unwrap().created.len(), MANY);
    assert_eq!((values(&target, "one").await, target.writes()), (many(), 2));
    let again = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    assert!(again.is_done());
}

async fn reads_back(target: &impl Service) {
    target.lose_answer();
    let secrets = Secrets::from_iter([("A", "1"), ("B", "2")]);
    let plan = target.client().copy_secrets(target.at("one"), &secrets).await.unwrap();
    let report = plan.apply().await.unwrap();
    assert_eq!((report.created.len(), target.writes()), (2, 1));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_a_success_when_a_read_shows_all_of_it() {
    reads_back(&XtraService::start().await).await;
    reads_back(&InfisicalService::start().await).await;
    reads_back(&SecrService::start().await).await;
    reads_back(&SyVaultService::start().await).await;
}

#[tokio::test]
async fn what_could_not_be_read_back_is_in_doubt() {
    let target = SecrService::start().await;
    let secrets = Secrets::from_iter([("A", "1")]);
    let plan = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    target.refuse_read(1, 403);
    let stopped = plan.apply().await.unwrap_err();
    assert_eq!((stopped.error().kind(), &stopped.report().in_doubt[..]), (ErrorKind::Forbidden, &["A".to_owned()][..]));
    assert!(stopped.error().may_have_been_applied() && stopped.to_string().contains("read them back"), "{stopped}");
}

#[tokio::test]
async fn a_write_that_awaits_an_approval_has_written_nothing() {
    let target = InfisicalService::start().await;
    target.server.add_approval_policy("web", "dev", "/one").unwrap();
    let secrets = Secrets::from_iter([("A", "1")]);
    let stopped = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap().apply().await.unwrap_err();
    assert_eq!(
        (stopped.error().kind(), &stopped.report().not_written[..]),
        (ErrorKind::Incomplete, &["A".to_owned()][..])
    );
    assert!(!stopped.error().may_have_been_applied());
}

#[tokio::test]
async fn a_copy_that_is_given_up_half_way_goes_on() {
    let target = XtraService::start().await;
    let secrets = Secrets::from_iter(many());
    let plan = target.client.copy_secrets(target.at("one"), &secrets).await.unwrap();
    // the second write is never answered, and its caller does not wait
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let server = &target.server;
    let apply = plan.apply().on_progress(|progress| {
        if progress.written == 100 {
            server.fault(Fault::hang().on(route::SECRETS_UPSERT));
            begun.send(()).unwrap();
        }
    });
    tokio::select! {
        outcome = apply => panic!("{outcome:?}"),
        () = async {
            has_begun.recv().await.unwrap();
            while target.writes() < 2 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    let report = plan.apply().await.unwrap();
    assert_eq!((report.present.len(), report.created.len()), (100, 150));
    assert_eq!(values(&target, "one").await, many());
}
