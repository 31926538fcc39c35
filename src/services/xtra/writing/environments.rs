//! Whether an environment is spelled as the project spells it: the service tells cases apart on writes, and mixes on reads
//! what differs in case only.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::look::{Look, Seen};
use super::names::{Naming, check_name};
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::{Place, Xtra, convert, shown_name};

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
    pub(crate) async fn check_spelling(&self, place: &Place, look: &Look) -> Result<(), XtraError> {
        if self.spellings.knows(place) {
            return Ok(());
        }
        let is_elsewhere = look.is_empty() && !place.is_on_main();
        let shown = if is_elsewhere { place.on_main() } else { place.clone() };
        let elsewhere = if is_elsewhere { Some(self.look(&shown).await?) } else { None };
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
            let now = self.look(&shown).await?;
            missed = now.get(&key).is_some();
            asked = if missed { Some(key) } else { smallest(&now).map(str::to_owned) };
        }
        Ok(())
    }

    async fn is_spelled_so(&self, place: &Place, key: &str) -> Result<bool, XtraError> {
        let request = self.raw().secrets_get().project_id(&place.project).env(&place.environment).key(key);
        match request.send().await.map_err(convert::from_raw) {
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
fn smallest(look: &Look) -> Option<&str> {
    let portable = |key: &str| key != "link" && check_name(key, Naming::Portable).is_ok();
    let cost = |seen: &Seen| {
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
             service would keep both, and mix them in every read. Spell it as the project does, or say exact() if two are \
             meant"
        ),
    )
}
