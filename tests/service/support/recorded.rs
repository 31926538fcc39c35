//! The recordings, and the seed of the state in which they were made.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use xtrasecurity::dev_server::{
    Form, GrantSeed, LinkSeed, ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, Tier, TokenSeed, UserSeed,
    WorkspaceSeed,
};

use super::Call;
use super::known::Known;
use super::ordered::{Ordered, first_value};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings"))
}

/// The names of all recordings, in order.
pub(crate) fn names() -> Vec<String> {
    let index = fs::read_to_string(folder().join("INDEX.tsv")).unwrap();
    let mut names: Vec<String> =
        index.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect();
    names.sort();
    names
}

pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) status: u64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    method: String,
    target: String,
    sent: Vec<(String, String)>,
    sent_body: Option<String>,
}

impl Recording {
    pub(crate) fn load(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let (request, response) = (&whole["request"], &whole["response"]);
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = response["headers"].as_array().unwrap();
        let sent_body = match &request["body"] {
            body if body.get("json").is_some() => {
                // The order of the members matters, so the text itself is taken.
                let after = text.split_once("\"body\": {").and_then(|(_, rest)| rest.split_once("\"json\": "));
                after.map(|(_, rest)| first_value(rest).to_owned())
            }
            body => body.get("text").map(string),
        };
        Recording {
            name: name.to_owned(),
            identity: string(&whole["identity"]),
            status: response["status"].as_u64().unwrap(),
            headers: headers.iter().map(|pair| (string(&pair[0]).to_ascii_lowercase(), string(&pair[1]))).collect(),
            body: string(&response["body_text"]),
            method: string(&request["method"]),
            target: string(&request["target"]),
            sent: request["headers"].as_object().unwrap().iter().map(|(n, v)| (n.clone(), string(v))).collect(),
            sent_body,
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The request, with the token in the place of its mark and this run's ids in the place of the recorded ones.
    pub(crate) fn call(&self, known: &Known) -> Call<'_> {
        let mut call = Call::new(&self.method, known.in_request(&self.target, "token"));
        for (name, value) in &self.sent {
            if name != "Content-Length" {
                call = call.header(name, &value.replace("<token>", &token(self)));
            }
        }
        let presented = match self.name.as_str() {
            "cli-login-sa" => token_of("sa-read"),
            "cli-login-expired-key" => token_of("expired"),
            _ => "token".to_owned(),
        };
        call.body = self.sent_body.as_ref().map(|body| known.in_request(body, &presented));
        call
    }
}

/// A token for a name; the recordings hold none.
fn token_of(name: &str) -> String {
    format!("token-of-{name}")
}

fn token(recording: &Recording) -> String {
    match recording.name.as_str() {
        "secrets-get-jwt" => "a.signed.token".to_owned(),
        "secrets-get-jwt-sa" => "an.account.token".to_owned(),
        "sa-resolve" | "sa-resolve-post" => token_of("ci-bot-2"),
        name if name.starts_with("auth-") => token_of("owner"),
        _ => token_of(&recording.identity),
    }
}

#[derive(Deserialize)]
struct Values {
    users: BTreeMap<String, Identified>,
    workspaces: BTreeMap<String, String>,
    projects: Ordered<String>,
    branches: BTreeMap<String, Ordered<String>>,
    #[serde(rename = "serviceAccounts")]
    accounts: Ordered<AccountOf>,
    secrets: BTreeMap<String, BTreeMap<String, String>>,
    values: BTreeMap<String, Ordered<Ordered<String>>>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountOf {
    id: String,
    permissions: Vec<String>,
    project_id: String,
}

/// The text of the values: an id that is in it is the same in every run.
pub(crate) fn seed_values() -> String {
    fs::read_to_string(folder().join("seed-values.json")).unwrap()
}

/// The seed of the state before the recording of that name.
pub(crate) fn seed_before(name: &str) -> Seed {
    let values: Values = serde_json::from_str(&seed_values()).unwrap();
    let mut seed = Seed::new();
    for (user, Identified { id }) in &values.users {
        let tier = if user == "freeuser" { Tier::Free } else { Tier::Enterprise };
        seed = seed.user(UserSeed::new(user).id(id).tier(tier).token(token_of(user)));
    }
    for (workspace, id) in &values.workspaces {
        let owner = if workspace == "free" { "freeuser" } else { "owner" };
        seed = seed.workspace(WorkspaceSeed::new(workspace).id(id).owner(owner));
    }
    // The linked secret needs the project that it is linked to.
    let (first, rest): (Vec<_>, Vec<_>) = values.projects.0.iter().partition(|(name, _)| name == "other");
    for (project, id) in first.into_iter().chain(rest) {
        seed = seed.project(project_seed(&values, project, id, name));
    }
    if name.starts_with("project-update") || name == "project-delete" {
        let created = ProjectSeed::new("created-by-transcript").id("6b01673e1e831e24497cf72d").owner("owner");
        seed = seed.project(created.workspace("main").description("made over the wire"));
    }
    seed.token(TokenSeed::new("owner", token_of("expired")).expired())
        .token(TokenSeed::new("owner", "a.signed.token"))
        .token(TokenSeed::new("sa-write", "an.account.token"))
}

fn project_seed(values: &Values, project: &str, id: &str, recording: &str) -> ProjectSeed {
    let is_free = project == "free-project";
    let (owner, workspace) = if is_free { ("freeuser", "free") } else { ("owner", "main") };
    let mut seed = ProjectSeed::new(project).id(id).owner(owner).workspace(workspace);
    if !is_free {
        seed = seed.member("viewer", Role::Viewer).member("developer", Role::Developer);
    }
    for (branch, id) in &values.branches[project].0 {
        seed = seed.branch_with_id(branch, id);
    }
    if project == "other" {
        seed = seed.secret("development", "SHARED_TOKEN", "shared-from-other");
    }
    for (place, secrets) in &values.values[project].0 {
        let (branch, environment) = place.split_once(':').unwrap();
        for (key, value) in &secrets.0 {
            let id = &values.secrets[project][&format!("{place}:{key}")];
            let secret = SecretSeed::new(environment, key, value).on_branch(branch).id(id);
            seed = seed.with_secret(as_it_was(secret, recording));
        }
    }
    for (name, account) in values.accounts.0.iter().filter(|(_, account)| account.project_id == id) {
        let account = ServiceAccountSeed::new(name, &account.permissions).id(&account.id).token(token_of(name));
        seed = seed.service_account(account);
    }
    match project {
        "payments" => payments(seed, recording),
        "blocked" => seed.blocked(),
        "ip-restricted" => seed.allowed_ip("10.20.30.0/24"),
        "two-factor" => seed.two_factor_required(),
        _ => seed,
    }
}

/// Whether a recording shows earlier values, so that they have to be written one after the other.
pub(crate) fn has_a_past(recording: &str) -> bool {
    recording.starts_with("secret-history") || recording.starts_with("secret-rollback")
}

/// What the values do not tell: versions, and secrets that hang on no branch.
fn as_it_was(mut secret: SecretSeed, recording: &str) -> SecretSeed {
    match (secret.name.as_str(), secret.environment.as_str()) {
        ("DATABASE_URL", "development") if has_a_past(recording) => {
            secret.value = "postgres://dev:one@db/dev".to_owned();
            secret
        }
        ("DATABASE_URL", "development") => secret.version(3),
        ("DATABASE_URL", "staging") | ("ROTATING", _) => secret.version(2),
        ("OTHER_KEY", _) if recording == "legacy-secret-list" => secret,
        ("LEGACY_NULL_BRANCH" | "OTHER_KEY", _) => secret.without_branch(),
        _ => secret,
    }
}

fn payments(seed: ProjectSeed, recording: &str) -> ProjectSeed {
    let link = LinkSeed::new("other", "development", "SHARED_TOKEN");
    let mut seed = seed.with_secret(SecretSeed::link("development", "LINKED_TOKEN", link));
    let bot = ServiceAccountSeed::new("ci-bot-2", ["read:secrets", "write:secrets"]).token(token_of("ci-bot-2"));
    seed = seed.service_account(bot.id("6b0167421e831e24497cfa37"));
    if recording.starts_with("branch-") && !matches!(recording, "branch-create" | "branch-delete-again") {
        seed = seed.branch_with_id("release/1.0", "6b0167421e831e24497cfa2b");
    }
    match recording {
        "jit-outsider-secrets-after" => seed.grant(GrantSeed::approved("outsider")),
        "secret-copy-result" => {
            let copied = SecretSeed::new("development", "FEATURE_FLAG", "z").form(Form::Undecryptable);
            seed.with_secret(copied.on_branch("empty"))
        }
        _ => seed,
    }
}
