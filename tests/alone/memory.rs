//! The memory of large snapshots: linear, bounded at the peak, and no more after many reads than after one.

#[path = "../../benches/memory.rs"]
#[allow(dead_code)]
pub(crate) mod measured;

use measured::{Framing, measure};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[(
    "a_large_snapshot_takes_at_most_three_times_its_answer_and_reading_it_again_no_more",
    a_large_snapshot_takes_at_most_three_times_its_answer_and_reading_it_again_no_more,
)];

fn a_large_snapshot_takes_at_most_three_times_its_answer_and_reading_it_again_no_more() {
    for framing in [Framing::Length, Framing::Chunks] {
        let large = measure(100_000, framing, 12);
        assert!(large.first_peak <= 2.5, "{framing:?}: {large:?}");
        assert!(large.kept <= 1.65, "{framing:?}: {large:?}");
        // the connection may have a second buffer, of 256 KiB, at the peak and between two reads
        let buffer = f64::from(256 * 1024) / large.answer as f64;
        assert!(large.kept_at_last <= large.kept * 1.01 + buffer, "{framing:?}: it grows: {large:?}");
        assert!(large.again_peak <= 3.0 + buffer, "{framing:?}: {large:?}");
        let fourth = measure(25_000, framing, 1);
        // an answer has fixed parts too, so a smaller one may take somewhat more for its size
        assert!(fourth.first_peak >= large.first_peak * 0.9, "{framing:?}: not linear: {fourth:?}, {large:?}");
    }
}
