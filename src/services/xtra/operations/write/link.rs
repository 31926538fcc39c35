//! A secret whose value is that of another one.

use std::borrow::Cow;

use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Operation};
use crate::engine::{Client, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::writing::{Naming, Source, Target, check_name};
use crate::services::xtra::{Place, Xtra, XtraScope, check_environment, is_same_project, shown_name};

/// The secret that a link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkSource {
    /// The id of its project: 24 hexadecimal digits, unless the service is a server of somebody's own.
    pub project: String,
    /// Its environment, spelled as it is stored.
    pub environment: String,
    /// Its name.
    pub key: String,
}

impl LinkSource {
    /// The secret `key` of an environment of a project, which may be another one than that of the link. When several branches
    /// have it, the service takes the one that it finds first.
    pub fn new(project: impl Into<String>, environment: impl Into<String>, key: impl Into<String>) -> Self {
        Self { project: project.into(), environment: environment.into(), key: key.into() }
    }
}

/// The operation of a [`Request`] that makes a link.
#[derive(Debug)]
pub struct LinkSecret {
    key: String,
    source: LinkSource,
    options: WriteOptions,
}

/// A link that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linked {
    /// The service's id of the link, for the [raw client](crate::XtraClient::raw).
    pub id: String,
}

impl<M> Client<Xtra, M> {
    /// Makes a secret on `main` whose value is always that of another one, in this project or another. Links are read like any
    /// secret; [`delete_secret`](Self::delete_secret) takes them away.
    ///
    /// Links hang on no branch, so they are seen on `main` only. Four or five requests are sent: what is there is looked at
    /// first, because the service would keep a second secret of the same name, and the link is read back, unless
    /// [`unconfirmed`](Request::unconfirmed) is said. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for another branch than `main`, a name or id that cannot be,
    /// or a link to itself; also when the source is a link;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the secret exists already, or no read gives the link afterwards; [`NotFound`](crate::ErrorKind::NotFound) when
    /// the source does not exist; [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of
    /// any call. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, read the environment before
    /// another try.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// use xtrasecurity::write::LinkSource;
    ///
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// # let project = server.project_id();
    /// client.set_secret("staging", "SHARED_TOKEN", "t-1").await?;
    /// client.link("development", "TOKEN", LinkSource::new(project, "staging", "SHARED_TOKEN")).await?;
    /// client.set_secret("staging", "SHARED_TOKEN", "t-2").await?;
    /// assert_eq!(client.get_secrets("development").await?.require("TOKEN")?.expose(), "t-2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn link<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        source: LinkSource,
    ) -> Request<'a, Xtra, LinkSecret, M> {
        self.request(
            XtraScope::new(environment),
            LinkSecret { key: key.into(), source, options: WriteOptions::default() },
        )
    }
}

impl Operation for LinkSecret {
    const NAME: &'static str = "link";
    type Source = Xtra;
    type Output = Linked;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Linked, XtraError> {
        let Self { key, source, .. } = &self;
        call.source().checked_project(&source.project)?;
        check_environment(&source.environment)?;
        check_name(&source.key, Naming::Any)?;
        check_name(key, Naming::Any)?;
        let branch = call.source().branch_of(call.scope())?;
        if branch != "main" {
            return Err(invalid(format!(
                "nothing was linked: links are seen on the branch main only, and this is {}",
                shown_name(branch)
            )));
        }
        let place = call.place().await?;
        if is_itself(&place, key, source) {
            return Err(invalid(format!("nothing was linked: the link {} would be its own source", shown_name(key))));
        }
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key, exact: self.options.is_exact() };
        let from = Source { project: &source.project, environment: &source.environment, key: &source.key };
        Ok(Linked { id: call.source().link(target, from, self.options.reads_back()).await? })
    }
}

writes!(LinkSecret);

impl ReadsBack for LinkSecret {}

fn is_itself(place: &Place, key: &str, source: &LinkSource) -> bool {
    is_same_project(&source.project, &place.project) && source.environment == place.environment && source.key == key
}

fn invalid(message: String) -> XtraError {
    XtraError::new(ErrorKind::Invalid, message)
}
