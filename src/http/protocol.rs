//! The protocol of a service: what the transport must know of one service's wire.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error_body::ErrorBody;
use super::refusal_forms::RefusalForms;
use super::token::Token;
use crate::core::{ErrorKind, Hint, Reason};

/// What the wire of one service is like, for the [`Transport`](super::Transport) that talks to it.
///
/// Every method has a default that fits a plain JSON service, so an implementation names only what its service does
/// otherwise:
///
/// ```
/// use xtrasecurity::http::{Authorization, Protocol, QuotaFormat, ResetForm, Token};
///
/// struct Vaultd;
///
/// impl Protocol for Vaultd {
///     fn base_url_suffix(&self) -> &'static str {
///         "/v1"
///     }
///
///     fn authorization(&self, token: &Token) -> Authorization {
///         Authorization::header("x-vaultd-token", token.expose())
///     }
///
///     fn quota(&self) -> Option<QuotaFormat> {
///         Some(QuotaFormat {
///             limit: "quota-limit",
///             remaining: "quota-remaining",
///             reset: "quota-reset",
///             reset_form: ResetForm::SecondsFromNow,
///         })
///     }
/// }
/// ```
pub trait Protocol: Send + Sync + 'static {
    /// The end that the path of a base URL must have, as in `/api`. Default: none, any path will do.
    fn base_url_suffix(&self) -> &'static str {
        ""
    }

    /// The header that carries the token. Default: `Authorization: Bearer`.
    fn authorization(&self, token: &Token) -> Authorization {
        Authorization::bearer(token)
    }

    /// Headers that are taken off every request before it is sent: those that a generator adds, and the service does not
    /// know. In lower case. Default: none.
    fn removed_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// How long an idle connection is kept. It must be shorter than the service's own limit. Default: 30 s.
    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Operations that must never be sent twice although their method is a safe one, such as a read that uses a view up.
    /// Default: none.
    fn never_retried(&self) -> &'static [&'static str] {
        &[]
    }

    /// Operations that change nothing although their method is that of a write, such as a decryption: they are repeated as reads
    /// are, and their errors do not say that something may have been written. Default: none.
    fn reads(&self) -> &'static [&'static str] {
        &[]
    }

    /// Operations that are sent without a token, such as a login: their requests have no [`authorization`](Self::authorization)
    /// header, and the credential provider is not asked. Default: none.
    fn without_token(&self) -> &'static [&'static str] {
        &[]
    }

    /// How many requests a minute the service takes from one address; 0, the default, when it does not count them.
    fn requests_per_minute(&self) -> u32 {
        0
    }

    /// The headers in which answers tell of the caller's quota. Default: `None`, the service has none.
    fn quota(&self) -> Option<QuotaFormat> {
        None
    }

    /// Whose quota a request spends, by a name that requests of the same quota share. Upper and lower case must be folded
    /// here where they do not matter. Default: all requests to a root spend from one.
    fn quota_scope(&self, request: &Outgoing<'_>) -> String {
        let _ = request;
        String::new()
    }

    /// Under which names an error body holds its parts. Default: [`ErrorMembers::new`].
    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new()
    }

    /// The refusals that the service documents: only these are ever shown. Default: none.
    fn refusals(&self) -> RefusalForms {
        RefusalForms::new()
    }

    /// Whether the service itself, rather than a proxy or a firewall, has given this answer (status 4xx) to the operation.
    /// Judge by the content of the body, never by its type. Default: `true`, as for a service whose errors have no form that
    /// could be told from others'.
    fn is_own_refusal(&self, operation: &str, status: u16, body: &ErrorBody<'_>) -> bool {
        let _ = (operation, status, body);
        true
    }

    /// The kind of a refusal whose body tells more than its status (4xx or 5xx), as of a service that has changed its statuses
    /// between versions. Default: `None`, the status tells. [`Unauthorized`](ErrorKind::Unauthorized) says that the token was
    /// refused: it is renewed once, whatever the status. A status 5xx with a kind is a refusal like those of 4xx.
    fn classify(&self, operation: &str, status: u16, body: &ErrorBody<'_>) -> Option<ErrorKind> {
        let _ = (operation, status, body);
        None
    }

    /// What an answer that is no success means beyond what its status means in HTTP. Default: `None`, nothing.
    fn explain(&self, answer: &ErrorAnswer<'_>) -> Option<Advice> {
        let _ = answer;
        None
    }
}

/// A service that is nothing special, for transports that stand for none.
#[cfg(test)]
pub(crate) struct Plain;

#[cfg(test)]
impl Protocol for Plain {}

/// The header that carries a token. `Debug` does not print its value; it is wiped on drop.
pub struct Authorization {
    pub(super) name: &'static str,
    pub(super) value: Zeroizing<String>,
}

impl Authorization {
    /// `Authorization: Bearer` and the token.
    #[must_use]
    pub fn bearer(token: &Token) -> Self {
        Self::header("authorization", format!("Bearer {}", token.expose()))
    }

    /// A header of this name, in lower case, with this value.
    #[must_use]
    pub fn header(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: Zeroizing::new(value.into()) }
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The headers that tell of a quota, by their names in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a service writes all of it")]
pub struct QuotaFormat {
    /// Holds the requests of a whole window.
    pub limit: &'static str,
    /// Holds those that are left of it.
    pub remaining: &'static str,
    /// Holds the end of the window.
    pub reset: &'static str,
    /// How the end is told.
    pub reset_form: ResetForm,
}

/// How a header tells the end of a window. Either is a whole number; 0 is taken for a service that has lost count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetForm {
    /// Seconds since the start of 1970.
    UnixSeconds,
    /// Seconds from the answer on.
    SecondsFromNow,
}

