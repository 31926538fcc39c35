//! The database: projects with their environments and templates, and who may do what.

use std::collections::BTreeMap;

use hyper::StatusCode;
use hyper::http::Method;
use serde::{Deserialize, Serialize};

use super::routes;
use crate::dev::javascript::object;
use crate::dev::{Call, Clock, DevServerError, Millis, Reply, Route, Service};

/// Everything that the server knows.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) clock: Clock,
    pub(super) projects: Vec<Project>,
    pub(super) callers: Vec<Caller>,
    /// The most secrets of an answer, when it is not asked for fewer.
    pub(super) page_size: Option<usize>,
    pub(super) wraps_templates: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) org: String,
    pub(super) slug: String,
    pub(super) environments: BTreeMap<String, Environment>,
    pub(super) templates: BTreeMap<String, Template>,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Environment(BTreeMap<String, Stored>);

/// A secret. One that was deleted has no value, and its versions go on when it is set again.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    value: Option<String>,
    pub(super) version: i64,
    pub(super) updated: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Template {
    pub(super) id: String,
    pub(super) description: Option<String>,
    pub(super) required: bool,
    pub(super) created: Millis,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, writes and manages templates.
    #[default]
    Admin,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Caller {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) token: String,
    pub(super) role: Role,
    /// What an agent is kept to.
    pub(super) agent: Option<Agent>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Agent {
    pub(super) org: String,
    pub(super) project: String,
    pub(super) environment: String,
    /// Nothing: every key.
    pub(super) keys: Option<Vec<String>>,
}

impl Environment {
    /// The secrets that are there, in order of their keys.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&str, &str, &Stored)> {
        self.0.iter().filter_map(|(key, stored)| Some((key.as_str(), stored.value.as_deref()?, stored)))
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.value.as_deref()
    }

    /// Sets a secret, and gives its version.
    pub(super) fn set(&mut self, key: &str, value: &str, now: Millis) -> i64 {
        let fresh = Stored { value: None, version: 0, updated: now };
        let stored = self.0.entry(key.to_owned()).or_insert(fresh);
        stored.value = Some(value.to_owned());
        stored.version += 1;
        stored.updated = now;
        stored.version
    }

    /// Whether there was such a secret.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        self.0.get_mut(key).is_some_and(|stored| stored.value.take().is_some())
    }
}

/// A refusal, in the one form that was ever published.
pub(super) fn refusal(status: StatusCode, code: &str) -> Reply {
    Reply::json(status, &object([("error", code.into())]))
}

pub(super) fn not_found() -> Reply {
    refusal(StatusCode::NOT_FOUND, "not_found")
}

pub(super) fn forbidden() -> Reply {
    refusal(StatusCode::FORBIDDEN, "forbidden")
}

pub(super) fn bad_request() -> Reply {
    refusal(StatusCode::BAD_REQUEST, "bad_request")
}

impl Database {
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Who asks, by the token.
    pub(super) fn caller(&self, call: &Call) -> Result<&Caller, Reply> {
        let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| self.callers.iter().find(|caller| caller.token == token));
        known.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "unauthorized"))
    }

    pub(super) fn project(&self, org: &str, slug: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.org == org && project.slug == slug)
    }

    /// The project that a path names.
    pub(super) fn project_of(&mut self, call: &Call) -> Result<&mut Project, Reply> {
        let is_named =
            |project: &&mut Project| project.org == call.param("org") && project.slug == call.param("project");
        self.projects.iter_mut().find(is_named).ok_or_else(not_found)
    }

    /// An environment, for a change by a test.
    pub(super) fn environment(
        &mut self,
        org: &str,
        project: &str,
        environment: &str,
    ) -> Result<&mut Environment, DevServerError> {
        let found = self.projects.iter_mut().find(|known| known.org == org && known.slug == project);
        let found = found.ok_or_else(|| DevServerError::unknown("project", project))?;
        found.environments.get_mut(environment).ok_or_else(|| DevServerError::unknown("environment", environment))
    }
}

impl Project {
    /// An environment of the project.
    pub(super) fn environment(&mut self, name: &str) -> Result<&mut Environment, Reply> {
        self.environments.get_mut(name).ok_or_else(not_found)
    }
}

impl Service for Database {
    const ROOT: &'static str = "";

    type Admission = ();

    fn routes(&self) -> Vec<Route<Self>> {
        routes::routes()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// Knows the caller, and lets an agent into its environment alone.
    fn guard(&mut self, call: &Call) -> Result<(), Reply> {
        let Some(agent) = &self.caller(call)?.agent else { return Ok(()) };
        let is_inside = |param: &str, own: &str| call.param(param).is_empty() || call.param(param) == own;
        let is_kept = is_inside("org", &agent.org)
            && is_inside("project", &agent.project)
            && is_inside("env", &agent.environment)
            // what is about a whole project is about other environments
            && (call.param("project").is_empty() || !call.param("env").is_empty());
        if is_kept { Ok(()) } else { Err(forbidden()) }
    }

    fn unknown_path(_: &Method, _: &str) -> Reply {
        not_found()
    }

    fn refuse_method(_: &Method, _: &str, _: &str) -> Reply {
        not_found()
    }

    fn error(status: StatusCode, message: &str) -> Reply {
        refusal(status, message)
    }
}
