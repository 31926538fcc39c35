//! The creation of a lease.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::{HasTtl, Place, end_of, life};
use crate::core::{ErrorKind, SecretValue, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::scope::{quoted, shown_path};
use crate::services::infisical::{Infisical, InfisicalScope, refusals};

/// Credentials for a time.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// Its id, to renew and to revoke it by.
    pub id: String,
    /// When it ends, by the server's clock.
    pub expires_at: Timestamp,
    /// How long it lives from its creation on.
    pub lifetime: Duration,
    /// The credentials by name, in order: which they are depends on the provider. A number or an object is there as JSON.
    pub data: Vec<(String, SecretValue)>,
}

impl Lease {
    /// A credential by its name, such as `DB_PASSWORD`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretValue> {
        self.data.iter().find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.data.len();
        f.debug_struct("Lease")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .field("data", &fields)
            .finish()
    }
}

/// The operation of a [`Request`] that makes a lease.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateLease {
    name: String,
    ttl: Option<Duration>,
}

/// # Infisical: leases of dynamic secrets
impl<M> Client<Infisical, M> {
    /// Makes credentials by a dynamic secret of a folder; awaiting gives a [`Lease`], which ends by itself unless it is
    /// [renewed](Self::renew_lease). [`hold_lease`](Client::hold_lease) renews and revokes by itself.
    ///
    /// Credentials are never cached, and the request is sent again only when it cannot have arrived.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such dynamic secret; [`Invalid`](crate::ErrorKind::Invalid) for a
    /// [`ttl`](Request::ttl) under one second, with nothing sent; [`Decode`](crate::ErrorKind::Decode) when the answer is not the
    /// documented one; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// use std::time::Duration;
    ///
    /// let lease = client.create_lease("prod", "postgres").path("/app").ttl(Duration::from_secs(900)).await?;
    /// let password = lease.get("DB_PASSWORD");
    /// client.revoke_lease("prod", &lease.id).path("/app").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_lease<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Infisical, CreateLease, M> {
        self.request(InfisicalScope::new(environment), CreateLease { name: name.into(), ttl: None })
    }
}

impl HasTtl for CreateLease {
    fn ttl(&mut self) -> &mut Option<Duration> {
        &mut self.ttl
    }
}

impl Operation for CreateLease {
    const NAME: &'static str = "create_lease";
    const NAMES_SCOPE: bool = true;
    type Source = Infisical;
    type Output = Lease;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Lease, XtraError> {
        let ttl = life(self.ttl)?;
        let place = call.lease_place().await?;
        call.source().lease(&place, self.name, ttl).await
    }
}

impl Infisical {
    pub(super) async fn lease(&self, place: &Place, name: String, ttl: Option<String>) -> Result<Lease, XtraError> {
        let about =
            format!("It was about the dynamic secret {} of the folder {}", quoted(&name), shown_path(&place.path));
        let body = types::LeaseCreate {
            config: None,
            dynamic_secret_name: name,
            environment_slug: place.environment.clone(),
            path: Some(place.path.clone()),
            project_slug: place.project.clone(),
            ttl,
        };
        let answer = self.raw().leases_create().body(body).send().await;
        let answer = answer.map_err(|error| match error.into_error() {
            error if error.kind() == ErrorKind::NotFound && !refusals::misses_route(&error) => error.with_note(about),
            error => error,
        });
        let answer = answer?.into_inner();
        let (expires_at, lifetime) = end_of(&answer.lease, answer.lease.created_at.as_deref())?;
        let Some(data) = answer.data.as_ref().and_then(|data| data.expose().as_object()) else {
            let message = "the answer to the lease holds no credentials";
            return Err(XtraError::new(ErrorKind::Decode, message).with_unknown_outcome());
        };
        let data = data.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), SecretValue::new(text))
        });
        let data = data.collect();
        Ok(Lease { id: answer.lease.id, expires_at, lifetime, data })
    }
}
