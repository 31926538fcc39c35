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
    }
}
