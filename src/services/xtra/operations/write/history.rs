//! The versions of a secret: reading them, and going back to one.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::core::{SecretValue, UnreadableReason, XtraError};
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::writing::{Past, Recorded, Target, UNCHANGED, UNDECRYPTABLE};
use crate::services::xtra::{Xtra, XtraScope};

/// The versions of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The version that reads give now. The service does not record every version: after a rotation it has the values
    /// before it only, so this one may have no entry.
    pub current_version: String,
    /// The recorded versions, the newest first, each once.
    pub entries: Vec<HistoryEntry>,
}

/// One version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// A number, as the service writes it.
    pub version: String,
    /// The value of this version, as far as it can be had.
    pub value: Option<SecretValue>,
    /// Why there is no value.
    pub no_value: Option<NoValue>,
    /// When it was written (ISO 8601). Rotations do not record it.
    pub updated_at: Option<String>,
    /// Who wrote it: an e-mail address, a name, or the id of a user or service account.
    pub updated_by: Option<String>,
    /// What the writer noted.
    pub description: Option<String>,
}

/// Why a version in a [`History`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoValue {
    /// The change was to something else: the value is that of the version before.
    Unchanged,
    /// The service has recorded none.
    NotRecorded,
    /// It did not come through.
    Unreadable(UnreadableReason),
}

/// The operation of a [`Request`] that reads the versions of a secret.
#[derive(Debug)]
pub struct ReadHistory {
    key: String,
}

/// The operation of a [`Request`] that goes back to a version of a secret.
#[derive(Debug)]
pub struct Rollback {
    key: String,
    version: String,
    options: WriteOptions,
}

/// What a rollback has made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RolledBack {
    /// The secret's version now: a new one, with the old value.
    pub version: String,
}

impl<M> Client<Xtra, M> {
    /// The versions of a secret on one branch, with their values. The service gives them to viewers too.
    ///
    /// The environment's case does not matter, as in reads. Nothing is cached. At most three requests are sent, four on `main`: the
    /// service's own history is that of whichever branch has the secret first, so its rows are looked up before. A link has no
    /// history of its own.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Masked`](crate::ErrorKind::Masked) for a viewer, where another branch has the secret first;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name with a `%` that hangs on no branch, which the service does not find;
    /// and those of any call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "API_KEY", "k-1").await?;
    /// client.set_secret("staging", "API_KEY", "k-2").await?;
    ///
    /// let history = client.history("staging", "API_KEY").await?;
    /// assert_eq!(history.current_version, history.entries[0].version);
    /// assert_eq!(history.entries[1].value.as_ref().map(|value| value.expose()), Some("k-1"));
    ///
    /// client.rollback("staging", "API_KEY", &history.entries[1].version).await?;
    /// assert_eq!(client.get_secrets("staging").await?.require("API_KEY")?.expose(), "k-1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn history<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, ReadHistory, M> {
        self.request(XtraScope::new(environment), ReadHistory { key: key.into() })
    }

    /// Gives a secret of one branch the value that it had at `version`. This makes a new version, whose number is returned.
    ///
    /// Four requests are sent: the row is looked up first, so that no other branch's is changed, and the environment is read
    /// back. On `main` there are five, because what hangs on no branch is read there too. [`unconfirmed`](Request::unconfirmed)
    /// leaves the one that reads back out. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when the secret is on that version already, is a link, or is there in another
    /// spelling of the environment too (see [`exact`](Request::exact)); [`NotFound`](crate::ErrorKind::NotFound) when there is
    /// no such branch, secret or version: the message names those that there are. [`Forbidden`](crate::ErrorKind::Forbidden)
    /// for viewers everywhere, and for developers and service accounts in production;
    /// [`Conflict`](crate::ErrorKind::Conflict) when what is read afterwards is something else: then
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, and the rollback is *not confirmed*;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call. When
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, the secret's version tells whether it was.
    ///
    /// For an example, see [`history`](Self::history).
    pub fn rollback<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        version: impl ToString,
    ) -> Request<'a, Xtra, Rollback, M> {
        self.request(
            XtraScope::new(environment),
            Rollback { key: key.into(), version: version.to_string(), options: WriteOptions::default() },
        )
    }
}

