//! Properties of the transport's policies, whatever the service answers and whenever.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;

use crate::core::Quota;
use crate::http::options::RetryOptions;
use crate::http::quota::{QuotaHeaders, QuotaNames, Quotas};
use crate::http::rate_limiter::SlidingWindow;
use crate::http::retry::{FailureClass, Idempotency, Retries};
use crate::http::retry_after;
use crate::http::retry_budget::RetryBudget;
use crate::http::{ErrorBody, ErrorMembers, Protocol, QuotaFormat, ResetForm};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Without a file of failed cases: what fails becomes a test.
pub(super) fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { cases: number, failure_persistence: None, ..ProptestConfig::default() }
}

fn classes() -> impl Strategy<Value = FailureClass> {
    prop_oneof![
        Just(FailureClass::NotSent),
        Just(FailureClass::Lost),
        Just(FailureClass::Lasting),
        prop_oneof![Just(429_u16), 500..505_u16, any::<u16>()].prop_map(FailureClass::Status),
    ]
}

fn methods() -> impl Strategy<Value = Method> {
    prop_oneof![Just(Method::GET), Just(Method::HEAD), Just(Method::POST), Just(Method::PUT), Just(Method::DELETE)]
}

/// Whether the operation must be sent once.
struct Once(bool);

impl Protocol for Once {
    fn never_retried(&self) -> &'static [&'static str] {
        if self.0 { &["operation"] } else { &[] }
    }
}

fn millis(most: u64) -> impl Strategy<Value = Duration> {
    (0..most).prop_map(Duration::from_millis)
}

