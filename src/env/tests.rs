//! Tests of the thread count and of what can be set.

use std::cell::Cell;
use std::sync::mpsc;

use super::*;

const NAME: &str = "XTRASECURITY_TEST_THAT_IS_NEVER_SET";

#[test]
fn one_thread_may_set_and_is_counted_once() {
    let counts = Cell::new(0);
    let count = || {
        counts.set(counts.get() + 1);
        Some(1)
    };
    assert!(ensure_sound(Rule::OneThread, count).is_ok());
    assert_eq!(counts.get(), 1);
}

#[test]
fn a_thread_that_disappears_within_the_patience_is_forgiven() {
    let mut listed = [Some(2), Some(2), Some(1)].into_iter();
    assert!(ensure_sound(Rule::OneThread, || listed.next().flatten()).is_ok());
}

#[test]
fn more_threads_are_refused_with_their_number_and_what_to_do() {
    let error = ensure_sound(Rule::OneThread, || Some(9)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsoundInjection);
    for part in ["9 threads", "nothing was set", "main", "current-thread", "apply_to", "inject_unchecked"] {
        assert!(error.to_string().contains(part), "{part} is not in {error}");
    }
}

#[test]
fn threads_that_cannot_be_counted_are_refused() {
    for count in [None, Some(0)] {
        let error = ensure_sound(Rule::OneThread, || count).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsoundInjection);
        assert!(error.to_string().contains("cannot be counted"), "{error}");
    }
}

#[test]
fn a_count_that_becomes_unreadable_while_waiting_is_refused() {
    let mut listed = [Some(2), None, Some(1)].into_iter();
    assert!(ensure_sound(Rule::OneThread, || listed.next().flatten()).is_err());
}

#[test]
fn a_platform_without_a_reliable_count_refuses_even_a_count_of_one() {
    let error = ensure_sound(Rule::Unknown, || Some(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsoundInjection);
    assert!(error.to_string().contains("inject_unchecked"), "{error}");
}

#[test]
fn a_platform_that_guards_its_environment_needs_no_count() {
    assert!(ensure_sound(Rule::Always, || Some(9)).is_ok());
}

#[test]
fn a_process_with_a_second_thread_sets_nothing() {
    let (hold, held) = mpsc::channel::<()>();
    let other = std::thread::spawn(move || held.recv());
    let outcome = set_when_alone(&[(NAME, &SecretValue::from("value"))], &Existing::Override);
    drop(hold);
    assert!(other.join().unwrap().is_err());
    if !cfg!(windows) {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnsoundInjection);
        assert!(std::env::var_os(NAME).is_none());
    }
}

#[test]
fn an_impossible_variable_is_an_error_without_its_value_and_never_reaches_the_library_that_would_panic() {
    for (name, value) in [("", "hunter2"), ("A=B", "hunter2"), ("A\0", "hunter2"), (NAME, "hunter2\0")] {
        let (good, bad) = (SecretValue::from("good"), SecretValue::from(value));
        let error = ensure_settable(&[(NAME, &good), (name, &bad)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert!(ensure_settable(&[(NAME, &SecretValue::from("good\n"))]).is_ok());
}
