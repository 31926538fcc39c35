//! Secrets with their values: a page, every page, and all of an environment as a snapshot.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::moment;
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, Unreadable, UnreadableReason, XtraError};
use crate::engine::{Call, Client, Loaded, Operation, Request, SecretSource};
use crate::services::placeholder;
use crate::services::secr::pages::{Ask, Part, Walk, has_changed};
use crate::services::secr::raw::{self, types};
use crate::services::secr::{Secr, SecrScope};

/// How often a list is read from the start when it changes while it is read.
const ATTEMPTS: usize = 3;

const ASSUMED: &str = "Assumed, and not documented: the answer is an object whose `secrets` is a list of objects with a text as `key` and \
                       one as `value`, and whose `pagination`, if there is one, has the numbers `limit`, `offset` and `total`";

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageQuery {
    pub(super) limit: Option<u32>,
    pub(super) offset: Option<u32>,
    pub(super) search: Option<String>,
}

/// An operation that asks for a part of a list.
pub trait Paged: Operation<Source = Secr> {
    /// Which part.
    fn page_query(&mut self) -> &mut PageQuery;
}

/// Which part of a list an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pagination {
    /// How many entries the service gives at most.
    pub limit: u64,
    /// How many come before the first one here.
    pub offset: u64,
    /// How many there are in all.
    pub total: u64,
}

/// The operation of a [`Request`] that pulls secrets.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct PullSecrets {
    query: PageQuery,
}

/// Secrets as they were pulled, in the order of the service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PulledSecrets {
    /// The secrets.
    pub secrets: Vec<PulledSecret>,
    /// Which part of the environment they are. Without it they are taken to be all (inferred).
    pub pagination: Option<Pagination>,
}

/// One secret as it was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PulledSecret {
    /// The secret's name.
    pub key: String,
    /// Its value.
    pub value: SecretValue,
    /// Its version, which grows with each change.
    pub version: Option<u64>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// A note.
    pub description: Option<String>,
}

/// # secr: pull secrets
impl<M> Client<Secr, M> {
    /// Pulls secrets of an environment, with their versions; awaiting gives a [`PulledSecrets`]. Nothing is cached: see
    /// [`get_secrets`](Self::get_secrets) for that.
    ///
    /// Without further options it asks for all of them. [`limit`](Request::limit), [`offset`](Request::offset) and
    /// [`search`](Request::search) choose a part; [`pages`](Request::pages) goes through all parts.
    ///
    /// # Errors
    ///
    /// [`Undecryptable`](crate::ErrorKind::Undecryptable) or [`Masked`](crate::ErrorKind::Masked) when a value did not come
    /// through: secrets are never returned in part. [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is
    /// assumed; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::secr::SecrClient) -> Result<(), xtrasecurity::XtraError> {
    /// let pulled = client.pull_secrets("my-org", "my-project", "production").limit(50).search("DB_").await?;
    /// for secret in &pulled.secrets {
    ///     println!("{} is in version {:?}", secret.key, secret.version);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull_secrets<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Secr, PullSecrets, M> {
        self.request(SecrScope::new(org, project, environment), PullSecrets::default())
    }
}

impl<Op: Paged, M> Request<'_, Secr, Op, M> {
    /// At most so many entries. The service may give fewer; what it gives at most is not documented.
    pub fn limit(mut self, entries: u32) -> Self {
        self.operation.page_query().limit = Some(entries);
        self
    }

    /// Without so many entries at the start.
    pub fn offset(mut self, entries: u32) -> Self {
        self.operation.page_query().offset = Some(entries);
        self
    }

    /// Only entries whose names have this text. How the service compares is not documented, and the names are not compared again
    /// here: it is no exact match.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.operation.page_query().search = Some(text.into());
        self
    }
}

