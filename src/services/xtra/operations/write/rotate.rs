//! A new value for a secret that exists.

use std::borrow::Cow;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::names::{Naming, check_pairs, repair, shown_version};
use super::read_back::refuse_unconfirmed;
use super::stored_rows::{InForce, Target};
use super::upsert::{Batch, Expected, Sealing};
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::envelope::Reading;
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::raw::SecretInput;
use crate::services::xtra::{Place, Xtra, XtraScope, envelope};

/// The operation of a [`Request`] that rotates a secret.
#[derive(Debug)]
pub struct RotateSecret {
    key: String,
    value: Option<SecretValue>,
    options: WriteOptions,
}

/// A secret that was rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// The new value.
    pub value: SecretValue,
    /// The new version: the one that follows what was found, a number in text.
    pub version: String,
}

/// # Rotate a secret
impl<M> Client<Xtra, M> {
    /// Gives a secret of one branch a new value, at random or the one that [`value`](Request::value) says. The old value stays
    /// in the [history](Self::secret_history). The service's own rotation asks for no role: viewers may rotate too.
    ///
    /// A random value is 32 hexadecimal digits. The service makes it and sends it back, except where its own rotation would
    /// go to another branch (it takes the first that has the secret) and where [values are
    /// sealed](crate::XtraClientBuilder::seal_writes): then it is made here, and written. A secret that was sealed stays so: its
    /// new value is sealed too, for which a passphrase is needed. Four requests are sent, and
    /// five on `main`, where the environment is read before as well as after; [`skip_read_back`](Request::skip_read_back) leaves the
    /// read after it out. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such branch, or no such secret;
    /// [`Config`](crate::ErrorKind::Config) when it is sealed and there is no passphrase;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a link (rotate its source), a value that could not be read back, and when the
    /// secret is there in another spelling of the environment too (see [`exact`](Request::exact));
    /// [`Conflict`](crate::ErrorKind::Conflict) when the service has several rows of the secret, when it changed meanwhile, and
    /// when what is read afterwards is not the new value: then [`may_have_been_applied`](XtraError::may_have_been_applied) is
    /// true, and the rotation is *not confirmed*;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of any call. When
    /// [`may_have_been_applied`](XtraError::may_have_been_applied) is true, the secret's version tells whether it was.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "SIGNING_KEY", "s-1").await?;
    /// let rotated = client.rotate_secret("staging", "SIGNING_KEY").await?;
    /// assert_eq!(rotated.value.len(), 32);
    /// assert_eq!(client.get_secrets("staging").await?.require("SIGNING_KEY")?, &rotated.value);
    ///
    /// let rotated = client.rotate_secret("staging", "SIGNING_KEY").value("s-3").await?;
    /// assert_eq!(rotated.value, "s-3");
    /// # Ok(())
    /// # }
    /// ```
    pub fn rotate_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
    ) -> Request<'a, Xtra, RotateSecret, M> {
        self.request(
            XtraScope::new(environment),
            RotateSecret { key: name.into(), value: None, options: WriteOptions::default() },
        )
    }
}

impl<M> Request<'_, Xtra, RotateSecret, M> {
    /// The new value, in place of a random one.
    pub fn value(mut self, value: impl Into<SecretValue>) -> Self {
        self.operation.value = Some(value.into());
        self
    }
}

impl Operation for RotateSecret {
    const NAME: &'static str = "rotate_secret";
    type Source = Xtra;
    type Output = Rotated;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Rotated, XtraError> {
        let place = call.place().await?;
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key: &self.key, exact: self.options.is_exact() };
        call.source().rotate(target, self.value, self.options.reads_back()).await
    }
}

writes!(RotateSecret);

impl ReadsBack for RotateSecret {}

/// How many random bytes a value is made of: what the service makes by itself has as many.
const RANDOM: usize = 16;

impl Xtra {
    /// Gives a secret the value `given`, or a random one.
    async fn rotate(
        &self,
        target: Target<'_>,
        given: Option<SecretValue>,
        reads_back: bool,
    ) -> Result<Rotated, XtraError> {
        if let Some(value) = &given {
            check_pairs(&[(target.key.to_owned(), value.clone())], Naming::Any, self.seals_writes())?;
        }
        let rows = self.stored_rows(target).await?;
        rows.check_spelling(target)?;
        let is_mixed = !rows.spellings.is_empty();
        let found = self.in_force(target, rows).await?;
        check(target, &found)?;
        // what the service was not to see, it is not to see now
        let seals = self.seals_writes() || found.sealed;
        // the service takes an empty value for none, and goes to the first row of any branch
        let is_empty = given.as_ref().is_some_and(|value| value.is_empty() && !seals);
        let new = match found.first.is(&found.row) && !is_empty {
            true => self.rotate_by_key(target, &found, given).await?,
            false => self.rotate_by_writing(target, &found, given).await?,
        };
        // of two spellings a read may show the other
        if reads_back && !is_mixed {
            self.check_rotated(target, &new).await?;
        }
        Ok(new)
    }

