//! The promises of a client over any source: cache, types, injection, watches, copies on disk.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use xtrasecurity::clock::ManualClock;
use xtrasecurity::snapshot::SnapshotSource;
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, OfflineKey, OfflineOptions, Secrets, XtraError, blocking,
};

use crate::contract::{Condition, ScopeOf, Service, Skip};

const PASSWORD: &str = "plum-4711";
const SECRETS: [(&str, &str); 3] = [("DB_HOST", "db.internal"), ("DB_PASSWORD", PASSWORD), ("PORT", "8080")];

/// A scope with the secrets, and a client whose clock stands still.
struct Scoped<S: Service> {
    service: Arc<S>,
    name: String,
    clock: ManualClock,
    client: Client<S::Source>,
}

impl<S: Service> Scoped<S> {
    async fn new(service: Arc<S>) -> Result<Self, Skip> {
        let name = service.new_scope().await?;
        service.put(&name, &SECRETS).await?;
        Ok(Self::of(service, name))
    }

    /// For a part that does not change the scope.
    async fn read_only(service: Arc<S>) -> Result<Self, Skip> {
        let name = service.read_only_scope(&SECRETS).await?;
        Ok(Self::of(service, name))
    }

    fn of(service: Arc<S>, name: String) -> Self {
        let clock = ManualClock::new();
        let client = service.client(EngineOptions::default().clock(clock.clock()));
        Self { service, name, clock, client }
    }

    fn scope(&self) -> ScopeOf<'_, S> {
        self.service.scope(&self.name)
    }

    async fn read(&self) -> Result<Arc<Secrets>, XtraError> {
        self.client.read(self.scope()).await
    }

    async fn password(&self) -> String {
        self.read().await.unwrap().require("DB_PASSWORD").unwrap().expose().to_owned()
    }

    fn requests(&self) -> u64 {
        self.service.requests(&self.client)
    }

    /// Past the time in which a snapshot is served without waiting for a refresh.
    fn age(&self) {
        let CacheOptions { ttl, stale_while_revalidate, .. } = CacheOptions::default();
        self.clock.advance(ttl + stale_while_revalidate + Duration::from_secs(1));
    }
}

pub(crate) async fn a_hit_sends_nothing<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let first = scoped.read().await.unwrap();
    let sent = scoped.requests();
    for _ in 0..3 {
        assert!(scoped.read().await.unwrap().is_same_snapshot(&first));
    }
    assert_eq!((scoped.requests(), scoped.client.stats().hits), (sent, 3));
    Ok(())
}

pub(crate) async fn concurrent_first_reads_are_one_load<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let before = scoped.requests();
    let reads = join_all((0..16).map(|_| scoped.read())).await;
    let sent = scoped.requests() - before;
    let first = reads[0].as_ref().unwrap();
    assert!(reads.iter().all(|read| read.as_ref().unwrap().is_same_snapshot(first)));
    let alone = scoped.service.client(EngineOptions::default());
    let before = scoped.service.requests(&alone);
    alone.read(scoped.scope()).await.unwrap();
    assert_eq!(sent, scoped.service.requests(&alone) - before, "as many as one read sends");
    Ok(())
}

pub(crate) async fn scopes_are_told_apart<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let other = scoped.service.new_scope().await?;
    scoped.service.put(&other, &[("DB_PASSWORD", "another's")]).await?;
    assert_eq!(scoped.password().await, PASSWORD);
    let others = scoped.client.read(scoped.service.scope(&other)).await.unwrap();
    assert_eq!((others.len(), others.require("DB_PASSWORD").unwrap().expose()), (1, "another's"));
    assert_eq!(scoped.password().await, PASSWORD);
    Ok(())
}

pub(crate) async fn a_failed_refresh_serves_the_snapshot_that_is_kept_and_says_that_it_is_stale<S: Service>(
    service: Arc<S>,
) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    assert!(!scoped.read().await.unwrap().is_stale());
    scoped.service.condition(Condition::Away)?;
    scoped.age();
    let kept = scoped.read().await.unwrap();
    assert_eq!((kept.require("DB_PASSWORD").unwrap().expose(), kept.is_stale()), (PASSWORD, true));
    assert_eq!(scoped.client.stats().stale, 1);
    scoped.service.condition(Condition::Well)?;
    assert!(!scoped.client.refresh(scoped.scope()).await.unwrap().is_stale());
    Ok(())
}

