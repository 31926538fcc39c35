//! Injection into this very process, which must have one thread.

use std::env;
use std::sync::mpsc;
use std::thread;

use xtrasecurity::{ErrorKind, Secrets};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[
    ("secrets_become_variables_of_a_process_with_one_thread", one_thread),
    ("existing_variables_win_unless_overridden", existing),
    ("an_empty_variable_exists", empty),
    ("a_choice_renames_and_prefixes", choice),
    ("one_bad_variable_means_that_none_is_set", all_or_nothing),
    ("a_second_thread_means_that_nothing_is_set", second_thread),
    ("the_unchecked_way_sets_with_a_second_thread_and_still_checks_names", unchecked),
    ("a_thread_that_was_just_joined_does_not_count", joined_thread),
    ("a_current_thread_runtime_may_inject", current_thread_runtime),
    ("a_multi_threaded_runtime_may_not_inject", multi_thread_runtime),
];

/// Where the threads can be counted, or need not be.
const SUPPORTED: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

fn value(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn one_thread() {
    let secrets = Secrets::from_iter([("ONE_B", "two words"), ("ONE_A", "")]);
    let outcome = secrets.injection().inject();
    if SUPPORTED {
        let report = outcome.unwrap();
        assert_eq!(report.set(), ["ONE_A", "ONE_B"]);
        assert!(report.kept().is_empty());
        assert_eq!(value("ONE_A").as_deref(), Some(""));
        assert_eq!(value("ONE_B").as_deref(), Some("two words"));
    } else {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnsoundInjection);
        assert_eq!(value("ONE_B"), None);
    }
}

fn existing() {
    if !SUPPORTED {
        return;
    }
    Secrets::from_iter([("EXISTING", "first")]).injection().inject().unwrap();
    let secrets = Secrets::from_iter([("EXISTING", "second"), ("EXISTING_NOT", "new")]);
    let report = secrets.injection().inject().unwrap();
    assert_eq!((report.set(), report.kept()), (&["EXISTING_NOT".to_owned()][..], &["EXISTING".to_owned()][..]));
    assert_eq!(value("EXISTING").as_deref(), Some("first"));
    let report = secrets.injection().override_existing().inject().unwrap();
    assert_eq!(report.set(), ["EXISTING", "EXISTING_NOT"]);
    assert_eq!(value("EXISTING").as_deref(), Some("second"));
}

fn empty() {
    if !SUPPORTED {
        return;
    }
    Secrets::from_iter([("EMPTY", "")]).injection().inject().unwrap();
    let report = Secrets::from_iter([("EMPTY", "full")]).injection().inject().unwrap();
    assert_eq!(report.kept(), ["EMPTY"]);
    assert_eq!(value("EMPTY").as_deref(), Some(""));
}

fn choice() {
    if !SUPPORTED {
        return;
    }
    let secrets = Secrets::from_iter([("CHOICE_A", "1"), ("CHOICE_B", "2"), ("CHOICE_C", "3")]);
    let injection = secrets.injection().exclude(["CHOICE_C"]).prefix("APP_").rename("CHOICE_B", "CHOSEN");
    assert_eq!(injection.inject().unwrap().set(), ["APP_CHOICE_A", "CHOSEN"]);
    assert_eq!(value("APP_CHOICE_A").as_deref(), Some("1"));
    assert_eq!(value("CHOSEN").as_deref(), Some("2"));
    assert!(value("CHOICE_A").is_none() && value("CHOICE_B").is_none() && value("APP_CHOICE_C").is_none());
}

fn all_or_nothing() {
    for bad in ["LD_PRELOAD", "A=B", "", "A\0B"] {
        let error = Secrets::from_iter([("ALL_A", "1"), (bad, "x")]).injection().inject().unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &[bad.to_owned()][..]));
        assert_eq!(value("ALL_A"), None);
    }
    let error = Secrets::from_iter([("ALL_A", "1"), ("ALL_B", "\0")]).injection().inject().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(value("ALL_A"), None);
}

fn second_thread() {
    let (hold, held) = mpsc::channel::<()>();
    let other = thread::spawn(move || held.recv());
    let outcome = Secrets::from_iter([("SECOND", "1")]).injection().override_existing().inject();
    drop(hold);
    assert!(other.join().unwrap().is_err());
    if cfg!(windows) {
        assert!(outcome.is_ok());
    } else {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsoundInjection);
        assert!(!SUPPORTED || error.to_string().contains("2 threads"), "{error}");
        assert_eq!(value("SECOND"), None);
    }
}

fn unchecked() {
    let (hold, held) = mpsc::channel::<()>();
    let other = thread::spawn(move || held.recv());
    let (good, bad) =
        (Secrets::from_iter([("UNCHECKED", "1")]), Secrets::from_iter([("UNCHECKED_B", "1"), ("PATH", "x")]));
    // SAFETY: the other thread does nothing but wait on a channel.
    #[expect(unsafe_code, reason = "the promise can be kept here")]
    let (set, refused) = unsafe { (good.injection().inject_unchecked(), bad.injection().inject_unchecked()) };
    drop(hold);
    assert!(other.join().unwrap().is_err());
    assert_eq!(set.unwrap().set(), ["UNCHECKED"]);
    assert_eq!(value("UNCHECKED").as_deref(), Some("1"));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(value("UNCHECKED_B"), None);
}

fn joined_thread() {
    if !SUPPORTED {
        return;
    }
    for round in 0..200 {
        thread::spawn(|| ()).join().unwrap();
        let name = format!("JOINED_{round}");
        let report = Secrets::from_iter([(name.as_str(), "1")]).injection().inject().unwrap();
        assert_eq!(report.set(), [name]);
    }
}

fn current_thread_runtime() {
    if !SUPPORTED {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        tokio::task::yield_now().await;
        Secrets::from_iter([("RUNTIME_ONE", "1")]).injection().inject()
    });
    assert_eq!(outcome.unwrap().set(), ["RUNTIME_ONE"]);
    assert_eq!(value("RUNTIME_ONE").as_deref(), Some("1"));
}

fn multi_thread_runtime() {
    if cfg!(windows) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let outcome = runtime.block_on(async { Secrets::from_iter([("RUNTIME_MANY", "1")]).injection().inject() });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnsoundInjection);
    assert_eq!(value("RUNTIME_MANY"), None);
}
