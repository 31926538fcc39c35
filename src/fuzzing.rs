//! The rooms that an answer of the service goes through, one after the other as in a call, for the fuzz targets in `fuzz/`.
//! Compiled for them and for tests alone.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::core::{Budget, SecretValue, Unreadable};
use crate::http::Protocol;
use crate::http::fuzzing::{quota, received};
use crate::services::xtra::raw::{Answer, Error, Response, ResponseValue, types};
use crate::services::xtra::{XtraProtocol, decoded, from_raw};

/// The day of the recordings: windows of that time have not ended.
const RECORDED: Duration = Duration::from_secs(1_795_250_000);

/// A call and what came back.
pub struct Exchange<'a> {
    /// Which operation was called: any number will do.
    pub operation: u8,
    /// The HTTP status.
    pub status: u16,
    /// The headers. Those that HTTP does not allow are left out.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// The body as it arrived.
    pub body: &'a [u8],
    /// The token that the call carried.
    pub token: &'a str,
    /// The body that the call carried.
    pub sent: &'a [u8],
}

/// What a program gets to see of an exchange.
#[derive(Default)]
pub struct Seen {
    /// What `Display` prints of the errors, and the texts that they hold.
    pub errors: Vec<String>,
    /// What the service said, for who asks for it: all else is without a trace of the answer.
    pub said: Option<String>,
    /// What `Debug` prints of the errors and of the answer.
    pub debugged: Vec<String>,
    /// What `Debug` and serde print of a successful read of secrets.
    pub printed: Vec<String>,
    /// The names, versions and origins of the secrets read, which are no secrets.
    pub names: Vec<String>,
    /// The secrets read.
    pub values: Vec<SecretValue>,
    /// Those whose values did not come through.
    pub unreadable: Vec<Unreadable>,
    /// The wait that the answer asks for.
    pub wait: Option<Duration>,
    /// What its headers tell of the budget of requests.
    pub budget: Option<Budget>,
}

/// Takes an exchange through the rooms.
#[must_use]
pub fn answer(exchange: &Exchange<'_>) -> Seen {
    let mut seen = Seen::default();
    let response = Response::new(exchange.status, headers(exchange), Zeroizing::new(exchange.body.to_vec()));
    let protocol: Arc<dyn Protocol> = Arc::new(XtraProtocol);
    seen.budget = quota(&response, &XtraProtocol, RECORDED);
    seen.debugged.push(format!("{response:?}"));
    let mut wait = None;
    let answer = |operation| {
        let response = received(response, operation, &protocol, exchange.sent);
        wait = response.retry_after();
        Answer::new(response, operation)
    };
    match exchange.operation % 8 {
        0 => secrets(answer("secrets_read"), &mut seen),
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

fn secrets(answer: Answer, seen: &mut Seen) {
    let Some(value) = typed::<types::SecretMap>(answer, seen) else { return };
    for (name, entry) in &value.0 {
        seen.names.push(name.clone());
        seen.names.extend([&entry.version, &entry.source].into_iter().flatten().cloned());
    }
    seen.printed.push(format!("{value:?}"));
    seen.printed.extend(serde_json::to_string(value.as_ref()));
    let loaded = decoded(value);
    seen.printed.push(format!("{loaded:?}"));
    seen.unreadable = loaded.unreadable;
    seen.values = loaded.values.into_pairs().into_iter().map(|(_, value)| value).collect();
}

fn other<T: DeserializeOwned + Serialize + Debug>(answer: Answer, seen: &mut Seen) {
    if let Some(value) = typed::<T>(answer, seen) {
        let _ = (format!("{value:?}"), serde_json::to_string(value.as_ref()));
    }
}

/// What generated code does with an answer.
fn typed<T: DeserializeOwned>(answer: Answer, seen: &mut Seen) -> Option<ResponseValue<T>> {
    let error = match answer.status() {
        200..=299 => match at_once(answer)? {
            Ok(value) => return Some(value),
            Err(error) => error,
        },
        400..=599 => match at_once(answer)? {
            Ok(value) => Error::ErrorResponse(value),
            Err(error) => error,
        },
        _ => Error::UnexpectedResponse(answer),
    };
    seen.debugged.push(format!("{error:?}"));
    seen.errors.push(error.to_string());
    let error = from_raw(error);
    seen.debugged.push(format!("{error:?}"));
    seen.errors.push(error.to_string());
    seen.errors.extend(error.code().map(str::to_owned));
    seen.said = error.server_message().map(str::to_owned);
    None
}

/// The body is there already, so nothing is waited for.
fn at_once<T: DeserializeOwned>(answer: Answer) -> Option<Result<ResponseValue<T>, Error<types::ApiError>>> {
    ResponseValue::from_response(answer).now_or_never()
}

fn headers(exchange: &Exchange<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &exchange.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(read.budget, Some(Budget::new(1000, 7, Duration::from_secs(60))));
        let refused = answer(&exchange(1, 400, &format!(r#"{{"error":"no {TOKEN}, no hunter2-kanarie, sorry"}}"#)));
        assert_eq!(refused.said, Some(format!("no {TOKEN}, no hunter2-kanarie, sorry")));
        assert!(refused.errors.iter().chain(&refused.debugged).all(|text| !text.contains("kanarie")));
        assert_eq!(refused.wait, Some(Duration::from_secs(7)));
        for operation in 0..8 {
            assert!(!answer(&exchange(operation, 302, "")).errors.is_empty());
        }
    }
}
