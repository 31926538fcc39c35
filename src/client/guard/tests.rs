use std::time::Duration;

use super::*;
use crate::cache::Clock;
use crate::secrets::{Origin, SnapshotSource, Unreadable, UnreadableReason};
use crate::services::Loaded;

fn secrets(names: &[&str]) -> Secrets {
    Secrets::from_iter(names.iter().map(|name| (*name, "v")))
}

#[test]
fn what_was_there_and_is_empty_now_is_objected_to_and_what_was_empty_before_is_not() {
    let guard = Guard::default();
    let error = guard.objection_to(b"k", &secrets(&["A", "B"]), &secrets(&[])).expect("it shrank to nothing");
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
    assert!(guard.objection_to(b"k", &secrets(&[]), &secrets(&[])).is_none());
    assert!(guard.objection_to(b"k", &secrets(&["A", "B"]), &secrets(&["B"])).is_none());
}

#[test]
fn a_required_name_that_is_lost_is_objected_to_where_it_is_required() {
    let guard = Guard::new(vec!["EVERYWHERE".to_owned()]);
    guard.declare(b"k", ["HERE"].into_iter());
    let old = secrets(&["EVERYWHERE", "HERE", "OTHER"]);
    let error = guard.objection_to(b"k", &old, &secrets(&["OTHER"])).expect("both are lost");
    assert_eq!((error.kind(), error.keys()), (ErrorKind::MissingSecret, &["EVERYWHERE".into(), "HERE".into()][..]));
    let error = guard.objection_to(b"elsewhere", &old, &secrets(&["OTHER"])).expect("one is lost");
    assert_eq!(error.keys(), ["EVERYWHERE"]);
    assert!(guard.objection_to(b"k", &secrets(&["OTHER"]), &secrets(&["NEW"])).is_none(), "it never had them");
}

#[test]
fn a_name_whose_value_cannot_be_read_any_more_is_not_lost() {
    let guard = Guard::new(vec!["A".to_owned()]);
    let masked = Loaded::from_iter([("B", "v")]).with_unreadable([Unreadable::new("A", UnreadableReason::Masked)]);
    let clock = Clock::system();
    let origin = Origin { source: SnapshotSource::Memory, fetched: clock.now(), clock, ttl: Duration::ZERO };
    let new = Secrets::assemble(masked.values, masked.unreadable, origin);
    assert!(guard.objection_to(b"k", &secrets(&["A"]), &new).is_none());
}