impl Request<'_, Secr, PullSecrets> {
    /// Every page, from [`offset`](Self::offset) on, of [`limit`](Self::limit) secrets each, as a stream.
    ///
    /// A list that changes while its pages are read is noticed: the stream then ends with
    /// [`Conflict`](crate::ErrorKind::Conflict). What it gave before is what was there at the time; start again for one picture of
    /// all. [`get_secrets`](crate::Client::get_secrets) does that by itself.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::secr::SecrClient) -> Result<(), xtrasecurity::XtraError> {
    /// let mut pages = client.pull_secrets("my-org", "my-project", "production").limit(100).pages();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} secrets", page?.secrets.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages(self) -> SecretPages {
        let (client, query) = (Client::over(std::sync::Arc::clone(self.engine)), self.operation.query);
        let scope = match query.limit {
            Some(0) => Err(XtraError::new(ErrorKind::Invalid, "pages of no secrets have no end. Nothing was sent")),
            _ => self.scope.checked(),
        };
        let state = scope.map(|scope| {
            let walk = Walk::new(query.limit.map(u64::from), query.offset.map(u64::from));
            let first = walk.first();
            Reading { client, scope, search: query.search, walk, next: Some(first) }
        });
        let pages = stream::unfold(Some(state), |state| async move {
            match state? {
                Err(error) => Some((Err(error.in_call(PullSecrets::NAME)), None)),
                Ok(mut reading) => match reading.next_page().await {
                    Ok(page) => page.map(|page| (Ok(page), Some(Ok(reading)))),
                    Err(error) => Some((Err(error.in_call(PullSecrets::NAME)), None)),
                },
            }
        });
        SecretPages { pages: Mutex::new(Box::pin(pages.fuse())) }
    }
}

/// The pages of an environment's secrets, one after the other; from [`Request::pages`]. It is a stream too.
#[must_use = "nothing is asked for before the first page is"]
pub struct SecretPages {
    /// Never locked: it is there so that this can be shared between threads.
    pages: Mutex<Pages>,
}

type Pages = Pin<Box<dyn Stream<Item = Result<PulledSecrets, XtraError>> + Send>>;

impl SecretPages {
    /// The next page; `None` after the last, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`pull_secrets`](Client::pull_secrets), and [`Conflict`](crate::ErrorKind::Conflict) when the list has changed in
    /// between.
    pub async fn next(&mut self) -> Option<Result<PulledSecrets, XtraError>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for SecretPages {
    type Item = Result<PulledSecrets, XtraError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pages = self.get_mut().pages.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        pages.as_mut().poll_next(context)
    }
}

impl fmt::Debug for SecretPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretPages").finish_non_exhaustive()
    }
}

/// Pages that are being read.
struct Reading {
    client: Client<Secr>,
    scope: SecrScope<'static>,
    search: Option<String>,
    walk: Walk,
    next: Option<Ask>,
}

impl Reading {
    async fn next_page(&mut self) -> Result<Option<PulledSecrets>, XtraError> {
        let Some(ask) = self.next.take() else { return Ok(None) };
        let page = self.client.source().pull_page(&self.scope, ask, self.search.as_deref()).await?;
        let taken = self.walk.take(page.secrets, page.part, |secret| &secret.key)?;
        self.next = taken.next;
        Ok(Some(PulledSecrets { secrets: readable(taken.entries)?, pagination: page.part.and_then(pagination) }))
    }
}

impl Paged for PullSecrets {
    fn page_query(&mut self) -> &mut PageQuery {
        &mut self.query
    }
}

impl Operation for PullSecrets {
    const NAME: &'static str = "pull_secrets";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = PulledSecrets;

    async fn perform(self, call: Call<'_, Secr>) -> Result<PulledSecrets, XtraError> {
        let scope = call.scope().checked()?;
        let PageQuery { limit, offset, search } = self.query;
        let ask = Ask { limit: limit.map(u64::from), offset: offset.map(u64::from) };
        let page = call.source().pull_page(&scope, ask, search.as_deref()).await?;
        Ok(PulledSecrets { secrets: readable(page.secrets)?, pagination: page.part.map(checked).transpose()? })
    }
}

/// One answer.
struct Page {
    secrets: Vec<types::Secret>,
    part: Option<Part>,
}

impl Secr {
    async fn pull_page(&self, scope: &SecrScope<'_>, ask: Ask, search: Option<&str>) -> Result<Page, XtraError> {
        let request = self.raw.secrets_pull().org(&*scope.org).project(&*scope.project).env(&*scope.environment);
        let request = match ask.limit {
            Some(limit) => request.limit(limit.cast_signed()),
            None => request,
        };
        let request = match ask.offset {
            Some(offset) => request.offset(offset.cast_signed()),
            None => request,
        };
        let request = match search {
            Some(text) => request.search(text),
            None => request,
        };
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let part = answer.pagination.map(|part| Part { limit: part.limit, offset: part.offset, total: part.total });
        Ok(Page { secrets: answer.secrets, part })
    }

