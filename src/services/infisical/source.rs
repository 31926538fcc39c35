//! Infisical as a source of secrets.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use super::auth::AT_LOGIN;
use super::merge::{self, Merged, Unexpanded};
use super::protocol::InfisicalProtocol;
use super::request::{Api, Asked};
use super::scope::{CheckedScope, Defaults, InfisicalScope, ProjectName, ROOT, quoted, shown_path};
use super::wire::{List, One, Row};
use super::{deprecated, raw, refusals, request, scope};
use crate::core::{
    ErrorKind, Hint, Identity, Quota, ScopeDescription, SecretValue, SnapshotSource, Tick, Unreadable,
    UnreadableReason, XtraError,
};
use crate::engine::{KeyWriter, Loaded, SecretSource, Traffic};
#[cfg(feature = "watch")]
use crate::engine::{Listener, Listening};
use crate::http::Transport;
use crate::references::refers;
use crate::services::no_account::{NOWHERE, NoAccount};
use crate::services::traffic;

/// Infisical. [`InfisicalClient`](super::InfisicalClient) is the client over it.
pub struct Infisical {
    raw: raw::Client,
    root: String,
    defaults: Defaults,
    /// The version of the interface that the server has answered by.
    api: AtomicU8,
    settled: Settled,
    /// What every read is answered with, where there is no server.
    memory: Option<Loaded>,
    #[cfg(feature = "watch")]
    no_events: Arc<super::events::Refused>,
}

/// The most values of one list that are read by name for a reference that was left in them.
const MOST_BY_NAME: usize = 100;

/// So many of them at the same time: servers count requests by the minute.
const AT_ONCE: usize = 4;

/// One secret, the version of the interface by which it came, and what the server tells it by.
struct Answered {
    value: Row,
    api: Api,
    tag: Option<Arc<str>>,
}

impl Infisical {
    pub(super) fn new(transport: Transport, defaults: Defaults) -> Self {
        let root = transport.base_url().to_owned();
        let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
        let source = Self {
            raw,
            root,
            defaults,
            api: AtomicU8::new(Api::UNKNOWN),
            settled: Settled::default(),
            memory: None,
            #[cfg(feature = "watch")]
            no_events: Arc::default(),
        };
        if source.has_service_token() {
            deprecated::SERVICE_TOKEN.warn();
        }
        source
    }

    /// A source that answers every read with `secrets` and sends nothing.
    pub(super) fn in_memory(secrets: Loaded) -> Result<Self, XtraError> {
        // The discard port: should anything be sent after all, nobody is there.
        let transport =
            Transport::builder(InfisicalProtocol).credentials(Arc::new(NoAccount)).build(&format!("{NOWHERE}/api"))?;
        let defaults = Defaults { environment: Some("local".to_owned()), ..Defaults::default() };
        Ok(Self { memory: Some(secrets), ..Self::new(transport, defaults) })
    }

    pub(super) fn default_environment(&self) -> Option<&str> {
        self.defaults.environment.as_deref()
    }

    pub(super) fn raw(&self) -> &raw::Client {
        &self.raw
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.raw.inner
    }

    /// The scope with the client's defaults, checked.
    pub(super) fn checked(&self, scope: &InfisicalScope<'_>) -> Result<CheckedScope, XtraError> {
        let checked = scope.checked(&self.defaults)?;
        let has_project = checked.project.is_some() || self.memory.is_some();
        if has_project || self.has_service_token() { Ok(checked) } else { Err(no_project()) }
    }

