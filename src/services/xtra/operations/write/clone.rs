//! Copying an environment, by the service.

use std::borrow::Cow;

use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::writing::{Cloning, Copies};
use crate::services::xtra::{Place, Xtra, XtraScope, shown_name};

/// The operation of a [`Request`] that clones an environment.
#[derive(Debug)]
pub struct CloneEnvironment {
    from: String,
    overwrite: bool,
    options: WriteOptions,
}

/// What became of the secrets of an environment that was cloned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cloned {
    /// How many the target did not have.
    pub copied: u64,
    /// How many it had, and has with the source's value now.
    pub updated: u64,
    /// How many it had, and keeps as they were.
    pub skipped: u64,
    /// The secrets of the source that the target has not got, or that were to be cloned and are read there with another value,
    /// in order. The service does not clone what hangs on no branch, and of several rows of a name it takes the first, where
    /// reads give the last ([`repair_secret`](crate::XtraClient::repair_secret) leaves one); somebody may also have written
    /// meanwhile. Whatever is here is not confirmed.
    pub left_out: Vec<String>,
}

impl<M> Client<Xtra, M> {
    /// Copies the secrets of the environment `from` to the environment `to` of the same branch. Secrets that `to` has stay
    /// as they are, unless [`overwrite(true)`](Request::overwrite) is said.
    ///
    /// This is the service's own operation, which only the user who created the project may use; `promote` does it for
    /// everybody who may write, across branches too, and copies links by their value. Four requests are sent, or five: both
    /// environments are looked at. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, when the two are the same, or a name has capitals, which the
    /// service turns into small letters (see [`exact`](Request::exact)); also when the target is spelled otherwise in the
    /// project; [`EmptyScope`](crate::ErrorKind::EmptyScope) when the source has no secrets;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it has links, which would lose their values, or the target has links of the
    /// same names, which would be hidden;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when the token is not that of the project's creator;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when the target is production and that is protected; and those of any
    /// call. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, compare the two environments.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secrets("blue", [("HOST", "db"), ("PORT", "5432")]).await?;
    /// client.set_secret("green", "PORT", "5433").await?;
    /// let cloned = client.clone_env("blue", "green").await?;
    /// assert_eq!((cloned.copied, cloned.skipped), (1, 1));
    /// assert_eq!(client.get_secrets("green").await?.require("PORT")?.expose(), "5433");
    /// # Ok(())
    /// # }
    /// ```
    pub fn clone_env<'a>(
        &'a self,
        from: impl Into<String>,
        to: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, CloneEnvironment, M> {
        self.request(
            XtraScope::new(to),
            CloneEnvironment { from: from.into(), overwrite: false, options: WriteOptions::default() },
        )
    }
}

impl<M> Request<'_, Xtra, CloneEnvironment, M> {
    /// Whether secrets that the target has get the source's value. Default: they do not.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.operation.overwrite = overwrite;
        self
    }
}

impl Operation for CloneEnvironment {
    const NAME: &'static str = "clone_env";
    type Source = Xtra;
    type Output = Cloned;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Cloned, XtraError> {
        let to = call.place().await?;
        let from = to.in_environment(&self.from)?;
        check(&from, &to, self.options.is_exact())?;
        call.confirm(self.options, &to.environment)?;
        let _changing = call.changing_in(&to);
        let cloning = Cloning { from: &from, to: &to, overwrite: self.overwrite, exact: self.options.is_exact() };
        let Copies { copied, updated, skipped, left_out } = call.source().clone_environment(cloning).await?;
        Ok(Cloned { copied, updated, skipped, left_out })
    }
}

writes!(CloneEnvironment);

fn check(from: &Place, to: &Place, exact: bool) -> Result<(), XtraError> {
    let lower = [from, to].map(|place| place.environment.to_lowercase());
    if lower[0] == lower[1] {
        let message = format!("nothing was cloned: {} is both the source and the target", shown_name(&to.environment));
        return Err(XtraError::new(ErrorKind::Invalid, message));
    }
    for (place, lower) in [from, to].into_iter().zip(lower) {
        if place.environment != lower && !exact {
            let message = format!(
                "nothing was cloned: the service would take {} for {}. Spell it in small letters, or say exact() if that is \
                 meant",
                shown_name(&place.environment),
                shown_name(&lower)
            );
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
    }
    Ok(())
}
