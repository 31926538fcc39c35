//! At most so many requests a minute to one API root: the service counts them by client address, says nothing of it on
//! success, and refuses without a word on how long. Pure: the time and the chance are passed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What the service allows each client address.
pub(super) const SERVICE_LIMIT: u32 = 100;

/// A minute, and a second for requests that are longer under way than later ones.
const WINDOW: Duration = Duration::from_secs(61);

/// The requests of the last minute, and those that wait for their turn.
pub(super) struct Burst {
    limit: usize,
    /// When the last `limit` requests were or will be sent, in order.
    slots: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

/// There is no turn before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// The next turn there is.
    pub(super) next: Instant,
    /// Because the service has refused, and not by this client's own count.
    pub(super) refused: bool,
}

impl Burst {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1), slots: VecDeque::new(), closed_until: None }
    }

    /// Takes the next turn there is, first come, first served: the time to send at. A turn that is not used is lost.
    pub(super) fn take_turn(&mut self, deadline: Instant, now: Instant) -> Result<Instant, Full> {
        while self.slots.front().is_some_and(|slot| *slot + WINDOW <= now) {
            self.slots.pop_front();
        }
        let counted = if self.slots.len() < self.limit { None } else { self.slots.front().map(|slot| *slot + WINDOW) };
        // never before the turn that was given last
        let counted = counted.max(self.slots.back().copied()).unwrap_or(now).max(now);
        let opens = self.closed_until.filter(|until| *until > counted);
        let next = opens.unwrap_or(counted);
        if next > now && next >= deadline {
            return Err(Full { next, refused: opens.is_some() });
        }
        if self.slots.len() >= self.limit {
            self.slots.pop_front();
        }
        self.slots.push_back(next);
        Ok(next)
    }

    /// The service has refused a request without saying for how long. Its minute began with some request of the last one, so
    /// what is left of that is waited for, and not in step with everyone else: `chance` is in `0.0..1.0`.
    ///
    /// Refusals of requests that were sent together count as one: only the first is news.
    pub(super) fn refused(&mut self, now: Instant, chance: f64) -> bool {
        if self.closed(now).is_some() {
            return false;
        }
        let first = self.slots.iter().find(|slot| **slot + WINDOW > now).copied().unwrap_or(now).min(now);
        let rest = (first + WINDOW).saturating_duration_since(now).max(Duration::from_secs(1));
        let share = if chance.is_nan() { 1.0 } else { 0.5 + 0.5 * chance.clamp(0.0, 1.0) };
        self.closed_until = Some(now + rest.mul_f64(share));
        true
    }

    /// Until when nothing is sent, because of a refusal.
    pub(super) fn closed(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn far(now: Instant) -> Instant {
        now + Duration::from_secs(3600)
    }

    #[test]
    fn no_minute_sees_more_requests_than_the_limit() {
        for limit in [1, 2, 7, 100] {
            let (mut burst, start) = (Burst::new(limit), Instant::now());
            let mut sent: Vec<Instant> = Vec::new();
            for call in 0..600_u64 {
                // in bursts and in drops
                let now = start + SECOND * (call as u32 / 40 * 11);
                let turn = burst.take_turn(now + Duration::from_secs(86_400), now).expect("in time");
                assert!(turn >= now && sent.last().is_none_or(|last| turn >= *last));
                sent.push(turn);
            }
            for (first, last) in sent.iter().zip(sent.iter().skip(limit as usize)) {
                assert!(*last - *first >= WINDOW, "{limit}");
            }
            assert!(burst.slots.len() <= limit as usize);
        }
    }

    #[test]
    fn below_the_limit_nobody_waits() {
        let (mut burst, now) = (Burst::new(SERVICE_LIMIT), Instant::now());
        for call in 0..1000 {
            let now = now + SECOND * call;
            assert_eq!(burst.take_turn(now + SECOND, now), Ok(now));
        }
    }

    #[test]
    fn a_turn_past_the_deadline_is_not_waited_for_and_not_taken() {
        let (mut burst, now) = (Burst::new(1), Instant::now());
        assert_eq!(burst.take_turn(now + SECOND, now), Ok(now));
        let next = now + WINDOW;
        for _ in 0..3 {
            assert_eq!(burst.take_turn(next, now), Err(Full { next, refused: false }));
        }
        assert_eq!(burst.take_turn(next + SECOND, now), Ok(next));
    }

    #[test]
    fn a_refusal_closes_for_the_rest_of_the_minute_at_most_and_not_for_all_alike() {
        let now = Instant::now();
        for (sent_before, longest) in [(0, 61), (40, 21), (60, 1)] {
            for (chance, share) in [(0.0, 0.5), (1.0, 1.0)] {
                let mut burst = Burst::new(100);
                burst.take_turn(far(now), now).expect("a turn");
                let refused = now + SECOND * sent_before;
                burst.refused(refused, chance);
                let until = refused + Duration::from_secs(longest).mul_f64(share);
                assert_eq!(burst.closed(refused), Some(until));
                burst.refused(refused + SECOND / 10, 1.0);
                assert_eq!(burst.closed(refused), Some(until), "refusals in a row are one");
                let full = burst.take_turn(until, refused + SECOND / 10);
                assert_eq!(full, Err(Full { next: until, refused: true }));
                assert_eq!(burst.take_turn(far(now), refused), Ok(until));
                assert_eq!(burst.closed(until), None);
            }
        }
    }

    #[test]
    fn odd_limits_and_chances_are_no_trouble() {
        let now = Instant::now();
        for limit in [0, u32::MAX] {
            let mut burst = Burst::new(limit);
            assert!(burst.take_turn(now, now).is_ok(), "what need not wait has time");
            burst.refused(now, f64::NAN);
            burst.refused(now, -1.0);
        }
    }
}
