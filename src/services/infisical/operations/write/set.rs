//! A secret that is created or changed, whichever it takes.

use std::borrow::Cow;
use std::fmt;

use super::details::{HasDetails, SecretDetails};
use super::send::{Change, Kind, exists};
use super::{SendsValue, Trimming, Written, WrittenSecret, check_new_name, check_value};
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that creates a secret or changes it.
pub struct SetSecret {
    name: String,
    value: SecretValue,
    details: SecretDetails,
    trimming: Trimming,
}

/// # Infisical: set secrets
impl<M> Client<Infisical, M> {
    /// Gives a secret this value, and creates it when it is not there. Awaiting gives a [`Written`] of a [`WrittenSecret`].
    ///
    /// It is changed first; when the server says that there is no such secret, it is created; when somebody else has created it
    /// meanwhile, it is changed once more. A change is read back as that of [`update_secret`](Self::update_secret) is.
    ///
    /// # Errors
    ///
    /// Those of [`create_secret`](Self::create_secret), but for a secret that exists; [`Conflict`](crate::ErrorKind::Conflict), after the
    /// write, when the name is there twice.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// assert!(client.set_secret("dev", "DB_URL", "postgres://…").await?.is_applied());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Infisical, SetSecret, M> {
        let (details, trimming) = (SecretDetails::default(), Trimming::default());
        let operation = SetSecret { name: name.into(), value: value.into(), details, trimming };
        self.request(InfisicalScope::new(environment), operation)
    }
}

impl Operation for SetSecret {
    const NAME: &'static str = "set_secret";
    type Source = Infisical;
    type Output = Written<WrittenSecret>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Written<WrittenSecret>, XtraError> {
        let Self { name, value, details, trimming } = self;
        check_new_name(&name)?;
        check_value(&name, &value, trimming)?;
        let (scope, project) = call.folder().await?;
        let _changing = call.changing(&project);
        let write = async |kind| {
            let value = Some(&value);
            let change = Change { kind, name: &name, new_name: None, value, details: &details };
            call.source().write_one(&scope, &change).await
        };
        match write(Kind::Update).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            written => return written,
        }
        match write(Kind::Create).await {
            Err(error) if exists(&error) => write(Kind::Update).await,
            written => written,
        }
    }
}

impl HasDetails for SetSecret {
    fn details(&mut self) -> &mut SecretDetails {
        &mut self.details
    }
}

impl SendsValue for SetSecret {
    fn trimming(&mut self) -> &mut Trimming {
        &mut self.trimming
    }
}

impl fmt::Debug for SetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
