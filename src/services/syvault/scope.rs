//! The scope of SyVault: one secret, by its uid or its title, whose fields are its snapshot; or the titles of all, which are looked up in.

use std::borrow::Cow;

use crate::core::{ErrorKind, ScopeDescription, XtraError, shown_name};
use crate::engine::KeyWriter;

/// What a snapshot of SyVault is of: a secret, by its uid, or by its folder and title. The names in the snapshot are those of its
/// fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyVaultScope<'a>(pub(super) Part<'a>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Secret(Cow<'a, str>),
    /// The one secret of a folder, by its id, that has this title.
    Titled {
        folder: Cow<'a, str>,
        title: Cow<'a, str>,
    },
    /// Every secret by its uid, with folder and title.
    Titles,
}

impl<'a> SyVaultScope<'a> {
    /// The secret of this uid.
    pub fn secret(uid: impl Into<Cow<'a, str>>) -> Self {
        Self(Part::Secret(uid.into()))
    }

    /// The secret of this title in the folder of this id. It is looked for in the titles of all secrets, which the service stores
    /// encrypted: a read asks for the list, and then for the secret. That a folder has two of one title is an error, which names both.
    ///
    /// A [copy](crate::copy) to it makes a new secret. The service takes no change of one, so a secret that is there with other
    /// fields is an obstacle.
    pub fn titled(folder_id: impl Into<Cow<'a, str>>, title: impl Into<Cow<'a, str>>) -> Self {
        Self(Part::Titled { folder: folder_id.into(), title: title.into() })
    }

    pub(super) fn titles() -> Self {
        Self(Part::Titles)
    }

    /// The uid; empty where there is none.
    pub(super) fn uid(&self) -> &str {
        match &self.0 {
            Part::Secret(uid) => uid,
            Part::Titled { .. } | Part::Titles => "",
        }
    }

    pub(super) fn to_owned_scope<'s>(&self) -> SyVaultScope<'s> {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        SyVaultScope(match &self.0 {
            Part::Secret(uid) => Part::Secret(owned(uid)),
            Part::Titled { folder, title } => Part::Titled { folder: owned(folder), title: owned(title) },
            Part::Titles => Part::Titles,
        })
    }

    pub(super) fn write_key(&self, key: &mut KeyWriter) {
        match &self.0 {
            Part::Secret(uid) => {
                key.field("secret");
                key.field(uid);
            }
            Part::Titled { folder, title } => {
                key.field(TITLED);
                key.field(folder);
                key.field(title);
            }
            Part::Titles => key.field("titles"),
        }
    }

    /// The scope, checked and owned.
    pub(super) fn checked(&self) -> Result<SyVaultScope<'static>, XtraError> {
        match &self.0 {
            Part::Secret(uid) => Ok(SyVaultScope::secret(sendable("uid", uid)?.to_owned())),
            Part::Titled { folder, title } => {
                let folder = sendable("id of the folder", folder)?.to_owned();
                if title.is_empty() {
                    return Err(XtraError::new(ErrorKind::Invalid, "the title is empty. Nothing was sent"));
                }
                Ok(SyVaultScope::titled(folder, title.clone().into_owned()))
            }
            Part::Titles => Ok(SyVaultScope::titles()),
        }
    }

    /// The scope for a message.
    pub(super) fn shown(&self) -> String {
        match &self.0 {
            Part::Secret(uid) => shown(uid),
            Part::Titled { folder, title } => format!("{}, {}", shown(folder), shown(title)),
            Part::Titles => String::new(),
        }
    }

    pub(super) fn describe(&self) -> ScopeDescription {
        match &self.0 {
            Part::Secret(uid) => ScopeDescription::new(format!("the secret {}", shown(uid)))
                .empty_means("The secret is there and has no fields"),
            Part::Titled { .. } => ScopeDescription::new(format!("the secret {}", self.shown()))
                .empty_means("The secret is there and has no fields"),
            Part::Titles => {
                ScopeDescription::new("the list of secrets").empty_means("The client has access to no secret")
            }
        }
    }
}

/// The first field of the keys of secrets by their titles.
pub(super) const TITLED: &str = "titled";

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
