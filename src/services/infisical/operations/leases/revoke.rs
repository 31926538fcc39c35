//! The end of a lease before its time.

use std::borrow::Cow;

use super::Place;
use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that ends a lease.
#[derive(Debug)]
#[non_exhaustive]
pub struct RevokeLease {
    id: String,
}

/// # Infisical: revoke leases
impl<M> Client<Infisical, M> {
    /// Ends a lease of this folder: the provider takes its credentials back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for one that has ended; and those of any call.
    pub fn revoke_lease<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        id: impl Into<String>,
    ) -> Request<'a, Infisical, RevokeLease, M> {
        self.request(InfisicalScope::new(environment), RevokeLease { id: id.into() })
    }
}

impl Operation for RevokeLease {
    const NAME: &'static str = "revoke_lease";
    const NAMES_SCOPE: bool = true;
    type Source = Infisical;
    type Output = ();

    async fn perform(self, call: Call<'_, Infisical>) -> Result<(), XtraError> {
        let place = call.lease_place().await?;
        call.source().revoke(&place, &self.id).await
    }
}

impl Infisical {
    pub(super) async fn revoke(&self, place: &Place, id: &str) -> Result<(), XtraError> {
        let body = types::LeaseRevoke {
            environment_slug: place.environment.clone(),
            is_forced: None,
            path: Some(place.path.clone()),
            project_slug: place.project.clone(),
        };
        let answer = self.raw().leases_revoke().lease_id(id).body(body).send().await;
        let lease = answer.map_err(|error| error.into_error())?.into_inner().lease;
        if lease.id != id {
            let message = "the answer is about another lease than the one that was to end";
            return Err(XtraError::new(ErrorKind::Decode, message).with_unknown_outcome());
        }
        Ok(())
    }
}
