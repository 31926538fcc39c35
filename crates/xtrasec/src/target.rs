//! Where a command writes.

use xtrasecurity::{ErrorKind, XtraClient, XtraError};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::printable;
use crate::place::Place;
use crate::session::{Session, builder, is_local};

/// A client that may write, and the place that was asked for.
pub(crate) struct Target {
    pub(crate) client: XtraClient,
    pub(crate) environment: String,
    pub(crate) branch: String,
}

impl Target {
    /// The environment and the branch that were asked for.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let session = open(global)?;
        let environment = session.environment()?.to_owned();
        Ok(Self { client: session.client, environment, branch: default_branch(global) })
    }

    /// A place that is an argument.
    pub(crate) fn open_at(global: &Global, place: &Place) -> Result<Self, Failure> {
        let branch = place.branch.clone().unwrap_or_else(|| default_branch(global));
        Ok(Self { client: open(global)?.client, environment: place.environment.clone(), branch })
    }

    /// Refuses a branch that does not exist, where there are no secrets: reads do not tell the two apart, so a plan would
    /// promise what every write refuses.
    pub(crate) async fn demand_branch(&self) -> Result<(), Failure> {
        if self.branch == "main" {
            return Ok(());
        }
        // Who may write may not always list; then the write tells.
        let Ok(branches) = self.client.list_branches().await else { return Ok(()) };
        if branches.iter().any(|branch| branch.name == self.branch) {
            return Ok(());
        }
        let branch = printable(&self.branch);
        Err(Failure::refused(format!(
            "the project has no branch \"{branch}\". `xtrasec branches` lists those that there are, and makes one. Nothing was \
             written"
        )))
    }

    /// What has to be typed before this place is changed for good, if anything has.
    pub(crate) fn to_be_typed(&self) -> Option<&str> {
        self.is_production().then_some(self.environment.as_str())
    }

    /// Whether the library takes it for production as well.
    pub(crate) fn is_production(&self) -> bool {
        ["production", "prod"].iter().any(|name| self.environment.eq_ignore_ascii_case(name))
    }

    /// Why something was not done here.
    pub(crate) fn not_done(&self, error: XtraError) -> Failure {
        not_done(&self.client, error)
    }

    /// The place as people call it.
    pub(crate) fn shown(&self) -> String {
        printable(&format!("{} (branch {})", self.environment, self.branch))
    }
}

/// Why something was not done. What was clear before anything was sent is wrong usage.
pub(crate) fn not_done(client: &XtraClient, error: XtraError) -> Failure {
    let is_usage = error.kind() == ErrorKind::Invalid && client.stats().requests == 0;
    let failure = Failure::from(error);
    if is_usage { failure.into_usage() } else { failure }
}

/// A client that changes production only where a call says so.
pub(crate) fn open(global: &Global) -> Result<Session, Failure> {
    refuse_local(global)?;
    Session::open_protected(global)
}

/// Refuses what only the service can do while a file stands for it.
pub(crate) fn refuse_local(global: &Global) -> Result<(), Failure> {
    if !is_local(&builder(global).explain()) {
        return Ok(());
    }
    Err(Failure::refused(
        "local mode is on, and .env.local stands for the service, which this needs. Unset XTRA_LOCAL_MODE",
    ))
}

pub(crate) fn default_branch(global: &Global) -> String {
    let configuration = builder(global).explain();
    configuration.get("branch").and_then(|setting| setting.shown()).unwrap_or("main").to_owned()
}
