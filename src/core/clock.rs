//! The monotonic clock that every deadline is measured against, and a hand-driven one for tests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// A point in time on a [`Clock`]: nanoseconds since the clock's own start, which no other clock shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

impl Tick {
    /// The point `later` after this one, or the last point there is.
    pub(crate) fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanos(later)))
    }

    /// The point of that number.
    pub(crate) fn at(number: u64) -> Self {
        Self(number)
    }

    /// The nanoseconds themselves, to tell one point from another.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// How long it is from `earlier` to this point; zero when it lies in the future.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The clock that a client measures the age of its snapshots with. It only ever goes forward.
///
/// [`Clock::system`] is the default. A test that must not wait uses a [`ManualClock`].
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<Driven>),
}

impl Clock {
    /// The operating system's monotonic clock. On Linux it advances in steps of a few milliseconds.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    #[inline]
    pub(crate) fn now(&self) -> Tick {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(driven) => Tick(driven.elapsed.load(Ordering::SeqCst)),
        }
    }

    /// By how much it was moved on by hand; `None` for the system's clock, which nobody moves.
    #[cfg(any(feature = "offline", feature = "http"))]
    pub(crate) fn moved_by(&self) -> Option<Duration> {
        match &self.0 {
            Source::System => None,
            Source::Manual(driven) => Some(Duration::from_nanos(driven.elapsed.load(Ordering::SeqCst))),
        }
    }

    /// Waits until this clock has come to `at`. The system's clock needs a runtime with its time driver.
    pub(crate) async fn sleep_until(&self, at: Tick) {
        loop {
            match &self.0 {
                Source::System => {
                    let left = at.since(self.now());
                    if left.is_zero() {
                        return;
                    }
                    tokio::time::sleep(left).await;
                }
                Source::Manual(driven) => {
                    let mut moved = std::pin::pin!(driven.moved.notified());
                    // before looking, so that no step in between goes by unnoticed
                    moved.as_mut().enable();
                    if self.now() >= at {
                        return;
                    }
                    moved.await;
                }
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

/// A clock that stands still until it is moved, for tests of what happens when snapshots age.
///
/// ```
/// use std::time::Duration;
/// use xtrasecurity::{XtraClient, clock::ManualClock};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let clock = ManualClock::new();
/// let client = XtraClient::builder()
///     .token("xs_example")
///     .clock(clock.clock())
///     .build()?;
/// clock.advance(Duration::from_secs(31)); // every cached snapshot of `client` is now past its 30 s
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<Driven>);

#[derive(Debug, Default)]
struct Driven {
    elapsed: AtomicU64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that stands at its start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves every [`Clock`] made from this one forward.
    pub fn advance(&self, by: Duration) {
        // The clock stops at its end rather than starting over.
        let later = |now: u64| Some(now.saturating_add(nanos(by)));
        let _ = self.0.elapsed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        self.0.moved.notify_waiters();
    }

    /// The clock to give to a client's builder. All clocks made here share one time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(Arc::clone(&self.0)))
    }
}

/// The clock that the kernel keeps at each of its own ticks. It is read in a quarter of the time that `Instant` takes, which
/// would be the largest part of a cached read, and times to live do not need what it lacks.
#[cfg(target_os = "linux")]
#[inline]
fn system_now() -> Tick {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    // neither is negative, and the sum ends in the year 2554
    Tick((now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64))
}

#[cfg(not(target_os = "linux"))]
fn system_now() -> Tick {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    Tick(nanos(START.get_or_init(Instant::now).elapsed()))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_for_every_clock_made_from_it() {
        let manual = ManualClock::new();
        let (one, two) = (manual.clock(), manual.clock());
        let start = one.now();
        assert_eq!(two.now(), start);
        manual.advance(Duration::from_secs(30));
        assert_eq!(one.now().since(start), Duration::from_secs(30));
        assert_eq!(two.now(), one.now());
        manual.advance(Duration::MAX);
        let end = one.now();
        manual.advance(Duration::from_secs(1));
        assert_eq!(one.now(), end, "it stops at its end and never goes back");
    }

    #[tokio::test]
    async fn who_sleeps_until_a_point_wakes_when_the_clock_is_moved_there_and_not_before() {
        let manual = ManualClock::new();
        let clock = manual.clock();
        let at = clock.now().after(Duration::from_secs(30));
        let mut asleep = std::pin::pin!(clock.sleep_until(at));
        assert!(asleep.as_mut().now_or_never().is_none());
        manual.advance(Duration::from_secs(29));
        assert!(asleep.as_mut().now_or_never().is_none());
        manual.advance(Duration::from_secs(1));
        assert!(asleep.as_mut().now_or_never().is_some());
        Clock::system().sleep_until(Clock::system().now().after(Duration::from_millis(1))).await;
    }

    #[test]
    fn the_system_s_clock_goes_forward_at_the_pace_of_time() {
        let (clock, instant) = (Clock::system(), std::time::Instant::now());
        let start = clock.now();
        while instant.elapsed() < Duration::from_millis(20) {
            assert!(clock.now() >= start);
        }
        let passed = clock.now().since(start);
        // a step at either end, and whatever this thread was kept waiting
        assert!(
            passed >= Duration::from_millis(5) && passed <= instant.elapsed() + Duration::from_millis(20),
            "{passed:?}"
        );
    }

    #[test]
    fn ticks_saturate_instead_of_wrapping() {
        let now = Clock::system().now();
        assert!(now.after(Duration::MAX) >= now);
        assert_eq!(now.since(now.after(Duration::from_secs(1))), Duration::ZERO);
    }
}
