//! A new value for a secret that exists.

use std::borrow::Cow;

use crate::core::{SecretValue, XtraError};
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::writing::{NewValue, Target};
use crate::services::xtra::{Xtra, XtraScope};

/// The operation of a [`Request`] that rotates a secret.
#[derive(Debug)]
pub struct RotateSecret {
    key: String,
    value: Option<SecretValue>,
    options: WriteOptions,
}

/// A secret that was rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// The new value.
    pub value: SecretValue,
    /// The new version: the one that follows what was found, a number in text.
    pub version: String,
}

impl<M> Client<Xtra, M> {
    /// Gives a secret of one branch a new value, at random or the one that [`value`](Request::value) says. The old value stays
    /// in the [history](Self::history). The service's own rotation asks for no role: viewers may rotate too.
    ///
    /// A random value is 32 hexadecimal digits. The service makes it and sends it back, except where its own rotation would
    /// go to another branch (it takes the first that has the secret) and where [values are
    /// sealed](crate::XtraClientBuilder::seal_writes): then it is made here, and written. A secret that was sealed stays so: its
    /// new value is sealed too, for which a passphrase is needed. Four requests are sent, and
    /// five on `main`, where the environment is read before as well as after; [`unconfirmed`](Request::unconfirmed) leaves the
    /// read after it out. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Config`](crate::ErrorKind::Config) when it is sealed and there is no passphrase;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a link (rotate its source), a value that could not be read back, and when the
    /// secret is there in another spelling of the environment too (see [`exact`](Request::exact));
    /// [`Conflict`](crate::ErrorKind::Conflict) when the service has several rows of the secret, when it changed meanwhile, and
    /// when what is read afterwards is not the new value: then [`may_have_been_applied`](XtraError::may_have_been_applied) is
    /// true, and the rotation is *not confirmed*;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call. When
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, the secret's version tells whether it was.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "SIGNING_KEY", "s-1").await?;
    /// let rotated = client.rotate("staging", "SIGNING_KEY").await?;
    /// assert_eq!(rotated.value.len(), 32);
    /// assert_eq!(client.get_secrets("staging").await?.require("SIGNING_KEY")?, &rotated.value);
    ///
    /// let rotated = client.rotate("staging", "SIGNING_KEY").value("s-3").await?;
    /// assert_eq!(rotated.value, "s-3");
    /// # Ok(())
    /// # }
    /// ```
    pub fn rotate<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, RotateSecret, M> {
        self.request(
            XtraScope::new(environment),
            RotateSecret { key: key.into(), value: None, options: WriteOptions::default() },
        )
    }
}

impl<M> Request<'_, Xtra, RotateSecret, M> {
    /// The new value, in place of a random one.
    pub fn value(mut self, value: impl Into<SecretValue>) -> Self {
        self.operation.value = Some(value.into());
        self
    }
}

impl Operation for RotateSecret {
    const NAME: &'static str = "rotate";
    type Source = Xtra;
    type Output = Rotated;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Rotated, XtraError> {
        let place = call.place().await?;
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key: &self.key, exact: self.options.is_exact() };
        let NewValue { value, version } = call.source().rotate(target, self.value, self.options.reads_back()).await?;
        Ok(Rotated { value, version })
    }
}

writes!(RotateSecret);

impl ReadsBack for RotateSecret {}
