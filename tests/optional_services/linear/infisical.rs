//! Calls that an Infisical answers with very much.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use xtrasecurity::ErrorKind;
use xtrasecurity::infisical::InfisicalClient;

use crate::answering;
use crate::measure::Row;

const PROJECT: &str = "7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80";

pub fn rows() -> Vec<Row> {
    [reads(), lists(), writes(), refusals()].into_iter().flatten().collect()
}

fn client_of(answer: impl Fn(&str, &[u8]) -> (u16, Arc<String>) + Send + Sync + 'static) -> InfisicalClient {
    let builder = InfisicalClient::builder().base_url(answering::start(answer)).token("a-token").project_id(PROJECT);
    builder.call_timeout(Duration::from_secs(300)).max_retries(0).no_proxy().build().expect("a client")
}

/// A body that every request gets, with a status.
fn always(status: u16, body: &Value) -> InfisicalClient {
    let body = Arc::new(body.to_string());
    client_of(move |_, _| (status, Arc::clone(&body)))
}

fn run<T>(runtime: &Runtime, call: impl Future<Output = T>) -> T {
    runtime.block_on(call)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Names in order, all of one length.
fn names(n: usize) -> impl Iterator<Item = String> {
    (0..n).map(|number| format!("NAME_{number:07}"))
}

fn row(name: &str, value: &str) -> Value {
    json!({ "secretKey": name, "secretValue": value, "environment": "dev", "version": 1, "tags": [{ "slug": "net" }] })
}

fn of_rows(rows: &[Value]) -> InfisicalClient {
    always(200, &json!({ "secrets": rows, "imports": [] }))
}

/// What a snapshot of `dev` measures, with this many values in it.
fn snapshot(client: InfisicalClient, values: usize) -> Box<dyn FnMut()> {
    let runtime = runtime();
    Box::new(move || {
        let read = client.get_secrets("dev").recursive().allow_unreadable().no_cache();
        assert_eq!(run(&runtime, read.send()).unwrap().len(), values);
    })
}

fn reads() -> Vec<Row> {
    vec![
        Row {
            name: "get_secrets of n rows",
            n: 2_000,
            make: |n| snapshot(of_rows(&names(n).map(|name| row(&name, "v")).collect::<Vec<_>>()), n),
        },
        Row {
            name: "get_secrets of n rows of one name",
            n: 3_000,
            make: |n| snapshot(of_rows(&vec![row("A", "v"); n]), 0),
        },
        Row {
            name: "get_secrets of a name in n folders",
            n: 3_000,
            make: |n| {
                let of = |folder: String| json!({ "secretKey": "A", "secretValue": "v", "secretPath": folder });
                snapshot(of_rows(&names(n).map(|name| of(format!("/{name}"))).collect::<Vec<_>>()), 0)
            },
        },
        Row {
            name: "get_secrets of n imports",
            n: 3_000,
            make: |n| {
                let blocks: Vec<Value> = names(n).map(|name| json!({ "secrets": [row(&name, "v")] })).collect();
                snapshot(always(200, &json!({ "secrets": [], "imports": blocks })), n)
            },
        },
        Row {
            name: "get_secrets of n imports of one name",
            n: 3_000,
            make: |n| {
                let blocks = vec![json!({ "secrets": [row("A", "v"), row("A", "w")] }); n];
                snapshot(always(200, &json!({ "secrets": [], "imports": blocks })), 1)
            },
        },
        Row {
            name: "get_secrets of a value of n bytes",
            n: 500_000,
            make: |n| snapshot(of_rows(&[row("A", &"v".repeat(n))]), 1),
        },
        Row {
            name: "get_secrets of a value of n references that are left",
            n: 50_000,
            make: |n| {
                let client = of_rows(&[row("A", &"${B}".repeat(n / 4))]);
                let runtime = runtime();
                Box::new(move || {
                    drop(black_box(run(&runtime, client.get_secrets("dev").allow_unreadable().no_cache().send())))
                })
            },
        },
        Row {
            name: "get_secrets of a row with n members that nobody knows",
            n: 5_000,
            make: |n| {
                let mut known = row("A", "v");
                names(n).for_each(|name| known[name] = json!([[{ "a": null }]]));
                snapshot(of_rows(&[known]), 1)
            },
        },
        Row {
            name: "get_secret of a row with n tags and metadata",
            n: 3_000,
            make: |n| {
                let mut known = row("A", "v");
                known["tags"] = names(n).map(|name| json!({ "slug": name })).collect();
                known["secretMetadata"] = names(n).map(|name| json!({ "key": name, "value": "v" })).collect();
                let (client, runtime) = (always(200, &json!({ "secret": known })), runtime());
                Box::new(move || {
                    drop(black_box(run(&runtime, client.get_secret("dev", "A").no_cache().send()).unwrap()))
                })
            },
        },
    ]
}

fn lists() -> Vec<Row> {
    vec![
        Row {
            name: "list_secrets of n rows",
            n: 2_000,
            make: |n| {
                let (client, runtime) = (of_rows(&names(n).map(|name| row(&name, "v")).collect::<Vec<_>>()), runtime());
                Box::new(move || assert_eq!(run(&runtime, client.list_secrets("dev").send()).unwrap().len(), n))
            },
        },
        Row {
            name: "list_kms_keys of n keys in pages that are longer than was asked for",
            n: 3_000,
            make: |n| {
                let keys: Vec<Value> = names(n).map(|name| json!({ "id": name, "name": name })).collect();
                let (client, runtime) = (always(200, &json!({ "keys": keys, "totalCount": n })), runtime());
                Box::new(move || assert_eq!(run(&runtime, client.list_kms_keys().send()).unwrap().len(), n))
            },
        },
    ]
}

fn writes() -> Vec<Row> {
    vec![Row {
        name: "set_secrets of n names",
        n: 1_000,
        make: |n| {
            let written: Vec<Value> = names(n).map(|name| row(&name, "v")).collect();
            let written = Arc::new(json!({ "secrets": written }).to_string());
            let none = Arc::new(json!({ "secrets": [] }).to_string());
            let client =
                client_of(move |line, _| (200, if line.starts_with("GET") { &none } else { &written }.clone()));
            let runtime = runtime();
            Box::new(move || {
                let written =
                    run(&runtime, client.set_secrets("dev", names(n).map(|name| (name, "v"))).send()).unwrap();
                assert_eq!(written.created.len(), n);
            })
        },
    }]
}

/// What a read that is refused so measures.
fn refused(status: u16, body: &Value, kind: ErrorKind) -> Box<dyn FnMut()> {
    let (client, runtime) = (always(status, body), runtime());
    Box::new(move || {
        assert_eq!(run(&runtime, client.get_secrets("dev").no_cache().send()).unwrap_err().kind(), kind);
    })
}

fn refusals() -> Vec<Row> {
    vec![
        Row {
            name: "a read refused with n issues",
            n: 5_000,
            make: |n| {
                let issue = json!({ "code": "invalid_type", "path": ["environment"], "message": "Required" });
                let body = json!({ "statusCode": 422, "error": "ValidationFailure", "message": vec![issue; n] });
                refused(422, &body, ErrorKind::Invalid)
            },
        },
        Row {
            name: "a read refused with a sentence of n bytes",
            n: 200_000,
            make: |n| {
                let body =
                    json!({ "statusCode": 404, "error": "NotFound", "message": "Secret with name '".repeat(n / 18) });
                refused(404, &body, ErrorKind::NotFound)
            },
        },
        Row {
            name: "a read refused with a word of n bytes and n details",
            n: 20_000,
            make: |n| {
                let details: Vec<Value> = names(n / 10).map(|name| json!({ "name": name })).collect();
                let body = json!({ "statusCode": 403, "error": "a b".repeat(n), "message": "x", "details": details });
                refused(403, &body, ErrorKind::Forbidden)
            },
        },
    ]
}
