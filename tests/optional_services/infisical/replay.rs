//! What two servers answered, answered again to the client: each read is asked as it was recorded, and comes to what it says.

use std::collections::BTreeMap;

use serde_json::Value;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::{ErrorKind, SecretValue, XtraError};

use crate::recordings::{Recording, recordings};
use crate::server::{Reply, Seen, Server};

const LIST: &str = "/api/v3/secrets/raw";

/// A server that answers one route as recorded, and has no other.
async fn answering(recording: &Recording) -> Server {
    let reply = Reply { headers: recording.headers(), ..Reply::new(recording.status(), recording.body()) };
    let path = recording.path().to_owned();
    Server::start(move |seen| {
        let is_same = seen.path == path || percent_decoded(&seen.path) == percent_decoded(&path);
        if is_same { reply.clone() } else { Reply::no_route(seen) }
    })
    .await
}

fn percent_decoded(path: &str) -> String {
    // a plus is a plus in a path
    let pair = format!("={}", path.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes()).into_owned();
    pairs.next().unwrap().1
}

fn client(server: &Server) -> InfisicalClient {
    let builder = InfisicalClient::builder().base_url(server.url()).no_proxy().token("st.a.b").max_retries(0);
    builder.call_timeout(std::time::Duration::from_secs(10)).build().unwrap()
}

fn flag(recording: &Recording, name: &str) -> bool {
    recording.query(name) == Some("true")
}

/// What the recorded list holds by the rules, made in another way than the client's.
fn expected(recording: &Recording) -> BTreeMap<String, String> {
    let (json, mut values) = (recording.json(), BTreeMap::new());
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    for block in json["imports"].as_array().into_iter().flatten() {
        let mut of_block = BTreeMap::new();
        for row in block["secrets"].as_array().unwrap() {
            of_block.entry(text(row, "secretKey")).or_insert_with(|| text(row, "secretValue"));
        }
        values.extend(of_block);
    }
    let path = recording.query("secretPath").unwrap_or("/").trim_end_matches('/');
    let is_below = |folder: &str| format!("{folder}/").starts_with(&format!("{path}/"));
    let own: Vec<&Value> = json["secrets"].as_array().unwrap().iter().collect();
    let own = own.into_iter().filter(|row| row["type"] == "shared" && is_below(row["secretPath"].as_str().unwrap()));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in own {
        *seen.entry(text(row, "secretKey")).or_default() += 1;
        values.insert(text(row, "secretKey"), text(row, "secretValue"));
    }
    values.retain(|name, _| seen.get(name).is_none_or(|times| *times == 1));
    values
}

/// Recordings of requests that the client does not make: of a wrong form, or of another method.
fn is_ours(recording: &Recording) -> bool {
    let single = recording
        .query_names()
        .iter()
        .all(|name| recording.query_names().iter().filter(|other| *other == name).count() == 1);
    let is_flag = |name: &str| recording.query(name).is_none_or(|word| matches!(word, "true" | "false"));
    let path = recording.query("secretPath").unwrap_or("/");
    recording.method() == "GET"
        && single
        && ["recursive", "include_imports", "expandSecretReferences", "viewSecretValue"]
            .iter()
            .all(|name| is_flag(name))
        && recording.query("environment").is_some_and(|slug| !slug.is_empty())
        && path.starts_with('/')
        && !path.contains("//")
        && recording.query("metadataFilter").is_none()
        && recording.query("tagSlugs") != Some("")
        && !path.split('/').any(|part| part == "..")
}

/// The kind that a recorded refusal comes to.
fn kind(recording: &Recording) -> ErrorKind {
    let json = recording.json();
    let (word, said) = (json["error"].as_str().unwrap_or_default(), json["message"].as_str().unwrap_or_default());
    match word {
        "ValidationFailure" => ErrorKind::Invalid,
        "PermissionDenied" | "ForbiddenError" if said != "Service token has expired" => ErrorKind::Forbidden,
        "TokenError" | "Unauthorized access" => ErrorKind::Unauthorized,
        "UnauthorizedError" if said == "Failed to authenticate" => ErrorKind::Forbidden,
        "UnauthorizedError" => ErrorKind::Unauthorized,
        "RateLimitExceeded" => ErrorKind::RateLimited,
        "Failed to find project by slug" => ErrorKind::NotFound,
        _ if said.starts_with("jwt ") || said == "invalid signature" || said.contains("ervice token") => {
            ErrorKind::Unauthorized
        }
        _ if said.contains("not found") => ErrorKind::NotFound,
        _ if word.starts_with("Identity ") => ErrorKind::Forbidden,
        _ => match recording.status() {
            404 => ErrorKind::NotFound,
            500 => ErrorKind::Server,
            _ => ErrorKind::Invalid,
        },
    }
}

