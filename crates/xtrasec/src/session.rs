//! The client that the options describe, the secrets that most commands are about, and the place that some write to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::credentials::Configuration;
use xtrasecurity::{
    Client, ErrorKind, OfflineOptions, Request, SecretSource, Secrets, XtraClient, XtraClientBuilder, XtraError,
    error::Hint,
    request::Read,
    snapshot::{SnapshotSource, UnreadableReason},
    xtra::Xtra,
};

use crate::failure::Failure;
use crate::hints;
use crate::options::{Choice, Global, Scope, Values, full_environment_name};
use crate::output;
use crate::service::Readable;
use crate::text::{all_quoted, printable, quoted};

/// A client and the environment that was asked for.
pub(crate) struct Session<S: SecretSource = Xtra> {
    pub(crate) client: Client<S>,
    environment: Option<String>,
    pub(crate) words: &'static Words,
}

/// What a person is told in the words of one service.
pub(crate) struct Words {
    /// Where an environment can be named, for whoever named none.
    pub(crate) ways_to_name_one: &'static str,
    /// What may be the matter when there are no secrets.
    pub(crate) nothing: &'static str,
    /// What to look at when secrets are not there.
    pub(crate) look_at: &'static str,
    /// Whose secrets the service hides, and what to do about it.
    pub(crate) masked: &'static str,
}

pub(crate) const XTRASECURITY: Words = Words {
    ways_to_name_one: "Add --env NAME, set XTRA_ENV, or put \"env\" into .xtrarc (xtrasec setup)",
    nothing: "an environment or branch that does not exist looks the same. Check both names",
    look_at: "the environment and the branch",
    masked: "masked: this token may see names only; use one with the developer role or a service account's",
};

/// The builder with what was given on the command line.
pub(crate) fn builder(global: &Global) -> XtraClientBuilder {
    let mut builder = XtraClient::builder();
    if let Some(name) = global.env.as_ref().or(global.variables.environment.as_ref()) {
        builder = builder.environment(full_environment_name(name));
    }
    if let Some(name) = global.branch.as_ref().or(global.variables.branch.as_ref()) {
        builder = builder.branch(name);
    }
    if let Some(id) = &global.project {
        builder = builder.project_id(id);
    }
    if let Some(account) = &global.account {
        // its token goes where it was stored for, whatever else names a service
        builder = builder.token(account.token.expose()).api_url(&account.api_url);
    }
    if let Some(url) = &global.api_url {
        builder = builder.api_url(url);
    }
    builder
}

impl Session {
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        Self::build(global, builder(global))
    }

    /// The same, with copies on disk for the time when the service cannot be reached.
    pub(crate) fn open_offline(global: &Global) -> Result<Self, Failure> {
        Self::build(global, builder(global).offline(OfflineOptions::in_user_cache()?))
    }

    /// The same, with a client that changes production only where a call says that this is meant.
    pub(crate) fn open_protected(global: &Global) -> Result<Self, Failure> {
        Self::build(global, builder(global).protect_production())
    }

    fn build(global: &Global, builder: XtraClientBuilder) -> Result<Self, Failure> {
        let client = builder.build().map_err(|error| unusable(global, error))?;
        let environment = client.default_environment().map(str::to_owned);
        Ok(Self { client, environment, words: &XTRASECURITY })
    }
}

/// # What commands read, of any service
impl<S: Readable> Session<S> {
    #[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
    pub(crate) fn of(client: Client<S>, environment: Option<String>, words: &'static Words) -> Self {
        Self { client, environment, words }
    }

