//! Calls that a service answers with very much.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use xtrasecurity::xtra::XtraScope;
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, OfflineKey, OfflineOptions, SecretSource, XtraClient, XtraError,
    source::{Identity, KeyWriter, Loaded},
};

use super::names;
use crate::measure::Row;
use crate::peer::{PROJECT, builder_of, client_of};

pub fn rows() -> Vec<Row> {
    let mut rows = reads();
    rows.extend(writes());
    rows.extend(refusals());
    rows.extend(kept());
    rows
}

/// Runs a call to its end.
fn run<T>(runtime: &Runtime, call: impl Future<Output = T>) -> T {
    runtime.block_on(call)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A body that every request gets, with a status.
fn always(status: u16, body: String) -> XtraClient {
    let body = Arc::new(body);
    client_of(move |_, _| (status, Arc::clone(&body)))
}

fn flat(n: usize, value: &str) -> String {
    let map: Map<String, Value> = names(n).map(|name| (name, value.into())).collect();
    Value::Object(map).to_string()
}

fn versions(n: usize) -> String {
    let entry = json!({ "value": "value", "version": "1", "isReference": false, "source": "local" });
    let map: Map<String, Value> = names(n).map(|name| (name, entry.clone())).collect();
    Value::Object(map).to_string()
}

/// A service that has so many secrets in each environment, and takes every write.
fn service(n: usize) -> XtraClient {
    let (flat, versions) = (Arc::new(flat(n, "value")), Arc::new(versions(n)));
    client_of(move |line, sent| match line {
        line if !line.starts_with("GET") => (200, taken(sent)),
        line if line.contains("includeVersions=true") => (200, Arc::clone(&versions)),
        _ => (200, Arc::clone(&flat)),
    })
}

/// The answer to a write of these secrets.
fn taken(sent: &[u8]) -> Arc<String> {
    let body: Value = serde_json::from_slice(sent).unwrap_or_default();
    let count = body.get("secrets").and_then(Value::as_object).map_or(0, Map::len);
    Arc::new(json!({ "success": true, "count": count }).to_string())
}

fn reads() -> Vec<Row> {
    vec![
        Row {
            name: "plan of a copy of n names, and its refusal",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                // half of them are there with another value, and none of those may be left out
                let pairs = names(n).enumerate().map(|(at, name)| (name, if at % 2 == 0 { "value" } else { "other" }));
                let secrets = xtrasecurity::Secrets::from_iter(pairs);
                Box::new(move || {
                    let plan = run(&runtime, client.copy_secrets("e", &secrets).send()).unwrap();
                    assert_eq!((plan.present().len(), plan.obstacles().len()), (n - n / 2, n / 2));
                    let skipped = plan.obstacles().iter().skip(1).map(|one| one.name.clone());
                    let stopped = run(&runtime, plan.apply().skip(skipped).send()).unwrap_err();
                    assert_eq!(stopped.error().kind(), ErrorKind::Conflict);
                })
            },
        },
        Row {
            name: "get_secrets of n names",
            n: 3_000,
            make: |n| {
                let (client, runtime) = (always(200, flat(n, "value")), runtime());
                Box::new(move || assert_eq!(run(&runtime, client.get_secrets("e").no_cache().send()).unwrap().len(), n))
            },
        },
        Row {
            name: "get_secrets of a value of n bytes",
            n: 500_000,
            make: |n| {
                let (client, runtime) = (always(200, json!({ "A": "é\n".repeat(n / 3) }).to_string()), runtime());
                Box::new(move || assert_eq!(run(&runtime, client.get_secrets("e").no_cache().send()).unwrap().len(), 1))
            },
        },
        Row {
            name: "get_secrets of n masked names",
            n: 3_000,
            make: |n| {
                let (client, runtime) = (always(200, flat(n, "***")), runtime());
                Box::new(move || {
                    let error = run(&runtime, client.get_secrets("e").no_cache().send()).unwrap_err();
                    assert_eq!((error.kind(), error.names().len()), (ErrorKind::Masked, n));
                })
            },
        },
        Row {
            name: "get_secrets of n values that look like ciphertext",
            n: 1_000,
            make: |n| {
                let near = r#"{"ciphertext":"b57eebd0e8","iv":"4c240da705bc9e8f76cf9407","x":[[[[]]]]}"#;
                let (client, runtime) = (always(200, flat(n, near)), runtime());
                Box::new(move || {
                    drop(black_box(run(&runtime, client.get_secrets("e").no_cache().allow_unreadable().send())))
                })
            },
        },
        Row {
            name: "get_secrets of a value that looks like ciphertext, n bytes",
            n: 100_000,
            make: |n| {
                let near = format!(
                    r#"{{"iv":"4c240da705bc9e8f76cf9407","encryptedData":"{}","authTag":"x"}}"#,
                    "9a".repeat(n)
                );
                let (client, runtime) = (always(200, flat(1, &near)), runtime());
                Box::new(move || {
                    drop(black_box(run(&runtime, client.get_secrets("e").no_cache().allow_unreadable().send())))
                })
            },
        },
        Row {
            name: "list_secret_names of n names",
            n: 2_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                Box::new(move || assert_eq!(run(&runtime, client.list_secret_names("e").send()).unwrap().len(), n))
            },
        },
        Row {
            name: "diff of n names",
            n: 2_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                Box::new(move || {
                    let difference =
                        run(&runtime, client.diff_secrets("e", XtraScope::new("f")).no_cache().send()).unwrap();
                    assert_eq!(difference.unchanged.len(), n);
                })
            },
        },
        Row {
            name: "diff of n masked names",
            n: 3_000,
            make: |n| {
                let (client, runtime) = (always(200, flat(n, "***")), runtime());
                Box::new(move || {
                    let difference =
                        run(&runtime, client.diff_secrets("e", XtraScope::new("f")).no_cache().send()).unwrap();
                    assert_eq!(difference.unknown.len(), n);
                })
            },
        },
        Row {
            name: "history of n versions",
            n: 2_000,
            make: |n| {
                let entry = |version: usize| json!({ "version": version.to_string(), "value": "v", "updatedAt": "2026-01-01T00:00:00.000Z", "updatedBy": "a@b.c" });
                let history: Vec<Value> = (0..n).map(entry).collect();
                let (client, runtime) = (
                    always(200, json!({ "currentVersion": n.to_string(), "history": history }).to_string()),
                    runtime(),
                );
                Box::new(move || drop(black_box(run(&runtime, client.secret_history("e", "A").send()))))
            },
        },
        Row {
            name: "list_projects of n projects",
            n: 1_000,
            make: |n| {
                let project = json!({ "id": PROJECT, "name": "name", "description": "text", "workspaceId": PROJECT, "createdAt": "2026-01-01T00:00:00.000Z" });
                let (client, runtime) = (always(200, json!(vec![project; n]).to_string()), runtime());
                Box::new(move || drop(black_box(run(&runtime, client.list_projects().send()))))
            },
        },
        Row {
            name: "list_branches of n branches",
            n: 1_000,
            make: |n| {
                let branches: Vec<Value> =
                    names(n).map(|name| json!({ "id": PROJECT, "name": name, "projectId": PROJECT })).collect();
                let (client, runtime) = (always(200, json!(branches).to_string()), runtime());
                Box::new(move || drop(black_box(run(&runtime, client.list_branches().send()))))
            },
        },
        Row {
            name: "render of n references",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let text: String = names(n).map(|name| format!("{name}={{{{ xtra:///e/{name} }}}}\n")).collect();
                Box::new(move || drop(black_box(run(&runtime, client.render(text.as_str()).send()))))
            },
        },
        Row {
            name: "render of n references that lead nowhere",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let text: String = names(n).map(|name| format!("{{{{ xtra:///e/{name}_NO }}}}\n")).collect();
                Box::new(move || drop(black_box(run(&runtime, client.render(text.as_str()).send()))))
            },
        },
        Row {
            name: "render of a text of n braces",
            n: 100_000,
            make: |n| {
                let (client, runtime) = (service(1), runtime());
                let text = "{{ xtra:// {{".repeat(n / 10);
                Box::new(move || drop(black_box(run(&runtime, client.render(text.as_str()).send()))))
            },
        },
        Row {
            name: "resolve_pairs of n references",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let pairs: Vec<_> = names(n).map(|name| (name.clone(), format!("xtra:///e/{name}"))).collect();
                Box::new(move || drop(black_box(run(&runtime, client.resolve_pairs(pairs.clone()).send()))))
            },
        },
    ]
}

