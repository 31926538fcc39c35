//! The reason of a refused condition. The service compares with the first row of a name in an environment, whatever its
//! branch, and reads show the last row of one branch: a conflict that it tells may be real, another branch's, or the sign of
//! a second row.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::current_state::{CurrentState, Existing};
use super::names::{is_inherited, named, repair_first};
use super::stored_rows::{BranchVersions, FirstRow, Row, Target, branch_versions};
use super::upsert::{Expected, conflict, conflicts};
use crate::core::{Conflict, ErrorKind, Hint, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Place, Xtra, shown_name};

/// What is sent for a secret that must not exist. No secret has this version, so the service refuses when there is one; where
/// there is none it does not look at it.
const NO_VERSION: &str = "0";

/// The versions that a request demands.
pub(crate) struct Conditions {
    /// What the caller demands of this branch.
    wanted: Expected,
    /// What the service is told to compare with.
    sent: BTreeMap<String, String>,
    /// The conflicts that nothing has explained yet.
    unexplained: Vec<Conflict>,
}

impl Conditions {
    /// `known` are the versions that a read has shown. They are sent for names that the service mistakes for a condition of
    /// its own: it looks a name up in an object that inherits some.
    pub(crate) fn new<'k>(
        keys: impl Iterator<Item = &'k str>,
        expected: &Expected,
        known: &BTreeMap<String, String>,
    ) -> Self {
        let (mut wanted, mut sent) = (Expected::new(), BTreeMap::new());
        for key in keys {
            let version = match expected.get(key) {
                Some(version) => {
                    wanted.insert(key.to_owned(), version.clone());
                    version.as_ref()
                }
                None if is_inherited(key) => known.get(key),
                None => continue,
            };
            sent.insert(key.to_owned(), version.map_or(NO_VERSION, String::as_str).to_owned());
        }
        Self { wanted, sent, unexplained: Vec::new() }
    }

    pub(crate) fn sent(&self) -> BTreeMap<String, String> {
        self.sent.clone()
    }

    /// A conflict for an error: versions are numbers, and nothing else of the answer is shown.
    fn shown(&self, told: &Conflict) -> Conflict {
        let is_version = |text: &String| text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        let expected = self.wanted.get(&told.name).cloned().flatten();
        Conflict::new(told.name.as_str(), expected, told.actual.clone().filter(is_version))
    }

    /// The conflict is over a row that this write does not touch.
    fn give_up(&mut self, told: &Conflict) {
        self.wanted.remove(&told.name);
        match &told.actual {
            Some(actual) if is_inherited(&told.name) => self.sent.insert(told.name.clone(), actual.clone()),
            _ => self.sent.remove(&told.name),
        };
    }
}

/// What stands behind a conflict that a read does not show.
enum Reason {
    /// A row that the write does not touch: another branch's, or a link that is hidden.
    Another,
    /// Two rows of the name in this place.
    Doubled,
    /// A row that the caller's reads leave out, of this version.
    Hidden(String),
    Unclear,
}

/// A conflict that the service tells, and what is known of it.
struct Disputed<'a> {
    told: &'a Conflict,
    look: &'a CurrentState,
    place: &'a Place,
    /// The secret must not exist.
    is_new: bool,
    /// The caller's reads leave nothing out.
    is_all_shown: bool,
    /// The id of the place's branch, where the rows of branches cannot be listed.
    branch: Option<&'a str>,
}

impl Xtra {
    /// Fails when the conflicts are real, or when they prove a second row. Otherwise takes back what another branch's row
    /// stands in the way of.
    pub(crate) async fn explain(
        &self,
        place: &Place,
        conditions: &mut Conditions,
        told: &[Conflict],
    ) -> Result<(), XtraError> {
        let look = self.current_state(place).await?;
        let real = conflicts(&conditions.wanted, &look);
        if !real.is_empty() {
            return Err(conflict(real));
        }
        let mut open = Vec::new();
        for one in told {
            let Some(sent) = conditions.sent.get(&one.name) else { continue };
            // no condition of the caller's, or one that holds by the service's own figures
            if !conditions.wanted.contains_key(&one.name) || one.actual.as_ref() == Some(sent) {
                conditions.give_up(one);
            } else {
                open.push(one);
            }
        }
        if open.is_empty() { Ok(()) } else { self.explain_by_rows(place, conditions, &look, open).await }
    }

