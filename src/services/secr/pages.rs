//! The walk through the pages of a list that may change meanwhile: nothing is skipped or told twice without notice.

use std::collections::HashSet;

use crate::core::{ErrorKind, Hint, XtraError};

/// More entries than that are no environment's.
const MOST_ENTRIES: u64 = 100_000;
/// More pages than that are not asked for.
const MOST_PAGES: usize = 2_000;

/// Which part of a list an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) limit: i64,
    pub(super) offset: i64,
    pub(super) total: i64,
}

/// Which part to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
}

/// What an answer brings.
#[derive(Debug)]
pub(super) struct Taken<T> {
    /// The entries that were not there before.
    pub(super) entries: Vec<T>,
    /// What to ask for next; `None` at the end.
    pub(super) next: Option<Ask>,
}

/// The way through a list so far.
///
/// Each page after the first begins with the last entry of the one before. If it does not, or if the total has changed, or a name
/// comes twice, the list has changed in between, and entries may have moved past the reader. That holds for a list whose entries
/// keep their order; which order the service has is not documented.
#[derive(Debug)]
pub(super) struct Walk {
    limit: Option<u64>,
    /// The entries before the first one.
    start: u64,
    seen: HashSet<String>,
    last: Option<String>,
    total: Option<u64>,
    /// The offset that was asked for.
    asked: Option<u64>,
    pages: usize,
}

impl Walk {
    /// A walk from an entry on, by pages of this size, or of whatever size the service gives.
    pub(super) fn new(limit: Option<u64>, start: Option<u64>) -> Self {
        let asked = start.or(limit.map(|_| 0));
        Self { limit, start: start.unwrap_or_default(), seen: HashSet::new(), last: None, total: None, asked, pages: 0 }
    }

    /// What to ask for first.
    pub(super) fn first(&self) -> Ask {
        Ask { limit: self.limit, offset: self.asked }
    }

    /// Takes an answer in.
    pub(super) fn take<T>(
        &mut self,
        mut entries: Vec<T>,
        part: Option<Part>,
        key: impl Fn(&T) -> &str,
    ) -> Result<Taken<T>, XtraError> {
        self.pages += 1;
        let Some(part) = part else {
            if self.asked.is_some() {
                return Err(broken("the answer to a page tells which page it is, as `pagination`"));
            }
            self.note(&entries, &key)?;
            return Ok(Taken { entries, next: None });
        };
        let total = self.check(part)?;
        if let Some(last) = self.last.take() {
            if entries.first().map(&key) != Some(last.as_str()) {
                return Err(changed());
            }
            entries.remove(0);
        }
        let is_empty = entries.is_empty();
        self.note(&entries, &key)?;
        let position = self.start.saturating_add(self.seen.len() as u64);
        if position > total && !self.seen.is_empty() {
            return Err(broken("`total` counts every entry of the list"));
        }
        if position >= total {
            return Ok(Taken { entries, next: None });
        }
        if is_empty || self.pages >= MOST_PAGES {
            return Err(broken("a page has two entries at least for as long as there are more of them"));
        }
        let next = self.next(entries.last().map(&key), position);
        Ok(Taken { entries, next: Some(next) })
    }

    /// The next page, which begins with the last entry of this one: it is asked for one entry more.
    fn next(&mut self, last: Option<&str>, position: u64) -> Ask {
        self.last = last.map(str::to_owned);
        self.asked = position.checked_sub(1);
        Ask { limit: self.limit.map(|limit| limit.saturating_add(1)), offset: self.asked }
    }

    /// The total, when the answer is the part that was asked for.
    fn check(&mut self, part: Part) -> Result<u64, XtraError> {
        let number = |number: i64| u64::try_from(number).ok();
        let (Some(_), Some(offset), Some(total)) = (number(part.limit), number(part.offset), number(part.total)) else {
            return Err(broken("the numbers of `pagination` are not negative"));
        };
        if offset != self.asked.unwrap_or_default() {
            return Err(broken("`limit` and `offset` of the query choose the page"));
        }
        if total > MOST_ENTRIES {
            return Err(broken("a list has at most 100,000 entries"));
        }
        if *self.total.get_or_insert(total) != total {
            return Err(changed());
        }
        Ok(total)
    }

    fn note<T>(&mut self, entries: &[T], key: impl Fn(&T) -> &str) -> Result<(), XtraError> {
        for entry in entries {
            if !self.seen.insert(key(entry).to_owned()) {
                // within one answer that is no change
                return Err(if self.pages > 1 { changed() } else { broken("each name is there once") });
            }
        }
        Ok(())
    }
}

fn changed() -> XtraError {
    XtraError::new(
        ErrorKind::Conflict,
        "the list has changed while it was read page by page, and nothing of it is returned",
    )
    .with_hint(Hint::advice("Read it again from the start"))
}

/// Whether an error says that the list has changed.
pub(super) fn has_changed(error: &XtraError) -> bool {
    error.kind() == ErrorKind::Conflict && error.status().is_none()
}

