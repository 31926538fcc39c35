//! Hand-written types of secr's wire.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// The templates of a project: a list, or an object that has it as `templates`. Which of the two is sent is not documented.
#[derive(Debug, Clone, Default)]
pub struct TemplateList(pub(crate) Vec<TemplateItem>);

/// One template.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateItem {
    pub(crate) id: Option<String>,
    pub(crate) key: String,
    pub(crate) description: Option<String>,
    pub(crate) required: bool,
    pub(crate) created_at: Option<String>,
}

impl Serialize for TemplateList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TemplateList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either).map(Self)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Vec<TemplateItem>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of templates, or an object with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if name == "templates" {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| serde::de::Error::missing_field("templates"))
    }
}

#[cfg(test)]
mod tests {
    use super::TemplateList;

    #[test]
    fn templates_are_read_from_a_list_and_from_an_object_and_from_nothing_else() {
        let item = r#"{"id":"1","key":"DB_URL","description":null,"required":true,"createdAt":"2026-01-02T03:04:05Z"}"#;
        for text in [format!("[{item}]"), format!(r#"{{"next":null,"templates":[{item}]}}"#)] {
            let TemplateList(items) = serde_json::from_str(&text).unwrap();
            assert_eq!((items.len(), items[0].key.as_str(), items[0].required), (1, "DB_URL", true));
        }
        for text in ["{}", "null", r#""x""#, r#"{"templates":{}}"#, r#"[{"key":"A"}]"#, r#"[{"required":true}]"#] {
            assert!(serde_json::from_str::<TemplateList>(text).is_err(), "{text}");
        }
    }
}
