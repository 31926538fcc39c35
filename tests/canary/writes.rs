//! Setting, listing and comparing secrets: requests, results, and errors.

use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::xtra::XtraScope;
use xtrasecurity::xtra::write::{SecretOrigin, Written};
use xtrasecurity::{Secrets, error::FileEntry};

use super::Table;
use crate::planted::{ENVIRONMENT, KEY, VALUE};
use crate::world::client;

/// Where these write, so that what other tables read stays as it is.
const PLACE: &str = "magpie-writes";

pub async fn all(table: &mut Table, server: &DevServer) {
    requests(table, server);
    outcomes(table, server).await;
    refusals(table, server).await;
}

fn requests(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let seen = Secrets::from_iter([(KEY, VALUE)]);
    let one = client.set_secret(ENVIRONMENT, KEY, VALUE).if_unchanged(&seen).expect_version(1).verify().seal();
    table.debug("xtra::write::Set", &one);
    table.debug("xtra::write::Set", &client.set_secrets(ENVIRONMENT, [(KEY, VALUE)]).on_progress(|_| ()));
    table.debug("xtra::write::CreateSecret", &client.create_secret(ENVIRONMENT, KEY, VALUE));
    table.debug("xtra::write::GetSecret", &client.get_secret(ENVIRONMENT, KEY));
    table.debug("xtra::write::ListSecretNames", &client.list_secret_names(ENVIRONMENT));
    table.debug("xtra::write::PromoteSecrets", &client.promote_secrets(ENVIRONMENT, PLACE).only([KEY]));
    table.debug("xtra::write::DiffSecrets", &client.diff_secrets(ENVIRONMENT, XtraScope::new(PLACE)));
}

async fn outcomes(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let written = client.set_secret(PLACE, KEY, VALUE).await.unwrap();
    assert_eq!(written, Written::Created);
    table.debug("xtra::write::Written", &written);
    let mut progress = Vec::new();
    for problem in client.set_secrets(PLACE, [("branch", VALUE), (KEY, VALUE), (KEY, VALUE)]).problems() {
        table.shown("xtra::write::NameProblem", &problem);
    }
    let request = client.set_secrets(PLACE, [(KEY, VALUE)]).on_progress(|step| progress.push(step));
    table.debug("xtra::write::WriteReport", &request.await.unwrap());
    assert_eq!(progress.len(), 2);
    table.debug("xtra::write::Progress", &progress);
    table.debug("xtra::write::SecretOrigin", &SecretOrigin::Linked);
    table.debug("xtra::write::ListedSecret", &client.list_secret_names(PLACE).await.unwrap());
    table.debug("xtra::write::Promotion", &client.promote_secrets(PLACE, "magpie-target").await.unwrap());
    table.debug("xtra::write::Difference", &client.diff_secrets(PLACE, "magpie-target").await.unwrap());
}

/// Errors of writes whose values the service repeats, or that it did not finish.
async fn refusals(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let repeating = format!(r#"{{"error":"no {VALUE}","message":"{VALUE}","stack":"{VALUE}"}}"#);
    for status in [400, 403, 404, 409, 500, 503] {
        server.fault(Fault::body(status, "application/json", repeating.clone()).on(route::SECRETS_UPSERT));
        table.error("XtraError", &client.set_secret(PLACE, KEY, VALUE).await.unwrap_err());
    }
    let remote = format!(
        r#"{{"error":"Conflict detected","conflicts":[{{"key":"{KEY}","expected":"1","actual":"2","remoteValue":"{VALUE}"}}]}}"#
    );
    server.fault(Fault::body(409, "application/json", remote).times(4).on(route::SECRETS_UPSERT));
    let version = client.list_secret_names(PLACE).await.unwrap()[0].version.clone();
    table.error("XtraError", &client.set_secret(PLACE, KEY, VALUE).expect_version(version).await.unwrap_err());
    table.error("XtraError", &client.set_secret(PLACE, KEY, VALUE).expect_version(99).await.unwrap_err());
    table.error("XtraError", &client.create_secret(PLACE, KEY, VALUE).await.unwrap_err());
    server.fault(Fault::cut_body().on(route::SECRETS_UPSERT));
    table.error("XtraError", &client.set_secret(PLACE, KEY, VALUE).await.unwrap_err());
    let elevation = format!(r#"{{"error":"JIT Elevation Required {VALUE}","action":"request_jit"}}"#);
    server.fault(Fault::body(403, "application/json", elevation).on(route::SECRETS_READ));
    let error = client.get_secrets(PLACE).no_cache().await.unwrap_err();
    table.debug("error::Elevation", error.elevation().unwrap());
    table.debug("error::Reason", error.reason().unwrap());
    table.shown("error::Hint", error.hint().unwrap());
    table.shown("error::FileEntry", &FileEntry::new("project", ".rc"));
    table.error("XtraError", &error);
}
