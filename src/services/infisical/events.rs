//! The server's events: a connection over which it tells what changes in a folder, so that a watch need not ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::request;
use super::scope::{CheckedScope, ProjectName, ROOT, is_within};
use crate::core::{Backoff, ErrorKind, XtraError, events};
use crate::engine::{Listener, Listening};
use crate::http::{EventStream, Method, ServerEvent, Transport};

/// The kinds of events.
const KINDS: [&str; 4] = ["secret:create", "secret:update", "secret:delete", "secret:import-mutation"];

/// What the kinds begin with, those that this crate does not know too.
const OF_SECRETS: &[u8] = b"secret:";

/// The shortest wait before the next connection, and the longest. One that has lasted longer than that starts them anew.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The wait after a refusal that only somebody else can end: of the token, or by a proxy.
const LASTING: Duration = Duration::from_secs(600);

/// Whether the server has been found to tell nothing. It is said once a client.
#[derive(Default)]
pub(super) struct Refused(AtomicBool);

impl Refused {
    fn say(&self, error: &XtraError) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::info!(
                target: events::SERVICE,
                status = error.status(),
                "the server does not tell this client of changes, by its licence, its age or the identity's role; they are polled for"
            );
        }
    }
}

/// What listens for the changes of a scope. `None` where there is nothing to hear: a version of a secret does not change, and
/// only a project that is known by name can be listened to.
pub(super) fn listen(
    transport: &Transport,
    scope: &CheckedScope,
    refused: &Arc<Refused>,
    listener: Listener,
) -> Option<Listening> {
    let project = scope.project.clone().filter(|_| scope.version.is_none())?;
    let (transport, scope, refused) = (transport.clone(), scope.clone(), Arc::clone(refused));
    Some(Box::pin(async move { Listens { transport, scope, project, listener }.run(&refused).await }))
}

struct Listens {
    transport: Transport,
    scope: CheckedScope,
    project: ProjectName<'static>,
    listener: Listener,
}

impl Listens {
    /// Connects again and again, until the server refuses for good.
    async fn run(mut self, refused: &Refused) {
        let mut backoff = Backoff::new(WAITS.0, WAITS.1);
        loop {
            let begun = Instant::now();
            let error = match self.connect().await {
                Ok(stream) => {
                    self.listener.connected();
                    let outcome = self.follow(stream).await;
                    self.listener.lost();
                    outcome.err()
                }
                Err(error) if is_final(&error) => return refused.say(&error),
                Err(error) => {
                    if error.is_foreign_refusal() {
                        refused.say(&error);
                    }
                    Some(error)
                }
            };
            if begun.elapsed() > WAITS.1 {
                backoff = Backoff::new(WAITS.0, WAITS.1);
            }
            let failure = error.as_ref().map_or("ended", |error| error.kind().as_str());
            tracing::debug!(target: events::SERVICE, failure, "the connection for changes is gone; there will be another");
            sleep(wait(&mut backoff, error.as_ref())).await;
        }
    }

    async fn connect(&mut self) -> Result<EventStream, XtraError> {
        if let ProjectName::Slug(slug) = &self.project {
            self.project = ProjectName::Id(request::project_id(&self.transport, slug).await?.into());
        }
        let (ProjectName::Id(id) | ProjectName::Slug(id)) = &self.project;
        let body = json!({ "projectId": id, "register": registrations(&self.scope) });
        let path = ["v1", "events", "subscribe", "project-events"];
        self.transport.call("events_subscribe", Method::Post).path(path).json(&body).events().await
    }

    /// Has the scope read at each event that concerns it, until the connection ends.
    async fn follow(&self, mut stream: EventStream) -> Result<(), XtraError> {
        while let Some(event) = stream.next().await? {
            if concerns(&event, &self.scope) {
                self.listener.changed();
            }
        }
        Ok(())
    }
}

/// Whether the server will say the same the next time: it has no such route, no licence for it, or the identity no right.
fn is_final(error: &XtraError) -> bool {
    let by_status = matches!(error.status(), Some(400 | 402..=405 | 422 | 501));
    error.kind() == ErrorKind::Invalid
        || by_status && error.kind() != ErrorKind::Unauthorized && !error.is_foreign_refusal()
}

/// The time until the next connection.
fn wait(backoff: &mut Backoff, error: Option<&XtraError>) -> Duration {
    let own = backoff.next();
    let Some(error) = error else { return own };
    match error.kind() {
        _ if error.is_foreign_refusal() => LASTING,
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::TooLarge => {
            own.max(error.retry_after().unwrap_or_default().min(LASTING))
        }
        _ => LASTING,
    }
}

