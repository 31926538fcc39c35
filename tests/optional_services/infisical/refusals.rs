//! What goes wrong, told by its kind, by which of the given names may be at fault, and by what to do about it.

use std::time::Duration;

use serde_json::json;
use xtrasecurity::{ErrorKind, XtraError};

use crate::server::{Model, PROJECT, Reply, Server};

/// The error of a read of `/app` in `dev` that is answered like this.
async fn read(reply: Reply) -> XtraError {
    let server = Server::start(move |_| reply.clone()).await;
    let client = server.builder().token("a-token").max_retries(0).build().unwrap();
    client.get_secrets("dev").path("/app").await.unwrap_err()
}

/// Holds that an error has the kind, and says each of these.
fn assert_told(error: &XtraError, kind: ErrorKind, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    assert!(!text.contains("a-token") && !text.contains("/api/v"), "{text}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_from_a_permission_that_is_missing() {
    for (status, word, said) in [
        (403, "TokenError", "Your token has expired. Please re-authenticate."),
        (401, "UnauthorizedError", "Identity access token exceeded max age"),
        (403, "ForbiddenError", "Service token has expired"),
        (500, "Internal Server Error", "jwt malformed"),
    ] {
        let error = read(Reply::refusal(status, word, said)).await;
        assert_told(&error, ErrorKind::Unauthorized, &["does not accept the token", said, "get a new one"]);
    }
    let said = "You are not allowed to read on secrets";
    let error = read(Reply::refusal(403, "PermissionDenied", said)).await;
    assert_told(&error, ErrorKind::Forbidden, &["may not do this", "/app", r#""dev""#, PROJECT, "Check the roles"]);
    let error = read(Reply::refusal(403, "x", "You are not allowed to access this resource")).await;
    assert_told(&error, ErrorKind::Forbidden, &["no member of the project", PROJECT, "Add the identity"]);
}

#[tokio::test]
async fn what_is_not_there_is_named_as_far_as_the_server_tells_with_all_that_was_asked_for() {
    for (said, which) in [
        (format!("Project with ID '{PROJECT}' not found"), "there is no such project"),
        (format!("Environment with slug 'dev' in project with ID {PROJECT} not found"), "there is no such environment"),
        (
            "Folder with path '/app' in environment with slug 'dev' not found".to_owned(),
            "there is no such folder, or no such environment",
        ),
        ("Secret with name 'A' not found".to_owned(), "there is no such secret"),
    ] {
        // the same sentence with the status of August 2024
        for status in [404, 400] {
            let error = read(Reply::refusal(status, "NotFound", said.clone())).await;
            let place = format!(r#"the folder /app of the environment "dev" of the project {PROJECT}"#);
            assert_told(&error, ErrorKind::NotFound, &[which, &place, "letter by letter"]);
        }
    }
    let error = read(Reply::refusal(500, "Failed to find project by slug", "Something went wrong")).await;
    assert_told(&error, ErrorKind::NotFound, &["no project with this slug"]);
    let said = format!(
        "Project bot not found for project with ID '{PROJECT}'. Please ask an administrator to log-in to the Infisical Console."
    );
    let error = read(Reply::refusal(404, "bot_not_found_error", said)).await;
    assert_told(&error, ErrorKind::NotFound, &["of an old kind", "Ask its administrator"]);
}

#[tokio::test]
async fn a_slug_in_the_place_of_an_id_is_told_as_such_and_an_id_is_not() {
    let server = Server::start(|seen| match seen.query("projectId") {
        PROJECT => Reply::refusal(404, "NotFound", "Project not found"),
        _ => Reply::refusal(422, "ValidationFailure", json!([{ "code": "invalid_string", "path": ["projectId"] }])),
    })
    .await;
    let client = server.client();
    let slug = client.get_secrets("dev").project_id("web-shop").await.unwrap_err();
    assert_told(&slug, ErrorKind::Invalid, &["projectId is of another form", "web-shop", "INFISICAL_PROJECT_SLUG"]);
    let id = client.get_secrets("dev").await.unwrap_err();
    assert_told(&id, ErrorKind::NotFound, &["there is no such project"]);
    assert!(!id.to_string().contains("slug ("), "{id}");
    let error = client.set_secret("dev", "A", "v").project_id("web-shop").await.unwrap_err();
    assert_told(&error, ErrorKind::Invalid, &["web-shop", "INFISICAL_PROJECT_SLUG"]);
}

#[tokio::test]
async fn each_issue_of_a_request_that_is_not_valid_is_named_in_every_age_of_the_server() {
    let issues = json!([
        { "code": "invalid_type", "expected": "string", "received": "undefined", "path": ["environment"], "message": "Required" },
        { "code": "invalid_enum_value", "received": "plum-4711", "options": ["true"], "path": ["recursive"], "message": "plum-4711" },
    ]);
    for status in [401, 403, 422] {
        let error = read(Reply::refusal(status, "ValidationFailure", issues.clone())).await;
        let words = ["environment is missing", "recursive is none of the values that may be", "Correct what is named"];
        assert_told(&error, ErrorKind::Invalid, &words);
        assert!(!error.to_string().contains("plum-4711"), "{error}");
    }
}

#[tokio::test]
async fn a_spent_limit_tells_how_long_it_lasts() {
    let limited = Reply::refusal(429, "RateLimitExceeded", "Rate limit exceeded. Please try again in 52 seconds");
    let error = read(limited.clone().header("retry-after", "52")).await;
    assert_told(&error, ErrorKind::RateLimited, &["too many requests", "Wait 52s", "cache_ttl"]);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(52)));
    assert_told(&read(limited).await, ErrorKind::RateLimited, &["Wait a minute"]);
}

#[tokio::test]
async fn a_page_of_a_proxy_is_told_as_no_answer_of_the_server_and_costs_no_login() {
    for (status, kind, words) in [
        (401, ErrorKind::Unauthorized, "refused on the way to the service"),
        (403, ErrorKind::Forbidden, "refused on the way to the service"),
        (404, ErrorKind::NotFound, "not one of the service's own"),
        (200, ErrorKind::Decode, "the body is not JSON"),
        (502, ErrorKind::Server, "not available"),
    ] {
        let page = Reply::new(status, "<html>Sign in to the network</html>").header("content-type", "text/html");
        let error = read(page.clone()).await;
        assert_told(&error, kind, &[words]);
        assert!(!error.to_string().contains("Sign in"), "{error}");
        let server = Server::start(move |seen| match seen.is_login() {
            true => Model::new(true).answer_now(seen),
            false => page.clone(),
        })
        .await;
        let client = server.builder().universal_auth("client-id", "client-secret").max_retries(0).build().unwrap();
        client.get_secrets("dev").await.unwrap_err();
        assert_eq!((server.logins(), server.seen().len()), (1, 2), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_the_token_nowhere() {
    let other = Model::new(true).start().await;
    let elsewhere = format!("{}/api/v4/secrets", other.url());
    for status in [301, 302, 307, 308] {
        let error = read(Reply::new(status, "").header("location", elsewhere.clone())).await;
        assert_told(&error, ErrorKind::Redirected, &["redirect, which is never followed", "Check that the base URL"]);
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_base_url_that_cannot_be_one_is_refused_with_its_form_and_one_too_many_is_told_by_the_first_read() {
    let server = Model::new(true).start().await;
    let build = |url: &str| server.builder().base_url(url).token("a-token").build();
    for (url, words) in [
        ("app.infisical.com", "https://host/api, with the scheme"),
        ("https://app.infisical.com/project?tab=1", "query"),
        ("http://infisical.internal", "must start with https://"),
        ("https://ann:plum-4711@app.infisical.com", "user name or password"),
        ("", "is empty"),
    ] {
        let error = build(url).unwrap_err();
        assert_told(&error, ErrorKind::Config, &[words]);
        assert!(!error.to_string().contains("plum-4711"), "{error}");
    }
    let versioned = build(&format!("{}/api/v4", server.url())).unwrap();
    let error = versioned.get_secrets("dev").await.unwrap_err();
    assert_told(&error, ErrorKind::NotFound, &["no such route", "base URL"]);
}

#[tokio::test]
async fn a_name_that_cannot_be_sent_is_refused_with_its_flaw_and_nothing_is_sent() {
    let server = Model::new(true).start().await;
    let client = server.client();
    for (path, words) in [
        ("app//x", r#""app//x" has an empty part"#),
        ("/app/../x", "goes to another folder"),
        (" /app", "white space"),
        ("'/app'", "in quotes"),
        ("", "is empty"),
    ] {
        let error = client.get_secrets("dev").path(path).await.unwrap_err();
        assert_told(&error, ErrorKind::Invalid, &["the path of the folder", words, "/app/db"]);
    }
    let error = client.get_secrets(" dev").await.unwrap_err();
    assert_told(&error, ErrorKind::Invalid, &["the environment", "white space"]);
    assert_told(&client.get_secret("dev", "").await.unwrap_err(), ErrorKind::Invalid, &["the name of the secret"]);
    let without = xtrasecurity::infisical::InfisicalClient::builder().base_url(server.url()).token("a-token");
    let error = without.no_proxy().build().unwrap().get_secrets("dev").await.unwrap_err();
    assert_told(&error, ErrorKind::Config, &["INFISICAL_PROJECT_ID", "project_id"]);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_list_that_one_reference_spoils_says_so_and_can_be_read_as_it_is_stored() {
    let model = Model::new(true);
    let server = {
        let model = model.clone();
        Server::start(move |seen| match seen.query("expandSecretReferences") {
            "true" => Reply::refusal(403, "ForbiddenError", "Failed to expand one or more secret references"),
            _ => model.answer_now(seen),
        })
        .await
    };
    let client = server.client();
    let error = client.get_secrets("dev").await.unwrap_err();
    assert_told(
        &error,
        ErrorKind::Forbidden,
        &["refers to a secret that the identity may not read", "as they are stored"],
    );
    assert_eq!(server.seen().len(), 1, "nothing else is asked for in its place");
    assert_eq!(client.get_secrets("dev").expand_references(false).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_failure_of_a_server_of_2024_names_what_is_known_to_lead_to_it() {
    let error = read(Reply::refusal(500, "InternalServerError", "Something went wrong")).await;
    assert_told(&error, ErrorKind::Server, &["imports one which is not there any more", "odd path"]);
}

#[tokio::test]
async fn a_value_that_is_hidden_says_whose_role_is_at_fault_in_no_words_of_another_service() {
    let mut hidden = crate::server::row("A", "<hidden-by-infisical>", "/app");
    hidden["secretValueHidden"] = json!(true);
    let error = read(Reply::json(&json!({ "secrets": [hidden], "imports": [] }))).await;
    assert_told(&error, ErrorKind::Masked, &["role may see names only", "Affected: A", "Use credentials whose role"]);
    assert!(!error.to_string().contains("access request"), "{error}");
}
