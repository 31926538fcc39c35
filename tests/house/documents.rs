//! The documents for readers: what they show compiles, and what they link to is there.
//!
//! A block of Rust is one that stands, byte for byte, between `readme: begin` and `readme: end` in the example `readme`, or, about a
//! service that is off by default, in the tests of its page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: &[&str] = &[
    "README.md",
    "docs/from-python.md",
    "docs/from-secr.md",
    "docs/from-syvault.md",
    "docs/infisical.md",
    "docs/own-source.md",
];
/// Where what they show is compiled: what needs services that are off by default, with the tests of those.
const COMPILED: &[&str] =
    &["examples/readme", "tests/optional_services/infisical_page", "tests/optional_services/sdk_pages"];
const REPOSITORY: &str = "https://github.com/xtrasecurity/xtrasecurity-rs";
const DOCUMENTATION: &str = "https://docs.rs/xtrasecurity/latest/";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// A fenced block: what stands behind its fence, and its lines.
struct Block {
    language: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in document.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(_), true) => open = false,
            (Some(language), false) => {
                open = true;
                blocks.push(Block { language: language.to_owned(), text: String::new() });
            }
            (None, true) => {
                let block = blocks.last_mut().expect("an open block");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block has no end");
    blocks
}

/// The document without its blocks.
fn prose(document: &str) -> String {
    document.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// What the example shows, without the indentation of its place.
fn compiled() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in COMPILED.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap()) {
        let mut region: Option<(usize, String)> = None;
        for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            match (line.trim(), region.take()) {
                ("// readme: begin", None) => region = Some((line.len() - line.trim_start().len(), String::new())),
                ("// readme: end", Some((_, text))) => assert!(found.insert(text), "the same twice"),
                (_, Some((indentation, text))) => {
                    region = Some((indentation, format!("{text}{}\n", line.get(indentation..).unwrap_or_default())));
                }
                (_, None) => {}
            }
        }
        assert!(region.is_none(), "a region has no end");
    }
    found
}

#[test]
fn every_block_of_rust_is_one_that_compiles_and_hides_no_line() {
    let mut unseen = compiled();
    for document in DOCUMENTS {
        let text = read(document);
        let rust = blocks(&text).into_iter().filter(|block| block.language.starts_with("rust"));
        let mut count = 0;
        for Block { language, text } in rust {
            assert_eq!(language, "rust", "{document}: a word for rustdoc shows on other pages");
            assert!(
                !text.lines().any(|line| line == "#" || line.starts_with("# ")),
                "{document}: a hidden line:\n{text}"
            );
            assert!(unseen.remove(&text), "{document}: not among what is compiled, or twice:\n{text}");
            count += 1;
        }
        assert!(count > 3, "{document} shows {count} blocks");
    }
    assert!(unseen.is_empty(), "shown nowhere: {unseen:#?}");
}

/// The dependencies of the block of TOML below "Install".
fn installed() -> BTreeSet<String> {
    let blocks = blocks(&read("README.md"));
    let toml = blocks.iter().find(|block| block.language == "toml").expect("a block of TOML");
    let names = toml.text.lines().filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()));
    names.collect()
}

#[test]
fn what_the_readme_says_to_install_is_what_its_snippets_use() {
    let mut used = BTreeSet::new();
    for block in blocks(&read("README.md")).iter().filter(|block| block.language == "rust") {
        for line in block.text.lines().map(str::trim_start) {
            let path = line.strip_prefix("use ").or_else(|| line.strip_prefix("#[")).unwrap_or_default();
            let first = path.split_once("::").map(|(first, _)| first);
            used.extend(first.filter(|first| first.chars().all(char::is_alphanumeric)).map(str::to_owned));
        }
    }
    used.remove("std");
    assert_eq!(installed(), used);
}

/// The targets of the links of a text.
fn links(text: &str) -> Vec<&str> {
    let ends = text.match_indices("](").map(|(at, mark)| &text[at + mark.len()..]);
    let targets = ends.map(|rest| rest.split_once(')').expect("a link has an end").0);
    // what stands in quotation marks behind it is its title
    targets.map(|target| target.split_once(" \"").map_or(target, |(target, _)| target)).collect()
}

