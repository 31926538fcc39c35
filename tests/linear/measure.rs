//! What a call costs, and whether that grows with what it is given as it may.

use std::fmt;
use std::time::Duration;

/// A public call that takes a service's data.
pub struct Row {
    pub name: &'static str,
    /// A number of things at which the call takes some milliseconds in a development build.
    pub n: usize,
    /// Prepares so many things, and gives what is measured.
    pub make: fn(usize) -> Box<dyn FnMut()>,
}

/// What a call took with n, 2n and 4n things.
pub struct Growth {
    pub name: &'static str,
    pub n: usize,
    times: [Duration; 3],
}

/// So much more may four times as many things take: four times is linear, sixteen times is quadratic.
const LIMIT: f64 = 7.5;

/// How often each size is measured at least; the shortest time counts.
const RUNS: usize = 3;

/// How often all sizes are measured again when the growth looks too large: another program may have been in the way.
const ROUNDS: usize = 6;

impl Row {
    pub fn growth(&self) -> Growth {
        let mut calls = [1, 2, 4].map(|times| (self.make)(times * self.n));
        let mut growth = Growth { name: self.name, n: self.n, times: [Duration::MAX; 3] };
        for round in 0..ROUNDS {
            for (call, shortest) in calls.iter_mut().zip(&mut growth.times) {
                for _ in 0..RUNS {
                    *shortest = (*shortest).min(work(call));
                }
            }
            if growth.is_linear() {
                return growth;
            }
            // quadratic beyond all doubt, whatever else the machine does
            if growth.factor() > 2.0 * LIMIT && round > 0 {
                break;
            }
        }
        growth
    }
}

impl Growth {
    pub fn factor(&self) -> f64 {
        self.times[2].as_secs_f64() / self.times[0].as_secs_f64().max(1e-9)
    }

    pub fn is_linear(&self) -> bool {
        self.factor() < LIMIT
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, four] = self.times.map(|time| time.as_secs_f64() * 1e3);
        let Self { name, n, .. } = self;
        write!(f, "{name:<64} {n:>9} {one:>9.2} {two:>9.2} {four:>9.2} ms  ×{:.1}", self.factor())
    }
}

/// The processor time that a call takes in all threads of this process, which does nothing else meanwhile. What other programs
/// do does not count.
fn work(call: &mut dyn FnMut()) -> Duration {
    let before = processor_time();
    call();
    processor_time() - before
}

#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(target_os = "linux"))]
fn processor_time() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
