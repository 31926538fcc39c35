//! What is promised about values that clients encrypt before the service stores them: the envelopes open, or the read says
//! which do not. What is sealed here by hand is made with another implementation of the ciphers than the crate's.

use std::fmt::Debug;
use std::process::Command;
use std::sync::Mutex;

use ring::rand::{SecureRandom, SystemRandom};
use ring::{aead, hkdf};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xtrasecurity::dev_server::{DevServer, Fault, ProjectSeed, RateLimits, ServiceAccountSeed, route};
use xtrasecurity::{
    ErrorKind, OfflineOptions, SecretValue, Secrets, XtraClient, XtraClientBuilder,
    error::Hint,
    snapshot::{SnapshotSource, UnreadableReason},
};

const PROJECT: &str = "665f1c2ab7c0de0012345678";
const PASSPHRASE: &str = "correct horse battery staple";
const OTHER: &str = "canary: another passphrase";

/// `hello`, as the reference has it: sealed with the passphrase, where none was chosen, and as clients once did.
const WITH_PASSPHRASE: &str =
    r#"{"ciphertext":"b57eebd0e8","iv":"000102030405060708090a0b","authTag":"48af7c3ec76f419d915963633316133d"}"#;
const WITHOUT: &str =
    r#"{"ciphertext":"b1147fcc38","iv":"000102030405060708090a0b","authTag":"75f1f3f437b3e02f5698a49f17686737"}"#;
const FORMERLY: &str =
    r#"{"ciphertext":"8450294f5b","iv":"000102030405060708090a0b","authTag":"f7e316009764be7629dd12b762aa2b23"}"#;

struct Sealing;

impl hkdf::KeyType for Sealing {
    fn len(&self) -> usize {
        32
    }
}

/// The parts of an envelope, in hexadecimal digits: ciphertext, iv, tag.
fn sealed_parts(passphrase: &str, plaintext: &str) -> [String; 3] {
    let salt = format!("project_salt_{PROJECT}");
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_bytes());
    let mut key = [0; 32];
    let derived = salt.extract(passphrase.as_bytes());
    derived.expand(&[b"xtra-e2ee-project-key-v2"], Sealing).unwrap().fill(&mut key).unwrap();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &key).unwrap());
    let (mut iv, mut text) = ([0; 12], plaintext.as_bytes().to_vec());
    SystemRandom::new().fill(&mut iv).unwrap();
    let nonce = aead::Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, aead::Aad::empty(), &mut text).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [hex(&text), hex(&iv), hex(tag.as_ref())]
}

fn sealed(passphrase: &str, plaintext: &str) -> String {
    let [ciphertext, iv, tag] = sealed_parts(passphrase, plaintext);
    format!(r#"{{"ciphertext":"{ciphertext}","iv":"{iv}","authTag":"{tag}"}}"#)
}

async fn server(secrets: &[(&str, &str)]) -> DevServer {
    let account = ServiceAccountSeed::new("ci", ["read:secrets"]).token("xs_the_account");
    let project = ProjectSeed::new("web").id(PROJECT).service_account(account);
    let server = DevServer::builder().project(project).rate_limits(RateLimits::off()).start().await.unwrap();
    for (name, value) in secrets {
        server.set_secret("web", "production", "main", name, value).unwrap();
    }
    server
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server).max_retries(0)
}

fn shown(secrets: &Secrets) -> Vec<(&str, &str)> {
    secrets.iter().map(|(name, value)| (name, value.expose())).collect()
}

#[tokio::test]
async fn values_in_plain_form_and_of_all_three_kinds_of_envelopes_are_read_together() {
    let secrets = [("A", WITH_PASSPHRASE), ("B", WITHOUT), ("C", FORMERLY), ("D", "plain"), ("E", "")];
    let server = server(&secrets).await;
    let client = builder(&server).vault_passphrase(PASSPHRASE).build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!(shown(&secrets), [("A", "hello"), ("B", "hello"), ("C", "hello"), ("D", "plain"), ("E", "")]);
}

