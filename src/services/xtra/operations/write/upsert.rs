//! Writing many secrets to one place, a request for each few hundred.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::current_state::CurrentState;
use super::explain::{Conditions, disputed};
use super::names::{SHOWN, is_inherited, json_length, named, shown_version};
use super::read_back::differing;
use crate::core::{Conflict, ErrorKind, Hint, SecretValue, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::SecretInput;
use crate::services::xtra::{Place, Xtra, shown_name};

/// How many secrets go into one request. The service writes them one after the other, with several queries each, and is cut
/// off after a while.
const MOST_SECRETS: usize = 200;

/// How many bytes of names and values go into one request, unless a single secret is longer.
const MOST_BYTES: usize = 1 << 20;

/// How often a request is repeated whose conflicts were with other branches.
const FALSE_CONFLICTS: usize = 3;

/// What is to be written to one place.
pub(crate) struct Batch<'a> {
    pub(crate) place: &'a Place,
    pub(crate) secrets: Vec<(String, SecretValue)>,
    /// What must still be there, by name.
    pub(crate) expected: Expected,
    /// The versions that a read has shown, of names that need one to be changed at all; see [`known_versions`].
    pub(crate) known: BTreeMap<String, String>,
    pub(crate) sealing: Sealing,
}

/// The versions that secrets must have; nothing for those that must not exist.
pub(crate) type Expected = BTreeMap<String, Option<String>>;

/// Which secrets are encrypted before they are sent.
pub(crate) enum Sealing {
    Nothing,
    Everything,
    These(BTreeSet<String>),
}

impl Sealing {
    pub(crate) fn all_if(sealed: bool) -> Self {
        if sealed { Self::Everything } else { Self::Nothing }
    }

    fn is_for(&self, key: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::These(keys) => keys.contains(key),
        }
    }
}

/// One request of a batch.
struct Chunk {
    /// As they are sent.
    texts: Vec<(String, SecretValue)>,
    /// As they are meant.
    meant: Vec<(String, SecretValue)>,
}

impl Xtra {
    /// Writes a batch. `written` is told after each request how many secrets are there.
    ///
    /// When it fails, [`XtraError::names`] names what is not known to be written.
    pub(crate) async fn upsert_all(
        &self,
        batch: Batch<'_>,
        mut written: impl FnMut(usize) + Send,
    ) -> Result<(), XtraError> {
        let Batch { place, secrets, expected, known, sealing } = batch;
        let total = secrets.len();
        let mut chunks = self.chunks(place, secrets, &sealing)?.into_iter();
        let mut done = 0;
        while let Some(chunk) = chunks.next() {
            let keys = chunk.meant.iter().map(|(key, _)| key.as_str());
            let conditions = Conditions::new(keys, &expected, &known);
            if let Err(error) = self.upsert_chunk(place, &chunk, conditions).await {
                let later = chunks.flat_map(|later| later.meant).map(|(key, _)| key);
                // some errors know better than that nothing of the request is known
                let mut left: Vec<_> = match error.kind() {
                    ErrorKind::Incomplete => error.names().to_vec(),
                    _ => chunk.meant.into_iter().map(|(key, _)| key).collect(),
                };
                left.extend(later);
                return Err(unfinished(error, left, total));
            }
            done += chunk.meant.len();
            written(done);
        }
        Ok(())
    }

    fn chunks(
        &self,
        place: &Place,
        secrets: Vec<(String, SecretValue)>,
        sealing: &Sealing,
    ) -> Result<Vec<Chunk>, XtraError> {
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut bytes = 0;
        for (key, value) in secrets {
            let text = match sealing.is_for(&key) {
                true => self.seal(&place.project, &value)?,
                false => value.clone(),
            };
            let length = json_length(&key) + json_length(text.expose());
            match chunks.last_mut() {
                Some(chunk) if chunk.meant.len() < MOST_SECRETS && bytes + length <= MOST_BYTES => {
                    chunk.texts.push((key.clone(), text));
                    chunk.meant.push((key, value));
                    bytes += length;
                }
                _ => {
                    chunks.push(Chunk { texts: vec![(key.clone(), text)], meant: vec![(key, value)] });
                    bytes = length;
                }
            }
        }
        Ok(chunks)
    }

