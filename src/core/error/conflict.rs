//! A conflict: one secret that a conditional write found changed.

use std::fmt;

/// One secret that a conditional write found changed. Never holds a value; `Debug` prints a version only when it is a number.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The secret's name.
    pub name: String,
    /// The version that the write expected.
    pub expected: Option<String>,
    /// The version that the service holds.
    pub actual: Option<String>,
}

impl Conflict {
    /// A conflict on the secret `name` between the version expected and the one found.
    #[must_use]
    pub fn new(name: impl Into<String>, expected: Option<String>, actual: Option<String>) -> Self {
        Self { name: name.into(), expected, actual }
    }
}

/// A version comes from the service, which may send anything in its place. More digits than these are no version.
impl fmt::Debug for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |version: &Option<String>| {
            version.as_ref().map(|version| {
                let is_number = version.len() < 8 && version.bytes().all(|byte| byte.is_ascii_digit());
                if is_number { version.clone() } else { "[no number]".to_owned() }
            })
        };
        f.debug_struct("Conflict")
            .field("name", &self.name)
            .field("expected", &shown(&self.expected))
            .field("actual", &shown(&self.actual))
            .finish()
    }
}
