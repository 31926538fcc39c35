//! Setting secrets: one or many, on conditions or without.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use outcome::SetOutcome;

use super::current_state::{CurrentState, Existing};
use super::names::{NameProblem, Naming, check_pairs, named, problems};
use super::read_back::{refuse_unconfirmed, unconfirmed};
use super::upsert::{Batch, Expected, Sealing, conflict, conflicts, known_versions};
use crate::core::{Conflict, ErrorKind, Hint, SecretValue, Secrets, XtraError, events};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, Writes};
use crate::services::xtra::{Place, Xtra, XtraScope, shown_name};

/// The operation of a [`Request`] that sets secrets, and gives an `R`.
pub struct Set<'a, R> {
    pairs: Vec<(String, SecretValue)>,
    expected: Expected,
    snapshot: Option<&'a Secrets>,
    naming: Naming,
    steps: Steps,
    options: WriteOptions,
    on_progress: Option<Box<dyn FnMut(Progress) + Send + 'a>>,
    gives: PhantomData<fn() -> R>,
}

/// What is done, beside writing.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    skip_unchanged: bool,
    dry_run: bool,
    verify: bool,
    seal: bool,
}

/// The operation of a [`Request`] that sets one secret.
pub type SetSecret<'a> = Set<'a, Written>;

/// The operation of a [`Request`] that sets many secrets.
pub type SetSecrets<'a> = Set<'a, WriteReport>;

impl<R> Set<'_, R> {
    fn new(pairs: Vec<(String, SecretValue)>) -> Self {
        Self {
            pairs,
            expected: Expected::new(),
            snapshot: None,
            naming: Naming::default(),
            steps: Steps::default(),
            options: WriteOptions::default(),
            on_progress: None,
            gives: PhantomData,
        }
    }
}

