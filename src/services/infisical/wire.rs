//! Answers to reads, as far as a read needs them: other members of a row are not looked at, so that none of them can spoil it.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::core::{SecretValue, Timestamp};
use crate::http::runtime::wire::WireSecret;

/// The text that takes the place of a value that is hidden.
pub(super) const HIDDEN: &str = "<hidden-by-infisical>";

/// The secrets of a folder or of a tree.
#[derive(Deserialize)]
pub(super) struct List {
    #[serde(deserialize_with = "bounded")]
    pub(super) secrets: Vec<Row>,
    /// Absent where none were asked for. An old server has an empty list here in the place of a folder that is not there.
    #[serde(default)]
    pub(super) imports: Option<Vec<Block>>,
}

/// What one folder imports from another.
#[derive(Deserialize)]
pub(super) struct Block {
    #[serde(default, deserialize_with = "bounded_or_none")]
    pub(super) secrets: Option<Vec<Row>>,
}

/// One secret.
#[derive(Deserialize)]
pub(super) struct One {
    pub(super) secret: Row,
}

/// A secret, as each answer has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    #[serde(rename = "secretKey")]
    pub(super) name: String,
    #[serde(rename = "secretValue", default)]
    value: WireSecret,
    #[serde(default)]
    secret_value_hidden: Option<bool>,
    #[serde(default, rename = "secretComment")]
    comment: WireSecret,
    #[serde(default)]
    pub(super) environment: Option<String>,
    #[serde(default)]
    pub(super) workspace: Option<String>,
    #[serde(default)]
    pub(super) secret_path: Option<String>,
    #[serde(default)]
    pub(super) version: Option<u64>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(super) secret_metadata: Option<Vec<Metadata>>,
    #[serde(default, deserialize_with = "list")]
    pub(super) tags: Option<Vec<Tag>>,
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "text")]
    updated_at: Option<String>,
}

/// What a row has beside the secret's name and place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) id: Option<String>,
    pub(super) value: Option<SecretValue>,
    pub(super) comment: Option<SecretValue>,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Vec<(String, SecretValue)>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

/// A name and value beside a secret.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: Option<String>,
}

/// A tag of a secret.
#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) slug: String,
}

impl Row {
    /// Whether it is one person's own value of a secret.
    pub(super) fn is_personal(&self) -> bool {
        self.kind.as_deref() == Some("personal")
    }

    /// The value; `None` when the server has put something else in its place.
    pub(super) fn into_value(self) -> Option<SecretValue> {
        if self.secret_value_hidden == Some(true) {
            return None;
        }
        // a value that was never given is the empty text
        let value = self.value.into_value().unwrap_or_else(|| SecretValue::new(String::new()));
        (value.expose() != HIDDEN).then_some(value)
    }

    pub(super) fn into_details(mut self) -> Details {
        let moment = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse);
        let metadata = self.secret_metadata.take().into_iter().flatten();
        let metadata = metadata.map(|entry| (entry.key, entry.value.unwrap_or_default().into()));
        Details {
            id: self.id.take(),
            comment: std::mem::take(&mut self.comment).into_value().filter(|comment| !comment.is_empty()),
            tags: self.tags.take().into_iter().flatten().map(|tag| tag.slug).collect(),
            metadata: metadata.collect(),
            created_at: moment(&self.created_at),
            updated_at: moment(&self.updated_at),
            value: self.into_value(),
        }
    }
}

/// So many rows of one list are read. Each takes more memory than the few bytes that it may be sent in.
const MOST_ROWS: usize = 250_000;

/// Reads a list of secrets, with room for so many at first.
struct Rows(usize);

/// Most folders have no more.
const USUAL_ROWS: usize = 64;

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of secrets")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Row>, A::Error> {
        let mut rows = Vec::with_capacity(self.0);
        while let Some(row) = items.next_element()? {
            if rows.len() == MOST_ROWS {
                return Err(A::Error::custom("more secrets than are read"));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

fn bounded<'de, D: Deserializer<'de>>(list: D) -> Result<Vec<Row>, D::Error> {
    list.deserialize_seq(Rows(USUAL_ROWS))
}

fn bounded_or_none<'de, D: Deserializer<'de>>(list: D) -> Result<Option<Vec<Row>>, D::Error> {
    struct Bounded(Vec<Row>);

    impl<'de> Deserialize<'de> for Bounded {
        fn deserialize<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
            // there may be many small ones
            list.deserialize_seq(Rows(0)).map(Self)
        }
    }

    Ok(Option::<Bounded>::deserialize(list)?.map(|rows| rows.0))
}

/// A text or a list of what is well formed, and nothing in the place of anything else.
enum Lenient<T> {
    Text(String),
    List(Vec<T>),
    Other,
}

fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match value.deserialize_any(LenientVisitor::<IgnoredAny>(PhantomData))? {
        Lenient::Text(text) => Some(text),
        _ => None,
    })
}

fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<T>>, D::Error> {
    Ok(match value.deserialize_any(LenientVisitor(PhantomData))? {
        Lenient::List(list) => Some(list),
        _ => None,
    })
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient<T>, E> {
        Ok(Lenient::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient<T>, A::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Item<T> {
            Known(T),
            #[allow(dead_code, reason = "it takes whatever is there")]
            Other(IgnoredAny),
        }
        let mut known = Some(Vec::new());
        while let Some(item) = items.next_element()? {
            match item {
                Item::Known(item) => {
                    if let Some(known) = &mut known {
                        known.push(item);
                    }
                }
                Item::Other(_) => known = None,
            }
        }
        Ok(known.map_or(Lenient::Other, Lenient::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Lenient<T>, A::Error> {
        IgnoredAny.visit_map(members).map(|_| Lenient::Other)
    }

    fn visit_unit<E>(self) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_hidden_value_is_none_by_its_mark_or_by_its_text() {
        let value = |json: &str| row(json).into_value().map(|value| value.expose().to_owned());
        assert_eq!(value(r#"{"secretKey":"A","secretValue":"v"}"#).as_deref(), Some("v"));
        assert_eq!(value(r#"{"secretKey":"A","secretValue":"v","secretValueHidden":true}"#), None);
        assert_eq!(value(r#"{"secretKey":"A","secretValue":"<hidden-by-infisical>"}"#), None);
        assert_eq!(value(r#"{"secretKey":"A","secretValue":""}"#).as_deref(), Some(""));
        assert_eq!(value(r#"{"secretKey":"A"}"#).as_deref(), Some(""));
    }

    #[test]
    fn a_list_of_more_rows_than_are_read_is_refused() {
        let rows = |count: usize| vec![r#"{"secretKey":""}"#; count].join(",");
        let list = |count| serde_json::from_str::<List>(&format!(r#"{{"secrets":[{}]}}"#, rows(count)));
        assert_eq!(list(MOST_ROWS).unwrap().secrets.len(), MOST_ROWS);
        assert!(list(MOST_ROWS + 1).is_err());
    }

    #[test]
    fn members_that_a_read_does_not_need_cannot_spoil_it() {
        for odd in ["null", "true", "-1", "1.5", r#""text""#, "[7]", r#"[{"slug":"a","key":"a"},7]"#, r#"{"a":[]}"#] {
            let odd = format!(r#"{{"secretKey":"A","tags":{odd},"secretMetadata":{odd},"secretValue":"v"}}"#);
            let Details { tags, metadata, value, .. } = row(&odd).into_details();
            assert_eq!((tags.len(), metadata.len(), value), (0, 0, Some("v".into())), "{odd}");
        }
        let odd = r#"{"secretKey":"A","secretValue":"v","tags":"none","metadata":[1],"actor":7,"version":null,"new":{},
            "secretMetadata":{"a":1},"id":7,"createdAt":{},"updatedAt":"soon"}"#;
        let bare = Details {
            id: None,
            value: Some("v".into()),
            comment: None,
            tags: Vec::new(),
            metadata: Vec::new(),
            created_at: None,
            updated_at: None,
        };
        assert_eq!(row(odd).into_details(), bare);
        let whole = r#"{"secretKey":"A","secretValue":"v","secretComment":"c","tags":[{"id":"1","slug":"db","color":null}],
            "id":"7","secretMetadata":[{"key":"owner","value":"ops"},{"key":"bare"}],"updatedAt":"2026-01-02T03:04:05.678Z"}"#;
        let whole = row(whole).into_details();
        assert_eq!(
            (whole.id.as_deref(), whole.comment, &whole.tags[..]),
            (Some("7"), Some("c".into()), &["db".to_owned()][..])
        );
        assert_eq!(whole.metadata, [("owner".to_owned(), "ops".into()), ("bare".to_owned(), "".into())]);
        assert_eq!(whole.updated_at, Timestamp::parse("2026-01-02T03:04:05.678Z"));
        let list: List = serde_json::from_str(r#"{"secrets":[],"imports":[{"environment":"x"}]}"#).unwrap();
        assert!(list.imports.unwrap()[0].secrets.is_none());
    }
}