pub(crate) async fn a_refusal_drops_the_snapshot<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    scoped.read().await.unwrap();
    scoped.service.condition(Condition::Refusing)?;
    let refused = scoped.client.refresh(scoped.scope()).await.unwrap_err();
    let kinds = [ErrorKind::Unauthorized, ErrorKind::Forbidden, ErrorKind::NotFound];
    assert!(kinds.contains(&refused.kind()) && !refused.is_foreign_refusal(), "{refused}");
    // it would be served as fresh now, had it been kept
    scoped.service.condition(Condition::Away)?;
    let error = scoped.read().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    scoped.service.condition(Condition::Well)?;
    assert_eq!(scoped.password().await, PASSWORD);
    Ok(())
}

pub(crate) async fn a_refresh_that_loses_everything_is_held_back<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::new(service).await?;
    scoped.read().await.unwrap();
    scoped.service.put(&scoped.name, &[]).await?;
    scoped.age();
    assert_eq!(scoped.password().await, PASSWORD);
    assert_eq!(scoped.client.stats().shrinks_refused, 1);
    scoped.client.invalidate(scoped.scope());
    assert!(scoped.read().await.unwrap().is_empty());
    Ok(())
}

pub(crate) async fn no_cache_fetches_and_stores<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::new(service).await?;
    assert_eq!(scoped.password().await, PASSWORD);
    scoped.service.put(&scoped.name, &[("DB_PASSWORD", "plum-4712")]).await?;
    assert_eq!(scoped.password().await, PASSWORD, "from the cache");
    let fetched = scoped.client.read(scoped.scope()).no_cache().await.unwrap();
    assert_eq!(fetched.require("DB_PASSWORD").unwrap().expose(), "plum-4712");
    assert!(scoped.read().await.unwrap().is_same_snapshot(&fetched));
    Ok(())
}

pub(crate) async fn secrets_become_a_type<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    #[derive(Deserialize, JsonSchema)]
    struct Settings {
        port: u16,
        db_host: String,
        db_name: Option<String>,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "never filled in")]
    struct Wrong {
        db_password: u16,
        db_user: String,
    }
    let scoped = Scoped::read_only(service).await?;
    let settings = scoped.client.read(scoped.scope()).typed::<Settings>().await.unwrap();
    assert_eq!((settings.port, settings.db_host.as_str(), settings.db_name), (8080, "db.internal", None));
    // everything that is wrong, at once, and no value
    let error = scoped.client.read(scoped.scope()).typed::<Wrong>().await.unwrap_err().to_string();
    assert!(error.contains("DB_PASSWORD") && error.contains("DB_USER") && !error.contains(PASSWORD), "{error}");
    Ok(())
}

pub(crate) async fn a_child_gets_the_secrets_without_the_credentials_of_the_client<S: Service>(
    service: Arc<S>,
) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let mut child = Command::new("true");
    child.envs(S::CREDENTIALS.iter().map(|name| (*name, "inherited")));
    let report = scoped.read().await.unwrap().apply_to(&mut child).unwrap();
    assert_eq!(report.set(), SECRETS.map(|(name, _)| name));
    let variable = |name: &str| child.get_envs().find(|(known, _)| *known == name).and_then(|(_, value)| value);
    for (name, value) in SECRETS {
        assert_eq!(variable(name).unwrap(), value);
    }
    for name in S::CREDENTIALS {
        assert_eq!(variable(name), None, "{name}");
    }
    Ok(())
}

