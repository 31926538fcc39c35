//! Secrets where programs read their configuration: a provider of figment, a source of config-rs.

#[cfg(feature = "config")]
mod config;
#[cfg(feature = "figment")]
mod figment;
mod layout;
mod tree;
#[cfg(feature = "typed")]
mod typed;

#[cfg(test)]
mod tests;

use std::fmt;
#[cfg(feature = "config")]
use std::future::Future;
#[cfg(feature = "config")]
use std::pin::Pin;
use std::sync::Arc;

use crate::core::{SecretValue, Secrets, XtraError};
#[cfg(feature = "config")]
use crate::engine::{Client, SecretSource};
use layout::Layout;
use tree::Table;

/// Secrets as a part of a program's configuration: a `Provider` of figment (feature `figment`), a `Source` or `AsyncSource`
/// of config-rs (feature `config`).
///
/// Names become keys: `__` and `.` nest, and letters become small ones, so that the secret `DATABASE__URL` is the key
/// `database.url`. A name with nothing before, between or after its separators (`__A`) is one key as it is.
///
/// Values stay the texts that they are: a password `00123` is not a number. config-rs turns texts into numbers and booleans
/// by itself, when the program asks for one. figment does not: say `typed::<Settings>()`, which takes the types from the
/// struct that the configuration is read as (feature `typed`), or [`guess_types`](Self::guess_types).
///
/// | made by | reads |
/// |---|---|
/// | [`new`](SecretsProvider::new) | a snapshot that the program has |
/// | [`lazy`](SecretsProvider::lazy) | when the configuration is put together, with the thread blocked: for a blocking client |
/// | [`deferred`](SecretsProvider::deferred), [`of_client`](SecretsProvider::of_client) | when the configuration is put together, awaited: `AsyncSource` only |
///
/// # Errors
///
/// They come out when the configuration is put together, with the text of the [`XtraError`]; config-rs keeps the error
/// itself, in `ConfigError::Foreign`.
///
/// - Those of the read: of the service, or for values that did not come through.
/// - [`EmptyScope`](crate::ErrorKind::EmptyScope) when there is no secret at all, or none with the [`prefix`](Self::prefix), because
///   a mistyped environment or prefix looks the same and the program would run with its defaults;
///   [`allow_empty`](Self::allow_empty) accepts it.
/// - [`Invalid`](crate::ErrorKind::Invalid) with both names when two secrets want the same key (`DATABASE_URL` and `database_url`)
///   or one wants to be above the other (`DATABASE` and `DATABASE__URL`). Neither is dropped in silence.
///
/// # What is out of this crate's hands
///
/// figment and config-rs copy the values into memory that is not wiped, print them when they are asked to print the
/// configuration, and **quote a value that has the wrong type in their errors** (`invalid type: found string "hunter2",
/// expected u16`). Do not log their errors where a value may be of the wrong type; a typed read of this crate
/// (`get_secrets_as`) names the secret, and not its value. A field of type [`SecretValue`] is wiped again, prints
/// as `[REDACTED]`, and refuses what is no text without quoting it.
///
/// ```
/// # #[cfg(feature = "figment")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use figment::Figment;
/// use figment::providers::Serialized;
/// use xtrasecurity::{Secrets, SecretsProvider};
///
/// # let secrets = Secrets::from_iter([("DATABASE__URL", "postgres://db"), ("PORT", "8080")]);
/// // let secrets = client.get_secrets("production").await?;
/// let figment = Figment::from(Serialized::default("database.pool", 8)).merge(SecretsProvider::new(&secrets).guess_types());
/// assert_eq!(figment.extract_inner::<String>("database.url")?, "postgres://db");
/// assert_eq!(figment.extract_inner::<u16>("port")?, 8080);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "figment"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
#[must_use = "a provider does nothing until it is merged into a configuration"]
pub struct SecretsProvider<R = ReadNow> {
    read: R,
    layout: Layout,
}