    /// A read of the environment.
    fn read(&self, values: Values) -> Result<Request<'_, S, Read>, Failure> {
        let request = self.client.read(S::scope(self.environment()?));
        if values.resolve { S::resolved(request) } else { Ok(request) }
    }

    /// The environment that was asked for. Guessing one would be guessing which database a program connects to.
    pub(crate) fn environment(&self) -> Result<&str, Failure> {
        let absent = || Failure::usage(format!("no environment was given. {}", self.words.ways_to_name_one));
        self.environment.as_deref().ok_or_else(absent)
    }

    /// The secrets that can be read, and the names of those that cannot.
    pub(crate) async fn secrets(&self) -> Result<Arc<Secrets>, Failure> {
        self.values(Values::default()).await
    }

    /// The same, with other secrets in the place of references in the values if that was asked for.
    pub(crate) async fn values(&self, values: Values) -> Result<Arc<Secrets>, Failure> {
        let secrets = self.read(values)?.allow_unreadable().await.map_err(not_read)?;
        tell_source(&secrets);
        Ok(secrets)
    }

    /// The same, whatever the service answers.
    async fn any_secrets(&self, values: Values) -> Result<Arc<Secrets>, Failure> {
        // the next answer is not compared with a saved copy, which stays for the time when there is none
        self.client.invalidate(S::scope(self.environment()?));
        let request = self.read(values)?.allow_unreadable();
        let secrets = request.allow_any_answer().await.map_err(not_read)?;
        tell_source(&secrets);
        Ok(secrets)
    }

    /// The secrets that were chosen, all of which are there and can be read; otherwise everything that stands against it.
    pub(crate) async fn chosen(&self, choice: &Choice, values: Values) -> Result<Secrets, Failure> {
        let secrets =
            if choice.allow_any_answer { self.any_secrets(values).await? } else { self.values(values).await? };
        let environment = self.environment()?;
        if is_bare(&secrets) && !choice.allow_empty {
            let perhaps = perhaps_meant(&secrets);
            return Err(Failure::refused(format!(
                "{}, or add --allow-empty{perhaps}",
                self.words.nothing_there(environment)
            )));
        }
        let takes = choice.rule();
        let hidden = secrets.unreadable().iter().map(|secret| secret.name.as_str());
        let names = choice.only.iter().map(String::as_str).chain(hidden).filter(|name| takes(name));
        demand(&secrets, names, environment, self.words).map_err(|failure| match choice.only.is_empty() {
            true => failure.so("Leave them out with --exclude if they are not needed"),
            false => failure,
        })?;
        let taken = secrets.iter().filter(|(name, _)| takes(name));
        let taken: Secrets = taken.map(|(name, value)| (name, value.clone())).collect();
        if taken.is_empty() && !choice.allow_empty {
            let message = "--only and --exclude leave no secret to take. Choose others, or add --allow-empty";
            return Err(Failure::refused(message));
        }
        tell_references::<S>(&taken, values);
        Ok(taken)
    }
}

/// Why there is no client. What was wrong on the command line is wrong usage.
fn unusable(global: &Global, error: XtraError) -> Failure {
    let wrong_root = || builder(global).explain().get("api_url").is_some_and(|setting| setting.problem().is_some());
    match error.kind() {
        ErrorKind::Config if global.api_url.is_some() && wrong_root() => Failure::from(error).into_usage(),
        _ => not_read(error),
    }
}

/// Why secrets were not read. A name that cannot even be asked for is wrong usage.
pub(crate) fn not_read(error: XtraError) -> Failure {
    let is_usage = error.kind() == ErrorKind::Invalid && error.attempts() == 0;
    let failure = Failure::from(error);
    if is_usage { failure.into_usage() } else { failure }
}

