//! The scope of SyVault: one secret, whose fields are its snapshot; or the titles of all, which notations are looked up in.

use std::borrow::Cow;

use crate::core::{ErrorKind, ScopeDescription, XtraError, shown_name};
use crate::engine::KeyWriter;

/// What a snapshot of SyVault is of: a secret, by its uid. The names in the snapshot are those of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyVaultScope<'a>(pub(super) Part<'a>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Secret(Cow<'a, str>),
    /// Every secret by its uid, with folder and title.
    Titles,
}

impl<'a> SyVaultScope<'a> {
    /// The secret of this uid.
    pub fn secret(uid: impl Into<Cow<'a, str>>) -> Self {
        Self(Part::Secret(uid.into()))
    }

    pub(super) fn titles() -> Self {
        Self(Part::Titles)
    }

    /// The uid; empty for the titles.
    pub(super) fn uid(&self) -> &str {
        match &self.0 {
            Part::Secret(uid) => uid,
            Part::Titles => "",
        }
    }

    pub(super) fn write_key(&self, key: &mut KeyWriter) {
        match &self.0 {
            Part::Secret(uid) => {
                key.field("secret");
                key.field(uid);
            }
            Part::Titles => key.field("titles"),
        }
    }

    /// The scope, checked and owned.
    pub(super) fn checked(&self) -> Result<SyVaultScope<'static>, XtraError> {
        match &self.0 {
            Part::Secret(uid) => Ok(SyVaultScope::secret(sendable("uid", uid)?.to_owned())),
            Part::Titles => Ok(SyVaultScope::titles()),
        }
    }

    pub(super) fn describe(&self) -> ScopeDescription {
        match &self.0 {
            Part::Secret(uid) => ScopeDescription::new(format!("the secret {}", shown(uid)))
                .empty_means("The secret is there and has no fields"),
            Part::Titles => {
                ScopeDescription::new("the list of secrets").empty_means("The client has access to no secret")
            }
        }
    }
}

/// A secret, by its uid.
impl<'a> From<&'a str> for SyVaultScope<'a> {
    fn from(uid: &'a str) -> Self {
        Self::secret(uid)
    }
}

/// As of a borrowed text.
impl From<String> for SyVaultScope<'_> {
    fn from(uid: String) -> Self {
        Self::secret(uid)
    }
}

/// The id, when it can be a segment of a path.
pub(super) fn sendable<'i>(what: &str, id: &'i str) -> Result<&'i str, XtraError> {
    let flaw = match id {
        "" => "is empty".to_owned(),
        "." | ".." => format!("{id:?} would change the address that is asked"),
        _ if id.trim() != id => format!("{} begins or ends with white space", shown(id)),
        _ if id.chars().any(char::is_control) => format!("{} contains a control character", shown(id)),
        _ => return Ok(id),
    };
    Err(XtraError::new(ErrorKind::Invalid, format!("the {what} {flaw}. Nothing was sent")))
}

/// Whether a text begins as the service's tokens do.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    ["vft_", "eyJ"].iter().any(|start| text.trim_start().starts_with(start))
}

/// A uid for a message. One of the length of a UUID is shown too.
pub(super) fn shown(uid: &str) -> String {
    const UUID: usize = 36;
    let is_uuid = uid.len() == UUID && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_uuid { format!("{uid:?}") } else { shown_name(uid, looks_like_a_token) }
}