/// The names of the members of an error body, a JSON object.
///
/// ```
/// use xtrasecurity::http::ErrorMembers;
///
/// const MEMBERS: ErrorMembers = ErrorMembers::new().message("detail").code("kind").retry_after("wait_seconds");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorMembers {
    pub(super) message: &'static str,
    pub(super) title: &'static str,
    pub(super) code: &'static str,
    pub(super) action: &'static str,
    pub(super) retry_after: &'static str,
    pub(super) conflicts: ConflictMembers,
}

/// The names of the members of a list of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConflictMembers {
    pub(super) list: &'static str,
    pub(super) key: &'static str,
    pub(super) expected: &'static str,
    pub(super) actual: &'static str,
}

impl ErrorMembers {
    /// The sentence in `message`, its title in `error`, the code in `code`, and nothing else.
    #[must_use]
    pub const fn new() -> Self {
        let conflicts = ConflictMembers { list: "", key: "", expected: "", actual: "" };
        Self { message: "message", title: "error", code: "code", action: "", retry_after: "", conflicts }
    }

    /// Where the sentence is.
    #[must_use]
    pub const fn message(self, name: &'static str) -> Self {
        Self { message: name, ..self }
    }

    /// Where a shorter sentence is, which counts when there is no other.
    #[must_use]
    pub const fn title(self, name: &'static str) -> Self {
        Self { title: name, ..self }
    }

    /// Where the machine-readable code is.
    #[must_use]
    pub const fn code(self, name: &'static str) -> Self {
        Self { code: name, ..self }
    }

    /// Where the service names what must be done first.
    #[must_use]
    pub const fn action(self, name: &'static str) -> Self {
        Self { action: name, ..self }
    }

    /// Where a 429 says for how many seconds to wait, for answers without a `Retry-After` header.
    #[must_use]
    pub const fn retry_after(self, name: &'static str) -> Self {
        Self { retry_after: name, ..self }
    }

    /// Where a 409 lists the keys that have changed: the list, and in each of its objects the key, the version that was
    /// expected and the one that is there.
    #[must_use]
    pub const fn conflicts(
        self,
        list: &'static str,
        key: &'static str,
        expected: &'static str,
        actual: &'static str,
    ) -> Self {
        Self { conflicts: ConflictMembers { list, key, expected, actual }, ..self }
    }
}

impl Default for ErrorMembers {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that is about to be sent. `Debug` prints its operation alone.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    operation: &'a str,
    url: &'a url::Url,
    root: &'a str,
    body: &'a [u8],
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(operation: &'a str, url: &'a url::Url, root: &'a str, body: &'a [u8]) -> Self {
        Self { operation, url, root, body }
    }

    /// The name of the operation.
    #[must_use]
    pub fn operation(&self) -> &'a str {
        self.operation
    }

    /// The path below the root, percent-encoded as it is sent, without the query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        let below = self.url.as_str().strip_prefix(self.root).unwrap_or_default();
        below.split(['?', '#']).next().unwrap_or_default()
    }

    /// The first parameter of that name in the query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<Cow<'a, str>> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The body, which may hold secrets. Empty when there is none.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// An answer that is no success, as far as [`Protocol::explain`] may look at it. `Debug` does not print its body.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ErrorAnswer<'a> {
    /// The operation that was called.
    pub operation: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The kind of the error that it becomes.
    pub kind: ErrorKind,
    /// The documented form that its sentence has, with the holes open; see [`RefusalForms::sentences`].
    pub form: Option<&'static str>,
    /// Its machine-readable code, when it is a documented one.
    pub code: Option<&'static str>,
    /// Why the service forbids, by its code, action or sentence; see [`RefusalForms::reasons`].
    pub reason: Option<&'a Reason>,
    /// Whether somebody else than the service has given the answer, by [`Protocol::is_own_refusal`].
    pub is_foreign: bool,
    /// Whether the body is a web page, and so came from no route of an API.
    pub is_html: bool,
    pub(super) body: &'a [u8],
}

impl<'a> ErrorAnswer<'a> {
    /// The body as it was sent, which may repeat whatever the request carried: nothing of its text may be shown.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for ErrorAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorAnswer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("kind", &self.kind)
            .field("form", &self.form)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// What an answer means and what to do about it: the message of an error, and its hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub(super) meaning: Cow<'static, str>,
    pub(super) hints: Vec<Hint>,
}

impl Advice {
    /// What the answer means (`the project is blocked`), and what to do
    /// (`Hint::advice("Ask its owner to unblock it")`).
    #[must_use]
    pub fn new(meaning: impl Into<Cow<'static, str>>, hint: Hint) -> Self {
        Self { meaning: meaning.into(), hints: vec![hint] }
    }

    /// Adds what else to do.
    #[must_use]
    pub fn and(mut self, hint: Hint) -> Self {
        self.hints.push(hint);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_with_the_token_prints_nothing_of_it() {
        let token = Token::new("canary").expect("a good token");
        let authorization = Authorization::bearer(&token);
        assert_eq!((authorization.name, authorization.value.as_str()), ("authorization", "Bearer canary"));
        assert!(!format!("{authorization:?}").contains("canary"));
    }

    #[test]
    fn a_request_tells_its_path_below_the_root_and_its_query() {
        let url = url::Url::parse("https://host/api/projects/a%2Fb/x?id=c%20d&id=e").expect("a URL");
        let request = Outgoing::new("read", &url, "https://host/api", b"");
        assert_eq!((request.path(), request.query("id").as_deref()), ("/projects/a%2Fb/x", Some("c d")));
        assert_eq!((request.query("none"), Outgoing { root: "https://other", ..request }.path()), (None, ""));
        assert_eq!(format!("{request:?}"), "Outgoing { operation: \"read\", .. }");
    }
}
