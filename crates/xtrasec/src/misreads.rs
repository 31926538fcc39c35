//! The secrets of a `.env` file that some of its readers take for other values, as they are told on standard error.

use xtrasecurity::dotenv::{Misread, Reader};

use crate::output;
use crate::text::all_quoted;

/// A line for each reader that misreads some, with all their names.
pub(crate) fn tell(misreads: &[Misread]) {
    for line in lines(misreads) {
        output::note(&line);
    }
}

fn lines(misreads: &[Misread]) -> Vec<String> {
    let mut readers: Vec<Reader> = misreads.iter().flat_map(|misread| misread.readers().iter().copied()).collect();
    readers.sort_unstable();
    readers.dedup();
    let line = |reader: Reader| {
        let names: Vec<&str> = misreads
            .iter()
            .filter(|misread| misread.readers().contains(&reader))
            .map(|misread| misread.name())
            .collect();
        format!("{reader} {} {}{}", fate(reader), all_quoted(&names), way_out(reader))
    };
    readers.into_iter().map(line).collect()
}

/// What such a reader does to them.
fn fate(reader: Reader) -> &'static str {
    match reader {
        Reader::Dotenvy => "reads other values for these, or stops at the first:",
        _ => "reads other values for these:",
    }
}

fn way_out(reader: Reader) -> &'static str {
    match reader {
        Reader::Shell => ". Its own format is --format shell",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtrasecurity::Secrets;

    #[test]
    fn each_reader_has_a_line_with_all_the_names_that_it_misreads_and_no_value() {
        let many = (0..30).map(|n| (format!("N{n:02}"), "${hunter2}".to_owned()));
        let one = [("DIR".to_owned(), "hunter2\\".to_owned()), ("FINE".to_owned(), "hunter2".to_owned())];
        let lines = lines(&Secrets::from_iter(many.chain(one)).dotenv_misreads());
        let [shell, python, dotenvy] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(shell, "a shell reads other values for these: \"DIR\". Its own format is --format shell");
        assert!(
            python.starts_with("python-dotenv reads other values for these: \"N00\", ") && python.contains("\"N29\"")
        );
        assert_eq!(dotenvy, "dotenvy reads other values for these, or stops at the first: \"DIR\"");
        assert!(!lines.concat().contains("hunter2") && !lines.concat().contains("FINE"));
    }

    #[test]
    fn nothing_is_said_where_every_reader_agrees() {
        assert!(lines(&Secrets::from_iter([("A", "it's"), ("B", "a b")]).dotenv_misreads()).is_empty());
    }
}
