use std::time::Duration;

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::route;
use xtrasecurity::xtra::manage::{AccessStatus, Decision};

use crate::manage::{client, client_of, refused, service};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_link_is_made_looked_at_claimed_and_approved() {
    let server = service().await;
    let (owner, outsider) = (client(&server), client_of(&server, "outsider"));
    let link = owner
        .create_jit_link(HOUR)
        .environment("staging")
        .branch("feature/new-ui")
        .label("contractor")
        .max_uses(2)
        .expires_in(HOUR)
        .await
        .unwrap();
    assert_eq!((link.duration, link.access_level.as_deref()), (Some(HOUR), Some("read")));

    let info = outsider.get_jit_link(link.token.clone()).await.unwrap();
    assert_eq!((info.project_name.as_deref(), info.project_id.as_deref()), (Some("demo"), Some(server.project_id())));
    assert_eq!((info.branch.as_deref(), info.environment.as_deref()), (Some("feature/new-ui"), Some("staging")));
    assert_eq!((info.max_uses, info.used, info.duration), (Some(2), Some(0), Some(HOUR)));
    assert_eq!(info.label.as_deref(), Some("contractor"));

    let asked = outsider.claim_jit_link(link.token.clone()).await.unwrap();
    assert_eq!((&asked.status, asked.duration), (&AccessStatus::Pending, Some(HOUR)));
    let words = ["already have a pending", asked.id.as_str()];
    refused(outsider.claim_jit_link(link.token).await, ErrorKind::Conflict, &words);
    owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
    outsider.wait_for_access(asked.id).await.unwrap();
}

#[tokio::test]
async fn a_link_is_not_printed() {
    let server = service().await;
    let link = client(&server).create_jit_link(HOUR).await.unwrap();
    let token = link.token.expose();
    assert!(
        link.url.as_ref().unwrap().expose().contains(token) && link.command.as_ref().unwrap().expose().contains(token)
    );
    assert!(!format!("{link:?}").contains(token));
    let info = client_of(&server, "outsider").get_jit_link(token).await.unwrap();
    assert!(!format!("{info:?}").contains(token));
}

#[tokio::test]
async fn a_link_that_is_used_up_or_unknown_or_ones_own_is_refused_without_showing_it() {
    let server = service().await;
    let (owner, outsider) = (client(&server), client_of(&server, "outsider"));
    let link = owner.create_jit_link(HOUR).await.unwrap();
    let token = || link.token.clone();
    refused(owner.claim_jit_link(token()).await, ErrorKind::Invalid, &["own JIT link"]);
    outsider.claim_jit_link(token()).await.unwrap();
    for outcome in [outsider.get_jit_link(token()).await.map(drop), outsider.claim_jit_link(token()).await.map(drop)] {
        let error = refused(outcome, ErrorKind::NotFound, &["usage limit"]);
        assert_eq!(error.status(), Some(410));
        assert!(!format!("{error} {error:?}").contains(token().expose()));
    }
    refused(outsider.get_jit_link("nothing-like-it").await, ErrorKind::NotFound, &[]);
    for token in ["", ".", ".."] {
        refused(outsider.get_jit_link(token).await, ErrorKind::Invalid, &["/jit/"]);
        refused(outsider.claim_jit_link(token).await, ErrorKind::Invalid, &["/jit/"]);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let server = service().await;
    let owner = client(&server);
    refused(owner.create_jit_link(Duration::from_secs(30)).await, ErrorKind::Invalid, &["minute"]);
    refused(owner.create_jit_link(HOUR).max_uses(0).await, ErrorKind::Invalid, &["max_uses"]);
    refused(owner.create_jit_link(HOUR).expires_in(Duration::ZERO).await, ErrorKind::Invalid, &["expires_in"]);
    refused(owner.create_jit_link(HOUR).secrets(["API_KEY"]).await, ErrorKind::Invalid, &["secret"]);
    refused(owner.create_jit_link(HOUR).environment("..").await, ErrorKind::Invalid, &["environment"]);
    refused(owner.create_jit_link(HOUR).branch("nope").await, ErrorKind::NotFound, &["\"nope\""]);
    assert_eq!(server.request_count(route::JIT_GENERATE), 0);
    let viewer = client_of(&server, "viewer");
    refused(viewer.create_jit_link(HOUR).await, ErrorKind::Forbidden, &[]);
}
