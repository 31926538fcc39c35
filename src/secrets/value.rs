//! A single secret: redacted when printed, wiped when dropped.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What is printed in a value's place.
const REDACTED: &str = "[REDACTED]";

/// A secret's plaintext. `Debug` prints `[REDACTED]`; there is no `Display` and no `Serialize`.
///
/// Clones share one buffer, which is overwritten with zeros when the last of them is dropped. Equality takes the same time
/// wherever the two differ (it does tell whether the lengths differ).
///
/// ```
/// use xtrasecurity::SecretValue;
///
/// let password = SecretValue::from("hunter2");
/// assert_eq!(format!("{password:?}"), "[REDACTED]");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct SecretValue(Arc<Zeroizing<String>>);

impl SecretValue {
    /// Takes a secret over. The text is not copied; the buffer given is the one wiped later.
    #[must_use]
    pub fn new(plaintext: String) -> Self {
        Self(Arc::new(Zeroizing::new(plaintext)))
    }

    /// The plaintext. Whatever copies it is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The plaintext's length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for SecretValue {
    fn from(plaintext: String) -> Self {
        Self::new(plaintext)
    }
}

impl From<&str> for SecretValue {
    fn from(plaintext: &str) -> Self {
        Self::new(plaintext.to_owned())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for SecretValue {}

impl PartialEq<str> for SecretValue {
    fn eq(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl PartialEq<&str> for SecretValue {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}
