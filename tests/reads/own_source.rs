//! A program's own source behind the same client: cache, single flight, errors and injection checks come with it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, SecretSource, Secrets, XtraError,
    clock::ManualClock,
    snapshot::{Unreadable, UnreadableReason},
    source::{Identity, KeyWriter, Loaded},
};

/// Answers with what it is told to, once the gate in front of each load is open.
#[derive(Clone, Default)]
struct Vault(Arc<State>);

#[derive(Default)]
struct State {
    loads: AtomicUsize,
    gates: Mutex<Vec<oneshot::Receiver<Result<&'static str, ErrorKind>>>>,
}

impl Vault {
    /// Holds back the next load until the sender says what it answers. Loads without a gate answer "ungated".
    async fn gate(&self) -> oneshot::Sender<Result<&'static str, ErrorKind>> {
        let (open, gate) = oneshot::channel();
        self.0.gates.lock().await.push(gate);
        open
    }

    fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }
}

impl SecretSource for Vault {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "vault"
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
        match *scope {
            "" => Err(XtraError::new(ErrorKind::Invalid, "the scope is empty")),
            scope => Ok(scope.to_owned()),
        }
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        let gate = {
            let mut gates = self.0.gates.lock().await;
            if gates.is_empty() { None } else { Some(gates.remove(0)) }
        };
        let value = match gate {
            Some(gate) => gate.await.unwrap_or(Err(ErrorKind::Network)),
            None => Ok("ungated"),
        };
        match value {
            Ok(value) => Ok(Loaded::from_iter([(scope.clone(), value)])),
            Err(ErrorKind::Forbidden) => Err(XtraError::new(ErrorKind::Forbidden, "told to fail").with_status(403)),
            Err(kind) => Err(XtraError::new(kind, "told to fail")),
        }
    }
}

fn client() -> (Client<Vault>, Vault) {
    let vault = Vault::default();
    (Client::new_with_source(vault.clone()), vault)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_concurrent_cold_reads_of_one_scope_load_once() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let readers: Vec<_> = (0..10_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.read("team").await })
        })
        .collect();
    open.send(Ok("shared")).unwrap();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap().require("team").unwrap().expose(), "shared");
    }
    assert_eq!(vault.loads(), 1);
    assert_eq!(client.stats().cached, 1);
}

