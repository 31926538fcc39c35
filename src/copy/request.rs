//! The requests that plan a copy: of a scope, or of a snapshot.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use super::plan::CopyPlan;
use super::rules::{Copies, Rules};
use super::target::{SecretTarget, refuse_saved};
use crate::core::{Secrets, XtraError};
use crate::engine::read_options::Options;
use crate::engine::{Async, Call, Client, Operation, Read, Request, SecretSource};

/// The operation of a [`Request`] that plans a copy of what it reads.
pub struct CopyTo<T: SecretTarget> {
    client: Client<T>,
    scope: T::Scope<'static>,
    rules: Rules,
}

/// The operation of a [`Request`] that plans a copy of a snapshot.
pub struct CopySecrets<'s, T> {
    secrets: &'s Secrets,
    rules: Rules,
    target: PhantomData<fn() -> T>,
}

impl<'a, S: SecretSource, M> Request<'a, S, Read, M> {
    /// Plans a copy of the secrets to a scope of another client, or of the same: of any service that is a
    /// [`SecretTarget`]. Awaiting gives a [`CopyPlan`]; nothing is written before [`CopyPlan::apply`].
    ///
    /// The scope is read as the request says, but never from the cache, and so is the target.
    ///
    /// # Errors
    ///
    /// Those of both reads: a source that cannot be read is never taken for an empty one.
    /// [`EmptyScope`](crate::ErrorKind::EmptyScope) when the source has no secrets, which a mistyped name looks like;
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret) when it has none of a name that [`only`](Self::only) or
    /// [`rename`](Self::rename) gives.
    ///
    /// ```
    /// # #[cfg(all(feature = "xtra", feature = "dev-server"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "SIGNING_KEY", "s-1").await?;
    /// let plan = client.get_secrets("staging").copy_to(&client, "rehearsal").only(["SIGNING_KEY"]).await?;
    /// assert_eq!((plan.created(), plan.obstacles().len()), (&["SIGNING_KEY".to_owned()][..], 0));
    ///
    /// let report = plan.apply().await?;
    /// assert_eq!(report.created, ["SIGNING_KEY"]);
    /// assert_eq!(client.get_secrets("rehearsal").await?.require("SIGNING_KEY")?.expose(), "s-1");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "xtra", feature = "dev-server")))]
    /// # fn main() {}
    /// ```
    pub fn copy_to<'t, T: SecretTarget, N>(
        self,
        target: &Client<T, N>,
        scope: impl Into<T::Scope<'t>>,
    ) -> Request<'a, S, CopyTo<T>, M> {
        let scope = T::owned_scope(&scope.into());
        self.with_operation(CopyTo { client: target.in_mode::<Async>(), scope, rules: Rules::default() })
    }
}

/// # Copy secrets to a scope
impl<T: SecretTarget, M> Client<T, M> {
    /// Plans a copy of a snapshot to `scope`; awaiting gives a [`CopyPlan`]. For secrets that are put together from several reads;
    /// one read is copied by [`copy_to`](Request::copy_to). Names without a value in the snapshot are obstacles here too.
    ///
    /// # Errors
    ///
    /// Those of [`copy_to`](Request::copy_to).
    ///
    /// ```
    /// # #[cfg(all(feature = "xtra", feature = "dev-server"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{Secrets, XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// let secrets = Secrets::from_iter([("HOST", "db.internal"), ("PORT", "5432")]);
    /// let report = client.copy_secrets("rehearsal", &secrets).prefix("DB_").await?.apply().await?;
    /// assert_eq!(report.created, ["DB_HOST", "DB_PORT"]);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "xtra", feature = "dev-server")))]
    /// # fn main() {}
    /// ```
    pub fn copy_secrets<'a, 't>(
        &'a self,
        scope: impl Into<T::Scope<'t>>,
        secrets: &'a Secrets,
    ) -> Request<'a, T, CopySecrets<'a, T>, M> {
        self.request(
            T::owned_scope(&scope.into()),
            CopySecrets { secrets, rules: Rules::default(), target: PhantomData },
        )
    }
}

impl<S: SecretSource, T: SecretTarget> Request<'_, S, CopyTo<T>> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// Those of [`copy_to`](Request::copy_to).
    pub async fn send(self) -> Result<CopyPlan<T>, XtraError> {
        let Self { engine, scope, options, operation, .. } = self;
        let options = Options { no_cache: true, allow_unreadable: true, ..options };
        let read = async {
            let secrets = engine.snapshot(&scope, options).await?;
            refuse_saved(&secrets)?;
            Ok(secrets)
        };
        let secrets = read.await.map_err(|error: XtraError| {
            engine.of_call(
                "copy_to",
                &scope,
                error.with_note("This was to read what is to be copied. Nothing was written"),
            )
        })?;
        let CopyTo { client, scope: target, rules } = operation;
        let plan = CopyPlan::make(client, target, rules, &secrets);
        plan.await.map_err(|error| match error.call() {
            Some(_) => error,
            None => engine.of_call("copy_to", &scope, error),
        })
    }
}

impl<'a, S: SecretSource, T: SecretTarget> IntoFuture for Request<'a, S, CopyTo<T>> {
    type Output = Result<CopyPlan<T>, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<T: SecretTarget> Operation for CopySecrets<'_, T> {
    const NAME: &'static str = "copy_secrets";
    type Source = T;
    type Output = CopyPlan<T>;

    async fn perform(self, call: Call<'_, T>) -> Result<CopyPlan<T>, XtraError> {
        CopyPlan::make(call.client(), T::owned_scope(call.scope()), self.rules, self.secrets).await
    }
}

impl<T: SecretTarget> Copies for CopyTo<T> {
    fn rules(&mut self) -> &mut Rules {
        &mut self.rules
    }
}

impl<T> Copies for CopySecrets<'_, T> {
    fn rules(&mut self) -> &mut Rules {
        &mut self.rules
    }
}

impl<T: SecretTarget> fmt::Debug for CopyTo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyTo").field("target", &self.client.source().name()).field("rules", &self.rules).finish()
    }
}

impl<T> fmt::Debug for CopySecrets<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopySecrets").field("secrets", &self.secrets.len()).field("rules", &self.rules).finish()
    }
}
