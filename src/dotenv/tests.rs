//! Tests of the `.env` format: what is written is read back, and what a shell would read otherwise is refused.

use super::write::Assignment;
use super::*;

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = Document::parse(text).into_pairs().unwrap();
    pairs.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
}

fn value(text: &str) -> String {
    let pairs = pairs(text);
    assert_eq!((pairs.len(), pairs[0].0.as_str()), (1, "A"), "{text:?}");
    pairs[0].1.clone()
}

fn flaw(text: &str) -> String {
    let flaws = Document::parse(text).flaws;
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    flaws[0].to_string()
}

#[test]
fn assignments_are_read_as_node_reads_them() {
    for (text, expected) in [
        ("A=b", "b"),
        ("A=b c\n", "b c"),
        ("  A = b  ", "b"),
        ("export A=b", "b"),
        ("export\tA=b", "b"),
        ("A=", ""),
        ("A=''", ""),
        ("A=\n# comment", ""),
        ("A=b # comment", "b"),
        ("A= # comment", ""),
        ("A=b=c==", "b=c=="),
        ("A==", "="),
        ("A=it's", "it's"),
        ("A={\"b\": \"c\"}", "{\"b\": \"c\"}"),
        ("A=b\\nc", "b\\nc"),
        ("A='b\\nc'", "b\\nc"),
        ("A=`b\\nc`", "b\\nc"),
        ("A=\"b\\nc\\rd\"", "b\nc\rd"),
        ("A=\"b\\tc\\\\d\"", "b\\tc\\\\d"),
        ("A=\"b\\\\nc\"", "b\\\nc"),
        ("A='  b '", "  b "),
        ("A='b # c' # comment", "b # c"),
        ("A='b'#comment", "b"),
        ("A=`'b' \"c\"`", "'b' \"c\""),
        ("A=\"'b'\"", "'b'"),
        ("A='b\nc\n'", "b\nc\n"),
        ("A=C:\\dir\\", "C:\\dir\\"),
        ("A=\u{a0}b\u{feff}", "b"),
        ("A=\u{e4}\u{1f511}", "\u{e4}\u{1f511}"),
    ] {
        assert_eq!(value(text), expected, "{text:?}");
    }
}

#[test]
fn nothing_is_expanded() {
    for text in ["A=$HOME", "A='$HOME'", "A=\"$HOME\"", "A=\"${HOME}\\$x\""] {
        assert!(value(text).contains('$'), "{text}");
    }
    assert_eq!(value("A=pa$$word"), "pa$$word");
}

