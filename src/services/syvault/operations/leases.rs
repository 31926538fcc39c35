//! Leases: credentials that are made on demand, for a time.

use std::time::Duration;

use super::super::scope::sendable;
use crate::core::{ErrorKind, SecretValue, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::http::Method;
use crate::services::syvault::raw::types;
use crate::services::syvault::source::about;
use crate::services::syvault::{SyVault, SyVaultScope};

/// The longest life of a lease.
const LONGEST: Duration = Duration::from_secs(86_400);
/// The life of a lease that is not told one.
const USUAL: Duration = Duration::from_secs(3600);

/// Credentials for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The id of the lease, to [revoke](Client::revoke_lease) it by.
    pub id: String,
    /// The name of the user that was made.
    pub username: SecretValue,
    /// The password.
    pub password: SecretValue,
    /// Both in the address of the database.
    pub connection_string: SecretValue,
    /// When they end.
    pub expires_at: Timestamp,
}

/// A lease without its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseEntry {
    /// The id of the lease.
    pub id: String,
    /// The uid of the record that it is of.
    pub record_uid: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// The operation of a [`Request`] that makes a lease.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateLease {
    ttl: Duration,
}

/// The operation of a [`Request`] that lists leases.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListLeases;

/// The operation of a [`Request`] that ends a lease.
#[derive(Debug)]
#[non_exhaustive]
pub struct RevokeLease {
    id: String,
}

/// # SyVault: leases
impl<M> Client<SyVault, M> {
    /// Makes credentials by the record of this uid, for an hour unless [`ttl`](Request::ttl) says otherwise; awaiting gives a
    /// [`Lease`]. They are never cached, and the request is never sent twice.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a life of less than a second or more than a day, with nothing sent;
    /// [`NotFound`](crate::ErrorKind::NotFound), with the uid among [`names`](crate::XtraError::names);
    /// [`Decode`](crate::ErrorKind::Decode) when the answer is not the documented one; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::syvault::SyVaultClient) -> Result<(), xtrasecurity::XtraError> {
    /// use std::time::Duration;
    ///
    /// let lease = client.create_lease("7Kj9mNpQ2xRs").ttl(Duration::from_secs(900)).await?;
    /// connect(lease.connection_string.expose());
    /// client.revoke_lease(&lease.id).await?;
    /// # Ok(())
    /// # }
    /// # fn connect(_: &str) {}
    /// ```
    pub fn create_lease<'a>(
        &'a self,
        record_uid: impl Into<std::borrow::Cow<'a, str>>,
    ) -> Request<'a, SyVault, CreateLease, M> {
        self.request(SyVaultScope::secret(record_uid), CreateLease { ttl: USUAL })
    }

    /// Lists the leases that have not ended; awaiting gives a `Vec<`[`LeaseEntry`]`>`. The route is documented; the form of the
    /// answer, a list as `data`, is inferred.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is assumed; and those of any call.
    pub fn list_leases(&self) -> Request<'_, SyVault, ListLeases, M> {
        self.request(SyVaultScope::titles(), ListLeases)
    }

    /// Ends a lease before its time. The route is inferred; nothing is read of the answer.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for a lease that has ended, or if the route is another; and those of any call.
    pub fn revoke_lease(&self, id: impl Into<String>) -> Request<'_, SyVault, RevokeLease, M> {
        self.request(SyVaultScope::titles(), RevokeLease { id: id.into() })
    }
}

impl<M> Request<'_, SyVault, CreateLease, M> {
    /// How long the credentials last, in whole seconds: one second to a day. Default: an hour.
    pub fn ttl(mut self, life: Duration) -> Self {
        self.operation.ttl = life;
        self
    }
}

impl Operation for CreateLease {
    const NAME: &'static str = "create_lease";
    type Source = SyVault;
    type Output = Lease;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<Lease, XtraError> {
        const ASSUMED: &str = "Documented: the answer is an object with the texts `lease_id`, `username`, `password`, `connection_string` \
                               and `expires_at`, a moment as RFC 3339 has it";
        let scope = call.scope().checked()?;
        if self.ttl < Duration::from_secs(1) || self.ttl > LONGEST {
            let message = "a lease lasts for one second to 86,400 seconds. Nothing was sent";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        let ttl_seconds = self.ttl.as_secs().cast_signed();
        let body = types::LeaseCreate { record_uid: scope.uid().to_owned(), ttl_seconds };
        let answer = call.source().raw.leases_create().body(body).send().await;
        let answer = answer.map_err(|error| about(call.source().failed(error, ASSUMED), scope.uid()))?.into_inner();
        let other = || {
            XtraError::new(ErrorKind::Decode, "the answer to the lease is not the documented one")
                .with_note(ASSUMED)
                .with_unknown_outcome()
        };
        Ok(Lease {
            id: answer.lease_id,
            username: answer.username.into_value().ok_or_else(other)?,
            password: answer.password.into_value().ok_or_else(other)?,
            connection_string: answer.connection_string.into_value().ok_or_else(other)?,
            expires_at: Timestamp::parse(&answer.expires_at).ok_or_else(other)?,
        })
    }
}

impl Operation for ListLeases {
    const NAME: &'static str = "list_leases";
    type Source = SyVault;
    type Output = Vec<LeaseEntry>;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<Vec<LeaseEntry>, XtraError> {
        const ASSUMED: &str = "Assumed, and not documented: the answer is an object with a list of objects as `data`, each of which has a text \
                               as `lease_id`";
        let answer = call.source().raw.leases_list().send().await;
        let answer = answer.map_err(|error| call.source().failed(error, ASSUMED))?.into_inner();
        let leases = answer.data.into_iter().map(|lease| LeaseEntry {
            id: lease.lease_id,
            record_uid: lease.record_uid,
            expires_at: lease.expires_at.as_deref().and_then(Timestamp::parse),
        });
        Ok(leases.collect())
    }
}

/// Sent without the generated method, which reads an answer; this one may have no content.
impl Operation for RevokeLease {
    const NAME: &'static str = "revoke_lease";
    type Source = SyVault;
    type Output = ();

    async fn perform(self, call: Call<'_, SyVault>) -> Result<(), XtraError> {
        let id = sendable("id of the lease", &self.id)?;
        let request = call.source().transport().call("leases_revoke", Method::Delete);
        request.path(["api", "sm", "v1", "dynamic", "leases", id]).send().await.map(drop)
    }
}