fn assert_refused(recording: &Recording, error: &XtraError) {
    let shown = format!("{} {}", recording.server, recording.name);
    assert_eq!(error.kind(), kind(recording), "{shown}: {error}");
    assert!(!format!("{error:?}").contains("/api/v3/secrets"), "{shown}: {error}");
}

/// Parameters that these servers do not know.
const UNKNOWN: [&str; 2] = ["includeImports", "viewSecretValue"];

/// The query of a request is what was recorded, in all that was.
fn assert_same_query(recording: &Recording, seen: &Seen) {
    for name in recording.query_names().into_iter().filter(|name| !UNKNOWN.contains(name)) {
        let mut recorded = recording.query(name).unwrap();
        if name == "secretPath" && recorded.len() > 1 {
            recorded = recorded.trim_end_matches('/');
        }
        assert_eq!(seen.query(name), recorded, "{} {}: {name}", recording.server, recording.name);
    }
}

#[tokio::test]
async fn every_recorded_list_comes_to_what_it_says() {
    let (mut read, mut refused) = (0, 0);
    for recording in recordings().iter().filter(|recording| recording.path() == LIST && is_ours(recording)) {
        if recording.status() == 304 || recording.name == "service-token-list-params-ignored" {
            continue;
        }
        let server = answering(recording).await;
        let client = client(&server);
        let mut request = client.get_secrets(recording.query("environment").unwrap());
        request = request.path(recording.query("secretPath").unwrap_or("/"));
        request = request.include_imports(flag(recording, "include_imports"));
        request = request.expand_references(flag(recording, "expandSecretReferences"));
        if flag(recording, "recursive") {
            request = request.recursive();
        }
        for slug in recording.query("tagSlugs").into_iter().flat_map(|slugs| slugs.split(',')) {
            request = request.tag(slug);
        }
        request = match (recording.query("workspaceId"), recording.query("workspaceSlug")) {
            (Some(id), _) => request.project_id(id),
            (None, Some(slug)) => request.project_slug(slug),
            _ => request,
        };
        if recording.query("viewSecretValue") == Some("false") {
            continue;
        }
        let answered = request.allow_unreadable().await;
        let first = server.seen().into_iter().find(|seen| seen.path == LIST).unwrap();
        if recording.query("workspaceSlug").is_none() || recording.query("workspaceId").is_none() {
            assert_same_query(recording, &first);
        }
        if recording.status() != 200 {
            assert_refused(recording, &answered.unwrap_err());
            refused += 1;
            continue;
        }
        let expected = expected(recording);
        let shown = format!("{} {}", recording.server, recording.name);
        if recording.body() == r#"{"secrets":[],"imports":[]}"# && !flag(recording, "include_imports") {
            assert_eq!(answered.unwrap_err().kind(), ErrorKind::NotFound, "{shown}");
            continue;
        }
        let secrets = match answered {
            Ok(secrets) => secrets,
            // where the tell is the recording itself, asked again
            Err(error) if expected.is_empty() => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{shown}: {error}");
                continue;
            }
            Err(error) => panic!("{shown}: {error}"),
        };
        for (name, value) in &expected {
            // what still holds a reference is read by name, which this server refuses
            let left = flag(recording, "expandSecretReferences") && value.contains("${");
            assert_eq!(
                secrets.get(name).map(SecretValue::expose),
                Some(value.as_str()).filter(|_| !left),
                "{shown}: {name}"
            );
        }
        assert!(secrets.len() <= expected.len(), "{shown}");
        read += 1;
    }
    assert!(read > 50 && refused > 25, "{read} read, {refused} refused");
}

