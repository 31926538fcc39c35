//! Deleting a secret.

use std::borrow::Cow;

use super::names::named;
use super::stored_rows::{FirstRow, Row, Target};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
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

/// # Delete a secret
impl<M> Client<Xtra, M> {
    /// Deletes a secret of an environment on one branch, for good: its history goes with it. Secrets of the same name on other
    /// branches stay.
    ///
    /// All rows that the service keeps of the secret in that place are deleted, and the environment is read back: what is still
    /// there is an error, which names the rows by id where it can. On `main` the rows that hang on no branch are meant too, such
    /// as links and what a deleted branch has left behind. Three requests are sent, up to four on `main`, up to six for what
    /// hangs on no branch, and one more for each further row. [`skip_read_back`](Request::skip_read_back) leaves the read-back out,
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
        name: impl Into<String>,
    ) -> Request<'a, Xtra, DeleteSecret, M> {
        let operation =
            DeleteSecret { key: name.into(), absence: Absence::default(), options: WriteOptions::default() };
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

/// How many rows without a branch are looked for one by one.
const MOST: usize = 32;

/// What a secret that is not there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Absence {
    #[default]
    Refused,
    Accepted,
}

/// Whether every row that hangs on no branch was found.
#[derive(PartialEq, Eq)]
enum Found {
    All,
    NotAll,
}

impl Xtra {
    /// Deletes the rows of a secret, and gives how many there were. On `main` it reads back in any case, as that tells of rows
    /// that hang on no branch.
    async fn delete(&self, target: Target<'_>, absence: Absence, reads_back: bool) -> Result<usize, XtraError> {
        let rows = self.stored_rows(target).await?;
        if rows.here.is_empty() && absence == Absence::Refused && !target.exact && !rows.spellings.is_empty() {
            return Err(rows.absent(target));
        }
        rows.check_spelling(target)?;
        let mut deleted = self.delete_rows(target, &rows.here, 0).await?;
        if target.place.is_on_main() {
            deleted += self.delete_loose(target, deleted).await?;
        } else if deleted > 0 && reads_back {
            self.check_gone(target, deleted).await?;
        }
        match deleted {
            0 if absence == Absence::Refused => Err(rows.absent(target)),
            deleted => Ok(deleted),
        }
    }

    /// Deletes these one after the other, where `before` are deleted already. The error names those that are left.
    pub(super) async fn delete_rows(
        &self,
        target: Target<'_>,
        rows: &[Row],
        before: usize,
    ) -> Result<usize, XtraError> {
        let mut deleted = 0;
        let mut left = rows;
        while let [row, later @ ..] = left {
            let gone = self.delete_row(target, row).await;
            deleted += gone.map_err(|error| left_over(error, target, before + deleted, left))?;
            left = later;
        }
        Ok(deleted)
    }

