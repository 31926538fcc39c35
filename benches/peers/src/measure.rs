//! Rounds, medians and the table.

use std::sync::Barrier;
use std::time::Duration;

const ROUNDS: usize = 41;

/// One way to read, and its figures so far.
pub struct Row<'a> {
    name: &'static str,
    /// Nanoseconds a read, on so many threads at once.
    round: Box<dyn Fn(usize) -> f64 + 'a>,
}

impl<'a> Row<'a> {
    pub fn new(name: &'static str, round: impl Fn(usize) -> f64 + 'a) -> Self {
        Self { name, round: Box::new(round) }
    }
}

/// Runs `work` on so many threads at once. Each thread's own time counts, not the sum.
pub fn on_threads(threads: usize, reads: usize, work: impl Fn(usize) -> Duration + Sync) -> f64 {
    let start = Barrier::new(threads);
    let total: Duration = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    work(reads)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no read panics")).sum()
    });
    total.as_nanos() as f64 / (threads * reads) as f64
}

/// Measures every row once a round, and prints medians and what part of each the first row's is.
pub fn print_table(rows: &[Row<'_>], threads: usize) {
    let mut figures = vec![Vec::with_capacity(ROUNDS); rows.len()];
    for _ in 0..ROUNDS {
        for (row, figures) in rows.iter().zip(&mut figures) {
            figures.push((row.round)(threads));
        }
    }
    println!("\n{:<48} {:>8} {:>8} {:>8} {:>7}", heading(threads), "median", "least", "most", "ours is");
    let mut ours = None;
    for (row, figures) in rows.iter().zip(&mut figures) {
        figures.sort_by(f64::total_cmp);
        let (median, least, most) = (figures[ROUNDS / 2], figures[0], figures[ROUNDS - 1]);
        let share = 100.0 * *ours.get_or_insert(median) / median;
        println!("{:<48} {median:>8.1} {least:>8.1} {most:>8.1} {share:>6.0}%", row.name);
    }
}

fn heading(threads: usize) -> String {
    format!("ns a cached read, {threads} thread{}", if threads == 1 { "" } else { "s" })
}
