//! Waiting until somebody has decided.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::access::{AccessRequest, AccessStatus};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::{Xtra, XtraScope};

/// How often to ask. Each time is a request out of the daily quota.
const EVERY: Duration = Duration::from_secs(5);

/// No oftener than this.
const AT_LEAST: Duration = Duration::from_secs(1);

/// How long to wait.
const DEADLINE: Duration = Duration::from_secs(600);

/// As good as never.
const FAR_AWAY: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Waits for access; made by [`XtraClient::wait_for_access`](crate::XtraClient::wait_for_access).
#[derive(Debug)]
#[non_exhaustive]
pub struct WaitForAccess {
    id: String,
    pace: Pace,
}

/// How often, and for how long.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every: Duration,
    deadline: Duration,
}

impl Operation for WaitForAccess {
    const NAME: &'static str = "wait_for_access";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        let (source, id) = (call.source(), self.id.as_str());
        until_decided(self.pace, || source.access_request(id)).await
    }
}

/// # Wait for access
impl<M> Client<Xtra, M> {
    /// Waits until somebody has decided on a request for access, and gives the approved request.
    ///
    /// It asks [every](Request::every) 5 seconds, and goes on through failures that may pass, for at most 10 minutes
    /// ([`deadline`](Request::deadline)). Each time counts as a request of the project's daily quota.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when it was rejected or revoked, or has run out;
    /// [`Timeout`](crate::ErrorKind::Timeout) when nobody has decided by the deadline: the request still stands, and can be
    /// waited for again; [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use xtrasecurity::xtra::manage::Decision;
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let request = client.request_access("the nightly import failed", Duration::from_secs(30 * 60)).await?;
    /// # client.decide_access_request(request.id.as_str(), Decision::Approve).await?;
    /// let request = client.wait_for_access(request.id).every(Duration::from_secs(2)).await?;
    /// println!("until {:?}", request.expires_at);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_access<'a>(&'a self, id: impl Into<String>) -> Request<'a, Xtra, WaitForAccess, M> {
        let pace = Pace { every: EVERY, deadline: DEADLINE };
        self.request(XtraScope::default(), WaitForAccess { id: id.into(), pace })
    }
}

impl<M> Request<'_, Xtra, WaitForAccess, M> {
    /// How long to wait between two looks. Default: 5 s. At least 1 s: less is raised to that.
    pub fn every(mut self, time: Duration) -> Self {
        self.operation.pace.every = time.max(AT_LEAST);
        self
    }

    /// How long to wait at most. Default: 10 minutes.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.operation.pace.deadline = limit;
        self
    }
}

async fn until_decided<F>(pace: Pace, mut ask: impl FnMut() -> F) -> Result<AccessRequest, XtraError>
where
    F: Future<Output = Result<AccessRequest, XtraError>>,
{
    let end = Instant::now() + pace.deadline.min(FAR_AWAY);
    let mut failed = None;
    loop {
        let Ok(answer) = timeout_at(end, ask()).await else { return Err(too_late(failed.as_ref())) };
        let wait = match answer {
            Ok(request) if request.status == AccessStatus::Pending => {
                failed = None;
                pace.every
            }
            Ok(request) => return granted(request),
            Err(error) if error.is_retryable() => {
                let wait = error.retry_after().unwrap_or_default().max(pace.every);
                failed = Some(error);
                wait
            }
            Err(error) => return Err(error),
        };
        // Nothing would be learnt by waiting for a look that does not come.
        if Instant::now() + wait.min(FAR_AWAY) > end {
            return Err(too_late(failed.as_ref()));
        }
        sleep(wait).await;
    }
}

/// The request, when access was granted and has not ended.
fn granted(request: AccessRequest) -> Result<AccessRequest, XtraError> {
    let message = match request.status {
        AccessStatus::Approved => return Ok(request),
        AccessStatus::Rejected => "the request for access was rejected. Ask whoever decides, and request it again",
        AccessStatus::Revoked => "the access was granted, and then revoked. Ask whoever decides, and request it again",
        AccessStatus::Expired => "the access has run out. Request it again",
        AccessStatus::Pending | AccessStatus::Unknown => {
            return Err(XtraError::new(
                ErrorKind::Decode,
                "the request for access has a status that this version does not know. Look at it in the dashboard",
            ));
        }
    };
    Err(XtraError::new(ErrorKind::Forbidden, message))
}

fn too_late(failed: Option<&XtraError>) -> XtraError {
    let mut message = "nobody has decided on the request for access by the deadline, and it still stands".to_owned();
    if let Some(error) = failed {
        message.push_str(". The last look at it failed too: ");
        message.push_str(error.kind().as_str());
    }
    XtraError::new(ErrorKind::Timeout, message)
        .with_hint(Hint::advice("Wait for it again"))
        .with_hint(Hint::Raise { limit: "deadline" })
}

#[cfg(test)]
mod tests;
