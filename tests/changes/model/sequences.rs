//! Sequences in which the client and the model differed once, or in which the service does something odd on the way.

use crate::model::play::play;
use crate::model::steps::{At, Step};

const MAIN: At = At("dev", "main");

fn set(at: At, key: &'static str, value: &'static str) -> Step {
    Step::Set { at, key, value, expect: None, skip_unchanged: false }
}

fn link(environment: &'static str, source: (&'static str, &'static str)) -> Step {
    Step::Link { environment, key: "A", source }
}

fn delete(at: At) -> Step {
    Step::Delete { at, key: "A", if_exists: false }
}

#[test]
fn a_clone_hides_no_link_of_the_target() {
    for overwrite in [false, true] {
        let clone = Step::Clone { branch: "main", from: "dev", to: "qa", overwrite };
        play(&[set(MAIN, "A", "1"), link("qa", ("dev", "A")), clone]).unwrap();
    }
}

#[test]
fn what_was_set_over_a_link_is_deleted_with_it() {
    let steps = [set(At("qa", "main"), "A", "1"), link("dev", ("qa", "A")), set(MAIN, "A", "2"), delete(MAIN)];
    play(&steps).unwrap();
    let again = [steps.as_slice(), &[link("dev", ("qa", "A")), delete(MAIN), delete(MAIN)]].concat();
    play(&again).unwrap();
}

#[test]
fn what_was_set_over_a_link_to_nothing_is_deleted_with_it() {
    let qa = At("qa", "main");
    let steps =
        [set(qa, "A", "1"), link("dev", ("qa", "A")), set(MAIN, "A", "2"), delete(qa), delete(MAIN), delete(MAIN)];
    play(&steps).unwrap();
}

#[test]
fn a_link_to_nothing_behind_another_branch_hinders_no_new_link_and_goes_with_it() {
    let (on_a, qa) = (At("dev", "a"), At("qa", "main"));
    let other = Step::Set { at: qa, key: "B", value: "2", expect: None, skip_unchanged: false };
    let steps = [
        set(on_a, "A", "0"),
        set(qa, "A", "1"),
        other,
        link("dev", ("qa", "A")),
        delete(qa),
        link("dev", ("qa", "B")),
        delete(MAIN),
    ];
    play(&steps).unwrap();
}

#[test]
fn the_first_of_a_name_is_not_taken_for_the_one_that_is_meant() {
    let on_a = At("dev", "a");
    let rotate = |at, value| Step::Rotate { at, key: "A", value };
    let steps = [
        set(MAIN, "A", "1"),
        set(on_a, "A", "2"),
        rotate(on_a, None),
        rotate(MAIN, Some("")),
        rotate(MAIN, None),
        Step::RollBack { at: on_a, key: "A", version: 1 },
        Step::RollBack { at: MAIN, key: "A", version: 2 },
        Step::Set { at: on_a, key: "A", value: "3", expect: Some(3), skip_unchanged: false },
        delete(MAIN),
        rotate(on_a, None),
        Step::DeleteBranch("a"),
    ];
    play(&steps).unwrap();
}

#[test]
fn a_branch_takes_its_secrets_along_when_it_is_renamed_and_leaves_none_when_it_is_deleted() {
    let (on_a, on_b) = (At("dev", "a"), At("dev", "b"));
    let steps = [
        set(MAIN, "A", "1"),
        set(on_a, "A", "2"),
        link("qa", ("dev", "A")),
        Step::RenameBranch("a", "b"),
        set(on_b, "A", "3"),
        Step::CreateBranch("a"),
        Step::Promote { from: on_b, to: on_a, overwrite: false },
        Step::DeleteBranch("b"),
        delete(MAIN),
    ];
    play(&steps).unwrap();
}
