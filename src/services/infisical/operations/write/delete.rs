//! The deletion of a secret.

use std::borrow::Cow;

use super::details::SecretDetails;
use super::send::{Change, Kind};
use super::{Written, WrittenSecret, check_name};
use crate::core::XtraError;
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that deletes a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteSecret {
    name: String,
}

/// # Infisical: delete secrets
impl<M> Client<Infisical, M> {
    /// Deletes a secret, and with a shared one the personal values of it. Awaiting gives a [`Written`] of the [`WrittenSecret`] that
    /// was there. Where a server of 2024 has stored the name twice, both are gone.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such secret; [`Decode`](crate::ErrorKind::Decode) when the answer
    /// does not confirm the deletion; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// assert!(client.delete_secret("dev", "DB_URL").path("/app").await?.is_applied());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Infisical, DeleteSecret, M> {
        self.request(InfisicalScope::new(environment), DeleteSecret { name: name.into() })
    }
}

impl Operation for DeleteSecret {
    const NAME: &'static str = "delete_secret";
    type Source = Infisical;
    type Output = Written<WrittenSecret>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Written<WrittenSecret>, XtraError> {
        check_name(&self.name)?;
        let (scope, project) = call.folder().await?;
        let _changing = call.changing(&project);
        let details = SecretDetails::default();
        let change = Change { kind: Kind::Delete, name: &self.name, new_name: None, value: None, details: &details };
        call.source().write_one(&scope, &change).await
    }
}
