//! The one error type of the crate: what was wrong, what that means, and typed advice.

mod conflict;
mod hint;
mod hop;
mod kind;
mod reason;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

pub use conflict::Conflict;
pub use hint::{FileEntry, Hint};
pub use hop::Hop;
pub use kind::ErrorKind;
pub use reason::{Elevation, Reason};

/// What every fallible call of this crate returns.
///
/// It is one pointer wide, cheap to clone (one failed request is reported to every caller that waited for it), and
/// `Send + Sync + 'static`. Its texts hold no secret value, token, answer body or URL; network errors name the host and
/// port. `Display` says which [call](Self::call) failed, [what was wrong](Self::message), what that [means](Self::notes) and [what to do](Self::hints), and
/// does not repeat [`source`](StdError::source). `Debug` reads the same, so that a `main` that returns an error reads well; the
/// parts are had from the methods.
///
/// ```
/// use xtrasecurity::{ErrorKind, Secrets};
///
/// let secrets = Secrets::from_iter([("PORT", "8080")]);
/// let error = secrets.require("DATABASE_URL").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::MissingSecret);
/// assert!(error.to_string().contains("DATABASE_URL"));
/// ```
#[derive(Clone)]
pub struct XtraError(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    call: Option<Cow<'static, str>>,
    message: String,
    notes: Vec<Cow<'static, str>>,
    hints: Vec<Hint>,
    reason: Option<Reason>,
    hop: Option<Hop>,
    status: Option<u16>,
    code: Option<String>,
    server_message: Option<String>,
    retry_after: Option<Duration>,
    names: Vec<String>,
    conflicts: Vec<Conflict>,
    attempts: u32,
    outcome_unknown: bool,
    foreign: bool,
    own: bool,
    stalled: bool,
    os_error: Option<Arc<io::Error>>,
}