/// The anchors that GitHub makes of headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    headings.map(anchor).collect()
}

/// Whether a file is in the package, by the `include` of the manifest.
fn is_shipped(path: &str) -> bool {
    let manifest = read("Cargo.toml");
    let list = manifest.lines().find_map(|line| line.strip_prefix("include = [")).expect("a list of what is shipped");
    let mut patterns = list.trim_end_matches(']').split(',').map(|pattern| pattern.trim().trim_matches(['"', '/']));
    patterns.any(|pattern| path == pattern || path.starts_with(&format!("{pattern}/")))
}

/// The item and the method of a page of the documentation: `inject::Selection` and `allow_name`.
fn documented(page: &str) -> (String, Option<String>) {
    let (page, fragment) = page.split_once('#').map_or((page, None), |(page, fragment)| (page, Some(fragment)));
    let path = page.trim_end_matches("index.html").trim_end_matches('/').trim_end_matches(".html");
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    if let Some(last) = parts.last_mut() {
        *last = last.split_once('.').map_or(*last, |(_, name)| name);
    }
    let method = fragment.and_then(|fragment| fragment.split_once('.')).map(|(_, name)| name.to_owned());
    (parts.join("::"), method)
}

/// The public items, each with its lines.
fn public_items() -> BTreeMap<String, String> {
    let mut items: BTreeMap<String, String> = BTreeMap::new();
    let mut item = String::new();
    for line in read("tests/public_api.txt").lines() {
        if !line.starts_with(' ') {
            item = line.split(" (").next().unwrap_or_default().to_owned();
        }
        items.entry(item.clone()).or_default().push_str(&format!("{line}\n"));
    }
    items
}

#[test]
fn every_link_leads_to_something_that_is_there() {
    let items = public_items();
    for document in DOCUMENTS {
        let text = read(document);
        let prose = prose(&text);
        let below = Path::new(document).parent().unwrap();
        for link in links(&prose) {
            if let Some(anchor) = link.strip_prefix('#') {
                assert!(anchors(&prose).contains(anchor), "{document}: no heading for #{anchor}");
            } else if let Some(page) = link.strip_prefix(DOCUMENTATION) {
                let (item, method) = documented(page);
                let lines =
                    items.get(&item).unwrap_or_else(|| panic!("{document}: {link} is of no public item {item}"));
                let has =
                    |name: &String| lines.contains(&format!("fn {name}(")) || lines.contains(&format!("fn {name}<"));
                assert!(method.as_ref().is_none_or(has), "{document}: {link} is of no method");
            } else if let Some(path) = link.strip_prefix(REPOSITORY) {
                let path = path.trim_start_matches("/blob/main/").trim_start_matches("/tree/main/");
                assert!(root().join(path).exists(), "{document}: {link} is of no file");
            } else if !link.starts_with("https://") {
                let (page, anchor) = link.split_once('#').map_or((link, None), |(page, anchor)| (page, Some(anchor)));
                let path = below.join(page);
                assert!(root().join(&path).is_file(), "{document}: {link} leads nowhere");
                let is_heading = |anchor: &str| anchors(&read(&path)).contains(anchor);
                assert!(anchor.is_none_or(is_heading), "{document}: {link} is of no heading");
                assert!(is_shipped(&path.to_string_lossy()), "{document}: {link} is not in the package");
            }
        }
    }
}

/// The tests that a document links to, each with the name of its link's target: [`name`][file].
fn linked_tests(text: &str) -> Vec<(&str, &str)> {
    let starts = text.match_indices("[`").map(|(at, mark)| &text[at + mark.len()..]);
    let parted = starts.filter_map(|rest| {
        let (name, rest) = rest.split_once("`][")?;
        Some((name, rest.split_once(']')?.0))
    });
    parted.filter(|(name, _)| !name.contains(['\n', '`'])).collect()
}

