//! Whose token it is.

use crate::core::XtraError;
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::Caller;
use crate::services::xtra::{Xtra, XtraScope};

/// Asks whose token the client has; made by [`XtraClient::whoami`](crate::XtraClient::whoami).
#[derive(Debug)]
#[non_exhaustive]
pub struct WhoAmI;

impl Operation for WhoAmI {
    const NAME: &'static str = "whoami";
    type Source = Xtra;
    type Output = Caller;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Caller, XtraError> {
        call.source().caller().await
    }
}

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
    /// use xtrasecurity::manage::Caller;
    ///
    /// match client.whoami().await? {
    ///     Caller::User { email, .. } => println!("a user: {email:?}"),
    ///     Caller::ServiceAccount { name, project, .. } => println!("{name:?}, of the project {project:?}"),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn whoami(&self) -> Request<'_, Xtra, WhoAmI, M> {
        self.request(XtraScope::default(), WhoAmI)
    }
}
