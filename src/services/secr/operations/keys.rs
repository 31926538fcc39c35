//! The names of secrets, without their values.

use std::borrow::Cow;

use super::moment;
use super::pull::{PageQuery, Paged, Pagination, checked};
use crate::core::{Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::secr::pages::Part;
use crate::services::secr::{Secr, SecrScope, raw};

const ASSUMED: &str = "Assumed, and not documented: the answer is an object whose `keys` is a list of objects with a text as `key`, and \
                       whose `pagination`, if there is one, has the numbers `limit`, `offset` and `total`";

/// The operation of a [`Request`] that lists names of secrets.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ListKeys {
    query: PageQuery,
}

/// Names of secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListedKeys {
    /// The names, in the order of the service.
    pub keys: Vec<SecretKey>,
    /// Which part of the environment they are. Without it they are taken to be all (inferred).
    pub pagination: Option<Pagination>,
}

/// Everything of a secret but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretKey {
    /// The secret's name.
    pub key: String,
    /// Its version, which grows with each change.
    pub version: Option<u64>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// A note.
    pub description: Option<String>,
}

/// # secr: list names
impl<M> Client<Secr, M> {
    /// Lists the names of an environment's secrets; awaiting gives a [`ListedKeys`]. No value is sent. The options are those of
    /// [`pull_secrets`](Self::pull_secrets).
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is assumed; and those of any call.
    pub fn list_keys<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Secr, ListKeys, M> {
        self.request(SecrScope::new(org, project, environment), ListKeys::default())
    }
}

impl Paged for ListKeys {
    fn page_query(&mut self) -> &mut PageQuery {
        &mut self.query
    }
}

impl Operation for ListKeys {
    const NAME: &'static str = "list_keys";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = ListedKeys;

    async fn perform(self, call: Call<'_, Secr>) -> Result<ListedKeys, XtraError> {
        let scope = call.scope().checked()?;
        let request =
            call.source().raw.secrets_list_keys().org(scope.org).project(scope.project).env(scope.environment);
        let request = match self.query.limit {
            Some(limit) => request.limit(limit),
            None => request,
        };
        let request = match self.query.offset {
            Some(offset) => request.offset(offset),
            None => request,
        };
        let request = match self.query.search {
            Some(text) => request.search(text),
            None => request,
        };
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let part = answer.pagination.map(|part| Part { limit: part.limit, offset: part.offset, total: part.total });
        let keys = answer.keys.into_iter().map(|key| SecretKey {
            key: key.key,
            version: key.version.and_then(|version| version.try_into().ok()),
            updated_at: moment(key.updated_at.as_deref()),
            description: key.description,
        });
        Ok(ListedKeys { keys: keys.collect(), pagination: part.map(checked).transpose()? })
    }
}