/// # Change secrets
impl<M> Client<Xtra, M> {
    /// Sets a secret, whether it exists or not. Awaiting the request tells whether it was [created](Written::Created).
    ///
    /// Three requests are sent: the environment is read, to tell what is there; the secret is written, on the client's
    /// default branch (`main`) or the one that [`branch`](Request::branch) names; and the environment is read again. The branch
    /// must exist. Until this client knows that the environment's name is spelled as the project spells it, one or two more ask
    /// for that. The write is repeated only when it cannot have arrived. The client's snapshots of the project leave the cache.
    ///
    /// The read after the write is there because the service may hold several rows of one name, such as two first writes in the
    /// same moment leave: it changes the first of them, and lets reads return the last. A value that the read does not give is
    /// [`Written::Unconfirmed`], and no success: with [`verify`](Request::verify) it is an error.
    /// [`skip_read_back`](Request::skip_read_back) leaves the read out, and [`repair_secret`](Self::repair_secret) the rows.
    ///
    /// A value that takes the place of one that is sealed is sealed too; without a passphrase that is an error of kind
    /// [`Config`](crate::ErrorKind::Config), and nothing is written. [`seal`](Request::seal) and
    /// [`seal_writes`](crate::XtraClientBuilder::seal_writes) seal others as well. To set a link does not change what it leads
    /// to: the place gets a secret of its own, which hides the link.
    ///
    /// Between the look and the write somebody else may write. Without [`expect_version`](Request::expect_version) that is
    /// replaced, as far as both writes go to the same row: of two writers who create a secret in the same moment, one may be
    /// told [`Written::Unconfirmed`], and later writes may go to the row that is not read.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for a name that not every tool can use (see
    /// [`allow_any_name`](Request::allow_any_name)), a value that could not be read back, or an environment that differs from
    /// one of the project in upper and lower case (see [`exact`](Request::exact));
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch; [`Forbidden`](crate::ErrorKind::Forbidden) when
    /// the token may not write; [`Conflict`](crate::ErrorKind::Conflict) when a condition does not hold, or proves that there is
    /// a second row of the name;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call. When the answer was
    /// lost, [`may_have_been_applied`](XtraError::may_have_been_applied) is true, and the message says what to look at.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// use xtrasecurity::xtra::write::Written;
    ///
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// assert_eq!(client.set_secret("staging", "SIGNING_KEY", "s-1").await?, Written::Created);
    /// assert_eq!(client.set_secret("staging", "SIGNING_KEY", "s-2").await?, Written::Updated);
    /// assert_eq!(client.get_secrets("staging").await?.require("SIGNING_KEY")?.expose(), "s-2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Xtra, SetSecret<'a>, M> {
        self.request(XtraScope::new(environment), Set::new(vec![(name.into(), value.into())]))
    }

    /// Sets many secrets of an environment, given as a map or as pairs. Awaiting the request gives a [`WriteReport`].
    ///
    /// As [`set_secret`](Self::set_secret), with these differences:
    ///
    /// - Everything is checked before anything is sent, because the service stops at what it cannot take and keeps what it has
    ///   written until then.
    /// - Up to 200 secrets, or 1 MiB, go into one request. Conditions are checked for all of them before the first, and one
    ///   read after the last confirms all: [`WriteReport::unconfirmed`] names those of which it gives something else.
    /// - When one fails, the error's [`names`](XtraError::names) are the secrets that are not known to be written. To write all
    ///   of them again does no harm; with [`skip_unchanged`](Request::skip_unchanged) only those are written.
    /// - When the service writes fewer than it was sent, the environment is read back, and the error is
    ///   [`Incomplete`](crate::ErrorKind::Incomplete), with the names of those.
    ///
    /// # Errors
    ///
    /// Those of [`set_secret`](Self::set_secret); [`Incomplete`](crate::ErrorKind::Incomplete).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// let report = client.set_secrets("staging", [("HOST", "db"), ("PORT", "5432")]).verify().await?;
    /// assert_eq!(report.created, ["HOST", "PORT"]);
    ///
    /// // Only if nobody has changed them since they were read.
    /// let seen = client.get_secrets("staging").await?;
    /// client.set_secret("staging", "PORT", "5433").await?;
    /// let error = client.set_secrets("staging", [("PORT", "5434")]).if_unchanged(&seen).await.unwrap_err();
    /// assert_eq!(error.conflicts()[0].name, "PORT");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secrets<'a, N: Into<String>, V: Into<SecretValue>>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        secrets: impl IntoIterator<Item = (N, V)>,
    ) -> Request<'a, Xtra, SetSecrets<'a>, M> {
        let pairs = secrets.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.request(XtraScope::new(environment), Set::new(pairs))
    }
}

impl<'a, R, M> Request<'a, Xtra, Set<'a, R>, M> {
    /// Writes only if these secrets are still as `snapshot` has them: same value, or just as absent. Otherwise nothing is
    /// written, and the error is [`Conflict`](crate::ErrorKind::Conflict).
    ///
    /// The snapshot must be of the same environment and branch. Somebody who writes in the moment between this look and the
    /// write is noticed too, by the version, except that a secret of the same name on another branch can hide it.
    pub fn if_unchanged(mut self, snapshot: &'a Secrets) -> Self {
        self.operation.snapshot = Some(snapshot);
        self
    }

    /// Writes whatever characters the names have, and however long they are. Some tools, and newer versions of the service,
    /// take only names of at most 256 letters of ASCII, digits, `_`, `.` and `-`. What the service itself misreads
    /// (`branch`, …) is refused all the same.
    pub fn allow_any_name(mut self) -> Self {
        self.operation.naming = Naming::Any;
        self
    }

    /// Leaves out the secrets that have the value already, so that they get no new version.
    pub fn skip_unchanged(mut self) -> Self {
        self.operation.steps.skip_unchanged = true;
        self
    }

    /// Checks and looks, and tells what would be done, but writes nothing. A branch that does not exist looks like an empty
    /// one, and a token that may not write is not noticed.
    pub fn dry_run(mut self) -> Self {
        self.operation.steps.dry_run = true;
        self
    }

    /// Why some of these secrets cannot be written, as far as that is known without asking the service: names that it misreads
    /// or that not every tool can use, values that are too long or could not be read back. Sending the request would fail with
    /// the first few of them.
    pub fn problems(&self) -> Vec<NameProblem> {
        let Set { pairs, naming, steps, .. } = &self.operation;
        problems(pairs, *naming, steps.seal || self.source().seals_writes())
    }

    /// Makes what is not confirmed an error: when the read after the write gives something else, it is
    /// [`Conflict`](crate::ErrorKind::Conflict), when it fails, that failure; either way
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true. Without this, the result tells it. Counts more than
    /// [`skip_read_back`](Request::skip_read_back).
    pub fn verify(mut self) -> Self {
        self.operation.steps.verify = true;
        self
    }

    /// Encrypts the values before they are sent, under the client's
    /// [passphrase](crate::XtraClientBuilder::vault_passphrase): the service never sees them. Without a passphrase the request
    /// fails with [`Config`](crate::ErrorKind::Config). [`seal_writes`](crate::XtraClientBuilder::seal_writes) does so for
    /// every write of a client.
    pub fn seal(mut self) -> Self {
        self.operation.steps.seal = true;
        self
    }
}

