//! Tests of the choice of names.

use super::*;
use crate::core::{Clock, Origin, SnapshotSource, Unreadable, UnreadableReason};

fn secrets() -> Secrets {
    Secrets::from_iter([("A", "1"), ("B", "2"), ("C", "3")])
}

/// The plan as `NAME=value` words.
fn plan(selection: Selection, secrets: &Secrets) -> Result<String, XtraError> {
    let variables = selection.plan(secrets, Target::ThisProcess)?;
    let words = variables.iter().map(|(name, value)| format!("{name}={}", value.expose()));
    Ok(words.collect::<Vec<_>>().join(" "))
}

#[test]
fn without_a_choice_every_secret_keeps_its_name() {
    assert_eq!(plan(Selection::new(), &secrets()).unwrap(), "A=1 B=2 C=3");
}

#[test]
fn only_and_except_choose_and_except_wins() {
    assert_eq!(plan(Selection::new().only(["C", "A"]), &secrets()).unwrap(), "A=1 C=3");
    assert_eq!(plan(Selection::new().only(["C"]).only(["A"]), &secrets()).unwrap(), "A=1 C=3");
    assert_eq!(plan(Selection::new().exclude(["B"]), &secrets()).unwrap(), "A=1 C=3");
    assert_eq!(plan(Selection::new().only(["A", "B"]).exclude(["B", "Z"]), &secrets()).unwrap(), "A=1");
    assert_eq!(plan(Selection::new().only(Vec::<String>::new()), &secrets()).unwrap(), "");
}

