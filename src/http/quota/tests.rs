//! Tests of quotas: windows, late answers, refusals and lies.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const READ: &str = "secrets_read";
const FORMAT: QuotaFormat = QuotaFormat {
    limit: "x-ratelimit-limit",
    remaining: "x-ratelimit-remaining",
    reset: "x-ratelimit-reset",
    reset_form: ResetForm::UnixSeconds,
};
const UNIX: u64 = 1_790_000_000;

fn wall(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).expect("a name"), HeaderValue::from_str(value).expect("a value"))
    });
    pairs.collect()
}

/// By the answer's own date, `after` seconds into the test.
fn names() -> QuotaNames {
    QuotaNames::new(FORMAT).expect("good names")
}

fn told_at(after: u64, limit: u64, remaining: u64, reset: u64) -> Option<QuotaHeaders> {
    let (limit, remaining, reset) = (limit.to_string(), remaining.to_string(), reset.to_string());
    let date = httpdate::fmt_http_date(wall(UNIX + after));
    let headers = headers(&[
        ("x-ratelimit-limit", &limit),
        ("x-ratelimit-remaining", &remaining),
        ("x-ratelimit-reset", &reset),
        ("date", &date),
    ]);
    QuotaHeaders::read(&headers, &names(), wall(5))
}

fn told(remaining: u64, reset: u64) -> Option<QuotaHeaders> {
    Some(told_at(0, 1_000, remaining, reset).expect("it makes sense"))
}

/// What is left after these answers, all at one time.
fn left_after(answers: &[(u64, u64)]) -> Option<(u64, u64)> {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    for (remaining, reset) in answers {
        quotas.answered("p", READ, told(*remaining, *reset), [now, now]);
    }
    quotas.of("p", now).map(|budget| (budget.remaining, budget.resets_in.as_secs()))
}

#[test]
fn the_lowest_remaining_of_a_window_counts() {
    let reset = UNIX + 3600;
    assert_eq!(left_after(&[]), None);
    assert_eq!(left_after(&[(998, reset)]), Some((998, 3600)));
    assert_eq!(left_after(&[(998, reset), (900, reset), (950, reset)]), Some((900, 3600)));
    assert_eq!(left_after(&[(900, reset), (950, reset + 60)]), Some((900, 3660)), "within a minute it is the same");
}

#[test]
fn a_later_reset_is_another_window_and_an_earlier_one_an_old_answer() {
    let reset = UNIX + 3600;
    assert_eq!(left_after(&[(3, reset), (999, reset + 61)]), Some((999, 3661)));
    assert_eq!(left_after(&[(999, reset + 61), (3, reset)]), Some((999, 3661)));
}

#[test]
fn a_window_that_has_passed_is_forgotten() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    quotas.answered("p", READ, told(5, UNIX + 60), [now, now]);
    assert_eq!(quotas.least(now + Duration::from_secs(59)), Some(5));
    let later = now + Duration::from_secs(60);
    assert_eq!((quotas.of("p", later), quotas.least(later)), (None, None));
    quotas.answered("p", READ, told_at(60, 1_000, 900, UNIX + 50), [later, later]);
    assert_eq!(quotas.of("p", later), None, "a window that has passed already tells nothing");
    quotas.answered("p", READ, told_at(60, 1_000, 999, UNIX + 86_460), [later, later]);
    assert_eq!(quotas.of("p", later), Some(Quota::new(1_000, 999, DAY)));
}

#[test]
fn the_end_is_reckoned_by_the_answer_s_own_date_and_lies_within_a_day() {
    let ends_in = |reset| told(1, reset).map(|told| told.ends_in.as_secs());
    assert_eq!(ends_in(UNIX + 1), Some(1));
    assert_eq!(ends_in(UNIX - 100), Some(0));
    assert_eq!(ends_in(1), Some(0));
    assert_eq!(ends_in(UNIX + 86_401), Some(86_400));
    assert_eq!(ends_in(u64::MAX), Some(86_400));
    let by_clock = |date: &[(&str, &str)]| {
        let mut all = headers(&[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset", &(UNIX + 30).to_string()),
        ]);
        all.extend(headers(date));
        QuotaHeaders::read(&all, &names(), wall(UNIX)).expect("it makes sense").ends_in.as_secs()
    };
    assert_eq!(by_clock(&[]), 30);
    assert_eq!(by_clock(&[("date", "yesterday")]), 30);
}

