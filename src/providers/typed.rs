//! Keys and types from a schema, in place of names and texts.

use serde_json::Value;

use super::tree::{Node, Scalar, Table};
use crate::core::{SecretValue, Secrets, XtraError};
use crate::schema::{Schema, Tree};

/// The settings of the schema that the secrets feed, under the schema's own keys.
pub(super) fn table<'s>(
    schema: &Schema,
    secrets: impl Iterator<Item = (&'s str, &'s SecretValue)>,
) -> Result<Table, XtraError> {
    let secrets: Secrets = secrets.map(|(name, value)| (name, value.clone())).collect();
    let mut tree = secrets.layer(schema)?;
    let mut table = Table::default();
    if let Value::Object(map) = &mut tree.0 {
        for (key, value) in std::mem::take(map) {
            table.0.insert(key.clone(), Node::Leaf(key, Scalar::Typed(Tree(value))));
        }
    }
    Ok(table)
}
