//! The public types of copies: each holds what was planted, or has seen it.

use std::borrow::Cow;
use std::sync::Mutex;

use xtrasecurity::copy::{Acceptance, Rules, SecretTarget, Stored, Write};
use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::source::{Identity, KeyWriter, Loaded};
use xtrasecurity::{Client, ErrorKind, SecretSource, SecretValue, Secrets, XtraError};

use crate::planted::{ENVIRONMENT, KEY, VALUE, hides_debug};
use crate::public_types::Table;
use crate::world;

/// A target that prints what it is given, and keeps nothing.
#[derive(Default)]
struct Printing(Mutex<usize>);

impl SecretSource for Printing {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "printing"
    }

    fn identity(&self) -> Identity {
        Identity::of("printing")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &&str) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter([("OTHER", VALUE)]))
    }
}

impl SecretTarget for Printing {
    fn owned_scope<'s>(_: &&str) -> &'s str {
        "anywhere"
    }

    fn refusal(&self, _: &&str, name: &str, _: &SecretValue, _: Acceptance) -> Option<Cow<'static, str>> {
        (name == "REFUSED").then_some(Cow::Borrowed("is refused"))
    }

    async fn stored<'a>(client: &'a Client<Self>, scope: &'a str) -> Result<Stored, XtraError> {
        let stored = Stored::new(client.read(scope).no_cache().await?);
        hides_debug("copy::Stored", &stored);
        Ok(stored)
    }

    async fn write<'a>(client: &'a Client<Self>, _: &'a str, write: Write<'a>) -> Result<(), XtraError> {
        hides_debug("copy::Write", &write);
        *client.source().0.lock().unwrap() += write.secrets.len();
        Ok(())
    }
}

/// On a server of their own, because they change it.
pub async fn all(table: &mut Table) {
    to_a_service(table).await;
    let client = Client::new_with_source(Printing::default());
    let secrets = Secrets::from_iter([(KEY, VALUE), ("OTHER", "another"), ("REFUSED", VALUE)]);
    let request = client.copy_secrets("anywhere", &secrets).rename("OTHER", VALUE).prefix(VALUE);
    table.debug("copy::CopySecrets", &request);
    let plan = client.copy_secrets("anywhere", &secrets).await.unwrap();
    for obstacle in plan.obstacles() {
        table.shown("copy::Obstacle", obstacle);
        table.debug("copy::ObstacleKind", &obstacle.kind);
    }
    table.error("copy::CopyError", &plan.apply().await.unwrap_err());
    let mut told = Vec::new();
    let apply = plan.apply().skip(["OTHER", "REFUSED"]).on_progress(|progress| told.push(progress));
    table.debug("copy::ApplyCopy", &apply);
    let stopped = apply.await.unwrap_err();
    assert_eq!((stopped.error().kind(), *client.source().0.lock().unwrap()), (ErrorKind::Conflict, 1));
    table.error("copy::CopyError", &stopped);
    table.debug("copy::CopyReport", stopped.report());
    table.debug("copy::CopyProgress", &told);
    table.debug("copy::Rules", &Rules::default());
    table.debug("copy::Acceptance", &Acceptance::default());
    table.debug("copy::Stored", &Stored::new(secrets));
    // printed by the target
    table.0.insert("copy::Write");
}

/// A service that repeats what it was sent.
async fn to_a_service(table: &mut Table) {
    let server = world::server().await;
    let client = world::client(&server);
    let copy = || client.get_secrets(ENVIRONMENT).copy_to(&client, "magpie-copied").only([KEY]);
    table.debug("copy::CopyTo", &copy());
    let plan = copy().await.unwrap();
    table.debug("copy::CopyPlan", &plan);
    let repeating = format!(r#"{{"error":"no {VALUE}","message":"{VALUE}","stack":"{VALUE}"}}"#);
    for status in [400, 403, 409, 500] {
        server.fault(Fault::body(status, "application/json", repeating.clone()).on(route::SECRETS_UPSERT));
        table.error("copy::CopyError", &plan.apply().await.unwrap_err());
    }
    table.debug("copy::CopyReport", &plan.apply().await.unwrap());
    client.set_secret("magpie-copied", KEY, "another").await.unwrap();
    let conflict = copy().await.unwrap();
    table.debug("copy::CopyPlan", &conflict);
    table.error("XtraError", conflict.apply().await.unwrap_err().error());
    let missing = client.get_secrets(ENVIRONMENT).copy_to(&client, "magpie-copied").only([VALUE]).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::MissingSecret);
    server.stop().await;
}
