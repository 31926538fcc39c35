//! Tests of deserializing: what is refused is told with its place and without its value.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
}

#[derive(Debug, Deserialize, PartialEq)]
enum Data {
    Unit,
    New(u8),
    Tuple(u8, String),
    Struct { x: u8 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind")]
enum Tagged {
    A { x: u8 },
    B,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    level: Option<Level>,
    data: Vec<Data>,
    tagged: Tagged,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Newtype(u16);

#[derive(Debug, Deserialize, PartialEq)]
struct Everything {
    #[serde(flatten)]
    inner: Inner,
    newtype: Newtype,
    numbers: BTreeMap<u8, f64>,
    by_level: HashMap<String, bool>,
    tuple: (i8, char),
    #[serde(default)]
    absent: u32,
    wide: u128,
    unit: (),
    none: Option<String>,
}

fn tree() -> Value {
    json!({
        "level": "debug",
        "data": ["Unit", { "New": 1 }, { "Tuple": [2, "x"] }, { "Struct": { "x": 3 } }],
        "tagged": { "kind": "A", "x": 4 },
        "newtype": 5,
        "numbers": { "7": 1, "8": 0.5 },
        "by_level": { "a": true },
        "tuple": [-1, "é"],
        "wide": u64::MAX,
        "unit": null,
        "none": null,
        "unknown": { "is": ["ignored"] },
    })
}

#[test]
fn types_of_every_kind_are_made() {
    let everything: Everything = from_tree(&tree()).unwrap();
    assert_eq!(everything.inner.level, Some(Level::Debug));
    assert_eq!(
        everything.inner.data,
        [Data::Unit, Data::New(1), Data::Tuple(2, "x".to_owned()), Data::Struct { x: 3 }]
    );
    assert_eq!(everything.inner.tagged, Tagged::A { x: 4 });
    assert_eq!(everything.newtype, Newtype(5));
    assert_eq!(everything.numbers, BTreeMap::from([(7, 1.0), (8, 0.5)]));
    assert_eq!((everything.tuple, everything.wide), ((-1, 'é'), u128::from(u64::MAX)));
    // serde_json agrees on every part
    assert_eq!(everything, serde_json::from_value(tree()).unwrap());
}

#[test]
fn an_error_names_the_place_and_what_is_expected_but_not_the_value() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        address: HashMap<String, std::net::IpAddr>,
        list: Vec<Newtype>,
    }
    let at = |key: &str, more: Step| vec![Step::Key(key.to_owned()), more];
    let refused = from_tree::<Outer>(&json!({ "address": { "a": "canary" }, "list": [] })).unwrap_err();
    assert_eq!(refused, Trouble { path: at("address", Step::Key("a".to_owned())), what: What::Refused });
    let expected = from_tree::<Outer>(&json!({ "address": {}, "list": [1, "canary"] })).unwrap_err();
    assert_eq!(expected, Trouble { path: at("list", Step::Index(1)), what: What::Expected("u16".to_owned()) });
    let missing = from_tree::<Outer>(&json!({ "address": {} })).unwrap_err();
    assert_eq!(missing, Trouble { path: Vec::new(), what: What::Missing("list") });
    let variant = from_tree::<Vec<Level>>(&json!(["canary"])).unwrap_err();
    assert_eq!(variant, Trouble { path: vec![Step::Index(0)], what: What::NoVariant(&["debug", "info"]) });
    for error in [refused, expected, missing, variant] {
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}

#[test]
fn a_type_that_refuses_what_its_inside_took_is_named() {
    #[derive(Debug)]
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(de::Error::custom(format!("no {text}")))
        }
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        picky: Option<Picky>,
    }
    let error = from_tree::<Outer>(&json!({ "picky": "canary" })).unwrap_err();
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(error, Trouble { path: vec![Step::Key("picky".to_owned())], what: What::Refused });
}