    /// Fails when a read of another branch than `main` still shows the key.
    async fn check_gone(&self, target: Target<'_>, deleted: usize) -> Result<(), XtraError> {
        if !self.is_read(target, deleted).await? {
            return Ok(());
        }
        let rows = self.stored_rows(target).await.map_err(|error| unfinished(error, target, deleted))?;
        // what is read is another spelling of the environment, or is gone by now
        if rows.here.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} was deleted ({deleted} rows), and is still read: somebody has written it meanwhile{}. Delete it again if that is \
             meant",
            target.shown(),
            told(&rows.here)
        );
        Err(XtraError::new(ErrorKind::Incomplete, message).with_names([target.key]).with_unknown_outcome())
    }

    /// Gives how many rows this has deleted: none when somebody else was faster.
    async fn delete_row(&self, target: Target<'_>, row: &Row) -> Result<usize, XtraError> {
        match self.raw().secret_records_delete().id(&row.id).send().await.map_err(from_raw) {
            Ok(_) => Ok(1),
            Err(error) if error.status() == Some(404) && !error.is_foreign_refusal() => Ok(0),
            Err(error) => Err(error.if_in_doubt(|error| {
                error
                    .with_note(format!("It was to delete {}", target.shown()))
                    .with_hint(Hint::advice("Read the environment and look for it"))
            })),
        }
    }

    /// The rows that hang on no branch are secrets of `main` too. One that was hidden shows when those over it are gone.
    async fn delete_loose(&self, target: Target<'_>, before: usize) -> Result<usize, XtraError> {
        let is_hidden = !self.is_read(target, before).await?;
        if is_hidden && before > 0 && !self.is_first(target, before).await? {
            return Ok(0);
        }
        // one that no read shows is a link to nothing
        let (deleted, found) = self.delete_loose_rows(target, before).await?;
        let may_remain = target.exact && found == Found::All;
        if is_hidden || may_remain || !self.is_read(target, before + deleted).await? {
            return Ok(deleted);
        }
        let spelled = match found {
            Found::All => self.listed_rows(target).await.ok().flatten().unwrap_or_default(),
            Found::NotAll => Vec::new(),
        };
        let spellings: Vec<_> = spelled.into_iter().map(|row| row.environment).collect();
        Err(remains(target, before + deleted, &found, &spellings))
    }

    async fn delete_loose_rows(&self, target: Target<'_>, before: usize) -> Result<(usize, Found), XtraError> {
        let mut deleted = 0;
        for _ in 0..MOST {
            let row = match self.first_row(target).await.map_err(|error| unfinished(error, target, before + deleted))? {
                FirstRow::Nothing => return Ok((deleted, Found::All)),
                FirstRow::Row(row) if row.branch.is_none() => row,
                // a row of another branch stands before those that are looked for
                FirstRow::Row(_) | FirstRow::Unknown => break,
            };
            let gone = self.delete_row(target, &row).await;
            deleted += gone.map_err(|error| unfinished(error, target, before + deleted))?;
        }
        let listed = self.listed_rows(target).await.map_err(|error| unfinished(error, target, before + deleted))?;
        let Some(listed) = listed else { return Ok((deleted, Found::NotAll)) };
        let listed: Vec<_> = listed.into_iter().filter(|row| row.environment == target.place.environment).collect();
        deleted += self.delete_rows(target, &listed, before + deleted).await?;
        Ok((deleted, Found::All))
    }

    /// Whether a row that hangs on no branch is the first of all: a read that is narrowed to other secrets does not show it.
    async fn is_first(&self, target: Target<'_>, deleted: usize) -> Result<bool, XtraError> {
        let first = self.first_row(target).await.map_err(|error| unfinished(error, target, deleted))?;
        Ok(matches!(first, FirstRow::Row(row) if row.branch.is_none()))
    }

    /// Whether a read of the place shows the key.
    async fn is_read(&self, target: Target<'_>, deleted: usize) -> Result<bool, XtraError> {
        let look = self.current_state(target.place).await.map_err(|error| unfinished(error, target, deleted))?;
        Ok(look.get(target.key).is_some())
    }
}

/// The ids of rows, for a message.
pub(super) fn told(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let rows = if ids.len() == 1 { "1 row".to_owned() } else { format!("{} rows", ids.len()) };
    format!(" ({rows} by id: {})", named(&ids))
}

/// What an error says when rows are left.
fn left_over(error: XtraError, target: Target<'_>, deleted: usize, left: &[Row]) -> XtraError {
    if deleted == 0 {
        return error.with_names([target.key]);
    }
    unfinished(error.with_note(format!("Not known to be deleted{}", told(left))), target, deleted)
}

/// What an error says when something was deleted before it.
fn unfinished(error: XtraError, target: Target<'_>, deleted: usize) -> XtraError {
    if deleted == 0 {
        return error.with_names([target.key]);
    }
    let told = format!("{deleted} of its rows are deleted; whether the secret is gone is not known");
    error.with_note(told).with_hint(Hint::DeleteIfExists).with_names([target.key]).with_unknown_outcome()
}

fn remains(target: Target<'_>, deleted: usize, found: &Found, spellings: &[String]) -> XtraError {
    let what = target.shown();
    let done = match deleted {
        0 => format!("{what} was not deleted: it is read"),
        rows => format!("{what} was deleted ({rows} rows), and is still read"),
    };
    let (kind, why) = match (found, spellings.is_empty()) {
        (Found::NotAll, _) => (
            ErrorKind::Forbidden,
            "from a row that hangs on no branch, which the service shows to users only. Delete it with a user's token"
                .to_owned(),
        ),
        (Found::All, false) => (
            ErrorKind::Invalid,
            format!(
                "from another spelling of the environment, which differs in upper and lower case only: {}. Delete it there",
                named(spellings)
            ),
        ),
        (Found::All, true) => (
            ErrorKind::Conflict,
            "because somebody has written it meanwhile, or it is stored in another spelling of the environment"
                .to_owned(),
        ),
    };
    let error = |kind| XtraError::new(kind, format!("{done} {why}")).with_names([target.key]);
    if deleted > 0 { error(ErrorKind::Incomplete).with_unknown_outcome() } else { error(kind) }
}