impl XtraError {
    /// An error of `kind` with a message of your own, for a [`SecretSource`](crate::SecretSource) or
    /// [`CredentialProvider`](crate::credentials::CredentialProvider) written outside this crate.
    ///
    /// The message is shown by `Display` and in logs: put no value, token or URL in it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            call: None,
            message: message.into(),
            notes: Vec::new(),
            hints: Vec::new(),
            reason: None,
            hop: None,
            status: None,
            code: None,
            server_message: None,
            retry_after: None,
            names: Vec::new(),
            conflicts: Vec::new(),
            attempts: 0,
            outcome_unknown: false,
            foreign: false,
            own: false,
            stalled: false,
            os_error: None,
        }))
    }

    /// The kind, to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's machine-readable code, when it sent one that it documents.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The call that failed, as it was written: `get_secrets("production")`, or the name of a raw method. `None` where no call
    /// was under way.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        self.0.call.as_deref()
    }

    /// What was wrong, alone. `Display` puts the [call](Self::call) in front, and the [notes](Self::notes) and
    /// [hints](Self::hints) behind.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What had been done when the call failed, and what that means for the caller: sentences without a full stop.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.notes.iter().map(|note| &**note)
    }

    /// The first piece of advice, when there is any: what to do about the error.
    #[must_use]
    pub fn hint(&self) -> Option<&Hint> {
        self.0.hints.first()
    }

    /// All the advice, the most helpful first.
    #[must_use]
    pub fn hints(&self) -> &[Hint] {
        &self.0.hints
    }

    /// Why the service forbids the call, for [`ErrorKind::Forbidden`], when it says so in a form that it documents.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.0.reason.as_ref()
    }

    /// Where on the way to the service the call failed, for [`ErrorKind::Network`] and its kin. The message names the host.
    #[must_use]
    pub fn hop(&self) -> Option<Hop> {
        self.0.hop
    }

    /// What the service, or a proxy in its place, said when it refused (status 4xx): its sentence on one line, without control
    /// characters, cut to 200 characters. `None` when it sent none, or a web page.
    ///
    /// This is the one text of an error that comes from the answer. A service may repeat in it whatever the request carried, a
    /// value or the token too: do not log it. `Display`, `Debug` and [`message`](Self::message) never contain it; they show at most
    /// the form of a sentence that is documented, filled in from what the caller asked for.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.server_message.as_deref()
    }

    /// How long the service asks to wait before the next call, when it said so: at least one second, at most a day. A wait that
    /// cannot be read counts as one second.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later without any change: network trouble, timeouts, 429, 502, 503, 504. `false` for
    /// a write that may have been carried out: look first whether it was.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            _ if self.0.outcome_unknown => false,
            ErrorKind::Timeout | ErrorKind::Network | ErrorKind::RateLimited => true,
            ErrorKind::Server => matches!(self.0.status, Some(502..=504)),
            _ => false,
        }
    }

    /// Whether this is a write that was sent, and of which is not known whether it was carried out: the answer was lost, or it is
    /// anything but a definite refusal, which says by its status that nothing was done (400, 401, 403, 404, 409, 429 … but not 408,
    /// 499 or any 5xx besides 501). The message says what to look at before it is sent again.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        self.0.outcome_unknown
    }

    /// Whether the call went past its deadline because nobody drove it, which tells nothing of the service.
    pub(crate) fn is_stalled(&self) -> bool {
        self.0.stalled
    }

    /// Whether this is a refusal (status 401, 403, 404, 405, 407, 410 or 451) that is not the service's own answer, but that of
    /// something in between: a proxy, a firewall, a wrong deployment. It says nothing of what the caller may have. A client that holds secrets
    /// from before serves them for [a while](crate::CacheOptions::foreign_refusal_grace) in its place.
    #[must_use]
    pub fn is_foreign_refusal(&self) -> bool {
        self.0.foreign
    }

    /// Whether this is certainly the service's own answer, by what it says.
    pub(crate) fn is_own_answer(&self) -> bool {
        self.0.own
    }

    /// The names of the secrets that the error is about (masked, undecryptable, missing). Names only.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0.names
    }

    /// The secrets that a conditional write found changed, for [`ErrorKind::Conflict`]: those that the request named. Versions that are
    /// no short numbers are left out.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.0.conflicts
    }

    /// What access to ask for, for [`Reason::ElevationNeeded`].
    #[must_use]
    pub fn elevation(&self) -> Option<&Elevation> {
        match &self.0.reason {
            Some(Reason::ElevationNeeded(access)) => access.as_ref(),
            _ => None,
        }
    }

    /// How many requests were sent for the call that failed; 0 when it failed before the first, or over what a complete
    /// answer held.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Adds what had been done when the call failed, or what that means for the caller: a sentence that begins with a capital
    /// letter and ends without a full stop. It is shown by `Display` and in logs: put no value, token or URL in it.
    #[must_use]
    pub fn with_note(self, note: impl Into<Cow<'static, str>>) -> Self {
        self.edit(|inner| inner.notes.push(note.into()))
    }

    /// Adds a piece of advice.
    #[must_use]
    pub fn with_hint(self, hint: Hint) -> Self {
        self.with_hints([hint])
    }

    /// Adds why the service forbids the call.
    #[must_use]
    pub fn with_reason(self, reason: Reason) -> Self {
        self.edit(|inner| inner.reason = Some(reason))
    }

    /// Says which call failed, as its user wrote it. The outermost layer knows that best, so the last one to say it counts.
    #[must_use]
    pub fn in_call(self, call: impl Into<Cow<'static, str>>) -> Self {
        self.edit(|inner| inner.call = Some(call.into()))
    }

    /// Says which call failed, with the arguments to show, if any, unless a layer within has named this very call with its own.
    pub(crate) fn in_call_of(self, name: &'static str, arguments: &str) -> Self {
        let has_arguments = |call: &str| call.strip_prefix(name).is_some_and(|rest| rest.starts_with('('));
        match self.call() {
            Some(call) if has_arguments(call) => self,
            _ if arguments.is_empty() => self.in_call(name),
            _ => self.in_call(format!("{name}({arguments})")),
        }
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        self.edit(|inner| inner.status = Some(status))
    }

    /// Adds the service's machine-readable code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        self.edit(|inner| inner.code = Some(code.into()))
    }

    /// Adds the wait that the service asked for; raised to one second.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.edit(|inner| inner.retry_after = Some(wait.max(Duration::from_secs(1))))
    }

    /// Adds the names of the secrets that the error is about.
    #[must_use]
    pub fn with_names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.edit(|inner| inner.names = names.into_iter().map(Into::into).collect())
    }

    /// Says that this refusal is [not the service's own](Self::is_foreign_refusal), for a [`SecretSource`](crate::SecretSource)
    /// that can tell.
    #[must_use]
    pub fn with_foreign_refusal(self) -> Self {
        self.edit(|inner| inner.foreign = true)
    }

    /// Adds the secrets that a conditional write found changed.
    #[must_use]
    pub fn with_conflicts(self, conflicts: Vec<Conflict>) -> Self {
        self.edit(|inner| inner.conflicts = conflicts)
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl XtraError {
    /// The same failure as part of a larger one: with a message of that one's, which tells what was wrong here. Kind, status and
    /// the like stay, the call and the advice are the larger one's to say.
    pub(crate) fn within(self, message: String) -> Self {
        self.edit(|inner| {
            *inner = Inner { message, call: None, notes: Vec::new(), hints: Vec::new(), ..inner.clone() };
        })
    }

    /// What was wrong and what that means, for the message of a larger failure: without the call and the advice.
    pub(crate) fn facts(&self) -> String {
        self.notes().fold(self.message().to_owned(), |text, note| text + ". " + note)
    }

    /// Adds these pieces of advice, each once.
    pub(crate) fn with_hints(self, hints: impl IntoIterator<Item = Hint>) -> Self {
        self.edit(|inner| {
            for hint in hints {
                if !inner.hints.contains(&hint) {
                    inner.hints.push(hint);
                }
            }
        })
    }

    /// A write that was sent and not answered.
    pub(crate) fn with_unknown_outcome(self) -> Self {
        self.edit(|inner| inner.outcome_unknown = true)
    }

    /// Keeps an operating system error as the source. Only the error number is kept: a text could quote data.
    pub(crate) fn with_os_error(self, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => self.edit(|inner| inner.os_error = Some(Arc::new(io::Error::from_raw_os_error(number)))),
            None => self,
        }
    }
}

