//! Leases of dynamic secrets: credentials that are made on demand, for a time.
//!
//! Documented only: no server was recorded with a provider that makes credentials. The dev server has the routes as they are
//! documented, with credentials of its own.

mod create;
mod held;
mod holder;
mod renew;
mod revoke;

pub use create::{CreateLease, Lease};
pub use held::{HeldLease, HoldLease};
pub use renew::{RenewLease, RenewedLease};
pub use revoke::RevokeLease;

use std::time::Duration;

use super::check_options;
use crate::core::{ErrorKind, Timestamp, XtraError};
use crate::engine::{Call, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::{Infisical, refusals, scope};

/// An [`Operation`] that says how long a lease is to live.
pub trait HasTtl: Operation<Source = Infisical> {
    /// The life that is asked for; the dynamic secret's own when it is none.
    fn ttl(&mut self) -> &mut Option<Duration>;
}

impl<Op: HasTtl, M> Request<'_, Infisical, Op, M> {
    /// Asks for a life of so many whole seconds, from one on. Default: as the dynamic secret says.
    pub fn ttl(mut self, life: Duration) -> Self {
        *self.operation.ttl() = Some(life);
        self
    }
}

/// The folder of a dynamic secret, whose routes know a project by its slug alone.
#[derive(Clone)]
struct Place {
    project: String,
    environment: String,
    path: String,
}

impl Call<'_, Infisical> {
    /// The folder that the request is about. May ask the server for the project's slug.
    async fn lease_place(&self) -> Result<Place, XtraError> {
        let source = self.source();
        let project = source.project_of(self.scope())?;
        let checked = source.checked(self.scope())?;
        check_options(self.scope())?;
        Ok(Place { project: source.slug_of(project).await?, environment: checked.environment, path: checked.path })
    }
}

impl Infisical {
    /// The slug of a project. May ask the server for it.
    async fn slug_of(&self, project: scope::ProjectName<'static>) -> Result<String, XtraError> {
        let id = match project {
            scope::ProjectName::Slug(slug) => return Ok(slug.into_owned()),
            scope::ProjectName::Id(id) => id,
        };
        let found = self.raw().projects_get().project_id(&*id).send().await;
        let found = match found.map_err(|error| error.into_error()) {
            // servers of 2024 call it a workspace
            Err(error) if refusals::misses_route(&error) => {
                let answer = self.raw().workspaces_get().workspace_id(&*id).send().await;
                answer.map_err(|error| error.into_error())?.into_inner().workspace
            }
            found => found?.into_inner().project,
        };
        found.and_then(|project| project.slug).filter(|slug| !slug.is_empty()).ok_or_else(|| {
            XtraError::new(ErrorKind::Decode, "the server does not tell the slug of the project, which leases need")
        })
    }
}

/// A life as the service reads it.
fn life(ttl: Option<Duration>) -> Result<Option<String>, XtraError> {
    match ttl.map(|ttl| ttl.as_secs()) {
        Some(0) => Err(XtraError::new(ErrorKind::Invalid, "nothing was sent: a lease lives for one second at least")),
        seconds => Ok(seconds.map(|seconds| format!("{seconds}s"))),
    }
}

/// When a lease ends, and how long it lives from the moment of the server's answer on, by the server's clock alone.
fn end_of(lease: &types::Lease, since: Option<&str>) -> Result<(Timestamp, Duration), XtraError> {
    let moment = |text: Option<&str>| text.and_then(Timestamp::parse);
    let end = moment(lease.expire_at.as_deref());
    let told = end
        .zip(moment(since))
        .map(|(end, since)| (end, end.since_unix_epoch().saturating_sub(since.since_unix_epoch())));
    told.ok_or_else(|| {
        XtraError::new(ErrorKind::Decode, "the answer does not tell how long the lease lives")
            .with_note("The lease may have been made; it ends by itself")
            .with_unknown_outcome()
    })
}
