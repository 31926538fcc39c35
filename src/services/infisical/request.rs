//! The requests of reads, by each version of the interface that has them.

use std::sync::Arc;

use super::refusals;
use super::scope::{CheckedScope, ProjectName};
use super::wire::{List, One};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::http::{Method, Request, Transport};

/// A version of the interface of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Api {
    /// `/v3/secrets/raw`, which servers of 2024 have alone.
    V3 = 3,
    /// `/v4/secrets`.
    V4 = 4,
}

impl Api {
    pub(super) const UNKNOWN: u8 = 0;

    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::V3, Self::V4].into_iter().find(|api| *api as u8 == number)
    }

    /// The name of the operation that reads one secret, or a folder.
    pub(super) fn operation(self, one: bool) -> &'static str {
        match (self, one) {
            (Self::V3, false) => "secrets_v3_list",
            (Self::V3, true) => "secrets_v3_get",
            (Self::V4, false) => "secrets_list",
            (Self::V4, true) => "secrets_get",
        }
    }

    pub(super) fn path(self) -> &'static [&'static str] {
        match self {
            Self::V3 => &["v3", "secrets", "raw"],
            Self::V4 => &["v4", "secrets"],
        }
    }
}

impl Api {
    /// The route of writes of several secrets.
    pub(super) fn batch_path(self) -> &'static [&'static str] {
        match self {
            Self::V3 => &["v3", "secrets", "batch", "raw"],
            Self::V4 => &["v4", "secrets", "batch"],
        }
    }
}

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) transport: &'a Transport,
    pub(super) api: Api,
    pub(super) scope: &'a CheckedScope,
}

impl<'a> Asked<'a> {
    /// The rows of a folder or tree. `None` when they are those that `known` stands for.
    pub(super) async fn list(&self, known: Option<&str>) -> Result<Option<Told<List>>, XtraError> {
        let scope = self.scope;
        let request = self.begin(false, [], known).await?.query("recursive", word(scope.recursive));
        let request = match self.api {
            Api::V4 => request.query("includePersonalOverrides", word(scope.personal)),
            Api::V3 => request,
        };
        let request = if scope.tags.is_empty() { request } else { request.query("tagSlugs", scope.tags.join(",")) };
        let request = match scope.metadata.is_empty() {
            true => request,
            false => request.query("metadataFilter", metadata_filter(&scope.metadata)),
        };
        told(request, known).await
    }

    /// One secret by its name. `None` when it is the one that `known` stands for.
    pub(super) async fn get(
        &self,
        name: &str,
        personal: bool,
        known: Option<&str>,
    ) -> Result<Option<Told<One>>, XtraError> {
        let request = self.begin(true, [name], known).await?;
        let request = request.query("type", if personal { "personal" } else { "shared" });
        let request = match self.scope.version {
            Some(version) => request.query("version", version.to_string()),
            None => request,
        };
        told(request, known).await
    }

    /// A request that tells whether the server has this version of the interface.
    pub(super) async fn probe(&self) -> Result<(), XtraError> {
        let request = self.transport.call(self.api.operation(false), Method::Get).path(self.api.path());
        request.query("environment", &self.scope.environment).send().await.map(drop)
    }

    /// What every request has. Each flag is said: what is meant by none differs between versions.
    async fn begin<const N: usize>(
        &self,
        one: bool,
        below: [&str; N],
        known: Option<&str>,
    ) -> Result<Request<'a>, XtraError> {
        let scope = self.scope;
        let request = self.transport.call(self.api.operation(one), Method::Get).path(self.api.path()).path(below);
        let request = match (self.api, &scope.project) {
            (_, None) => request,
            (Api::V3, Some(ProjectName::Id(id))) => request.query("workspaceId", id.as_ref()),
            (Api::V3, Some(ProjectName::Slug(slug))) => request.query("workspaceSlug", slug.as_ref()),
            (Api::V4, Some(ProjectName::Id(id))) => request.query("projectId", id.as_ref()),
            (Api::V4, Some(ProjectName::Slug(slug))) => {
                request.query("projectId", project_id(self.transport, slug).await?)
            }
        };
        let request = request
            .query("environment", &scope.environment)
            .query("secretPath", &scope.path)
            .query("viewSecretValue", word(!scope.hidden))
            .query("expandSecretReferences", word(scope.expand))
            .query("include_imports", word(scope.imports));
        let request = match self.api {
            // early servers of this version know the other spelling
            Api::V4 => request.query("includeImports", word(scope.imports)),
            Api::V3 => request,
        };
        Ok(match known {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        })
    }
}

/// A flag as servers read it.
fn word(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

fn metadata_filter(wanted: &[(String, String)]) -> String {
    let parts = wanted.iter().map(|(name, value)| format!("key={name},value={value}"));
    parts.collect::<Vec<_>>().join("|")
}

/// An answer as a read needs it, and what the server tells it by.
pub(super) type Told<T> = (T, Option<Arc<str>>);

/// Sends a request. Tags of other answers than successes are not kept: a server takes any of them for known.
async fn told<T: serde::de::DeserializeOwned>(
    request: Request<'_>,
    known: Option<&str>,
) -> Result<Option<Told<T>>, XtraError> {
    let answer = match request.send().await {
        Err(error) if known.is_some() && error.status() == Some(304) => return Ok(None),
        outcome => outcome?,
    };
    // a weak one is never met
    let tag = answer.header("etag").filter(|tag| tag.len() <= LONGEST_TAG && tag.starts_with('"')).map(Arc::from);
    Ok(Some((answer.json()?, tag)))
}

/// No server's tags are nearly as long.
const LONGEST_TAG: usize = 256;

/// The id of the project with a slug, for servers that know ids alone.
pub(super) async fn project_id(transport: &Transport, slug: &str) -> Result<String, XtraError> {
    #[derive(serde::Deserialize)]
    struct Found {
        project: Option<Project>,
        id: Option<String>,
    }
    #[derive(serde::Deserialize)]
    struct Project {
        id: String,
    }
    let request = transport.call("projects_get_by_slug", Method::Get).path(["v1", "projects", "slug", slug]);
    let answer = match request.send().await {
        Err(error) if refusals::misses_route(&error) => {
            // servers of 2024 call it a workspace
            transport.call("workspaces_get_by_slug", Method::Get).path(["v2", "workspace", slug]).send().await
        }
        answer => answer,
    };
    let found: Found = answer?.json()?;
    found.project.map(|project| project.id).or(found.id).ok_or_else(|| {
        XtraError::new(ErrorKind::Decode, "the server does not tell the id of the project with this slug")
            .with_hint(Hint::advice("Give the project's id"))
    })
}