fn writes() -> Vec<Row> {
    vec![
        Row {
            name: "set_secrets of n names",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let pairs: Vec<_> = names(n).map(|name| (name, "value")).collect();
                Box::new(move || assert!(run(&runtime, client.set_secrets("e", pairs.clone()).exact().send()).is_ok()))
            },
        },
        Row {
            name: "set_secrets of n names that are there already",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let pairs: Vec<_> = names(n).map(|name| (name, "value")).collect();
                Box::new(move || {
                    assert!(
                        run(&runtime, client.set_secrets("e", pairs.clone()).exact().skip_unchanged().send()).is_ok()
                    )
                })
            },
        },
        Row {
            name: "set_secrets into n secrets",
            n: 2_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                Box::new(move || {
                    drop(black_box(run(
                        &runtime,
                        client.set_secrets("e", [("A", "b")]).exact().skip_unchanged().send(),
                    )))
                })
            },
        },
        Row {
            name: "promote of n names",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                Box::new(move || {
                    drop(black_box(run(&runtime, client.promote_secrets("e", "f").overwrite(true).exact().send())))
                })
            },
        },
        Row {
            name: "set_secrets with n conflicts",
            n: 500,
            make: |n| {
                let conflicts: Vec<Value> = names(n)
                    .map(|key| json!({ "key": key, "expected": "1", "actual": "2", "remoteValue": "x" }))
                    .collect();
                let refused = Arc::new(json!({ "error": "Conflict detected", "conflicts": conflicts }).to_string());
                let there = Arc::new(versions(n));
                let branches = Arc::new(json!([{ "id": PROJECT, "name": "main", "projectId": PROJECT }]).to_string());
                let none = Arc::new("[]".to_owned());
                let absent = Arc::new(r#"{"error":"Secret not found"}"#.to_owned());
                let client = client_of(move |line, _| match line {
                    line if !line.starts_with("GET") => (409, Arc::clone(&refused)),
                    line if line.contains("/branch") => (200, Arc::clone(&branches)),
                    line if line.contains("/secret?") => (200, Arc::clone(&none)),
                    line if line.contains("/secrets/") => (404, Arc::clone(&absent)),
                    _ => (200, Arc::clone(&there)),
                });
                let runtime = runtime();
                let pairs: Vec<_> = names(n).map(|name| (name, "other")).collect();
                let expected: Vec<_> = names(n).map(|name| (name, 1)).collect();
                Box::new(move || {
                    let call = client.set_secrets("e", pairs.clone()).exact().expect_versions(expected.clone()).send();
                    let error = run(&runtime, call).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                })
            },
        },
    ]
}

