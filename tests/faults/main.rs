//! What the network, the service and the machine can do wrong, case by case: each call ends in the right way and in bounded
//! time, shows nothing of what it carried, and the next call on the same client works.
//!
//! The cases are in `families/`, and stand with their figures in the table of `tests/README.md`. After a change of them:
//! `UPDATE_FAULT_TABLE=1 cargo test --test faults every_case`.

mod case;
mod families;
mod peer;
mod planted;
mod run;
mod table;

use families::{ALL, Family, body, clock, connection, limits, names, redirect, refusal, runtime, slow, tls};
use table::Row;

/// Writes the table anew.
const UPDATE: &str = "UPDATE_FAULT_TABLE";

/// Plays a family's cases one after the other, and fails with all that does not fit.
async fn keep_their_promises((name, cases): Family) -> Vec<Row> {
    let only = std::env::var("FAULT").unwrap_or_default();
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for case in cases().iter().filter(|case| case.name.contains(only.as_str())) {
        let row = run::play(name, case, &mut problems).await;
        println!("{row}");
        rows.push(row);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    rows
}

macro_rules! families {
    ($($promise:ident: $family:ident,)*) => {
        $(#[tokio::test]
        async fn $promise() {
            keep_their_promises(($family::NAME, $family::cases)).await;
        })*
    };
}

families! {
    a_name_lookup_that_fails_or_takes_too_long_is_told_and_the_next_call_works: names,
    a_connection_that_breaks_is_told_in_bounded_time_and_the_next_call_works: connection,
    a_slow_or_endless_answer_ends_at_the_deadline_or_the_cap_and_the_next_call_works: slow,
    an_answer_that_cannot_be_understood_is_never_taken_for_secrets_and_the_next_call_works: body,
    a_redirect_is_told_and_never_followed_and_the_next_call_works: redirect,
    a_refusal_has_its_kind_by_its_status_and_the_next_call_works: refusal,
    a_rate_limit_is_told_with_a_bounded_wait_whatever_the_service_asks_for: limits,
    only_a_certificate_that_is_right_in_every_way_is_talked_to: tls,
    clocks_that_jump_break_nothing: clock,
    a_client_outlives_the_runtime_that_its_calls_were_on: runtime,
}

#[tokio::test]
async fn every_case_stands_in_the_table() {
    if std::env::var_os(UPDATE).is_some() {
        let mut rows = Vec::new();
        for family in ALL {
            rows.extend(keep_their_promises(family).await);
        }
        table::write(&rows);
    }
    let rows: Vec<Row> = ALL
        .into_iter()
        .flat_map(|(name, cases)| cases().into_iter().map(move |case| case.row(name, None, None)))
        .collect();
    let differences = table::differences(&rows);
    assert!(
        differences.is_empty(),
        "tests/README.md has another table; {UPDATE}=1 writes it anew:\n{}",
        differences.join("\n")
    );
}
