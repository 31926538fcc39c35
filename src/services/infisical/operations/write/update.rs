//! The change of a secret that is there.

use std::borrow::Cow;
use std::fmt;

use super::details::{HasDetails, SecretDetails};
use super::send::{Change, Kind};
use super::{SendsValue, Trimming, Written, WrittenSecret, check_name, check_new_name, check_value};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that changes a secret.
pub struct UpdateSecret {
    name: String,
    new_name: Option<String>,
    value: Option<SecretValue>,
    details: SecretDetails,
    trimming: Trimming,
}

/// # Infisical: change secrets
impl<M> Client<Infisical, M> {
    /// Changes a secret that is there: its [`value`](Request::value), its [name](Request::new_name), and what is kept beside it
    /// ([`comment`](Request::comment) and others). What is not said stays as it is. Awaiting gives a [`Written`] of a
    /// [`WrittenSecret`].
    ///
    /// The older interface takes no change without a value. There, the value is read first and sent again with the change; a
    /// value that somebody else stores between the two requests is lost. It is sent again only when it cannot have arrived, and
    /// every change counts a version. A rename changes references in other secrets too, at the server.
    ///
    /// Servers of 2024 can store a name twice; they change one secret, and reads give the other. So what the older interface has
    /// changed is read back by its name, which costs one request, and
    /// [`unconfirmed`](super::WrittenSecret::unconfirmed) tells when the read gives another value.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, when nothing is to be changed, and as
    /// [`create_secret`](Self::create_secret); [`NotFound`](crate::ErrorKind::NotFound) when there is no such secret;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the new name is taken, and, after the write, when the name is there twice; [`Masked`](crate::ErrorKind::Masked) when the value had
    /// to be read and is hidden; [`Decode`](crate::ErrorKind::Decode) when the answer does not confirm the write; and those of any
    /// call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let written = client.update_secret("dev", "DB_URL").path("/app").new_name("DATABASE_URL").await?;
    /// assert!(written.is_applied());
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Infisical, UpdateSecret, M> {
        let (details, trimming) = (SecretDetails::default(), Trimming::default());
        let operation = UpdateSecret { name: name.into(), new_name: None, value: None, details, trimming };
        self.request(InfisicalScope::new(environment), operation)
    }
}

impl<M> Request<'_, Infisical, UpdateSecret, M> {
    /// Gives the secret this value.
    pub fn value(mut self, value: impl Into<SecretValue>) -> Self {
        self.operation.value = Some(value.into());
        self
    }

    /// Gives the secret this name.
    pub fn new_name(mut self, name: impl Into<String>) -> Self {
        self.operation.new_name = Some(name.into());
        self
    }
}

impl Operation for UpdateSecret {
    const NAME: &'static str = "update_secret";
    type Source = Infisical;
    type Output = Written<WrittenSecret>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Written<WrittenSecret>, XtraError> {
        let Self { name, new_name, value, details, trimming } = self;
        check_name(&name)?;
        new_name.iter().try_for_each(|name| check_new_name(name))?;
        value.iter().try_for_each(|value| check_value(&name, value, trimming))?;
        if new_name.is_none() && value.is_none() && details.is_empty() {
            return Err(XtraError::new(ErrorKind::Invalid, "nothing was sent: the call says nothing to change")
                .with_hint(Hint::Add { options: &["value", "new_name", "comment"] }));
        }
        let (scope, project) = call.folder().await?;
        let _changing = call.changing(&project);
        let (new_name, value) = (new_name.as_deref(), value.as_ref());
        let change = Change { kind: Kind::Update, name: &name, new_name, value, details: &details };
        call.source().write_one(&scope, &change).await
    }
}

impl HasDetails for UpdateSecret {
    fn details(&mut self) -> &mut SecretDetails {
        &mut self.details
    }
}

impl SendsValue for UpdateSecret {
    fn trimming(&mut self) -> &mut Trimming {
        &mut self.trimming
    }
}

impl fmt::Debug for UpdateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
