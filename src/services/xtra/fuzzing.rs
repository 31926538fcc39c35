//! The rooms that an answer of XtraSecurity goes through, one after the other as in a call, for the fuzz targets in `fuzz/`.
//! Compiled for them and for tests alone.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fuzzing::{Exchange, Seen};
use crate::http::Protocol;
use crate::http::fuzzing::{quota, received};
use crate::services::xtra::raw::{Answer, ResponseValue, types};
use crate::services::xtra::{ReadPairs, XtraProtocol, decoded, from_raw};

/// The day of the recordings: windows of that time have not ended.
const RECORDED: Duration = Duration::from_secs(1_795_250_000);

/// Takes an exchange through the rooms.
#[must_use]
pub fn answer(exchange: &Exchange<'_>) -> Seen {
    let mut seen = Seen::default();
    let arrived = || exchange.response();
    let response = arrived();
    let protocol: Arc<dyn Protocol> = Arc::new(XtraProtocol);
    seen.quota = quota(&response, &XtraProtocol, RECORDED);
    seen.debugged.push(format!("{response:?}"));
    let mut wait = None;
    let answer = |operation| {
        let response = received(response, operation, &protocol, exchange.sent);
        wait = response.retry_after();
        Answer::new(response, operation)
    };
    match exchange.operation % 8 {
        0 => secrets(answer("secrets_read"), Answer::new(arrived(), "secrets_read"), &mut seen),
        1 => other::<types::SecretsUpserted>(answer("secrets_upsert"), &mut seen),
        2 => other::<types::ServiceAccountIdentity>(answer("service_accounts_resolve"), &mut seen),
        3 => other::<types::SecretHistory>(answer("secrets_history"), &mut seen),
        4 => other::<types::ProjectList>(answer("projects_list"), &mut seen),
        5 => other::<types::SecretRecordList>(answer("secret_records_list"), &mut seen),
        6 => other::<types::AuditPage>(answer("audit_list"), &mut seen),
        _ => other::<types::Outcome>(answer("branches_delete"), &mut seen),
    }
    seen.wait = wait;
    seen
}

/// The generated client's decoding and the snapshot's own must agree on what is an answer.
fn secrets(answer: Answer, again: Answer, seen: &mut Seen) {
    let read = again.decode::<_, types::ApiError>(ReadPairs::decode);
    let Some(value) = typed::<types::SecretMap>(answer, seen) else {
        assert!(read.is_err(), "an answer that the document refuses is read");
        return;
    };
    for (name, entry) in &value.0 {
        seen.names.push(name.clone());
        seen.names.extend([&entry.version, &entry.source].into_iter().flatten().cloned());
    }
    seen.printed.push(format!("{value:?}"));
    seen.printed.extend(serde_json::to_string(value.as_ref()));
    let Ok(read) = read else { panic!("an answer that the document allows is not read") };
    seen.printed.push(format!("{read:?}"));
    let loaded = decoded(read);
    seen.printed.push(format!("{loaded:?}"));
    seen.unreadable = loaded.unreadable;
    seen.values = loaded.values.iter().map(|(_, value)| value.clone()).collect();
}

fn other<T: DeserializeOwned + Serialize + Debug>(answer: Answer, seen: &mut Seen) {
    if let Some(value) = typed::<T>(answer, seen) {
        let _ = (format!("{value:?}"), serde_json::to_string(value.as_ref()));
    }
}

/// What generated code does with an answer.
fn typed<T: DeserializeOwned>(answer: Answer, seen: &mut Seen) -> Option<ResponseValue<T>> {
    let error = match answer.documented::<T, types::ApiError>() {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    seen.debugged.push(format!("{error:?}"));
    seen.errors.push(error.to_string());
    seen.failed(&from_raw(error));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Quota, SecretValue};

    const TOKEN: &str = "xs_kanarie4+7Q";
    const SENT: &str = r#"{"secrets":{"KEY":"hunter2-kanarie"}}"#;

    fn exchange<'a>(operation: u8, status: u16, body: &'a str) -> Exchange<'a> {
        let headers = vec![
            (&b"retry-after"[..], &b"7"[..]),
            (b"no name", b"x"),
            (b"x-values-masked", b"false"),
            (b"x-ratelimit-limit", b"1000"),
            (b"x-ratelimit-remaining", b"7"),
            (b"x-ratelimit-reset", b"1795250060"),
        ];
        Exchange { operation, status, headers, body: body.as_bytes(), token: TOKEN, sent: SENT.as_bytes() }
    }

    #[test]
    fn a_name_without_a_value_and_a_placeholder_are_unreadable_and_never_left_out() {
        use crate::core::UnreadableReason::{Masked, NoValue};
        let body = r#"{"A":"v","B":null,"C":{"version":"1"},"D":{"value":null,"version":"2"},"E":{"value":"w"},"F":{},
            "G":"[encrypted]","H":{"value":"***"}}"#;
        let read = answer(&exchange(0, 200, body));
        assert_eq!(read.values.iter().map(SecretValue::expose).collect::<Vec<_>>(), ["v", "w"]);
        let unreadable: Vec<_> = read.unreadable.iter().map(|entry| (entry.name.as_str(), entry.reason)).collect();
        let of = |reason, names: &[&'static str]| names.iter().map(|name| (*name, reason)).collect::<Vec<_>>();
        assert_eq!(unreadable, [of(NoValue, &["B", "C", "D", "F"]), of(Masked, &["G", "H"])].concat());
        // of a name that comes twice the last counts, as everywhere
        let twice = answer(&exchange(0, 200, r#"{"A":null,"A":"v","B":"v","B":{}}"#));
        assert_eq!((twice.values.len(), twice.unreadable.len()), (1, 1));
    }

    #[test]
    fn the_targets_see_errors_values_and_waits_as_a_program_would() {
        let read = answer(&exchange(0, 200, r#"{"A":"one","B":"***"}"#));
        assert_eq!(read.values.iter().map(SecretValue::expose).collect::<Vec<_>>(), ["one"]);
        assert_eq!((read.names.as_slice(), read.wait), (&["A".to_owned(), "B".to_owned()][..], None));
        assert_eq!(read.quota, Some(Quota::new(1000, 7, Duration::from_secs(60))));
        let refused = answer(&exchange(1, 400, &format!(r#"{{"error":"no {TOKEN}, no hunter2-kanarie, sorry"}}"#)));
        assert_eq!(refused.said, Some(format!("no {TOKEN}, no hunter2-kanarie, sorry")));
        assert!(refused.errors.iter().chain(&refused.debugged).all(|text| !text.contains("kanarie")));
        assert_eq!(refused.wait, Some(Duration::from_secs(7)));
        for operation in 0..8 {
            assert!(!answer(&exchange(operation, 302, "")).errors.is_empty());
        }
    }
}
