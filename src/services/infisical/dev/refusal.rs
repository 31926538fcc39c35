//! The refusals of the service, each in the words of its generation.

use hyper::http::{HeaderName, StatusCode, header};

use super::generation::Generation;
use crate::dev::javascript::{Json, Members, object};
use crate::dev::{Budget, Millis, Reply};

/// A refusal: a status, an error word and a message.
pub(super) struct Refusal(Box<Parts>);

struct Parts {
    status: u16,
    error: String,
    message: Json,
    code: Option<&'static str>,
    details: Option<Json>,
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: u16, error: impl Into<String>, message: impl Into<Json>) -> Self {
        let (error, message) = (error.into(), message.into());
        Refusal(Box::new(Parts { status, error, message, code: None, details: None, retry_after: None }))
    }

    pub(super) fn reply(self, generation: Generation) -> Reply {
        let Parts { status, error, message, code, details, retry_after } = *self.0;
        let mut body = Members::default();
        if generation.is_current() {
            body.set("reqId", format!("req-{:014x}", fastrand::u64(..) >> 8));
        }
        body.set("statusCode", i64::from(status));
        body.set("message", message);
        body.set("error", error);
        if let Some(code) = code {
            body.set("code", code);
        }
        if let Some(details) = details {
            body.set("details", details);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reply = Reply::json(status, &body.into());
        match retry_after {
            Some(seconds) => reply.with(header::RETRY_AFTER, &seconds.to_string()),
            None => reply,
        }
    }

    fn with_code(mut self, code: &'static str) -> Self {
        self.0.code = Some(code);
        self
    }

    pub(super) fn with_details(mut self, details: Json) -> Self {
        self.0.details = Some(details);
        self
    }
}

/// Refusals that every generation has in the same words.
impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Refusal::new(400, "BadRequest", message.into())
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Refusal::new(404, "NotFound", message.into())
    }

    /// A failure of the database, which names its step alone.
    pub(super) fn failed_step(step: &str) -> Self {
        Refusal::new(500, step, "Something went wrong")
    }
}

/// Refusals of requests as such.
impl Refusal {
    pub(super) fn invalid(generation: Generation, issues: Vec<Json>) -> Self {
        Refusal::new(generation.pick(403, 401, 422), "ValidationFailure", issues)
    }

    /// A body that is not read: no JSON, too long, of a foreign type.
    pub(super) fn unread_body(generation: Generation, problem: BodyProblem) -> Self {
        if !generation.is_august() {
            return Refusal::new(500, "InternalServerError", "Something went wrong");
        }
        match problem {
            BodyProblem::NotJson => Refusal::new(400, "Bad Request", "Unexpected end of JSON input"),
            BodyProblem::Empty => {
                let message = "Body cannot be empty when content-type is set to 'application/json'";
                Refusal::new(400, "Bad Request", message).with_code("FST_ERR_CTP_EMPTY_JSON_BODY")
            }
            BodyProblem::TooLong => Refusal::new(413, "Payload Too Large", "Request body is too large")
                .with_code("FST_ERR_CTP_BODY_TOO_LARGE"),
            BodyProblem::Type(kind) => {
                Refusal::new(415, "Unsupported Media Type", format!("Unsupported Media Type: {kind}"))
                    .with_code("FST_ERR_CTP_INVALID_MEDIA_TYPE")
            }
        }
    }

    pub(super) fn too_many(generation: Generation, budget: Budget, now: Millis) -> Self {
        let seconds = seconds_left(budget, now);
        let wait = if generation.is_current() { format!("{seconds} seconds") } else { "1 minute".to_owned() };
        let message = format!("Rate limit exceeded. Please try again in {wait}");
        let mut refusal = Refusal::new(429, "RateLimitExceeded", message);
        refusal.0.retry_after = Some(seconds);
        refusal
    }
}

/// The reason why a body was not read.
pub(super) enum BodyProblem {
    NotJson,
    Empty,
    TooLong,
    Type(String),
}

/// Refusals of tokens and logins.
impl Refusal {
    pub(super) fn token_missing(generation: Generation) -> Self {
        let (status, error) =
            generation.pick((403, "Unauthorized access"), (401, "UnauthorizedError"), (401, "UnauthorizedError"));
        Refusal::new(status, error, "Token missing")
    }