/// A header as services write it, and as they should not.
fn headers() -> impl Strategy<Value = Option<HeaderValue>> {
    let texts = prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        (0..200_u64).prop_map(|number| format!(" {number} ")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[ -~]{0,12}",
    ];
    let bytes = prop::collection::vec(any::<u8>(), 0..12);
    let written = prop_oneof![4 => texts.prop_map(String::into_bytes), 1 => bytes];
    prop::option::weighted(0.9, written).prop_map(|bytes| HeaderValue::from_bytes(&bytes?).ok())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn retries_are_counted_never_wait_past_the_deadline_and_repeat_only_what_is_safe(
        method in methods(),
        never in any::<bool>(),
        max_retries in 0..6_u32,
        [base, max_backoff] in [millis(2_000), millis(10_000)],
        deadline in millis(60_000),
        attempts in prop::collection::vec(
            (classes(), prop::option::of(millis(40_000)), millis(5_000), prop::bool::weighted(0.9)),
            1..20,
        ),
    ) {
        let options = RetryOptions { max_retries, base, max_backoff };
        let repeat = Idempotency::of(&method, "operation", &Once(never));
        let mut retries = Retries::new(repeat, options);
        let (mut made, mut passed) = (0, Duration::ZERO);
        for (class, asked, took, granted) in attempts {
            passed += took;
            let remaining = deadline.saturating_sub(passed);
            let Some(wait) = retries.next_wait(class, asked, remaining, || granted) else { continue };
            made += 1;
            passed += wait;
            prop_assert!(granted && passed < deadline, "{wait:?} of {remaining:?}");
            prop_assert!(!never && class != FailureClass::Lasting);
            let untouched = matches!(class, FailureClass::NotSent | FailureClass::Status(429));
            prop_assert!(untouched || matches!(method, Method::GET | Method::HEAD), "{method} after {class:?}");
            match asked {
                Some(asked) => prop_assert_eq!(wait, asked),
                None => prop_assert!(wait >= base && wait <= base.max(max_backoff), "{wait:?}"),
            }
        }
        prop_assert!(made <= max_retries);
    }

    #[test]
    fn a_wait_asked_for_is_within_a_second_and_a_day_whatever_the_answer(
        status in 100..600_u16,
        header in headers(),
        body in prop_oneof![
            any::<f64>().prop_map(|wait| format!("{{\"retryAfter\":{wait}}}").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..40),
        ],
    ) {
        let mut sent = HeaderMap::new();
        sent.extend(header.clone().map(|value| (RETRY_AFTER, value)));
        let names = ErrorMembers::new().retry_after("retryAfter");
        let by_body = ErrorBody::parse(&body, &names, &HashSet::new()).retry_after();
        let wait = retry_after::asked(status, &sent, by_body, SystemTime::now());
        prop_assert!(wait.is_none_or(|wait| (SECOND..=DAY).contains(&wait)), "{wait:?}");
        if header.is_some() {
            prop_assert_eq!(wait.is_some(), status >= 300);
        } else {
            prop_assert!(wait.is_none() || status == 429);
        }
    }

    #[test]
    fn a_wait_in_seconds_and_the_same_as_a_date_are_the_same_wait(wait in 0..200_000_u64, now in 0..4_000_000_000_u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let asked = |text: String| {
            let sent = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::try_from(text).expect("a good header"))]);
            retry_after::asked(503, &sent, None, now)
        };
        let expected = Some(Duration::from_secs(wait).clamp(SECOND, DAY));
        prop_assert_eq!(asked(wait.to_string()), expected);
        prop_assert_eq!(asked(httpdate::fmt_http_date(now + Duration::from_secs(wait))), expected);
    }

    #[test]
    fn what_headers_tell_of_a_budget_makes_sense_or_is_nothing(
        values in prop::collection::vec(headers(), 4),
        clock in prop_oneof![0..4_000_000_000_u64, Just(0)],
    ) {
        let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"];
        let mut sent = HeaderMap::new();
        for (name, value) in names.into_iter().zip(values) {
            sent.extend(value.map(|value| (HeaderName::from_static(name), value)));
        }
        let format = QuotaFormat { limit: names[0], remaining: names[1], reset: names[2], reset_form: ResetForm::UnixSeconds };
        let told = QuotaHeaders::read(&sent, &QuotaNames::new(format).expect("good names"), SystemTime::UNIX_EPOCH + Duration::from_secs(clock));
        let (mut quotas, now) = (Quotas::default(), Instant::now());
        quotas.answered("project", "secrets_read", told, [now, now]);
        if let Some(Quota { limit, remaining, resets_in }) = quotas.of("project", now) {
            prop_assert!(limit > 0 && remaining <= limit && resets_in <= DAY, "{told:?}");
        }
    }

    #[test]
    fn no_ten_seconds_see_more_retries_than_a_fifth_of_their_calls_or_the_few_that_are_always_granted(
        steps in prop::collection::vec((any::<bool>(), 0..40_u64, 1..60_u32), 1..60),
    ) {
        let (budget, start) = (RetryBudget::new(), Instant::now());
        let (mut now, mut calls, mut granted) = (start, Vec::new(), Vec::new());
        for (is_call, pause, times) in steps {
            now += Duration::from_millis(pause * 50);
            for _ in 0..times {
                if is_call {
                    budget.count_call(now);
                    calls.push(now);
                } else if budget.grants_retry(now) {
                    granted.push(now);
                    // the window slides by seconds, so that it may be one shorter
                    let lately = |times: &[Instant], window: u64| {
                        times.iter().filter(|then| now - **then < Duration::from_secs(window)).count()
                    };
                    let most = (lately(&calls, 10) / 5).max(30);
                    prop_assert!(lately(&granted, 9) <= most, "{} of {most}", lately(&granted, 9));
                }
            }
        }
    }

    #[test]
    fn turns_come_in_order_before_their_deadlines_and_no_minute_has_more_than_the_limit(
        limit in 1..8_u32,
        asks in prop::collection::vec((millis(30_000), millis(200_000), 0..10_u32), 1..60),
    ) {
        let (mut window, mut now, mut sent) = (SlidingWindow::new(limit), Instant::now(), Vec::<Instant>::new());
        let mut waiting = Vec::<(u64, Instant)>::new();
        for (pause, patience, event) in asks {
            now += pause;
            send_until(&mut window, now, &mut waiting, &mut sent);
            let deadline = now + patience;
            match event {
                0 if !waiting.is_empty() => drop(window.release(waiting.remove(waiting.len() / 2).0, now)),
                1 => drop(window.refused(now, 0.5)),
                _ => match window.reserve(deadline, now) {
                    Ok(reservation) => {
                        prop_assert!(reservation.at >= now && (reservation.at == now || reservation.at < deadline));
                        waiting.push((reservation.number, deadline));
                    }
                    Err(full) => prop_assert!(full.next >= deadline),
                },
            }
        }
        send_until(&mut window, now + Duration::from_secs(86_400), &mut waiting, &mut sent);
        prop_assert!(waiting.is_empty() && sent.is_sorted());
        for (first, next) in sent.iter().zip(sent.iter().skip(limit as usize)) {
            prop_assert!(*next - *first >= Duration::from_secs(60), "{:?}", *next - *first);
        }
    }
}

/// Sends what has its reservation until then, and lets go of what has none before its deadline any more.
fn send_until(window: &mut SlidingWindow, now: Instant, waiting: &mut Vec<(u64, Instant)>, sent: &mut Vec<Instant>) {
    while let Some((number, deadline)) = waiting.first().copied() {
        match window.when(number, deadline, now.min(deadline)) {
            Ok(at) if at > now => return,
            Ok(at) => {
                assert!(at < deadline || sent.last().is_none_or(|last| at >= *last));
                window.use_reservation(number, at);
                sent.push(at);
            }
            Err(full) => {
                assert!(full.next >= deadline);
                window.release(number, now);
            }
        }
        waiting.remove(0);
    }
}