#[test]
fn every_test_that_the_page_on_infisical_links_to_is_there_by_its_file_and_name() {
    let text = read("docs/infisical.md");
    let targets: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect();
    let mut used = BTreeSet::new();
    let linked = linked_tests(&text);
    for (name, target) in &linked {
        let link = targets.get(target).unwrap_or_else(|| panic!("{target} is no link"));
        let path = link.strip_prefix(REPOSITORY).and_then(|path| path.strip_prefix("/blob/main/"));
        let file = read(path.unwrap_or_else(|| panic!("{link} is of no file")));
        let (before, _) =
            file.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{link} has no test {name}"));
        let attribute = before.rsplit('\n').skip(1).find(|line| line.trim_start().starts_with("#["));
        assert!(attribute.is_some_and(|line| line.contains("test")), "{link}: {name} is no test");
        used.insert(*target);
    }
    assert!(linked.len() > 100, "{} tests", linked.len());
    assert_eq!(used, targets.into_keys().collect(), "links that lead from nowhere");
}

#[test]
fn every_tick_of_the_readme_is_a_test_that_is_there() {
    let text = read("README.md");
    let tests: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect();
    let ticks: Vec<_> =
        text.split("[✓][").skip(1).filter_map(|rest| rest.split_once(']')).map(|(tick, _)| tick).collect();
    for tick in &ticks {
        let link = tests.get(tick).unwrap_or_else(|| panic!("{tick} is no link"));
        let (link, name) = link.split_once(" \"").unwrap_or_else(|| panic!("{tick} names no test"));
        let file = link.strip_prefix(REPOSITORY).and_then(|path| path.strip_prefix("/blob/main/"));
        let (file, name) = (file.unwrap_or_else(|| panic!("{link} is of no file")), name.trim_end_matches('"'));
        // a test, one for any service, or a row of a macro that makes tests
        let held = |line: &str| {
            let rest = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("async ");
            rest.trim_start_matches("fn ").strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', '<', ':']))
        };
        assert!(read(file).lines().any(held), "{file} has no test {name}");
    }
    assert_eq!(
        ticks.iter().copied().collect::<BTreeSet<_>>(),
        tests.into_keys().collect(),
        "tests that no tick leads to"
    );
    assert!(ticks.len() > 50, "{} ticks", ticks.len());
}

#[test]
fn the_manifest_names_the_repository_that_the_documents_link_to() {
    assert!(read("Cargo.toml").contains(&format!("repository = \"{REPOSITORY}\"")));
    assert!(read("README.md").contains(&format!("git clone {REPOSITORY} ")));
}

/// The files of Rust below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// rustdoc shows the methods in the order of the modules.
#[test]
fn the_page_of_the_client_begins_with_how_one_is_made_and_read() {
    let first_module = |text: &str| {
        let mut words = text.lines().map(|line| line.trim_start_matches("pub(crate) ").trim_start_matches("pub "));
        words.find_map(|line| Some(line.strip_prefix("mod ")?.trim_end_matches(';').to_owned()))
    };
    assert_eq!(first_module(&read("src/lib.rs")).as_deref(), Some("services"));
    assert_eq!(first_module(&read("src/services/xtra/mod.rs")).as_deref(), Some("client"));
    let client = read("src/services/xtra/client/mod.rs");
    assert!(client.find("mod blocking;") > client.find("\nimpl<M> Client<Xtra, M> {"));
    let first = client.split("\nimpl<M> Client<Xtra, M> {").nth(1).unwrap();
    let names = first.split("    pub fn ").skip(1).map(|method| method.split(['<', '(']).next().unwrap());
    assert_eq!(names.take(3).collect::<Vec<_>>(), ["from_env", "builder", "get_secrets"]);
}

#[test]
fn every_group_of_the_clients_methods_has_a_heading() {
    let (mut files, mut groups) = (Vec::new(), 0);
    sources(&root().join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut comments: Vec<&str> = Vec::new();
        for line in text.lines() {
            if line.starts_with("///") {
                comments.push(line);
            } else if line.starts_with("impl") && line.contains(" Client<") && !line.contains(" for ") {
                let heading = comments.first().is_some_and(|line| line.starts_with("/// # "));
                assert!(heading, "{}: {line}", file.display());
                groups += 1;
            } else if !line.starts_with("#[") {
                comments.clear();
            }
        }
    }
    assert!(groups > 20, "{groups} groups");
}
