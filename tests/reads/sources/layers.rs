//! Layers of sources: which of them gives a name, and what a layer that fails, hides or is missing means.

use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::sources::{Directory, Layer, Layered};
use xtrasecurity::{
    Client, EngineOptions, ErrorKind, SecretSource, Secrets, XtraError,
    clock::ManualClock,
    snapshot::{SnapshotSource, UnreadableReason},
    source::{Identity, KeyWriter, Loaded, Quota, Traffic},
};

use crate::kept::source::{Says, Scripted};

pub(super) const TTL: Duration = Duration::from_secs(30);

fn with(pairs: &[(&'static str, &'static str)]) -> Scripted {
    Scripted::new(says(pairs))
}

fn says(pairs: &[(&'static str, &'static str)]) -> Says {
    Says::Secrets(pairs.iter().map(|(name, value)| (*name, Ok((*value).to_owned()))).collect())
}

fn failing(kind: ErrorKind) -> Says {
    Says::Fails(XtraError::new(kind, "told to fail"))
}

pub(super) fn client_over(layers: impl IntoIterator<Item = Layer>) -> (Client<Layered>, ManualClock) {
    let clock = ManualClock::new();
    let layered = Layered::new(layers).unwrap();
    (Client::with_options(layered, EngineOptions::default().clock(clock.clock())), clock)
}

async fn read(layers: impl IntoIterator<Item = Layer>) -> Result<Arc<Secrets>, XtraError> {
    client_over(layers).0.read(()).allow_unreadable().await
}

pub(super) fn given(secrets: &Secrets) -> Vec<(&str, &str, usize)> {
    let number = |name| secrets.layer_of(name).expect("a layer gave it").number();
    secrets.iter().map(|(name, value)| (name, value.expose(), number(name))).collect()
}

#[tokio::test]
async fn of_a_name_that_several_layers_have_the_first_gives_the_value_and_the_snapshot_tells_which() {
    let layers = [
        Layer::new(with(&[("A", "1"), ("B", "1")]), "s"),
        Layer::new(with(&[("B", "2"), ("C", "2")]), "s").every_name(),
        Layer::new(with(&[("A", "3"), ("C", "3"), ("D", "3")]), "s").every_name(),
    ];
    let secrets = read(layers).await.unwrap();
    assert_eq!(given(&secrets), [("A", "1", 1), ("B", "1", 1), ("C", "2", 2), ("D", "3", 3)]);
    assert_eq!((secrets.source(), secrets.layers().len()), (SnapshotSource::Layers, 3));
    assert!(secrets.layer_of("E").is_none());
    assert!(Secrets::from_iter([("A", "1")]).layer_of("A").is_none(), "no layers, no layer");
}

#[tokio::test]
async fn a_layer_gives_the_names_that_it_may_give_and_no_others() {
    let layers = [
        Layer::new(with(&[("A", "1"), ("B", "1")]), "s").names(["A"]),
        Layer::new(with(&[("B", "2"), ("C", "2"), ("D", "2")]), "s").names(["B"]).names(["C"]),
    ];
    assert_eq!(given(&read(layers).await.unwrap()), [("A", "1", 1), ("B", "2", 2), ("C", "2", 2)]);
}

#[test]
fn layers_that_do_not_say_which_names_they_may_give_are_refused() {
    let error = Layered::new([Layer::new(with(&[]), "s"), Layer::new(with(&[]), "s").optional()]).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(text.contains("layer 2") && text.contains("names([..])") && text.contains("every_name()"), "{text}");
    assert_eq!(Layered::new([]).unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_secret_that_is_there_and_cannot_be_read_is_not_taken_from_a_layer_below() {
    for reason in [UnreadableReason::Masked, UnreadableReason::NotText, UnreadableReason::Ambiguous] {
        let upper = Says::Secrets(vec![("A", Err(reason)), ("B", Ok("1".to_owned()))]);
        let layers = || {
            [
                Layer::new(Scripted::new(upper.clone()), "s"),
                Layer::new(with(&[("A", "of another place"), ("C", "2")]), "s").every_name(),
            ]
        };
        let secrets = read(layers()).await.unwrap();
        assert_eq!(given(&secrets), [("B", "1", 1), ("C", "2", 2)]);
        assert_eq!((secrets.unreadable().len(), secrets.unreadable()[0].reason), (1, reason));
        assert_eq!(secrets.layer_of("A").map(|layer| layer.number()), Some(1));
        assert!(secrets.require("A").is_err());
        assert_eq!(client_over(layers()).0.read(()).await.unwrap_err().names(), ["A"]);
    }
}

#[tokio::test]
async fn a_layer_that_failed_is_an_error_which_names_it_and_never_a_layer_without_secrets() {
    for kind in [ErrorKind::Network, ErrorKind::Config, ErrorKind::Forbidden] {
        let upper = Layer::new(Scripted::new(failing(kind)), "s");
        let error = read([upper, Layer::new(with(&[("A", "2")]), "s").every_name()]).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains("layer 1 (") && error.to_string().contains("told to fail"), "{error}");
    }
    let missing = Directory::new("/no/such/mount");
    let error = read([Layer::new(with(&[("A", "1")]), "s"), Layer::new(missing, ()).every_name()]).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("layer 2 (files, the directory /no/such/mount)") && text.contains("Create it"), "{text}");
}