/// Refuses unless all these secrets are there and can be read, and names those that are not.
pub(crate) fn demand<'n>(
    secrets: &Secrets,
    names: impl IntoIterator<Item = &'n str>,
    place: &str,
    words: &Words,
) -> Result<(), Failure> {
    let mut missing = BTreeSet::new();
    let mut hidden: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let reasons: HashMap<&str, UnreadableReason> =
        secrets.unreadable().iter().map(|secret| (secret.name.as_str(), secret.reason)).collect();
    for name in names.into_iter().filter(|name| !secrets.contains(name)) {
        match reasons.get(name) {
            Some(reason) => drop(hidden.entry(words.remedy(*reason)).or_default().insert(name)),
            None => drop(missing.insert(name)),
        }
    }
    if !missing.is_empty() && is_bare(secrets) {
        return Err(Failure::refused(format!("{}{}", words.nothing_there(place), perhaps_meant(secrets))));
    }
    let mut problems = Vec::new();
    if !hidden.is_empty() {
        let parts: Vec<_> =
            hidden.iter().map(|(remedy, names)| format!("{} ({remedy})", quoted(names.iter().copied()))).collect();
        problems.push(format!("cannot be read in {place}: {}", parts.join(", ")));
    }
    if !missing.is_empty() {
        problems.push(format!(
            "not in {place}, which has {}: {}. Check the names (case matters), {}",
            match secrets.len() + secrets.unreadable().len() {
                1 => "1 secret".to_owned(),
                count => format!("{count} secrets"),
            },
            all_quoted(&missing.iter().copied().collect::<Vec<_>>()),
            words.look_at
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::refused(problems.join("; "))) }
}

/// The name that may be meant by one that leads to no secret, as the end of a text.
fn perhaps_meant(secrets: &Secrets) -> String {
    let error = secrets.require_any().err();
    let advice = error.iter().flat_map(XtraError::hints).find_map(|hint| match hint {
        Hint::Advice(text) => Some(format!(". {text}")),
        _ => None,
    });
    advice.unwrap_or_default()
}

/// Whoever gets a reference in the place of a password should not search for long.
pub(crate) fn tell_references<S: Readable>(secrets: &Secrets, values: Values) {
    let names = S::references(secrets);
    if !values.resolve && !names.is_empty() {
        output::note(&format!(
            "values that look like references to other secrets are given as they are: {}. --resolve follows them",
            quoted(names)
        ));
    }
}

/// Whether there is no secret at all, not even one that cannot be read.
pub(crate) fn is_bare(secrets: &Secrets) -> bool {
    secrets.is_empty() && secrets.unreadable().is_empty()
}

/// Whether a file is read instead of the service: only then a client can do without a token.
pub(crate) fn is_local(configuration: &Configuration) -> bool {
    configuration.get("token").is_some_and(|token| token.shown().is_none() && token.problem().is_none())
}

pub(crate) fn tell_local() {
    output::note("local mode: the secrets are those of .env.local");
}

/// Values that are not the service's should surprise nobody.
pub(crate) fn tell_source(secrets: &Secrets) {
    match secrets.source() {
        SnapshotSource::LocalFile => tell_local(),
        SnapshotSource::Offline => {
            let age = ago(secrets.age());
            output::note(&format!(
                "the service cannot be reached, or its answer is held back (--allow-any-answer takes it): the secrets are a copy \
                 that was saved {age}"
            ));
        }
        _ => {}
    }
}

/// How long ago something was, in the largest unit that gives at least two of it.
fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}

/// Why a value cannot be had, in a word or two.
pub(crate) fn why(reason: UnreadableReason) -> &'static str {
    match reason {
        UnreadableReason::Masked => "masked: names only for this token",
        UnreadableReason::ServerCiphertext => "the service cannot decrypt it",
        UnreadableReason::ClientEnvelope => "encrypted by a client",
        UnreadableReason::NoValue => "the service sends no value with it",
        UnreadableReason::Ambiguous => "there more than once",
        UnreadableReason::Unexpanded => "its references lead nowhere",
        UnreadableReason::NotText => "no UTF-8 text",
        _ => "cannot be read",
    }
}

impl Words {
    /// Why a value cannot be had, and what to do about it.
    fn remedy(&self, reason: UnreadableReason) -> &'static str {
        match reason {
            UnreadableReason::Masked => self.masked,
            UnreadableReason::ServerCiphertext => "the service cannot decrypt it: store it again",
            UnreadableReason::ClientEnvelope => "encrypted by a client: set XTRA_VAULT_PASSPHRASE",
            UnreadableReason::NoValue => "the service sends no value with it: store it again",
            UnreadableReason::Ambiguous => "there more than once: delete all but one",
            UnreadableReason::Unexpanded => "its references lead nowhere: correct what they name",
            UnreadableReason::NotText => "no UTF-8 text: store it as text",
            _ => "cannot be read",
        }
    }

    /// An environment without secrets may not be the one that was meant.
    pub(crate) fn nothing_there(&self, what: &str) -> String {
        format!("{what} holds no secrets; {}", self.nothing)
    }
}

