//! The place where each recorded write is replayed.

use std::collections::BTreeMap;

use crate::recorded::replay::{Recording, names};
use crate::replay_writes::upserts;

/// Other tests that answer recordings again. Each of them holds that everything that it names is replayed; what it names
/// *not* to be is cut out here.
const ROWS: &str = include_str!("../replay_rows.rs");
const MANAGE: &str = include_str!("../replay_manage.rs");
const RAW: &str = include_str!("../replay_raw.rs");
const RAW_OPERATIONS: &str = include_str!("../recorded/raw_operations.rs");

/// What only the raw client sends, or nobody does, and why; by what the names begin with.
const NOT_OF_THE_CLIENT: [(&str, &str); 31] = [
    ("access-request-create", "access is asked for by the command's route"),
    ("access-request-invalid-status", "only the known decisions are sent"),
    ("api-key-delete", "keys of users are a matter of the dashboard"),
    ("audit-cli-logs-", "the log of the vendor's command"),
    ("audit-export-", "the export covers everybody's data"),
    ("branch-clear-route", "a branch is cleared by the other route, which is open to more callers"),
    ("branch-create-malformed-project", "refused before it is sent"),
    ("branch-create-non-json", "JSON is sent"),
    ("branch-delete-no-id", "an id is always sent"),
    ("cli-login-", "the login of the vendor's command"),
    ("jit-claim-missing", "a token is always sent"),
    ("jit-generate-missing", "a project is always sent"),
    ("jit-generate-no-duration", "a duration is always sent"),
    ("legacy-secret-create", "`set_secret` does it without a second row"),
    ("legacy-secret-update", "`set_secret` does it"),
    ("project-create-no-name", "a name is always sent"),
    ("project-create-no-workspace", "a workspace is always sent"),
    ("redis-legacy-secret-create", "`set_secret` does it without a second row"),
    ("route-method-", "no such method on the route"),
    ("route-trailing-slash-post", "no slash is sent at the end"),
    ("route-unknown-post", "no such route"),
    ("sa-create-no-name", "a name is always sent"),
    ("sa-key-create-no-body", "a body is always sent"),
    ("sa-resolve-post", "no such method on the route"),
    ("secret-bulk-", "`set_secrets` does it without plain text in the history"),
    ("secret-copy", "it corrupts values"),
    ("secret-patch", "no such method on the route"),
    ("secret-post", "no such method on the route"),
    ("secret-promote", "always refused"),
    ("secret-share-", "shares are a matter of the dashboard"),
    ("webhook-", "webhooks are a matter of the dashboard"),
];

/// Where a write is replayed, the client before the raw client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// To the methods that set secrets.
    Upserts,
    /// To the methods that delete, roll back, rotate, link and clone.
    Rows,
    /// To the methods of management.
    Management,
    /// To the operation of the raw client alone.
    Raw,
    /// To some operation of the raw client: the answer is a refusal, and no operation sends the request.
    RawRefusal,
    Nowhere,
}

/// The text of a file without one of its tables.
fn without(text: &str, table: &str) -> String {
    let start = text.find(&format!("const {table}: ")).unwrap_or_else(|| panic!("no {table}"));
    let end = start + text[start..].find("];\n").unwrap();
    format!("{}{}", &text[..start], &text[end..])
}

fn table<'a>(text: &'a str, name: &str) -> &'a str {
    let start = text.find(&format!("const {name}: ")).unwrap_or_else(|| panic!("no {name}"));
    &text[start..start + text[start..].find("];\n").unwrap()]
}

fn is_write(name: &str) -> bool {
    !["GET", "HEAD", "OPTIONS"].contains(&Recording::load(name).method.as_str())
}

fn place_of(name: &str) -> Where {
    let quoted = format!("\"{name}\"");
    let names = |text: &str| text.contains(&quoted);
    match () {
        () if upserts::replayed().contains(&name) => Where::Upserts,
        () if names(&without(ROWS, "NOT_REPLAYED")) => Where::Rows,
        () if !names(table(MANAGE, "NOT_REPLAYED")) && names(MANAGE) => Where::Management,
        () if names(RAW_OPERATIONS) => Where::Raw,
        () if names(table(RAW, "NO_OPERATION")) => Where::RawRefusal,
        () => Where::Nowhere,
    }
}

#[test]
fn every_recorded_write_is_replayed_somewhere_or_listed_with_the_reason() {
    let writes: Vec<String> = names().into_iter().filter(|name| is_write(name)).collect();
    let mut counts: BTreeMap<Where, usize> = BTreeMap::new();
    for name in &writes {
        let place = place_of(name);
        *counts.entry(place).or_default() += 1;
        let reason = NOT_OF_THE_CLIENT.iter().find(|(start, _)| name.starts_with(start)).map(|(_, reason)| *reason);
        println!("{name}: {place:?}{}", reason.map(|reason| format!(" ({reason})")).unwrap_or_default());
        let is_of_the_client = matches!(place, Where::Upserts | Where::Rows | Where::Management);
        assert_eq!(reason.is_none(), is_of_the_client, "{name}: {place:?}");
        let is_left_out = name.starts_with("secret-copy") && Recording::load(name).status < 300;
        assert_eq!(place == Where::Nowhere, is_left_out, "{name} is replayed nowhere");
    }
    println!("{} writes were recorded: {counts:?}", writes.len());
    let expected = [
        (Where::Upserts, 38),
        (Where::Rows, 37),
        (Where::Management, 44),
        (Where::Raw, 44),
        (Where::RawRefusal, 21),
        (Where::Nowhere, 4),
    ];
    assert_eq!((writes.len(), counts), (188, expected.into()));
}

#[test]
fn no_reason_is_given_for_what_was_not_recorded() {
    let writes: Vec<String> = names().into_iter().filter(|name| is_write(name)).collect();
    for (start, _) in NOT_OF_THE_CLIENT {
        assert!(writes.iter().any(|name| name.starts_with(start)), "{start}");
    }
}
