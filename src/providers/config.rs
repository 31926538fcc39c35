//! The sources of config-rs.

use std::future::Future;
use std::pin::Pin;

use config::{AsyncSource, ConfigError, Map, Source, Value, ValueKind};

use super::tree::{Node, Scalar, Table};
use super::{ORIGIN, ReadLater, ReadNow, SecretsProvider};
use crate::core::{ErrorKind, Hint, XtraError};

impl Source for SecretsProvider<ReadNow> {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        self.table().and_then(values).map_err(passed_on)
    }
}

impl AsyncSource for SecretsProvider<ReadLater> {
    // what the macro that the trait was written with makes of `async fn collect(&self)`
    fn collect<'s, 'f>(&'s self) -> Pin<Box<dyn Future<Output = Result<Map<String, Value>, ConfigError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move { self.table_later().await.and_then(values).map_err(passed_on) })
    }
}

fn passed_on(error: XtraError) -> ConfigError {
    ConfigError::Foreign(Box::new(error))
}

fn values(table: Table) -> Result<Map<String, Value>, XtraError> {
    // at the top, config-rs takes `a[9]` for the tenth of a list
    if let Some((key, node)) = table.0.iter().find(|(key, _)| key.contains('[')) {
        let name = match node {
            Node::Leaf(name, _) => name,
            Node::Table(_) => key,
        };
        let message = format!("config-rs would take the brackets in {name:?} for an index");
        return Err(XtraError::new(ErrorKind::Invalid, message)
            .with_names([name])
            .with_hint(Hint::advice("Rename the secret, or leave it out by its prefix")));
    }
    Ok(map(table))
}

fn map(table: Table) -> Map<String, Value> {
    table.0.into_iter().map(|(key, node)| (key, value(node))).collect()
}

fn value(node: Node) -> Value {
    let kind = match node {
        Node::Table(table) => ValueKind::Table(map(table)),
        Node::Leaf(_, Scalar::Text(text)) => ValueKind::from(text.expose()),
        Node::Leaf(_, Scalar::Bool(truth)) => ValueKind::from(truth),
        Node::Leaf(_, Scalar::Integer(number)) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => ValueKind::from(number),
            (_, Ok(number)) => ValueKind::from(number),
            _ => ValueKind::from(number),
        },
        #[cfg(feature = "typed")]
        Node::Leaf(_, Scalar::Typed(tree)) => typed(&tree.0),
    };
    of_ours(kind)
}

fn of_ours(kind: ValueKind) -> Value {
    Value::new(Some(&ORIGIN.to_owned()), kind)
}

#[cfg(feature = "typed")]
fn typed(value: &serde_json::Value) -> ValueKind {
    use serde_json::Value as Json;

    match value {
        Json::Null => ValueKind::Nil,
        Json::Bool(truth) => ValueKind::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => ValueKind::from(number),
            (_, Some(number)) => ValueKind::from(number),
            _ => ValueKind::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => ValueKind::from(text.as_str()),
        Json::Array(items) => ValueKind::Array(items.iter().map(|item| of_ours(typed(item))).collect()),
        Json::Object(map) => {
            ValueKind::Table(map.iter().map(|(key, value)| (key.clone(), of_ours(typed(value)))).collect())
        }
    }
}
