//! Timestamps: moments of the calendar, as services write them and as messages show them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};

/// A moment of the calendar in UTC, from 1601 to 9999.
///
/// Services write moments as RFC 3339 text. `Display` writes them so again, in UTC, with as many decimal places as it takes;
/// `{:.0}` writes whole seconds.
/// Timestamps are ordered in time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use xtrasecurity::clock::Timestamp;
///
/// let granted = Timestamp::parse("2026-05-01T09:30:00.000Z").unwrap();
/// let expires = Timestamp::parse("2026-05-01T13:30:00+02:00").unwrap();
/// assert!(granted < expires);
/// assert_eq!(expires.to_string(), "2026-05-01T11:30:00Z");
/// assert_eq!(SystemTime::from(expires), SystemTime::from(granted) + Duration::from_secs(2 * 60 * 60));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The longest text that is looked at. With nine decimal places and an offset there are 35 characters.
const LONGEST_TEXT: usize = 64;

impl Timestamp {
    /// 1601-01-01, the first moment that every system's clock has.
    const FIRST: Self = Self::at(-11_644_473_600, 0);
    /// The last moment of 9999.
    pub(crate) const LAST: Self = Self::at(253_402_300_799, 999_999_999);

    const fn at(seconds: i64, nanoseconds: u32) -> Self {
        match DateTime::from_timestamp(seconds, nanoseconds) {
            Some(moment) => Self(moment),
            None => Self(DateTime::UNIX_EPOCH),
        }
    }

    /// The moment that an RFC 3339 text names, such as `2026-05-01T09:30:00.000Z`. `None` for a text of another form, without
    /// an offset from UTC, or of a moment that is out of reach. A leap second is read as the end of the second before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        let moment = Self::at(moment.timestamp(), moment.timestamp_subsec_nanos().min(999_999_999));
        (Self::FIRST..=Self::LAST).contains(&moment).then_some(moment)
    }

    /// The time since 1970-01-01; zero for moments before.
    #[must_use]
    pub fn since_unix_epoch(self) -> Duration {
        self.0.signed_duration_since(DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }
}

/// A moment before 1601 becomes the first of 1601, one after 9999 the last of 9999.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let delta = |apart| TimeDelta::from_std(apart).ok();
        let moment = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => {
                delta(after).and_then(|after| DateTime::UNIX_EPOCH.checked_add_signed(after)).map_or(Self::LAST, Self)
            }
            Err(error) => delta(error.duration())
                .and_then(|before| DateTime::UNIX_EPOCH.checked_sub_signed(before))
                .map_or(Self::FIRST, Self),
        };
        moment.clamp(Self::FIRST, Self::LAST)
    }
}

/// Each moment from 1601 to 9999 is within the reach of every system's clock.
impl From<Timestamp> for SystemTime {
    fn from(Timestamp(moment): Timestamp) -> Self {
        moment.into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%S"))?;
        let places = format!("{:09}", self.0.timestamp_subsec_nanos());
        let places = match f.precision() {
            Some(count) => places.get(..count).unwrap_or(&places),
            None => places.trim_end_matches('0'),
        };
        if places.is_empty() { f.write_str("Z") } else { write!(f, ".{places}Z") }
    }
}

/// As `Display`.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn moments_are_read_to_the_nanosecond_and_written_as_they_are() {
        let cases = [
            ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", 951_782_400_000),
            ("2000-03-01T00:00:00.5Z", "2000-03-01T00:00:00.5Z", 951_868_800_500),
            ("2024-02-29T12:00:00.007Z", "2024-02-29T12:00:00.007Z", 1_709_208_000_007),
            ("2024-02-29T14:00:00.007+02:00", "2024-02-29T12:00:00.007Z", 1_709_208_000_007),
            ("2100-03-01T00:00:00.000999Z", "2100-03-01T00:00:00.000999Z", 4_107_542_400_000),
        ];
        for (text, written, milliseconds) in cases {
            let moment = Timestamp::parse(text).unwrap();
            assert_eq!((moment.to_string(), format!("{moment:?}")), (written.to_owned(), written.to_owned()));
            assert_eq!(moment.since_unix_epoch().as_millis(), milliseconds, "{text}");
            assert_eq!(Timestamp::from(SystemTime::from(moment)), moment);
        }
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in [
            "",
            "never",
            "2026-05-01",
            "2026-05-01T09:30:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-05-01T25:00:00Z",
            "2026-05-01T09:30:00Z[UTC]",
            "1600-12-31T23:59:59Z",
            "-2026-05-01T09:30:00Z",
            "2026-05-01T09:30:00+24:00",
            "2026-05-01T09:30:00+02:00:00",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(Timestamp::parse(&format!("2026-05-01T09:30:00.{}Z", "0".repeat(100_000))), None);
    }

    #[test]
    fn moments_out_of_reach_are_the_ends_of_the_reach() {
        assert_eq!(at(253_402_300_800 * 2).to_string().get(..4), Some("9999"));
        assert_eq!(at(u64::from(u32::MAX)).to_string(), "2106-02-07T06:28:15Z");
        if let Some(early) = UNIX_EPOCH.checked_sub(Duration::from_secs(20_000_000_000)) {
            assert_eq!(Timestamp::from(early).to_string(), "1601-01-01T00:00:00Z");
        }
        if let Some(before) = UNIX_EPOCH.checked_sub(Duration::from_secs(1)) {
            assert_eq!(Timestamp::from(before).to_string(), "1969-12-31T23:59:59Z");
            assert_eq!(SystemTime::from(Timestamp::from(before)), before);
            let after = before + Duration::from_nanos(1);
            assert_eq!(Timestamp::from(after).to_string(), "1969-12-31T23:59:59.000000001Z");
            assert_eq!(SystemTime::from(Timestamp::from(after)), after);
        }
    }
}
