//! Any sequence of writes by the client comes to what a plain model says, and so do all reads after it. What the model does not
//! know is how the service gets there: its rows, its ids, and that most of its routes do not tell branches apart.

mod expected;
mod play;
mod sequences;
mod spy;
mod steps;
mod writers;

use proptest::test_runner::{Config, TestRunner};

/// Sequences. `PROPTEST_CASES` raises it.
const CASES: u32 = 192;

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    // without a file of failed cases: what fails becomes a test, in `sequences`
    Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() }
}

#[test]
fn whatever_several_writers_do_at_once_a_plain_success_is_what_a_read_has_given() {
    let config = Config { cases: config().cases / 6, ..config() };
    println!("{} times 2 to 4 writers", config.cases);
    let doubled = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&writers::writers(), |writers| {
        doubled.set(doubled.get() + writers::play(&writers)?);
        Ok(())
    });
    outcome.unwrap();
    println!("{} names had several rows in the end", doubled.get());
    assert!(doubled.get() > 0, "the races never happened, so nothing was tried");
}

#[test]
fn any_sequence_of_writes_on_branches_equals_the_model() {
    let started = std::time::Instant::now();
    let config = config();
    println!("{} sequences of up to {} steps", config.cases, steps::LONGEST);
    TestRunner::new(config).run(&steps::sequences(), |steps| play::play(&steps)).unwrap();
    println!("played in {} s", started.elapsed().as_secs());
}
