//! Untyped JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// JSON of no fixed shape: audit details, notification settings and the like.
///
/// `Debug` prints its kind only, since nobody knows what is in it. `Serialize` writes the data, because requests send it.
/// Compare, read or change it through [`as_json`](Self::as_json) and [`into_json`](Self::into_json).
///
/// ```
/// use xtrasecurity::xtra::raw::FreeForm;
///
/// let details: FreeForm = serde_json::from_str(r#"{"ip": "192.0.2.1"}"#).unwrap();
/// assert_eq!(format!("{details:?}"), "FreeForm(object)");
/// assert_eq!(details.as_json()["ip"], "192.0.2.1");
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FreeForm(Value);

impl FreeForm {
    /// The data.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// The data, taken over.
    #[must_use]
    pub fn into_json(self) -> Value {
        self.0
    }
}

impl From<Value> for FreeForm {
    fn from(data: Value) -> Self {
        Self(data)
    }
}

impl fmt::Debug for FreeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        write!(f, "FreeForm({kind})")
    }
}
