//! The rules by which a list is merged, one by one and on every recorded list.

use serde_json::{Value, json};

use super::super::recordings::recorded;
use super::super::scope::{Defaults, InfisicalScope};
use super::*;

fn asked(scope: InfisicalScope<'_>) -> CheckedScope {
    scope.checked(&Defaults::default()).unwrap()
}

fn list(json: Value) -> List {
    serde_json::from_value(json).unwrap()
}

fn row(name: &str, value: &str, folder: &str) -> Value {
    json!({ "secretKey": name, "secretValue": value, "environment": "dev", "type": "shared", "secretPath": folder })
}

fn imported(name: &str, value: &str) -> Value {
    json!({ "secretKey": name, "secretValue": value, "environment": "prod", "type": "shared" })
}

/// The values by name.
fn values(merged: &Merged) -> Vec<(&str, &str)> {
    let mut values: Vec<_> = merged.values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    values.sort_unstable();
    values
}

fn unreadable(merged: &Merged) -> Vec<(&str, UnreadableReason)> {
    merged.unreadable.iter().map(|entry| (entry.name.as_str(), entry.reason)).collect()
}

#[test]
fn an_own_secret_beats_imports_of_which_the_last_wins_and_within_one_the_first() {
    let list = list(json!({
        "secrets": [row("A", "own", "/")],
        "imports": [
            { "secrets": [imported("A", "1"), imported("B", "1"), imported("C", "1")] },
            { "secrets": [imported("A", "2"), imported("B", "2"), imported("B", "nested"), imported("D", "2")] },
            { "environment": "prod" },
        ],
    }));
    let merged = merge(list, &asked(InfisicalScope::new("dev"))).unwrap();
    assert_eq!(values(&merged), [("A", "own"), ("B", "2"), ("C", "1"), ("D", "2")]);
}

#[test]
fn two_rows_of_one_name_are_no_value_and_named_and_hide_an_import_too() {
    let list = list(json!({
        "secrets": [row("A", "1", "/"), row("B", "b", "/"), row("A", "2", "/"), row("A", "3", "/")],
        "imports": [{ "secrets": [imported("A", "4")] }],
    }));
    let merged = merge(list, &asked(InfisicalScope::new("dev"))).unwrap();
    assert_eq!(values(&merged), [("B", "b")]);
    assert_eq!(unreadable(&merged), [("A", UnreadableReason::Ambiguous)]);
}

#[test]
fn rows_that_were_written_at_the_same_time_are_no_value() {
    for recording in recorded("secrets-list-after-concurrent-create") {
        let list: List = serde_json::from_str(recording.body()).unwrap();
        let merged = merge(list, &asked(InfisicalScope::new("dev").path("/apple"))).unwrap();
        assert_eq!(unreadable(&merged), [("RACE", UnreadableReason::Ambiguous)], "{}", recording.server);
        assert_eq!(merged.values.len(), 1);
    }
}

#[test]
fn a_tree_has_what_is_below_and_not_what_begins_alike_and_a_name_in_two_folders_is_no_value() {
    let rows = json!({ "secrets": [
        row("A", "1", "/app"), row("B", "2", "/app/db"), row("C", "3", "/apple"), row("A", "4", "/app/db"), row("D", "5", "/"),
    ] });
    let merged = merge(list(rows), &asked(InfisicalScope::new("dev").path("/app").recursive())).unwrap();
    assert_eq!(values(&merged), [("B", "2")]);
    assert_eq!(unreadable(&merged), [("A", UnreadableReason::Ambiguous)]);
}

#[test]
fn a_personal_value_counts_where_it_is_asked_for_and_never_for_others() {
    let personal = json!({ "secretKey": "A", "secretValue": "mine", "type": "personal", "secretPath": "/" });
    let alone = json!({ "secretKey": "B", "secretValue": "mine", "type": "personal", "secretPath": "/" });
    for rows in [[personal.clone(), row("A", "ours", "/")], [row("A", "ours", "/"), personal.clone()]] {
        let rows = json!({ "secrets": [rows[0], rows[1], alone] });
        let shared = merge(list(rows.clone()), &asked(InfisicalScope::new("dev"))).unwrap();
        assert_eq!(values(&shared), [("A", "ours")]);
        let mine = asked(InfisicalScope { personal: true, ..InfisicalScope::new("dev") });
        assert_eq!(values(&merge(list(rows), &mine).unwrap()), [("A", "mine"), ("B", "mine")]);
    }
    for recording in recorded("secrets-list-as-user") {
        let list: List = serde_json::from_str(recording.body()).unwrap();
        let merged = merge(list, &asked(InfisicalScope::new("dev"))).unwrap();
        assert!(merged.unreadable.is_empty() && values(&merged).contains(&("PLAIN", "plain-value")));
    }
}

