//! Tests of injection into a child. `PATH` stands for a variable that is inherited.

use std::ffi::OsStr;

use super::*;
use crate::core::SecretValue;

fn given<'c>(command: &'c Command, name: &str) -> Option<Option<&'c OsStr>> {
    command.get_envs().find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn holds(command: &Command, name: &str, value: &str) -> bool {
    given(command, name) == Some(Some(OsStr::new(value)))
}

#[test]
fn every_secret_becomes_a_variable_of_the_child() {
    let secrets = Secrets::from_iter([("B", "two"), ("A", "one"), ("EMPTY", "")]);
    let mut command = Command::new("env");
    let report = secrets.apply_to(&mut command).unwrap();
    assert_eq!(report.set(), ["A", "B", "EMPTY"]);
    assert!(report.kept().is_empty());
    assert!(holds(&command, "A", "one") && holds(&command, "B", "two") && holds(&command, "EMPTY", ""));
}

#[test]
fn an_inherited_variable_is_overridden_unless_it_is_to_be_kept() {
    let secrets = Secrets::from_iter([("PATH", "/ours")]);
    let injection = secrets.injection().allow_name("PATH");
    let mut command = Command::new("env");
    assert_eq!(injection.apply_to(&mut command).unwrap().set(), ["PATH"]);
    assert!(holds(&command, "PATH", "/ours"));

    let mut command = Command::new("env");
    let report = injection.keep_existing().apply_to(&mut command).unwrap();
    assert_eq!(report.kept(), ["PATH"]);
    assert!(report.set().is_empty());
    assert_eq!(given(&command, "PATH"), None);
}

#[test]
fn what_was_done_to_the_command_before_counts_as_existing() {
    let secrets = Secrets::from_iter([("GIVEN", "secret"), ("PATH", "/ours")]);
    let mut command = Command::new("env");
    command.env("GIVEN", "before").env_remove("PATH");
    let report = secrets.injection().allow_name("PATH").keep_existing().apply_to(&mut command).unwrap();
    assert_eq!(report.kept(), ["GIVEN"]);
    assert_eq!(report.set(), ["PATH"]);
    assert!(holds(&command, "GIVEN", "before") && holds(&command, "PATH", "/ours"));
}

#[test]
fn the_last_word_on_existing_variables_counts() {
    let secrets = Secrets::from_iter([("GIVEN", "secret")]);
    let mut command = Command::new("env");
    command.env("GIVEN", "before");
    let report = secrets.injection().keep_existing().override_existing().apply_to(&mut command).unwrap();
    assert_eq!(report.set(), ["GIVEN"]);
    assert!(holds(&command, "GIVEN", "secret"));
}

