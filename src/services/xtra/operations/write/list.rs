//! One secret, and the list of all without their values.

use std::borrow::Cow;
use std::fmt;

use crate::core::{SecretValue, UnreadableReason, XtraError};
use crate::engine::{Call, Client, Operation, Reads, Request, SecretSource};
use crate::services::xtra::{Xtra, XtraScope, shown_name};

/// One secret of a list: everything but the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSecret {
    /// The secret's name.
    pub name: String,
    /// The version, a decimal number, as [`expect_version`](crate::Request::expect_version) takes it. Of a linked secret: that
    /// of the link.
    pub version: String,
    /// Where the value is stored.
    pub origin: SecretOrigin,
    /// Why a read would not give the value, when it would not.
    pub unreadable: Option<UnreadableReason>,
}

/// Where a secret's value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretOrigin {
    /// With the secret.
    Own,
    /// With another secret, which this one is a link to.
    Linked,
}

/// The operation of a [`Request`] that lists secrets without their values.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListSecretNames;

/// The operation of a [`Request`] that reads one secret.
#[non_exhaustive]
pub struct GetSecret<'a> {
    key: Cow<'a, str>,
}

/// # Names and versions, and one secret
impl<M> Client<Xtra, M> {
    /// Lists the secrets of an environment with their versions, in order of their names. No value is kept.
    ///
    /// The answer is never cached. The service writes no row into its audit log for it. An environment or branch that does not
    /// exist is an empty list.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets), but for those of values that did not come through.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "PORT", "5432").await?;
    /// let listed = client.list_secret_names("staging").await?;
    /// let port = listed.iter().find(|secret| secret.name == "PORT").ok_or("no PORT")?;
    /// client.set_secret("staging", "PORT", "5433").expect_version(&port.version).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_secret_names<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, ListSecretNames, M> {
        self.request(XtraScope::new(environment), ListSecretNames)
    }

    /// Reads one secret. It comes from the snapshot of its environment that the cache has, or from a new one: the service has
    /// no way to give a single value.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets), and [`MissingSecret`](crate::ErrorKind::MissingSecret) when there is no such
    /// secret. Other secrets whose values did not come through do not matter.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), xtrasecurity::XtraError> {
    /// # use xtrasecurity::XtraClient;
    /// let client = XtraClient::in_memory([("API_KEY", "k-1")])?;
    /// assert_eq!(client.get_secret("production", "API_KEY").await?.expose(), "k-1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, GetSecret<'a>, M> {
        self.request(XtraScope::new(environment), GetSecret { key: name.into() })
    }
}

impl Operation for ListSecretNames {
    const NAME: &'static str = "list_secret_names";
    type Source = Xtra;
    type Output = Vec<ListedSecret>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<ListedSecret>, XtraError> {
        let place = call.place().await?;
        let look = call.source().current_state(&place).await?;
        let listed = look.iter().map(|(name, seen)| ListedSecret {
            name: name.to_owned(),
            version: seen.version.clone(),
            origin: if seen.linked { SecretOrigin::Linked } else { SecretOrigin::Own },
            unreadable: seen.value.as_ref().err().copied(),
        });
        Ok(listed.collect())
    }
}

impl Reads for GetSecret<'_> {}

impl Operation for GetSecret<'_> {
    const NAME: &'static str = "get_secret";
    type Source = Xtra;
    type Output = SecretValue;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<SecretValue, XtraError> {
        let read = async {
            let secrets = call.read(call.scope().clone()).allow_unreadable().await?;
            Ok(secrets.require(&self.key)?.clone())
        };
        read.await.map_err(|error: XtraError| {
            let environment = call.source().show_scope(call.scope());
            error.in_call(format!("{}({environment}, {})", Self::NAME, shown_name(&self.key)))
        })
    }
}

impl fmt::Debug for GetSecret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetSecret").field("name", &self.key).finish()
    }
}
