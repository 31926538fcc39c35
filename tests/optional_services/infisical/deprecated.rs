//! What Infisical has given up: said once a process, so the test is a process of its own.

use std::process::Command;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};
use xtrasecurity::infisical::InfisicalClient;

use crate::server::Model;

const CHILD: &str = "INFISICAL_DEPRECATED_TEST_CHILD";

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the warnings of the service.
struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target() == "xtrasecurity::service"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Message;
        impl Visit for Message {
            fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
                WARNINGS.lock().unwrap().push(format!("{value:?}"));
            }
        }
        event.record(&mut Message);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn warned() -> Vec<String> {
    let mut said: Vec<_> = std::mem::take(&mut *WARNINGS.lock().unwrap());
    said.iter_mut().for_each(|text| drop(text.split_off(text.find(" is deprecated").unwrap_or(text.len()))));
    said
}

#[test]
fn each_thing_that_is_deprecated_is_warned_of_once_when_it_is_used_and_not_before() {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(uses());
    }
    let name = "deprecated::each_thing_that_is_deprecated_is_warned_of_once_when_it_is_used_and_not_before";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--test-threads=1"]).env(CHILD, "1").env_remove("INFISICAL_DOMAIN");
    let output = child
        .env("INFISICAL_API_URL", "https://old.example")
        .env("INFISICAL_MACHINE_IDENTITY_ID", "an-identity")
        .env("INFISICAL_OIDC_AUTH_JWT", "a-token")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

async fn uses() {
    tracing::subscriber::set_global_default(Recorder).unwrap();
    let today = Model::new(true).start().await;
    let current = today.builder().token("a-token").build().unwrap();
    current.get_secrets("dev").await.unwrap();
    // the base URL that the environment has is not used, and yet it is read
    assert_eq!(warned(), ["INFISICAL_API_URL"]);
    let old = Model::new(false).start().await;
    for expected in [vec!["the older interface of secrets (/v3/secrets/raw)".to_owned()], Vec::new()] {
        let client = old.builder().token("a-token").build().unwrap();
        client.get_secrets("dev").await.unwrap();
        client.get_secrets("dev").no_cache().await.unwrap();
        assert_eq!(warned(), expected);
    }
    for expected in [vec!["a service token".to_owned()], Vec::new()] {
        let _ = today.builder().token("st.a.b").build().unwrap();
        assert_eq!(warned(), expected);
    }
    for expected in [vec!["INFISICAL_OIDC_AUTH_JWT".to_owned()], Vec::new()] {
        let _ = InfisicalClient::from_env().unwrap();
        assert_eq!(warned(), expected);
    }
}