    /// A signed token that does not hold, by the sentence of the library that checks it.
    pub(super) fn bad_token(generation: Generation, sentence: &str) -> Self {
        if generation.is_august() {
            return Refusal::new(500, "Internal Server Error", sentence);
        }
        let message = match sentence {
            "jwt expired" => "Your token has expired. Please re-authenticate.",
            "jwt malformed" => {
                "The provided access token is malformed. Please use a valid token or generate a new one and try again."
            }
            other => other,
        };
        Refusal::new(403, "TokenError", message)
    }

    /// A token that was revoked, deleted or never issued.
    pub(super) fn unknown_token(generation: Generation) -> Self {
        match generation {
            Generation::August2024 => not_allowed(),
            _ => unauthorized(generation, "No identity access token found"),
        }
    }

    /// A token or a login that is refused with a sentence of its own.
    pub(super) fn unauthorized(generation: Generation, message: &str) -> Self {
        unauthorized(generation, message)
    }

    pub(super) fn not_allowed() -> Self {
        not_allowed()
    }

    pub(super) fn uses_spent(generation: Generation) -> Self {
        let message = "Unable to renew because access token number of uses limit reached";
        if generation.is_august() { Refusal::bad_request(message) } else { unauthorized(generation, message) }
    }

    pub(super) fn foreign_address(generation: Generation) -> Self {
        if generation.is_august() {
            return Refusal::new(403, "UnauthorizedError", "Failed to authenticate");
        }
        let message = "You are not allowed to access this resource from the current IP address";
        Refusal::new(403, "ForbiddenError", message)
    }

    pub(super) fn unknown_client(generation: Generation) -> Self {
        match generation {
            Generation::October2024 => Refusal::not_found("No identity with specified client ID was found"),
            _ => unauthorized(generation, "Invalid credentials"),
        }
    }

    /// A login by a method that the identity does not have.
    pub(super) fn method_missing(generation: Generation, sentence: &str) -> Self {
        if generation.is_august() { not_allowed() } else { Refusal::not_found(sentence) }
    }
}

fn not_allowed() -> Refusal {
    Refusal::new(403, "UnauthorizedError", "You are not allowed to access this resource")
}

fn unauthorized(generation: Generation, message: &str) -> Refusal {
    Refusal::new(generation.pick(403, 401, 401), "UnauthorizedError", message)
}

/// Refusals of projects and permissions.
impl Refusal {
    pub(super) fn no_permission(generation: Generation, action: &str, subject: &str) -> Self {
        let message = format!("You are not allowed to {action} on {subject}");
        Refusal::new(generation.pick(401, 403, 403), "PermissionDenied", message)
    }

    pub(super) fn no_member(generation: Generation, project: &str) -> Self {
        let sentence = format!("Identity is not a member of the specified project with ID '{project}'");
        let error = generation.pick("Identity not in project".to_owned(), sentence, "ForbiddenError".to_owned());
        Refusal::new(403, error, "You are not allowed to access this resource")
    }

    pub(super) fn unknown_project(generation: Generation, project: &str) -> Self {
        match generation {
            Generation::August2024 => Refusal::bad_request("Project not found during bot lookup."),
            Generation::October2024 => Refusal::not_found(format!(
                "Project with ID '{project}' not found during bot lookup. Are you sure you are using the correct project ID?"
            )),
            Generation::Current => Refusal::not_found(format!("Project with ID '{project}' not found")),
        }
    }

    pub(super) fn unknown_slug(generation: Generation, slug: &str) -> Self {
        if generation.is_current() {
            return Refusal::not_found(format!("Project with slug '{slug}' not found"));
        }
        Refusal::failed_step("Failed to find project by slug")
    }

    /// A project whose values the server cannot open.
    pub(super) fn legacy_project(project: &str) -> Self {
        Refusal::not_found(format!(
            "Project bot not found for project with ID '{project}'. Please ask an administrator to log-in to the Infisical Console."
        ))
    }
}

/// An operation on secrets, as the refusal of a missing folder names it.
#[derive(Clone, Copy)]
pub(super) enum SecretStep {
    Get,
    Create,
    Update,
    Delete,
    CreateMany,
    UpdateMany,
    DeleteMany,
}