#[tokio::test]
async fn what_was_sealed_where_no_passphrase_was_chosen_needs_none_to_be_read() {
    let server = server(&[("B", WITHOUT), ("C", FORMERLY)]).await;
    let secrets = builder(&server).build().unwrap().get_secrets("production").await.unwrap();
    assert_eq!(shown(&secrets), [("B", "hello"), ("C", "hello")]);
}

#[tokio::test]
async fn the_project_of_a_service_account_is_the_one_that_its_values_are_opened_for() {
    let server = server(&[("A", WITH_PASSPHRASE)]).await;
    let builder = XtraClient::builder().api_url(server.url()).token("xs_the_account").vault_passphrase(PASSPHRASE);
    let secrets = builder.build().unwrap().get_secrets("production").await.unwrap();
    assert_eq!(shown(&secrets), [("A", "hello")]);
}

#[tokio::test]
async fn values_of_any_kind_sealed_by_somebody_else_come_back_as_they_were() {
    let long = "long ".repeat(20_000);
    let values = [("A", "s3cret"), ("B", ""), ("C", "***"), ("D", WITHOUT), ("E", "é\n\"{}"), ("F", &long)];
    let envelopes = values.map(|(name, value)| (name, sealed(PASSPHRASE, value)));
    let server = server(&envelopes.each_ref().map(|(name, envelope)| (*name, envelope.as_str()))).await;
    let client = builder(&server).vault_passphrase(PASSPHRASE).build().unwrap();
    assert_eq!(shown(&client.get_secrets("production").await.unwrap()), values);
}

#[tokio::test]
async fn either_name_of_the_tag_and_members_that_other_writers_add_do_not_matter() {
    let [ciphertext, iv, tag] = sealed_parts(PASSPHRASE, "s3cret");
    let envelopes = [
        format!(r#"{{"ciphertext":"{ciphertext}","iv":"{iv}","tag":"{tag}"}}"#),
        format!(
            r#"{{"workloadEnvelopes":[{{"iv":"00","authTag":"00"}}],"tag":"{tag}","iv":"{iv}","ciphertext":"{ciphertext}",
            "projectId":"{PROJECT}","encryptedAt":"2026-05-07T00:00:00Z"}}"#
        ),
    ];
    let server = server(&[("A", &envelopes[0]), ("B", &envelopes[1])]).await;
    let client = builder(&server).vault_passphrase(PASSPHRASE).build().unwrap();
    let secrets = client.get_secrets("production").await.unwrap();
    assert_eq!(shown(&secrets), [("A", "s3cret"), ("B", "s3cret")]);
}