#[test]
fn a_child_without_credentials_inherits_none_of_ours() {
    let secrets = Secrets::from_iter([("A", "1")]);
    for injection in [secrets.injection(), secrets.injection().with_credentials().without_credentials()] {
        let mut command = Command::new("env");
        command.env("XTRA_TOKEN", "set on the command");
        injection.apply_to(&mut command).unwrap();
        for name in ["XTRA_TOKEN", "XTRA_MACHINE_TOKEN", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET", "XTRA_API_KEY"]
        {
            assert_eq!(given(&command, name), Some(None), "{name}");
        }
        assert_eq!(given(&command, "XTRA_API_URL"), None, "where the service is, is no secret");
    }
}

#[test]
fn a_child_has_our_credentials_only_when_that_is_asked_for() {
    let secrets = Secrets::from_iter([("A", "1")]);
    let mut command = Command::new("env");
    command.env("XTRA_TOKEN", "set on the command");
    secrets.injection().with_credentials().apply_to(&mut command).unwrap();
    assert!(holds(&command, "XTRA_TOKEN", "set on the command"));
    assert_eq!(command.get_envs().count(), 2, "nothing is removed");
}

#[test]
fn only_the_named_variables_are_kept() {
    let secrets = Secrets::from_iter([("FRESH", "1"), ("GIVEN", "secret"), ("OTHER", "secret")]);
    let mut command = Command::new("env");
    command.env("GIVEN", "before").env("OTHER", "before");
    let report = secrets.injection().keep(["FRESH"]).keep(["GIVEN"]).apply_to(&mut command).unwrap();
    assert_eq!(
        (report.set(), report.kept()),
        (&["FRESH".to_owned(), "OTHER".to_owned()][..], &["GIVEN".to_owned()][..])
    );
    assert!(holds(&command, "GIVEN", "before") && holds(&command, "OTHER", "secret"));
}

#[test]
fn the_report_tells_which_existing_values_differed() {
    let secrets = Secrets::from_iter([
        ("EMPTY", "secret"),
        ("FRESH", "1"),
        ("KEPT", "secret"),
        ("SAME", "equal"),
        ("SET", "new"),
    ]);
    let mut command = Command::new("env");
    command.env("EMPTY", "").env("KEPT", "before").env("SAME", "equal").env("SET", "old").env("REMOVED", "x");
    let report = secrets.injection().keep(["KEPT", "SAME"]).apply_to(&mut command).unwrap();
    assert_eq!(report.kept(), ["KEPT", "SAME"]);
    assert_eq!(report.differing(), ["EMPTY", "KEPT", "SET"]);
}

/// Processor time, which other processes do not add to.
#[cfg(target_os = "linux")]
fn processor_time(mut work: impl FnMut()) -> std::time::Duration {
    use rustix::time::{ClockId, clock_gettime};

    let now = || std::time::Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let once = |work: &mut dyn FnMut()| {
        let before = now();
        work();
        now() - before
    };
    (0..3).map(|_| once(&mut work)).min().unwrap()
}

/// Four times the names may take four times as long, and not sixteen times.
#[cfg(target_os = "linux")]
#[test]
fn the_work_grows_with_the_number_of_names_and_not_with_its_square() {
    let secrets = |count: usize, name: &str| -> Secrets {
        (0..count).map(|number| (format!("{name}_{number}"), SecretValue::from("value"))).collect()
    };
    let run = |secrets: &Secrets, injection: &Injection<'_>| {
        let mut command = Command::new("env");
        for (name, _) in secrets.iter() {
            command.env(name, "before");
        }
        let _ = injection.apply_to(&mut command);
    };
    type Choice = for<'s> fn(Injection<'s>, &Secrets) -> Injection<'s>;
    let choices: [(&str, &str, Choice); 5] = [
        ("overridden", "KEY", |injection, _| injection),
        ("kept", "KEY", |injection, _| injection.keep_existing()),
        ("kept by name", "KEY", |injection, secrets| injection.keep(secrets.names())),
        ("chosen and allowed", "npm_config", |injection, secrets| {
            secrets.names().fold(injection.only(secrets.names()), |injection, name| injection.allow_name(name))
        }),
        ("refused", "LD", |injection, _| injection.prefix("LD_")),
    ];
    for (what, name, choose) in choices {
        let time = |count| {
            let secrets = secrets(count, name);
            let injection = choose(secrets.injection(), &secrets);
            processor_time(|| run(&secrets, &injection))
        };
        let (small, middle, large) = (time(2_500), time(5_000), time(10_000));
        assert!(large < small * 9, "{what}: {small:?}, {middle:?}, {large:?}");
    }
}

#[test]
fn a_hundred_thousand_names_are_injected() {
    let secrets: Secrets = (0..100_000).map(|number| (format!("KEY_{number}"), SecretValue::from("v"))).collect();
    let mut command = Command::new("env");
    assert_eq!(secrets.injection().keep_existing().apply_to(&mut command).unwrap().set().len(), 100_000);
}

#[test]
fn a_secret_named_like_a_credential_is_set_in_place_of_the_one_removed() {
    let secrets = Secrets::from_iter([("XTRA_TOKEN", "for the child")]);
    let mut command = Command::new("env");
    let injection = secrets.injection().keep_existing().allow_name("XTRA_TOKEN");
    assert_eq!(injection.apply_to(&mut command).unwrap().set(), ["XTRA_TOKEN"]);
    assert!(holds(&command, "XTRA_TOKEN", "for the child"));
}

#[test]
fn a_refused_command_is_unchanged() {
    let secrets = Secrets::from_iter([("A", "1"), ("LD_PRELOAD", "/tmp/x.so")]);
    let mut command = Command::new("env");
    let error = secrets.injection().apply_to(&mut command).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(command.get_envs().count(), 0);
}

#[test]
fn this_process_refuses_what_only_concerns_a_child() {
    let secrets = Secrets::from_iter([("XTRASECURITY_TEST_NEVER_SET", "1")]);
    let error = secrets.injection().without_credentials().inject().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("apply_to"), "{error}");
    assert!(std::env::var_os("XTRASECURITY_TEST_NEVER_SET").is_none());
}

#[test]
fn nothing_that_is_printed_shows_a_value() {
    let secrets = Secrets::from_iter([("A", "hunter2"), ("PATH", "hunter2"), ("NUL", "hunter2\0")]);
    let injection = secrets.injection().prefix("APP_");
    let error = injection.apply_to(&mut Command::new("env")).unwrap_err();
    let report = secrets.injection().only(["A"]).apply_to(&mut Command::new("env")).unwrap();
    let printed = format!("{injection:?} {error} {error:?} {report:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_longest_string_that_we_let_through_starts_a_program() {
    let longest = "x".repeat(128 * 1024 - "LONG".len() - 2);
    let secrets = Secrets::from_iter([("LONG", longest.as_str())]);
    let mut command = Command::new("true");
    secrets.apply_to(&mut command).unwrap();
    assert!(command.status().unwrap().success());

    let secrets = Secrets::from_iter([("LONG", format!("{longest}x"))]);
    let error = secrets.apply_to(&mut Command::new("true")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["LONG"]);
    assert!(error.to_string().contains("128 KiB"), "{error}");
}
