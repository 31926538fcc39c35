//! Messages about problems: what a schema asks for, never what a value is.

use serde_json::Value;

use super::normalize::DURATION;
use super::schema_view::SchemaView;
use super::validator::{Bound, Rule, Type, What};

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

/// An object has parts that its schema rules out.
pub(super) const OTHER_PARTS: &str = "holds a part that its schema does not know";
/// An object has a part whose name is not what its schema asks of names.
pub(super) const OTHER_NAME: &str = "holds a part whose name does not fit its schema";
pub(super) const NO_FORM: &str = "has none of the forms that its schema allows";
pub(super) const SEVERAL_FORMS: &str = "has several forms of which its schema allows one";
pub(super) const FAILED_PATTERN: &str = "could not be held against the pattern of its schema";
/// A pattern went back as often as it may.
pub(super) const UNDECIDED: &str = "cannot be held against a pattern of its schema, because that takes too long: the pattern \
                                    looks around or refers back, and the value is too long for it. Write a simpler pattern";

/// A broken rule, in words that show the schema's side of it only.
pub(super) fn broken(rule: &Rule) -> What {
    What::Problem(match rule {
        Rule::Types(all) => return What::Type(format!("is not {}", types(all))),
        Rule::Enum(choices) => {
            return What::Choice { choices: Listing::of(choices.listed(), plain), is_constant: false };
        }
        Rule::Constant(value) => {
            return What::Choice { choices: Listing::of(std::slice::from_ref(value), plain), is_constant: true };
        }
        Rule::Bound(Bound::Minimum, limit) => format!("is less than {limit}"),
        Rule::Bound(Bound::Maximum, limit) => format!("is more than {limit}"),
        Rule::Bound(Bound::ExclusiveMinimum, limit) => format!("is not more than {limit}"),
        Rule::Bound(Bound::ExclusiveMaximum, limit) => format!("is not less than {limit}"),
        Rule::MultipleOf(of) => format!("is not a multiple of {of}"),
        Rule::MinLength(limit) => format!("is shorter than {}", count(*limit, "character")),
        Rule::MaxLength(limit) => format!("is longer than {}", count(*limit, "character")),
        Rule::Pattern(pattern) => format!("does not match the pattern {}", pattern.source()),
        Rule::Format(format) => self::format(format.name()),
        Rule::MinItems(limit) => format!("has fewer than {}", count(*limit, "item")),
        Rule::MaxItems(limit) => more_items_than(*limit),
        Rule::UniqueItems => "holds an item twice".to_owned(),
        Rule::MinProperties(limit) => format!("has fewer than {limit} parts"),
        Rule::MaxProperties(limit) => format!("has more than {limit} parts"),
        Rule::Not(_, is_zero) if *is_zero => "must not be 0".to_owned(),
        Rule::Not(..) => "is what its schema does not allow".to_owned(),
        _ => "is not allowed by its schema".to_owned(),
    })
}

pub(super) fn more_items_than(limit: u64) -> String {
    format!("has more than {}", count(limit, "item"))
}

/// A broken rule of a keyword that has no words of its own.
pub(super) fn does_not_fit(keyword: &str) -> String {
    format!("does not fit `{keyword}` of its schema")
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

/// What a value is not that may be one thing only.
pub(super) fn is_not(constant: &Listing) -> String {
    format!("is not {}", constant.shown.join(", "))
}

/// A value of the schema, texts without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

fn types(all: &[Type]) -> String {
    let with_article = |kind: &Type| match kind {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Integer | Type::PlainInteger => "an integer",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Array => "an array",
        Type::Object => "an object",
    };
    all.iter().map(with_article).collect::<Vec<_>>().join(" or ")
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