#[test]
fn line_ends_of_every_kind_and_a_byte_order_mark_are_no_part_of_a_value() {
    for text in ["\u{feff}A=1\r\nB='x\r\ny'\r\n\r\nC=3", "A=1\rB='x\ry'\r\rC=3\r", "A=1\nB='x\ny'\n\nC=3\n"] {
        let expected = [("A", "1"), ("B", "x\ny"), ("C", "3")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(pairs(text), expected, "{text:?}");
    }
}

#[test]
fn names_are_those_that_node_takes_and_export_may_be_one() {
    for name in ["a", "A_B", "a.b", "a-b", "1", "export", "exported"] {
        assert_eq!(pairs(&format!("{name} = v"))[0].0, name);
    }
    assert_eq!(pairs("export export=v")[0].0, "export");
}

#[test]
fn what_is_no_assignment_is_named_by_its_line_and_not_quoted() {
    for line in ["hunter2", "A: hunter2", "=hunter2", "A B=hunter2", "\u{e4}=hunter2", "source hunter2", "'A'=hunter2"]
    {
        let text = format!("\n# comment\n{line}\nB=1");
        let flaw = flaw(&text);
        assert!(flaw.starts_with("line 3: it is no comment") && !flaw.contains("hunter2"), "{line}: {flaw}");
    }
}

#[test]
fn a_quote_that_is_not_closed_is_named_by_the_line_that_it_opened_on() {
    for quote in QUOTES {
        assert!(flaw(&format!("B='x\ny'\nA={quote}hunter2\n\nC=1\n")).starts_with("line 3: the quote that opens"));
    }
}

#[test]
fn what_readers_understand_in_different_ways_is_refused() {
    for (text, expected) in [
        ("A=hunter#2", "`#` in a value without quotes"),
        ("A=#hunter2", "`#` in a value without quotes"),
        ("A='hunter'2'", "text after the closing quote"),
        ("A='hunter2' x # y", "text after the closing quote"),
        ("A='it\\'s'", "a backslash before a quote"),
        ("A=\"a \\\"hunter2\\\"\"", "a backslash before a quote"),
        ("A='C:\\dir\\'\nB='#x'", "a backslash before a quote"),
    ] {
        let flaw = flaw(text);
        assert!(flaw.starts_with("line 1: ") && flaw.contains(expected) && !flaw.contains("hunter"), "{text}: {flaw}");
    }
}

#[test]
fn escapes_of_a_shell_are_read_where_the_comment_says_so_and_nowhere_else() {
    let comment = "# escaped \"as in a shell\"";
    assert_eq!(value(&format!(r#"A="\"\\\$\`\"'x" {comment}"#)), "\"\\$`\"'x");
    assert_eq!(value(&format!("A=\"\" {comment}\r\n")), "");
    for text in [r#"A="\"x""#, r#"A="\"x" # escaped"#, r#"A="\"x\n" # escaped "as in a shell""#] {
        assert!(!Document::parse(text).flaws.is_empty(), "{text}");
    }
    assert_eq!(value(&format!(r#"A='\\x' {comment}"#)), "\\\\x");
}

#[test]
fn a_name_that_comes_twice_is_refused_with_both_lines() {
    let flaw = flaw("A='x\ny'\nB=1\nexport A=2\n");
    assert!(flaw.starts_with("line 4: ") && flaw.contains("line 1 gives already"), "{flaw}");
    // also with the same value: who reads the file cannot tell which one was meant to change
    assert_eq!(lines("A=1\nA=1"), [2]);
    assert_eq!(lines("A=1\na=2"), [0; 0]);
}

/// The lines that something is wrong with.
fn lines(text: &str) -> Vec<usize> {
    Document::parse(text).flaws.iter().map(Flaw::line).collect()
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line_and_the_rest_is_read() {
    assert_eq!(lines("A=a#b\nB=#x\nexport C\nD=\"x\" y\n"), [1, 2, 3, 4]);
    let text = "OK=1\nA='open\nB=\"b\"\nB=2\n?\nC='l1\nl2' x\nD=d#e\n\nOK=\"3\nEND=1\n";
    assert_eq!(lines(text), [2, 4, 5, 6, 8, 10, 10], "the next quote of the kind opens the value of line 6");
    let text = "A=\"open\nB=\"b\"\nC=1\nA=2\nD='open\nE=\"x\" y\nF=1";
    assert_eq!(lines(text), [1, 4, 5, 6]);
    let names: Vec<_> = Document::parse(text).entries.into_iter().map(|entry| (entry.name, entry.line)).collect();
    assert_eq!(names, [("B".to_owned(), 2), ("C".to_owned(), 3), ("F".to_owned(), 7)]);
    assert_eq!(lines("A='l1\nl2' x\nB=1\nB=2"), [1, 4], "what follows a value of several lines");
    assert_eq!(lines("A=1\nA=x#y"), [2, 2]);
    assert_eq!(lines(&"?\n".repeat(100_000)).len(), MOST_FLAWS);
    let error = Secrets::from_dotenv("A=a#b\nhunter2\n").unwrap_err().to_string();
    assert!(error.contains("line 1: ") && error.contains("; line 2: ") && !error.contains("hunter2"), "{error}");
}

/// Values that a careless writer breaks.
const NASTY: &[&str] = &[
    "",
    " ",
    "plain",
    "two words",
    " leading and trailing ",
    "it's",
    "say \"x\"",
    "`tick`",
    "it's \"both\"",
    "it's 'both' \"'",
    "a \"double\" and a 'single' one",
    "' \" ` $(x) \\",
    "('\"`",
    "ends in \\",
    "it's `both`",
    "\"a\" `b`",
    "\\",
    "\\\\",
    "\\n",
    "it's a \\n",
    "line\nline",
    "line\r\nline",
    "\r",
    "\\\r",
    "'\r",
    "\n",
    "#",
    "a#b",
    "a #b",
    "$HOME ${HOME} $$",
    "!history",
    "=",
    "a=b",
    "\t",
    "\u{feff}",
    "\u{85}",
    "\u{a0}\u{2028}x",
    "a\u{2028}'b'",
    "\u{e4}\u{1f511}",
    "{\"json\": \"it has \\\"quotes\\\"\"}",
    "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n",
    "C:\\dir\\",
    "it's `a` \\n",
    "'quoted'",
];

/// The value as it stands behind the `=`, with the guard below it.
fn written(value: &str) -> Option<String> {
    let mut text = String::new();
    Assignment::of("A", value)?.push_to(&mut text);
    Some(text.strip_prefix("A=").unwrap().strip_suffix('\n').unwrap().to_owned())
}

#[test]
fn what_is_written_is_read_back_exactly() {
    let named: Vec<_> = NASTY.iter().enumerate().map(|(at, value)| (format!("K{at:02}"), *value)).collect();
    let text = Secrets::from_iter(named.clone()).to_dotenv().unwrap();
    let read = Secrets::from_dotenv(text.expose()).unwrap();
    assert_eq!(read.len(), named.len());
    for (name, value) in named {
        assert_eq!(read.require(&name).unwrap().expose(), value, "{name} {value:?}");
        let alone = format!("A={}", written(value).unwrap());
        assert_eq!(Document::parse(&alone).entries[0].value.expose(), value, "{alone:?}");
    }
}

#[test]
fn every_short_text_of_awkward_characters_is_read_back_exactly_or_refused() {
    const AWKWARD: [char; 10] = ['\'', '"', '`', '\\', 'n', 'r', '\n', '\r', '#', ' '];
    let mut texts = vec![String::new()];
    let mut refused = 0;
    for length in 0..5 {
        for text in &texts {
            match written(text) {
                Some(written) => assert_eq!(value(&format!("A={written}\n#'\"`\n")), *text, "{written:?}"),
                None => refused += 1,
            }
        }
        if length < 4 {
            texts = texts.iter().flat_map(|text| AWKWARD.map(|last| format!("{text}{last}"))).collect();
        }
    }
    assert!(refused > 0 && refused < 4500, "{refused}");
}

#[test]
fn what_no_form_gives_back_or_a_shell_would_run_is_refused_by_name() {
    let secrets = Secrets::from_iter([
        ("ALL", "' \" ` hunter2\n"),
        ("FINE", "1"),
        ("ESCAPED", "it's \\n\nhunter2"),
        ("END", "hunter2\n\\"),
        ("EXPANDED", "it's\n$(hunter2)"),
        ("TICK", "`\r'hunter2"),
        ("NUL", "hunter2\0"),
        ("A B", "hunter2"),
        ("", "hunter2"),
        ("X=Y\n", "hunter2"),
    ]);
    let error = secrets.to_dotenv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let names = ["", "A B", "ALL", "END", "ESCAPED", "EXPANDED", "NUL", "TICK", "X=Y\n"];
    assert_eq!(error.names(), names);
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn the_form_is_the_one_that_most_readers_share() {
    for (value, expected) in [
        ("8080", "8080"),
        ("postgres://u:p@db:5432/x", "postgres://u:p@db:5432/x"),
        ("a b", "'a b'"),
        ("$x", "'$x'"),
        ("`x`", "'`x`'"),
        ("", "''"),
        ("it's", "\"it's\""),
        ("touch F #it's", "\"touch F #it's\""),
        ("it's\nx", "\"it's\nx\""),
        // single quotes would lose a backslash for python-dotenv, double ones for all but node
        ("\\\\x", "'\\\\x'"),
        // a shell would join the next line to it
        ("C:\\dir\\", "C:\\dir\\\n#"),
        // and would look for the quote that closes it
        ("it's \"x\"", "it's \"x\"\n#'"),
        ("a\rb", "\"a\\rb\""),
        // as it stands, a shell would run it
        ("a \"b\" 'c'\\", r#""a \"b\" 'c'\\" # escaped "as in a shell""#),
    ] {
        assert_eq!(written(value).unwrap(), expected);
    }
}

#[test]
fn what_only_some_readers_take_as_it_is_is_told_by_name_and_stands_last() {
    use super::Reader::{Dotenvy, Node, NodeDotenv, PythonDotenv, Shell};
    let secrets = Secrets::from_iter([
        ("APOSTROPHE", "it's"),
        ("BACKSLASHES", "\\\\x"),
        ("CR", "a\rb"),
        ("DIR", "C:\\dir\\"),
        ("DOLLAR", "it's $x"),
        ("PLACEHOLDER", "${x}"),
        ("PLAIN", "1"),
        ("QUOTES", "a \"b\" 'c'"),
        ("a-b", "1"),
        ("a.b", "1"),
    ]);
    let misreads = secrets.dotenv_misreads();
    let told: Vec<_> = misreads.iter().map(|misread| (misread.name(), misread.readers())).collect();
    assert_eq!(
        told,
        [
            ("BACKSLASHES", &[PythonDotenv][..]),
            ("CR", &[Shell, Node, Dotenvy]),
            ("DIR", &[Shell, Dotenvy]),
            ("DOLLAR", &[Shell, Dotenvy]),
            ("PLACEHOLDER", &[PythonDotenv]),
            ("QUOTES", &[Node, NodeDotenv]),
            ("a-b", &[Shell, Dotenvy]),
            ("a.b", &[Shell]),
        ]
    );
    let text = secrets.to_dotenv().unwrap();
    let names: Vec<_> = text.expose().lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(
        names,
        ["APOSTROPHE", "PLAIN", "BACKSLASHES", "PLACEHOLDER", "QUOTES", "a.b", "CR", "DIR", "DOLLAR", "a-b"]
    );
}

/// The values of `names` after a shell has sourced the text, or `None` when it is not installed. Nothing else may happen.
fn sourced(shell: &str, text: &str, names: &[String]) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("env");
    std::fs::write(&file, text).unwrap();
    let printed = names.iter().map(|name| format!("printf '%s\\0' \"${name}\"; ")).collect::<String>();
    let mut command = std::process::Command::new(shell);
    command.args(["-c", &format!(". ./env; {printed}")]).current_dir(&directory);
    // nothing that a value names can be found, and what is written is seen
    let output = match command.env_clear().env("PATH", "/nowhere").output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell} {text}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1, "{shell} has made a file: {text}");
    let printed = String::from_utf8_lossy(&output.stdout);
    Some(printed.split_terminator('\0').map(str::to_owned).collect())
}

#[test]
fn a_shell_runs_nothing_and_reads_every_value_that_is_not_told_of() {
    let mut values: Vec<String> = NASTY.iter().map(|value| (*value).to_owned()).collect();
    let pieces = [
        "'", "\"", "`>F`", "$(>F)", "${x:=y}", "\\", " >F ", ";>F;", "&", "|", "(", "<", "x", "\n", "\r", "$x", "$'",
        "~",
    ];
    for first in pieces {
        for second in pieces {
            values.extend([
                format!("{first}{second}"),
                format!("it's {first}{second}"),
                format!("x\"'{first}{second}"),
            ]);
            values.extend([format!("{first}\"{second}'"), format!("x'\"{first}'{second}")]);
        }
    }
    let named = values.into_iter().filter(|value| written(value).is_some());
    let mut named: Vec<(String, String)> = named.enumerate().map(|(at, value)| (format!("K{at:04}"), value)).collect();
    // whatever stands above it, the last one is there
    named.push(("Z".to_owned(), "z".to_owned()));
    let secrets = Secrets::from_iter(named.clone());
    let told: Vec<String> = secrets
        .dotenv_misreads()
        .iter()
        .filter(|misread| misread.readers().contains(&Reader::Shell))
        .map(|misread| misread.name().to_owned())
        .collect();
    let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    // all in one file, in the order of the names: each line has every other one below it
    let all = secrets.to_dotenv().unwrap();
    let in_order: String = named.iter().map(|(name, value)| format!("{name}={}\n", written(value).unwrap())).collect();
    for shell in ["bash", "dash", "sh"].map(|name| format!("/bin/{name}")) {
        for text in [all.expose(), &in_order] {
            let Some(read) = sourced(&shell, text, &names) else { continue };
            for ((name, value), read) in named.iter().zip(read) {
                assert!(read == *value || told.contains(name), "{shell} {name} {value:?} {read:?}");
            }
        }
    }
}