#[tokio::test]
async fn what_does_not_open_is_named_and_never_passed_on() {
    let [ciphertext, iv, tag] = sealed_parts(PASSPHRASE, "s3cret");
    let first = if tag.starts_with('0') { "1" } else { "0" };
    let envelope = |tail: &str| format!(r#"{{"ciphertext":"{ciphertext}","iv":"{iv}"{tail}}}"#);
    let tampered = envelope(&format!(r#","authTag":"{first}{}""#, &tag[1..]));
    let bare = envelope("");
    let number = envelope(r#","authTag":17"#);
    let theirs = sealed(OTHER, "s3cret");
    let secrets = [
        ("OPEN", WITH_PASSPHRASE),
        ("PLAIN", "plain"),
        ("THEIRS", &theirs),
        ("UNTAGGED", &bare),
        ("TAMPERED", &tampered),
        ("NUMBERED", &number),
    ];
    let server = server(&secrets).await;
    let client = builder(&server).vault_passphrase(PASSPHRASE).build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecryptable);
    assert_eq!(error.names(), ["NUMBERED", "TAMPERED", "THEIRS", "UNTAGGED"]);
    let rest = client.get_secrets("production").allow_unreadable().await.unwrap();
    assert_eq!(shown(&rest), [("OPEN", "hello"), ("PLAIN", "plain")]);
    assert!(rest.unreadable().iter().all(|entry| entry.reason == UnreadableReason::ClientEnvelope));
    assert_eq!(rest.require("THEIRS").unwrap_err().kind(), ErrorKind::Undecryptable);
}

#[tokio::test]
async fn without_the_passphrase_and_with_another_one_the_error_says_what_to_set() {
    let server = server(&[("A", WITH_PASSPHRASE), ("B", WITHOUT)]).await;
    for builder in [builder(&server), builder(&server).vault_passphrase(OTHER)] {
        let error = builder.build().unwrap().get_secrets("production").await.unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["A".to_owned()][..]));
        assert_eq!(error.hint(), Some(&Hint::GivePassphrase { variable: Some("XTRA_VAULT_PASSPHRASE") }), "{error:?}");
        assert!(error.to_string().contains("Set XTRA_VAULT_PASSPHRASE, or pass vault_passphrase(..)"), "{error}");
    }
}

#[tokio::test]
async fn typed_reads_and_uses_see_what_was_opened() {
    #[derive(serde::Deserialize, xtrasecurity::schemars::JsonSchema)]
    #[schemars(crate = "xtrasecurity::schemars")]
    struct Settings {
        port: u16,
        name: String,
    }
    let port = sealed(PASSPHRASE, "8080");
    let server = server(&[("PORT", &port), ("NAME", WITH_PASSPHRASE)]).await;
    let client = builder(&server).vault_passphrase(PASSPHRASE).build().unwrap();
    let settings: Settings = client.get_secrets_as("production").await.unwrap();
    assert_eq!((settings.port, settings.name.as_str()), (8080, "hello"));
    let used = client
        .with_secret("NAME", |value: SecretValue| async move {
            Ok::<_, xtrasecurity::UseError<std::io::Error>>(value.expose().to_owned())
        })
        .environment("production");
    assert_eq!(used.await.unwrap(), "hello");
}

#[tokio::test]
async fn a_copy_on_disk_gives_what_was_opened_and_shows_none_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("copies");
    let server = server(&[("A", WITH_PASSPHRASE), ("B", "plain")]).await;
    let client = || {
        let builder = builder(&server).vault_passphrase(PASSPHRASE);
        builder.offline(OfflineOptions::new(&folder)).build().unwrap()
    };
    client().get_secrets("production").await.unwrap();
    server.fault(Fault::refuse().forever());
    let secrets = client().get_secrets("production").await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(shown(&secrets), [("A", "hello"), ("B", "plain")]);
    for file in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"hello" || part == b"plain"));
    }
}

/// What [`child`] is to find its server by.
const ROOT: &str = "XTRASECURITY_TEST_ROOT";

/// What a process says of the secret `A`, which has these variables and no option of the program's.
async fn told(server: &DevServer, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "envelopes::child", "--nocapture"]).env_clear().envs(variables.iter().copied());
    command.env(ROOT, server.url()).env("XTRA_TOKEN", server.token()).env("XTRA_PROJECT_ID", PROJECT);
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = run.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, told) = text.split_once("told: ").unwrap_or_else(|| panic!("nothing told: {text}"));
    told.lines().next().unwrap_or_default().to_owned()
}

/// No test by itself: the other process.
#[tokio::test]
async fn child() {
    let Ok(root) = std::env::var(ROOT) else { return };
    let client = XtraClient::builder().api_url(root).build().unwrap();
    match client.get_secrets("production").await {
        Ok(secrets) => println!("told: {}", secrets.get("A").map_or("", SecretValue::expose)),
        Err(error) => println!("told: {}", error.kind()),
    }
}

#[tokio::test]
async fn the_passphrase_of_the_environment_is_used_by_every_client() {
    let server = server(&[("A", WITH_PASSPHRASE)]).await;
    for (variables, expected) in [
        (&[("XTRA_VAULT_PASSPHRASE", PASSPHRASE)][..], "hello"),
        (&[("XTRA_MASTER_SECRET", PASSPHRASE)], "hello"),
        (&[("XTRA_VAULT_PASSPHRASE", ""), ("XTRA_MASTER_SECRET", PASSPHRASE)], "hello"),
        (&[("XTRA_VAULT_PASSPHRASE", OTHER), ("XTRA_MASTER_SECRET", PASSPHRASE)], "undecryptable"),
        (&[], "undecryptable"),
    ] {
        assert_eq!(told(&server, variables).await, expected, "{variables:?}");
    }
}

