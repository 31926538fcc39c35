//! Tests of the wire types: every form that the service sends is read, and none is shown.

use serde::de::value::{Error as ValueError, StringDeserializer};
use serde::{Deserialize, Serialize};

use super::*;

/// `Debug`, pretty `Debug` and JSON of a value must hold no part of this.
const CANARY: &str = "canary-plaintext";

fn hides<T: std::fmt::Debug + Serialize>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    for shown in [format!("{value:?}"), format!("{value:#?}"), json] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

fn read<T: for<'de> Deserialize<'de>>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn secrets_in_answers_are_neither_printed_nor_written() {
    let text = format!("\"{CANARY}\"");
    hides(&read::<WireSecret>(&text));
    hides(&read::<SecretEntry>(&text));
    hides(&read::<StoredValue>(&text));
    hides(&read::<StoredValue>(&format!("[{text},{text}]")));
    hides(&read::<SecretEntry>(&format!(r#"{{"value":{text},"version":"3","isReference":false,"source":"direct"}}"#)));
}

#[test]
fn a_secret_in_a_request_is_sent_but_not_printed() {
    let input = SecretInput::from(CANARY);
    assert_eq!(format!("{input:?} {input:#?}"), "[REDACTED] [REDACTED]");
    assert_eq!(serde_json::to_string(&input).unwrap(), format!("\"{CANARY}\""));
}

#[test]
fn an_entry_is_read_from_either_form() {
    let bare: SecretEntry = read("\"pläin\\n\"");
    assert_eq!(bare.expose(), Some("pläin\n"));
    assert_eq!(bare.version, None);
    let full: SecretEntry =
        read(r#"{"source":"inherited","new":{"x":[1]},"isReference":true,"value":"v","version":"7"}"#);
    assert_eq!(full.expose(), Some("v"));
    assert_eq!(
        (full.version.as_deref(), full.is_reference, full.source.as_deref()),
        (Some("7"), Some(true), Some("inherited"))
    );
}

#[test]
fn nulls_read_as_nothing() {
    assert_eq!(read::<WireSecret>("null").expose(), None);
    assert_eq!(read::<SecretEntry>("null").into_value(), None);
    assert_eq!(read::<StoredValue>("null"), StoredValue::Absent);
    let entry: SecretEntry = read(r#"{"value":null,"version":null,"isReference":null,"source":null}"#);
    assert_eq!(entry, SecretEntry::default());
    assert_eq!(read::<SecretEntry>("{}"), SecretEntry::default());
}

#[test]
fn a_version_may_be_a_number() {
    assert_eq!(read::<SecretEntry>(r#"{"value":"v","version":12}"#).version.as_deref(), Some("12"));
}

#[test]
fn the_empty_text_is_a_value() {
    assert_eq!(read::<SecretEntry>("\"\"").expose(), Some(""));
    assert_eq!(read::<WireSecret>("\"\"").expose(), Some(""));
}

#[test]
fn text_that_is_owned_already_is_taken_over_without_a_copy() {
    let text = CANARY.to_owned();
    let address = text.as_ptr();
    let entry = SecretEntry::deserialize(StringDeserializer::<ValueError>::new(text)).unwrap();
    assert_eq!(entry.into_value().unwrap().expose().as_ptr(), address);
}

#[test]
fn stored_lists_keep_their_order() {
    let stored: StoredValue = read(r#"["a","b"]"#);
    assert_eq!(stored.iter().map(crate::SecretValue::expose).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(serde_json::to_string(&stored).unwrap(), r#"["[REDACTED]","[REDACTED]"]"#);
}

#[test]
fn a_secret_of_another_type_is_an_error_and_not_a_guess() {
    for wrong in ["1", "true", "{}", "[\"a\"]"] {
        assert!(serde_json::from_str::<WireSecret>(wrong).is_err(), "{wrong}");
    }
    for wrong in ["1", "true", "[\"a\"]", r#"{"value":1}"#] {
        assert!(serde_json::from_str::<SecretEntry>(wrong).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<SecretInput>("null").is_err());
}

#[test]
fn free_form_data_is_written_but_not_printed() {
    let data: FreeForm = read(&format!(r#"{{"{CANARY}":"{CANARY}"}}"#));
    assert_eq!(format!("{data:?}"), "FreeForm(object)");
    assert!(serde_json::to_string(&data).unwrap().contains(CANARY));
    for (json, kind) in [("null", "null"), ("1", "number"), ("\"a\"", "text"), ("[]", "list"), ("true", "boolean")] {
        assert_eq!(format!("{:?}", read::<FreeForm>(json)), format!("FreeForm({kind})"));
    }
}

fn pairs(body: &str) -> serde_json::Result<ReadPairs> {
    ReadPairs::decode(&mut body.as_bytes().to_vec())
}

fn texts(pairs: &ReadPairs) -> Vec<(&str, &str)> {
    pairs.values.iter().map(|(name, value)| (name, value.expose())).collect()
}

#[test]
fn a_read_has_what_a_map_of_entries_has() {
    for body in [
        r#"{}"#,
        r#" {"B":"2","A":"1"} "#,
        r#"{"A":"line\nbreak","caf\u00e9":"\ud83d\ude00","ü":"ö","":""}"#,
        r#"{"A":{"value":"1","version":"3","new":[{}]},"B":"2","C":{"value":"a\tb"},"D":{}}"#,
        r#"{"A":"1","B":"2","A":"3","B":null,"C":null,"C":"4","A":"5"}"#,
        r#"{"A":null,"B":{"value":null}}"#,
        r#"{"A":"1","A":{"value":"2"},"A":"3"}"#,
    ] {
        let map: std::collections::BTreeMap<String, SecretEntry> = read(body);
        let read = pairs(body).unwrap();
        let expected: Vec<_> = map.iter().filter_map(|(name, entry)| Some((name.as_str(), entry.expose()?))).collect();
        assert_eq!(texts(&read), expected, "{body}");
        let mut names: Vec<_> = read.names().collect();
        names.sort_unstable();
        assert_eq!(names, map.keys().collect::<Vec<_>>(), "{body}");
    }
}

#[test]
fn a_body_that_is_no_read_is_an_error_and_left_as_it_was() {
    for body in
        ["", "null", "[]", r#"{"A":1}"#, r#"{"A":"1""#, r#"{"A":"1"}x"#, r#"{"A":"\ud800"}"#, r#"{"A":{"value":1}}"#]
    {
        let mut bytes = body.as_bytes().to_vec();
        let error = ReadPairs::decode(&mut bytes).unwrap_err();
        let expected =
            serde_json::from_str::<std::collections::BTreeMap<String, SecretEntry>>(body).map(|_| ()).unwrap_err();
        assert_eq!(
            (error.classify(), error.line(), error.column()),
            (expected.classify(), expected.line(), expected.column())
        );
        assert_eq!(bytes, body.as_bytes());
    }
    let mut no_text = b"{\"A\":\"\xff\"}".to_vec();
    assert!(ReadPairs::decode(&mut no_text).unwrap_err().is_syntax());
    assert_eq!(no_text, b"{\"A\":\"\xff\"}");
    // in a part that is passed over it does not matter
    let read = ReadPairs::decode(&mut b"{\"A\":{\"value\":\"1\",\"x\":\"\xff\"}}".to_vec()).unwrap();
    assert_eq!(texts(&read), [("A", "1")]);
}

#[test]
fn a_read_keeps_the_bytes_of_the_answer_and_copies_none() {
    let body = br#"{"API_KEY":"0123456789abcdef0123456789abcdef"}"#.to_vec();
    let (start, end) = (body.as_ptr().addr(), body.as_ptr().addr() + body.len());
    let read = ReadPairs::decode(&mut { body }).unwrap();
    for (name, value) in read.values.iter() {
        assert!((start..end).contains(&name.as_ptr().addr()) && (start..end).contains(&value.expose().as_ptr().addr()));
    }
}

#[test]
fn names_and_texts_of_a_read_print_no_text() {
    let read = pairs(&format!(r#"{{"A":"{CANARY}","B":null}}"#)).unwrap();
    assert!(!format!("{read:?} {read:#?}").contains(CANARY));
}
