//! How a case is played: by a client that has read nothing yet, and by one with an old snapshot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use xtrasecurity::{ErrorKind, Secrets, XtraClient, XtraError, clock::ManualClock};

use crate::case::{Case, Ends, Next, Stage, Told, Trouble};
use crate::planted::{ENVIRONMENT, KEY, NEW, OLD, leaks_of, leaks_of_events, listen};
use crate::table::Row;

/// Past the time in which a snapshot is served while a refresh runs, and before the end of the time in which it may stand in.
const OLD_ENOUGH: Duration = Duration::from_secs(10 * 60);
/// Longer than the longest pause after a failed refresh.
const PAUSE_OVER: Duration = Duration::from_secs(61);

type Answer = Result<Arc<Secrets>, XtraError>;

/// Plays a case and collects what does not fit.
pub async fn play(family: &str, case: &Case, problems: &mut Vec<String>) -> Row {
    listen();
    let before = problems.len();
    let told = match &case.trouble {
        Trouble::Told(program) => program(),
        _ => {
            let told = cold(case).await;
            with_an_old_snapshot(case, problems).await;
            told
        }
    };
    problems.extend(told.problems);
    problems.extend(leaks_of_events());
    if told.took > case.within {
        problems.push(format!("it took {:?}, and may take {:?}", told.took, case.within));
    }
    if told.requests < case.requests.0 || told.requests > case.requests.1 {
        problems.push(format!("{} requests, where {:?} are right", told.requests, case.requests));
    }
    for problem in &mut problems[before..] {
        *problem = format!("{family}, {}: {problem}", case.name);
    }
    case.row(family, Some(told.took), Some(told.requests))
}

async fn cold(case: &Case) -> Told {
    let mut problems = Vec::new();
    let mut stage = Stage::set(&case.trouble, NEW).await;
    let clock = ManualClock::new();
    let client = case.client(&stage, clock.clock());
    stage.go_wrong().await;
    let (answer, took, requests) = call(case, &client).await;
    match (&answer, case.ends) {
        (Err(error), Ends::Fails(kind, status)) => {
            if (error.kind(), error.status()) != (kind, status) {
                problems.push(format!("ends with {error:?}"));
            }
            if error.is_retryable() != case.is_retryable() {
                problems.push(format!("is_retryable is {}", error.is_retryable()));
            }
        }
        (Ok(secrets), Ends::Works) if holds(secrets, NEW) => {}
        (Ok(secrets), Ends::Empty) if secrets.is_empty() => {}
        (answer, _) => problems.push(format!("ends with {answer:?}")),
    }
    problems.extend(answer.err().iter().flat_map(leaks_of));
    stage.mend().await;
    next_call(case, &client, &clock, &mut problems).await;
    Told { took, requests, problems }
}

/// The first call after the trouble, on the same client.
async fn next_call(case: &Case, client: &XtraClient, clock: &ManualClock, problems: &mut Vec<String>) {
    if !matches!(case.ends, Ends::Fails(..)) {
        // what came of the trouble is in the cache
        client.clear_cache();
    }
    if case.next == Next::HeldBack {
        let (answer, took, requests) = call(case, client).await;
        let refused = answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::RateLimited);
        if !refused || requests > 0 || took > case.within {
            problems.push(format!("the next call is not held back: {answer:?}, {requests} requests"));
        }
        problems.extend(answer.err().iter().flat_map(leaks_of));
        clock.advance(PAUSE_OVER);
    }
    let (answer, ..) = call(case, client).await;
    if !answer.as_ref().is_ok_and(|secrets| holds(secrets, NEW)) {
        problems.push(format!("the next call ends with {answer:?}"));
    }
}

async fn with_an_old_snapshot(case: &Case, problems: &mut Vec<String>) {
    let mut stage = Stage::set(&case.trouble, OLD).await;
    let clock = ManualClock::new();
    let client = case.client(&stage, clock.clock());
    if !client.get_secrets(ENVIRONMENT).await.is_ok_and(|secrets| holds(&secrets, OLD)) {
        problems.push("the call before the trouble does not work".to_owned());
    }
    stage.turn(NEW);
    clock.advance(OLD_ENOUGH);
    stage.go_wrong().await;
    let (answer, took, _) = call(case, &client).await;
    let fits = match (&answer, case.ends) {
        (Ok(secrets), _) if case.leaves_the_old_one() => {
            holds(secrets, OLD) && secrets.is_stale() && secrets.age() == OLD_ENOUGH
        }
        (Ok(secrets), Ends::Works) => holds(secrets, NEW) && secrets.age().is_zero(),
        (Err(error), Ends::Fails(kind, status)) => {
            !case.leaves_the_old_one() && (error.kind(), error.status()) == (kind, status)
        }
        _ => false,
    };
    if !fits || took > case.within {
        problems.push(format!("with an old snapshot, it ends with {answer:?} after {took:?}"));
    }
    problems.extend(answer.err().iter().flat_map(leaks_of));
    stage.mend().await;
    clock.advance(PAUSE_OVER);
    recovers(case, &client, problems).await;
}

/// The service is well: the old snapshot is replaced. Reads may get it once more, while the newer one is on its way.
async fn recovers(case: &Case, client: &XtraClient, problems: &mut Vec<String>) {
    let started = Instant::now();
    loop {
        let (answer, ..) = call(case, client).await;
        match answer {
            // a scarce budget keeps what came of the trouble for longer than usual, so it may be stale
            Ok(secrets) if holds(&secrets, NEW) => return,
            Ok(secrets) if holds(&secrets, OLD) && secrets.is_stale() && started.elapsed() < case.within => {
                tokio::task::yield_now().await;
            }
            answer => return problems.push(format!("with an old snapshot, the next call ends with {answer:?}")),
        }
    }
}

/// One read: how it ends, how long it takes and how many requests it sends.
async fn call(case: &Case, client: &XtraClient) -> (Answer, Duration, u64) {
    let sent = client.stats().requests;
    let started = Instant::now();
    let answer = timeout(case.within * 2, client.get_secrets(ENVIRONMENT).send()).await;
    let answer = answer.unwrap_or_else(|_| panic!("{} does not end", case.name));
    (answer, started.elapsed(), client.stats().requests - sent)
}

pub fn holds(secrets: &Secrets, value: &str) -> bool {
    secrets.get(KEY).is_some_and(|found| found.expose() == value)
}
