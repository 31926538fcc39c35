//! The current state of one place, before a write and after it: every secret with its version.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::names::{Naming, check_name};
use crate::core::{ErrorKind, Hint, SecretValue, UnreadableReason, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Place, Xtra, envelope, shown_name};

/// The secrets of one place.
pub(crate) struct CurrentState {
    entries: BTreeMap<String, Existing>,
}

/// One secret.
pub(crate) struct Existing {
    /// What a read gives, or why it gives nothing.
    pub(crate) value: Result<SecretValue, UnreadableReason>,
    /// A decimal number, as the service sends it.
    pub(crate) version: String,
    /// Its value is that of another secret.
    pub(crate) linked: bool,
    /// It was encrypted before it was sent to the service.
    pub(crate) sealed: bool,
}

impl Existing {
    /// Whether a read gives this value.
    pub(crate) fn is(&self, value: &SecretValue) -> bool {
        self.value.as_ref().is_ok_and(|seen| seen == value)
    }
}

#[cfg(test)]
impl CurrentState {
    /// Names, what a read gives of them, and versions.
    pub(crate) fn of<const N: usize>(seen: [(&str, Result<&str, UnreadableReason>, &str); N]) -> Self {
        let entry = |(key, value, version): (&str, Result<&str, UnreadableReason>, &str)| {
            let value = value.map(SecretValue::from);
            (key.to_owned(), Existing { value, version: version.to_owned(), linked: false, sealed: false })
        };
        Self { entries: seen.into_iter().map(entry).collect() }
    }
}

impl CurrentState {
    pub(crate) fn get(&self, key: &str) -> Option<&Existing> {
        self.entries.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Existing)> {
        self.entries.iter().map(|(key, seen)| (key.as_str(), seen))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Xtra {
    /// Reads one place as it is now, past the cache. The service leaves no trace of it in its audit log.
    pub(crate) async fn current_state(&self, place: &Place) -> Result<CurrentState, XtraError> {
        let request = self.raw().secrets_read().project_id(&place.project).env(place.environment.to_lowercase());
        let request = request.branch(&place.branch).include_versions(true);
        let answer = request.send().await.map_err(from_raw)?;
        let mut entries = BTreeMap::new();
        for (key, entry) in answer.into_inner().0 {
            let (version, linked) = (entry.version.clone().unwrap_or_default(), entry.is_reference == Some(true));
            let text = entry.into_value();
            let sealed = text.as_ref().is_some_and(envelope::is_sealed);
            // the service leaves a secret that resolves to nothing out, so one without a value is none of those
            let value = text.ok_or(UnreadableReason::NoValue).and_then(|text| self.read_text(&place.project, text));
            entries.insert(key, Existing { value, version, linked, sealed });
        }
        Ok(CurrentState { entries })
    }
}

/// What a value that cannot be read counts for, in bytes.
const UNKNOWN_LENGTH: usize = 4096;

/// How often the spelling is looked at, when somebody deletes the secrets that it is told by.
const LOOKS: usize = 4;

/// The environments, by project, that are known to be spelled as they are stored.
#[derive(Default)]
pub(crate) struct Spellings(Mutex<BTreeSet<(String, String)>>);

impl Spellings {
    /// Memory for so many. One that is forgotten is looked up again.
    const MOST: usize = 256;

    fn knows(&self, place: &Place) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&(place.project.clone(), place.environment.clone()))
    }

    fn learn(&self, place: &Place) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert((place.project.clone(), place.environment.clone()));
    }
}

impl Xtra {
    /// Refuses an environment whose name differs from one that the project has in case only. `look` is what was read there.
    pub(crate) async fn check_spelling(&self, place: &Place, look: &CurrentState) -> Result<(), XtraError> {
        if self.spellings.knows(place) {
            return Ok(());
        }
        let is_elsewhere = look.is_empty() && !place.is_on_main();
        let shown = if is_elsewhere { place.on_main() } else { place.clone() };
        let elsewhere = if is_elsewhere { Some(self.current_state(&shown).await?) } else { None };
        // A secret that reads of this environment show, whatever the case: is it stored under exactly this name?
        let mut asked = smallest(elsewhere.as_ref().unwrap_or(look)).map(str::to_owned);
        let mut missed = false;
        for _ in 0..LOOKS {
            let Some(key) = asked else { return Ok(()) };
            if self.is_spelled_so(place, &key).await? {
                return Ok(());
            }
            if missed {
                return Err(spelled_otherwise(place));
            }
            // somebody may have deleted it since it was read, so it counts only when it is read, missed, and read again
            let now = self.current_state(&shown).await?;
            missed = now.get(&key).is_some();
            asked = if missed { Some(key) } else { smallest(&now).map(str::to_owned) };
        }
        Ok(())
    }

    async fn is_spelled_so(&self, place: &Place, key: &str) -> Result<bool, XtraError> {
        let request = self.raw().secrets_get().project_id(&place.project).env(&place.environment).key(key);
        match request.send().await.map_err(from_raw) {
            Ok(_) => {}
            // it is there, and its value and history are longer than what is read of an answer
            Err(error) if error.kind() == ErrorKind::TooLarge => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            // Not every token may ask. The service's own tools spell environments in lower case.
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                return match place.environment.to_lowercase() {
                    lower if lower == place.environment => Ok(true),
                    _ => Err(spelled_otherwise(place)),
                };
            }
            Err(error) => return Err(error),
        }
        self.spellings.learn(place);
        Ok(true)
    }
}

/// The secret that is asked for with the least cost, of those that have an address: the answer holds its value as ciphertext,
/// once for each version.
fn smallest(look: &CurrentState) -> Option<&str> {
    let portable = |key: &str| key != "link" && check_name(key, Naming::Portable).is_ok();
    let cost = |seen: &Existing| {
        let length = seen.value.as_ref().map_or(UNKNOWN_LENGTH, |value| value.len() + 1);
        length.saturating_mul(seen.version.parse().unwrap_or(1))
    };
    let portable = look.iter().filter(|(key, _)| portable(key));
    portable.min_by_key(|(_, seen)| cost(seen)).map(|(key, _)| key)
}

fn spelled_otherwise(place: &Place) -> XtraError {
    let name = shown_name(&place.environment);
    XtraError::new(
        ErrorKind::Invalid,
        format!(
            "nothing was written: the project has the environment {name} in another spelling, in upper and lower case. The \
             service would keep both, and mix them in every read"
        ),
    )
    .with_hint(Hint::advice("Spell it as the project does"))
    .with_hint(Hint::Exact)
}
