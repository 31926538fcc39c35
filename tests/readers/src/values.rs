//! The values that every form and every reader is tried with.

/// A name and a value that something on the way could take for more than text.
pub const VALUES: &[(&str, &str)] = &[
    ("AMPERSAND", "a&b"),
    ("ANSI_C", "$'a\\nb'"),
    ("APOSTROPHE", "it's"),
    ("APOSTROPHE_ALONE", "'"),
    ("APOSTROPHE_AND_CR", "it's\r\nhere"),
    ("APOSTROPHE_AND_DOLLAR", "pa$$w'rd"),
    ("APOSTROPHE_AND_HASH", "touch F #it's"),
    ("APOSTROPHE_AND_LINES", "it's\nB='x y'\n# no comment"),
    ("APOSTROPHE_AND_PATH", "it's C:\\new\\table"),
    ("APOSTROPHE_AND_TICK", "it's `>F` here"),
    ("ARRAY", "(a b)"),
    ("ASSIGNMENT", "A=b; >F"),
    ("BACKSLASH", "\\"),
    ("BACKSLASH_AND_LINE", "a\\\nb"),
    ("BACKSLASH_AND_QUOTE", "a\\\"b"),
    ("BACKSLASH_AND_SPACE", "a\\ b"),
    ("BACKSLASHES", "\\\\server\\share"),
    ("BACKSLASHES_AT_END", "x\\\\\\\\"),
    ("BLANK", "   "),
    ("BOM", "\u{feff}bom"),
    ("BOTH_QUOTES", "a \"double\" and a 'single' one"),
    ("BOTH_QUOTES_AND_DIRECTORY", "it's \"C:\\dir\\"),
    ("BOTH_QUOTES_AND_LINES", "it's\n\"two\"\n"),
    ("BRACES", "{a,b} ${x:-y} {{ z }}"),
    ("BRACKETS", "[a-z]* ?"),
    ("CARRIAGE_RETURN", "\r"),
    ("COMMAND", "a $(>F) b"),
    ("COMMAND_AND_APOSTROPHE", "it's $(>F)"),
    ("COMMAND_BEFORE_APOSTROPHE", "$(>F) it's"),
    ("CONTROL", "bell\u{7} escape\u{1b}[31m vertical\u{b} unit\u{1f} del\u{7f} next\u{85} \u{1}"),
    ("CR_AT_END", "a\r"),
    ("CRLF", "one\r\ntwo\rthree\r\n"),
    ("DIRECTORY", "C:\\dir\\"),
    ("DIRECTORY_WITH_SPACE", "C:\\Program Files\\"),
    ("DOLLAR", "$"),
    ("DOLLAR_AT_END", "it's $"),
    ("EMPTY", ""),
    ("EQUALS", "=a=b==c="),
    ("ESCAPED", "x\" # escaped \"as in a shell\""),
    ("EVERY_QUOTE", "\"a\" 'b' `c` \\"),
    ("EVERY_QUOTE_AND_LINES", "\"a\" 'b' `c`\n#d"),
    ("EXCLAMATION", "wow! !! !x"),
    ("EXPORT", "export A=b"),
    ("GLOB", "*"),
    ("HASH", "# no comment # here"),
    ("HASH_INSIDE", "a#b"),
    ("HEREDOC", "EOF\nxtrasec_\nNAME<<EOF\n"),
    ("JSON", "{\"a\":\"b\",\"c\":[1,null]}"),
    ("JSON_AND_APOSTROPHE", "{\"a\":\"it's\"}"),
    ("JSON_OF_LINES", "{\n  \"type\": \"x\",\n  \"key\": \"a\\nb\"\n}\n"),
    ("JSON_WITH_SPACES", "{\"a\": \"it's\", \"b\": \"\\\"\"}"),
    ("KEY", "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n"),
    ("LINES", "\n\nline 1\nline 2\n\n"),
    ("LITERAL_ESCAPES", "a\\nb\\rc\\td\\\\e\\u0041"),
    ("LONG", ""),
    ("LONG_LINES", ""),
    ("NUL", "a\0b"),
    ("NUMBER", "0x1f"),
    ("PARAMETER", "$HOME $1 $$ $? $#"),
    ("PERCENT", "100%0A%25 %s %n %PATH%"),
    ("PIPE", "a | b > F < c"),
    ("PLACEHOLDER", "${HOME} ${NOPE:-x}"),
    ("PLACEHOLDER_AND_APOSTROPHE", "it's ${HOME}"),
    ("PLAIN", "postgres://u:p@db:5432/x?y=1"),
    ("QUOTED", "'q'"),
    ("QUOTED_DOUBLE", "\"q\""),
    ("QUOTES_AT_ENDS", "'a\" b'"),
    ("SEPARATORS", "a\u{2028}b\u{2029}c\u{202e}d"),
    ("SPACE_BEFORE", " x"),
    ("SPACE_BEHIND", "x "),
    ("TAB", "\ta\tb\t"),
    ("TICK", "`"),
    ("TICKS", "`>F`"),
    ("TILDE", "~/x:~/y"),
    ("UNICODE", "h\u{e9}llo \u{4f60}\u{597d} \u{1f680} \u{e000} \u{10ffff}"),
    ("UNICODE_BLANKS", "\u{a0}a\u{3000}"),
    ("YAML", "yes: [no, {null: ~}] - *a &b !c | > 0o17 1e3"),
    ("YAML_BOOLEAN", "no"),
    ("YAML_DATE", "2024-01-01"),
    ("dashed-name", "x"),
    ("dotted.name", "x y"),
];

/// What the generated values are put together from: everything that some reader gives a meaning to.
const PIECES: &[&str] = &[
    "'", "\"", "`", "\\", "\\n", "$", "$(>F)", "${X:-y}", "`>F`", " ", "\t", "\n", "\r", "#", " #", "=", ";>F;", "&",
    "|", "(", "<x", "x", "\u{a0}", "\u{1f}", "~", "!", "{", "}", "\nB=x\n", "*", "\u{feff}", "%0A",
];

/// Every value: the table with its long ones grown, and texts of two and three pieces.
pub fn values() -> Vec<(String, String)> {
    let long = |name: &str, value: &str| match name {
        "LONG" => "long' value ".repeat(10_000),
        "LONG_LINES" => format!("{}\n", "x".repeat(1_000)).repeat(100),
        _ => value.to_owned(),
    };
    let table = VALUES.iter().map(|(name, value)| ((*name).to_owned(), long(name, value)));
    let pairs = PIECES.iter().flat_map(|first| PIECES.iter().map(move |second| (first, second)));
    let generated = pairs.flat_map(|(first, second)| {
        [
            format!("{first}{second}"),
            format!("a{first}'{second}b"),
            format!("it's {first}\"{second}"),
            format!("x{first}y{second}"),
        ]
    });
    table.chain(generated.enumerate().map(|(at, value)| (format!("G{at:04}"), value))).collect()
}

/// Whether a name is one of the table.
pub fn is_in_table(name: &str) -> bool {
    VALUES.iter().any(|(known, _)| *known == name)
}
