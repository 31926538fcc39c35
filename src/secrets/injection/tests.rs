//! What a child gets. `PATH` stands for a variable that is inherited.

use std::ffi::OsStr;

use super::*;

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
    let mut command = Command::new("env");
    command.env("XTRA_TOKEN", "set on the command");
    secrets.injection().without_credentials().apply_to(&mut command).unwrap();
    for name in ["XTRA_TOKEN", "XTRA_MACHINE_TOKEN", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"] {
        assert_eq!(given(&command, name), Some(None), "{name}");
    }
}

#[test]
fn a_secret_named_like_a_credential_is_set_in_place_of_the_one_removed() {
    let secrets = Secrets::from_iter([("XTRA_TOKEN", "for the child")]);
    let mut command = Command::new("env");
    let injection = secrets.injection().keep_existing().without_credentials();
    assert_eq!(injection.apply_to(&mut command).unwrap().set(), ["XTRA_TOKEN"]);
    assert!(holds(&command, "XTRA_TOKEN", "for the child"));
}

#[test]
fn a_refused_command_is_unchanged() {
    let secrets = Secrets::from_iter([("A", "1"), ("LD_PRELOAD", "/tmp/x.so")]);
    let mut command = Command::new("env");
    let error = secrets.injection().without_credentials().apply_to(&mut command).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(command.get_envs().count(), 0);
}

#[test]
fn this_process_refuses_what_only_concerns_a_child() {
    let secrets = Secrets::from_iter([("XTRASECURITY_TEST_NEVER_SET", "1")]);
    let error = secrets.injection().without_credentials().inject().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("apply_to"), "{error}");
    assert!(!env::is_set("XTRASECURITY_TEST_NEVER_SET"));
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
    assert_eq!(error.keys(), ["LONG"]);
    assert!(error.to_string().contains("128 KiB"), "{error}");
}