    /// The project of a scope, by the name that it was given; one that only a token knows is none.
    pub(super) fn project_of(&self, scope: &InfisicalScope<'_>) -> Result<ProjectName<'static>, XtraError> {
        let named = scope.project.clone().map(ProjectName::into_owned).or_else(|| self.defaults.project.clone());
        let project = named.ok_or_else(no_project)?;
        project.check()?;
        Ok(project)
    }

    /// The id of a project. May ask the server for it.
    pub(super) async fn id_of(&self, project: ProjectName<'static>) -> Result<String, XtraError> {
        match project {
            ProjectName::Id(id) => Ok(id.into_owned()),
            ProjectName::Slug(slug) => request::project_id(self.transport(), &slug).await,
        }
    }

    /// A service token knows its project.
    fn has_service_token(&self) -> bool {
        self.transport().lasting_token().is_some_and(|token| token.expose().starts_with("st."))
    }

    /// The versions of the interface to ask, in this order: a project's slug is known by the older one alone.
    fn order(&self, scope: &CheckedScope) -> [Api; 2] {
        let known = Api::of(self.api.load(Ordering::Relaxed));
        match (&scope.project, known) {
            (Some(scope::ProjectName::Slug(_)), _) | (_, Some(Api::V3)) => [Api::V3, Api::V4],
            _ => [Api::V4, Api::V3],
        }
    }

    /// Whether the server is known to have the newer interface.
    pub(super) fn has_newer_interface(&self) -> bool {
        Api::of(self.api.load(Ordering::Relaxed)) == Some(Api::V4)
    }

    /// Asks by the first version of the interface that the server has, and remembers it.
    pub(super) async fn ask<T, F>(&self, scope: &CheckedScope, ask: impl Fn(Api) -> F) -> Result<(T, Api), XtraError>
    where
        F: Future<Output = Result<T, XtraError>>,
    {
        let [first, second] = self.order(scope);
        let by_slug = matches!(scope.project, Some(scope::ProjectName::Slug(_)));
        let mut api = first;
        let outcome = loop {
            match ask(api).await {
                Err(error) if api == first && refusals::misses_route(&error) => api = second,
                outcome => break outcome.map(|value| (value, api)),
            }
        };
        if let Ok((_, api)) = &outcome {
            if *api == Api::V3 {
                deprecated::OLDER_INTERFACE.warn();
            }
            if !by_slug {
                self.api.store(*api as u8, Ordering::Relaxed);
            }
        }
        outcome
    }

    /// The rows of a folder or tree, with what it imports. `None` when they are those that `known` stands for.
    pub(super) async fn list(
        &self,
        scope: &CheckedScope,
        known: Option<&str>,
    ) -> Result<Option<(List, Api, Option<Arc<str>>)>, XtraError> {
        let list = |api| {
            let asked = Asked { transport: self.transport(), api, scope };
            async move { asked.list(known).await }
        };
        let (told, api) = self.ask(scope, list).await?;
        Ok(told.map(|(list, tag)| (list, api, tag)))
    }

    /// The rows of a folder or tree. A client without a server has none.
    pub(super) async fn rows(&self, scope: &CheckedScope) -> Result<Vec<Row>, XtraError> {
        let begun = Instant::now();
        let listed = self.list(scope, None).await.map_err(|error| how_to_go_on(error, scope))?;
        let Some((list, api, _)) = listed else { return Ok(Vec::new()) };
        if is_empty(&list) {
            self.in_time(begun, self.check_there(scope, &list, api)).await?;
        }
        Ok(list.secrets)
    }

    /// One secret by its name. `None` when it is the one that `known` stands for.
    async fn get(
        &self,
        scope: &CheckedScope,
        name: &str,
        personal: bool,
        known: Option<&str>,
    ) -> Result<Option<Answered>, XtraError> {
        let get = |api| {
            let asked = Asked { transport: self.transport(), api, scope };
            async move { asked.get(name, personal, known).await }
        };
        let (told, api) = self.ask(scope, get).await?;
        Ok(told.map(|(One { secret }, tag)| Answered { value: secret, api, tag }))
    }

    async fn load_anew(&self, scope: &CheckedScope, known: Option<&str>) -> Result<Option<Loaded>, XtraError> {
        if let Some(secrets) = &self.memory {
            return Ok(Some(secrets.clone()));
        }
        let begun = Instant::now();
        let loaded = match &scope.secret {
            Some(name) => self.load_one(scope, name, known, begun).boxed().await,
            None => self.load_all(scope, known, begun).await,
        };
        loaded.map_err(|error| {
            // a watch and a refresh have no call of their own around this
            error.in_call(format!("{}({})", self.read_method(), quoted(&scope.environment)))
        })
    }

    async fn load_all(
        &self,
        scope: &CheckedScope,
        known: Option<&str>,
        begun: Instant,
    ) -> Result<Option<Loaded>, XtraError> {
        let listed = self.list(scope, known).await.map_err(|error| how_to_go_on(error, scope))?;
        let Some((mut list, api, mut tag)) = listed else { return Ok(None) };
        if is_empty(&list) {
            self.in_time(begun, self.check_there(scope, &list, api)).await?;
        }
        if scope.recursive && scope.imports && list.imports.is_none() {
            // servers of 2024 leave the imports out of a tree
            let folder = CheckedScope { recursive: false, ..scope.clone() };
            let folder = self.in_time(begun, self.list(&folder, None)).await?;
            list.imports = folder.and_then(|(list, ..)| list.imports);
            tag = None;
        }
        let mut merged = merge::merge(list, scope)?;
        if !merged.unexpanded.is_empty() {
            // what was read by name may change while the list stays the same
            let by_name = self.in_time(begun, self.expand(scope, &mut merged).boxed()).await?;
            tag = tag.filter(|_| !by_name);
        }
        let loaded = Loaded::from_iter(merged.values).with_unreadable(merged.unreadable);
        Ok(Some(match tag {
            Some(tag) => loaded.with_validator(tag),
            None => loaded,
        }))
    }

    /// Fails when an old server has answered for a folder that is not there: it lists imports, none, although they were not
    /// asked for.
    async fn check_there(&self, scope: &CheckedScope, list: &List, api: Api) -> Result<(), XtraError> {
        let bare = scope.bare();
        let told = match (api, scope.imports || scope.recursive) {
            (Api::V4, _) => return Ok(()),
            (Api::V3, false) => list.imports.is_some(),
            (Api::V3, true) => match self.list(&bare, None).await? {
                Some((list, Api::V3, _)) => list.imports.is_some() && list.secrets.is_empty(),
                _ => return Ok(()),
            },
        };
        if !told || self.is_new_server(scope).await {
            return Ok(());
        }
        let message = format!(
            "there is no folder {} in the environment {}, or no such environment",
            shown_path(&scope.path),
            quoted(&scope.environment)
        );
        Err(XtraError::new(ErrorKind::NotFound, message)
            .with_hint(Hint::advice("Check the slug and the path, which must match letter by letter")))
    }

    /// Whether a server that was asked by the older interface, for a project's slug, has the newer one.
    async fn is_new_server(&self, scope: &CheckedScope) -> bool {
        if !matches!(scope.project, Some(scope::ProjectName::Slug(_))) {
            return false;
        }
        let asked = Asked { transport: self.transport(), api: Api::V4, scope };
        !matches!(asked.probe().await, Err(error) if refusals::misses_route(&error))
    }

    /// Reads by name what a list has not expanded to its end, as some servers do at random. Whether anything was read.
    async fn expand(&self, scope: &CheckedScope, merged: &mut Merged) -> Result<bool, XtraError> {
        let Merged { values, unreadable, unexpanded } = merged;
        let mut left = Vec::new();
        for entry in std::mem::take(unexpanded) {
            let Some((name, value)) = values.get(entry.at) else { continue };
            if !self.settled.has(scope, &entry.folder, name, value, self.now()) {
                left.push((name.clone(), value.clone(), entry));
            }
        }
        let mut dropped: HashSet<usize> = left.iter().skip(MOST_BY_NAME).map(|(.., entry)| entry.at).collect();
        left.truncate(MOST_BY_NAME);
        let by_name = !left.is_empty();
        let mut read =
            stream::iter(left.into_iter().map(|(name, value, entry)| self.expanded(scope, name, value, entry)))
                .buffer_unordered(AT_ONCE);
        while let Some(outcome) = read.next().await {
            match outcome? {
                (at, Some(value)) => {
                    if let Some((_, slot)) = values.get_mut(at) {
                        *slot = value;
                    }
                }
                (at, None) => drop(dropped.insert(at)),
            }
        }
        drop(read);
        if scope.strict {
            let holds = |(at, (_, value)): (usize, &(String, SecretValue))| {
                merge::holds_reference(value.expose()).then_some(at)
            };
            dropped.extend(values.iter().enumerate().filter_map(holds));
        }
        let mut at = 0;
        values.retain_mut(|(name, _)| {
            at += 1;
            let is_dropped = dropped.contains(&(at - 1));
            if is_dropped {
                unreadable.push(Unreadable::new(std::mem::take(name), UnreadableReason::Unexpanded));
            }
            !is_dropped
        });
        Ok(by_name)
    }

    /// The value of a secret as its name gives it, or as the list did when that has more of it expanded. `None` when its
    /// references cannot be followed.
    async fn expanded(
        &self,
        scope: &CheckedScope,
        name: String,
        value: SecretValue,
        entry: Unexpanded,
    ) -> Result<(usize, Option<SecretValue>), XtraError> {
        let place = CheckedScope { path: entry.folder.clone(), imports: entry.imported, ..scope.bare() };
        let row = match self.get(&place, &name, entry.personal, None).await {
            Ok(answered) => answered.map(|answered| answered.value),
            Err(error) if error.is_retryable() || error.kind() == ErrorKind::Unauthorized => return Err(error),
            // what it refers to is not there, or may not be read
            Err(_) => return Ok((entry.at, None)),
        };
        let by_name = row.and_then(Row::into_value).filter(|by_name| {
            !by_name.is_empty() && merge::references(by_name.expose()) < merge::references(value.expose())
        });
        if by_name.is_none() {
            self.settled.put(scope, &entry.folder, &name, &value, self.now());
        }
        Ok((entry.at, Some(by_name.unwrap_or(value))))
    }

    fn now(&self) -> Tick {
        self.transport().clock().now()
    }

    async fn load_one(
        &self,
        scope: &CheckedScope,
        name: &str,
        known: Option<&str>,
        begun: Instant,
    ) -> Result<Option<Loaded>, XtraError> {
        let personal = if scope.personal { Some(self.get(scope, name, true, known).await) } else { None };
        let answered = match personal {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => return Err(error),
            Some(Ok(answered)) => answered,
            _ => self.get(scope, name, false, known).await.map_err(|error| how_to_go_on(error, scope))?,
        };
        let Some(Answered { value: row, api, mut tag }) = answered else { return Ok(None) };
        check_row(&row, scope, name)?;
        let value = row.into_value().filter(|_| !scope.hidden);
        let Some(mut value) = value else {
            let hidden = Unreadable::new(name, UnreadableReason::Masked);
            return Ok(Some(Loaded::from_iter::<[(String, SecretValue); 0]>([]).with_unreadable([hidden])));
        };
        let is_doubtful = (value.is_empty() && scope.imports)
            || (scope.expand && merge::holds_reference(value.expose()) && scope.version.is_none());
        if api == Api::V3 && is_doubtful {
            // one of them answers an imported secret without its value, and expands nothing of the same folder
            let listed = self.in_time(begun, self.listed_value(scope, name)).await?;
            let is_better = |listed: &SecretValue| {
                value.is_empty() || merge::references(listed.expose()) < merge::references(value.expose())
            };
            if let Some(listed) = listed.filter(is_better) {
                value = listed;
            }
            tag = None;
        }
        if scope.strict && merge::holds_reference(value.expose()) {
            let left = Unreadable::new(name, UnreadableReason::Unexpanded);
            return Ok(Some(Loaded::from_iter::<[(String, SecretValue); 0]>([]).with_unreadable([left])));
        }
        let loaded = Loaded::from_iter([(name, value)]);
        Ok(Some(match tag {
            Some(tag) => loaded.with_validator(tag),
            None => loaded,
        }))
    }

    /// The value that the list of the folder has under a name.
    async fn listed_value(&self, scope: &CheckedScope, name: &str) -> Result<Option<SecretValue>, XtraError> {
        let folder = CheckedScope { imports: scope.imports, ..scope.bare() };
        let Some((list, ..)) = self.list(&folder, None).await? else { return Ok(None) };
        let values = merge::merge(list, &folder)?.values;
        Ok(values.into_iter().find_map(|(known, value)| (known == name).then_some(value)))
    }

    /// What is read beside the first answer: all of it is one call to whoever waits, and has its time.
    async fn in_time<T>(
        &self,
        begun: Instant,
        work: impl Future<Output = Result<T, XtraError>>,
    ) -> Result<T, XtraError> {
        let left = self.call_timeout().saturating_sub(begun.elapsed());
        tokio::time::timeout(left, work).await.unwrap_or_else(|_| {
            let message = "the answers that complete the first were not there in the time that the call has";
            Err(XtraError::new(ErrorKind::Timeout, message).with_hint(Hint::Raise { limit: "call_timeout" }))
        })
    }
}

fn is_empty(list: &List) -> bool {
    let imported = list.imports.iter().flatten().filter_map(|block| block.secrets.as_ref());
    list.secrets.is_empty() && imported.into_iter().all(Vec::is_empty)
}

/// Whether a row is the one that was asked for.
fn check_row(row: &Row, scope: &CheckedScope, name: &str) -> Result<(), XtraError> {
    let wrong = |what: String| Err(XtraError::new(ErrorKind::Decode, what));
    // a server takes blanks around a name away
    if row.name.trim() != name.trim() {
        return wrong("the server has answered with another secret than the one that was asked for".to_owned());
    }
    if let Some(asked) = scope.version
        && row.version != Some(asked)
    {
        let answered = row.version.map_or("another one".to_owned(), |version| format!("version {version}"));
        return wrong(format!(
            "version {asked} was asked for, and the server has answered with {answered}: it is older than the choice of versions"
        ));
    }
    let elsewhere = row.environment.as_deref().is_some_and(|slug| slug != scope.environment);
    if elsewhere && !scope.imports {
        return wrong("the server has answered with a secret of another environment".to_owned());
    }
    Ok(())
}

fn no_project() -> XtraError {
    XtraError::new(ErrorKind::Config, "no project was named, and only a service token knows its own")
        .with_hint(Hint::GiveProject { option: "project_id", variable: "INFISICAL_PROJECT_ID", entry: None })
}

/// Says what was asked for, where a server does not say which part of it is at fault, and what may be.
pub(super) fn how_to_go_on(error: XtraError, scope: &CheckedScope) -> XtraError {
    if error.notes().any(|note| note == AT_LOGIN) {
        return error; // it is not about what the call asks for
    }
    let is_own = !error.is_foreign_refusal() && !refusals::misses_route(&error);
    match (error.kind(), error.status()) {
        (ErrorKind::Server, Some(500)) if scope.imports => error.with_note(
            "Servers of 2024 fail like this for a folder that imports one which is not there any more, and for an odd path",
        ),
        (ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Invalid, Some(_)) if is_own => {
            scope.about_project(error.with_note(format!("It was about {}", scope.place())))
        }
        _ if refusals::misses_route(&error) && scope.secret.as_ref().is_some_and(|name| name.chars().count() > LONGEST) => {
            error.with_note(format!("Or the name is at fault: servers of 2024 have no route for one of more than {LONGEST} characters"))
        }
        _ => error,
    }
}

/// The longest name that servers of 2024 take, in characters.
const LONGEST: usize = 100;

/// The values of which is known that a reference stays in them, by a hash, and since when.
#[derive(Default)]
struct Settled(Mutex<HashMap<Identity, Tick>>);

impl Settled {
    /// Memory for so many.
    const MOST: usize = 4096;

