//! The refusals that Infisical gives, told apart by what their bodies say: statuses have changed between versions of the server.
//!
//! A missing secret is a 400 of one version and a 404 of the next; a request of a wrong form is a 403, a 401 or a 422; an expired
//! token is a 500, a 403 or a 401. The words in `error` and the sentences in `message` tell them apart in each version. Of these
//! only what is listed here is shown.

mod issues;

use crate::core::{ErrorKind, Hint, Reason, XtraError};
use crate::http::{Advice, ErrorAnswer, ErrorBody, RefusalForms};

/// What the transport is told of them.
pub(super) const REFUSALS: RefusalForms = RefusalForms::new()
    .sentences(&[
        TOKEN,
        LOGIN,
        ADDRESS,
        MISSING_SECRET,
        MISSING_FOLDER,
        MISSING_ENVIRONMENT,
        MISSING_PROJECT,
        MISSING,
        FORBIDDEN,
        EXISTS,
        OTHERS,
    ])
    .codes(WORDS)
    .reasons(&[
        ("You are not allowed to access this resource from the current IP address", Reason::AddressNotAllowed),
        ("Failed to authenticate", Reason::AddressNotAllowed),
    ]);

/// The word of a request whose form is wrong. Its `message` is a list of [issues](issues::shown), and no sentence.
const VALIDATION: &str = "ValidationFailure";

/// The word of the web framework about a route that is not there. `NotFound`, in one word, is about an object.
const NO_ROUTE: &str = "Not Found";

/// What a project that is not there is called when it was named by its slug.
const NO_SLUG: &str = "Failed to find project by slug";

/// Words of `error` that are known. Others may hold ids.
const WORDS: &[&str] = &[
    NO_ROUTE,
    VALIDATION,
    "TokenError",
    "UnauthorizedError",
    "Unauthorized access",
    "PermissionDenied",
    "ForbiddenError",
    "Identity not in project",
    "NotFound",
    NO_SLUG,
    "BadRequest",
    "RateLimitExceeded",
    "InternalServerError",
    "GatewayTimeoutError",
    "GetSecretByName",
    "SecretPathNotFound",
    "CreateSecret",
    "Create secret",
    "CreateManySecret",
    "UpdateSecret",
    "DeleteSecret",
    "Delete secret",
    "Create folder",
    "UpdateFolder",
    "Delete folder",
    "get folders",
    "Create import",
    "Sec imp del",
    "ForbiddenReadSecretError",
    "bot_not_found_error",
];

/// Of a token that is refused.
const TOKEN: &[&str] = &[
    "Your token has expired. Please re-authenticate.",
    "The provided access token is malformed. Please use a valid token or generate a new one and try again.",
    "jwt expired",
    "jwt malformed",
    "jwt must be provided",
    "jwt signature is required",
    "jwt not active",
    "invalid signature",
    "invalid token",
    "invalid algorithm",
    "Token missing",
    "No identity access token found",
    "Identity access token exceeded max age",
    "Failed to renew MI access token due to TTL expiration",
    "Failed to renew MI access token past its Max TTL expiration",
    "Service token has expired",
    "failed to authenticate expired service token",
    "Invalid service token",
    "Service token with ID '{}' not found",
];

/// Of a name that is taken.
const EXISTS: &[&str] = &[
    "Secret already exist",
    "Secret already exist: {}",
    "Secret already exists",
    "Secret with the new name already exist",
];

/// Of credentials that are refused.
const LOGIN: &[&str] = &[
    "Invalid credentials",
    "No identity with specified client ID was found",
    "Access denied due to client secret usage limit reached",
    "Failed to authenticate identity credentials due to client secret number of uses limit reached",
    "Access denied due to expired client secret",
    "Failed to authenticate identity credentials due to expired client secret",
    "{} auth method not found for identity, did you configure {}?",
];

/// Of an address that is not allowed.
const ADDRESS: &[&str] =
    &["You are not allowed to access this resource from the current IP address", "Failed to authenticate"];

const MISSING_SECRET: &[&str] = &[
    "Secret with name '{}' not found",
    "Secret with name {} not found",
    "Secret not found",
    "Secret not exist: {}",
    "Secret does not exist: {}",
    "Secret does not exist: ",
    "One or more secrets does not exist: {}",
    "One or more secrets does not exist: ",
];

/// Of a folder. The server does not tell whether it is the folder or its environment.
const MISSING_FOLDER: &[&str] = &[
    "Folder with path '{secretPath}' in environment with slug '{environment}' not found",
    "Folder not found for the given environment slug & secret path",
    "Folder with ID '{}' not found",
    "Folder not found",
    "Failed to delete folder with ID '{}', not found",
];