    async fn explain_by_rows(
        &self,
        place: &Place,
        conditions: &mut Conditions,
        look: &CurrentState,
        open: Vec<&Conflict>,
    ) -> Result<(), XtraError> {
        let keys: BTreeSet<&str> = open.iter().map(|one| one.name.as_str()).collect();
        let (mut standings, mut branch, mut is_all_shown) = (BTreeMap::new(), None, false);
        match self.standings(place, &keys).await {
            Ok(listed) => standings = listed,
            Err(error) if error.is_retryable() => return Err(error),
            // the list holds every value of the project: where that is too much, the first rows must do
            Err(_) => {
                branch = self.branch_id_by_outline(place).await?;
                // an access that was granted for some secrets is a user's
                is_all_shown = branch.is_none() && self.asks_as_service_account().await;
            }
        }
        let (mut hidden, mut doubled) = (Vec::new(), Vec::new());
        conditions.unexplained.clear();
        for told in open {
            let is_new = conditions.wanted.get(&told.name) == Some(&None);
            let puzzle = Disputed { told, look, place, is_new, is_all_shown, branch: branch.as_deref() };
            match self.reason(&puzzle, standings.get(&told.name)).await? {
                Reason::Another => conditions.give_up(told),
                Reason::Doubled => doubled.push(conditions.shown(told)),
                Reason::Hidden(version) => hidden.push(Conflict::new(told.name.as_str(), None, Some(version))),
                Reason::Unclear => conditions.unexplained.push(conditions.shown(told)),
            }
        }
        match (doubled.is_empty(), hidden.is_empty()) {
            (false, _) => Err(XtraError::doubled(place, doubled)),
            (true, false) => Err(conflict(hidden)),
            (true, true) => Ok(()),
        }
    }

    async fn reason(&self, puzzle: &Disputed<'_>, standing: Option<&BranchVersions>) -> Result<Reason, XtraError> {
        let Disputed { told, look, place, is_new, is_all_shown, branch } = *puzzle;
        let nothing = BranchVersions::default();
        let standing = standing.unwrap_or(&nothing);
        match standing.here.as_slice() {
            [_, _, ..] => return Ok(Reason::Doubled),
            // what is on the branch is not what is read
            [version] if told.actual.as_ref() == Some(version) && is_other(look.get(&told.name), version) => {
                return Ok(Reason::Doubled);
            }
            [version] if is_new && look.get(&told.name).is_none() => return Ok(Reason::Hidden(version.clone())),
            // it is not here, so it is elsewhere
            _ if is_new && is_all_shown => return Ok(Reason::Another),
            _ if told.actual.as_ref().is_some_and(|actual| standing.elsewhere.contains(actual)) => {
                return Ok(Reason::Another);
            }
            _ => {}
        }
        let target = Target { place, key: &told.name, exact: true };
        Ok(match self.first_row(target).await? {
            FirstRow::Row(row) if row.linked => Reason::Another,
            FirstRow::Row(row) if row.branch.is_none() && place.is_on_main() => puzzle.of_this_place(&row, standing),
            // what hangs on no branch is a secret of main
            FirstRow::Row(row) if row.branch.is_none() => Reason::Another,
            FirstRow::Row(row) if branch.is_some() && row.branch.as_deref() == branch => {
                puzzle.of_this_place(&row, standing)
            }
            FirstRow::Row(_) if branch.is_some() => Reason::Another,
            _ => Reason::Unclear,
        })
    }

    /// Where the keys hang on branches.
    async fn standings(
        &self,
        place: &Place,
        keys: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, BranchVersions>, XtraError> {
        let request = self.raw().branches_list().project_id(&place.project);
        Ok(branch_versions(request.send().await.map_err(from_raw)?, place, keys))
    }
}

fn is_other(seen: Option<&Existing>, version: &str) -> bool {
    seen.is_some_and(|seen| seen.version != version)
}

impl Disputed<'_> {
    /// When the first row of all is one of this place.
    fn of_this_place(&self, first: &Row, standing: &BranchVersions) -> Reason {
        match self.look.get(&self.told.name) {
            None if self.is_new => Reason::Hidden(first.version.clone()),
            None => Reason::Unclear,
            Some(_) if !standing.here.is_empty() && first.branch.is_none() => Reason::Doubled,
            Some(seen) if seen.version != first.version => Reason::Doubled,
            Some(_) => Reason::Unclear,
        }
    }
}

impl XtraError {
    /// The error of a write to names that have two rows.
    fn doubled(place: &Place, told: Vec<Conflict>) -> Self {
        let names: Vec<_> = told.iter().map(|one| one.name.clone()).collect();
        let message = format!(
            "nothing was written: the service has several rows of these secrets in the environment {} on the branch {}, and \
             a write would go to one that is not read: {}",
            shown_name(&place.environment),
            shown_name(&place.branch),
            named(&names)
        );
        let error = Self::new(ErrorKind::Conflict, message).with_hints(repair_first(&names));
        error.with_names(names).with_conflicts(told)
    }
}

/// The conditions hold by what is read, and the service finds others again and again.
pub(crate) fn disputed(conditions: Conditions) -> XtraError {
    let names: Vec<_> = match conditions.unexplained.as_slice() {
        [] => conditions.sent.into_keys().collect(),
        unexplained => unexplained.iter().map(|one| one.name.clone()).collect(),
    };
    let message = format!(
        "the service refuses the write over versions that no read of this branch shows, however often it is asked, and it was \
         not carried out: {}. Somebody writes secrets of the same names on another branch, or the service has a second row \
         of one",
        named(&names)
    );
    let error = XtraError::new(ErrorKind::Conflict, message).with_hint(Hint::Retry).with_hints(repair_first(&names));
    error.with_names(names).with_conflicts(conditions.unexplained)
}
