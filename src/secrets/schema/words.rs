//! Problems in words: what a schema asks for, never what a value is.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::normal::DURATION;
use super::shape::Shape;

/// How many alternatives are listed before the rest is only counted.
const LISTED: usize = 20;

/// What a text that does not fit a shape is not.
pub(super) fn expectation(shape: &Shape<'_>) -> String {
    if let Some(choices) = shape.choices() {
        let also = if shape.allows("object") { ", and no JSON object" } else { "" };
        return format!("{}{also}", none_of(choices.iter().map(|choice| (*choice).to_owned())));
    }
    let forms: Vec<&str> = [
        ("integer", "an integer"),
        ("number", "a number"),
        ("boolean", "true or false (or 1, 0, yes, no, on, off)"),
        ("object", "a JSON object"),
        ("array", "a list (JSON, or with commas between simple items)"),
        ("null", "empty"),
    ]
    .into_iter()
    .filter(|(kind, _)| shape.allows(kind) && !(*kind == "integer" && shape.allows("number")))
    .map(|(_, form)| form)
    .collect();
    // an empty text is an odd way to say that a setting may be absent
    let forms = forms.strip_suffix(&["empty"]).filter(|forms| !forms.is_empty()).unwrap_or(&forms);
    match forms {
        [] => "does not fit its schema".to_owned(),
        [form] => format!("is not {form}"),
        forms => format!("is neither {}", forms.join(" nor ")),
    }
}

/// A problem that the validator found, in words that show the schema's side of it only.
pub(super) fn of(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind } => format!("is not {}", types(kind)),
        Kind::Enum { options } => none_of(options.as_array().into_iter().flatten().map(plain)),
        Kind::Constant { expected_value } => format!("is not {}", plain(expected_value)),
        Kind::Minimum { limit } => format!("is less than {limit}"),
        Kind::Maximum { limit } => format!("is more than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("is not more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("is not less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("is not a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("is shorter than {}", count(*limit, "character")),
        Kind::MaxLength { limit } => format!("is longer than {}", count(*limit, "character")),
        Kind::Pattern { pattern } => format!("does not match the pattern {pattern}"),
        Kind::Format { format } => self::format(format),
        Kind::MinItems { limit } => format!("has fewer than {}", count(*limit, "item")),
        Kind::MaxItems { limit } => format!("has more than {}", count(*limit, "item")),
        Kind::AdditionalItems { limit } => format!("has more than {}", count(*limit as u64, "item")),
        Kind::UniqueItems => "holds an item twice".to_owned(),
        Kind::MinProperties { limit } => format!("has fewer than {} parts", limit),
        Kind::MaxProperties { limit } => format!("has more than {} parts", limit),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "holds a part that its schema does not know".to_owned()
        }
        Kind::PropertyNames { .. } => "holds a part whose name does not fit its schema".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "has none of the forms that its schema allows".to_owned(),
        Kind::OneOfMultipleValid { .. } => "has several forms of which its schema allows one".to_owned(),
        Kind::FalseSchema => "is not allowed by its schema".to_owned(),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "could not be held against the pattern of its schema".to_owned()
        }
        other => format!("does not fit `{}` of its schema", other.keyword()),
    }
}

/// What a text of some format is not.
pub(super) fn format(format: &str) -> String {
    match format {
        DURATION => "is not a duration with a unit, such as 500ms, 30s, 5m or 1h 30m".to_owned(),
        "uri" => "is not an absolute URL or URI".to_owned(),
        "email" => "is not an email address".to_owned(),
        "uuid" => "is not a UUID".to_owned(),
        "ip" => "is not an IP address".to_owned(),
        "ipv4" => "is not an IPv4 address".to_owned(),
        "ipv6" => "is not an IPv6 address".to_owned(),
        "hostname" => "is not a host name".to_owned(),
        "date-time" => "is not a date and time such as 2026-01-31T12:00:00Z".to_owned(),
        "date" => "is not a date such as 2026-01-31".to_owned(),
        other => format!("does not have the format {other}"),
    }
}

pub(super) fn none_of(alternatives: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = alternatives.collect();
    match all.as_slice() {
        [] => "is not allowed by its schema".to_owned(),
        [only] => format!("is not {only}"),
        all => {
            let mut list = all.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
            if all.len() > LISTED {
                list.push_str(&format!(" and {} more", all.len() - LISTED));
            }
            format!("is none of {list}")
        }
    }
}

/// A value of the schema, texts without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

fn types(kind: &TypeKind) -> String {
    let names: Vec<&str> = match kind {
        TypeKind::Single(only) => vec![only.as_str()],
        TypeKind::Multiple(all) => all.iter().map(|one| one.as_str()).collect(),
    };
    let with_article = |name: &&str| match *name {
        "integer" | "array" | "object" => format!("an {name}"),
        "null" => "null".to_owned(),
        name => format!("a {name}"),
    };
    names.iter().map(with_article).collect::<Vec<_>>().join(" or ")
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A description as one line of a message: its first paragraph, without a full stop, and not long.
pub(super) fn summary(description: &str) -> Option<String> {
    const LENGTH: usize = 120;
    let paragraph = description.trim().split("\n\n").next().unwrap_or_default();
    let clean: String = paragraph.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_suffix('.').unwrap_or(&line);
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => Some(format!("{}…", line.get(..end).unwrap_or_default().trim_end())),
        None if line.is_empty() => None,
        None => Some(line.to_owned()),
    }
}
