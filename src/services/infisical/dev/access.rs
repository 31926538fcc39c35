//! The actor of a request, and what it may do.

use super::database::{Database, Location};
use super::patterns::{is_pattern, matches_path};
use super::refusal::Refusal;
use super::rows::ServiceToken;
use super::seed::{Action, Role};
use super::tokens::Holder;
use crate::dev::Call;

/// Who asks.
#[derive(Clone)]
pub(super) enum Actor {
    Identity(String),
    User(String),
    Service(String),
}

impl Actor {
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Actor::User(id) => Some(id),
            Actor::Identity(_) | Actor::Service(_) => None,
        }
    }

    /// The id of an identity, a user or a service token.
    pub(super) fn id(&self) -> &str {
        match self {
            Actor::Identity(id) | Actor::User(id) | Actor::Service(id) => id,
        }
    }
}

/// The word of an action in a refusal.
fn word(action: Action) -> &'static str {
    match action {
        Action::Describe => "describeSecret",
        Action::Read => "read",
        Action::Create => "create",
        Action::Edit => "edit",
        Action::Delete => "delete",
    }
}

impl Database {
    /// The actor that the header of a request names; nothing when there is no header. A token is used by this.
    pub(super) fn actor(&mut self, call: &Call) -> Result<Option<Actor>, Refusal> {
        let Some(header) = call.header("authorization") else {
            return Ok(None);
        };
        let presented = header.get("Bearer ".len()..).unwrap_or_default().to_owned();
        if presented.starts_with("st.") {
            return self.service_actor(&presented).map(Some);
        }
        match self.holder(&presented)? {
            Holder::User(id) => match self.user(&id) {
                Some(_) => Ok(Some(Actor::User(id))),
                None => Err(Refusal::unknown_token(self.generation)),
            },
            Holder::Identity { token, identity } => {
                self.use_token(&token, &call.address)?;
                Ok(Some(Actor::Identity(identity)))
            }
        }
    }

    fn service_actor(&mut self, presented: &str) -> Result<Actor, Refusal> {
        let (generation, now) = (self.generation, self.now());
        let mut parts = presented.split('.').skip(1);
        let (id, secret) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(found) = self.service_tokens.iter_mut().find(|token| token.id == id) else {
            let message = format!("Service token with ID '{id}' not found");
            return Err(if generation.is_august() { Refusal::not_allowed() } else { Refusal::not_found(message) });
        };
        if found.expires.is_some_and(|expires| expires <= now) {
            let (error, message) = generation.pick(
                ("UnauthorizedError", "failed to authenticate expired service token"),
                ("ForbiddenError", "Service token has expired"),
                ("ForbiddenError", "Service token has expired"),
            );
            return Err(Refusal::new(403, error, message));
        }
        if found.secret != secret {
            return Err(match generation.is_august() {
                true => Refusal::not_allowed(),
                false => Refusal::unauthorized(generation, "Invalid service token"),
            });
        }
        found.used = Some(now);
        Ok(Actor::Service(found.id.clone()))
    }

    pub(super) fn service_token(&self, actor: &Actor) -> Option<&ServiceToken> {
        match actor {
            Actor::Service(id) => self.service_tokens.iter().find(|token| token.id == *id),
            Actor::Identity(_) | Actor::User(_) => None,
        }
    }

    /// The scope of a service token that has one alone, with a plain path: it overrides what a request says.
    pub(super) fn only_scope(&self, actor: &Actor) -> Option<(String, String, String)> {
        let token = self.service_token(actor)?;
        match &token.scopes[..] {
            [(environment, path)] if !is_pattern(path) => {
                Some((token.project.clone(), environment.clone(), path.clone()))
            }
            _ => None,
        }
    }

    /// The role of an actor in a project.
    fn role(&self, actor: &Actor, project: &str) -> Option<&Role> {
        let members = &self.project(project)?.members;
        members.iter().find(|(member, _)| member == actor.id()).map(|(_, role)| role)
    }

    /// The refusal of an actor that has no part in a project.
    pub(super) fn check_member(&self, actor: &Actor, project: &str) -> Result<(), Refusal> {
        match actor {
            Actor::Service(_) if self.service_token(actor).is_some_and(|token| token.project == project) => Ok(()),
            Actor::Service(_) => Err(Refusal::not_allowed()),
            _ if self.role(actor, project).is_some() => Ok(()),
            _ => Err(Refusal::no_member(self.generation, project)),
        }
    }

    /// Can an actor do something at a location?
    pub(super) fn may(&self, actor: &Actor, action: Action, at: Location) -> bool {
        if let Some(token) = self.service_token(actor) {
            let in_scope =
                |(environment, path): &(String, String)| environment == at.environment && matches_path(path, at.path);
            let reads = matches!(action, Action::Read | Action::Describe);
            return (reads || token.writes) && token.scopes.iter().any(in_scope);
        }
        match self.role(actor, at.project) {
            Some(Role::Admin | Role::Member) => true,
            Some(Role::Viewer) => matches!(action, Action::Read | Action::Describe),
            Some(Role::Custom(grants)) => grants.iter().any(|grant| {
                grant.actions.contains(&action)
                    && grant.environment.as_deref().is_none_or(|slug| slug == at.environment)
                    && matches_path(&grant.path, at.path)
            }),
            Some(Role::NoAccess) | None => false,
        }
    }

    /// The refusal of an actor that cannot do something at a location, or has no part in the project.
    pub(super) fn check(&self, actor: &Actor, action: Action, at: Location) -> Result<(), Refusal> {
        self.check_member(actor, at.project)?;
        if self.may(actor, action, at) {
            return Ok(());
        }
        Err(Refusal::no_permission(self.generation, word(action), "secrets"))
    }

    /// The refusal of an actor that cannot administer identities: one that is administrator of no project.
    pub(super) fn check_administrator(&self, actor: &Actor, action: &str) -> Result<(), Refusal> {
        let is_administrator = |(member, role): &(String, Role)| member == actor.id() && *role == Role::Admin;
        if self.projects.iter().flat_map(|project| &project.members).any(is_administrator) {
            return Ok(());
        }
        Err(Refusal::no_permission(self.generation, action, "identity"))
    }

    /// The refusal of an actor that cannot change a project's tags or environments.
    pub(super) fn check_manager(
        &self,
        actor: &Actor,
        project: &str,
        action: &str,
        subject: &str,
    ) -> Result<(), Refusal> {
        self.check_member(actor, project)?;
        match self.role(actor, project) {
            Some(Role::Admin | Role::Member) => Ok(()),
            _ => Err(Refusal::no_permission(self.generation, action, subject)),
        }
    }

    /// The refusal of an actor that cannot do something with the keys of a project.
    pub(super) fn check_keys(&self, actor: &Actor, action: &str, project: &str) -> Result<(), Refusal> {
        self.check_member(actor, project)?;
        match self.role(actor, project) {
            Some(Role::Admin | Role::Member) => Ok(()),
            Some(Role::Viewer) if action == "read" => Ok(()),
            _ => Err(Refusal::no_permission(self.generation, action, "cmek")),
        }
    }
}