#[test]
fn choosing_names_that_are_not_there_is_one_error_with_all_of_them() {
    let error = plan(Selection::new().only(["A", "Z", "Y"]).rename("X", "W"), &secrets()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
    assert_eq!(error.names(), ["X", "Y", "Z"]);
    assert!(error.to_string().contains(r#""X", "Y", "Z""#), "{error}");
}

#[test]
fn choosing_a_secret_that_cannot_be_read_tells_why_it_cannot() {
    let clock = Clock::system();
    let origin = Origin {
        source: SnapshotSource::Service,
        fetched: clock.now(),
        clock,
        ttl: std::time::Duration::from_secs(30),
        passphrase: None,
        place: None,
    };
    let values = [("A".to_owned(), SecretValue::from("1"))].into_iter().collect();
    let unreadable = vec![
        Unreadable::new("API_KEY", UnreadableReason::Masked),
        Unreadable::new("STORED", UnreadableReason::ServerCiphertext),
    ];
    let secrets = Secrets::assemble(values, unreadable, origin);
    for (name, kind) in [("API_KEY", ErrorKind::Masked), ("STORED", ErrorKind::Undecryptable)] {
        for selection in [Selection::new().only([name]), Selection::new().only(["A", "MISSING", name])] {
            let error = plan(selection, &secrets).unwrap_err();
            assert_eq!((error.kind(), error.names()), (kind, &[name.to_owned()][..]), "{error}");
        }
        assert_eq!(plan(Selection::new().rename(name, "OTHER"), &secrets).unwrap_err().kind(), kind);
    }
    assert_eq!(plan(Selection::new().only(["A"]), &secrets).unwrap(), "A=1");
    assert_eq!(plan(Selection::new().only(["MISSING"]), &secrets).unwrap_err().kind(), ErrorKind::MissingSecret);
}

#[test]
fn a_prefix_goes_in_front_of_every_name_but_the_renamed() {
    let selection = Selection::new().prefix("APP_").rename("B", "Bee");
    assert_eq!(plan(selection, &secrets()).unwrap(), "APP_A=1 Bee=2 APP_C=3");
}

#[test]
fn names_can_be_swapped() {
    let selection = Selection::new().rename("A", "B").rename("B", "A");
    assert_eq!(plan(selection, &secrets()).unwrap(), "B=1 A=2 C=3");
}

#[test]
fn two_secrets_for_one_variable_are_refused() {
    let error = plan(Selection::new().rename("A", "C"), &secrets()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["C"]);
    assert!(error.to_string().contains("another secret"), "{error}");
}

#[test]
fn names_that_differ_by_case_are_one_variable_only_where_case_is_ignored() {
    let value = SecretValue::from("1");
    let both = |case| {
        let selection = Selection::new();
        let mut plan = Plan::new(&selection, Target::Child, case);
        plan.add("Name", &value);
        plan.add("NAME", &value);
        plan.finish()
    };
    assert!(both(Case::Sensitive).is_ok());
    assert!(both(Case::Insensitive).is_err());
}

#[test]
fn all_bad_variables_are_in_one_error_with_their_reasons() {
    let secrets =
        Secrets::from_iter([("GOOD", "1"), ("", "1"), ("A=B", "1"), ("C\0", "1"), ("D", "1\0"), ("LD_PRELOAD", "x")]);
    let error = plan(Selection::new(), &secrets).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.names(), ["", "A=B", "C\0", "D", "LD_PRELOAD"]);
    let text = error.to_string();
    for part in [
        "5 of 6",
        "none was",
        r#""" (the name is empty)"#,
        r#""A=B" (the name holds `=`)"#,
        r#""C\0" (the name holds a NUL byte)"#,
        r#""D" (the value holds a NUL byte)"#,
        r#""LD_PRELOAD" (guarded: "#,
        "allow_name",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_guarded_variable_is_allowed_by_its_own_name_only() {
    let secrets = Secrets::from_iter([("LD_AUDIT", "2"), ("LD_PRELOAD", "1")]);
    let error = plan(Selection::new().allow_name("LD_PRELOAD"), &secrets).unwrap_err();
    assert_eq!(error.names(), ["LD_AUDIT"]);
    let selection = Selection::new().allow_name("LD_PRELOAD").allow_name("LD_AUDIT");
    assert_eq!(plan(selection, &secrets).unwrap(), "LD_AUDIT=2 LD_PRELOAD=1");
    assert!(plan(Selection::new().allow_name("LD_*"), &secrets).is_err());
}

#[test]
fn what_is_guarded_is_listed_at_once_to_be_allowed_by_one_paste() {
    let names = ["BASH_FUNC_x%%", "LD_AUDIT", "LD_PRELOAD", "npm_config_//host/:_authToken"];
    let secrets = Secrets::from_iter(names.map(|name| (name, "1")));
    let list = "allow_name: 'BASH_FUNC_x%%',LD_AUDIT,LD_PRELOAD,'npm_config_//host/:_authToken'";
    let error = plan(Selection::new(), &secrets).unwrap_err();
    assert!(error.to_string().ends_with(list), "{error}");
    // what could end the quotes, or the list, is named and not offered
    let odd = Secrets::from_iter([("LD_'$(id)'", "1"), ("LD_A,PATH", "1"), ("LD_\u{1b}", "1")]);
    let error = plan(Selection::new(), &odd).unwrap_err();
    assert!(!error.to_string().contains("allow_name") && error.names().len() == 3, "{error}");
    let allowed = names.iter().fold(Selection::new(), |selection, name| selection.allow_name(*name));
    assert!(plan(allowed, &secrets).is_ok());
}

#[test]
fn of_very_many_flaws_some_are_described_and_all_are_counted_and_to_be_allowed() {
    let secrets: Secrets = (0..1000).map(|n| (format!("LD_{n:04}"), SecretValue::from("1"))).collect();
    let error = plan(Selection::new(), &secrets).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("1000 of 1000") && text.contains("and 950 more"), "{text}");
    assert!(text.contains("LD_0998,LD_0999") && error.names().len() == 1000);
}

#[test]
fn the_guard_looks_at_the_variable_and_not_at_the_secret() {
    let secrets = Secrets::from_iter([("PATH", "1"), ("PRELOAD", "2")]);
    assert_eq!(plan(Selection::new().prefix("APP_"), &secrets).unwrap(), "APP_PATH=1 APP_PRELOAD=2");
    let error = plan(Selection::new().exclude(["PATH"]).prefix("LD_"), &secrets).unwrap_err();
    assert!(error.to_string().contains(r#""PRELOAD" as "LD_PRELOAD""#), "{error}");
}

#[test]
fn secrets_left_out_are_not_checked() {
    let secrets = Secrets::from_iter([("A", "1"), ("PATH", "2")]);
    assert_eq!(plan(Selection::new().exclude(["PATH"]), &secrets).unwrap(), "A=1");
}

#[test]
fn a_long_name_is_cut_in_the_message() {
    let name = format!("{}=", "ü".repeat(5000));
    let error = plan(Selection::new(), &Secrets::from_iter([(name.as_str(), "1")])).unwrap_err();
    assert!(error.to_string().len() < 600);
    assert_eq!(error.names(), [name]);
}

#[test]
fn the_length_of_a_value_only_matters_to_a_child() {
    let secrets = Secrets::from_iter([("LONG", "x".repeat(256 * 1024))]);
    assert!(Selection::new().plan(&secrets, Target::ThisProcess).is_ok());
    let for_a_child = Selection::new().plan(&secrets, Target::Child);
    assert_eq!(for_a_child.is_err(), cfg!(any(target_os = "linux", target_os = "android")));
}