    /// Another row may have taken the new value without being read, or somebody may have written in the same moment.
    async fn check_rotated(&self, target: Target<'_>, new: &Rotated) -> Result<(), XtraError> {
        let unknown = |error: XtraError| {
            let told = format!("The new value of {} is stored; only the check afterwards failed", target.shown());
            error.with_note(told).with_names([target.key]).with_unknown_outcome()
        };
        let look = self.current_state(target.place).await.map_err(unknown)?;
        // who is shown no value is shown its version
        let is_new = match look.get(target.key) {
            Some(seen) => seen.is(&new.value) || (seen.value.is_err() && seen.version == new.version),
            None => self.is_there_unread(target, &new.version, Some(&new.value)).await.map_err(unknown)?,
        };
        let left = if is_new { Vec::new() } else { vec![target.key.to_owned()] };
        refuse_unconfirmed(left, 1)
    }

    async fn rotate_by_key(
        &self,
        target: Target<'_>,
        found: &InForce,
        given: Option<SecretValue>,
    ) -> Result<Rotated, XtraError> {
        let Place { project, environment, .. } = target.place;
        let seals = self.seals_writes() || found.sealed;
        // the service does not choose what it is not to see
        let given = match given {
            None if seals => Some(random()?),
            given => given,
        };
        let text = match &given {
            Some(value) if seals => Some(self.seal(project, value).map_err(|error| unsealed(error, target))?),
            given => given.clone(),
        };
        let request = self.raw().secrets_rotate().project_id(project).env(environment).key(target.key);
        let request = request.body_map(|body| match &text {
            Some(text) => body.strategy("regenerate".to_owned()).parsed_new_value(SecretInput::from(text)),
            None => body.strategy("regenerate".to_owned()),
        });
        let was = &found.row.version;
        let answer = request.send().await.map_err(|error| {
            from_raw(error).with_names([target.key]).if_in_doubt(|error| {
                let (what, was) = (target.shown(), shown_version(was));
                error.with_note(format!(
                    "It was to rotate {what}, which was on version {was}: a later version tells that it was done"
                ))
            })
        })?;
        let told = || answer.into_inner().shadow_value.and_then(|value| value.into_value());
        let value = given.or_else(|| told().filter(is_told));
        let value = value.ok_or_else(|| {
            let message =
                format!("{} was rotated, and the answer does not hold the new value: read it", target.shown());
            XtraError::new(ErrorKind::Decode, message).with_names([target.key]).with_unknown_outcome()
        })?;
        Ok(Rotated { value, version: version_after(was) })
    }

    /// Where the service's own rotation would go to another branch, or to a secret that hangs on none.
    async fn rotate_by_writing(
        &self,
        target: Target<'_>,
        found: &InForce,
        given: Option<SecretValue>,
    ) -> Result<Rotated, XtraError> {
        let value = given.map_or_else(random, Ok)?;
        let secrets = vec![(target.key.to_owned(), value.clone())];
        let seals = self.seals_writes() || found.sealed;
        check_pairs(&secrets, Naming::Any, seals)?;
        let was = &found.row.version;
        let expected = Expected::from([(target.key.to_owned(), Some(was.clone()))]);
        let sealing = Sealing::all_if(seals);
        let batch = Batch { place: target.place, secrets, expected, known: BTreeMap::new(), sealing };
        let put = self.upsert_all(batch, |_| {}).await;
        put.map_err(|error| unsealed(error, target))?;
        Ok(Rotated { value, version: version_after(was) })
    }
}

fn check(target: Target<'_>, found: &InForce) -> Result<(), XtraError> {
    if found.row.linked {
        let message = format!(
            "nothing was changed: {} is a link, whose value is that of its source: rotate that",
            target.shown()
        );
        return Err(XtraError::new(ErrorKind::Invalid, message).with_names([target.key]));
    }
    if found.has_doubles {
        let message = format!(
            "nothing was changed: the service has several rows of {}, and does not write the one that it reads",
            target.shown()
        );
        return Err(XtraError::new(ErrorKind::Conflict, message)
            .with_names([target.key])
            .with_hint(repair(target.key)));
    }
    Ok(())
}

/// The number that the service gives to the version after this one.
fn version_after(version: &str) -> String {
    version.parse::<u64>().map_or_else(|_| "2".to_owned(), |version| version.saturating_add(1).to_string())
}

/// Whether this is a value, and not what the service puts in the place of one, asterisks or ciphertext.
fn is_told(value: &SecretValue) -> bool {
    let text = value.expose();
    envelope::read(text) == Reading::Plain && !text.bytes().all(|byte| byte == b'*')
}

/// Says why a passphrase is needed, when it is that.
fn unsealed(error: XtraError, target: Target<'_>) -> XtraError {
    match error.kind() {
        ErrorKind::Config => error
            .with_note(format!("{} is sealed, so its new value is to be; nothing was changed", target.shown()))
            .with_names([target.key]),
        _ => error,
    }
}

/// 32 hexadecimal digits.
fn random() -> Result<SecretValue, XtraError> {
    let mut bytes = Zeroizing::new([0_u8; RANDOM]);
    getrandom::fill(&mut *bytes).map_err(|_| {
        XtraError::new(ErrorKind::Config, "nothing was changed: the system gives no random numbers. Repair that first")
    })?;
    Ok(SecretValue::new(hex::encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_value_is_32_hex_digits_and_never_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn versions_count_up_and_what_is_no_number_is_counted_as_the_service_does() {
        assert_eq!([version_after("1"), version_after("9"), version_after("NaN")], ["2", "10", "2"]);
    }
}
