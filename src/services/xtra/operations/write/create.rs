//! A secret that must not exist yet.

use std::borrow::Cow;
use std::fmt;

use super::names::{Naming, check_pairs, shown_version};
use super::read_back::{refuse_unconfirmed, unconfirmed};
use super::upsert::{Batch, Expected, Sealing, known_versions};
use crate::core::{Conflict, ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::{Place, Xtra, XtraScope, shown_name};

/// The operation of a [`Request`] that creates a secret.
pub struct CreateSecret {
    key: String,
    value: SecretValue,
    naming: Naming,
    seal: bool,
    options: WriteOptions,
}

/// The version of what was created and not changed since.
const FIRST: &str = "1";

/// # Create a secret
impl<M> Client<Xtra, M> {
    /// Creates a secret, and fails when it exists.
    ///
    /// The service itself does not make this difference. So the environment is read before the write; the write demands a version
    /// that no secret has, which the service refuses when there is one; and the environment is read again after it: what two
    /// callers create in the same moment is noticed by whoever reads the other's value, and is an error then. The service may
    /// keep both, each in a row of its own: [`repair_secret`](Self::repair_secret) leaves one. Three requests are sent, up to two
    /// more as [`set_secret`](Self::set_secret) says, and three more when another branch has a secret of that name;
    /// [`skip_read_back`](Request::skip_read_back) leaves out the one that reads again.
    ///
    /// # Errors
    ///
    /// Those of [`set_secret`](Self::set_secret); [`Conflict`](crate::ErrorKind::Conflict) when the secret exists, or was
    /// created by somebody else in the same moment. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, the
    /// service has taken it, and it is *not confirmed*.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{ErrorKind, XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.create_secret("staging", "SIGNING_KEY", "s-1").await?;
    /// let error = client.create_secret("staging", "SIGNING_KEY", "s-2").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Conflict);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Xtra, CreateSecret, M> {
        let operation = CreateSecret {
            key: name.into(),
            value: value.into(),
            naming: Naming::default(),
            seal: false,
            options: WriteOptions::default(),
        };
        self.request(XtraScope::new(environment), operation)
    }
}

impl<M> Request<'_, Xtra, CreateSecret, M> {
    /// Creates it whatever characters the name has; see [`allow_any_name`](Request::allow_any_name) of `set_secret`.
    pub fn allow_any_name(mut self) -> Self {
        self.operation.naming = Naming::Any;
        self
    }

    /// Encrypts the value before it is sent, under the client's passphrase.
    pub fn seal(mut self) -> Self {
        self.operation.seal = true;
        self
    }
}

impl Operation for CreateSecret {
    const NAME: &'static str = "create_secret";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let Self { key, value, naming, seal, options } = self;
        let source = call.source();
        let sealed = seal || source.seals_writes();
        let secrets = vec![(key.clone(), value)];
        check_pairs(&secrets, naming, sealed)?;
        let place = call.place().await?;
        call.confirm(options, &place.environment)?;
        let look = call.state_before(&place, options).await?;
        if let Some(seen) = look.get(&key) {
            return Err(exists(&place, &key, &seen.version));
        }
        let _changing = call.changing_in(&place);
        let expected = Expected::from([(key.clone(), None)]);
        let sealing = Sealing::all_if(sealed);
        let known = known_versions(&secrets, &look);
        let batch = Batch { place: &place, secrets: secrets.clone(), expected, known, sealing };
        source.upsert_all(batch, |_| ()).await?;
        if !options.reads_back() {
            return Ok(());
        }
        let after = source.current_state(&place).await.map_err(|error| {
            let told = "The secret is written; this was to see whether somebody else had created it meanwhile";
            error.with_note(told).with_names([&key]).with_unknown_outcome()
        })?;
        match after.get(&key) {
            Some(seen) if seen.version != FIRST => Err(raced(&key, &seen.version)),
            _ => refuse_unconfirmed(unconfirmed(&secrets, &look, &after), 1),
        }
    }
}

writes!(CreateSecret);

impl ReadsBack for CreateSecret {}

fn exists(place: &Place, key: &str, version: &str) -> XtraError {
    let message = format!(
        "nothing was written: the secret {} of the environment {} on the branch {} exists already, in version {}",
        shown_name(key),
        shown_name(&place.environment),
        shown_name(&place.branch),
        shown_version(version)
    );
    let conflict = Conflict::new(key, None, Some(version.to_owned()));
    XtraError::new(ErrorKind::Conflict, message)
        .with_names([key])
        .with_conflicts(vec![conflict])
        .with_hint(Hint::Overwrite)
}

fn raced(key: &str, version: &str) -> XtraError {
    let message = format!(
        "{} was created by somebody else in the same moment, and one of the two values has replaced the other. Read it, then \
         decide which one is right",
        shown_name(key)
    );
    let conflict = Conflict::new(key, None, Some(version.to_owned()));
    XtraError::new(ErrorKind::Conflict, message)
        .with_names([key])
        .with_conflicts(vec![conflict])
        .with_hint(Hint::Overwrite)
        .with_unknown_outcome()
}

impl fmt::Debug for CreateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSecret").field("name", &self.key).finish_non_exhaustive()
    }
}
