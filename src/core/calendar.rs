//! Days and times of the Gregorian calendar, as numbers and as ISO 8601 writes them.

use std::time::Duration;

const DAYS_OF_400_YEARS: i64 = 146_097;
/// From 0000-03-01, with which a year begins here, so that the day that leap years have more is its last.
const DAYS_TO_1970: i64 = 719_468;

/// So many digits as a number, and what follows them.
pub(crate) fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().ok()).flatten().map(|number| (number, rest))
}

/// The days from 1970-01-01 to a date such as `2026-01-31`, and what follows it. `None` for a day that there is not.
pub(crate) fn date(text: &str) -> Option<(i64, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let days = days_to(year.into(), month.into(), day.into());
    let exists = civil(days) == (year.into(), month.into(), day.into());
    exists.then_some((days, rest))
}

/// The time since midnight of a text such as `09:30`, `09:30:00` or `09:30:00.5`, and what follows it. A leap second is the one
/// before it.
pub(crate) fn time(text: &str) -> Option<(Duration, &str)> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (mut second, mut nanoseconds) = (0, 0);
    if let Some(seconds) = rest.strip_prefix(':') {
        (second, rest) = digits(seconds, 2)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            nanoseconds = billionths(fraction.strip_suffix(rest)?)?;
        }
    }
    let seconds = hour * 3600 + minute * 60 + second.min(59);
    let exists = hour <= 23 && minute <= 59 && second <= 60;
    exists.then_some((Duration::new(seconds.into(), nanoseconds), rest))
}

/// A fraction by its decimal places; those after the ninth are left out.
fn billionths(places: &str) -> Option<u32> {
    let places = places.get(..9).unwrap_or(places);
    let shift = 10_u32.pow(9 - u32::try_from(places.len()).ok()?);
    places.parse::<u32>().ok().map(|number| number * shift)
}

/// The days from 1970-01-01 to a day. One that there is not is taken for the next one that there is, or one close to it.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970
}

/// The year, the month and the day that is so many days after 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let of_era = days.rem_euclid(DAYS_OF_400_YEARS);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + days.div_euclid(DAYS_OF_400_YEARS) * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_one_number_and_follows_the_one_before() {
        let mut before = (0, 1, 0);
        for days in -719_528..2_932_897 {
            let (year, month, day) = civil(days);
            assert_eq!(days_to(year, month, day), days);
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let (last_year, last_month, last_day) = before;
            let follows = match (month, day) {
                (1, 1) => (last_year, last_month, last_day) == (year - 1, 12, 31) || year == 0,
                (_, 1) => (last_year, last_month) == (year, month - 1),
                _ => (last_year, last_month, last_day + 1) == (year, month, day),
            };
            assert!(follows && (1..=length).contains(&day), "{before:?} before {year}-{month}-{day}");
            before = (year, month, day);
        }
        assert_eq!((civil(0), before), ((1970, 1, 1), (9999, 12, 31)));
    }

    #[test]
    fn what_is_no_day_and_no_time_is_told() {
        for text in
            ["", "2026-1-01", "2026-00-10", "2026-13-01", "2026-02-29", "2026-04-31", "2026-01-00", "2026-01-32"]
        {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(date("2024-02-29T"), Some((19_782, "T")));
        for text in ["", "9:30", "24:00:00", "12:60:00", "12:00:61", "12:00:00.", "12:00:", "12"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("23:59:60Z"), Some((Duration::from_secs(86_399), "Z")));
        assert_eq!(time("00:01:00.0000000019Z"), Some((Duration::new(60, 1), "Z")));
    }
}
