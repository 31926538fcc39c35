use std::time::Duration;

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::xtra::manage::{AccessStatus, Decision};

use crate::manage::{NOBODY, client, client_of, refused, service};

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

#[tokio::test]
async fn a_wait_goes_on_while_nobody_has_decided_and_ends_when_it_is_approved() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let asked = viewer.request_access("the import failed", HALF_AN_HOUR).await.unwrap();
    owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
    let looked = server.request_count(route::ACCESS_STATUS);
    // The first look is told what stood a moment ago.
    let pending = format!(r#"{{"id":"{}","status":"pending","expiresAt":null}}"#, asked.id);
    server.fault(Fault::body(200, "application/json", pending).on(route::ACCESS_STATUS));
    // raised to a second
    let granted = viewer.wait_for_access(asked.id.as_str()).every(Duration::ZERO).await.unwrap();
    assert_eq!(granted.status, AccessStatus::Approved);
    assert_eq!(server.request_count(route::ACCESS_STATUS), looked + 2);
}

#[tokio::test]
async fn a_failure_that_may_pass_does_not_end_a_wait() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let asked = viewer.request_access("the import failed", HALF_AN_HOUR).await.unwrap();
    owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
    server.fault(Fault::status(503).on(route::ACCESS_STATUS));
    viewer.wait_for_access(asked.id).every(Duration::from_secs(1)).await.unwrap();
}

#[tokio::test]
async fn a_wait_is_given_up_at_the_deadline_and_the_request_stands() {
    let server = service().await;
    let viewer = client_of(&server, "viewer");
    let asked = viewer.request_access("the import failed", HALF_AN_HOUR).await.unwrap();
    let wait = viewer.wait_for_access(asked.id.as_str()).deadline(Duration::from_secs(1));
    refused(wait.await, ErrorKind::Timeout, &["still stands"]);
    assert_eq!(viewer.get_access_request(asked.id).await.unwrap().status, AccessStatus::Pending);
    refused(viewer.wait_for_access(NOBODY).await, ErrorKind::NotFound, &[]);
}