    /// What a value refers to may be made in the meantime: then its name gives more.
    const FOR: Duration = Duration::from_secs(5 * 60);

    fn mark(scope: &CheckedScope, folder: &str, name: &str, value: &SecretValue) -> Identity {
        let place = [scope.project_name(), &scope.environment, folder, name].join("\0");
        Identity::of(&zeroize::Zeroizing::new(format!("{place}\0{}", value.expose())))
    }

    fn has(&self, scope: &CheckedScope, folder: &str, name: &str, value: &SecretValue, now: Tick) -> bool {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = settled.get(&Self::mark(scope, folder, name, value));
        since.is_some_and(|since| now.since(*since) < Self::FOR)
    }

    fn put(&self, scope: &CheckedScope, folder: &str, name: &str, value: &SecretValue, now: Tick) {
        let mut settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if settled.len() >= Self::MOST {
            settled.clear();
        }
        settled.insert(Self::mark(scope, folder, name, value), now);
    }
}

impl SecretSource for Infisical {
    type Scope<'a> = InfisicalScope<'a>;
    type Owned = CheckedScope;

    fn name(&self) -> &'static str {
        "infisical"
    }

    fn base_url(&self) -> &str {
        &self.root
    }

    #[inline]
    fn identity(&self) -> Identity {
        self.raw.inner.identity()
    }

