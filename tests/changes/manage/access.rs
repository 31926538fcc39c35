use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, GrantSeed, ProjectSeed, RateLimits, Role, UserSeed, route};
use xtrasecurity::xtra::manage::{AccessMode, AccessRequest, AccessStatus, Decision};
use xtrasecurity::{ErrorKind, XtraClient, error::Reason};

use crate::manage::{NOBODY, client, client_of, refused, service};

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

async fn workspace(server: &DevServer) -> String {
    client(server).get_project().await.unwrap().workspace_id.unwrap()
}

async fn asked_by(client: &XtraClient) -> AccessRequest {
    client.request_access("the import failed", HALF_AN_HOUR).await.unwrap()
}

#[tokio::test]
async fn an_elevation_is_asked_for_granted_and_waited_for() {
    let project = ProjectSeed::new("web")
        .member("boss", Role::Admin)
        .secret("production", "API_KEY", "k-1")
        .grant(GrantSeed::needs_elevation("ann"));
    let server = DevServer::builder()
        .user(UserSeed::new("owner"))
        .user(UserSeed::new("ann"))
        .user(UserSeed::new("boss"))
        .project(project)
        .rate_limits(RateLimits::off())
        .start()
        .await
        .unwrap();
    let ann = client_of(&server, "ann");
    let words = ["request_access(..)", "wait_for_access(..)"];
    let error = refused(ann.get_secrets("Production").await, ErrorKind::Forbidden, &words);
    assert!(matches!(error.reason(), Some(Reason::ElevationNeeded(_))), "{error}");
    let elevation = error.elevation().unwrap();
    assert_eq!((elevation.project.as_str(), elevation.environment.as_str()), (server.project_id(), "production"));

    let asked = ann.request_access("the import failed", HALF_AN_HOUR).project_id(&elevation.project).await.unwrap();
    assert_eq!(asked.status, AccessStatus::Pending);
    client_of(&server, "boss").decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
    let granted = ann.wait_for_access(asked.id).await.unwrap();
    assert!(granted.expires_at.is_some());
    // Elevated, the caller is let in; without a role the values are masked.
    refused(ann.get_secrets("production").await, ErrorKind::Masked, &[]);
}

#[tokio::test]
async fn other_refusals_of_reads_name_no_elevation() {
    let server = service().await;
    let error = refused(client_of(&server, "outsider").get_secrets("production").await, ErrorKind::Forbidden, &[]);
    assert_eq!(error.elevation(), None);
}

#[tokio::test]
async fn a_request_tells_what_was_asked_for() {
    let server = service().await;
    let viewer = client_of(&server, "viewer");
    let workspace = workspace(&server).await;
    let asked = viewer
        .request_access("the import failed", Duration::from_secs(90))
        .secrets([NOBODY])
        .workspace_id(workspace.as_str())
        .await
        .unwrap();
    // what is begun counts
    assert_eq!(asked.duration, Some(Duration::from_secs(120)));
    assert_eq!(
        (asked.project_id.as_deref(), asked.secrets.as_slice()),
        (Some(server.project_id()), [NOBODY.to_owned()].as_slice())
    );
    let found = viewer.get_access_request(asked.id.as_str()).await.unwrap();
    assert_eq!((found.status, found.secrets), (AccessStatus::Pending, asked.secrets));

    let mine = viewer.list_access_requests().await.unwrap();
    assert_eq!((mine[0].id.as_str(), mine[0].duration), (asked.id.as_str(), asked.duration));
    assert_eq!((mine[0].reason.as_deref(), mine[0].project_name.as_deref()), (Some("the import failed"), Some("demo")));
    assert!(mine[0].requester_email.is_some() && mine[0].requested_at.is_some());
    assert_eq!(mine[0].workspace_id, Some(workspace));
}

#[tokio::test]
async fn requests_are_listed_by_where_they_stand() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let workspace = workspace(&server).await;
    let asked =
        viewer.request_access("the import failed", HALF_AN_HOUR).workspace_id(workspace.as_str()).await.unwrap();
    let count =
        async |mode| owner.list_access_requests().mode(mode).workspace_id(workspace.as_str()).await.unwrap().len();
    assert_eq!((count(AccessMode::Pending).await, count(AccessMode::History).await), (1, 0));
    owner.decide_access_request(asked.id, Decision::Approve).await.unwrap();
    assert_eq!((count(AccessMode::Pending).await, count(AccessMode::History).await), (0, 1));
    assert_eq!((count(AccessMode::Approved).await, count(AccessMode::Mine).await), (1, 0));
    let theirs = viewer.list_access_requests().mode(AccessMode::Pending).workspace_id(workspace).await;
    refused(theirs, ErrorKind::Forbidden, &[]);
}