/// What only code that talks to a service has to tell.
#[cfg(feature = "http")]
impl XtraError {
    /// The words of the service; the caller has already cleaned and bounded them.
    pub(crate) fn with_server_message(self, message: String) -> Self {
        self.edit(|inner| inner.server_message = Some(message))
    }

    /// Where on the way to the service the call failed.
    pub(crate) fn at_hop(self, hop: Hop) -> Self {
        self.edit(|inner| inner.hop = Some(hop))
    }

    /// The service's own answer, for certain.
    pub(crate) fn with_own_answer(self) -> Self {
        self.edit(|inner| inner.own = true)
    }

    /// The same failure as part of a call that has not been sent yet, so that nothing of it may have been carried out.
    #[cfg(feature = "http")]
    pub(crate) fn before_sending(self) -> Self {
        match self.0.outcome_unknown {
            true => self.edit(|inner| (inner.outcome_unknown, inner.notes) = (false, Vec::new())),
            false => self,
        }
    }

    /// A call that nobody drove until it was past its deadline.
    pub(crate) fn stalled(self) -> Self {
        self.edit(|inner| inner.stalled = true)
    }

    /// Adds where to look, when this is a write that may have been carried out.
    pub(crate) fn if_in_doubt(self, tell: impl FnOnce(Self) -> Self) -> Self {
        if self.may_have_been_applied() { tell(self) } else { self }
    }

    pub(crate) fn with_attempts(self, attempts: u32) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }
}

/// The system's reason for a failure with a file, for a message.
pub(crate) fn file_reason(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    }
}

impl fmt::Display for XtraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { call, message, attempts, notes, hints, .. } = &*self.0;
        if let Some(call) = call {
            write!(f, "{call}: ")?;
        }
        f.write_str(message)?;
        if *attempts > 1 {
            write!(f, " ({attempts} attempts)")?;
        }
        notes.iter().try_for_each(|note| write!(f, ". {note}"))?;
        hints.iter().try_for_each(|hint| write!(f, ". {hint}"))
    }
}

/// What `main` prints of an error that it returns.
impl fmt::Debug for XtraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for XtraError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.os_error.as_deref().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> XtraError {
        XtraError::new(ErrorKind::NotFound, "there is no branch \"next\"")
            .with_hint(Hint::LookAt { call: "list_branches" })
            .with_note("Nothing was written")
    }

    #[test]
    fn an_error_reads_as_its_call_what_was_wrong_what_that_means_and_what_to_do() {
        let told = "set_secret: there is no branch \"next\". Nothing was written. list_branches() tells";
        assert_eq!(error().in_call("things_put").in_call("set_secret").to_string(), told);
        assert_eq!(error().to_string(), "there is no branch \"next\". Nothing was written. list_branches() tells");
        assert_eq!(error().message(), "there is no branch \"next\"");
    }

    #[test]
    fn debug_reads_as_display_does() {
        let error = error().in_call("set_secret").with_status(404);
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!(format!("{error:#?}"), error.to_string());
    }

    #[test]
    fn a_part_of_a_larger_failure_keeps_its_facts_and_not_its_words() {
        let larger = error().with_status(404).in_call("set_secret").within("2 of 3 failed".to_owned());
        assert_eq!((larger.to_string().as_str(), larger.status()), ("2 of 3 failed", Some(404)));
        assert_eq!((larger.hint(), larger.notes().len()), (None, 0));
    }

    #[test]
    fn access_to_ask_for_is_part_of_the_reason() {
        let access = Elevation::new("665f", "production");
        let error = error().with_reason(Reason::ElevationNeeded(Some(access.clone())));
        assert_eq!(error.elevation(), Some(&access));
        assert_eq!(error.with_reason(Reason::Blocked).elevation(), None);
    }
}