impl<'a, M> Request<'a, Xtra, SetSecret<'a>, M> {
    /// Writes only if the secret has this version, as [`list_secret_names`](crate::XtraClient::list_secret_names) tells it. Otherwise the
    /// error is [`Conflict`](crate::ErrorKind::Conflict), and nothing is written.
    pub fn expect_version(mut self, version: impl ToString) -> Self {
        let operation = &mut self.operation;
        operation.expected = operation.pairs.iter().map(|(key, _)| (key.clone(), Some(version.to_string()))).collect();
        self
    }
}

impl<'a, M> Request<'a, Xtra, SetSecrets<'a>, M> {
    /// Writes only if these secrets have these versions, as [`list_secret_names`](crate::XtraClient::list_secret_names) tells them. Otherwise
    /// the error is [`Conflict`](crate::ErrorKind::Conflict), and nothing is written. May name secrets that are not written.
    pub fn expect_versions<N: Into<String>, V: ToString>(mut self, versions: impl IntoIterator<Item = (N, V)>) -> Self {
        let versions = versions.into_iter().map(|(key, version)| (key.into(), Some(version.to_string())));
        self.operation.expected.extend(versions);
        self
    }

    /// Calls this when a request has been answered: first with nothing written.
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + Send + 'a) -> Self {
        self.operation.on_progress = Some(Box::new(tell));
        self
    }
}

mod outcome {
    /// What setting one secret gives, and what setting several does.
    pub trait SetOutcome: From<super::WriteReport> + Send {
        /// The method that is called for it.
        const METHOD: &'static str;
    }

    impl SetOutcome for super::Written {
        const METHOD: &'static str = "set_secret";
    }

    impl SetOutcome for super::WriteReport {
        const METHOD: &'static str = "set_secrets";
    }
}

impl<R: SetOutcome> Operation for Set<'_, R> {
    const NAME: &'static str = R::METHOD;
    type Source = Xtra;
    type Output = R;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<R, XtraError> {
        let Self { pairs, mut expected, snapshot, naming, mut steps, options, mut on_progress, .. } = self;
        let source = call.source();
        steps.seal |= source.seals_writes();
        check_pairs(&pairs, naming, steps.seal)?;
        let place = call.place().await?;
        if !steps.dry_run {
            call.confirm(options, &place.environment)?;
        }
        let look = call.state_before(&place, options).await?;
        check_conditions(snapshot, &pairs, &look, &mut expected)?;
        let (report, to_write) = plan(pairs, &look, steps);
        if report.was_empty && !steps.dry_run {
            warn_of_first(&place);
        }
        if steps.dry_run || to_write.is_empty() {
            return Ok(report.into());
        }
        let _changing = call.changing_in(&place);
        let total = to_write.len();
        let mut tell = |written| on_progress.iter_mut().for_each(|tell| tell(Progress { written, total }));
        tell(0);
        let reads_back = steps.verify || options.reads_back();
        let meant = if reads_back { to_write.clone() } else { Vec::new() };
        let kept_sealed = if steps.seal { BTreeSet::new() } else { sealed_before(&to_write, &look) };
        let stays_sealed = told_to_stay_sealed(&kept_sealed);
        let sealing = if steps.seal { Sealing::Everything } else { Sealing::These(kept_sealed) };
        let known = known_versions(&to_write, &look);
        let batch = Batch { place: &place, secrets: to_write, expected, known, sealing };
        source.upsert_all(batch, tell).await.map_err(|error| {
            match stays_sealed.filter(|_| error.kind() == ErrorKind::Config) {
                Some(told) => {
                    error.with_note(told).with_hint(Hint::advice("To have it in plain form, delete it first"))
                }
                None => error,
            }
        })?;
        if steps.verify {
            verify(&call, &place, &meant, &look).await?;
        } else if reads_back {
            let names = source.read_back(&place, &meant, &look).await;
            return Ok(report.without_confirmation_of(names).into());
        }
        Ok(report.into())
    }
}

