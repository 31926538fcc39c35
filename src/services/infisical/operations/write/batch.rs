//! Several secrets of one folder, created or changed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::read_back::END_OF_A_PAIR;
use super::send::Kind;
use super::{Approval, SendsValue, Trimming, Written, WrittenSecret, check_new_name, check_value};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::{Infisical, InfisicalScope};

/// The operation of a [`Request`] that creates or changes several secrets.
pub struct SetSecrets {
    secrets: Vec<(String, SecretValue)>,
    trimming: Trimming,
    /// The names that are there, and those that are not, must be as this has them.
    seen: Option<HashSet<String>>,
}

/// What became of a write of several secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "what awaits an approval has changed nothing"]
pub struct BatchWritten {
    /// Secrets that were not there before.
    pub created: Vec<WrittenSecret>,
    /// Secrets that have a new value.
    pub updated: Vec<WrittenSecret>,
    /// What a policy of the folder keeps back: one for the new secrets, one for the others.
    pub approvals: Vec<Approval>,
}

impl BatchWritten {
    /// Whether all of it was carried out.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.approvals.is_empty()
    }
}

/// # Infisical: set several secrets
impl<M> Client<Infisical, M> {
    /// Gives several secrets of a folder their values, and creates those that are not there. Awaiting gives a [`BatchWritten`].
    ///
    /// The folder is listed first; then one request changes what is there, and one creates the rest. Each of the two is carried out
    /// by the server as a whole, both together are not. Without secrets nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for a name that is given twice, and as
    /// [`create_secret`](Self::create_secret); [`Conflict`](crate::ErrorKind::Conflict), with nothing written, for a name that the
    /// folder has twice: a change would reach one of them; [`Incomplete`](crate::ErrorKind::Incomplete) when secrets were changed and
    /// the others not created, which [`names`](XtraError::names) names; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let written = client.set_secrets("dev", [("HOST", "db.internal"), ("PORT", "5432")]).path("/app").await?;
    /// assert!(written.is_applied());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secrets<'a, N: Into<String>, V: Into<SecretValue>>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        secrets: impl IntoIterator<Item = (N, V)>,
    ) -> Request<'a, Infisical, SetSecrets, M> {
        let secrets = secrets.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let operation = SetSecrets { secrets, trimming: Trimming::default(), seen: None };
        self.request(InfisicalScope::new(environment), operation)
    }
}

impl SetSecrets {
    /// Writes only if of the names those are there that `seen` has, and the others are not.
    pub(in crate::services::infisical) fn expect(&mut self, seen: &Secrets) {
        let names = self.secrets.iter().map(|(name, _)| name).filter(|name| seen.contains(name));
        self.seen = Some(names.cloned().collect());
    }
}

impl Operation for SetSecrets {
    const NAME: &'static str = "set_secrets";
    type Source = Infisical;
    type Output = BatchWritten;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<BatchWritten, XtraError> {
        let Self { secrets, trimming, seen } = self;
        check(&secrets, trimming)?;
        let (scope, project) = call.folder().await?;
        if scope.personal {
            return Err(XtraError::new(
                ErrorKind::Invalid,
                "nothing was sent: servers take shared secrets alone in batches",
            )
            .with_hint(Hint::LeaveOut { option: "personal" }));
        }
        let mut written = BatchWritten::default();
        if secrets.is_empty() {
            return Ok(written);
        }
        let rows = call.source().rows(&scope).await?;
        let (known, twice) = there(rows.iter().filter(|row| !row.is_personal()).map(|row| row.name.as_str()));
        if let Some((name, _)) = secrets.iter().find(|(name, _)| twice.contains(name.as_str())) {
            let message = "nothing was written: the folder has a secret twice, and a change would reach one of them";
            return Err(XtraError::new(ErrorKind::Conflict, message)
                .with_names([name])
                .with_hint(Hint::advice(END_OF_A_PAIR)));
        }
        if let Some(seen) = seen {
            refuse_changed(secrets.iter().map(|(name, _)| name), &known, &seen)?;
        }
        let (old, new): (Vec<_>, Vec<_>) = secrets.into_iter().partition(|(name, _)| known.contains(name.as_str()));
        let _changing = call.changing(&project);
        if !old.is_empty() {
            match call.source().write_many(&scope, Kind::Update, &old).await? {
                Written::Applied(rows) => written.updated = rows,
                Written::AwaitsApproval(approval) => written.approvals.push(approval),
            }
        }
        if !new.is_empty() {
            let created = call.source().write_many(&scope, Kind::Create, &new).await;
            match created.map_err(|error| incomplete(error, &old, &new))? {
                Written::Applied(rows) => written.created = rows,
                Written::AwaitsApproval(approval) => written.approvals.push(approval),
            }
        }
        Ok(written)
    }
}

fn check(secrets: &[(String, SecretValue)], trimming: Trimming) -> Result<(), XtraError> {
    let mut names = HashSet::new();
    for (name, value) in secrets {
        check_new_name(name)?;
        check_value(name, value, trimming)?;
        if !names.insert(name) {
            let message = "nothing was sent: a name is among the secrets twice";
            return Err(XtraError::new(ErrorKind::Invalid, message).with_names([name]));
        }
    }
    Ok(())
}

/// Refuses when secrets were created or deleted since they were seen. One that is created after this is refused by the server.
fn refuse_changed<'n>(
    names: impl Iterator<Item = &'n String>,
    known: &HashSet<&str>,
    seen: &HashSet<String>,
) -> Result<(), XtraError> {
    let changed: Vec<&String> = names.filter(|name| known.contains(name.as_str()) != seen.contains(*name)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let message = "nothing was written: secrets were created or deleted since they were read";
    Err(XtraError::new(ErrorKind::Conflict, message).with_names(changed))
}

/// The names of a folder, and those that it has twice.
fn there<'r>(names: impl Iterator<Item = &'r str>) -> (HashSet<&'r str>, HashSet<&'r str>) {
    let (mut known, mut twice) = (HashSet::new(), HashSet::new());
    for name in names {
        if !known.insert(name) {
            twice.insert(name);
        }
    }
    (known, twice)
}

type Pairs = [(String, SecretValue)];

/// The failure of a creation that came after a change.
fn incomplete(error: XtraError, old: &Pairs, new: &Pairs) -> XtraError {
    if old.is_empty() {
        return error;
    }
    let message =
        format!("{} secrets were changed, or await an approval, and {} were not created", old.len(), new.len());
    let told = XtraError::new(ErrorKind::Incomplete, message)
        .with_names(new.iter().map(|(name, _)| name))
        .with_note(format!("What was refused: {error}"));
    if error.may_have_been_applied() { told.with_unknown_outcome() } else { told }
}

impl SendsValue for SetSecrets {
    fn trimming(&mut self) -> &mut Trimming {
        &mut self.trimming
    }
}

impl fmt::Debug for SetSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecrets").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}
