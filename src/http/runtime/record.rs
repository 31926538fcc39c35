//! Reading objects into the generated types.
//!
//! Code that serde derives would be compiled anew for each type, and takes longer to compile than all else that is generated. Here it
//! is written once, and the build writes for each type only which member goes where. As with what serde derives, members may come
//! in any order, unknown ones are passed over, one that comes twice or is missing is an error, and an optional one may be missing.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// A generated type that is read from an object.
pub(crate) trait Record<'de>: Sized {
    const NAME: &'static str;
    /// The names of the members.
    const MEMBERS: &'static [&'static str];

    fn read<A: MapAccess<'de>>(members: Members<A>) -> Result<Self, A::Error>;
}

/// Reads a record.
pub(crate) fn read<'de, T: Record<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_struct(T::NAME, T::MEMBERS, Whole(PhantomData))
}

/// The members of one object, as they come.
pub(crate) struct Members<A> {
    names: &'static [&'static str],
    object: A,
}

impl<'de, A: MapAccess<'de>> Members<A> {
    /// The place of the next member among the names, which is none of them for an unknown one. Its value must be read then, or
    /// passed over.
    pub(crate) fn next(&mut self) -> Result<Option<usize>, A::Error> {
        self.object.next_key_seed(Place(self.names))
    }

    /// Reads the value of the member at this place.
    pub(crate) fn value<T: Deserialize<'de>>(&mut self, place: usize, value: &mut Option<T>) -> Result<(), A::Error> {
        if value.is_some() {
            return Err(A::Error::duplicate_field(self.name(place)));
        }
        *value = Some(self.object.next_value()?);
        Ok(())
    }

    pub(crate) fn pass_over(&mut self) -> Result<(), A::Error> {
        self.object.next_value().map(|IgnoredAny| ())
    }

    /// The value of a member, once there are no more.
    pub(crate) fn take<T: Deserialize<'de>>(&self, place: usize, value: Option<T>) -> Result<T, A::Error> {
        value.map_or_else(|| T::deserialize(Missing(self.name(place), PhantomData)), Ok)
    }

    fn name(&self, place: usize) -> &'static str {
        self.names.get(place).copied().unwrap_or_default()
    }
}

struct Whole<T>(PhantomData<T>);

impl<'de, T: Record<'de>> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::read(Members { names: T::MEMBERS, object })
    }
}

/// Finds the place of a name among these.
struct Place(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Place {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Place {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        Ok(self.0.iter().position(|known| *known == name).unwrap_or(self.0.len()))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        Ok(self.0.iter().position(|known| known.as_bytes() == name).unwrap_or(self.0.len()))
    }
}

/// What a missing member is read from: nothing for an optional one, and an error for every other.
struct Missing<E>(&'static str, PhantomData<E>);

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Pair {
        key: String,
        note: Option<u32>,
    }

    impl<'de> Deserialize<'de> for Pair {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read(deserializer)
        }
    }

    impl<'de> Record<'de> for Pair {
        const NAME: &'static str = "Pair";
        const MEMBERS: &'static [&'static str] = &["Key", "note"];

        fn read<A: MapAccess<'de>>(mut members: Members<A>) -> Result<Self, A::Error> {
            let (mut key, mut note) = (None, None);
            while let Some(place) = members.next()? {
                match place {
                    0 => members.value(0, &mut key)?,
                    1 => members.value(1, &mut note)?,
                    _ => members.pass_over()?,
                }
            }
            Ok(Self { key: members.take(0, key)?, note: members.take(1, note)? })
        }
    }

    #[test]
    fn members_are_read_in_any_order_and_unknown_ones_are_passed_over() {
        let read = |text| serde_json::from_str::<Pair>(text).unwrap();
        let pair = |note| Pair { key: "k".to_owned(), note };
        assert_eq!(read(r#"{"note": 1, "more": {"Key": []}, "Key": "k"}"#), pair(Some(1)));
        assert_eq!(read(r#"{"Key": "k"}"#), pair(None));
        assert_eq!(read(r#"{"Key": "k", "note": null}"#), pair(None));
    }

    #[test]
    fn what_is_missing_or_comes_twice_is_named() {
        let error = |text| serde_json::from_str::<Pair>(text).unwrap_err().to_string();
        assert_eq!(error("{}"), "missing field `Key` at line 1 column 2");
        assert!(error(r#"{"Key": "k", "note": 1, "note": 1}"#).starts_with("duplicate field `note`"));
        assert!(error(r#"["k", 1]"#).starts_with("invalid type: sequence, expected struct Pair"));
    }
}