#[tokio::test]
async fn an_optional_layer_may_be_missing_and_the_snapshot_tells_that_it_was() {
    let upper = with(&[("A", "1")]);
    let layers =
        [Layer::new(upper.clone(), "s").optional(), Layer::new(with(&[("A", "2"), ("B", "2")]), "s").every_name()];
    let (client, clock) = client_over(layers);
    let secrets = client.read(()).await.unwrap();
    assert_eq!(given(&secrets), [("A", "1", 1), ("B", "2", 2)]);
    assert!(secrets.layers().iter().all(|layer| layer.missing().is_none()));
    upper.says(failing(ErrorKind::Config));
    clock.advance(TTL);
    let secrets = client.refresh(()).await.unwrap();
    assert_eq!(given(&secrets), [("A", "2", 2), ("B", "2", 2)]);
    let missing: Vec<_> = secrets.layers().iter().map(|layer| layer.missing().map(XtraError::kind)).collect();
    assert_eq!(missing, [Some(ErrorKind::Config), None]);
}

#[tokio::test]
async fn a_refusal_by_one_service_counts_before_other_failures_and_drops_what_was_kept() {
    let (away, refusing) = (with(&[("A", "1")]), with(&[("B", "2")]));
    let (client, clock) = client_over([Layer::new(away.clone(), "s"), Layer::new(refusing.clone(), "s").every_name()]);
    client.read(()).await.unwrap();
    away.says(Says::Fails(XtraError::new(ErrorKind::Network, "nobody is there")));
    refusing.says(Says::Fails(XtraError::new(ErrorKind::Forbidden, "told to refuse").with_status(403)));
    clock.advance(3 * TTL);
    let error = client.read(()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Forbidden, Some(403)));
    assert_eq!(client.stats().cached, 0);
}

#[tokio::test]
async fn every_load_asks_every_layer_so_that_times_to_live_do_not_add_up() {
    let (upper, lower) = (with(&[("A", "1")]), with(&[("B", "1")]));
    let service = Client::new_with_source(lower.clone());
    service.read("s").await.unwrap();
    let (client, clock) = client_over([Layer::new(upper.clone(), "s"), Layer::of_client(&service, "s").every_name()]);
    client.read(()).await.unwrap();
    assert_eq!((upper.loads(), lower.loads()), (1, 2), "although the layer's client has a fresh snapshot");
    lower.says(says(&[("B", "2")]));
    assert_eq!(client.refresh(()).await.unwrap().require("B").unwrap().expose(), "2");
    assert_eq!(service.read("s").await.unwrap().require("B").unwrap().expose(), "2", "it is in the client's cache too");
    assert_eq!(lower.loads(), 3);
    client.read(()).await.unwrap();
    assert_eq!((upper.loads(), lower.loads()), (2, 3), "a hit asks nobody");
    clock.advance(TTL);
    let aged = client.read(()).no_cache().await.unwrap();
    assert_eq!((aged.len(), upper.loads(), lower.loads()), (2, 3, 4));
}

/// A source with an account, a quota and counts.
struct Account {
    account: Arc<std::sync::Mutex<&'static str>>,
    left: u64,
}

impl SecretSource for Account {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "account"
    }

    fn identity(&self) -> Identity {
        Identity::of(*self.account.lock().unwrap())
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &&str) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter([("ACCOUNT", *self.account.lock().unwrap())]))
    }

    fn quota(&self, (): &()) -> Option<Quota> {
        Some(Quota::new(1000, self.left, Duration::from_secs(3600)))
    }

    fn traffic(&self) -> Traffic {
        Traffic::new(10, 3)
    }
}

#[tokio::test]
async fn another_account_of_one_layer_is_served_nothing_that_was_kept_for_the_one_before() {
    let account = Arc::new(std::sync::Mutex::new("one"));
    let source = Account { account: Arc::clone(&account), left: 1000 };
    let (client, _clock) = client_over([Layer::new(with(&[("A", "1")]), "s"), Layer::new(source, "s").every_name()]);
    for now in ["one", "two", "one"] {
        *account.lock().unwrap() = now;
        assert_eq!(client.read(()).await.unwrap().require("ACCOUNT").unwrap().expose(), now);
    }
    assert_eq!((client.stats().misses, client.stats().hits), (2, 1));
}

#[tokio::test]
async fn requests_are_counted_once_for_each_client_and_the_scarcest_quota_stretches_the_time_to_live() {
    let of = |left| Client::new_with_source(Account { account: Arc::new(std::sync::Mutex::new("one")), left });
    let (plenty, scarce) = (of(1000), of(110));
    let layers = [
        Layer::of_client(&plenty, "a"),
        Layer::of_client(&scarce, "b").every_name(),
        Layer::of_client(&plenty, "c").every_name(),
    ];
    let (client, clock) = client_over(layers);
    client.read(()).await.unwrap();
    assert_eq!((client.stats().requests, client.stats().retries), (20, 6), "two clients, three layers");
    clock.advance(4 * TTL);
    client.read(()).await.unwrap();
    assert_eq!((client.stats().hits, client.stats().stretched), (1, 1), "10 requests are left for an hour");
}
