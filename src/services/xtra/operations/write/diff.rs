//! The differences between two environments, branches or projects.

use crate::core::{Secrets, XtraError, paired};
use crate::engine::{Call, Client, Operation, Reads, Request};
use crate::services::xtra::{Xtra, XtraScope};

/// The operation of a [`Request`] that compares two scopes.
#[derive(Debug)]
pub struct DiffSecrets<'a> {
    other: XtraScope<'a>,
    allow_empty: bool,
}

/// What is different between two scopes: names only, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The secrets that only the second has.
    pub added: Vec<String>,
    /// The secrets that only the first has.
    pub removed: Vec<String>,
    /// The secrets that both have, with different values.
    pub changed: Vec<String>,
    /// The secrets that both have, with the same value.
    pub unchanged: Vec<String>,
    /// The secrets that both have, and that cannot be compared, because a value did not come through.
    pub unknown: Vec<String>,
}

impl Difference {
    /// Whether the two have the same secrets with the same values. What cannot be compared counts as different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.added, &self.removed, &self.changed, &self.unknown].iter().all(|names| names.is_empty())
    }

    fn between(one: &Secrets, other: &Secrets) -> Self {
        let mut difference = Self::default();
        for (name, one, other) in paired(one, other) {
            let list = match (one, other) {
                (Some(_), None) => &mut difference.removed,
                (None, _) => &mut difference.added,
                (Some(Some(one)), Some(Some(other))) if one == other => &mut difference.unchanged,
                (Some(Some(_)), Some(Some(_))) => &mut difference.changed,
                _ => &mut difference.unknown,
            };
            list.push(name.to_owned());
        }
        difference
    }
}

/// # Compare
impl<M> Client<Xtra, M> {
    /// Compares the secrets of two environments, or of two branches or projects. Awaiting the request gives a [`Difference`].
    ///
    /// Both are read as [`get_secrets`](Self::get_secrets) reads them, from the cache when it has fresh snapshots. The options
    /// [`project_id`](Request::project_id), [`environment`](Request::environment) and [`branch`](Request::branch) are about
    /// the first of the two.
    ///
    /// # Errors
    ///
    /// Those of [`get_secrets`](Self::get_secrets); [`EmptyScope`](crate::ErrorKind::EmptyScope) when one of the two holds no secrets:
    /// usually a mistyped name. [`allow_empty`](Request::allow_empty) accepts it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// use xtrasecurity::xtra::XtraScope;
    ///
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("staging", "NEW_FLAG", "on").await?;
    /// let difference = client.diff_secrets("staging", XtraScope::new("production").branch("main")).await?;
    /// assert!(difference.removed.contains(&"NEW_FLAG".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn diff_secrets<'a>(
        &'a self,
        one: impl Into<XtraScope<'a>>,
        other: impl Into<XtraScope<'a>>,
    ) -> Request<'a, Xtra, DiffSecrets<'a>, M> {
        self.request(one.into(), DiffSecrets { other: other.into(), allow_empty: false })
    }
}

impl<M> Request<'_, Xtra, DiffSecrets<'_>, M> {
    /// Accepts that one of the two, or both, hold no secrets.
    pub fn allow_empty(mut self) -> Self {
        self.operation.allow_empty = true;
        self
    }
}

impl Reads for DiffSecrets<'_> {}

impl Operation for DiffSecrets<'_> {
    const NAME: &'static str = "diff_secrets";
    type Source = Xtra;
    type Output = Difference;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Difference, XtraError> {
        let mut sides = Vec::with_capacity(2);
        for (which, scope) in [("first", call.scope().clone()), ("second", self.other)] {
            let secrets = call.read(scope).allow_unreadable().await?;
            if secrets.is_bare() && !self.allow_empty {
                return Err(secrets.nothing_there(&format!("the {which} of the two that are compared is empty")));
            }
            sides.push(secrets);
        }
        match sides.as_slice() {
            [one, other] => Ok(Difference::between(one, other)),
            _ => Ok(Difference::default()),
        }
    }
}