/// A write of values that are parts of each other, refused with this body.
fn refused(status: u16, body: String, value: String) -> Box<dyn FnMut()> {
    let (client, runtime) = (always(status, body), runtime());
    Box::new(move || {
        let values = (0..200).map(|number| (format!("KEY_{number}"), value.replace('N', &number.to_string())));
        assert!(run(&runtime, client.set_secrets("e", values).exact().send()).is_err());
    })
}

fn refusals() -> Vec<Row> {
    vec![
        Row {
            name: "a read refused with a web page of n bytes",
            n: 500_000,
            make: |n| {
                let (client, runtime) = (always(500, format!("<html>{}", "<p>a b</p>".repeat(n / 10))), runtime());
                Box::new(move || assert!(run(&runtime, client.get_secrets("e").no_cache().send()).is_err()))
            },
        },
        Row {
            name: "a read refused with a JSON sentence of n bytes",
            n: 200_000,
            make: |n| {
                let (client, runtime) =
                    (always(403, json!({ "error": "a b".repeat(n / 3), "code": "x" }).to_string()), runtime());
                Box::new(move || assert!(run(&runtime, client.get_secrets("e").no_cache().send()).is_err()))
            },
        },
        Row {
            name: "a read refused with a JSON object of n members",
            n: 10_000,
            make: |n| {
                let (client, runtime) = (always(404, flat(n, "error")), runtime());
                Box::new(move || assert!(run(&runtime, client.get_secrets("e").no_cache().send()).is_err()))
            },
        },
        Row {
            name: "a write refused with a JSON sentence that begins like its values, n bytes",
            n: 50_000,
            make: |n| {
                refused(
                    400,
                    json!({ "error": "postgres://user:".repeat(n / 16) }).to_string(),
                    "postgres://user:pwN@host".to_owned(),
                )
            },
        },
        Row {
            name: "a write refused with a text that begins like its values, n bytes",
            n: 50_000,
            make: |n| refused(400, "postgres://user:".repeat(n / 16), "postgres://user:pwN@host".to_owned()),
        },
        Row {
            name: "a write of a value of n times one letter, refused with as many",
            n: 5_000,
            make: |n| {
                let (client, runtime) = (always(400, "a".repeat(n)), runtime());
                let value = "a".repeat(n);
                Box::new(move || {
                    assert!(run(&runtime, client.set_secret("e", "A", value.as_str()).exact().send()).is_err())
                })
            },
        },
        Row {
            name: "a write of n values, refused with all of them",
            n: 200,
            make: |n| {
                let values: Vec<_> = names(n).map(|name| (name.clone(), format!("secret-{name}"))).collect();
                let page: String = values.iter().map(|(_, value)| format!("{value} ")).collect();
                let (client, runtime) = (always(400, json!({ "error": page }).to_string()), runtime());
                Box::new(move || {
                    assert!(run(&runtime, client.set_secrets("e", values.clone()).exact().send()).is_err())
                })
            },
        },
    ]
}

