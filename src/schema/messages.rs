//! Messages about problems: what a schema asks for, never what a value is.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::normalize::DURATION;
use super::schema_view::SchemaView;

/// How many alternatives are listed before the rest is only counted.
const LISTED: usize = 20;

/// What a text that does not fit a view is not.
pub(super) fn expectation(view: &SchemaView<'_>) -> String {
    if let Some(choices) = view.choices() {
        let also = if view.allows("object") { ", and no JSON object" } else { "" };
        return format!("{}{also}", none_of(&Listing::of(choices, |choice| (*choice).to_owned())));
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
    .filter(|(kind, _)| view.allows(kind) && !(*kind == "integer" && view.allows("number")))
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
        Kind::Enum { options } => none_of(&Listing::of(options.as_array().map_or(&[], Vec::as_slice), plain)),
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
        Kind::BacktrackLimitExceeded { .. } => {
            "cannot be held against a pattern of its schema, because that takes too long: the pattern looks around or refers \
             back, and the value is too long for it. Write a simpler pattern"
                .to_owned()
        }
        Kind::RegexEngineFailure { .. } => "could not be held against the pattern of its schema".to_owned(),
        Kind::Not { schema } if schema.get("const").is_some_and(|barred| *barred == 0) => "must not be 0".to_owned(),
        Kind::Not { .. } => "is what its schema does not allow".to_owned(),
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

/// Alternatives for a message: the first ones, and how many more there are. A schema may have very many.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    shown: Vec<String>,
    more: usize,
}

impl Listing {
    pub(super) fn of<T>(all: &[T], word: impl Fn(&T) -> String) -> Self {
        let shown: Vec<String> = all.iter().take(LISTED).map(word).collect();
        Self { more: all.len() - shown.len(), shown }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        let room = LISTED.saturating_sub(self.shown.len());
        self.shown.extend(other.shown.iter().take(room).cloned());
        self.more += other.more + other.shown.len().saturating_sub(room);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

pub(super) fn none_of(alternatives: &Listing) -> String {
    match (alternatives.shown.as_slice(), alternatives.more) {
        ([], _) => "is not allowed by its schema".to_owned(),
        ([only], 0) => format!("is not {only}"),
        (shown, 0) => format!("is none of {}", shown.join(", ")),
        (shown, more) => format!("is none of {} and {more} more", shown.join(", ")),
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