#[tokio::test]
async fn a_list_of_a_workspace_that_is_not_named_is_refused_before_it_is_asked_for() {
    let server = service().await;
    let owner = client(&server);
    for mode in [AccessMode::Pending, AccessMode::History, AccessMode::Approved] {
        let list = owner.list_access_requests().mode(mode).await;
        refused(list, ErrorKind::Invalid, &["nothing was sent", "workspace_id(..)", "get_project()"]);
    }
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_request_for_access_whose_answer_is_lost_says_where_to_look_for_it() {
    let server = service().await;
    let viewer = client_of(&server, "viewer");
    server.fault(Fault::cut_body().on(route::ACCESS_REQUEST));
    let error =
        refused(viewer.request_access("x", HALF_AN_HOUR).await, ErrorKind::Network, &["list_access_requests()"]);
    assert!(error.may_have_been_applied());
    assert_eq!(viewer.list_access_requests().await.unwrap().len(), 1, "it was made");
}

#[tokio::test]
async fn an_admin_of_the_workspace_decides_by_one_request_and_an_admin_of_the_project_decides_too() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let asked = viewer.request_access("x", HALF_AN_HOUR).workspace_id(workspace(&server).await).await.unwrap();
    let decided = owner.decide_access_request(asked.id, Decision::Approve).await.unwrap();
    assert_eq!(decided.status, AccessStatus::Approved);
    assert!(decided.expires_at.is_some());
    assert_eq!(server.request_count(route::ACCESS_REQUESTS_UPDATE), 0);

    // without a workspace
    let asked = asked_by(&viewer).await;
    let decided = owner.decide_access_request(asked.id, Decision::Approve).await.unwrap();
    assert_eq!((decided.status, decided.reason.as_deref()), (AccessStatus::Approved, Some("the import failed")));
    assert!(decided.expires_at.is_some() && decided.decided_by.is_some() && decided.decided_at.is_some());
}

#[tokio::test]
async fn a_decision_tells_what_the_request_is_for_and_who_asked() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let id = workspace(&server).await;
    for workspace in [None, Some(id.as_str())] {
        let asked = viewer.request_access("the import failed", HALF_AN_HOUR).secrets([NOBODY]);
        let asked = match workspace {
            Some(id) => asked.workspace_id(id).await.unwrap(),
            None => asked.await.unwrap(),
        };
        server.reset_counts();
        let decided = owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
        assert_eq!(server.total_requests(), 3, "the decision, where it stands, the list of its project");
        assert_eq!((decided.id.as_str(), decided.status), (asked.id.as_str(), AccessStatus::Approved));
        assert_eq!((decided.reason.as_deref(), decided.duration), (Some("the import failed"), Some(HALF_AN_HOUR)));
        assert_eq!((decided.project_id.as_deref(), decided.secrets), (Some(server.project_id()), asked.secrets));
        assert_eq!(decided.project_name.as_deref(), Some("demo"));
        assert!(decided.requested_by.is_some() && decided.requester_email.is_some() && decided.requested_at.is_some());
        assert!(decided.decided_by.is_some() && decided.decided_at.is_some() && decided.expires_at.is_some());
        assert_eq!(decided.workspace_id.as_deref(), workspace);
    }
}

#[tokio::test]
async fn a_decision_that_cannot_be_read_back_is_told_as_far_as_it_is_known() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    for (route, knows_project) in [(route::ACCESS_STATUS, false), (route::ACCESS_REQUESTS_LIST, true)] {
        let asked = asked_by(&viewer).await;
        server.fault(Fault::status(503).on(route));
        let decided = owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
        assert_eq!((decided.id, decided.status), (asked.id, AccessStatus::Approved));
        assert_eq!(
            (decided.project_id.is_some(), decided.reason, decided.expires_at.is_some()),
            (knows_project, None, true)
        );
    }
}