/// A source that answers at once and alike, so that the cache is all that is measured.
struct Nearby;

impl SecretSource for Nearby {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "nearby"
    }

    fn identity(&self) -> Identity {
        Identity::of("linear")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &&str) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter([("A", "b")]))
    }
}

fn kept() -> Vec<Row> {
    vec![
        Row {
            name: "n reads that each push another scope out of a cache of n",
            n: 250,
            make: |n| {
                let options = EngineOptions::default().cache(CacheOptions::default().max_entries(n));
                let client = Client::with_options(Nearby, options);
                let runtime = runtime();
                let environments: Vec<String> = names(2 * n).collect();
                Box::new(move || {
                    run(&runtime, async {
                        for environment in &environments {
                            assert_eq!(client.read(environment).send().await.unwrap().len(), 1);
                        }
                    })
                })
            },
        },
        Row {
            name: "a copy on disk of n secrets, saved",
            n: 3_000,
            make: |n| {
                let folder = tempfile::tempdir().expect("a folder");
                let body = Arc::new(flat(n, "value"));
                let options =
                    OfflineOptions::new(folder.path().join("copies")).key(OfflineKey::new([7; 32]).expect("a key"));
                let client =
                    builder_of(move |_, _| (200, Arc::clone(&body))).offline(options).build().expect("a client");
                let runtime = runtime();
                Box::new(move || {
                    let _folder = &folder;
                    assert_eq!(run(&runtime, client.get_secrets("e").no_cache().send()).unwrap().len(), n);
                })
            },
        },
        Row {
            name: "a copy on disk of n secrets, read",
            n: 3_000,
            make: |n| {
                let folder = tempfile::tempdir().expect("a folder");
                let options =
                    OfflineOptions::new(folder.path().join("copies")).key(OfflineKey::new([7; 32]).expect("a key"));
                let body = Arc::new(flat(n, "value"));
                let is_away = Arc::new(std::sync::atomic::AtomicBool::new(false));
                let seen = Arc::clone(&is_away);
                let answer = move |_: &str, _: &[u8]| match seen.load(std::sync::atomic::Ordering::SeqCst) {
                    true => (503, Arc::new(String::new())),
                    false => (200, Arc::clone(&body)),
                };
                let client = builder_of(answer).offline(options).build().expect("a client");
                let runtime = runtime();
                run(&runtime, client.get_secrets("e").send()).expect("an answer");
                is_away.store(true, std::sync::atomic::Ordering::SeqCst);
                Box::new(move || {
                    let _folder = &folder;
                    client.clear_cache();
                    assert_eq!(run(&runtime, client.get_secrets("e").send()).unwrap().len(), n);
                })
            },
        },
        Row {
            name: "a cached read of n secrets, typed by hand",
            n: 1_000,
            make: |n| {
                let (client, runtime) = (service(n), runtime());
                let wanted: Vec<String> = names(n).collect();
                Box::new(move || {
                    let secrets = run(&runtime, client.get_secrets("e").send()).unwrap();
                    assert!(wanted.iter().all(|name| secrets.require(name).is_ok()));
                })
            },
        },
        Row {
            name: "require of n names that cannot be read",
            n: 500,
            make: |n| {
                let (client, runtime) = (always(200, flat(n, "***")), runtime());
                let secrets = run(&runtime, client.get_secrets("e").allow_unreadable().send()).expect("names");
                let wanted: Vec<String> = names(n).collect();
                Box::new(move || assert!(wanted.iter().all(|name| secrets.require(name).is_err())))
            },
        },
    ]
}