impl<R: SetOutcome> Writes for Set<'_, R> {
    fn write_options(&mut self) -> &mut WriteOptions {
        &mut self.options
    }
}

impl<R: SetOutcome> ReadsBack for Set<'_, R> {}

/// What was encrypted before it was stored stays so: the service must not come to see it because somebody else writes it.
fn sealed_before(to_write: &[(String, SecretValue)], look: &CurrentState) -> BTreeSet<String> {
    let sealed = |key: &&String| look.get(key).is_some_and(|seen| seen.sealed);
    to_write.iter().map(|(key, _)| key).filter(sealed).cloned().collect()
}

/// What to say when they cannot be sealed again.
fn told_to_stay_sealed(keys: &BTreeSet<String>) -> Option<String> {
    let keys: Vec<_> = keys.iter().cloned().collect();
    let told = || format!("What is sealed stays so, and nothing was written; it is sealed now: {}", named(&keys));
    (!keys.is_empty()).then(told)
}

/// Refuses the write when what is there is not what it expects.
fn check_conditions(
    snapshot: Option<&Secrets>,
    pairs: &[(String, SecretValue)],
    look: &CurrentState,
    expected: &mut Expected,
) -> Result<(), XtraError> {
    let mut found = conflicts(expected, look);
    let of_versions = found.len();
    if let Some(snapshot) = snapshot {
        let mut changed = changed_since(snapshot, pairs, look, expected);
        let told: BTreeSet<String> = found.iter().map(|told| told.name.clone()).collect();
        changed.retain(|one| !told.contains(&one.name));
        found.extend(changed);
    }
    match found.len() {
        0 => Ok(()),
        in_all if in_all == of_versions => Err(conflict(found)),
        // reading again does not help who has taken the wrong snapshot
        _ => Err(conflict(found).with_note("The snapshot must be of this environment and branch")),
    }
}

/// What is not as the snapshot has it. What is, is expected to keep its version.
fn changed_since(
    snapshot: &Secrets,
    pairs: &[(String, SecretValue)],
    look: &CurrentState,
    expected: &mut Expected,
) -> Vec<Conflict> {
    let mut changed = Vec::new();
    for (key, _) in pairs {
        let seen = look.get(key);
        match (snapshot.get(key), seen) {
            (None, None) if snapshot.unreadable_of(key).is_none() => {
                expected.entry(key.clone()).or_default();
            }
            (Some(value), Some(seen)) if seen.is(value) => {
                expected.entry(key.clone()).or_insert_with(|| Some(seen.version.clone()));
            }
            _ => changed.push(Conflict::new(key.as_str(), None, seen.map(|seen| seen.version.clone()))),
        }
    }
    changed
}

/// Sorts what is to be set by what is there.
fn plan(
    pairs: Vec<(String, SecretValue)>,
    look: &CurrentState,
    steps: Steps,
) -> (WriteReport, Vec<(String, SecretValue)>) {
    let mut report = WriteReport::default();
    let mut to_write = Vec::with_capacity(pairs.len());
    let is_there = |seen: &Existing, value: &SecretValue| seen.is(value) && (seen.sealed || !steps.seal);
    for (key, value) in pairs {
        match look.get(&key) {
            Some(seen) if steps.skip_unchanged && is_there(seen, &value) => {
                report.unchanged.push(key);
                continue;
            }
            Some(_) => report.updated.push(key.clone()),
            None => report.created.push(key.clone()),
        }
        to_write.push((key, value));
    }
    report.was_empty = look.is_empty() && !to_write.is_empty();
    for names in [&mut report.created, &mut report.updated, &mut report.unchanged] {
        names.sort_unstable();
    }
    (report, to_write)
}

