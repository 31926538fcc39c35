//! The sliding window of requests to one root: at most so many a minute, for a service that counts them by client address,
//! says nothing of it on success, and refuses without a word on how long. Pure: time and jitter are passed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A minute, and a second for requests that are longer under way than later ones.
const WINDOW: Duration = Duration::from_secs(61);

/// The requests of the last minute, and those that wait for their time.
pub(super) struct SlidingWindow {
    limit: usize,
    /// When the requests of the last minute were sent, in order.
    sent: VecDeque<Instant>,
    /// Those that have not been sent yet, first come, first served.
    waiting: VecDeque<Reservation>,
    next_number: u64,
    closed_until: Option<Instant>,
}

/// The right to send one request. It must be used or released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) number: u64,
    /// When to send, as things are now: it moves when others release theirs, or are refused.
    pub(super) at: Instant,
}

/// There is no room before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// When there is.
    pub(super) next: Instant,
    /// Because the service has refused, and not by this client's own count.
    pub(super) refused: bool,
}

impl SlidingWindow {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1),
            sent: VecDeque::new(),
            waiting: VecDeque::new(),
            next_number: 0,
            closed_until: None,
        }
    }

    /// Takes the next reservation there is, first come, first served.
    pub(super) fn reserve(&mut self, deadline: Instant, now: Instant) -> Result<Reservation, Full> {
        while self.sent.front().is_some_and(|sent| *sent + WINDOW <= now) {
            self.sent.pop_front();
        }
        let at = self.slot(self.waiting.len(), now);
        if at > now && at >= deadline {
            return Err(Full { next: at, refused: self.is_put_off(at) });
        }
        let reservation = Reservation { number: self.next_number, at };
        self.next_number += 1;
        self.waiting.push_back(reservation);
        Ok(reservation)
    }

    /// The time of the reservation of that number, unless that is too late by now.
    pub(super) fn when(&self, number: u64, deadline: Instant, now: Instant) -> Result<Instant, Full> {
        let at = self
            .waiting
            .iter()
            .find(|reservation| reservation.number == number)
            .map_or(now, |reservation| reservation.at);
        if at > now && at >= deadline { Err(Full { next: at, refused: self.is_put_off(at) }) } else { Ok(at) }
    }

    /// The request is sent now.
    pub(super) fn use_reservation(&mut self, number: u64, now: Instant) {
        self.waiting.retain(|reservation| reservation.number != number);
        self.sent.push_back(self.sent.back().map_or(now, |last| now.max(*last)));
    }

    /// The request is not sent, and those behind it move up: `true` when any did.
    pub(super) fn release(&mut self, number: u64, now: Instant) -> bool {
        self.waiting.retain(|reservation| reservation.number != number);
        self.reschedule(now)
    }

    /// The service has refused a request without saying for how long. Its minute began with some request of the last one, so
    /// what is left of that is waited for, and not in step with everyone else: `jitter` is in `0.0..1.0`.
    ///
    /// Refusals of requests that were sent together count as one: only the first counts.
    pub(super) fn refused(&mut self, now: Instant, jitter: f64) -> bool {
        if self.closed(now).is_some() {
            return false;
        }
        let first = self.sent.iter().find(|sent| **sent + WINDOW > now).copied().unwrap_or(now).min(now);
        let rest = (first + WINDOW).saturating_duration_since(now).max(Duration::from_secs(1));
        let share = if jitter.is_nan() { 1.0 } else { 0.5 + 0.5 * jitter.clamp(0.0, 1.0) };
        self.closed_until = Some(now + rest.mul_f64(share));
        self.reschedule(now);
        true
    }

    /// Until when nothing is sent, because of a refusal.
    pub(super) fn closed(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    fn is_put_off(&self, at: Instant) -> bool {
        self.closed_until == Some(at)
    }

    /// The time for whoever is in that place among those that wait: after those before, and a minute after the one that is as
    /// many places before as there are requests in a minute.
    fn slot(&self, place: usize, now: Instant) -> Instant {
        let before = place.checked_sub(1).and_then(|before| self.waiting.get(before)).map(|reservation| reservation.at);
        let minute = (self.sent.len() + place).checked_sub(self.limit).and_then(|first| match self.sent.get(first) {
            Some(sent) => Some(*sent),
            None => self.waiting.get(first - self.sent.len()).map(|reservation| reservation.at),
        });
        let counted = minute.map(|first| first + WINDOW);
        now.max(self.closed_until.unwrap_or(now)).max(before.unwrap_or(now)).max(counted.unwrap_or(now))
    }

    /// Gives those that wait their times anew. One whose time has come keeps it, unless the service has refused: it may be about
    /// to be sent, or never be looked at again.
    fn reschedule(&mut self, now: Instant) -> bool {
        let (mut moved, closed) = (false, self.closed(now).is_some());
        let first =
            if closed { 0 } else { self.waiting.iter().take_while(|reservation| reservation.at <= now).count() };
        for place in first..self.waiting.len() {
            let at = self.slot(place, now);
            if let Some(reservation) = self.waiting.get_mut(place) {
                moved |= reservation.at != at;
                reservation.at = at;
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn far(now: Instant) -> Instant {
        now + Duration::from_secs(86_400)
    }

    /// Takes a reservation and uses it when it comes.
    fn send(window: &mut SlidingWindow, deadline: Instant, now: Instant) -> Result<Instant, Full> {
        let reservation = window.reserve(deadline, now)?;
        window.use_reservation(reservation.number, reservation.at);
        Ok(reservation.at)
    }

    #[test]
    fn no_minute_sees_more_requests_than_the_limit() {
        for limit in [1, 2, 7, 100] {
            let (mut window, start) = (SlidingWindow::new(limit), Instant::now());
            let mut sent: Vec<Instant> = Vec::new();
            for call in 0..600_u64 {
                // in bursts and in drops
                let now = start + SECOND * (call as u32 / 40 * 11);
                let reservation = send(&mut window, far(now), now).expect("in time");
                assert!(reservation >= now && sent.last().is_none_or(|last| reservation >= *last));
                sent.push(reservation);
            }
            for (first, last) in sent.iter().zip(sent.iter().skip(limit as usize)) {
                assert!(*last - *first >= WINDOW, "{limit}");
            }
            assert!(send(&mut window, far(start), start + WINDOW * 600).is_ok());
            assert_eq!((window.sent.len(), window.waiting.len()), (1, 0), "what has passed leaves memory");
        }
    }

    #[test]
    fn below_the_limit_nobody_waits() {
        let (mut window, now) = (SlidingWindow::new(100), Instant::now());
        for call in 0..1000 {
            let now = now + SECOND * call;
            assert_eq!(send(&mut window, now + SECOND, now), Ok(now));
        }
    }

    #[test]
    fn a_turn_past_the_deadline_is_not_waited_for_and_not_taken() {
        let (mut window, now) = (SlidingWindow::new(1), Instant::now());
        assert_eq!(send(&mut window, now + SECOND, now), Ok(now));
        let next = now + WINDOW;
        for _ in 0..3 {
            assert_eq!(send(&mut window, next, now), Err(Full { next, refused: false }));
        }
        assert_eq!(send(&mut window, next + SECOND, now), Ok(next));
    }

    #[test]
    fn whoever_waits_moves_up_when_one_before_gives_up_and_no_minute_sees_more_for_it() {
        let (mut window, start) = (SlidingWindow::new(2), Instant::now());
        for _ in 0..2 {
            send(&mut window, far(start), start).expect("a reservation");
        }
        let reservations: Vec<Reservation> =
            (0..6).map(|_| window.reserve(far(start), start).expect("a reservation")).collect();
        let at = |window: &SlidingWindow, reservation: usize| {
            window.when(reservations[reservation].number, far(start), start).map(|at| at - start)
        };
        assert_eq!(at(&window, 5), Ok(WINDOW * 3));
        let now = start + SECOND;
        for reservation in [0, 2, 3, 4] {
            assert!(window.release(reservations[reservation].number, now));
        }
        assert_eq!((at(&window, 1), at(&window, 5)), (Ok(WINDOW), Ok(WINDOW)));
        assert_eq!(window.reserve(far(now), now).map(|reservation| reservation.at), Ok(start + WINDOW * 2));
        assert!(!window.release(99, now), "nobody moves for what is not there");
    }

    #[test]
    fn a_refusal_puts_off_whoever_waits_already() {
        let (mut window, start) = (SlidingWindow::new(2), Instant::now());
        send(&mut window, far(start), start).expect("a reservation");
        let due = window.reserve(far(start), start).expect("a reservation");
        assert_eq!(due.at, start);
        assert!(window.refused(start + SECOND, 1.0));
        let until = start + WINDOW;
        assert_eq!(window.when(due.number, far(start), start + SECOND), Ok(until));
        assert_eq!(window.when(due.number, until, start + SECOND), Err(Full { next: until, refused: true }));
    }

    #[test]
    fn a_refusal_closes_for_the_rest_of_the_minute_at_most_and_not_for_all_alike() {
        let now = Instant::now();
        for (sent_before, longest) in [(0, 61), (40, 21), (60, 1)] {
            for (jitter, share) in [(0.0, 0.5), (1.0, 1.0)] {
                let mut window = SlidingWindow::new(100);
                send(&mut window, far(now), now).expect("a reservation");
                let refused = now + SECOND * sent_before;
                window.refused(refused, jitter);
                let until = refused + Duration::from_secs(longest).mul_f64(share);
                assert_eq!(window.closed(refused), Some(until));
                window.refused(refused + SECOND / 10, 1.0);
                assert_eq!(window.closed(refused), Some(until), "refusals in a row are one");
                let full = window.reserve(until, refused + SECOND / 10);
                assert_eq!(full, Err(Full { next: until, refused: true }));
                assert_eq!(send(&mut window, far(now), refused), Ok(until));
                assert_eq!(window.closed(until), None);
            }
        }
    }

    #[test]
    fn odd_limits_and_chances_are_no_trouble() {
        let now = Instant::now();
        for limit in [0, u32::MAX] {
            let mut window = SlidingWindow::new(limit);
            assert!(window.reserve(now, now).is_ok(), "what need not wait has time");
            window.refused(now, f64::NAN);
            window.refused(now, -1.0);
        }
    }
}
