//! The provider of figment.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::tree::{Node, Scalar, Table};
use super::{ORIGIN, ReadNow, SecretsProvider};

impl Provider for SecretsProvider<ReadNow> {
    fn metadata(&self) -> Metadata {
        Metadata::named(ORIGIN)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let table = self.table().map_err(|error| Error::from(error.to_string()))?;
        let profile = self.layout.profile.as_deref().map_or(Profile::Default, Profile::new);
        Ok(profile.collect(dict(table)))
    }
}

fn dict(table: Table) -> Dict {
    table.0.into_iter().map(|(key, node)| (key, value(node))).collect()
}

fn value(node: Node) -> Value {
    match node {
        Node::Table(table) => Value::from(dict(table)),
        Node::Leaf(_, Scalar::Text(text)) => Value::from(text.expose()),
        Node::Leaf(_, Scalar::Bool(truth)) => Value::from(truth),
        Node::Leaf(_, Scalar::Integer(number)) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => Value::from(number),
            (_, Ok(number)) => Value::from(number),
            _ => Value::from(number),
        },
        #[cfg(feature = "typed")]
        Node::Leaf(_, Scalar::Typed(tree)) => typed(&tree.0),
    }
}

#[cfg(feature = "typed")]
fn typed(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;

    match value {
        Json::Null => Value::from(figment::value::Empty::None),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (_, Some(number)) => Value::from(number),
            _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(typed).collect::<Vec<_>>()),
        Json::Object(map) => Value::from(map.iter().map(|(key, value)| (key.clone(), typed(value))).collect::<Dict>()),
    }
}
