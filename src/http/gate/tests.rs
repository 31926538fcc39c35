//! Tests of the gate: waits for the rate limit, refusals for the quota, and who shares one.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::*;
use crate::core::ManualClock;
use crate::http::QuotaFormat;
use crate::http::protocol::ResetForm;
use crate::http::sent_names::Sent;

const READ: Caller<'_> = Caller { scope: "p", operation: "secrets_read" };

fn answer(status: u16, pairs: &[(&'static str, &str)]) -> Response {
    let value = |text: &str| HeaderValue::from_str(text).expect("a header");
    let headers: HeaderMap = pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect();
    Response::new(status, headers, Zeroizing::default()).judged("secrets_read", &protocol(), Sent::default())
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn gate_of(requests_per_minute: u32) -> Gate {
    gate_by(requests_per_minute, &ManualClock::new())
}

fn gate_by(requests_per_minute: u32, clock: &ManualClock) -> Gate {
    let options = TransportOptions {
        requests_per_minute: Some(requests_per_minute),
        clock: clock.clock(),
        ..TransportOptions::default()
    };
    Gate::new(&root("https://gate.example/api"), &protocol(), &options)
}

/// Counts by the minute, and tells of quotas.
struct Counting;

impl Protocol for Counting {
    fn requests_per_minute(&self) -> u32 {
        100
    }

    fn quota(&self) -> Option<QuotaFormat> {
        Some(QuotaFormat {
            limit: "x-ratelimit-limit",
            remaining: "x-ratelimit-remaining",
            reset: "x-ratelimit-reset",
            reset_form: ResetForm::UnixSeconds,
        })
    }
}

fn protocol() -> Arc<dyn Protocol> {
    Arc::new(Counting)
}

fn root(text: &str) -> BaseUrl {
    BaseUrl::parse(text, "", false).expect("a root")
}

fn refuse(gate: &Gate, wait: Option<u64>) {
    let wait = wait.map(|wait| wait.to_string());
    let headers = wait.as_deref().map(|wait| ("retry-after", wait));
    gate.update(READ, &answer(429, headers.as_slice()), Instant::now());
}

async fn pass_within(gate: &Gate, limit: u64) -> Result<Passed, XtraError> {
    gate.pass(READ, Instant::now() + seconds(limit)).await
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_deadline_allows_is_waited_for_and_another_is_an_error_at_once() {
    let gate = gate_of(0);
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    refuse(&gate, Some(20));
    let begun = Instant::now();
    let error = pass_within(&gate, 20).await.unwrap_err();
    assert_eq!((begun.elapsed(), error.kind()), (Duration::ZERO, ErrorKind::RateLimited));
    assert_eq!((error.retry_after(), error.is_retryable(), error.attempts()), (Some(seconds(20)), true, 0));
    assert!(error.to_string().starts_with("not sent: ") && error.to_string().contains("20s"), "{error}");
    assert_eq!(pass_within(&gate, 21).await.unwrap(), Passed::Delayed);
    assert_eq!(begun.elapsed().as_secs(), 20);
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_a_day_lets_one_call_a_minute_look_whether_it_is_over() {
    let gate = gate_of(0);
    refuse(&gate, Some(86_400));
    assert_eq!(pass_within(&gate, 30).await.unwrap_err().retry_after(), Some(seconds(86_400)));
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    assert_eq!(pass_within(&gate, 30).await.unwrap_err().retry_after(), Some(seconds(86_340)));
    gate.update(READ, &answer(200, &[]), Instant::now());
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_wait_closes_the_root_for_a_part_of_a_minute_when_the_limit_is_on() {
    let gate = gate_of(100);
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    refuse(&gate, None);
    let closed = gate.closed_for().expect("closed");
    assert!(closed >= seconds(30) && closed <= seconds(61), "{closed:?}");
    let other = Caller { scope: "other", operation: "projects_list" };
    let error = gate.pass(other, Instant::now() + seconds(30)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.to_string().contains("from this address"), "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait >= closed), "rounded up");
    assert_eq!(gate.pass(other, Instant::now() + seconds(90)).await.unwrap(), Passed::Delayed);
    assert_eq!(gate.closed_for(), None);

    let off = gate_of(0);
    refuse(&off, None);
    assert_eq!((off.closed_for(), pass_within(&off, 1).await.unwrap()), (None, Passed::AtOnce));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_waits_on_when_another_is_refused() {
    let gate = Arc::new(gate_of(1));
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    let waiting = Arc::clone(&gate);
    let waiting = tokio::spawn(async move { pass_within(&waiting, 3600).await });
    tokio::time::sleep(seconds(50)).await;
    gate.update(READ, &answer(429, &[]), Instant::now());
    let closed = gate.closed_for().expect("closed");
    assert!(!waiting.is_finished());
    let begun = Instant::now();
    waiting.await.unwrap().unwrap();
    assert!(begun.elapsed() >= closed);
}

#[tokio::test(start_paused = true)]
async fn calls_past_the_limit_wait_for_their_turn_in_order_or_fail_at_once() {
    let gate = gate_of(2);
    for _ in 0..2 {
        assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    }
    let error = pass_within(&gate, 30).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(seconds(61))));
    assert!(error.to_string().contains("requests_per_minute"), "{error}");
    let begun = Instant::now();
    assert_eq!(pass_within(&gate, 62).await.unwrap(), Passed::Delayed);
    assert_eq!(begun.elapsed().as_secs(), 61);
}

#[test]
fn answers_fill_the_budget_of_their_project_and_errors_of_others_on_the_way_do_not_open_it() {
    let gate = gate_of(0);
    let told = [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "4000000000")];
    refuse(&gate, Some(50));
    gate.update(READ, &answer(503, &[]), Instant::now());
    assert!(gate.quota_opens(READ, Instant::now(), Quotas::acquire).is_err());
    gate.update(READ, &answer(404, &told), Instant::now());
    assert!(
        gate.quota_opens(READ, Instant::now(), Quotas::acquire).is_ok(),
        "a refusal of a handler is an answer of the service"
    );
    let budget = gate.quota("p").expect("told");
    assert_eq!((budget.limit, budget.remaining, gate.least_left()), (1_000, 7, Some(7)));
}

#[tokio::test(start_paused = true)]
async fn time_goes_on_when_the_clock_is_moved_by_hand() {
    let clock = ManualClock::new();
    let gate = Arc::new(gate_by(1, &clock));
    refuse(&gate, Some(80_000));
    assert!(pass_within(&gate, 30).await.is_err());
    clock.advance(seconds(80_000));
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    let begun = Instant::now();
    let (waiting, moving) = tokio::join!(pass_within(&gate, 62), async { clock.advance(seconds(61)) });
    assert_eq!((waiting.unwrap(), moving, begun.elapsed()), (Passed::Delayed, (), Duration::ZERO));
}

#[test]
fn clients_of_one_root_and_limit_share_its_turns_as_long_as_there_is_one() {
    let (url, clock) = ("https://limits.example/api", Clock::system());
    let of = |url: &str, limit| limiter_of(&root(url), limit, 100, &clock);
    let one = of(url, None).expect("it is on by default");
    let shares = |other: Option<Arc<Limiter>>| Arc::ptr_eq(&one, &other.expect("it is on"));
    assert!(shares(of(url, Some(100))), "the default is 100");
    assert!(!shares(of(url, Some(50))) && !shares(of("https://limits.example/v2/api", None)));
    assert!(!shares(limiter_of(&root(url), None, 100, &ManualClock::new().clock())));
    assert!(of("http://localhost:1/api", None).is_none() && of("http://localhost:1/api", Some(3)).is_some());
    assert!(of(url, Some(0)).is_none());
    let window = Arc::downgrade(&one);
    drop(one);
    assert!(window.upgrade().is_none());
    assert!(of(url, None).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_while_it_waits_gives_its_turn_back() {
    let gate = gate_of(2);
    for _ in 0..2 {
        assert_eq!(pass_within(&gate, 300).await.unwrap(), Passed::AtOnce);
    }
    let begun = Instant::now();
    for _ in 0..50 {
        tokio::time::timeout(seconds(1), pass_within(&gate, 300)).await.expect_err("it waits");
    }
    assert_eq!(pass_within(&gate, 300).await.unwrap(), Passed::Delayed);
    assert_eq!(begun.elapsed().as_secs(), 61, "nobody has been sent since the first two");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_is_not_sent_to_a_project_that_was_closed_meanwhile() {
    let gate = Arc::new(gate_of(1));
    assert_eq!(pass_within(&gate, 30).await.unwrap(), Passed::AtOnce);
    let waiting = |limit| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { (pass_within(&gate, limit).await, Instant::now()) })
    };
    let (hasty, patient) = (waiting(70), waiting(600));
    tokio::time::sleep(seconds(50)).await;
    let refused = Instant::now();
    refuse(&gate, Some(40));
    let (answer, _) = hasty.await.unwrap();
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::RateLimited);
    let (answer, sent) = patient.await.unwrap();
    answer.unwrap();
    assert!(sent >= refused + seconds(40), "{:?} after the refusal", sent - refused);
}

#[tokio::test(start_paused = true)]
async fn no_minute_sees_more_than_the_limit_when_turns_are_put_off_by_a_refusal() {
    let gate = Arc::new(gate_of(3));
    let begun = Instant::now();
    for _ in 0..3 {
        pass_within(&gate, 30).await.unwrap();
    }
    let calls: Vec<_> = (0..9)
        .map(|_| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { pass_within(&gate, 1_000).await.map(|_| Instant::now()) })
        })
        .collect();
    tokio::time::sleep(seconds(60)).await;
    gate.update(READ, &answer(429, &[]), Instant::now());
    tokio::time::sleep(seconds(1)).await;
    gate.update(READ, &answer(429, &[]), Instant::now());
    let mut sent = vec![begun; 3];
    for call in calls {
        sent.push(call.await.unwrap().unwrap());
    }
    sent.sort();
    for (first, fourth) in sent.iter().zip(sent.iter().skip(3)) {
        assert!(*fourth - *first >= seconds(61), "{:?}", sent.iter().map(|at| *at - begun).collect::<Vec<_>>());
    }
}

#[test]
fn a_refusal_for_a_project_says_nothing_of_the_address_even_when_its_wait_was_lost() {
    let gate = gate_of(100);
    gate.update(READ, &answer(429, &[("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "0")]), Instant::now());
    assert_eq!(gate.closed_for(), None);
}