impl SecretStep {
    fn august(self) -> &'static str {
        match self {
            SecretStep::Get | SecretStep::Create | SecretStep::CreateMany => "Create secret",
            SecretStep::Update => "UpdateSecret",
            SecretStep::UpdateMany => "Update secret",
            SecretStep::Delete | SecretStep::DeleteMany => "Delete secret",
        }
    }

    fn later(self) -> &'static str {
        match self {
            SecretStep::Get => "GetSecretByName",
            SecretStep::Create => "CreateSecret",
            SecretStep::Update => "UpdateSecret",
            SecretStep::Delete => "DeleteSecret",
            SecretStep::CreateMany => "CreateManySecret",
            SecretStep::UpdateMany => "UpdateManySecret",
            SecretStep::DeleteMany => "DeleteManySecret",
        }
    }
}

/// Refusals of secrets, folders and imports.
impl Refusal {
    pub(super) fn missing_folder(generation: Generation, step: SecretStep, environment: &str, path: &str) -> Self {
        if generation.is_august() {
            return Refusal::new(400, step.august(), "Folder not found for the given environment slug & secret path");
        }
        let message = format!("Folder with path '{path}' in environment with slug '{environment}' not found");
        Refusal::new(404, step.later(), message)
    }

    pub(super) fn missing_secret(generation: Generation, name: &str) -> Self {
        if generation.is_august() {
            return Refusal::bad_request("Secret not found");
        }
        Refusal::not_found(format!("Secret with name '{name}' not found"))
    }

    pub(super) fn secret_exists(generation: Generation) -> Self {
        Refusal::bad_request(generation.pick("Secret already exist", "Secret already exist", "Secret already exists"))
    }

    pub(super) fn missing_tags(generation: Generation) -> Self {
        if generation.is_august() {
            return Refusal::bad_request("Tag not found");
        }
        Refusal::not_found("One or more tags not found")
    }

    /// The reference that a caller may not read.
    pub(super) fn forbidden_reference(environment: &str, path: &str, key: &str) -> Self {
        let message = format!(
            "You are attempting to reference secret named {key} from environment {environment} in path {path} which you do not \
             have access to."
        );
        Refusal::new(403, "ForbiddenError", message)
    }
}

/// The reply to an address that no route has, which repeats it.
pub(super) fn unknown_route(method: &str, target: &str) -> Reply {
    let body = object([
        ("message", format!("Route {method}:{target} not found").into()),
        ("error", "Not Found".into()),
        ("statusCode", 404.into()),
    ]);
    Reply::json(StatusCode::NOT_FOUND, &body)
}

/// The reply to an address that is no URL.
pub(super) fn bad_address(target: &str) -> Reply {
    let body = object([
        ("error", "Bad Request".into()),
        ("code", "FST_ERR_BAD_URL".into()),
        ("message", format!("'{target}' is not a valid url component").into()),
        ("statusCode", 400.into()),
    ]);
    as_it_is(Reply::json(StatusCode::BAD_REQUEST, &body))
}

/// A reply that nothing is put on: one with a length.
fn as_it_is(reply: Reply) -> Reply {
    let length = reply.body.len().to_string();
    reply.with(header::CONTENT_LENGTH, &length)
}

/// The reply to a head that is too long.
pub(super) fn long_head() -> Reply {
    let body = object([
        ("error", "Request Header Fields Too Large".into()),
        ("message", "Exceeded maximum allowed HTTP header size".into()),
        ("statusCode", 431.into()),
    ]);
    as_it_is(Reply::json(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &body))
}

/// Seconds until the end of a window, rounded up.
fn seconds_left(budget: Budget, now: Millis) -> u64 {
    budget.ends.0.saturating_sub(now.0).div_ceil(1000)
}

/// A reply that tells a budget.
pub(super) fn with_budget(reply: Reply, budget: Budget, now: Millis) -> Reply {
    reply
        .with(HeaderName::from_static("x-ratelimit-limit"), &budget.limit.to_string())
        .with(HeaderName::from_static("x-ratelimit-remaining"), &budget.remaining.to_string())
        .with(HeaderName::from_static("x-ratelimit-reset"), &seconds_left(budget, now).to_string())
}