#[tokio::test]
async fn only_a_pending_request_is_decided_and_only_an_approved_one_revoked() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    for workspace in [None, Some(workspace(&server).await)] {
        let asked = viewer.request_access("x", HALF_AN_HOUR);
        let asked = match &workspace {
            Some(id) => asked.workspace_id(id.as_str()).await.unwrap(),
            None => asked.await.unwrap(),
        };
        let decide = |decision| owner.decide_access_request(asked.id.as_str(), decision).send();
        refused(decide(Decision::Revoke).await, ErrorKind::Conflict, &["is pending", "cannot be revoked"]);
        decide(Decision::Reject).await.unwrap();
        // Approved now, it would have no end.
        refused(decide(Decision::Approve).await, ErrorKind::Conflict, &["is rejected", "cannot be approved"]);
        assert_eq!(owner.get_access_request(asked.id.as_str()).await.unwrap().status, AccessStatus::Rejected);
        refused(viewer.wait_for_access(asked.id.as_str()).await, ErrorKind::Forbidden, &["rejected"]);
    }
}

#[tokio::test]
async fn what_was_granted_can_be_revoked() {
    let server = service().await;
    let (owner, viewer) = (client(&server), client_of(&server, "viewer"));
    let asked = asked_by(&viewer).await;
    owner.decide_access_request(asked.id.as_str(), Decision::Approve).await.unwrap();
    viewer.wait_for_access(asked.id.as_str()).await.unwrap();
    assert_eq!(
        owner.decide_access_request(asked.id.as_str(), Decision::Revoke).await.unwrap().status,
        AccessStatus::Revoked
    );
    refused(viewer.wait_for_access(asked.id).await, ErrorKind::Forbidden, &["revoked"]);
}

#[tokio::test]
async fn who_may_not_decide_decides_nothing() {
    let server = service().await;
    let viewer = client_of(&server, "viewer");
    let asked = asked_by(&viewer).await;
    let decided = client_of(&server, "developer").decide_access_request(asked.id.as_str(), Decision::Approve).await;
    refused(decided, ErrorKind::Forbidden, &["cannot process requests"]);
    assert_eq!(viewer.get_access_request(asked.id).await.unwrap().status, AccessStatus::Pending);
    refused(viewer.decide_access_request(NOBODY, Decision::Approve).await, ErrorKind::NotFound, &[]);
    refused(viewer.get_access_request(NOBODY).await, ErrorKind::NotFound, &[]);
}

#[tokio::test]
async fn access_that_has_run_out_is_expired_whatever_the_service_has_noted() {
    let server = service().await;
    let answer = |end: &str| format!(r#"{{"id":"{NOBODY}","status":"approved","expiresAt":{end},"secretIds":[]}}"#);
    let cases = [
        (r#""2020-01-01T00:00:00.000Z""#, AccessStatus::Expired),
        (r#""2999-01-01T00:00:00.000Z""#, AccessStatus::Approved),
        ("null", AccessStatus::Approved),
    ];
    for (end, status) in cases {
        server.fault(Fault::body(200, "application/json", answer(end)).on(route::ACCESS_STATUS));
        assert_eq!(client(&server).get_access_request(NOBODY).await.unwrap().status, status, "{end}");
    }
    server.fault(Fault::body(200, "application/json", answer(cases[0].0)).on(route::ACCESS_STATUS));
    refused(client(&server).wait_for_access(NOBODY).await, ErrorKind::Forbidden, &["run out"]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let server = service().await;
    let client = client(&server);
    refused(client.request_access(" ", HALF_AN_HOUR).await, ErrorKind::Invalid, &["reason"]);
    refused(client.request_access("x", Duration::from_secs(59)).await, ErrorKind::Invalid, &["minute"]);
    refused(client.request_access("x", HALF_AN_HOUR).secrets(["API_KEY"]).await, ErrorKind::Invalid, &["secret"]);
    refused(client.request_access("x", HALF_AN_HOUR).workspace_id("w").await, ErrorKind::Invalid, &["workspace"]);
    refused(client.get_access_request("x").await, ErrorKind::Invalid, &["access request"]);
    refused(client.wait_for_access("x").await, ErrorKind::Invalid, &["access request"]);
    refused(client.decide_access_request("x", Decision::Reject).await, ErrorKind::Invalid, &["access request"]);
    refused(client.list_access_requests().workspace_id("w").await, ErrorKind::Invalid, &["workspace"]);
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_hinted_at_where_the_service_only_fails() {
    let server = service().await;
    let stranger = XtraClient::builder().dev_server(&server).token("xs_of_nobody").max_retries(0).build().unwrap();
    refused(stranger.request_access("x", HALF_AN_HOUR).await, ErrorKind::Server, &["token is not valid", "whoami()"]);
    refused(stranger.list_access_requests().await, ErrorKind::Server, &["whoami()"]);
}