/// A [`SecretsProvider`] that has its secrets, or reads them with the thread blocked.
#[derive(Clone)]
pub struct ReadNow(Now);

#[derive(Clone)]
enum Now {
    Held {
        pairs: Arc<Vec<(String, SecretValue)>>,
        /// What to say when there is nothing that can be read.
        empty: XtraError,
    },
    Lazy(Arc<dyn Fn() -> Result<Arc<Secrets>, XtraError> + Send + Sync>),
}

/// A [`SecretsProvider`] whose secrets are awaited.
#[cfg(feature = "config")]
#[derive(Clone)]
pub struct ReadLater(Arc<dyn Fn() -> Reading + Send + Sync>);

#[cfg(feature = "config")]
type Reading = Pin<Box<dyn Future<Output = Result<Arc<Secrets>, XtraError>> + Send>>;

impl SecretsProvider<ReadNow> {
    /// The secrets of a snapshot. Names whose values did not come through are left out, as the read of the snapshot allowed.
    pub fn new(secrets: &Secrets) -> Self {
        let pairs = secrets.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let held = Now::Held { pairs: Arc::new(pairs), empty: empty(secrets) };
        Self { read: ReadNow(held), layout: Layout::default() }
    }

    /// The secrets that `read` brings, each time that a configuration is put together. It blocks the thread: this is for the
    /// blocking client.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use xtrasecurity::{Secrets, SecretsProvider};
    ///
    /// let provider = SecretsProvider::lazy(|| Ok(Arc::new(Secrets::from_iter([("PORT", "8080")]))));
    /// // SecretsProvider::lazy(move || client.get_secrets("production").send())
    /// ```
    pub fn lazy(read: impl Fn() -> Result<Arc<Secrets>, XtraError> + Send + Sync + 'static) -> Self {
        Self { read: ReadNow(Now::Lazy(Arc::new(read))), layout: Layout::default() }
    }

    fn table(&self) -> Result<Table, XtraError> {
        match &self.read.0 {
            Now::Held { pairs, empty } => {
                let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value));
                self.layout.table(pairs, || empty.clone())
            }
            Now::Lazy(read) => self.of_snapshot(&*read()?),
        }
    }
}

#[cfg(feature = "config")]
impl SecretsProvider<ReadLater> {
    /// The secrets that the future of `read` brings, each time that a configuration is put together.
    pub fn deferred<F>(read: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Arc<Secrets>, XtraError>> + Send + 'static,
    {
        Self { read: ReadLater(Arc::new(move || Box::pin(read()))), layout: Layout::default() }
    }

    /// The secrets of a client's scope, which an environment's name stands for: on the client's own project and branch.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use config::Config;
    /// use xtrasecurity::{SecretsProvider, XtraClient};
    ///
    /// let client = XtraClient::in_memory([("DATABASE__PORT", "5432")])?;
    /// let config = Config::builder().add_async_source(SecretsProvider::of_client(&client, "production")).build().await?;
    /// assert_eq!(config.get::<u16>("database.port")?, 5432);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_client<S>(client: &Client<S>, environment: impl Into<String>) -> Self
    where
        S: SecretSource,
        for<'a> S::Scope<'a>: From<String>,
    {
        let (client, environment) = (client.clone(), environment.into());
        Self::deferred(move || {
            let (client, environment) = (client.clone(), environment.clone());
            async move { client.read(environment.into()).await }
        })
    }

    async fn table_later(&self) -> Result<Table, XtraError> {
        self.of_snapshot(&*(self.read.0)().await?)
    }
}

impl<R> SecretsProvider<R> {
    fn of_snapshot(&self, secrets: &Secrets) -> Result<Table, XtraError> {
        self.layout.table(secrets.iter(), || empty(secrets))
    }

    /// What nests, besides `.`: `DATABASE__URL` is `database.url`. Default `__`; the empty text turns it off.
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.layout.separator = separator.into();
        self
    }

