//! The account of the token.

use crate::core::XtraError;
use crate::engine::{Call, Client, Operation, Request};
use crate::services::secr::{Secr, SecrScope, raw};

/// Whose token it is, as far as the service tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The id of the user.
    pub id: Option<String>,
    /// The address of the user.
    pub email: Option<String>,
}

/// The operation of a [`Request`] that asks whose token it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct Whoami;

/// # secr: the account
impl<M> Client<Secr, M> {
    /// Asks whose token it is: a check of the credentials that reads no secret. Awaiting gives an [`Account`].
    ///
    /// The route is documented and its answer is not: the account's fields are inferred, and absent where the service has others.
    /// That the call succeeds is what tells that the token is accepted.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized) for a token that the service does not accept; and those of any call.
    pub fn whoami(&self) -> Request<'_, Secr, Whoami, M> {
        self.request(SecrScope::new("", "", ""), Whoami)
    }
}

impl Operation for Whoami {
    const NAME: &'static str = "whoami";
    type Source = Secr;
    type Output = Account;

    async fn perform(self, call: Call<'_, Secr>) -> Result<Account, XtraError> {
        const ASSUMED: &str = "Assumed, and not documented: the answer is an object, in which `id` and `email`, if they are there, are texts, \
                               and so in its `user`";
        let request = call.source().raw.auth_me();
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let (id, email) = answer.user.map_or((None, None), |user| (user.id, user.email));
        Ok(Account { id: answer.id.or(id), email: answer.email.or(email) })
    }
}
