//! Tests of waiting for a decision.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, ready};

use super::*;

const PACE: Pace = Pace { every: EVERY, deadline: DEADLINE };

fn request(status: AccessStatus) -> AccessRequest {
    AccessRequest {
        id: "665f1c2ab7c0de0012345678".to_owned(),
        status,
        project_id: None,
        project_name: None,
        secrets: Vec::new(),
        reason: None,
        duration: None,
        requested_by: None,
        requester_email: None,
        requested_at: None,
        decided_by: None,
        decided_at: None,
        expires_at: None,
        workspace_id: None,
    }
}

fn status(status: AccessStatus) -> Result<AccessRequest, XtraError> {
    Ok(request(status))
}

fn unavailable() -> XtraError {
    XtraError::new(ErrorKind::Server, "down").with_status(503)
}

/// What comes of these answers, and when each was asked for, in seconds. After the last one nobody has decided yet.
async fn watch(
    pace: Pace,
    answers: impl IntoIterator<Item = Result<AccessRequest, XtraError>>,
) -> (Result<AccessRequest, XtraError>, Vec<u64>) {
    let start = Instant::now();
    let asked = RefCell::new(Vec::new());
    let mut answers: VecDeque<_> = answers.into_iter().collect();
    let outcome = until_decided(pace, || {
        asked.borrow_mut().push(start.elapsed().as_secs());
        ready(answers.pop_front().unwrap_or_else(|| status(AccessStatus::Pending)))
    })
    .await;
    (outcome, asked.into_inner())
}

#[tokio::test(start_paused = true)]
async fn it_looks_at_once_and_then_every_five_seconds_until_it_is_approved() {
    use AccessStatus::{Approved, Pending};
    let (outcome, asked) = watch(PACE, [status(Pending), status(Pending), status(Approved)]).await;
    assert_eq!(outcome.unwrap().status, Approved);
    assert_eq!(asked, [0, 5, 10]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_granted_is_an_error_that_says_why() {
    let cases =
        [(AccessStatus::Rejected, "rejected"), (AccessStatus::Revoked, "revoked"), (AccessStatus::Expired, "run out")];
    for (decided, word) in cases {
        let (outcome, asked) = watch(PACE, [status(AccessStatus::Pending), status(decided)]).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(asked.len(), 2);
    }
    let (outcome, _) = watch(PACE, [status(AccessStatus::Unknown)]).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_at_the_deadline_and_not_later() {
    let start = Instant::now();
    let (outcome, asked) = watch(Pace { deadline: Duration::from_secs(12), ..PACE }, []).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(asked, [0, 5, 10]);
    assert!(start.elapsed() <= Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_does_not_outlast_the_deadline() {
    let start = Instant::now();
    let error = until_decided(Pace { deadline: Duration::from_secs(3), ..PACE }, pending).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn failures_that_may_pass_are_waited_out_as_long_as_the_service_asks() {
    let limited = XtraError::new(ErrorKind::RateLimited, "too fast").with_retry_after(Duration::from_secs(30));
    let (outcome, asked) = watch(PACE, [Err(limited), Err(unavailable()), status(AccessStatus::Approved)]).await;
    assert!(outcome.is_ok());
    assert_eq!(asked, [0, 30, 35]);
}

#[tokio::test(start_paused = true)]
async fn failures_that_will_not_pass_end_the_wait() {
    let (outcome, asked) = watch(PACE, [Err(XtraError::new(ErrorKind::NotFound, "gone").with_status(404))]).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(asked, [0]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_last_failure_is_told() {
    let answers = (0..3).map(|_| Err(unavailable()));
    let (outcome, _) = watch(Pace { deadline: Duration::from_secs(10), ..PACE }, answers).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().ends_with("server"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_too_long_to_be_counted() {
    let answers = [status(AccessStatus::Pending), status(AccessStatus::Approved)];
    let (outcome, asked) = watch(Pace { deadline: Duration::MAX, ..PACE }, answers).await;
    assert!(outcome.is_ok());
    assert_eq!(asked, [0, 5]);
    let (outcome, asked) = watch(Pace { every: Duration::MAX, ..PACE }, []).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(asked, [0]);
}