impl Operation for ReadHistory {
    const NAME: &'static str = "history";
    type Source = Xtra;
    type Output = History;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<History, XtraError> {
        let place = call.place().await?;
        // reads do not tell spellings apart
        let target = Target { place: &place, key: &self.key, exact: true };
        let Past { current, entries } = call.source().past(target).await?;
        let read = |text| call.source().read_text(&place.project, text);
        let entries = entries.into_iter().map(|entry| HistoryEntry::of(entry, read)).collect();
        Ok(History { current_version: current, entries: sorted(entries) })
    }
}

impl Operation for Rollback {
    const NAME: &'static str = "rollback";
    type Source = Xtra;
    type Output = RolledBack;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<RolledBack, XtraError> {
        let place = call.place().await?;
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key: &self.key, exact: self.options.is_exact() };
        Ok(RolledBack { version: call.source().roll_back(target, &self.version, self.options.reads_back()).await? })
    }
}

writes!(Rollback);

impl ReadsBack for Rollback {}

impl HistoryEntry {
    fn of(entry: Recorded, read: impl Fn(SecretValue) -> Result<SecretValue, UnreadableReason>) -> Self {
        let (value, no_value) = match entry.value {
            None => (None, Some(NoValue::NotRecorded)),
            Some(text) if text == UNCHANGED => (None, Some(NoValue::Unchanged)),
            Some(text) if text == UNDECRYPTABLE => {
                (None, Some(NoValue::Unreadable(UnreadableReason::ServerCiphertext)))
            }
            Some(text) => match read(text) {
                Ok(value) => (Some(value), None),
                Err(reason) => (None, Some(NoValue::Unreadable(reason))),
            },
        };
        let Recorded { version, updated_at, updated_by, description, .. } = entry;
        Self { version, value, no_value, updated_at, updated_by, description }
    }
}

/// The newest first, and each version once: the service records them in different orders, and a rotation records the old
/// value again under its version. What has a value counts, then what was recorded first.
fn sorted(mut entries: Vec<HistoryEntry>) -> Vec<HistoryEntry> {
    entries.sort_by_key(|entry| entry.value.is_none());
    // what is no number comes last
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.version.parse::<u64>().ok()));
    let mut told = BTreeSet::new();
    entries.retain(|entry| told.insert(entry.version.clone()));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: &str, value: Option<&str>) -> HistoryEntry {
        let recorded = Recorded {
            version: version.to_owned(),
            value: value.map(SecretValue::from),
            updated_at: None,
            updated_by: None,
            description: None,
        };
        HistoryEntry::of(recorded, Ok)
    }

    #[test]
    fn versions_are_sorted_as_numbers_and_each_is_told_once() {
        let entries =
            vec![entry("2", Some("b")), entry("10", Some("j")), entry("1", Some("a")), entry("2", Some("late"))];
        let sorted = sorted(entries);
        let shown = sorted.iter().map(|entry| (entry.version.as_str(), entry.value.as_ref().unwrap().expose()));
        assert_eq!(shown.collect::<Vec<_>>(), [("10", "j"), ("2", "b"), ("1", "a")]);
    }

    #[test]
    fn of_two_entries_of_a_version_the_one_with_a_value_counts() {
        let sorted =
            sorted(vec![entry("NaN", None), entry("3", Some(UNCHANGED)), entry("3", Some("c")), entry("4", None)]);
        let versions: Vec<_> = sorted.iter().map(|entry| entry.version.as_str()).collect();
        assert_eq!(versions, ["4", "3", "NaN"]);
        assert_eq!(sorted[1].value.as_ref().map(SecretValue::expose), Some("c"));
    }

    #[test]
    fn the_service_s_words_in_place_of_a_value_are_no_values() {
        let reason = |value| entry("1", value).no_value;
        assert_eq!(reason(None), Some(NoValue::NotRecorded));
        assert_eq!(reason(Some(UNCHANGED)), Some(NoValue::Unchanged));
        assert_eq!(reason(Some(UNDECRYPTABLE)), Some(NoValue::Unreadable(UnreadableReason::ServerCiphertext)));
        assert_eq!(reason(Some("value")), None);
    }
}