    /// Takes only the secrets whose names begin so, and takes that beginning off: with `APP_`, the secret `APP_PORT` is the
    /// key `port`. Case-sensitive. When no name begins so, that is an error, unless [`allow_empty`](Self::allow_empty).
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.layout.prefix = prefix.into();
        self
    }

    /// Leaves capital letters as they are.
    pub fn keep_case(mut self) -> Self {
        self.layout.keep_case = true;
        self
    }

    /// Takes `true` and `false` for booleans, and integers of at most 64 bits for integers, if they are written as this crate
    /// would write them: `8080` and `-1`, but not `00123`, `+1`, `1_000`, `1.0` or `TRUE`, which stay texts.
    ///
    /// A guess is a guess: a password that is made of digits only becomes a number, and a field that wants a text then fails.
    pub fn guess_types(mut self) -> Self {
        self.layout.guess_types = true;
        self
    }

    /// Takes keys and types from the schema of `T`, the type that the whole configuration is read as: [`Secrets::parse`] tells which secret
    /// feeds which key, and how its text is read. A password of digits stays a text where the type has a
    /// `String`, and `8080` is a number where it has a `u16`.
    ///
    /// Secrets that the schema does not know are left out, and what the secrets do not have is left to the other layers. Of
    /// the other options, [`prefix`](Self::prefix) and [`allow_empty`](Self::allow_empty) still count.
    ///
    /// # Errors
    ///
    /// When the configuration is put together: [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with every secret that does not fit, and no value.
    ///
    /// ```
    /// # #[cfg(feature = "figment")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use figment::Figment;
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::{Secrets, SecretsProvider};
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Settings {
    ///     port: u16,
    ///     pin: String,
    /// }
    ///
    /// let secrets = Secrets::from_iter([("PORT", "8080"), ("PIN", "1234")]);
    /// let settings: Settings = Figment::from(SecretsProvider::new(&secrets).typed::<Settings>()).extract()?;
    /// assert_eq!((settings.port, settings.pin.as_str()), (8080, "1234"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "figment"))]
    /// # fn main() {}
    /// ```
    #[cfg(feature = "typed")]
    pub fn typed<T: schemars::JsonSchema + ?Sized>(self) -> Self {
        self.schema(crate::schema::Schema::of::<T>())
    }

    /// The same as [`typed`](Self::typed), with a schema that the program has.
    #[cfg(feature = "typed")]
    pub fn schema(mut self, schema: crate::schema::Schema) -> Self {
        self.layout.schema = Some(schema);
        self
    }

    /// Accepts that there is no secret at all, or none with the [`prefix`](Self::prefix).
    pub fn allow_empty(mut self) -> Self {
        self.layout.allow_empty = true;
        self
    }

    /// The profile of figment that the secrets belong to. Default: `default`, which every other profile is laid over;
    /// `global` is laid over every other. config-rs has no profiles.
    #[cfg(feature = "figment")]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.layout.profile = Some(profile.into());
        self
    }
}

/// Why there is nothing to configure with. That there are secrets besides which cannot be read is the better answer.
fn empty(secrets: &Secrets) -> XtraError {
    let nothing = || secrets.nothing_there("there are no secrets to configure with");
    secrets.all_readable().err().unwrap_or_else(nothing)
}

/// What both libraries are told that the values come from.
const ORIGIN: &str = "secrets of xtrasecurity";

impl<R: fmt::Debug> fmt::Debug for SecretsProvider<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsProvider").field("read", &self.read).field("layout", &self.layout).finish()
    }
}

impl fmt::Debug for ReadNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Now::Held { .. } => "ReadNow(snapshot)",
            Now::Lazy(_) => "ReadNow(lazy)",
        })
    }
}

#[cfg(feature = "config")]
impl fmt::Debug for ReadLater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadLater")
    }
}
