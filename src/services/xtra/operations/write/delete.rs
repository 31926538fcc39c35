//! Deleting a secret.

use std::borrow::Cow;

use crate::core::XtraError;
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::writing::{Absence, Target};
use crate::services::xtra::{Xtra, XtraScope};

/// The operation of a [`Request`] that deletes a secret.
#[derive(Debug)]
pub struct DeleteSecret {
    key: String,
    absence: Absence,
    options: WriteOptions,
}

/// What became of a secret that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// How many rows of the secret the service had: usually 1, and 0 when there was none. It may have several, as its own
    /// ways to create secrets do not look for one that is there.
    pub rows: usize,
}

impl<M> Client<Xtra, M> {
    /// Deletes a secret of an environment on one branch, for good: its history goes with it. Secrets of the same name on other
    /// branches stay.
    ///
    /// All rows that the service keeps of the secret in that place are deleted, and the environment is read back: what is still
    /// there is an error, which names the rows by id where it can. On `main` the rows that hang on no branch are meant too, such
    /// as links and what a deleted branch has left behind. Three requests are sent, up to four on `main`, up to six for what
    /// hangs on no branch, and one more for each further row. [`unconfirmed`](Request::unconfirmed) leaves the read-back out,
    /// except on `main`, where it tells whether there are other rows. The branches are asked for first, which the service
    /// answers with all values of the project: with many secrets this takes its time, and where it is more than is read of an
    /// answer, the project is asked for the rows instead.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, and, unless
    /// [`if_exists`](Request::if_exists) is said, no such secret: the message names the other branches that have it.
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing deleted, when the secret is there in another spelling of the
    /// environment too (see [`exact`](Request::exact)). [`Forbidden`](crate::ErrorKind::Forbidden) when the token may not
    /// delete; a service account needs `write:secrets`. [`Incomplete`](crate::ErrorKind::Incomplete) when the secret is still
    /// read afterwards: the message says why, and what is left. [`Conflict`](crate::ErrorKind::Conflict) when nothing was there to delete, and it is
    /// read, because somebody has written it meanwhile. [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and
    /// those of any call. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, call again with
    /// `if_exists()`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "OLD_KEY", "k-1").await?;
    /// assert_eq!(client.delete_secret("staging", "OLD_KEY").await?.rows, 1);
    /// assert_eq!(client.delete_secret("staging", "OLD_KEY").if_exists().await?.rows, 0);
    /// assert!(client.get_secrets("staging").await?.get("OLD_KEY").is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, DeleteSecret, M> {
        let operation = DeleteSecret { key: key.into(), absence: Absence::default(), options: WriteOptions::default() };
        self.request(XtraScope::new(environment), operation)
    }
}

impl<M> Request<'_, Xtra, DeleteSecret, M> {
    /// Succeeds when there is no such secret: [`Deleted::rows`] is 0 then. An unknown branch is an error all the same.
    pub fn if_exists(mut self) -> Self {
        self.operation.absence = Absence::Accepted;
        self
    }
}

impl Operation for DeleteSecret {
    const NAME: &'static str = "delete_secret";
    type Source = Xtra;
    type Output = Deleted;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Deleted, XtraError> {
        let place = call.place().await?;
        call.confirm(self.options, &place.environment)?;
        // secrets of any environment may be links to it, and go with it
        let _changing = call.changing(&place.project);
        let target = Target { place: &place, key: &self.key, exact: self.options.is_exact() };
        Ok(Deleted { rows: call.source().delete(target, self.absence, self.options.reads_back()).await? })
    }
}

writes!(DeleteSecret);

impl ReadsBack for DeleteSecret {}