#[tokio::test]
async fn a_cancelled_leader_does_not_fail_the_rest() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let mut leader = Box::pin(client.read("team").into_future());
    let mut follower = Box::pin(client.read("team").into_future());
    poll_fn(|context| {
        assert!(leader.as_mut().poll(context).is_pending());
        assert!(follower.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(leader);
    open.send(Ok("still there")).unwrap();
    assert_eq!(follower.await.unwrap().require("team").unwrap().expose(), "still there");
    assert_eq!(vault.loads(), 1);
}

#[tokio::test]
async fn a_failed_load_reaches_every_waiter_is_not_cached_and_the_next_read_tries_again() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let mut waiting = pin!(futures_util::future::join_all((0..100).map(|_| client.read("team").into_future())));
    poll_fn(|context| {
        assert!(waiting.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    open.send(Err(ErrorKind::Network)).unwrap();
    for answer in waiting.await {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Network);
    }
    assert_eq!(vault.loads(), 1);
    assert_eq!(client.read("team").await.unwrap().require("team").unwrap().expose(), "ungated");
    assert_eq!(vault.loads(), 2);
}

#[tokio::test]
async fn a_snapshot_is_served_from_the_cache_until_its_ttl_has_passed() {
    let (vault, clock) = (Vault::default(), ManualClock::new());
    let client = Client::with_options(vault.clone(), EngineOptions::default().clock(clock.clock()));
    client.read("team").await.unwrap();
    clock.advance(Duration::from_secs(26));
    assert!(!client.read("team").await.unwrap().is_stale());
    assert_eq!(vault.loads(), 1);
    clock.advance(Duration::from_secs(34));
    client.read("team").await.unwrap();
    assert_eq!(vault.loads(), 2);
    assert_eq!((client.stats().hits, client.stats().misses), (1, 2));
}

#[tokio::test]
async fn no_cache_fetches_and_stores() {
    let (client, vault) = client();
    client.read("team").await.unwrap();
    let open = vault.gate().await;
    open.send(Ok("newer")).unwrap();
    assert_eq!(client.read("team").no_cache().await.unwrap().require("team").unwrap().expose(), "newer");
    assert_eq!(client.read("team").await.unwrap().require("team").unwrap().expose(), "newer");
    assert_eq!(vault.loads(), 2);
}

#[tokio::test]
async fn an_answer_asked_for_before_clear_cache_is_not_cached_after_it() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let mut before = pin!(client.read("team").into_future());
    poll_fn(|context| {
        assert!(before.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    client.clear_cache();
    open.send(Ok("old")).unwrap();
    assert_eq!(before.await.unwrap().require("team").unwrap().expose(), "old");
    assert_eq!(client.stats().cached, 0);
    assert_eq!(client.read("team").await.unwrap().require("team").unwrap().expose(), "ungated");
}

#[tokio::test]
async fn an_older_answer_never_replaces_a_newer_one() {
    let (client, vault) = client();
    let (open_older, open_newer) = (vault.gate().await, vault.gate().await);
    let mut older = pin!(client.read("team").no_cache().into_future());
    let mut newer = pin!(client.read("team").no_cache().into_future());
    poll_fn(|context| {
        assert!(older.as_mut().poll(context).is_pending());
        assert!(newer.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    open_newer.send(Ok("newer")).unwrap();
    newer.await.unwrap();
    open_older.send(Ok("older")).unwrap();
    older.await.unwrap();
    assert_eq!(client.read("team").await.unwrap().require("team").unwrap().expose(), "newer");
}

#[tokio::test]
async fn the_number_of_snapshots_is_bounded_exactly() {
    let vault = Vault::default();
    let mut cache = CacheOptions::default();
    cache.max_entries = 3;
    let client = Client::with_options(vault.clone(), EngineOptions::default().cache(cache));
    for scope in ["a", "b", "c", "d", "e"] {
        client.read(scope).await.unwrap();
    }
    assert_eq!(client.stats().cached, 3);
}

#[tokio::test]
async fn a_scope_that_cannot_be_used_is_refused_before_anything_is_loaded() {
    let (client, vault) = client();
    assert_eq!(client.read("").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(vault.loads(), 0);
}

#[tokio::test]
async fn injecting_an_empty_scope_is_refused() {
    struct Nothing;
    impl SecretSource for Nothing {
        type Scope<'a> = ();
        type Owned = ();
        fn name(&self) -> &'static str {
            "nothing"
        }
        fn identity(&self) -> Identity {
            Identity::of("tests")
        }
        fn write_key(&self, (): &(), _: &mut KeyWriter) {}
        fn prepare(&self, (): &()) -> Result<(), XtraError> {
            Ok(())
        }
        async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
            Ok(Loaded::from_iter([] as [(&str, &str); 0]))
        }
    }
    let error = Client::new_with_source(Nothing).read(()).inject().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyScope);
}

/// A read of `scope` that has begun, beside this task.
async fn begun(
    client: &Client<Vault>,
    vault: &Vault,
    scope: &'static str,
    no_cache: bool,
) -> tokio::task::JoinHandle<Result<Arc<Secrets>, XtraError>> {
    let (client, before) = (client.clone(), vault.loads());
    let read = tokio::spawn(async move {
        let request = client.read(scope);
        if no_cache { request.no_cache().await } else { request.await }
    });
    while vault.loads() == before {
        tokio::task::yield_now().await;
    }
    read
}

#[tokio::test]
async fn a_refusal_is_not_undone_by_an_answer_that_was_asked_for_before() {
    let (client, vault) = client();
    let (earlier, later) = (vault.gate().await, vault.gate().await);
    let first = begun(&client, &vault, "team", false).await;
    let second = begun(&client, &vault, "team", true).await;
    later.send(Err(ErrorKind::Forbidden)).unwrap();
    assert_eq!(second.await.unwrap().unwrap_err().kind(), ErrorKind::Forbidden);
    earlier.send(Ok("before")).unwrap();
    first.await.unwrap().unwrap();
    client.read("team").await.unwrap();
    assert_eq!(vault.loads(), 3, "what was asked for before is not kept");
}

#[tokio::test]
async fn to_invalidate_one_scope_costs_no_other_its_answer() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let other = begun(&client, &vault, "other", false).await;
    client.invalidate("team");
    open.send(Ok("value")).unwrap();
    other.await.unwrap().unwrap();
    client.read("other").await.unwrap();
    assert_eq!(vault.loads(), 1);
}

#[tokio::test]
async fn who_waits_for_an_answer_that_has_been_overtaken_gets_the_newer_one() {
    let (client, vault) = client();
    let (earlier, later) = (vault.gate().await, vault.gate().await);
    let first = begun(&client, &vault, "team", false).await;
    let second = begun(&client, &vault, "team", true).await;
    later.send(Ok("newer")).unwrap();
    second.await.unwrap().unwrap();
    earlier.send(Ok("older")).unwrap();
    assert_eq!(first.await.unwrap().unwrap().require("team").unwrap().expose(), "newer");
}

#[test]
fn on_a_runtime_without_timers_nothing_panics() {
    let (panics, hook) = (Arc::new(AtomicUsize::new(0)), std::panic::take_hook());
    let count = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |panic| {
        // other tests of this process may fail meanwhile
        if std::thread::current().name() == Some("without timers") {
            count.fetch_add(1, Ordering::SeqCst);
        }
        hook(panic);
    }));
    let without_timers = || {
        let clock = ManualClock::new();
        let client = Client::with_options(Vault::default(), EngineOptions::default().clock(clock.clock()));
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            client.read("team").await.unwrap();
            clock.advance(Duration::from_secs(30));
            client.read("team").await.unwrap();
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(3600));
            client.read("other").await.unwrap();
            assert_eq!(client.stats().cached, 1, "the next load takes out what is dead");
        });
    };
    std::thread::Builder::new().name("without timers".to_owned()).spawn(without_timers).unwrap().join().unwrap();
    assert_eq!(panics.load(Ordering::SeqCst), 0);
}

