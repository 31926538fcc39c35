//! The server's clock: the system's, moved forward by hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Timestamp(pub(crate) u64);

/// The system's clock and how far it was moved forward.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    ahead: Duration,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead;
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }
}

impl Timestamp {
    pub(crate) fn plus(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// A date, or a date with a time in UTC; nothing for other text and for times before 1970.
    pub(crate) fn parse(text: &str) -> Option<Timestamp> {
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
        let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
        let days = day_of(date.next()??, date.next()??, date.next()??)?;
        let (clock, millis) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), "0"));
        let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u64>().ok());
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
        let millis: u64 = format!("{millis:0<3}").get(..3)?.parse().ok()?;
        let is_time = hour < 24 && minute < 60 && second < 60;
        is_time.then(|| Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis))
    }

    /// ISO 8601 in UTC with milliseconds: the only form of time on the wire.
    pub(crate) fn iso(self) -> String {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// The day counted from 1970-01-01 of a date that is not before it.
fn day_of(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let (from_march, of_era) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_era / 400 + (153 * from_march + 2) / 5 + day - 1;
    // A day that its month does not have comes back as another date.
    days.checked_sub(719_468).filter(|days| civil(*days) == (year, month, day))
}

/// Year, month and day of a day counted from 1970-01-01, by the proleptic Gregorian calendar.
fn civil(days_since_epoch: u64) -> (u64, u64, u64) {
    // Years start in March here, so that the leap day is the last of its year.
    let days = days_since_epoch + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_iso_8601_with_milliseconds() {
        assert_eq!(Timestamp(0).iso(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(951_782_400_000).iso(), "2000-02-29T00:00:00.000Z");
        assert_eq!(Timestamp(1_795_254_070_316).iso(), "2026-11-21T09:41:10.316Z");
    }

    #[test]
    fn a_time_that_was_written_is_read_again_and_no_other_text_is() {
        for time in [Timestamp(0), Timestamp(951_782_400_000), Timestamp(1_795_254_070_316)] {
            assert!(Timestamp::parse(&time.iso()) == Some(time));
        }
        assert!(Timestamp::parse("2000-02-29") == Some(Timestamp(951_782_400_000)));
        for text in ["", "soon", "2026-02-30", "2026-13-01", "1969-12-31", "2026-01-01T25:00:00Z"] {
            assert!(Timestamp::parse(text).is_none(), "{text}");
        }
    }
}