const MISSING_ENVIRONMENT: &[&str] = &[
    "Environment with slug '{environment}' in project with ID {} not found",
    "Environment with slug '{environment}' not found",
    "Environment not found",
    "'{environment}' environment not found in project with ID {}",
];

const MISSING_PROJECT: &[&str] = &[
    "Project with ID '{workspaceId}' not found during bot lookup. Are you sure you are using the correct project ID?",
    "Project with ID '{}' not found",
    "Project not found during bot lookup.",
    "Project not found",
];

/// Of a project from before the server could read values.
const ENCRYPTED_PROJECT: &str =
    "Project bot not found for project with ID '{}'. Please ask an administrator to log-in to the Infisical Console.";

/// Of other things.
const MISSING: &[&str] = &[
    ENCRYPTED_PROJECT,
    "Secret import not found",
    "Secret import doc not found",
    "Secret import with folder ID '{}' not found",
    "Tag not found",
    "One or more tags not found",
    "Key with ID {} not found",
    "The requested entity is not found",
];

const NO_MEMBER: &str = "You are not allowed to access this resource";

/// Of a value that refers to a secret which may not be read.
const UNREADABLE_REFERENCES: &[&str] = &[
    "You are attempting to reference secret named {} from environment {} in path {} which you do not have access to.",
    "Failed to expand one or more secret references",
];

const FORBIDDEN: &[&str] = &[
    NO_MEMBER,
    "You are attempting to reference secret named {} from environment {} in path {} which you do not have access to.",
    "Failed to expand one or more secret references",
    "You are not allowed to {} on {}",
];

const OTHERS: &[&str] = &[
    "Rate limit exceeded. Please try again in {}",
    "Missing workspace id or environment",
    "Missing project id or environment",
    "You must provide workspaceSlug or workspaceId",
    "Must provide either project slug or projectId",
    "Must be user to create personal secret",
    "Must be user to delete personal secret",
    "Failed to create personal secret override for no corresponding shared secret",
    "Failed to add IP access range to service token due to plan restriction. Upgrade plan to add IP access range.",
    "Only identity access tokens can be renewed",
    "Cyclic import not allowed",
    "The request is invalid",
    "Body cannot be empty when content-type is set to 'application/json'",
    "Unsupported Media Type: {}",
    "Request body is too large",
    "Something went wrong",
];

/// Whether an operation is a login, which is refused for its credentials and not for a token.
fn is_login(operation: &str) -> bool {
    operation.starts_with("auth_") && operation.ends_with("_login")
}

fn has_form(said: Option<&str>, forms: &'static [&'static str]) -> bool {
    said.is_some_and(|said| RefusalForms::find(forms, said).is_some())
}

/// The kind of a refusal, where its words tell it.
pub(super) fn classify(operation: &str, status: u16, body: &ErrorBody<'_>) -> Option<ErrorKind> {
    let word = body.code().filter(|_| has_shape(body))?;
    let says = |forms| has_form(body.message(), forms);
    // that of a secret and the like, which one version answers with 400
    let misses =
        || [MISSING_SECRET, MISSING_FOLDER, MISSING_ENVIRONMENT, MISSING_PROJECT, MISSING].into_iter().any(says);
    Some(match word {
        VALIDATION => ErrorKind::Invalid,
        "PermissionDenied" => ErrorKind::Forbidden,
        "RateLimitExceeded" => ErrorKind::RateLimited,
        "TokenError" => ErrorKind::Unauthorized,
        _ if says(ADDRESS) => ErrorKind::Forbidden,
        "UnauthorizedError" | "Unauthorized access" => ErrorKind::Unauthorized,
        _ if says(TOKEN) => ErrorKind::Unauthorized,
        _ if is_login(operation) && says(LOGIN) => ErrorKind::Unauthorized,
        NO_SLUG => ErrorKind::NotFound,
        _ if misses() => ErrorKind::NotFound,
        _ if status == 400 && says(EXISTS) => ErrorKind::Conflict,
        _ if status == 400 && body.message().is_some_and(|said| said.contains("not found")) => ErrorKind::NotFound,
        _ => return None,
    })
}

/// Whether a body has the members that the server's own have, and no others.
fn has_shape(body: &ErrorBody<'_>) -> bool {
    const MEMBERS: [&str; 4] = ["statusCode", "reqId", "details", "code"];
    body.is_object()
        && body.other_members().any(|name| name == "statusCode")
        && body.other_members().all(|name| MEMBERS.contains(&name))
}