    /// All secrets of an environment: in one answer, or page by page when the service gives pages unasked.
    pub(in crate::services::secr) async fn pull_all(&self, scope: &SecrScope<'static>) -> Result<Loaded, XtraError> {
        let reading = async {
            let mut attempt = 1;
            loop {
                match self.pull_once(scope).await {
                    Err(error) if has_changed(&error) && attempt < ATTEMPTS => attempt += 1,
                    outcome => return outcome,
                }
            }
        };
        // all pages are one call to whoever waits, and have its time together
        let limit = self.call_timeout();
        tokio::time::timeout(limit, reading).await.unwrap_or_else(|_| {
            let message = format!("the secrets were not read to their end within {limit:?}");
            Err(XtraError::new(ErrorKind::Timeout, message).with_hint(Hint::Raise { limit: "call_timeout" }))
        })
    }

    async fn pull_once(&self, scope: &SecrScope<'static>) -> Result<Loaded, XtraError> {
        let mut walk = Walk::new(None, None);
        let (mut next, mut values, mut unreadable) = (Some(walk.first()), Vec::new(), Vec::new());
        let mut bytes = 0_usize;
        while let Some(ask) = next {
            let page = self.pull_page(scope, ask, None).await?;
            let taken = walk.take(page.secrets, page.part, |secret| &secret.key)?;
            for secret in taken.entries {
                bytes = bytes.saturating_add(secret.key.len());
                match value(secret.value) {
                    Ok(value) => {
                        bytes = bytes.saturating_add(value.len());
                        values.push((secret.key, value));
                    }
                    Err(reason) => unreadable.push(Unreadable::new(secret.key, reason)),
                }
            }
            if bytes > self.most_bytes {
                let message = format!("the pages of the environment have more than {} bytes together", self.most_bytes);
                return Err(
                    XtraError::new(ErrorKind::TooLarge, message).with_hint(Hint::Raise { limit: "max_response_bytes" })
                );
            }
            next = taken.next;
        }
        Ok(Loaded::from_iter(values).with_unreadable(unreadable))
    }
}

/// The value that a secret has, or why it is none.
fn value(sent: crate::http::runtime::wire::WireSecret) -> Result<SecretValue, UnreadableReason> {
    let value = sent.into_value().ok_or(UnreadableReason::NoValue)?;
    placeholder::recognise(value.expose()).map_or(Ok(value), Err)
}

/// The secrets, when every value came through.
fn readable(secrets: Vec<types::Secret>) -> Result<Vec<PulledSecret>, XtraError> {
    let (mut all, mut without, mut kind) = (Vec::with_capacity(secrets.len()), Vec::new(), ErrorKind::Undecryptable);
    for secret in secrets {
        match value(secret.value) {
            Ok(value) => all.push(PulledSecret {
                key: secret.key,
                value,
                version: secret.version.and_then(|version| version.try_into().ok()),
                updated_at: moment(secret.updated_at.as_deref()),
                description: secret.description,
            }),
            Err(reason) => {
                if reason == UnreadableReason::Masked {
                    kind = ErrorKind::Masked;
                }
                without.push(secret.key);
            }
        }
    }
    if without.is_empty() {
        return Ok(all);
    }
    let message =
        "the service sent no values for some secrets, or placeholders in their place, and nothing is returned";
    Err(XtraError::new(kind, message).with_note(format!("Affected: {}", without.join(", "))).with_names(without))
}

pub(super) fn pagination(part: Part) -> Option<Pagination> {
    let number = |number: i64| u64::try_from(number).ok();
    Some(Pagination { limit: number(part.limit)?, offset: number(part.offset)?, total: number(part.total)? })
}

/// The numbers of a page, when they are numbers of one.
pub(super) fn checked(part: Part) -> Result<Pagination, XtraError> {
    pagination(part).ok_or_else(|| {
        let message = "the page of the answer has a negative number";
        XtraError::new(ErrorKind::Decode, message).with_note(ASSUMED)
    })
}
