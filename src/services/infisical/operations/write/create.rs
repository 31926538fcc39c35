//! A secret that must not exist yet.

use std::borrow::Cow;
use std::fmt;

use super::details::{HasDetails, SecretDetails};
use super::send::{Change, Kind};
use super::{SendsValue, Trimming, Written, WrittenSecret, check_new_name, check_value};
use crate::core::{SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that creates a secret.
pub struct CreateSecret {
    name: String,
    value: SecretValue,
    details: SecretDetails,
    trimming: Trimming,
}

/// # Infisical: write secrets
impl<M> Client<Infisical, M> {
    /// Creates a secret in a folder of an environment, and fails when there is one of that name. Awaiting gives a [`Written`] of a
    /// [`WrittenSecret`].
    ///
    /// [`comment`](Request::comment), [`tag_ids`](Request::tag_ids), [`secret_metadata`](Request::secret_metadata) and the reminder
    /// go with it; [`personal`](Request::personal) makes it a user's own value of a secret that is there, which machine identities
    /// have none of. It is sent again only when it cannot have arrived: a server of 2024 stores a name twice that is created twice
    /// in the same moment. Whatever becomes of it, the project's snapshots leave this client's cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for a name or path that servers refuse, and for a value with white
    /// space around it, unless [`allow_trimming`](Request::allow_trimming) is called; [`Conflict`](crate::ErrorKind::Conflict) when
    /// the secret exists; [`NotFound`](crate::ErrorKind::NotFound) for a folder that is not there: a write makes none;
    /// [`Decode`](crate::ErrorKind::Decode) when the answer does not confirm the write, which then
    /// [may have been applied](XtraError::may_have_been_applied); and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// use xtrasecurity::infisical::write::Written;
    ///
    /// match client.create_secret("dev", "DB_URL", "postgres://…").path("/app").comment("the primary").await? {
    ///     Written::Applied(secret) => println!("{} is in version {:?}", secret.name, secret.version),
    ///     Written::AwaitsApproval(approval) => println!("{:?} must be approved first", approval.slug),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Infisical, CreateSecret, M> {
        let (details, trimming) = (SecretDetails::default(), Trimming::default());
        let operation = CreateSecret { name: name.into(), value: value.into(), details, trimming };
        self.request(InfisicalScope::new(environment), operation)
    }
}

impl Operation for CreateSecret {
    const NAME: &'static str = "create_secret";
    type Source = Infisical;
    type Output = Written<WrittenSecret>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Written<WrittenSecret>, XtraError> {
        let Self { name, value, details, trimming } = self;
        check_new_name(&name)?;
        check_value(&name, &value, trimming)?;
        let (scope, project) = call.folder().await?;
        let _changing = call.changing(&project);
        let value = Some(&value);
        let change = Change { kind: Kind::Create, name: &name, new_name: None, value, details: &details };
        call.source().write_one(&scope, &change).await
    }
}

impl HasDetails for CreateSecret {
    fn details(&mut self) -> &mut SecretDetails {
        &mut self.details
    }
}

impl SendsValue for CreateSecret {
    fn trimming(&mut self) -> &mut Trimming {
        &mut self.trimming
    }
}

impl fmt::Debug for CreateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
