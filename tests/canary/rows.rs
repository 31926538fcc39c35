//! What changes stored rows: requests, results, and errors.

use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::xtra::write::LinkSource;
use xtrasecurity::{ErrorKind, XtraError};

use crate::planted::{BRANCH, ENVIRONMENT, KEY, PROJECT, TOKEN, VALUE};
use crate::public_types::Table;
use crate::world::{BROKEN, VIEWER_TOKEN, client, impatient, server};

/// On a server of their own, because they change it.
pub async fn all(table: &mut Table) {
    let server = server().await;
    let client = client(&server);

    let request = client.rotate_secret(ENVIRONMENT, KEY).value(VALUE).branch(BRANCH);
    table.debug("Request", &request);
    table.debug("xtra::write::Rotated", &request.await.unwrap());
    for (environment, branch) in [(ENVIRONMENT, "main"), (ENVIRONMENT, BRANCH), (BROKEN, "main")] {
        let history = client.secret_history(environment, KEY).branch(branch).await.unwrap();
        table.debug("xtra::write::History", &history);
        for entry in &history.entries {
            table.debug("xtra::write::HistoryEntry", entry);
            entry.no_value.iter().for_each(|reason| table.debug("xtra::write::NoValue", reason));
        }
    }
    table.debug("xtra::write::RolledBack", &client.rollback_secret(ENVIRONMENT, KEY, 1).branch(BRANCH).await.unwrap());
    let source = LinkSource::new(PROJECT, ENVIRONMENT, KEY);
    table.debug("xtra::write::LinkSource", &source);
    table.debug("xtra::write::Linked", &client.link_secret("magpie-other", KEY, source).await.unwrap());
    table.debug("xtra::write::Cloned", &client.clone_environment(ENVIRONMENT, "magpie-clone").await.unwrap());
    table.debug("xtra::write::Deleted", &client.delete_secret("magpie-clone", KEY).await.unwrap());
    let repaired = client.repair_secret(ENVIRONMENT, KEY).await.unwrap();
    table.debug("xtra::write::SecretRow", &repaired.rows[0]);
    table.debug("xtra::write::Repaired", &repaired);
    operations(table, &client);
    errors(table, &server).await;
    server.stop().await;
}

/// They hold nothing that a request would print.
fn operations(table: &mut Table, client: &xtrasecurity::XtraClient) {
    table.debug("xtra::write::DeleteSecret", &client.delete_secret(ENVIRONMENT, KEY));
    table.debug("xtra::write::SecretHistory", &client.secret_history(ENVIRONMENT, KEY));
    table.debug("xtra::write::RollbackSecret", &client.rollback_secret(ENVIRONMENT, KEY, 1));
    table.debug("xtra::write::RepairSecret", &client.repair_secret(ENVIRONMENT, KEY).keep("0123456789abcdef01234567"));
    table.debug("xtra::write::RotateSecret", &client.rotate_secret(ENVIRONMENT, KEY).value(VALUE));
    table.debug(
        "xtra::write::LinkSecret",
        &client.link_secret(ENVIRONMENT, KEY, LinkSource::new(PROJECT, ENVIRONMENT, KEY)),
    );
    table.debug("xtra::write::CloneEnvironment", &client.clone_environment(ENVIRONMENT, "magpie-clone"));
}

async fn errors(table: &mut Table, server: &xtrasecurity::dev_server::DevServer) {
    let client = client(server);
    let link = |project: &str| client.link_secret(ENVIRONMENT, KEY, LinkSource::new(project, ENVIRONMENT, "OTHER"));
    let mut all: Vec<XtraError> = vec![
        link(TOKEN).await.unwrap_err(),
        link(PROJECT).await.unwrap_err(),
        link(PROJECT).branch(BRANCH).await.unwrap_err(),
        client.rollback_secret(ENVIRONMENT, KEY, VALUE).await.unwrap_err(),
        client.delete_secret(VALUE, KEY).await.unwrap_err(),
        client.clone_environment(VALUE, "magpie-clone").await.unwrap_err(),
        client.rotate_secret(ENVIRONMENT, KEY).branch(VALUE).await.unwrap_err(),
    ];
    // answers that hold what was planted
    let body = format!("{{\"error\":\"{VALUE}\",\"message\":\"{VALUE}\",\"stack\":\"{VALUE}\"}}");
    let routes = [
        route::BRANCHES_LIST,
        route::SECRET_GET,
        route::SECRETS_READ,
        route::SECRET_HISTORY,
        route::SECRET_ROTATE,
        route::SECRETS_BY_ID_DELETE,
        route::SECRETS_BY_ID_ROLLBACK,
        route::ENVIRONMENTS_CLONE,
    ];
    for (route, status) in routes.into_iter().flat_map(|route| [(route, 500), (route, 200)]) {
        server.fault(Fault::body(status, "application/json", body.as_bytes()).on(route).times(2));
        let calls = [
            client.secret_history(ENVIRONMENT, KEY).await.err(),
            client.rotate_secret(ENVIRONMENT, KEY).value(VALUE).await.err(),
            client.rollback_secret(ENVIRONMENT, KEY, 1).await.err(),
            client.clone_environment(ENVIRONMENT, "magpie-clone").await.err(),
            client.delete_secret(ENVIRONMENT, KEY).branch(BRANCH).await.err(),
        ];
        server.clear_faults();
        server.set_secret("magpie", ENVIRONMENT, BRANCH, KEY, VALUE).unwrap();
        let before = all.len();
        all.extend(calls.into_iter().flatten());
        // some answers have the promised shape in spite of what they hold, and there are two ways to roll back
        let may_work = status == 200 || route == route::SECRETS_BY_ID_ROLLBACK;
        assert!(all.len() > before || may_work, "{route} {status}");
    }
    let viewer = impatient().api_url(server.url()).token(VIEWER_TOKEN).build().unwrap();
    all.push(viewer.secret_history(ENVIRONMENT, KEY).branch(BRANCH).await.unwrap_err());
    assert_eq!(all.last().map(XtraError::kind), Some(ErrorKind::Masked));
    all.iter().for_each(|error| table.error("XtraError", error));
}
