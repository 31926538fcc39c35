//! The read after a change, where a server may store a name twice: it changes one row, and reads give the other.

use super::send::{Change, Kind};
use super::{WrittenSecret, may_be_stored_as};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::services::infisical::request::{Api, Asked};
use crate::services::infisical::scope::CheckedScope;
use crate::services::infisical::source::Infisical;
use crate::services::infisical::wire;

/// How a pair of secrets of one name ends.
pub(super) const END_OF_A_PAIR: &str = "Delete the secret, which deletes both, and create it again";

impl Infisical {
    /// Reads what was changed by its name, once, where the server has the older interface alone. A failing read confirms nothing.
    pub(super) async fn read_back(
        &self,
        scope: &CheckedScope,
        change: &Change<'_>,
        written: &mut WrittenSecret,
    ) -> Result<(), XtraError> {
        if change.kind != Kind::Update || self.has_newer_interface() {
            return Ok(());
        }
        let asked = Asked { transport: self.transport(), api: Api::V3, scope };
        let told = asked.get(&written.name, scope.personal, None).await.ok().flatten();
        let row = told.map(|(one, _)| one.secret).filter(|row| row.name == written.name);
        written.unconfirmed = match row.map(wire::Row::into_details) {
            None => true,
            Some(read) if is_another(&written.id, &read.id) => return Err(twice(&written.name)),
            // a value that is hidden, or that was not changed, says nothing
            Some(read) => {
                read.value.zip(change.value).is_some_and(|(read, sent)| !may_be_stored_as(sent.expose(), read.expose()))
            }
        };
        Ok(())
    }
}

fn is_another(written: &Option<String>, read: &Option<String>) -> bool {
    matches!((written, read), (Some(written), Some(read)) if written != read)
}

fn twice(name: &str) -> XtraError {
    let message = "the folder has a secret twice: one was changed, and reads by its name give the other";
    XtraError::new(ErrorKind::Conflict, message)
        .with_names([name])
        .with_hint(Hint::advice(END_OF_A_PAIR))
        .with_unknown_outcome()
}
