//! Values under nested keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};

/// Nesting takes a piece of the stack for each level.
const DEEPEST: usize = 32;

/// Keys and what is under them.
#[derive(Default)]
pub(super) struct Table(pub(super) BTreeMap<String, Node>);

pub(super) enum Node {
    /// With the name of its secret.
    Leaf(String, Scalar),
    Table(Table),
}

pub(super) enum Scalar {
    Text(SecretValue),
    Bool(bool),
    /// Of at most 64 bits, signed or unsigned.
    Integer(i128),
    /// Whatever a schema made of it.
    #[cfg(feature = "typed")]
    Typed(crate::schema::Tree),
}

impl Table {
    /// Puts the value of the secret `name` under a nested key.
    pub(super) fn insert(&mut self, name: &str, segments: &[&str], scalar: Scalar) -> Result<(), XtraError> {
        let Some((last, tables)) = segments.split_last() else { return Ok(()) };
        if tables.len() >= DEEPEST {
            let message = format!("the secret {name:?} would be nested more than {DEEPEST} keys deep");
            return Err(XtraError::new(ErrorKind::Invalid, message).with_names([name]));
        }
        let mut table = self;
        for segment in tables {
            let node = table.0.entry((*segment).to_owned()).or_insert_with(|| Node::Table(Self::default()));
            table = match node {
                Node::Table(inner) => inner,
                Node::Leaf(other, _) => return Err(above(other, name)),
            };
        }
        match table.0.entry((*last).to_owned()) {
            Entry::Vacant(place) => {
                place.insert(Node::Leaf(name.to_owned(), scalar));
                Ok(())
            }
            Entry::Occupied(place) => Err(match place.get() {
                Node::Leaf(other, _) => same(other, name, segments),
                Node::Table(inner) => above(name, inner.any_name()),
            }),
        }
    }

    /// The name of some secret below.
    fn any_name(&self) -> &str {
        match self.0.values().next() {
            Some(Node::Leaf(name, _)) => name,
            Some(Node::Table(inner)) => inner.any_name(),
            None => "",
        }
    }
}

fn same(one: &str, other: &str, segments: &[&str]) -> XtraError {
    let key = segments.join(".");
    invalid(format!("the secrets {one:?} and {other:?} both want to be {key:?} in the configuration"), [one, other])
        .with_hint(Hint::advice("Rename or remove one of them"))
}

fn above(value: &str, below: &str) -> XtraError {
    invalid(
        format!("the secret {value:?} is a value, and {below:?} wants to be below it in the configuration"),
        [value, below],
    )
    .with_hint(Hint::advice("Rename or remove one of them, or choose another separator(..)"))
}

fn invalid(message: String, names: [&str; 2]) -> XtraError {
    XtraError::new(ErrorKind::Invalid, message).with_names(names)
}
