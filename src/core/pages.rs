//! A snapshot a page at a time.

use std::fmt;
use std::iter::FusedIterator;

use super::snapshot::Secrets;
use super::sorted::SecretsIter;
use super::value::SecretValue;

/// Which part of a snapshot to show: so many secrets, from so many on.
///
/// ```
/// use xtrasecurity::{Secrets, paging::Paging};
///
/// let secrets = Secrets::from_iter(["A", "B", "C", "D", "E"].map(|name| (name, "")));
/// let page = secrets.page(Paging::limit(2).offset(2));
/// assert_eq!((page.names().collect::<Vec<_>>(), page.total()), (vec!["C", "D"], 5));
/// let next = secrets.page(page.next_page().unwrap());
/// assert_eq!(next.names().collect::<Vec<_>>(), ["E"]);
/// assert!(next.next_page().is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Paging {
    limit: usize,
    offset: usize,
}

impl Paging {
    /// At most so many secrets, from the first on. With a limit of zero a page is empty, has no next, and still tells the total.
    pub const fn limit(secrets: usize) -> Self {
        Self { limit: secrets, offset: 0 }
    }

    /// The same, without so many secrets at the start. Default 0. Past the end, pages are empty.
    pub const fn offset(mut self, secrets: usize) -> Self {
        self.offset = secrets;
        self
    }
}

/// Some of a snapshot's secrets, in order of their names; from [`Secrets::page`] or [`Secrets::pages`].
#[derive(Clone)]
pub struct SecretsPage<'s> {
    secrets: SecretsIter<'s>,
    total: usize,
    paging: Paging,
}

impl<'s> SecretsPage<'s> {
    /// How many secrets the whole snapshot has, of those that can be read.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many secrets a page has at most.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.paging.limit
    }

    /// How many secrets come before this page, as it was asked for: it may be more than there are.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.paging.offset
    }

    /// How many secrets the page has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether the page has no secrets.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.len() == 0
    }

    /// The names on the page, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'s str> + use<'s> {
        self.secrets.clone().map(|(name, _)| name)
    }

    /// Names and values on the page, in order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'s str, &'s SecretValue)> + use<'s> {
        self.secrets.clone()
    }

    /// What to ask for next; `None` after the last page.
    #[must_use]
    pub fn next_page(&self) -> Option<Paging> {
        let offset = self.paging.offset.checked_add(self.paging.limit)?;
        (self.paging.limit > 0 && offset < self.total).then_some(self.paging.offset(offset))
    }
}

impl fmt::Debug for SecretsPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsPage ")?;
        f.debug_map().entries(self.iter()).finish()
    }
}

/// All pages of a snapshot, one after the other; from [`Secrets::pages`].
#[derive(Clone)]
#[must_use = "an iterator gives nothing before it is asked"]
pub struct Pages<'s> {
    secrets: &'s Secrets,
    next: Option<Paging>,
}

impl<'s> Iterator for Pages<'s> {
    type Item = SecretsPage<'s>;

    fn next(&mut self) -> Option<SecretsPage<'s>> {
        let page = self.secrets.page(self.next.take()?);
        self.next = page.next_page();
        (!page.is_empty()).then_some(page)
    }
}

impl FusedIterator for Pages<'_> {}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Secrets {
    /// One page of the secrets that can be read, in order of the names. A snapshot never changes, so its pages fit together for
    /// as long as it is kept; another snapshot may have other names on them. Nothing is sent.
    pub fn page(&self, paging: Paging) -> SecretsPage<'_> {
        SecretsPage { secrets: self.range(paging.offset, paging.limit), total: self.len(), paging }
    }

    /// Every page, of at most `limit` secrets each: every secret that can be read is on exactly one. With a limit of zero, or
    /// without secrets, there is no page.
    ///
    /// ```
    /// use xtrasecurity::Secrets;
    ///
    /// let secrets = Secrets::from_iter([("A", "1"), ("B", "2"), ("C", "3")]);
    /// for page in secrets.pages(2) {
    ///     println!("{} of {}: {:?}", page.len(), page.total(), page.names().collect::<Vec<_>>());
    /// }
    /// ```
    pub fn pages(&self, limit: usize) -> Pages<'_> {
        Pages { secrets: self, next: Some(Paging::limit(limit)) }
    }
}