/// Whoever mistypes an environment makes one.
fn warn_of_first(place: &Place) {
    let environment = shown_name(&place.environment);
    tracing::warn!(
        target: events::SERVICE,
        environment,
        "a secret is written where there were none before; is the name of the environment right?"
    );
}

/// Reads back, and fails when that gives something else.
async fn verify(
    call: &Call<'_, Xtra>,
    place: &Place,
    meant: &[(String, SecretValue)],
    before: &CurrentState,
) -> Result<(), XtraError> {
    let look = call.source().current_state(place).await.map_err(|error| {
        let error = error.with_note("The secrets are written; this was to read them back");
        error.with_names(meant.iter().map(|(key, _)| key)).with_unknown_outcome()
    })?;
    refuse_unconfirmed(unconfirmed(meant, before, &look), meant.len())
}

impl<R> fmt::Debug for Set<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.pairs.iter().map(|(key, _)| key).collect();
        f.debug_struct("Set").field("names", &keys).field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// What became of each secret of a bulk write: names only, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteReport {
    /// The secrets that did not exist before.
    pub created: Vec<String>,
    /// The secrets that existed, and have the new value now. Each of them has a new version, whether the value differs or not.
    pub updated: Vec<String>,
    /// The secrets that had the value already, and were not written, because the request says
    /// [`skip_unchanged`](crate::Request::skip_unchanged).
    pub unchanged: Vec<String>,
    /// The secrets that the service has taken, and of which the read after the write gives something else, or which could not
    /// be read back; they are in no other list. Somebody may have written in between, or the service has a second row of the
    /// name, which reads give in its place: [`repair_secret`](crate::XtraClient::repair_secret) tells. A caller to whom values
    /// are masked is told by the version; a caller who is shown other secrets only finds all others here.
    pub unconfirmed: Vec<String>,
    /// Whether something was to be written where there were no secrets at all before. The environment's name may be mistyped then.
    pub was_empty: bool,
}

/// The names, in order, which are in none of the lists any more.
pub(super) fn taken_out(lists: [&mut Vec<String>; 2], mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    for list in lists {
        list.retain(|name| names.binary_search(name).is_err());
    }
    names
}

impl WriteReport {
    /// The same, where these are not confirmed.
    pub(super) fn without_confirmation_of(mut self, names: Vec<String>) -> Self {
        self.unconfirmed = taken_out([&mut self.created, &mut self.updated], names);
        self
    }

    /// The secrets that were written, and that a read has given with their new values; without those that are
    /// [not confirmed](Self::unconfirmed). For a [dry run](crate::Request::dry_run), those that would be written.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.created.iter().chain(&self.updated).map(String::as_str)
    }
}

/// What became of one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Written {
    /// It did not exist before.
    Created,
    /// It existed, and has the new value now.
    Updated,
    /// It had the value already, and was not written, because the request says
    /// [`skip_unchanged`](crate::Request::skip_unchanged).
    Unchanged,
    /// The service has taken it, and it is not confirmed: the read after the write gives something else, or could not be made.
    /// Somebody may have written in between, or the service has a second row of the name, which reads give in its place:
    /// [`repair_secret`](crate::XtraClient::repair_secret) tells. Never take this for done.
    Unconfirmed,
}

impl From<WriteReport> for Written {
    fn from(report: WriteReport) -> Self {
        if !report.unconfirmed.is_empty() {
            return Self::Unconfirmed;
        }
        match (report.created.is_empty(), report.updated.is_empty()) {
            (false, _) => Self::Created,
            (true, false) => Self::Updated,
            (true, true) => Self::Unchanged,
        }
    }
}

/// How far a bulk write has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many secrets are written.
    pub written: usize,
    /// How many there are to write. Those that are skipped are not among them.
    pub total: usize,
}