pub(crate) async fn a_watch_tells_what_has_changed<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::new(service).await?;
    let mut watch = scoped.client.watch(scoped.scope());
    assert_eq!(watch.next().await.unwrap().unwrap().added, SECRETS.map(|(name, _)| name));
    let now = [("DB_HOST", "db.internal"), ("DB_PASSWORD", "plum-4712"), ("DB_USER", "app")];
    scoped.service.put(&scoped.name, &now).await?;
    scoped.client.refresh(scoped.scope()).await.unwrap();
    let change = watch.next().await.unwrap().unwrap();
    assert_eq!(
        (&change.added[..], &change.changed[..]),
        (&["DB_USER".to_owned()][..], &["DB_PASSWORD".to_owned()][..])
    );
    assert_eq!(change.removed, ["PORT"]);
    Ok(())
}

pub(crate) async fn a_copy_on_disk_stands_in_when_the_service_is_away<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    scoped.service.copies()?;
    let directory = tempfile::tempdir().unwrap();
    let client = |key: &str| {
        let key = OfflineKey::new(format!("{key}, of this test's own and long enough")).unwrap();
        let options = OfflineOptions::new(directory.path().join("copies")).key(key);
        scoped.service.client(EngineOptions::default().offline(options))
    };
    assert_eq!(client("a key").read(scoped.scope()).await.unwrap().source(), SnapshotSource::Service);
    scoped.service.condition(Condition::Away)?;
    let copy = client("a key").read(scoped.scope()).await.unwrap();
    assert_eq!(copy.source(), SnapshotSource::Offline);
    assert_eq!(copy.require("DB_PASSWORD").unwrap().expose(), PASSWORD);
    assert!(client("another key").read(scoped.scope()).await.is_err());
    Ok(())
}

pub(crate) async fn requests_can_wait_on_a_thread_without_a_runtime<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let password = |secrets: Arc<Secrets>| secrets.require("DB_PASSWORD").unwrap().expose().to_owned();
        let waited = scoped.client.read(scoped.scope()).wait().map(password);
        let client: blocking::Client<S::Source> = scoped.client.clone().into();
        let sent = client.read(scoped.scope()).no_cache().send().map(password);
        tell.send([waited.unwrap(), sent.unwrap()]).unwrap();
    });
    assert_eq!(told.await.unwrap(), [PASSWORD; 2]);
    Ok(())
}

pub(crate) async fn a_name_that_is_missing_is_told_with_its_scope<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let secrets = scoped.read().await.unwrap();
    let error = secrets.require("DB_PASWORD").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecret);
    let (text, scope) = (error.to_string(), scoped.service.shown(&scoped.name));
    assert!(text.contains("DB_PASWORD") && text.contains("DB_PASSWORD") && text.contains(&scope), "{scope}: {text}");
    Ok(())
}

pub(crate) async fn an_empty_scope_is_refused_by_injection_and_types<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Nothing {}
    let name = service.new_scope().await?;
    service.put(&name, &[]).await?;
    let client = service.client(EngineOptions::default());
    assert!(client.read(service.scope(&name)).await.unwrap().is_empty());
    let injected = client.read(service.scope(&name)).inject().await.unwrap_err();
    let typed = client.read(service.scope(&name)).typed::<Nothing>().await.unwrap_err();
    assert_eq!((injected.kind(), typed.kind()), (ErrorKind::EmptyScope, ErrorKind::EmptyScope));
    client.read(service.scope(&name)).typed::<Nothing>().allow_empty().await.unwrap();
    Ok(())
}

pub(crate) async fn nothing_secret_is_in_debug<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scoped = Scoped::read_only(service).await?;
    let secrets = scoped.read().await.unwrap();
    let (request, watch) = (scoped.client.read(scoped.scope()), scoped.client.watch(scoped.scope()));
    let value = secrets.require("DB_PASSWORD").unwrap();
    let (error, stats) = (secrets.require("NO_SUCH_NAME").unwrap_err(), scoped.client.stats());
    let refusal = match scoped.service.stranger() {
        Ok(stranger) => stranger.read(scoped.scope()).await.map(drop),
        Err(_) => Ok(()),
    };
    let shown =
        format!("{:?} {secrets:?} {value:?} {request:?} {watch:?} {error:?} {stats:?} {refusal:?}", scoped.client);
    for secret in scoped.service.credentials().iter().map(String::as_str).chain([PASSWORD, "db.internal"]) {
        assert!(!secret.is_empty() && !shown.contains(secret), "{shown}");
    }
    Ok(())
}
