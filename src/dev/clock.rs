//! The server's clock: the system's, moved forward by hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::core::Timestamp;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Millis(pub(crate) u64);

/// The system's clock and how far it was moved forward.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    ahead: Duration,
}

impl Clock {
    pub(crate) fn now(&self) -> Millis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead;
        Millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }
}

impl Millis {
    pub(crate) fn plus(self, by: Duration) -> Millis {
        Millis(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// A date, or a date with a time in UTC; nothing for other text and for times before 1970.
    pub(crate) fn parse(text: &str) -> Option<Millis> {
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        let time = time.strip_suffix('Z').unwrap_or(time);
        let seconds = if time.len() == "00:00".len() { ":00" } else { "" };
        let moment = Timestamp::parse(&format!("{date}T{time}{seconds}Z"))?;
        let millis = u64::try_from(moment.since_unix_epoch().as_millis()).ok()?;
        (SystemTime::from(moment) >= UNIX_EPOCH).then_some(Millis(millis))
    }

    /// ISO 8601 in UTC with milliseconds, as JavaScript writes times. The last time of the calendar stands for later ones.
    pub(crate) fn iso(self) -> String {
        let time = UNIX_EPOCH.checked_add(Duration::from_millis(self.0));
        format!("{:.3}", time.map_or(Timestamp::LAST, Timestamp::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_iso_8601_with_milliseconds() {
        assert_eq!(Millis(0).iso(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Millis(951_782_400_000).iso(), "2000-02-29T00:00:00.000Z");
        assert_eq!(Millis(1_795_254_070_316).iso(), "2026-11-21T09:41:10.316Z");
    }

    #[test]
    fn a_time_that_was_written_is_read_again_and_no_other_text_is() {
        for time in [Millis(0), Millis(951_782_400_000), Millis(1_795_254_070_316)] {
            assert!(Millis::parse(&time.iso()) == Some(time));
        }
        assert!(Millis::parse("2000-02-29") == Some(Millis(951_782_400_000)));
        for text in ["", "soon", "2026-02-30", "2026-13-01", "1969-12-31", "2026-01-01T25:00:00Z"] {
            assert!(Millis::parse(text).is_none(), "{text}");
        }
    }
}