/// What to be told of. Servers take a path for a folder, for a pattern, or for what the paths of the folders below begin with.
fn registrations(scope: &CheckedScope) -> Vec<Value> {
    let mut paths = vec![scope.path.clone()];
    if scope.recursive {
        paths.push(if scope.path == ROOT { "/**".to_owned() } else { format!("{}/**", scope.path) });
    }
    let of_path = |path: &String| {
        KINDS.map(
            |kind| json!({ "event": kind, "conditions": { "environmentSlug": scope.environment, "secretPath": path } }),
        )
    };
    paths.iter().flat_map(of_path).collect()
}

/// An event as the server writes it. Whatever else there is does not matter.
#[derive(Deserialize)]
struct Told {
    data: Option<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    event_type: Option<String>,
    payload: Option<Payload>,
}

/// Where something has changed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Payload {
    Places(Vec<Place>),
    Place(Place),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    environment: Option<String>,
    secret_path: Option<String>,
}

/// Whether an event may be one of a change in the scope. Of what cannot be read, its kind decides.
fn concerns(event: &ServerEvent, scope: &CheckedScope) -> bool {
    let change = serde_json::from_slice::<Told>(&event.data).ok().and_then(|told| told.data);
    let kind = change.as_ref().and_then(|change| change.event_type.as_deref()).map_or(&*event.name, str::as_bytes);
    kind.starts_with(OF_SECRETS)
        && match change.and_then(|change| change.payload) {
            Some(Payload::Places(places)) => places.is_empty() || places.iter().any(|place| place.is_of(scope)),
            Some(Payload::Place(place)) => place.is_of(scope),
            Some(Payload::Other(_)) | None => true,
        }
}

impl Place {
    fn is_of(&self, scope: &CheckedScope) -> bool {
        let in_folder = |path: &str| {
            let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
            path == scope.path || scope.recursive && is_within(path, &scope.path)
        };
        self.environment.as_deref().is_none_or(|slug| slug == scope.environment)
            && self.secret_path.as_deref().is_none_or(in_folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::infisical::InfisicalScope;
    use crate::services::infisical::scope::Defaults;

    fn scope(recursive: bool) -> CheckedScope {
        let scope = InfisicalScope::new("dev").project_id("p").path("/app");
        let scope = if recursive { scope.recursive() } else { scope };
        scope.checked(&Defaults::default()).unwrap()
    }

    fn event(name: &str, data: &str) -> ServerEvent {
        ServerEvent { name: name.into(), data: data.into() }
    }

    fn told(payload: &str) -> ServerEvent {
        event(
            "x",
            &format!(
                r#"{{"projectType":"secret-manager","data":{{"eventType":"secret:update","payload":{payload}}}}}"#
            ),
        )
    }

    #[test]
    fn an_event_counts_when_its_place_is_in_the_scope_and_not_when_it_is_elsewhere() {
        let place =
            |environment: &str, path: &str| format!(r#"{{"environment":"{environment}","secretPath":"{path}"}}"#);
        for (path, flat, deep) in [
            ("/app", true, true),
            ("/app/", true, true),
            ("/app/db", false, true),
            ("/apple", false, false),
            ("/", false, false),
        ] {
            for payload in [place("dev", path), format!("[{},{}]", place("dev", "/x"), place("dev", path))] {
                assert_eq!(concerns(&told(&payload), &scope(false)), flat, "{payload}");
                assert_eq!(concerns(&told(&payload), &scope(true)), deep, "{payload}");
            }
        }
        assert!(!concerns(&told(&place("prod", "/app")), &scope(true)));
    }

    #[test]
    fn what_cannot_be_read_counts_by_the_kind_that_the_event_says_it_is() {
        for data in ["", "{", "[]", "7", r#"{"data":{}}"#, r#"{"data":{"payload":7}}"#, "\u{0}\u{fffd}"] {
            assert!(concerns(&event("secret:create", data), &scope(false)), "{data}");
            assert!(!concerns(&event("ping", data), &scope(false)), "{data}");
            assert!(!concerns(&event("", data), &scope(false)), "{data}");
        }
        assert!(concerns(&told("[]"), &scope(false)) && concerns(&told("{}"), &scope(false)));
    }

    #[test]
    fn no_more_is_registered_than_a_server_takes() {
        assert_eq!((registrations(&scope(false)).len(), registrations(&scope(true)).len()), (4, 8));
        assert_eq!(registrations(&scope(true))[4]["conditions"]["secretPath"], "/app/**");
    }
}
