//! The wait that an answer asks for.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Zero and negative waits come from clock rounding; a wait of nothing would be answered by the same refusal.
const FLOOR: Duration = Duration::from_secs(1);

/// No service closes for longer than a day.
const CEILING: Duration = Duration::from_secs(24 * 60 * 60);

const TOO_MANY_REQUESTS: u16 = 429;

/// The wait asked for, between a second and a day: by the `Retry-After` header of any answer that is not a success, or by the
/// body of a 429, which has been read before. `None` when the answer does not ask.
pub(crate) fn asked(status: u16, headers: &HeaderMap, by_body: Option<Duration>, now: SystemTime) -> Option<Duration> {
    if status < 300 {
        return None;
    }
    let wait = match headers.get(RETRY_AFTER) {
        // an unreadable header still asks for a wait
        Some(value) => value.to_str().ok().and_then(|text| parse(text, now)).unwrap_or(FLOOR),
        None if status == TOO_MANY_REQUESTS => by_body?,
        None => return None,
    };
    Some(wait.clamp(FLOOR, CEILING))
}

/// Whole seconds or an HTTP date.
fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or(FLOOR))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use reqwest::header::HeaderValue;

    use super::*;
    use crate::http::error_body::ErrorBody;
    use crate::http::protocol::ErrorMembers;

    fn asked_by(header: Option<&'static str>, body: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let names = ErrorMembers::new().retry_after("retryAfter");
        let body = ErrorBody::parse(body.as_bytes(), &names, &HashSet::new());
        asked(429, &headers, body.retry_after(), now).map(|wait| wait.as_secs())
    }

    #[test]
    fn whole_seconds_and_dates_are_understood() {
        assert_eq!(asked_by(Some("59"), ""), Some(59));
        assert_eq!(asked_by(Some(" 7 "), ""), Some(7));
        assert_eq!(asked_by(Some("Sun, 06 Nov 1994 08:50:37 GMT"), ""), Some(60));
    }

    #[test]
    fn a_wait_is_never_shorter_than_a_second_nor_longer_than_a_day() {
        for floored in ["0", "-3", "soon", "1.5", "", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:00:00 GMT"]
        {
            assert_eq!(asked_by(Some(floored), ""), Some(1), "{floored}");
        }
        assert_eq!(asked_by(Some("18446744073709551615"), ""), Some(86_400));
        assert_eq!(asked_by(Some("99999999999999999999999"), ""), Some(1));
        assert_eq!(asked_by(Some("Sat, 06 Nov 2094 08:49:37 GMT"), ""), Some(86_400));
    }

    #[test]
    fn the_body_is_asked_when_the_header_is_absent() {
        assert_eq!(asked_by(None, r#"{"error":"Too Many Requests","retryAfter":59}"#), Some(59));
        assert_eq!(asked_by(None, r#"{"retryAfter":-2}"#), Some(1));
        assert_eq!(asked_by(None, r#"{"retryAfter":1e300}"#), Some(86_400));
        assert_eq!(asked_by(Some("5"), r#"{"retryAfter":59}"#), Some(5));
    }

    #[test]
    fn an_answer_that_asks_for_nothing_gives_nothing() {
        for body in ["", "{}", r#"{"error":"Too Many Requests"}"#, r#"{"retryAfter":"59"}"#, "<html>", "null"] {
            assert_eq!(asked_by(None, body), None, "{body}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        assert_eq!(asked(200, &headers, None, SystemTime::now()), None);
        assert!(asked(503, &headers, None, SystemTime::now()).is_some());
    }
}