fn broken(assumption: &'static str) -> XtraError {
    let message = "the pages of the answer do not fit together";
    XtraError::new(ErrorKind::Decode, message).with_note(format!("Assumed, and not documented: {assumption}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A service with these names; `limit` is clamped to `most`.
    struct List {
        names: Vec<String>,
        most: usize,
    }

    impl List {
        fn of(names: impl IntoIterator<Item = &'static str>, most: usize) -> Self {
            Self { names: names.into_iter().map(str::to_owned).collect(), most }
        }

        fn answer(&self, ask: Ask) -> (Vec<String>, Option<Part>) {
            let offset = ask.offset.unwrap_or_default() as usize;
            let limit = (ask.limit.unwrap_or(u64::MAX) as usize).min(self.most);
            let names = self.names.iter().skip(offset).take(limit).cloned().collect();
            let part = Part { limit: limit as i64, offset: offset as i64, total: self.names.len() as i64 };
            (names, Some(part))
        }
    }

    /// Reads a list that `between` changes before each page but the first.
    fn read(
        list: &mut List,
        limit: Option<u64>,
        mut between: impl FnMut(usize, &mut List),
    ) -> Result<Vec<String>, ErrorKind> {
        let mut walk = Walk::new(limit, None);
        let (mut next, mut all, mut page) = (Some(walk.first()), Vec::new(), 0);
        while let Some(ask) = next {
            if page > 0 {
                between(page, list);
            }
            page += 1;
            let (names, part) = list.answer(ask);
            let taken = walk.take(names, part, |name: &String| name).map_err(|error| error.kind())?;
            all.extend(taken.entries);
            next = taken.next;
        }
        Ok(all)
    }

    const NAMES: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

    #[test]
    fn every_entry_comes_once_and_in_order_whatever_the_size_of_the_pages() {
        for most in 2..9 {
            for limit in [None, Some(1), Some(2), Some(3), Some(50)] {
                let all = read(&mut List::of(NAMES, most), limit, |_, _| {});
                assert_eq!(all.unwrap(), NAMES, "{most} {limit:?}");
            }
        }
        assert_eq!(read(&mut List::of([], 3), Some(3), |_, _| {}).unwrap(), Vec::<String>::new());
        // nothing would tell that a list of such pages has changed
        assert_eq!(read(&mut List::of(NAMES, 1), None, |_, _| {}), Err(ErrorKind::Decode));
    }

    proptest! {
        /// Whatever is added and removed between pages: what was there all the time is there once, or there is an error.
        #[test]
        fn nothing_is_skipped_or_told_twice_without_notice(
            count in 0_usize..20,
            most in 1_usize..8,
            limit in proptest::option::of(1_u64..9),
            changes in proptest::collection::vec(proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..4), 0..12),
        ) {
            let names: Vec<String> = (0..count).map(|number| format!("{number:03}")).collect();
            let mut list = List { names: names.clone(), most };
            let mut added = 0;
            let mut kept = names;
            let all = read(&mut list, limit, |page, list| {
                for (adds, at) in changes.get(page - 1).into_iter().flatten() {
                    if *adds {
                        added += 1;
                        list.names.insert(at.index(list.names.len() + 1), format!("new {added}"));
                    } else if !list.names.is_empty() {
                        let gone = list.names.remove(at.index(list.names.len()));
                        kept.retain(|name| *name != gone);
                    }
                }
            });
            if let Ok(all) = all {
                let mut once = all.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), all.len());
                for name in &kept {
                    prop_assert!(all.contains(name), "{} is not in {:?}", name, all);
                }
            }
        }
    }

    #[test]
    fn an_entry_that_goes_or_comes_while_pages_are_read_is_noticed() {
        let gone = |page: usize, list: &mut List| {
            if page == 1 {
                list.names.remove(0);
            }
        };
        assert_eq!(read(&mut List::of(NAMES, 3), Some(3), gone), Err(ErrorKind::Conflict));
        let come = |page: usize, list: &mut List| {
            if page == 1 {
                list.names.insert(0, "0".to_owned());
            }
        };
        assert_eq!(read(&mut List::of(NAMES, 3), Some(3), come), Err(ErrorKind::Conflict));
        // the total stays, and still everything has moved by one
        let both = |page: usize, list: &mut List| {
            if page == 1 {
                list.names.remove(0);
                list.names.push("H".to_owned());
            }
        };
        assert_eq!(read(&mut List::of(NAMES, 3), Some(3), both), Err(ErrorKind::Conflict));
    }

    #[test]
    fn an_answer_without_pagination_is_whole_only_when_no_page_was_asked_for() {
        let mut walk = Walk::new(None, None);
        assert_eq!(walk.first(), Ask { limit: None, offset: None });
        let taken = walk.take(vec!["A"], None, |name| name).unwrap();
        assert_eq!((taken.entries, taken.next), (vec!["A"], None));
        let error = Walk::new(Some(2), None).take(vec!["A"], None, |name| name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("Assumed, and not documented: "), "{error}");
    }

    #[test]
    fn a_service_that_does_not_know_the_offset_is_noticed() {
        let part = |offset, total| Some(Part { limit: 2, offset, total });
        let mut walk = Walk::new(Some(2), None);
        walk.take(vec!["A", "B"], part(0, 4), |name| name).unwrap();
        assert_eq!(walk.take(vec!["A", "B"], part(0, 4), |name| name).unwrap_err().kind(), ErrorKind::Decode);
        for part in [part(0, -1), part(-1, 4), part(0, i64::MAX)] {
            let error = Walk::new(Some(2), None).take(vec!["A"], part, |name| name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn pages_without_an_end_end() {
        let part = |offset, total| Some(Part { limit: 2, offset, total });
        let mut walk = Walk::new(Some(2), None);
        walk.take(vec!["A", "B"], part(0, 4), |name| name).unwrap();
        assert_eq!(walk.take(vec!["B"], part(1, 4), |name| name).unwrap_err().kind(), ErrorKind::Decode);
        let twice = Walk::new(None, None).take(vec!["A", "A"], None, |name| name).unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Decode);
    }
}
