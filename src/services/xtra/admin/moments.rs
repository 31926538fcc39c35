//! Moments as the service writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether a moment (`2026-05-01T09:30:00.000Z`) has come. `None` for a text of another form.
pub(super) fn has_come(moment: &str, now: SystemTime) -> Option<bool> {
    let moment = read(moment)?;
    Some(moment <= i128::try_from(now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis()).ok()?)
}

/// Milliseconds since 1970.
fn read(text: &str) -> Option<i128> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':')?;
    let milliseconds = format!("{fraction:0<3}").get(..3)?.parse::<u32>().ok()?;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let seconds = in_range.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)?;
    Some(i128::from(seconds) * 1_000 + i128::from(milliseconds))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => part.parse::<u32>().ok().map(i64::from),
        false => None,
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Days since 1970-01-01. Years are counted from March, so that a leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let in_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_to_the_millisecond() {
        let cases = [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2000-03-01T00:00:00.5Z", 951_868_800_500),
            ("2024-02-29T12:00:00.007Z", 1_709_208_000_007),
            ("2100-03-01T00:00:00.000999Z", 4_107_542_400_000),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in
            ["", "never", "2026-05-01", "2026-05-01T09:30Z", "2026-05-01T09:30:00+02:00", "2026-13-01T00:00:00Z"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_has_come_when_it_is_reached() {
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        assert_eq!(has_come("1970-01-01T00:00:01.000Z", at(999)), Some(false));
        assert_eq!(has_come("1970-01-01T00:00:01.000Z", at(1_000)), Some(true));
        assert_eq!(has_come("soon", at(0)), None);
    }
}
