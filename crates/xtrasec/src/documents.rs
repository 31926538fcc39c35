//! The command lines of the README and of `docs/`: the parser takes each of them.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, Parser};

use crate::Cli;

const DOCUMENTS: &[&str] = &["README.md", "docs/from-python.md", "docs/infisical.md"];
/// The options of features that this build does not have.
const NOT_BUILT: &[&str] = match (cfg!(feature = "infisical"), cfg!(any(feature = "secr", feature = "syvault"))) {
    (true, _) => &[],
    (false, true) => &["path"],
    (false, false) => &["service", "path"],
};

fn read(document: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document)).unwrap()
}

/// The words of the command, up to a comment, a pipe or a redirection. No line of the documents quotes a word; a file may be the
/// output of another command, `<(…)`.
fn words(line: &str) -> Vec<&str> {
    let mut inside = false;
    let words = line.split_whitespace().take_while(|word| !["#", "|", ">", "<"].contains(word));
    words
        .filter(|word| {
            let begins = word.starts_with("<(");
            let is_rest = inside && !begins;
            inside = (inside || begins) && !word.ends_with(')');
            !is_rest
        })
        .collect()
}

#[test]
fn every_command_line_of_a_console_block_is_one_that_the_parser_takes() {
    let mut count = 0;
    for document in DOCUMENTS {
        let text = read(document);
        for block in text.split("\n```console\n").skip(1) {
            let lines = block.split("\n```").next().unwrap_or_default().lines();
            for line in lines.filter_map(|line| line.strip_prefix("$ ")).filter(|line| line.starts_with("xtrasec ")) {
                if let Err(error) = Cli::try_parse_from(words(line)) {
                    panic!("{document}: {line}\n{error}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} lines");
}

#[test]
fn every_command_and_option_that_the_prose_names_exists() {
    let command = Cli::command();
    let has = |command: &clap::Command, option: &str| {
        command.get_arguments().any(|argument| argument.get_long() == option.split('=').next())
    };
    for document in DOCUMENTS {
        for code in read(document).split('`').skip(1).step_by(2).filter(|code| !code.contains('\n')) {
            let mut words = code.split_whitespace();
            match words.next() {
                Some("xtrasec") => {
                    let name = words.next().unwrap();
                    let verb = command.find_subcommand(name).unwrap_or_else(|| panic!("{document}: `{code}`"));
                    for option in words.filter_map(|word| word.strip_prefix("--")).filter(|option| !option.is_empty()) {
                        assert!(has(verb, option) || has(&command, option), "{document}: `{code}`");
                    }
                }
                Some(word) if word.len() > 2 && word.starts_with("--") => {
                    let option = word.trim_start_matches("--");
                    let known = command.get_subcommands().any(|verb| has(verb, option)) || has(&command, option);
                    assert!(known || NOT_BUILT.contains(&option), "{document}: `{code}`");
                }
                _ => {}
            }
        }
    }
}
