//! Secrets of one environment into another.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::current_state::CurrentState;
use super::names::{Naming, check_pairs};
use super::set::taken_out;
use super::upsert::{Batch, Expected, Sealing, known_versions};
use crate::core::{ErrorKind, Hint, SecretValue, Secrets, Unreadable, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::credentials::PASSPHRASE_VARIABLE;
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::{Place, Xtra, XtraScope, check_branch, shown_name};

/// The operation of a [`Request`] that copies secrets from one environment to another.
#[derive(Debug)]
pub struct PromoteSecrets<'a> {
    to: Cow<'a, str>,
    to_branch: Option<Cow<'a, str>>,
    only: Option<BTreeSet<String>>,
    overwrite: Overwrite,
    dry_run: bool,
    options: WriteOptions,
}

/// What happens to a secret that the target has with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overwrite {
    Keep,
    Replace,
}

/// What a promotion has done, or would do: names only, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Promotion {
    /// The secrets that the target did not have.
    pub created: Vec<String>,
    /// The secrets that the target had with another value, and has with that of the source now.
    pub updated: Vec<String>,
    /// The secrets that the target keeps as it has them: with the same value, or with another one because
    /// [`overwrite`](Request::overwrite) is not said.
    pub skipped: Vec<String>,
    /// The secrets that the service has taken, and of which the read after the write gives something else, or which could not
    /// be read back; they are in no other list. See [`WriteReport::unconfirmed`](crate::services::xtra::operations::write::WriteReport::unconfirmed).
    pub unconfirmed: Vec<String>,
}

impl Promotion {
    /// The same, where these are not confirmed.
    fn without_confirmation_of(mut self, names: Vec<String>) -> Self {
        self.unconfirmed = taken_out([&mut self.created, &mut self.updated], names);
        self
    }

    /// The secrets that were written, and that a read has given with their new values; without those that are
    /// [not confirmed](Self::unconfirmed). For a [dry run](Request::dry_run), those that would be written.
    pub fn promoted(&self) -> impl Iterator<Item = &str> {
        self.created.iter().chain(&self.updated).map(String::as_str)
    }
}

/// # Copy secrets from one environment to another
impl<M> Client<Xtra, M> {
    /// Copies the secrets of one environment into another, on the same branch. Secrets that the target has already are kept,
    /// unless [`overwrite`](Request::overwrite) says otherwise; those that only the target has stay. Awaiting the request gives a
    /// [`Promotion`].
    ///
    /// Both environments are read, and what differs is written, so it works for everyone who may read and write. Nothing is
    /// copied that could not be read. Linked secrets are copied by value, and values that were encrypted by a client are
    /// encrypted again. Two requests read, one or more write, and one reads the target again, which
    /// [`skip_read_back`](Request::skip_read_back) leaves out; until this client knows how the target is spelled, one or two
    /// more ask for that, and there are two more and a second write where another branch has the secrets too.
    ///
    /// # Errors
    ///
    /// [`EmptyScope`](ErrorKind::EmptyScope) when the source holds nothing, [`MissingSecret`](ErrorKind::MissingSecret) when it
    /// lacks one of the secrets named by [`only`](Request::only), [`Masked`](ErrorKind::Masked) or [`Undecryptable`](ErrorKind::Undecryptable) when
    /// a value cannot be read, [`Config`](ErrorKind::Config) when one is to be sealed again and there is no passphrase: in all
    /// these cases nothing is written. [`Conflict`](ErrorKind::Conflict) when somebody changes
    /// the target meanwhile, or a second row of a name is proven; and those of [`set_secrets`](Self::set_secrets).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secrets("staging", [("NEW_FLAG", "on"), ("OTHER", "1")]).await?;
    /// let plan = client.promote_secrets("staging", "production").only(["NEW_FLAG"]).dry_run().await?;
    /// assert_eq!(plan.created, ["NEW_FLAG"]);
    /// client.promote_secrets("staging", "production").only(["NEW_FLAG"]).await?;
    /// assert_eq!(client.get_secret("production", "NEW_FLAG").await?.expose(), "on");
    /// # Ok(())
    /// # }
    /// ```
    pub fn promote_secrets<'a>(
        &'a self,
        from: impl Into<Cow<'a, str>>,
        to: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, PromoteSecrets<'a>, M> {
        let operation = PromoteSecrets {
            to: to.into(),
            to_branch: None,
            only: None,
            overwrite: Overwrite::Keep,
            dry_run: false,
            options: WriteOptions::default(),
        };
        self.request(XtraScope::new(from), operation)
    }
}

impl<'a, M> Request<'a, Xtra, PromoteSecrets<'a>, M> {
    /// Copies these secrets only. One that the source does not have is an error.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.operation.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Whether secrets that the target has with another value get that of the source. Default: `false`.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.operation.overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Keep };
        self
    }

    /// Copies to another branch than the one that is read. It must exist.
    pub fn to_branch(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.operation.to_branch = Some(name.into());
        self
    }

    /// Reads both environments, and tells what would be done, but writes nothing.
    pub fn dry_run(mut self) -> Self {
        self.operation.dry_run = true;
        self
    }
}