#[test]
fn a_masked_value_is_none_and_what_was_not_to_be_shown_is_not() {
    let rows = json!({ "secrets": [row("A", "<hidden-by-infisical>", "/"), row("B", "v", "/")] });
    let merged = merge(list(rows.clone()), &asked(InfisicalScope::new("dev"))).unwrap();
    assert_eq!((values(&merged), unreadable(&merged)), (vec![("B", "v")], vec![("A", UnreadableReason::Masked)]));
    let hidden = asked(InfisicalScope { hidden: true, ..InfisicalScope::new("dev") });
    let merged = merge(list(rows), &hidden).unwrap();
    assert_eq!((merged.values.len(), merged.unreadable.len()), (0, 2));
}

#[test]
fn an_answer_of_another_place_is_refused() {
    for recording in recorded("service-token-list-params-ignored") {
        let answer = || serde_json::from_str::<List>(recording.body()).unwrap();
        let elsewhere = InfisicalScope::new("dev").path("/app").project_id("00000000-0000-4000-8000-000000000000");
        assert!(merge(answer(), &asked(elsewhere)).err().unwrap().to_string().contains("another project"));
        for scope in [InfisicalScope::new("prod").path("/app"), InfisicalScope::new("dev").path("/shared")] {
            let error = merge(answer(), &asked(scope)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        }
        assert!(merge(answer(), &asked(InfisicalScope::new("dev").path("/app"))).is_ok());
    }
}

#[test]
fn metadata_is_filtered_again_and_a_server_without_any_is_told_of() {
    let with = |name: &str, value: &str| json!({ "secretKey": name, "secretValue": "v", "secretPath": "/", "secretMetadata": [{ "key": "team", "value": value }] });
    let filter = InfisicalScope { metadata: vec![("team".into(), "blue".into())], ..InfisicalScope::new("dev") };
    let rows = json!({ "secrets": [with("A", "blue"), with("B", "red")] });
    assert_eq!(values(&merge(list(rows), &asked(filter.clone())).unwrap()), [("A", "v")]);
    for recording in recorded("secrets-list-metadata-filter") {
        let answer: List = serde_json::from_str(recording.body()).unwrap();
        assert!(merge(answer, &asked(filter.clone().path("/app"))).err().unwrap().to_string().contains("metadata"));
    }
}

#[test]
fn values_that_still_hold_a_reference_are_told_of_where_they_were_to_be_expanded() {
    let rows = || {
        list(
            json!({ "secrets": [row("A", "x-${B}", "/"), row("B", "$HOME", "/")], "imports": [{ "secrets": [imported("C", "${D}")] }] }),
        )
    };
    let merged = merge(rows(), &asked(InfisicalScope::new("dev"))).unwrap();
    let mut told: Vec<_> =
        merged.unexpanded.iter().map(|left| (merged.values[left.at].0.as_str(), left.imported)).collect();
    told.sort_unstable();
    assert_eq!(told, [("A", false), ("C", true)]);
    let stored = merge(rows(), &asked(InfisicalScope::new("dev").expand_references(false))).unwrap();
    assert!(stored.unexpanded.is_empty());
}

#[test]
fn every_recorded_list_is_merged() {
    let mut lists = 0;
    for recording in super::super::recordings::recordings() {
        if recording.method() != "GET" || recording.path() != "/v3/secrets/raw" || recording.status() != 200 {
            continue;
        }
        let Ok(answer) = serde_json::from_str::<List>(recording.body()) else {
            assert!(recording.body().is_empty(), "{}", recording.name);
            continue;
        };
        let Some(first) = answer.secrets.first() else { continue };
        let environment = first.environment.clone().unwrap();
        let recursive = recording.name.contains("recursive");
        let path = if recursive { "/".to_owned() } else { first.secret_path.clone().unwrap() };
        let scope = InfisicalScope { recursive, ..InfisicalScope::new(environment).path(path) };
        let merged = merge(answer, &asked(scope)).unwrap();
        assert!(!merged.values.is_empty(), "{}", recording.name);
        lists += 1;
    }
    assert!(lists > 50, "{lists}");
}
