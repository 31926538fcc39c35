//! The normal form of a Rust type's schema: durations as texts, integers with their bounds.

use std::time::Duration;

use serde_json::{Map, Value};

/// The format of a duration written as text, `1h 30m`.
pub(super) const DURATION: &str = "duration-text";

/// Describes durations as the texts that they are written as, and gives integers the bounds of their Rust types.
pub(super) fn normalize(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(normalize),
        Value::Object(keywords) => {
            if is_duration(keywords) {
                keywords.retain(|keyword, _| keyword != "properties" && keyword != "required");
                keywords.insert("type".to_owned(), "string".into());
                keywords.insert("format".to_owned(), DURATION.into());
            }
            if let Some(default) = keywords.get_mut("default") {
                write_durations(default);
            }
            bound(keywords);
            keywords.values_mut().for_each(normalize);
        }
        _ => {}
    }
}

/// The duration that a text says, or `None`. A bare number says none: nobody can tell seconds from milliseconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut parts = parts(text.trim()).peekable();
    parts.peek()?;
    // the parser panics where the sum of the parts is more than a duration holds, so it reads them one by one
    parts.try_fold(Duration::ZERO, |sum, part| {
        // a lone zero has no unit and is plain all the same to the parser
        let has_unit = part.contains(char::is_alphabetic);
        has_unit.then_some(part).and_then(|part| sum.checked_add(humantime::parse_duration(part).ok()?))
    })
}

/// `1h 30m` as `1h ` and `30m`: a part ends where a digit follows a unit.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut has_unit = false;
        let starts_part = |character: char| {
            has_unit |= character.is_alphabetic();
            has_unit && character.is_ascii_digit()
        };
        let end = rest.find(starts_part).unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end)?;
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// The part of a duration that holds the text it was written as. No field has this name.
pub(super) const TEXT: &str = "\0text";

/// The form that serde knows durations in, with the text for types that read durations in their own way.
pub(super) fn spelled_out_with_text(text: &str, duration: Duration) -> Value {
    let mut value = spelled_out(text, duration);
    if let Value::Object(parts) = &mut value {
        parts.insert(TEXT.to_owned(), text.into());
    }
    value
}

/// The form that serde knows durations in.
pub(super) fn spelled_out(_: &str, duration: Duration) -> Value {
    let mut parts = Map::new();
    parts.insert("secs".to_owned(), duration.as_secs().into());
    parts.insert("nanos".to_owned(), duration.subsec_nanos().into());
    Value::Object(parts)
}

/// Whether a schema is the one of `std::time::Duration`. A type of your own that looks exactly the same is then written as
/// a text too, and comes out the same.
fn is_duration(keywords: &Map<String, Value>) -> bool {
    let part =
        |name: &str| keywords.get("properties").and_then(|properties| properties.get(name)?.get("format")?.as_str());
    let count = |keyword: &str| match keywords.get(keyword) {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(items)) => items.len(),
        _ => 0,
    };
    keywords.get("type").is_some_and(|kind| kind == "object")
        && (count("properties"), count("required")) == (2, 2)
        && (part("secs"), part("nanos")) == (Some("uint64"), Some("uint32"))
}

/// Puts the durations of a default as they would be written.
fn write_durations(value: &mut Value) {
    if let Some(text) = duration_of(value) {
        *value = text.into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_durations),
        Value::Object(map) => map.values_mut().for_each(write_durations),
        _ => {}
    }
}

fn duration_of(value: &Value) -> Option<String> {
    let parts = value.as_object().filter(|parts| parts.len() == 2)?;
    let nanos = u32::try_from(parts.get("nanos")?.as_u64()?).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(humantime::format_duration(Duration::new(parts.get("secs")?.as_u64()?, nanos)).to_string())
}

/// The bounds that a schema does not state because they go without saying in Rust.
fn bound(keywords: &mut Map<String, Value>) {
    let (least, most): (Value, Value) = match keywords.get("format").and_then(Value::as_str) {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64") => (i64::MIN.into(), i64::MAX.into()),
        Some("int") => (isize::MIN.into(), isize::MAX.into()),
        Some("uint32") => (0.into(), u32::MAX.into()),
        Some("uint64") => (0.into(), u64::MAX.into()),
        Some("uint") => (0.into(), usize::MAX.into()),
        // what does not fit would become infinite
        Some("float") => (f32::MIN.into(), f32::MAX.into()),
        _ => return,
    };
    let is_number = |kind: &Value| kind == "integer" || kind == "number" || kind.is_array();
    if keywords.get("type").is_some_and(is_number) {
        keywords.entry("minimum").or_insert(least);
        keywords.entry("maximum").or_insert(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_described_and_read_as_a_text() {
        let mut schema = schemars::schema_for!(Option<Duration>).to_value();
        normalize(&mut schema);
        assert_eq!(schema.pointer("/$defs/Duration/type"), Some(&"string".into()));
        assert_eq!(schema.pointer("/$defs/Duration/properties"), None);
        assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration(" 500ms\n"), Some(Duration::from_millis(500)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn a_duration_without_a_unit_is_none() {
        for text in ["30", "0", "", " ", "-5s", "1.5", "soon", "PT30S", "1s 0", "0 1s 0", "s", "1s s"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_duration_of_parts_is_their_sum_and_one_that_is_too_long_is_none() {
        let most = format!("{}s", u64::MAX);
        assert_eq!(duration(&most), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(duration(&format!("{most} 999ms")), Some(Duration::new(u64::MAX, 999_000_000)));
        assert_eq!(duration("1h2m3s4ms5us6ns"), Some(Duration::new(3723, 4_005_006)));
        assert_eq!(duration("1.5h 1 0 s"), Some(Duration::from_secs(5410)));
        let nanoseconds = Duration::from_nanos(u64::MAX) + Duration::from_nanos(3);
        assert_eq!(duration(&format!("3ns {}ns", u64::MAX)), Some(nanoseconds));
        for more in ["1000ms", "1s", "1000000000ns", "999ms 1ms", "1y", "0.5m 30s"] {
            for text in [format!("{most} {more}"), format!("{most}{more}"), format!("{more} {most}")] {
                assert_eq!(duration(&text), None, "{text}");
            }
        }
    }

    #[test]
    fn integers_have_the_bounds_of_their_types() {
        for (mut schema, most) in [
            (schemars::schema_for!(u32).to_value(), u64::from(u32::MAX)),
            (schemars::schema_for!(Option<u64>).to_value(), u64::MAX),
            (schemars::schema_for!(i32).to_value(), 2_147_483_647),
        ] {
            normalize(&mut schema);
            assert_eq!(schema.get("maximum").and_then(Value::as_u64), Some(most));
        }
    }
}
