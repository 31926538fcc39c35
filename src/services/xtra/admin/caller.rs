//! Whose token it is.

use super::convert;
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::source::Xtra;

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
        project: Option<String>,
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

impl Xtra {
    pub(crate) async fn caller(&self) -> Result<Caller, XtraError> {
        let no_user = match self.raw().users_me().send().await.map_err(from_raw) {
            Ok(user) => return Ok(convert::user(user.into_inner())),
            // the token is good, and no user's
            Err(error) if error.status() == Some(404) && !error.is_foreign_refusal() => error,
            Err(error) => return Err(error),
        };
        match self.raw().service_accounts_resolve().send().await.map_err(from_raw) {
            Ok(account) => convert::service_account_caller(account.into_inner()),
            // the service answers so to a token of a user, and that user is gone
            Err(error) if error.kind() == ErrorKind::Unauthorized => Err(no_user),
            Err(error) => Err(error),
        }
    }
}
