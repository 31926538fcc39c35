//! The list of a project's keys, page by page.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, Stream, StreamExt};

use super::keys::KmsKey;
use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// As many keys as servers give in one page.
const PAGE: usize = 100;

/// More pages than that are not asked for.
const MOST_PAGES: usize = 1_000;

/// The operation of a [`Request`] that lists keys.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListKmsKeys;

/// # Infisical: lists of keys
impl<M> Client<Infisical, M> {
    /// Lists the keys of the project in order of their names; awaiting gives all of them, and [`pages`](Request::pages) a page of
    /// 100 at a time.
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
        self.request(InfisicalScope::default(), ListKmsKeys)
    }
}

impl Operation for ListKmsKeys {
    const NAME: &'static str = "list_kms_keys";
    type Source = Infisical;
    type Output = Vec<KmsKey>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Vec<KmsKey>, XtraError> {
        let mut walk = Walk::new(call.project().await?);
        let mut all = Vec::new();
        while let Some(page) = walk.next(call.source()).await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl Request<'_, Infisical, ListKmsKeys> {
    /// Every page, one after the other, as a stream. A key that is created or deleted meanwhile may be missed or come twice.
    pub fn pages(self) -> KmsKeyPages {
        let client = Client::over(Arc::clone(self.engine));
        let named = self.source().project_of(&self.scope);
        let state = named.map(|project| Reading { client, project: Some(project), walk: None });
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
    project: Option<crate::services::infisical::scope::ProjectName<'static>>,
    walk: Option<Walk>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Vec<KmsKey>>, XtraError> {
        let source = self.client.source();
        if let Some(project) = self.project.take() {
            self.walk = Some(Walk::new(source.id_of(project).await?));
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
    offset: usize,
    pages: usize,
    is_done: bool,
}

impl Walk {
    fn new(project: String) -> Self {
        Self { project, offset: 0, pages: 0, is_done: false }
    }

    async fn next(&mut self, source: &Infisical) -> Result<Option<Vec<KmsKey>>, XtraError> {
        if self.is_done {
            return Ok(None);
        }
        if self.pages == MOST_PAGES {
            return Err(XtraError::new(ErrorKind::Decode, "the list of keys has more pages than are read"));
        }
        let request = source.raw().kms_keys_list().project_id(&self.project).order_by("name").order_direction("asc");
        let request = request.offset(i64::try_from(self.offset).unwrap_or(i64::MAX)).limit(PAGE as i64);
        let page = request.send().await.map_err(|error| error.into_error())?.into_inner();
        self.offset = self.offset.saturating_add(page.keys.len());
        self.pages += 1;
        let total = page.total_count.and_then(|total| usize::try_from(total).ok());
        self.is_done = page.keys.is_empty() || total.is_none_or(|total| self.offset >= total);
        let keys: Vec<KmsKey> = page.keys.into_iter().map(KmsKey::from).collect();
        Ok(if keys.is_empty() { None } else { Some(keys) })
    }
}

/// The first key of a project of which this is true.
pub(super) async fn first_of(
    source: &Infisical,
    project: String,
    is_wanted: impl Fn(&KmsKey) -> bool,
) -> Result<Option<KmsKey>, XtraError> {
    let mut walk = Walk::new(project);
    while let Some(page) = walk.next(source).await? {
        if let Some(key) = page.into_iter().find(&is_wanted) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
