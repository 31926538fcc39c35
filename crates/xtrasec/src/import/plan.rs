//! What an import would do, and the request that does just that.

use std::collections::BTreeSet;
use std::sync::Arc;

use xtrasecurity::write::{SetSecrets, WriteReport};
use xtrasecurity::{ErrorKind, Request, SecretValue, Secrets, Xtra};

use crate::failure::Failure;
use crate::listing::Listing;
use crate::session::{is_bare, not_read};
use crate::target::Target;
use crate::writing::Writing;

pub(super) struct Plan {
    /// What is to be written.
    pairs: Vec<(String, SecretValue)>,
    report: WriteReport,
    /// The place holds no secret yet. A misspelt one looks like that too.
    is_first: bool,
    condition: Condition,
}

/// What must still hold when it is carried out.
enum Condition {
    /// The secrets are as they were read, or just as absent.
    Unchanged(Arc<Secrets>),
    /// The secrets that were there have these versions. For values that cannot be read, and so not compared.
    Versions(Vec<(String, String)>),
}

impl Condition {
    /// Looks at what is there, and whether that is anything.
    async fn see(target: &Target, secrets: &Secrets) -> Result<(Self, bool), Failure> {
        let place = target.environment.as_str();
        let seen = target.client.get_secrets(place).no_cache().allow_unreadable().await.map_err(not_read)?;
        let is_first = is_bare(&seen);
        if is_first {
            target.demand_branch().await?;
        }
        if !seen.unreadable().iter().any(|hidden| secrets.contains(&hidden.name)) {
            return Ok((Self::Unchanged(seen), is_first));
        }
        let keys = target.client.list_keys(place).await?;
        let keys = keys.into_iter().filter(|key| secrets.contains(&key.name));
        Ok((Self::Versions(keys.map(|key| (key.name, key.version)).collect()), is_first))
    }

    fn of<'a>(&'a self, request: Request<'a, Xtra, SetSecrets<'a>>) -> Request<'a, Xtra, SetSecrets<'a>> {
        match self {
            Self::Unchanged(snapshot) => request.if_unchanged(snapshot),
            Self::Versions(versions) => {
                request.expect_versions(versions.iter().map(|(key, version)| (key.as_str(), version)))
            }
        }
    }
}

impl Plan {
    /// Checks names and values, and sorts them by what is there. Nothing is written.
    pub(super) async fn make(target: &Target, secrets: Secrets, writing: &Writing) -> Result<Self, Failure> {
        let (condition, is_first) = Condition::see(target, &secrets).await?;
        let pairs = secrets.iter().map(|(key, value)| (key.to_owned(), value.clone()));
        let mut pairs: Vec<_> = pairs.collect();
        let request = target.client.set_secrets(target.environment.as_str(), pairs.iter().cloned());
        let report = writing.of(condition.of(request)).skip_unchanged().dry_run().await;
        let report = report.map_err(|error| match error.kind() {
            ErrorKind::Conflict => Failure::from(error).so("Nothing was written. Start this again"),
            _ => Failure::from(error),
        })?;
        let unchanged: BTreeSet<&String> = report.unchanged.iter().collect();
        pairs.retain(|(key, _)| !unchanged.contains(key));
        Ok(Self { pairs, report, is_first, condition })
    }

    pub(super) fn total(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is nothing to do.
    pub(super) fn is_done(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The request that does this, unless something has changed meanwhile.
    pub(super) fn request<'a>(&'a self, target: &'a Target, writing: &Writing) -> Request<'a, Xtra, SetSecrets<'a>> {
        let pairs = self.pairs.iter().cloned();
        let request = target.client.set_secrets(target.environment.as_str(), pairs);
        writing.of(self.condition.of(request)).skip_unchanged()
    }

    /// What would be done: names, and how many.
    pub(super) fn text(&self, target: &Target, listing: Listing) -> String {
        let WriteReport { created, updated, unchanged, .. } = &self.report;
        let mut text = String::new();
        listing.push(&mut text, '+', created);
        listing.push(&mut text, '~', updated);
        if listing == Listing::All {
            listing.push(&mut text, '=', unchanged);
        }
        text.push_str(&format!(
            "{} to create, {} to update, {} unchanged in {}{}\n",
            created.len(),
            updated.len(),
            unchanged.len(),
            target.shown(),
            if self.is_first { ", which holds no secrets yet" } else { "" }
        ));
        text
    }
}