    fn write_key(&self, scope: &InfisicalScope<'_>, key: &mut KeyWriter) {
        self.defaults.write_place(scope, key);
        scope.write_rest(self.defaults.path.as_deref().unwrap_or(ROOT), key);
    }

    fn scope_name<'s>(&self, scope: &'s InfisicalScope<'_>) -> Cow<'s, str> {
        Cow::Borrowed(scope.environment.as_deref().unwrap_or_default())
    }

    fn show_scope(&self, scope: &InfisicalScope<'_>) -> String {
        quoted(scope.environment.as_deref().or(self.default_environment()).unwrap_or_default())
    }

    fn describe(&self, scope: &CheckedScope) -> Option<ScopeDescription> {
        // without a server every environment holds the same, so none is mistyped
        self.memory.is_none().then(|| scope.describe())
    }

    fn looks_like_a_token(text: &str) -> bool {
        scope::looks_like_a_token(text)
    }

    fn is_reference(&self, value: &str) -> bool {
        refers::<Self>(value)
    }

    fn read_method(&self) -> &'static str {
        "get_secrets"
    }

    fn call_timeout(&self) -> Duration {
        self.transport().call_timeout()
    }

    fn prepare(&self, scope: &InfisicalScope<'_>) -> Result<CheckedScope, XtraError> {
        self.checked(scope)
    }

    async fn load(&self, scope: &CheckedScope) -> Result<Loaded, XtraError> {
        let loaded = self.load_anew(scope, None).await?;
        loaded.ok_or_else(|| {
            XtraError::new(ErrorKind::Decode, "the server says that nothing has changed, and was not asked")
        })
    }

    async fn revalidate(&self, scope: &CheckedScope, validator: &str) -> Result<Option<Loaded>, XtraError> {
        self.load_anew(scope, Some(validator)).await
    }

    #[cfg(feature = "watch")]
    fn listen(&self, scope: &CheckedScope, listener: Listener) -> Option<Listening> {
        if self.memory.is_some() || self.defaults.polls_only {
            return None;
        }
        super::events::listen(self.transport(), scope, &self.no_events, listener)
    }

    fn quota(&self, scope: &CheckedScope) -> Option<Quota> {
        let api = Api::of(self.api.load(Ordering::Relaxed)).unwrap_or(self.order(scope)[0]);
        self.transport().quota(api.operation(scope.secret.is_some()))
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.transport().lasting_token().map(|token| token.secret())
    }

    fn has_timers(&self) -> bool {
        self.memory.is_none()
    }

    fn traffic(&self) -> Traffic {
        traffic::of(self.transport())
    }
}

impl fmt::Debug for Infisical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Infisical").finish_non_exhaustive()
    }
}

/// A source in memory holds what the program has given.
pub(super) fn of_memory(secrets: Loaded) -> Loaded {
    secrets.from_source(SnapshotSource::Memory)
}