/// Each account has a value of its own. Some names do not come through.
#[derive(Clone, Default)]
struct Accounts(Arc<AtomicUsize>);

impl SecretSource for Accounts {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "accounts"
    }

    fn identity(&self) -> Identity {
        Identity::of(&self.0.load(Ordering::SeqCst).to_string())
    }

    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        let loaded = Loaded::from_iter([("ACCOUNT", self.0.load(Ordering::SeqCst).to_string())]);
        let unreadable = (scope == "masked").then(|| Unreadable::new("HIDDEN", UnreadableReason::Masked));
        Ok(loaded.with_unreadable(unreadable))
    }
}

#[tokio::test]
async fn a_handle_never_gives_one_account_what_another_has_read() {
    let accounts = Accounts::default();
    let client = Client::new_with_source(accounts.clone());
    let mut handle = client.scope("team");
    for account in [0, 1, 0, 2] {
        accounts.0.store(account, Ordering::SeqCst);
        for _ in 0..3 {
            let secrets = handle.get().await.unwrap();
            assert_eq!(secrets.require("ACCOUNT").unwrap().expose(), account.to_string());
        }
    }
    assert_eq!(client.stats().misses, 3, "each account has its own snapshot in the cache");
}

#[tokio::test]
async fn a_handle_refuses_a_snapshot_in_which_values_did_not_come_through_unless_it_was_told_to_accept_it() {
    let client = Client::new_with_source(Accounts::default());
    let (mut strict, mut lenient) = (client.scope("masked"), client.scope("masked").allow_unreadable());
    for _ in 0..3 {
        assert_eq!(strict.get().await.unwrap_err().kind(), ErrorKind::Masked);
        assert_eq!(lenient.get().await.unwrap().unreadable().len(), 1);
    }
}

#[tokio::test]
async fn every_hit_of_a_handle_and_of_its_clones_is_counted_and_stays_so_when_they_are_gone() {
    let client = Client::new_with_source(Accounts::default());
    let mut handle = client.scope("team");
    handle.get().await.unwrap();
    for round in 1..=10 {
        let mut clone = handle.clone();
        for _ in 0..5 {
            handle.get().await.unwrap();
            clone.get().await.unwrap();
        }
        assert_eq!(client.stats().hits, 10 * round);
    }
    drop(handle);
    assert_eq!((client.stats().hits, client.stats().misses), (100, 1));
}

#[tokio::test]
async fn a_handle_whose_read_is_given_up_can_be_asked_again() {
    let (client, vault) = client();
    let open = vault.gate().await;
    let mut handle = client.scope("team");
    let mut read = Box::pin(handle.get());
    poll_fn(|context| {
        assert!(read.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(read);
    drop(open);
    assert_eq!(handle.get().await.unwrap().require("team").unwrap().expose(), "ungated");
}

#[tokio::test]
async fn without_a_cache_every_read_of_a_handle_asks() {
    let vault = Vault::default();
    let options = EngineOptions::default().cache(CacheOptions::default().ttl(Duration::ZERO));
    let client = Client::with_options(vault.clone(), options);
    let mut handle = client.scope("team");
    for loads in 1..4 {
        handle.get().await.unwrap();
        assert_eq!(vault.loads(), loads);
    }
}
