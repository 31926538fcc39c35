//! Injection, shown with real programs: this one starts itself again as each of them, with an environment that is known to
//! the last variable, and compares what they have in the end with what they should have.

mod fork;
mod hangs_up;
pub(crate) mod program;
mod stage;

use crate::Check;
use stage::{Ended, Recorded, Stage, Variables, many, recorded, texts, variables};

/// The first argument of a program; its name follows.
pub(crate) const PROGRAM: &str = "--as-program";

pub(crate) const CHECKS: &[Check] = &[
    ("main_injects_and_then_starts_a_runtime_of_many_threads", || before_tokio(&Stage::set())),
    ("a_current_thread_runtime_may_inject", || current_thread(&Stage::set())),
    ("a_multi_threaded_runtime_may_not_and_nothing_is_set", || multi_thread(&Stage::set())),
    ("a_second_thread_means_that_nothing_is_set", || second_thread(&Stage::set())),
    ("a_name_with_an_equals_sign_means_that_nothing_is_set", || equals_sign(&Stage::set())),
    ("a_nul_byte_in_a_name_or_value_means_that_nothing_is_set", || nul_bytes(&Stage::set())),
    ("ld_preload_is_refused_by_name_and_nothing_is_set_unless_it_is_allowed", || loader(&Stage::set())),
    ("variables_that_exist_are_kept_unless_overridden", || existing(&Stage::set())),
    ("only_except_prefix_and_rename_choose", || choices(&Stage::set())),
    ("two_secrets_for_one_variable_mean_that_nothing_is_set", || collision(&Stage::set())),
    ("a_thousand_secrets_arrive", || thousand(&Stage::set())),
    ("unicode_pem_64_kib_and_odd_names_arrive_byte_for_byte", || exact_texts(&Stage::set())),
    ("a_value_too_long_for_a_child_is_refused_by_apply_to_and_set_by_inject", || too_long_for_a_child(&Stage::set())),
    ("a_child_has_the_secrets_and_not_the_credentials", || child(&Stage::set())),
    ("masked_values_are_never_set", || masked(&Stage::set())),
    ("an_empty_environment_is_refused", || empty(&Stage::set())),
    ("a_service_that_cannot_be_reached_means_that_nothing_is_set", || unreachable(&Stage::set())),
    ("fifty_reads_by_name_leave_no_thread_behind", || fifty_reads(&Stage::set())),
    ("a_cached_read_does_not_touch_the_runtime", || cached_read(&Stage::set())),
    ("copies_are_saved_and_looked_for_without_a_thread_that_stays", || saves_copies(&Stage::set())),
    (
        "a_write_is_not_sent_on_a_connection_that_was_closed_while_nobody_drove_it",
        || writes_after_closes(&Stage::set()),
    ),
    ("a_runtime_that_cannot_be_made_is_an_error_and_the_next_call_tries_again", || no_files_left(&Stage::set())),
    ("a_forked_child_and_its_parent_read_at_the_same_time_and_each_gets_its_own_answers", || forked(&Stage::set())),
    ("a_process_ends_while_one_of_its_threads_is_in_a_call", || ends_in_a_call(&Stage::set())),
    ("every_recorded_plaintext_arrives_byte_for_byte", || every_recorded_plaintext(&Stage::set())),
];

fn production() -> Variables {
    variables([("API_KEY", "k-1"), ("DATABASE_URL", "postgres://db"), ("FEATURE", "off")])
}

#[track_caller]
fn assert_set(ended: Ended, expected: &Variables) {
    assert!(ended.succeeded, "{}", ended.said);
    // Not by assert_eq, which would print 64 KiB for one wrong byte.
    let names = |variables: &Variables| variables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ended.new), names(expected));
    for (name, value) in expected {
        assert!(ended.new[name] == *value, "{name} differs");
    }
    assert!(ended.gone.is_empty(), "gone: {:?}", ended.gone);
    assert_eq!(ended.said, "");
}

#[track_caller]
fn assert_refused(ended: Ended, words: &[&str]) {
    assert!(!ended.succeeded);
    assert_eq!((ended.new, ended.gone), (Variables::new(), Vec::new()));
    for word in words {
        assert!(ended.said.contains(word), "no {word:?} in {}", ended.said);
    }
}

fn before_tokio(stage: &Stage) {
    assert_set(stage.run(&["blocking-then-tokio", "production"]), &production());
}

fn current_thread(stage: &Stage) {
    assert_set(stage.run(&["current-thread", "production"]), &production());
}

fn multi_thread(stage: &Stage) {
    assert_refused(stage.run(&["multi-thread", "production"]), &["3 threads", "start of main"]);
}

fn second_thread(stage: &Stage) {
    assert_refused(stage.run(&["second-thread", "production"]), &["2 threads"]);
}

fn equals_sign(stage: &Stage) {
    for program in ["blocking", "current-thread"] {
        assert_refused(stage.run(&[program, "equals"]), &["A=B", "holds `=`"]);
    }
    let renamed = stage.run(&["blocking", "equals", "--rename", "A=B:A_B"]);
    assert_set(renamed, &variables([("A_B", "x"), ("GOOD", "1")]));
}

fn nul_bytes(stage: &Stage) {
    assert_refused(stage.run(&["blocking", "nul-in-name"]), &["NUL", "name"]);
    assert_refused(stage.run(&["blocking", "nul-in-value"]), &["NUL", "value"]);
    assert_set(stage.run(&["blocking", "nul-in-value", "--exclude", "NUL"]), &variables([("GOOD", "1")]));
}

