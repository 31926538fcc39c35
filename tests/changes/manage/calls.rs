//! The names of calls in errors: each names the method that was called, and no operation of the document.

use std::collections::BTreeSet;
use std::fs;
use std::future::IntoFuture;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use xtrasecurity::XtraError;
use xtrasecurity::xtra::manage::{AccessMode, Decision};
use xtrasecurity::xtra::write::LinkSource;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const ENVIRONMENT: &str = "production";
const KEY: &str = "API_KEY";

type Call<'c> = Pin<Box<dyn Future<Output = Option<XtraError>> + 'c>>;

fn call<'c, T>(request: impl IntoFuture<Output = Result<T, XtraError>> + 'c) -> Call<'c> {
    Box::pin(async move { request.await.err() })
}

/// Every method with its call: `method(arguments)`, and what is done to the request.
macro_rules! calls {
    ($client:ident: $($method:ident($($argument:expr),*) $(. $option:ident($($given:expr),*))*),+ $(,)?) => {
        vec![$((stringify!($method), call($client.$method($($argument),*)$(.$option($($given),*))*))),+]
    };
}

fn operations(client: &XtraClient) -> Vec<(&'static str, Call<'_>)> {
    calls![client:
        set_secret(ENVIRONMENT, KEY, "v"),
        set_secrets(ENVIRONMENT, [(KEY, "v")]),
        create_secret(ENVIRONMENT, KEY, "v"),
        get_secret(ENVIRONMENT, KEY),
        list_secret_names(ENVIRONMENT),
        delete_secret(ENVIRONMENT, KEY),
        repair_secret(ENVIRONMENT, KEY),
        secret_history(ENVIRONMENT, KEY),
        rollback_secret(ENVIRONMENT, KEY, 1),
        rotate_secret(ENVIRONMENT, KEY),
        link_secret(ENVIRONMENT, KEY, LinkSource::new(NOBODY, ENVIRONMENT, "OTHER")),
        promote_secrets(ENVIRONMENT, "staging"),
        diff_secrets(ENVIRONMENT, "staging"),
        clone_environment(ENVIRONMENT, "staging"),
        whoami(),
        list_projects(),
        list_environments(),
        get_project(),
        create_project("p", NOBODY),
        update_project().name("n"),
        delete_project(NOBODY),
        list_branches(),
        create_branch("b"),
        rename_branch("b", "c"),
        delete_branch("b"),
        compare_branches("main", "b"),
        list_service_accounts(),
        create_service_account("a"),
        update_service_account(NOBODY).name("a"),
        delete_service_account(NOBODY),
        list_service_account_keys(NOBODY),
        create_service_account_key(NOBODY),
        delete_service_account_key(NOBODY, NOBODY),
        request_access("r", HOUR),
        get_access_request(NOBODY),
        list_access_requests().mode(AccessMode::Pending),
        decide_access_request(NOBODY, Decision::Revoke),
        wait_for_access(NOBODY).deadline(Duration::ZERO),
        create_jit_link(HOUR),
        get_jit_link("t"),
        claim_jit_link("t"),
    ]
}

/// The reads, which name their scope too.
fn reads(client: &XtraClient) -> Vec<(&'static str, Call<'_>)> {
    #[derive(Debug, serde::Deserialize, xtrasecurity::schemars::JsonSchema)]
    #[schemars(crate = "xtrasecurity::schemars")]
    struct Settings {}
    let unused = |_| async { Ok::<(), xtrasecurity::UseError<std::io::Error>>(()) };
    let with_secret = client.get_secrets(ENVIRONMENT).with_secret(KEY, unused);
    vec![
        (r#"get_secrets("production")"#, call(client.get_secrets(ENVIRONMENT))),
        (r#"get_secret("production", "API_KEY")"#, call(client.get_secret(ENVIRONMENT, KEY))),
        (r#"get_secrets("production")"#, call(client.get_secrets(ENVIRONMENT).no_cache())),
        (r#"get_secrets("production")"#, call(client.get_secrets(ENVIRONMENT).refresh())),
        (r#"get_secrets("production")"#, call(client.get_secrets(ENVIRONMENT).typed::<Settings>())),
        (r#"get_secrets("production")"#, call(client.get_secrets(ENVIRONMENT).inject())),
        (r#"get_secrets("production")"#, call(async { client.scope(ENVIRONMENT).get().await.cloned() })),
        (
            r#"get_secrets("production")"#,
            call(async move {
                match with_secret.await {
                    Err(xtrasecurity::WithSecretError::Secrets(error)) => Err(error),
                    _ => Ok(()),
                }
            }),
        ),
        ("get_secrets((a name of 19 characters, not shown))", call(client.get_secrets("xs_0123456789abcdef"))),
        (r#"get_secrets_as("production")"#, call(client.get_secrets_as::<Settings>(ENVIRONMENT))),
        (r#"inject_secrets("production")"#, call(client.inject_secrets(ENVIRONMENT))),
        ("preload", call(client.preload([ENVIRONMENT]))),
        ("resolve", call(client.resolve("xtra:///production/API_KEY"))),
        ("render", call(client.render("xtra:///production/API_KEY"))),
        ("resolve_pairs", call(client.resolve_pairs([("A", "xtra:///production/API_KEY")]))),
    ]
}

/// The operations of the document.
fn operation_ids() -> Vec<String> {
    let document = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/xtra.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let routes = paths.filter_map(|path| path.as_object()).flat_map(|path| path.values());
    let ids: Vec<_> = routes.filter_map(|route| route["operationId"].as_str().map(str::to_owned)).collect();
    assert!(ids.len() > 100);
    ids
}

/// The methods of the operations that there are, by the sources.
fn methods() -> BTreeSet<String> {
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services/xtra/operations");
    let files = ["write", "manage"].iter().flat_map(|room| fs::read_dir(operations.join(room)).unwrap());
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let sources = files.map(|path| fs::read_to_string(path).unwrap());
    let is_name = |line: &&str| {
        ["const NAME: &'static str = \"", "const METHOD: &'static str = \""]
            .iter()
            .any(|start| line.trim().starts_with(start))
    };
    let name = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    sources.flat_map(|text| text.lines().filter(is_name).map(name).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn a_failing_call_is_named_as_it_was_written_and_by_no_operation_of_the_document() {
    let server = service().await;
    let refused = builder(&server).token("xs_nobodys").build().unwrap();
    let away = builder(&server).api_url("http://127.0.0.1:9/api").token("xs_nobodys").build().unwrap();
    let (ids, mut seen) = (operation_ids(), BTreeSet::new());
    for client in [&refused, &away] {
        for (name, call) in operations(client).into_iter().chain(reads(client)) {
            let text = call.await.unwrap_or_else(|| panic!("{name} did not fail")).to_string();
            // one that reads names its arguments as well
            let is_named = [": ", "(\"production\""].iter().any(|end| text.starts_with(&format!("{name}{end}")));
            assert!(is_named, "{name}: {text}");
            let words: BTreeSet<_> = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').collect();
            let told: Vec<_> = ids.iter().filter(|id| words.contains(id.as_str())).collect();
            assert!(told.is_empty(), "{told:?}: {text}");
            seen.insert(name.to_owned());
        }
    }
    assert_eq!(methods().difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn a_raw_call_is_named_by_its_method() {
    let server = service().await;
    let client = builder(&server).token("xs_nobodys").build().unwrap();
    let read = client.raw().secrets_read().project_id(server.project_id()).env(ENVIRONMENT);
    let error = read.send().await.unwrap_err().into_error();
    assert!(error.to_string().starts_with("secrets_read: "), "{error}");
}