#[tokio::test]
async fn every_recorded_secret_comes_to_what_it_says() {
    let (mut read, mut refused, mut versions) = (0, 0, 0);
    for recording in recordings()
        .iter()
        .filter(|recording| recording.path().starts_with("/api/v3/secrets/raw/") && is_ours(recording))
    {
        let name = percent_decoded(&recording.path()[LIST.len() + 1..]);
        let is_odd = recording.name.starts_with("secrets-list")
            || ["secret-get-raw-slash", "secret-get-empty-name", "secret-get-bad-percent"]
                .contains(&recording.name.as_str());
        if is_odd || recording.status() == 304 || recording.query("type").is_some_and(|kind| kind != "shared") {
            continue;
        }
        let server = answering(recording).await;
        let client = client(&server);
        let mut request = client.get_secret(recording.query("environment").unwrap(), name.as_str());
        request = request.path(recording.query("secretPath").unwrap_or("/"));
        request = request.include_imports(flag(recording, "include_imports"));
        request = request.expand_references(flag(recording, "expandSecretReferences"));
        request = match (recording.query("workspaceId"), recording.query("workspaceSlug")) {
            (Some(id), _) => request.project_id(id),
            (None, Some(slug)) => request.project_slug(slug),
            _ => request,
        };
        let version = recording.query("version").map(str::parse::<u64>);
        match version {
            Some(Ok(version)) => request = request.version(version),
            Some(Err(_)) => continue,
            None => {}
        }
        let answered = request.allow_unreadable().await;
        let shown = format!("{} {}", recording.server, recording.name);
        if recording.status() != 200 {
            assert_refused(recording, &answered.unwrap_err());
            refused += 1;
            continue;
        }
        let secret = &recording.json()["secret"];
        if let Some(Ok(version)) = version
            && secret["version"] != version
        {
            assert_eq!(answered.unwrap_err().kind(), ErrorKind::Decode, "{shown}");
            versions += 1;
            continue;
        }
        let value = secret["secretValue"].as_str().unwrap_or_else(|| panic!("{shown}"));
        let asks_the_list = value.is_empty() && flag(recording, "include_imports")
            || value.contains("${") && flag(recording, "expandSecretReferences");
        match answered {
            Ok(answered) => assert_eq!(answered.expose(), value, "{shown}"),
            // and the list is no route of this server
            Err(error) => assert!(asks_the_list, "{shown}: {error}"),
        }
        read += 1;
    }
    assert!(read > 40 && refused > 20 && versions > 5, "{read} read, {refused} refused, {versions} versions");
}

#[tokio::test]
async fn every_recorded_login_gives_a_token_or_its_refusal_and_is_sent_once() {
    let (mut granted, mut refused) = (0, 0);
    let path = "/api/v1/auth/universal-auth/login";
    for recording in recordings().iter().filter(|recording| recording.path() == path) {
        // an old token breaks a login, and this client sends none
        if recording.request_header("authorization").is_some() {
            continue;
        }
        let server = answering(recording).await;
        let builder = InfisicalClient::builder().base_url(server.url()).no_proxy().project_id("p");
        let client = builder.universal_auth("client-id", "client-secret").max_retries(0).build().unwrap();
        let error = client.get_secrets("dev").await.unwrap_err();
        let shown = format!("{} {}", recording.server, recording.name);
        assert_eq!(server.logins(), 1, "{shown}");
        let login = server.seen().into_iter().find(Seen::is_login).unwrap();
        assert_eq!(login.headers.get("authorization"), None);
        if recording.status() == 200 {
            // the token is sent, to a route that this server does not have
            let token = recording.json()["accessToken"].as_str().unwrap().to_owned();
            assert_eq!(server.last().token(), Some(token.as_str()), "{shown}");
            granted += 1;
        } else {
            let kind = if recording.json()["error"] == "NotFound" { ErrorKind::Unauthorized } else { kind(recording) };
            assert_eq!(error.kind(), kind, "{shown}: {error}");
            client.get_secrets("dev").await.unwrap_err();
            let again = usize::from(matches!(kind, ErrorKind::Server)) + 1;
            assert_eq!(server.logins(), again, "{shown}");
            refused += 1;
        }
    }
    assert!(granted > 5 && refused > 15, "{granted} granted, {refused} refused");
}