/// A client that may write, and the place that was asked for.
pub(crate) struct Target {
    pub(crate) client: XtraClient,
    pub(crate) environment: String,
    pub(crate) branch: String,
}

impl Target {
    /// The environment and the branch that were asked for.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let session = open(global)?;
        let environment = session.environment()?.to_owned();
        Ok(Self { client: session.client, environment, branch: default_branch(global) })
    }

    /// A scope that is an argument.
    pub(crate) fn open_at(global: &Global, scope: &Scope) -> Result<Self, Failure> {
        let branch = scope.branch.clone().unwrap_or_else(|| default_branch(global));
        Ok(Self { client: open(global)?.client, environment: scope.environment.clone(), branch })
    }

    /// Refuses a branch that does not exist, where there are no secrets: reads do not tell the two apart, so a plan would
    /// promise what every write refuses.
    pub(crate) async fn demand_branch(&self) -> Result<(), Failure> {
        if self.branch == "main" {
            return Ok(());
        }
        // Who may write may not always list; then the write tells.
        let Ok(branches) = self.client.list_branches().await else { return Ok(()) };
        if branches.iter().any(|branch| branch.name == self.branch) {
            return Ok(());
        }
        let branch = printable(&self.branch);
        Err(Failure::refused(format!(
            "the project has no branch \"{branch}\". `xtrasec branches` lists those that there are, and makes one. Nothing was \
             written"
        )))
    }

    /// What has to be typed before this place is changed for good, if anything has.
    pub(crate) fn to_be_typed(&self) -> Option<&str> {
        self.is_production().then_some(self.environment.as_str())
    }

    /// Whether the library takes it for production as well.
    pub(crate) fn is_production(&self) -> bool {
        ["production", "prod"].iter().any(|name| self.environment.eq_ignore_ascii_case(name))
    }

    /// Why something was not done here.
    pub(crate) fn not_done(&self, error: XtraError) -> Failure {
        not_done(&self.client, error)
    }

    /// Why a write was not done. Unless it may have been, that is said: it begins with reads, and most errors are theirs.
    pub(crate) fn not_written(&self, error: XtraError) -> Failure {
        let is_undone = !error.may_have_been_applied();
        let is_told =
            error.notes().chain([error.message()]).any(|text| text.to_ascii_lowercase().contains("nothing was"));
        let failure = self.not_done(error);
        if is_undone && !is_told { failure.so("Nothing was written") } else { failure }
    }

    /// The place as people call it.
    pub(crate) fn shown(&self) -> String {
        printable(&format!("{} (branch {})", self.environment, self.branch))
    }
}

/// Why something was not done. What was clear before anything was sent is wrong usage.
pub(crate) fn not_done(client: &XtraClient, error: XtraError) -> Failure {
    let is_usage = error.kind() == ErrorKind::Invalid && client.stats().requests == 0;
    let failure = Failure::from(error);
    if is_usage { failure.into_usage() } else { failure }
}

/// A client that changes production only where a call says so.
pub(crate) fn open(global: &Global) -> Result<Session, Failure> {
    refuse_local(global)?;
    Session::open_protected(global)
}

/// Refuses what only the service can do while a file stands for it.
pub(crate) fn refuse_local(global: &Global) -> Result<(), Failure> {
    let configuration = builder(global).explain();
    // what says neither on nor off would be told only after somebody has typed
    if let Some(problem) = configuration.get("token").and_then(|token| token.problem())
        && problem.kind() == ErrorKind::Config
    {
        return Err(Failure::refused(hints::told(problem)));
    }
    if !is_local(&configuration) {
        return Ok(());
    }
    Err(Failure::refused(
        "local mode is on, and .env.local stands for the service, which this needs. Unset XTRA_LOCAL_MODE",
    ))
}

pub(crate) fn default_branch(global: &Global) -> String {
    let configuration = builder(global).explain();
    configuration.get("branch").and_then(|setting| setting.shown()).unwrap_or("main").to_owned()
}
