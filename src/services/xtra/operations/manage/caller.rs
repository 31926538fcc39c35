//! The owner of a client's token: a user, or a service account.

use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::types;
use crate::services::xtra::{Xtra, XtraScope};

/// # Who the token is
impl<M> Client<Xtra, M> {
    /// Tells whose token the client has: a user's or a service account's. The simplest way to find out whether a token is
    /// good.
    ///
    /// A service account's answer takes two requests: the service knows users and accounts in different places.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized) for a token that is wrong, expired or revoked;
    /// [`NotFound`](crate::ErrorKind::NotFound) when what it belonged to is gone.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// use xtrasecurity::xtra::manage::Caller;
    ///
    /// match client.whoami().await? {
    ///     Caller::User { email, .. } => println!("a user: {email:?}"),
    ///     Caller::ServiceAccount { name, project_id, .. } => println!("{name:?}, of the project {project_id:?}"),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn whoami(&self) -> Request<'_, Xtra, WhoAmI, M> {
        self.request(XtraScope::default(), WhoAmI)
    }
}

/// Tells whose token a client has; made by [`XtraClient::whoami`](crate::XtraClient::whoami).
#[derive(Debug)]
#[non_exhaustive]
pub struct WhoAmI;

impl Operation for WhoAmI {
    const NAME: &'static str = "whoami";
    type Source = Xtra;
    type Output = Caller;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Caller, XtraError> {
        let raw = call.source().raw();
        let no_user = match raw.users_me().send().await.map_err(from_raw) {
            Ok(user) => return Ok(user.into_inner().into()),
            // the token is good, and no user's
            Err(error) if error.status() == Some(404) && !error.is_foreign_refusal() => error,
            Err(error) => return Err(error),
        };
        match raw.service_accounts_resolve().send().await.map_err(from_raw) {
            Ok(account) => account.into_inner().try_into(),
            // the service answers so to a token of a user, and that user is gone
            Err(error) if error.kind() == ErrorKind::Unauthorized => Err(no_user),
            Err(error) => Err(error),
        }
    }
}

/// Whose token a client has; see [`XtraClient::whoami`](crate::XtraClient::whoami).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// A person.
    #[non_exhaustive]
    User {
        /// The user's id.
        id: String,
        /// The name shown, when there is one.
        name: Option<String>,
        /// The address the user is known by.
        email: Option<String>,
        /// The role in the installation, `user` or `admin`; the roles in projects are another matter.
        role: Option<String>,
        /// The plan: `free`, `pro` or `enterprise`.
        tier: Option<String>,
    },
    /// A service account.
    #[non_exhaustive]
    ServiceAccount {
        /// The account's id.
        id: String,
        /// The account's name.
        name: Option<String>,
        /// What it may do, such as `read:secrets`. The service does not hold reads to it.
        permissions: Vec<String>,
        /// The id of the one project that it belongs to.
        project_id: Option<String>,
    },
}

impl Caller {
    /// The id of the user or of the service account.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User { id, .. } | Self::ServiceAccount { id, .. } => id,
        }
    }

    /// Whether the token is a service account's.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        matches!(self, Self::ServiceAccount { .. })
    }
}

impl From<types::User> for Caller {
    fn from(user: types::User) -> Self {
        Self::User { id: user.id, name: user.name, email: user.email, role: user.role, tier: user.tier }
    }
}

impl TryFrom<types::ServiceAccountIdentity> for Caller {
    type Error = XtraError;

    fn try_from(answer: types::ServiceAccountIdentity) -> Result<Self, XtraError> {
        let project_id = answer.project.and_then(|project| project.id);
        let account = answer.service_account.and_then(|account| Some((account.id?, account.name, account.permissions)));
        let Some((id, name, permissions)) = account else {
            let message = "the answer does not say whose token it is. Check the base URL";
            return Err(XtraError::new(ErrorKind::Decode, message));
        };
        Ok(Self::ServiceAccount { id, name, permissions: permissions.unwrap_or_default(), project_id })
    }
}
