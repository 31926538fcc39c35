//! The names of secrets that something happens to.

use clap::Args;

use crate::text::printable;

/// How many names of a kind are listed unless all are.
const SOME: usize = 20;

#[derive(Args)]
pub(crate) struct Verbosity {
    /// List all names, those of secrets that stay as they are too
    #[arg(long)]
    verbose: bool,
}

impl Verbosity {
    pub(crate) fn name_list(&self) -> NameList {
        if self.verbose { NameList::All } else { NameList::Some }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameList {
    Some,
    All,
}

impl NameList {
    /// A line for each name, and one that counts the rest.
    pub(crate) fn push(self, text: &mut String, sign: char, names: &[String]) {
        let most = if self == Self::All { usize::MAX } else { SOME };
        text.extend(names.iter().take(most).map(|name| format!("{sign} {}\n", printable(name))));
        if let Some(more @ 1..) = names.len().checked_sub(most) {
            text.push_str(&format!("{sign} … and {more} more (--verbose lists them)\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_some_are_listed_and_the_rest_counted() {
        let lines = |listing: NameList, count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("N{number}")).collect();
            let mut text = String::new();
            listing.push(&mut text, '+', &names);
            (text.lines().count(), text.lines().last().map(str::to_owned))
        };
        assert_eq!(lines(NameList::Some, 20), (20, Some("+ N19".to_owned())));
        assert_eq!(lines(NameList::Some, 25), (21, Some("+ … and 5 more (--verbose lists them)".to_owned())));
        assert_eq!(lines(NameList::All, 25), (25, Some("+ N24".to_owned())));
        assert_eq!(lines(NameList::Some, 0), (0, None));
    }
}