    async fn upsert_chunk(&self, place: &Place, chunk: &Chunk, mut conditions: Conditions) -> Result<(), XtraError> {
        for _ in 0..FALSE_CONFLICTS {
            match self.send(place, chunk, conditions.sent()).await {
                Ok(Some(count)) if count == chunk.meant.len() as i64 => return Ok(()),
                Ok(_) => return self.find_unwritten(place, chunk).await,
                Err(error) if error.kind() == ErrorKind::Conflict && !error.conflicts().is_empty() => {
                    // The service compares with whichever branch comes first. This one decides.
                    self.explain(place, &mut conditions, error.conflicts()).await?;
                }
                Err(error) => return Err(error),
            }
        }
        // without conditions it would go through, and over what they are there for
        Err(disputed(conditions))
    }

    async fn send(
        &self,
        place: &Place,
        chunk: &Chunk,
        expected: BTreeMap<String, String>,
    ) -> Result<Option<i64>, XtraError> {
        let secrets: BTreeMap<String, SecretInput> =
            chunk.texts.iter().map(|(key, text)| (key.clone(), SecretInput::from(text))).collect();
        let request = self.raw().secrets_upsert().project_id(&place.project).env(&place.environment);
        let request =
            request.body_map(|body| body.branch(place.branch.clone()).expected_versions(expected).secrets(secrets));
        let answer = request.send().await.map_err(from_raw).map_err(|error| match error.kind() {
            // the service says so too, but its words repeat what was sent, which is not shown
            ErrorKind::NotFound => error.with_note(format!("The branch was {}", shown_name(&place.branch))),
            _ => error,
        })?;
        Ok(answer.into_inner().count)
    }

    /// The service has written fewer secrets than were sent, and does not say which.
    async fn find_unwritten(&self, place: &Place, chunk: &Chunk) -> Result<(), XtraError> {
        let look = self.current_state(place).await.map_err(|error| {
            let told = "This was to find out what a write has left out: it was carried out in part";
            error.with_note(told).with_unknown_outcome()
        })?;
        let left_out = differing(&chunk.meant, &look);
        if left_out.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the service has written {} of {} secrets of a request; not written: {}",
            chunk.meant.len() - left_out.len(),
            chunk.meant.len(),
            named(&left_out)
        );
        let error = XtraError::new(ErrorKind::Incomplete, message).with_names(left_out).with_unknown_outcome();
        Err(error.with_hint(Hint::advice("Write these again")))
    }
}

/// The versions of those of the secrets that are changed only by who sends the version that they have.
pub(crate) fn known_versions(secrets: &[(String, SecretValue)], look: &CurrentState) -> BTreeMap<String, String> {
    let needy = secrets.iter().map(|(key, _)| key).filter(|key| is_inherited(key));
    needy.filter_map(|key| Some((key.clone(), look.get(key)?.version.clone()))).collect()
}

/// What is not of the version that is expected.
pub(crate) fn conflicts(expected: &Expected, look: &CurrentState) -> Vec<Conflict> {
    let actual = |key: &str| look.get(key).map(|seen| seen.version.clone());
    let conflicting = expected.iter().filter(|(key, version)| actual(key) != **version);
    conflicting.map(|(key, version)| Conflict::new(key.as_str(), version.clone(), actual(key))).collect()
}

/// The error of a write that expected something else.
pub(crate) fn conflict(conflicts: Vec<Conflict>) -> XtraError {
    let told = conflicts.iter().take(SHOWN).map(|one| {
        let actual =
            one.actual.as_ref().map_or("absent".to_owned(), |version| format!("version {}", shown_version(version)));
        match &one.expected {
            Some(expected) => {
                format!("{} (expected version {}, is {actual})", shown_name(&one.name), shown_version(expected))
            }
            None => format!("{} (is {actual} now)", shown_name(&one.name)),
        }
    });
    let mut told: Vec<_> = told.collect();
    if conflicts.len() > SHOWN {
        told.push(format!("and {} more", conflicts.len() - SHOWN));
    }
    let message = format!("secrets are not what the write expects, and it was not carried out: {}", told.join(", "));
    let keys: Vec<_> = conflicts.iter().map(|one| one.name.clone()).collect();
    let error = XtraError::new(ErrorKind::Conflict, message).with_names(keys).with_conflicts(conflicts);
    error.with_hint(Hint::advice("Read them again, then decide"))
}

/// What an error says of its batch, when this is what is not known to be written.
fn unfinished(error: XtraError, left: Vec<String>, total: usize) -> XtraError {
    let error = match error.may_have_been_applied() && error.kind() != ErrorKind::Incomplete {
        true => error
            .with_note(format!("It was to write {}", named(&left)))
            .with_hint(Hint::advice("Compare values and versions")),
        false => error,
    };
    let error = match total - left.len() {
        0 => error,
        done => error.with_note(format!("{done} of {total} secrets are written")).with_unknown_outcome(),
    };
    error.with_names(left)
}
