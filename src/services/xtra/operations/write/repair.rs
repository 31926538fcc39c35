//! One row for a secret that has several.

use std::borrow::Cow;

use crate::core::XtraError;
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::writing::{Mended, Repairing, Shown, Target};
use crate::services::xtra::{Xtra, XtraScope};

/// The operation of a [`Request`] that leaves one row of a secret.
#[derive(Debug)]
pub struct RepairSecret {
    key: String,
    keep: Option<String>,
    dry_run: bool,
    options: WriteOptions,
}

/// A row that the service keeps of a secret: everything but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretRow {
    /// The service's id of the row, as [`keep`](Request::keep) takes it.
    pub id: String,
    /// The row's version, a number in text. Empty where the service tells it of the row that is read only, because the values
    /// that it would tell with it are larger than what is read of an answer.
    pub version: String,
    /// Whether it is what reads return.
    pub is_read: bool,
    /// Whether it hangs on a branch. A row of `main` may hang on none.
    pub has_branch: bool,
    /// Whether it is a link, whose value is that of another secret.
    pub is_link: bool,
    /// When it was last written (ISO 8601), where the service tells.
    pub updated_at: Option<String>,
    /// Who wrote it last: an e-mail address, a name, or the id of a user or service account.
    pub updated_by: Option<String>,
}

/// What a repair has found and done, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// The rows that there were, in the order of their creation. Usually it is one, and there is nothing to repair.
    pub rows: Vec<SecretRow>,
    /// The id of the row that stays, and that reads return after the repair.
    pub kept: String,
    /// The ids of the rows that were deleted. Nothing for a [dry run](Request::dry_run).
    pub removed: Vec<String>,
}

impl<M> Client<Xtra, M> {
    /// Leaves one row of a secret that the service has several rows of, and deletes the others for good, with their histories.
    ///
    /// The service may hold several rows of one name in one place: its own dashboard makes them, and so do two first writes in
    /// the same moment. It then changes the first on a write, and lets reads return the last, so that what is written is never
    /// read. The row that reads return stays, unless [`keep`](Request::keep) names another. A [dry run](Request::dry_run)
    /// shows the rows and deletes none.
    ///
    /// The rows are looked up, the others deleted one by one, and the rows are looked up again: nothing but the one row must be
    /// there, and reads must return it. Two requests are sent on a branch and three on `main` (four for a service account) to
    /// show the rows; a repair sends as many again, and one for each row that goes. The client's snapshots of the project leave
    /// the cache.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing deleted, when the row to keep is none of them, or reads return none
    /// of them and none is named, or the secret is there in another spelling of the environment too (see
    /// [`exact`](Request::exact)); [`Forbidden`](crate::ErrorKind::Forbidden) when the token may not delete, or what is read is
    /// shown to users only; [`Conflict`](crate::ErrorKind::Conflict) when the rows changed meanwhile;
    /// [`Incomplete`](crate::ErrorKind::Incomplete) when rows are left, which the message names by id, or another one is read;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::{DevServer, SecretSeed}};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// use xtrasecurity::write::Written;
    ///
    /// client.set_secret("staging", "PORT", "1").await?;
    /// server.add_secret("demo", SecretSeed::new("staging", "PORT", "2"))?; // a second row, as the dashboard makes it
    /// assert_eq!(client.set_secret("staging", "PORT", "3").await?, Written::Unconfirmed);
    ///
    /// let plan = client.repair_secret("staging", "PORT").dry_run().await?;
    /// assert_eq!(plan.rows.len(), 2);
    /// client.repair_secret("staging", "PORT").await?; // the row that is read stays
    /// assert_eq!(client.set_secret("staging", "PORT", "3").await?, Written::Updated);
    /// # Ok(())
    /// # }
    /// ```
    pub fn repair_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, RepairSecret, M> {
        let operation = RepairSecret { key: key.into(), keep: None, dry_run: false, options: WriteOptions::default() };
        self.request(XtraScope::new(environment), operation)
    }
}

impl<M> Request<'_, Xtra, RepairSecret, M> {
    /// The id of the row that stays, in place of the one that reads return.
    pub fn keep(mut self, row: impl Into<String>) -> Self {
        self.operation.keep = Some(row.into());
        self
    }

    /// Shows the rows, and which of them would stay, but deletes none.
    pub fn dry_run(mut self) -> Self {
        self.operation.dry_run = true;
        self
    }
}

impl Operation for RepairSecret {
    const NAME: &'static str = "repair_secret";
    type Source = Xtra;
    type Output = Repaired;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Repaired, XtraError> {
        let Self { key, keep, dry_run, options } = self;
        let place = call.place().await?;
        if !dry_run {
            call.confirm(options, &place.environment)?;
        }
        // secrets of any environment may be links to a row, and go with it
        let _changing = (!dry_run).then(|| call.changing(&place.project));
        let target = Target { place: &place, key: &key, exact: options.is_exact() };
        let Mended { rows, kept, removed } =
            call.source().repair(Repairing { target, keep: keep.as_deref(), dry_run }).await?;
        Ok(Repaired { rows: rows.into_iter().map(SecretRow::from).collect(), kept, removed })
    }
}

writes!(RepairSecret);

impl From<Shown> for SecretRow {
    fn from(row: Shown) -> Self {
        let Shown { id, version, linked, has_branch, updated_at, updated_by, is_read } = row;
        Self { id, version, is_read, has_branch, is_link: linked, updated_at, updated_by }
    }
}