/// Everything that is logged in this process.
static HEARD: Mutex<String> = Mutex::new(String::new());

struct Listener;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{}={value:?}\n", field.name()));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(&mut HEARD.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut HEARD.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut HEARD.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn neither_a_passphrase_nor_what_it_opens_is_shown_anywhere() {
    let _ = tracing::subscriber::set_global_default(Listener);
    let theirs = sealed("canary: a third", "canary");
    let ours = sealed(OTHER, "canary");
    let server = server(&[("A", &ours), ("B", &theirs)]).await;
    let builder = builder(&server).vault_passphrase(OTHER).seal_writes().protect_production();
    let configuration = builder.explain();
    assert_eq!(configuration.get("vault_passphrase").and_then(|setting| setting.shown()), Some("[REDACTED]"));
    let mut texts = vec![format!("{builder:?} {configuration} {configuration:?}")];
    let client = builder.build().unwrap();
    let error = client.get_secrets("production").await.unwrap_err();
    let rest = client.get_secrets("production").allow_unreadable().no_cache().await.unwrap();
    assert_eq!(rest.require("A").unwrap(), "canary");
    texts.push(format!("{client:?} {error} {error:?} {rest:?} {:?}", client.source()));
    texts.push(HEARD.lock().unwrap().clone());
    assert!(texts[2].contains("status"), "nothing was logged");
    for text in texts {
        assert!(!text.contains("canary") && !text.contains("horse"), "{text}");
    }
}

#[tokio::test]
async fn a_promotion_that_cannot_seal_again_writes_nothing_at_all() {
    let server = server(&[("PLAIN", "p"), ("SEALED", WITHOUT)]).await;
    let error = builder(&server).build().unwrap().promote_secrets("production", "live").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Config, false));
    assert_eq!(server.secret("web", "live", "main", "PLAIN"), None);
}

#[tokio::test]
async fn a_promotion_that_fails_names_all_that_is_left_sealed_or_not() {
    let server = server(&[("PLAIN", "p"), ("SEALED", WITH_PASSPHRASE)]).await;
    let client = builder(&server).vault_passphrase("correct horse battery staple").build().unwrap();
    server.fault(Fault::status(503).on(route::SECRETS_UPSERT));
    let error = client.promote_secrets("production", "live").await.unwrap_err();
    assert_eq!(error.names(), ["PLAIN", "SEALED"]);
    client.promote_secrets("production", "live").await.unwrap();
    assert_eq!(server.secret("web", "live", "main", "PLAIN").as_deref(), Some("p"));
    assert!(server.secret("web", "live", "main", "SEALED").unwrap().contains("ciphertext"));
}

#[tokio::test]
async fn what_is_sealed_stays_sealed_when_somebody_sets_it_anew_or_is_not_set_at_all() {
    let server = server(&[("SEALED", &sealed("the passphrase", "old")), ("PLAIN", "old")]).await;
    let with = XtraClient::builder().dev_server(&server).vault_passphrase("the passphrase").build().unwrap();
    with.set_secrets("production", [("SEALED", "new"), ("PLAIN", "new")]).verify().await.unwrap();
    let stored = |key| server.secret("web", "production", "main", key).unwrap();
    assert!(stored("SEALED").contains("ciphertext") && stored("PLAIN") == "new");
    let without = XtraClient::builder().dev_server(&server).build().unwrap();
    let before = stored("SEALED");
    let error = without.set_secrets("production", [("SEALED", "newer"), ("PLAIN", "newer")]).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Config, false));
    assert!(error.to_string().contains("\"SEALED\"") && error.to_string().contains("delete it first"), "{error}");
    assert_eq!((stored("SEALED"), stored("PLAIN").as_str()), (before, "new"), "nothing was written");
}
