//! Parameters in a query: one pair a value, none when there is no value, one pair each for a list.

use std::fmt::Display;

use serde::ser::{Error as _, Impossible, Serialize, SerializeSeq, SerializeTuple, Serializer};

/// A query parameter, in the form that the URL encoder takes.
pub(crate) struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    /// The parameter `name` with a value, an `Option` of one or a list.
    pub(crate) fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> Serialize for QueryParam<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = serializer.serialize_seq(None)?;
        self.value.serialize(Pairs { name: self.name, pairs: &mut pairs })?;
        pairs.end()
    }
}

/// Writes whatever scalar it is given as a pair.
struct Pairs<'a, Q> {
    name: &'a str,
    pairs: &'a mut Q,
}

impl<Q: SerializeSeq> Pairs<'_, Q> {
    fn pair(self, text: &str) -> Result<(), Q::Error> {
        self.pairs.serialize_element(&(self.name, text))
    }

    fn shown(self, value: impl Display) -> Result<(), Q::Error> {
        self.pair(&value.to_string())
    }

    fn refuse<T>(self) -> Result<T, Q::Error> {
        Err(Q::Error::custom("a query parameter must be a simple value or a list of them"))
    }
}

macro_rules! shown {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), Q::Error> {
            self.shown(value)
        })*
    };
}

impl<'a, Q: SerializeSeq> Serializer for Pairs<'a, Q> {
    type Ok = ();
    type Error = Q::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), Q::Error>;
    type SerializeTupleVariant = Impossible<(), Q::Error>;
    type SerializeMap = Impossible<(), Q::Error>;
    type SerializeStruct = Impossible<(), Q::Error>;
    type SerializeStructVariant = Impossible<(), Q::Error>;

    shown! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_str(self, text: &str) -> Result<(), Q::Error> {
        self.pair(text)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Q::Error> {
        self.refuse()
    }

    fn serialize_none(self) -> Result<(), Q::Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Q::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Q::Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Q::Error> {
        self.refuse()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Q::Error> {
        self.pair(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Q::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Q::Error> {
        self.refuse()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Q::Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Q::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Q::Error> {
        self.refuse()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Q::Error> {
        self.refuse()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Q::Error> {
        self.refuse()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Q::Error> {
        self.refuse()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Q::Error> {
        self.refuse()
    }
}

impl<Q: SerializeSeq> SerializeSeq for Pairs<'_, Q> {
    type Ok = ();
    type Error = Q::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Q::Error> {
        value.serialize(Pairs { name: self.name, pairs: &mut *self.pairs })
    }

    fn end(self) -> Result<(), Q::Error> {
        Ok(())
    }
}

impl<Q: SerializeSeq> SerializeTuple for Pairs<'_, Q> {
    type Ok = ();
    type Error = Q::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Q::Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Q::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URL that the HTTP client makes of a parameter.
    fn query<T: Serialize>(value: T) -> Result<String, reqwest::Error> {
        let url = reqwest::Url::parse("http://127.0.0.1/api").unwrap();
        let builder =
            reqwest::RequestBuilder::from_parts(bare_client(), reqwest::Request::new(reqwest::Method::GET, url));
        let request = builder.query(&QueryParam::new("q", &value)).build()?;
        Ok(request.url().query().unwrap_or_default().to_owned())
    }

    fn bare_client() -> reqwest::Client {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
    }

    #[test]
    fn values_are_encoded_once() {
        assert_eq!(query("a b&c=ü%").unwrap(), "q=a+b%26c%3D%C3%BC%25");
        assert_eq!(query(-5_i64).unwrap(), "q=-5");
        assert_eq!(query(true).unwrap(), "q=true");
        assert_eq!(query(Some("")).unwrap(), "q=");
    }

    #[test]
    fn an_absent_value_sends_nothing() {
        assert_eq!(query(None::<String>).unwrap(), "");
        assert_eq!(query(Vec::<String>::new()).unwrap(), "");
    }

    #[test]
    fn a_list_repeats_the_name() {
        assert_eq!(query(["a", "b c"]).unwrap(), "q=a&q=b+c");
        assert_eq!(query(vec![Some(1), None, Some(3)]).unwrap(), "q=1&q=3");
    }

    #[test]
    fn an_object_is_refused() {
        assert!(query(std::collections::BTreeMap::from([("a", "b")])).is_err());
    }
}
