//! The table of all cases, as it stands in `tests/README.md`.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const BEGIN: &str = "<!-- faults: begin -->";
const END: &str = "<!-- faults: end -->";
const HEAD: &str = "| What goes wrong | Case | The call | Time | Requests | An old snapshot is | The next call |\n\
                    |---|---|---|--:|--:|---|---|";

pub struct Row {
    pub family: String,
    pub case: String,
    pub outcome: String,
    pub took: Option<Duration>,
    pub requests: Option<u64>,
    pub old: String,
    pub next: String,
}

impl Row {
    /// Without the figures, which differ from run to run.
    fn words(&self) -> Vec<String> {
        [&self.family, &self.case, &self.outcome, &self.old, &self.next].into_iter().cloned().collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.took.map_or_else(String::new, |took| format!("{} ms", took.as_millis()));
        let requests = self.requests.map_or_else(String::new, |requests| requests.to_string());
        let Self { family, case, outcome, old, next, .. } = self;
        write!(f, "| {family} | {case} | {outcome} | {took} | {requests} | {old} | {next} |")
    }
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "README.md"].iter().collect()
}

/// Puts the rows into the document.
pub fn write(rows: &[Row]) {
    let text = fs::read_to_string(path()).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let lines: Vec<String> = rows.iter().map(Row::to_string).collect();
    fs::write(path(), format!("{before}{BEGIN}\n{HEAD}\n{}\n{END}{after}", lines.join("\n"))).unwrap();
}

/// The rows of the document, without their figures.
fn written() -> Vec<Vec<String>> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let table = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map_or("", |(table, _)| table);
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let words = |cells: Vec<String>| cells.into_iter().enumerate().filter(|(place, _)| !(3..=4).contains(place));
    rows.map(|line| words(cells(line)).map(|(_, cell)| cell).collect()).collect()
}

/// What the document lacks, and what it has too much.
pub fn differences(rows: &[Row]) -> Vec<String> {
    let (written, now): (Vec<_>, Vec<_>) = (written(), rows.iter().map(Row::words).collect::<Vec<_>>());
    let missing = now.iter().filter(|row| !written.contains(row)).map(|row| format!("+ {}", row.join(" | ")));
    let stray = written.iter().filter(|row| !now.contains(row)).map(|row| format!("- {}", row.join(" | ")));
    missing.chain(stray).collect()
}