fn loader(stage: &Stage) {
    assert_refused(stage.run(&["blocking", "loader"]), &["LD_PRELOAD"]);
    assert_refused(stage.run(&["blocking", "both", "--rename", "GOOD:LD_AUDIT"]), &["LD_AUDIT"]);
    let allowed = stage.run(&["blocking", "loader", "--allow", "LD_PRELOAD"]);
    assert_set(allowed, &variables([("GOOD", "1"), ("LD_PRELOAD", "none.so")]));
}

fn existing(stage: &Stage) {
    let (mine, empty) = (("API_KEY", "mine"), ("FEATURE", ""));
    let kept = stage.run_with(&[mine, empty], &["blocking", "production"]);
    assert_set(kept, &variables([("DATABASE_URL", "postgres://db")]));
    let overridden = stage.run_with(&[mine, empty], &["blocking", "production", "--override"]);
    assert_set(overridden, &production());
}

fn choices(stage: &Stage) {
    let run = |words: &[&str]| stage.run(&[&["blocking", "production"], words].concat());
    assert_set(run(&["--only", "API_KEY,FEATURE"]), &variables([("API_KEY", "k-1"), ("FEATURE", "off")]));
    assert_set(run(&["--exclude", "API_KEY,FEATURE"]), &variables([("DATABASE_URL", "postgres://db")]));
    let renamed = ["--prefix", "APP_", "--rename", "DATABASE_URL:PG", "--exclude", "FEATURE"];
    assert_set(run(&renamed), &variables([("APP_API_KEY", "k-1"), ("PG", "postgres://db")]));
    assert_refused(run(&["--only", "API_KEY,ABSENT"]), &["ABSENT"]);
}

fn collision(stage: &Stage) {
    assert_refused(stage.run(&["blocking", "production", "--rename", "API_KEY:FEATURE"]), &["FEATURE"]);
}

fn thousand(stage: &Stage) {
    assert_set(stage.run(&["blocking", "many"]), &many());
}

fn exact_texts(stage: &Stage) {
    for program in ["blocking", "current-thread", "blocking-then-tokio"] {
        assert_set(stage.run(&[program, "texts"]), &texts());
    }
}

fn too_long_for_a_child(stage: &Stage) {
    assert_refused(stage.run(&["apply", "huge"]), &["HUGE", "128 KiB"]);
    let huge = variables([("GOOD", "1".to_owned()), ("HUGE", "x".repeat(200 * 1024))]);
    assert_set(stage.run(&["blocking", "huge"]), &huge);
    // The kernel then starts no child that would inherit it; one that does not inherit it, it does.
    let spawned = stage.run(&["spawn-after", "huge"]);
    assert!(spawned.succeeded && spawned.said.contains("Argument list too long"), "{}", spawned.said);
    assert_eq!(spawned.new, variables([("GOOD", "1")]));
}

fn child(stage: &Stage) {
    let mut ended = stage.run(&["apply", "texts"]);
    assert_eq!(std::mem::take(&mut ended.gone), ["XTRA_TOKEN"]);
    assert_set(ended, &texts());
}

fn masked(stage: &Stage) {
    let viewer = stage.server.token_for("viewer").unwrap();
    assert_refused(stage.run_with(&[("XTRA_TOKEN", viewer)], &["blocking", "production"]), &["API_KEY"]);
}

fn empty(stage: &Stage) {
    assert_refused(stage.run(&["blocking", "produktion"]), &["nothing to inject"]);
}

fn unreachable(stage: &Stage) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("http://localhost:{free}/api");
    assert_refused(stage.run_with(&[("XTRA_API_URL", &nobody)], &["blocking", "production"]), &["connect"]);
}

#[track_caller]
fn assert_went_well(ended: Ended) {
    assert!(ended.succeeded, "{}", ended.said);
}

fn fifty_reads(stage: &Stage) {
    assert_went_well(stage.run(&["fifty-reads", "production"]));
}

fn cached_read(stage: &Stage) {
    assert_went_well(stage.run(&["cached-read", "production"]));
}

fn saves_copies(stage: &Stage) {
    assert_set(stage.run(&["saves-copies", "production", "--override"]), &production());
}

fn writes_after_closes(stage: &Stage) {
    assert_went_well(stage.run(&["writes-after-closes"]));
}

fn no_files_left(stage: &Stage) {
    assert_set(stage.run_with_few_files(&["no-files-left", "production"]), &production());
}

fn forked(stage: &Stage) {
    assert_went_well(stage.run(&["forks", "production", "many"]));
}

fn ends_in_a_call(stage: &Stage) {
    assert_went_well(stage.run(&["ends-in-a-call", "production"]));
}

fn every_recorded_plaintext(stage: &Stage) {
    let mut words = vec!["every".to_owned()];
    let mut expected = Variables::new();
    for Recorded { id, places, .. } in recorded() {
        for (branch, environment, secrets) in places {
            let prefix = format!("P{}_", words.len());
            expected.extend(secrets.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
            words.extend([prefix, id.clone(), branch, environment]);
        }
    }
    assert!(expected.len() > 70 && expected.values().any(|value| value.len() == 65_536));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_set(stage.run(&words), &expected);
}