#[test]
fn headers_that_make_no_sense_tell_nothing() {
    assert_eq!(told_at(0, 1_000, 1, 0), None, "a reset of 0 is the service's limiter out of order");
    assert_eq!(told_at(0, 0, 0, UNIX), None);
    assert_eq!(told_at(0, 10, 11, UNIX), None);
    let good = [("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1790000030")];
    for (index, (name, _)) in good.iter().enumerate() {
        for bad in ["", "-1", "1.5", "ten", "99999999999999999999999", "1, 2"] {
            let mut pairs = good;
            pairs[index] = (name, bad);
            assert_eq!(QuotaHeaders::read(&headers(&pairs), &names(), wall(UNIX)), None, "{name}: {bad}");
        }
        let without: Vec<_> = good.iter().filter(|(other, _)| other != name).copied().collect();
        assert_eq!(QuotaHeaders::read(&headers(&without), &names(), wall(UNIX)), None, "without {name}");
    }
    assert!(QuotaHeaders::read(&headers(&good), &names(), wall(UNIX)).is_some());
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_refusal_closes_its_project_alone_and_only_what_spends_the_budget() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    assert!(quotas.refused("p", READ, seconds(37), now), "it was open");
    assert!(!quotas.refused("p", READ, seconds(37), now));
    let closed = Admission::Closed { probe_at: now + seconds(37), until: now + seconds(37) };
    assert_eq!(quotas.acquire("p", READ, now), closed);
    assert_eq!(quotas.acquire("p", READ, now + Duration::from_millis(36_999)), closed);
    assert_eq!(quotas.acquire("other", READ, now), Admission::Open);
    assert_eq!(quotas.acquire("p", "secrets_history", now), Admission::Open, "nothing says that it spends the quota");
    quotas.answered("q", "secrets_history", told(5, UNIX + 60), [now, now]);
    assert_eq!(quotas.acquire("p", "secrets_history", now), closed, "now it is known");
    assert_eq!(quotas.acquire("p", READ, now + seconds(37)), Admission::Open);
    assert_eq!(quotas.of("p", now), None, "a refusal tells of the burst, not of the day");
}

#[test]
fn a_long_closure_is_looked_at_every_minute_by_one_request() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    quotas.refused("p", READ, seconds(86_400), now);
    let at = |minute: u64| now + seconds(60 * minute);
    let closed = |minute: u64| Admission::Closed { probe_at: at(minute), until: now + seconds(86_400) };
    assert_eq!(quotas.acquire("p", READ, now), closed(1));
    for minute in 1..5 {
        assert_eq!(quotas.acquire("p", READ, at(minute)), Admission::Open, "the one that looks");
        assert_eq!(quotas.acquire("p", READ, at(minute)), closed(minute + 1), "the others");
    }
    // still refused: closed as long as that answer says
    quotas.refused("p", READ, seconds(80_000), at(5));
    assert_eq!(quotas.acquire("p", READ, at(5)), Admission::Closed { probe_at: at(6), until: at(5) + seconds(80_000) });
    // raised: open for all
    assert_eq!(quotas.acquire("p", READ, at(6)), Admission::Open);
    quotas.answered("p", READ, told(900, UNIX + 3600), [at(6), at(6)]);
    assert_eq!(quotas.acquire("p", READ, at(6)), Admission::Open);
    assert_eq!(quotas.acquire("p", READ, at(6)), Admission::Open);
}

#[test]
fn an_answer_to_what_was_sent_before_a_refusal_does_not_open() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    let later = now + seconds(2);
    quotas.refused("p", READ, seconds(30), now + seconds(1));
    quotas.answered("p", READ, told(900, UNIX + 3600), [now, later]);
    assert!(matches!(quotas.acquire("p", READ, later), Admission::Closed { .. }));
    quotas.answered("p", "secrets_history", None, [later, later]);
    assert!(
        matches!(quotas.acquire("p", READ, later), Admission::Closed { .. }),
        "it spends nothing, so it tells nothing"
    );
    quotas.answered("p", READ, None, [later, later]);
    assert_eq!(quotas.acquire("p", READ, later), Admission::Open);
}

#[test]
fn the_memory_of_projects_is_bounded_and_gives_up_the_oldest() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    for number in 0..1_000_u64 {
        let now = now + Duration::from_millis(number);
        quotas.answered(&number.to_string(), READ, told(900, UNIX + 3600), [now, now]);
    }
    assert_eq!(quotas.scopes.len(), MOST_SCOPES);
    assert!(quotas.of("999", now).is_some() && quotas.of("743", now).is_none());
}

#[test]
fn one_answer_that_lies_about_the_end_does_not_count_for_a_day() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    for lie in [UNIX + 10 * 365 * 86_400, UNIX + 23 * 3600] {
        let (first, next) = (now, now + seconds(10));
        quotas.answered("p", READ, told(0, lie), [first, first]);
        quotas.answered("p", READ, told(900, UNIX + 3600), [next, next]);
        assert_eq!(quotas.of("p", next), Some(Quota::new(1_000, 900, seconds(3600))), "{lie}");
    }
}

#[test]
fn a_limit_that_was_raised_within_the_window_counts_at_once() {
    let (mut quotas, now) = (Quotas::default(), Instant::now());
    let at = |limit, remaining| told_at(0, limit, remaining, UNIX + 3600);
    quotas.answered("p", READ, at(1_000, 3), [now, now]);
    let next = now + seconds(1);
    quotas.answered("p", READ, at(10_000, 9_003), [next, next]);
    assert_eq!(quotas.of("p", next).map(|budget| (budget.limit, budget.remaining)), Some((10_000, 9_003)));
    // sent before that was told
    quotas.answered("p", READ, at(1_000, 4), [now, next]);
    assert_eq!(quotas.of("p", next).map(|budget| (budget.limit, budget.remaining)), Some((10_000, 9_003)));
}