/// Whether Infisical itself has refused, rather than a proxy or a server of another kind: by the words of the body. A route that
/// is not there says nothing of the secrets: whatever is at this address, it is not the server that had them.
pub(super) fn is_own(body: &ErrorBody<'_>) -> bool {
    let is_known = |word: &str| word != NO_ROUTE && WORDS.contains(&word);
    let has_id = || body.other_members().any(|name| name == "reqId");
    has_shape(body)
        && body.code().is_some_and(|word| {
            is_known(word)
                || REFUSALS.sentence(body.message().unwrap_or_default()).is_some()
                || (word != NO_ROUTE && has_id())
        })
}

/// Whether an error is that of a server without the route that was asked for.
pub(super) fn misses_route(error: &XtraError) -> bool {
    error.status() == Some(404) && is_missing_route(error.code(), error.server_message())
}

fn is_missing_route(word: Option<&str>, said: Option<&str>) -> bool {
    word == Some(NO_ROUTE) && said.is_some_and(|said| said.starts_with("Route "))
}

/// What a refusal means, and what to do about it.
pub(super) fn explain(answer: &ErrorAnswer<'_>) -> Option<Advice> {
    let (form, code) = (answer.form, answer.code);
    let is = |forms: &[&str]| form.is_some_and(|form| forms.contains(&form));
    Some(match answer.kind {
        ErrorKind::NotFound if is_route_404(answer) => Advice::new(
            "the server has no such route: it is older or newer than what this call needs, or another server",
            Hint::check_base_url("is that of an Infisical server"),
        ),
        _ if answer.is_foreign => return None,
        ErrorKind::Invalid if code == Some(VALIDATION) => Advice::new(
            format!("the server does not accept the request: {}", issues::shown(answer.body())),
            Hint::advice("Correct what is named"),
        ),
        ErrorKind::Unauthorized if is_login(answer.operation) => Advice::new(
            "the server refuses the credentials",
            Hint::advice(
                "They are wrong, expired, revoked or used up: give the identity new ones. A server may lock an identity out \
                 for some minutes after a few failures",
            ),
        ),
        ErrorKind::Unauthorized => Advice::new(
            "the server does not accept the token",
            Hint::advice(
                "It is wrong, expired or revoked: get a new one. Credentials of a machine identity are exchanged for a new \
                 token by themselves",
            ),
        ),
        ErrorKind::Forbidden => forbidden(answer, is(UNREADABLE_REFERENCES), form == Some(NO_MEMBER)),
        ErrorKind::NotFound if form == Some(ENCRYPTED_PROJECT) => Advice::new(
            "the project is of an old kind, whose values the server cannot read",
            Hint::advice("Ask its administrator to upgrade it in the dashboard"),
        ),
        ErrorKind::NotFound => missing(if is(MISSING_SECRET) {
            "there is no such secret"
        } else if is(MISSING_FOLDER) {
            "there is no such folder, or no such environment"
        } else if is(MISSING_ENVIRONMENT) {
            "there is no such environment"
        } else if is(MISSING_PROJECT) {
            "there is no such project"
        } else if code == Some(NO_SLUG) {
            "there is no project with this slug"
        } else {
            "not found"
        }),
        _ => return None,
    })
}

fn missing(what: &'static str) -> Advice {
    Advice::new(
        what,
        Hint::advice("Check the names, slugs and ids, which must match letter by letter, upper and lower case too"),
    )
}

fn is_route_404(answer: &ErrorAnswer<'_>) -> bool {
    #[derive(serde::Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        error: std::borrow::Cow<'a, str>,
        #[serde(borrow)]
        message: std::borrow::Cow<'a, str>,
    }
    answer.status == 404
        && serde_json::from_slice::<Body<'_>>(answer.body())
            .is_ok_and(|body| is_missing_route(Some(&body.error), Some(&body.message)))
}

fn forbidden(answer: &ErrorAnswer<'_>, by_reference: bool, is_no_member: bool) -> Advice {
    match answer.reason {
        Some(Reason::AddressNotAllowed) => Advice::new(
            "the token may not be used from this address",
            Hint::advice("Add the address to the trusted ones of the identity, or call from one of them"),
        ),
        _ if by_reference => Advice::new(
            "a value refers to a secret that the identity may not read, so the server refuses all of it",
            Hint::advice("Give the identity access to what is referred to, or read the values as they are stored"),
        ),
        _ if is_no_member => Advice::new(
            "the identity is no member of the project, or there is no such project",
            Hint::advice("Add the identity to the project, and check the project's id"),
        ),
        _ => Advice::new(
            "the identity may not do this",
            Hint::advice(
                "Check the roles that it has in the project, and what they allow in this environment and folder",
            ),
        ),
    }
}

#[cfg(test)]
mod tests;