impl Operation for PromoteSecrets<'_> {
    const NAME: &'static str = "promote_secrets";
    type Source = Xtra;
    type Output = Promotion;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Promotion, XtraError> {
        let source = call.source();
        let from = call.place().await?;
        let to = self.target(&from)?;
        if !self.dry_run {
            call.confirm(self.options, &to.environment)?;
        }
        let chosen = self.choose(&from, &source.current_state(&from).await?, source.seals_writes())?;
        let there = call.state_before(&to, self.options).await?;
        let plan = Plan::of(chosen, &there, self.overwrite);
        if self.dry_run {
            return Ok(plan.promotion);
        }
        let _changing = call.changing_in(&to);
        let Plan { promotion, secrets, sealed, expected } = plan;
        let meant = if self.options.reads_back() { secrets.clone() } else { Vec::new() };
        let known = known_versions(&secrets, &there);
        let batch = Batch { place: &to, secrets, expected, known, sealing: Sealing::These(sealed) };
        source.upsert_all(batch, |_| ()).await?;
        match meant.is_empty() {
            true => Ok(promotion),
            false => Ok(promotion.without_confirmation_of(source.read_back(&to, &meant, &there).await)),
        }
    }
}

writes!(PromoteSecrets<'_>);

impl ReadsBack for PromoteSecrets<'_> {}

/// A secret of the source.
struct Chosen {
    key: String,
    value: SecretValue,
    to_be_sealed: bool,
}

impl PromoteSecrets<'_> {
    fn target(&self, from: &Place) -> Result<Place, XtraError> {
        let mut to = from.in_environment(&self.to)?;
        if let Some(branch) = &self.to_branch {
            check_branch(branch)?.clone_into(&mut to.branch);
        }
        if to.branch == from.branch && to.environment.eq_ignore_ascii_case(&from.environment) {
            let message =
                "source and target of the promotion are the same. Name another environment, or another branch";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        Ok(to)
    }

    /// The secrets to copy, all of which can be read and written.
    fn choose(&self, from: &Place, look: &CurrentState, seals: bool) -> Result<Vec<Chosen>, XtraError> {
        if look.is_empty() {
            let name = shown_name(&from.environment);
            let message = format!(
                "there is nothing to promote: {name} holds no secrets on the branch {}; an unknown environment or branch looks \
                 the same. Check both names",
                shown_name(&from.branch)
            );
            return Err(XtraError::new(ErrorKind::EmptyScope, message));
        }
        let absent = self.only.iter().flatten().filter(|key| look.get(key).is_none());
        let absent: Vec<_> = absent.cloned().collect();
        if !absent.is_empty() {
            let names: Vec<_> = absent.iter().map(|key| shown_name(key)).collect();
            let message = format!(
                "nothing was promoted: {} has no secret {} on the branch {}. Names are case-sensitive",
                shown_name(&from.environment),
                names.join(", "),
                shown_name(&from.branch)
            );
            return Err(XtraError::new(ErrorKind::MissingSecret, message).with_names(absent));
        }
        let (mut chosen, mut unreadable) = (Vec::new(), Vec::new());
        for (key, seen) in look.iter().filter(|(key, _)| self.only.as_ref().is_none_or(|only| only.contains(*key))) {
            let key = key.to_owned();
            match &seen.value {
                Ok(value) => chosen.push(Chosen { key, value: value.clone(), to_be_sealed: seals || seen.sealed }),
                Err(reason) => unreadable.push(Unreadable::new(key, *reason)),
            }
        }
        Secrets::refuse_unreadable(&unreadable, Some(PASSPHRASE_VARIABLE))
            .map_err(|error| error.with_note("Nothing was promoted").with_hint(Hint::NameOthers))?;
        for to_be_sealed in [false, true] {
            let pairs = chosen.iter().filter(|one| one.to_be_sealed == to_be_sealed);
            let pairs: Vec<_> = pairs.map(|one| (one.key.clone(), one.value.clone())).collect();
            check_pairs(&pairs, Naming::Any, to_be_sealed)?;
        }
        Ok(chosen)
    }
}

/// What is to be written.
#[derive(Default)]
struct Plan {
    promotion: Promotion,
    secrets: Vec<(String, SecretValue)>,
    sealed: BTreeSet<String>,
    expected: Expected,
}

impl Plan {
    fn of(chosen: Vec<Chosen>, there: &CurrentState, overwrite: Overwrite) -> Self {
        let mut plan = Self::default();
        for Chosen { key, value, to_be_sealed } in chosen {
            match there.get(&key) {
                Some(seen) if seen.is(&value) || overwrite == Overwrite::Keep => {
                    plan.promotion.skipped.push(key);
                    continue;
                }
                Some(seen) => {
                    plan.expected.insert(key.clone(), Some(seen.version.clone()));
                    plan.promotion.updated.push(key.clone());
                }
                None => {
                    plan.expected.insert(key.clone(), None);
                    plan.promotion.created.push(key.clone());
                }
            }
            if to_be_sealed {
                plan.sealed.insert(key.clone());
            }
            plan.secrets.push((key, value));
        }
        plan
    }
}
