//! The renewal of a lease.

use std::borrow::Cow;
use std::time::Duration;

use super::{HasTtl, Place, end_of, life};
use crate::core::{ErrorKind, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::{Infisical, InfisicalScope};

/// A lease that was renewed; its credentials stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewedLease {
    /// Its id.
    pub id: String,
    /// When it ends now, by the server's clock.
    pub expires_at: Timestamp,
    /// How long it lives from its renewal on.
    pub lifetime: Duration,
}

/// The operation of a [`Request`] that renews a lease.
#[derive(Debug)]
#[non_exhaustive]
pub struct RenewLease {
    id: String,
    ttl: Option<Duration>,
}

/// # Infisical: renew leases
impl<M> Client<Infisical, M> {
    /// Lets a lease of this folder live on, for the dynamic secret's usual time or [`ttl`](Request::ttl), from now on; awaiting gives
    /// a [`RenewedLease`].
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for one that has ended; an error of status 400 when it would live longer than the
    /// dynamic secret allows; and those of any call.
    pub fn renew_lease<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        id: impl Into<String>,
    ) -> Request<'a, Infisical, RenewLease, M> {
        self.request(InfisicalScope::new(environment), RenewLease { id: id.into(), ttl: None })
    }
}

impl HasTtl for RenewLease {
    fn ttl(&mut self) -> &mut Option<Duration> {
        &mut self.ttl
    }
}

impl Operation for RenewLease {
    const NAME: &'static str = "renew_lease";
    const NAMES_SCOPE: bool = true;
    type Source = Infisical;
    type Output = RenewedLease;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<RenewedLease, XtraError> {
        let ttl = life(self.ttl)?;
        let place = call.lease_place().await?;
        call.source().renewed(&place, &self.id, ttl).await
    }
}

impl Infisical {
    pub(super) async fn renewed(
        &self,
        place: &Place,
        id: &str,
        ttl: Option<String>,
    ) -> Result<RenewedLease, XtraError> {
        let body = types::LeaseRenew {
            environment_slug: place.environment.clone(),
            path: Some(place.path.clone()),
            project_slug: place.project.clone(),
            ttl,
        };
        let answer = self.raw().leases_renew().lease_id(id).body(body).send().await;
        let lease = answer.map_err(|error| error.into_error())?.into_inner().lease;
        if lease.id != id {
            let message = "the answer is about another lease than the one that was to be renewed";
            return Err(XtraError::new(ErrorKind::Decode, message).with_unknown_outcome());
        }
        let (expires_at, lifetime) = end_of(&lease, lease.updated_at.as_deref())?;
        Ok(RenewedLease { id: lease.id, expires_at, lifetime })
    }
}
