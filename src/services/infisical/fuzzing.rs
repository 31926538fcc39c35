//! The rooms that an answer of Infisical goes through, one after the other as in a call, for the fuzz targets in `fuzz/`.
//! Compiled for them and for tests alone.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::Granted;
use super::merge;
use super::protocol::InfisicalProtocol;
use super::raw::{Answer, ResponseValue, types};
use super::scope::{CheckedScope, Defaults, InfisicalScope};
use super::wire::{List, One, Row};
use crate::fuzzing::{Exchange, Seen};
use crate::http::Protocol;
use crate::http::fuzzing::{quota, received};

/// Takes an exchange through the rooms.
#[must_use]
pub fn answer(exchange: &Exchange<'_>) -> Seen {
    let mut seen = Seen::default();
    let response = exchange.response();
    let protocol: Arc<dyn Protocol> = Arc::new(InfisicalProtocol);
    seen.quota = quota(&response, &InfisicalProtocol, Duration::ZERO);
    seen.debugged.push(format!("{response:?}"));
    let mut wait = None;
    let answer = |operation| {
        let response = received(response, operation, &protocol, exchange.sent);
        wait = response.retry_after();
        Answer::new(response, operation)
    };
    let folder = InfisicalScope::new("dev");
    match exchange.operation % 8 {
        0 => list(answer("secrets_list"), folder, &mut seen),
        1 => list(answer("secrets_v3_list"), folder.path("/app").recursive().personal(), &mut seen),
        2 => one(answer("secrets_get"), &mut seen),
        3 => other::<types::SecretWritten>(answer("secrets_create"), &mut seen),
        4 => login(answer("auth_universal_login"), &mut seen),
        5 => other::<types::KmsKeyList>(answer("kms_keys_list"), &mut seen),
        6 => other::<types::FolderList>(answer("folders_list"), &mut seen),
        _ => other::<types::SecretImportList>(answer("imports_list"), &mut seen),
    }
    seen.wait = wait;
    seen
}

fn list(answer: Answer, scope: InfisicalScope<'_>, seen: &mut Seen) {
    let Some(list) = typed::<List>(answer, seen) else { return };
    let scope: CheckedScope = match scope.checked(&Defaults::default()) {
        Ok(scope) => scope,
        Err(error) => return seen.failed(&error),
    };
    let list = list.into_inner();
    let imported = list.imports.iter().flatten().filter_map(|block| block.secrets.as_ref());
    seen.names.extend(list.secrets.iter().chain(imported.flatten()).map(|row| row.name.clone()));
    match merge::merge(list, &scope) {
        Ok(merged) => {
            seen.printed.push(format!("{:?} {:?}", merged.values, merged.unreadable));
            seen.unreadable = merged.unreadable;
            seen.values = merged.values.into_iter().map(|(_, value)| value).collect();
        }
        Err(error) => seen.failed(&error),
    }
}

fn one(answer: Answer, seen: &mut Seen) {
    let Some(answer) = typed::<One>(answer, seen) else { return };
    let row: Row = answer.into_inner().secret;
    seen.names.push(row.name.clone());
    seen.names.extend(row.tags.iter().flatten().map(|tag| tag.slug.clone()));
    seen.names.extend(row.secret_metadata.iter().flatten().map(|entry| entry.key.clone()));
    let details = row.into_details();
    seen.names.extend(details.id.clone());
    seen.printed.push(format!("{details:?}"));
    seen.values.extend(details.value);
}

fn login(answer: Answer, seen: &mut Seen) {
    let Some(granted) = typed::<types::AccessToken>(answer, seen) else { return };
    seen.debugged.push(format!("{granted:?}"));
    match Granted::from(granted.into_inner()).exchanged() {
        Ok(exchanged) => seen.debugged.push(format!("{:?}", exchanged.lasts)),
        Err(error) => seen.failed(&error),
    }
}

fn other<T: DeserializeOwned + Serialize + Debug>(answer: Answer, seen: &mut Seen) {
    if let Some(value) = typed::<T>(answer, seen) {
        let _ = (format!("{value:?}"), serde_json::to_string(value.as_ref()));
    }
}

/// What is done with an answer before it is looked at.
fn typed<T: DeserializeOwned>(answer: Answer, seen: &mut Seen) -> Option<ResponseValue<T>> {
    let error = match answer.documented::<T, types::ApiError>() {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    seen.debugged.push(format!("{error:?}"));
    seen.errors.push(error.to_string());
    seen.failed(&error.into_error());
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Quota, SecretValue};

    const TOKEN: &str = "st.kanarie.4711";
    const SENT: &str = r#"{"secretValue":"hunter2-kanarie"}"#;

    fn exchange<'a>(operation: u8, status: u16, body: &'a str) -> Exchange<'a> {
        let headers = vec![
            (&b"retry-after"[..], &b"7"[..]),
            (b"x-ratelimit-limit", b"40"),
            (b"x-ratelimit-remaining", b"7"),
            (b"x-ratelimit-reset", b"52"),
        ];
        Exchange { operation, status, headers, body: body.as_bytes(), token: TOKEN, sent: SENT.as_bytes() }
    }

    #[test]
    fn the_targets_see_errors_values_and_waits_as_a_program_would() {
        let rows = r#"{"secrets":[{"secretKey":"A","secretValue":"one"},{"secretKey":"B","secretValue":"<hidden-by-infisical>"}],
            "imports":[{"secrets":[{"secretKey":"C","secretValue":"three"}]}]}"#;
        let read = answer(&exchange(0, 200, rows));
        let mut values: Vec<_> = read.values.iter().map(SecretValue::expose).collect();
        values.sort_unstable();
        assert_eq!((values, read.names.len(), read.unreadable.len()), (vec!["one", "three"], 3, 1));
        assert_eq!(read.quota, Some(Quota::new(40, 7, Duration::from_secs(52))));
        let said = format!("no {TOKEN}, no hunter2-kanarie");
        let refused = format!(r#"{{"statusCode":400,"message":"{said}","error":"{said}"}}"#);
        let refused = answer(&exchange(3, 400, &refused));
        assert_eq!(refused.said, Some(said));
        assert!(
            refused.errors.iter().chain(&refused.debugged).all(|text| !text.contains("kanarie")),
            "{:?}",
            refused.errors
        );
        assert_eq!(refused.wait, Some(Duration::from_secs(7)));
        let granted = answer(&exchange(4, 200, r#"{"accessToken":"kanarie","expiresIn":100}"#));
        assert!(granted.debugged.iter().all(|text| !text.contains("kanarie")));
        for operation in 0..8 {
            assert!(!answer(&exchange(operation, 302, "")).errors.is_empty());
        }
    }

    #[test]
    fn an_answer_about_another_place_is_told_without_what_it_says() {
        for member in ["environment", "secretPath"] {
            let body = format!(r#"{{"secrets":[{{"secretKey":"A","secretValue":"v","{member}":"hunter2-kanarie"}}]}}"#);
            let read = answer(&exchange(0, 200, &body));
            assert!(
                !read.errors.is_empty() && read.errors.iter().all(|text| !text.contains("kanarie")),
                "{:?}",
                read.errors
            );
        }
    }
}
