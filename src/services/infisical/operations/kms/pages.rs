//! The list of a project's keys, page by page.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, Stream, StreamExt};

use super::keys::KmsKey;
use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::scope::ProjectName;
use crate::services::infisical::{Infisical, InfisicalScope};

/// As many keys as servers give in one page.
const PAGE: usize = 100;

/// More pages than that are not asked for.
const MOST_PAGES: usize = 1_000;

/// The operation of a [`Request`] that lists keys.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListKmsKeys {
    search: Option<String>,
    descends: bool,
    offset: usize,
    limit: Option<usize>,
}

/// # Infisical: lists of keys
impl<M> Client<Infisical, M> {
    /// Lists the keys of the project in order of their names; awaiting gives all of them, and [`pages`](Request::pages) a page of
    /// 100 at a time. [`search`](Request::search), [`descending`](Request::descending), [`offset`](Request::offset) and
    /// [`limit`](Request::limit) choose among them.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden), [`NotFound`](crate::ErrorKind::NotFound) from a server without keys, and those of
    /// any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let mut pages = client.list_kms_keys().pages();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} keys", page?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_kms_keys(&self) -> Request<'_, Infisical, ListKmsKeys, M> {
        self.request(InfisicalScope::default(), ListKmsKeys::default())
    }
}

impl Operation for ListKmsKeys {
    const NAME: &'static str = "list_kms_keys";
    type Source = Infisical;
    type Output = Vec<KmsKey>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Vec<KmsKey>, XtraError> {
        let mut walk = Walk::new(call.project().await?, self);
        let mut all = Vec::new();
        while let Some(page) = walk.next(call.source()).await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl<M> Request<'_, Infisical, ListKmsKeys, M> {
    /// Only keys whose names hold this text. Default: all.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.operation.search = Some(text.into());
        self
    }

    /// From the last name to the first. Default: from the first to the last.
    pub fn descending(mut self) -> Self {
        self.operation.descends = true;
        self
    }

    /// Leaves out so many keys at the beginning. Default: none.
    pub fn offset(mut self, keys: usize) -> Self {
        self.operation.offset = keys;
        self
    }

    /// At most so many keys, over all pages. Default: as many as there are.
    pub fn limit(mut self, keys: usize) -> Self {
        self.operation.limit = Some(keys);
        self
    }
}

impl Request<'_, Infisical, ListKmsKeys> {
    /// Every page, one after the other, as a stream. A key that is created or deleted meanwhile may be missed or come twice.
    pub fn pages(self) -> KmsKeyPages {
        let client = Client::over(Arc::clone(self.engine));
        let named = self.source().project_of(&self.scope);
        let begin = Some(self.operation);
        let state = named.map(|project| Reading { client, project, begin, walk: None });
        let pages = stream::unfold(Some(state), |state| async move {
            let read = match state? {
                Err(error) => Err(error),
                Ok(mut reading) => reading.next().await.map(|page| (page, reading)),
            };
            match read {
                Ok((page, reading)) => page.map(|page| (Ok(page), Some(Ok(reading)))),
                Err(error) => Some((Err(error.in_call(ListKmsKeys::NAME)), None)),
            }
        });
        KmsKeyPages { pages: Mutex::new(Box::pin(pages.fuse())) }
    }
}

type Pages = Pin<Box<dyn Stream<Item = Result<Vec<KmsKey>, XtraError>> + Send>>;

/// The pages of a project's keys, one after the other; from [`Request::pages`].
#[must_use = "nothing is asked for before the first page is"]
pub struct KmsKeyPages {
    /// Never locked: it is there so that this can be shared between threads.
    pages: Mutex<Pages>,
}

impl KmsKeyPages {
    /// The next page; `None` after the last, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`list_kms_keys`](Client::list_kms_keys).
    pub async fn next(&mut self) -> Option<Result<Vec<KmsKey>, XtraError>> {
        self.pages.get_mut().unwrap_or_else(PoisonError::into_inner).next().await
    }
}

impl fmt::Debug for KmsKeyPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKeyPages").finish_non_exhaustive()
    }
}

struct Reading {
    client: Client<Infisical>,
    project: ProjectName<'static>,
    /// What is listed, until the first page is asked for.
    begin: Option<ListKmsKeys>,
    walk: Option<Walk>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Vec<KmsKey>>, XtraError> {
        let source = self.client.source();
        if let Some(wanted) = self.begin.take() {
            self.walk = Some(Walk::new(source.id_of(self.project.clone()).await?, wanted));
        }
        match &mut self.walk {
            Some(walk) => walk.next(source).await,
            None => Ok(None),
        }
    }
}

/// The way through the list so far.
struct Walk {
    project: String,
    wanted: ListKmsKeys,
    pages: usize,
    is_done: bool,
}

impl Walk {
    fn new(project: String, wanted: ListKmsKeys) -> Self {
        let is_done = wanted.limit == Some(0);
        Self { project, wanted, pages: 0, is_done }
    }

    async fn next(&mut self, source: &Infisical) -> Result<Option<Vec<KmsKey>>, XtraError> {
        if self.is_done {
            return Ok(None);
        }
        if self.pages == MOST_PAGES {
            return Err(XtraError::new(ErrorKind::Decode, "the list of keys has more pages than are read"));
        }
        let Self { project, wanted, .. } = self;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let size = wanted.limit.map_or(PAGE, |left| left.min(PAGE));
        let request = source.raw().kms_keys_list().project_id(project.as_str()).order_by("name");
        let request = request.order_direction(if wanted.descends { "desc" } else { "asc" });
        let request = request.offset(number(wanted.offset)).limit(number(size));
        let request = match &wanted.search {
            Some(text) => request.search(text),
            None => request,
        };
        let page = request.send().await.map_err(|error| error.into_error())?.into_inner();
        let mut keys: Vec<KmsKey> = page.keys.into_iter().map(KmsKey::from).collect();
        // a server that sends more than was asked for has sent them
        wanted.offset = wanted.offset.saturating_add(keys.len());
        if let Some(left) = &mut wanted.limit {
            keys.truncate(*left);
            *left -= keys.len();
        }
        self.pages += 1;
        let total = page.total_count.and_then(|total| usize::try_from(total).ok());
        let is_last = total.is_none_or(|total| wanted.offset >= total) || wanted.limit == Some(0);
        self.is_done = keys.is_empty() || is_last;
        Ok(if keys.is_empty() { None } else { Some(keys) })
    }
}

/// The first key of a project of which this is true.
pub(super) async fn first_of(
    source: &Infisical,
    project: String,
    is_wanted: impl Fn(&KmsKey) -> bool,
) -> Result<Option<KmsKey>, XtraError> {
    let mut walk = Walk::new(project, ListKmsKeys::default());
    while let Some(page) = walk.next(source).await? {
        if let Some(key) = page.into_iter().find(&is_wanted) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
