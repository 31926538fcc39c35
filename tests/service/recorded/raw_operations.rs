//! The generated operations that were recorded, each with its recordings and its call as recorded.

use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xtrasecurity::XtraError;
use xtrasecurity::xtra::raw::{Client, Error, ResponseValue, types};

use super::replay::Recording;

pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) recordings: &'static [&'static str],
    pub(crate) call: for<'a> fn(&'a Client, &'a Recording) -> Called<'a>,
}

type Called<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// What a raw call came to. What was decoded is written out again, so that it can be compared.
pub(crate) enum Outcome {
    Answered { status: u16, written: Value },
    Refused { status: u16, written: Option<Value>, error: XtraError },
}

async fn outcome<T: Serialize>(
    call: impl Future<Output = Result<ResponseValue<T>, Error<types::ApiError>>>,
) -> Outcome {
    match call.await {
        Ok(answer) => {
            Outcome::Answered { status: answer.status(), written: serde_json::to_value(answer.as_ref()).unwrap() }
        }
        Err(error) => {
            let written = match &error {
                Error::ErrorResponse(answer) => Some(serde_json::to_value(answer.as_ref()).unwrap()),
                _ => None,
            };
            let status = error.status().unwrap_or_else(|| panic!("no answer: {error}"));
            Outcome::Refused { status, written, error: error.into_error() }
        }
    }
}

impl Recording {
    /// A parameter that the document requires, although the recording may lack it.
    fn required(&self, name: &str) -> String {
        self.query(name).unwrap_or("absent").to_owned()
    }

    /// The body sent, or that of another recording where this one is none that the document allows.
    pub(crate) fn sent_or_as<T: DeserializeOwned>(&self, other: &str) -> T {
        let own = self.sent.clone().and_then(|sent| serde_json::from_value(sent).ok());
        own.unwrap_or_else(|| serde_json::from_value(Recording::load(other).sent.unwrap()).unwrap())
    }
}

/// `operation(parameter = how "where", ..)[optional parameters]{body or as in another recording}: recordings`
macro_rules! operations {
    ($($id:ident ($($set:ident = $how:ident $place:literal),*) [$($optional:ident = $query:literal),*]
        {$($body:ident or as $other:literal)?}: $($name:literal),+;)+) => {
        vec![$(Operation {
            id: stringify!($id),
            recordings: &[$($name),+],
            call: |client, recording| {
                let _ = recording;
                let call = client.$id();
                $(let call = call.$set(recording.$how($place));)*
                $(let call = match recording.query($query) {
                    Some(value) => call.$optional(value),
                    None => call,
                };)*
                $(let call = call.body(recording.sent_or_as::<types::$body>($other));)?
                Box::pin(outcome(call.send()))
            },
        }),+]
    };
}

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = secrets();
    all.extend(projects_and_branches());
    all.extend(service_accounts());
    all.extend(secret_records());
    all.extend(webhooks_and_keys());
    all.extend(access());
    all.extend(others());
    all
}

fn secrets() -> Vec<Operation> {
    operations! {
        secrets_upsert (project_id = segment 2, env = segment 4) [branch = "branch"] {SecretsUpsert or as "upsert-create"}:
            "blocked-upsert", "ratelimit-tier-429-post", "upsert-200-keys", "upsert-array-body", "upsert-bare-body",
            "upsert-bare-with-expected", "upsert-branch-in-body", "upsert-branch-in-query", "upsert-conflict", "upsert-create",
            "upsert-empty-body", "upsert-empty-object", "upsert-env-new", "upsert-expected-branch-mixup",
            "upsert-expected-for-missing-key", "upsert-expected-number", "upsert-expected-ok", "upsert-key-odd", "upsert-linked",
            "upsert-no-body", "upsert-no-content-type", "upsert-no-token", "upsert-non-json", "upsert-null-body",
            "upsert-outsider", "upsert-project-malformed", "upsert-sa-no-write", "upsert-sa-write", "upsert-sa-wrong-project",
            "upsert-secrets-array", "upsert-update", "upsert-update-same-value", "upsert-value-64k", "upsert-value-bool",
            "upsert-value-null", "upsert-value-number", "upsert-value-object", "upsert-value-partial";
        secrets_get (project_id = segment 2, env = segment 4, key = segment 6) [] {}:
            "ip-restricted-single-secret", "ratelimit-tier-429-other-route-unlimited", "secret-get", "secret-get-branch-ignored",
            "secret-get-env-uppercase", "secret-get-malformed-project", "secret-get-no-token", "secret-get-outsider",
            "secret-get-sa-wrong-project", "secret-get-slash-key", "secret-get-unknown-project", "secret-link-path-get",
            "secret-link-single-get", "two-factor-single-secret";
        secrets_delete (project_id = segment 2, env = segment 4, key = segment 6) [] {}:
            "secret-delete", "secret-delete-again", "secret-delete-developer", "secret-delete-no-token",
            "secret-delete-sa-write", "secret-delete-viewer";
        secrets_history (project_id = segment 2, env = segment 4, key = segment 6) [] {}:
            "secret-history", "secret-history-linked", "secret-history-no-token", "secret-history-outsider",
            "secret-history-unknown", "secret-history-viewer";
        secrets_rollback (project_id = segment 2, env = segment 4, key = segment 6) []
            {SecretRollbackRequest or as "secret-rollback"}:
            "secret-rollback", "secret-rollback-current", "secret-rollback-no-version", "secret-rollback-non-json",
            "secret-rollback-number", "secret-rollback-sa", "secret-rollback-viewer";
        secrets_rotate (project_id = segment 2, env = segment 4, key = segment 6) []
            {SecretRotateRequest or as "secret-rotate-regenerate-value"}:
            "secret-rotate-no-body", "secret-rotate-regenerate-value", "secret-rotate-shadow";
        secrets_link (project_id = segment 2, env = segment 4) [] {SecretLinkRequest or as "secret-link-again"}:
            "secret-link-again", "secret-link-malformed-project", "secret-link-missing-fields", "secret-link-to-reference",
            "secret-link-viewer";
        environments_clone (project_id = segment 2) [] {EnvironmentCloneRequest or as "env-clone"}:
            "env-clone", "env-clone-branch", "env-clone-developer", "env-clone-missing", "env-clone-no-token",
            "env-clone-non-json", "env-clone-overwrite", "env-clone-sa", "env-clone-same", "env-clone-skip";
    }
}

fn projects_and_branches() -> Vec<Operation> {
    operations! {
        projects_list () [workspace_id = "workspaceId"] {}:
            "project-list", "project-list-expired-key", "project-list-garbage-token", "project-list-no-token",
            "project-list-outsider", "project-list-sa", "project-list-workspace-malformed", "project-list-workspace-unknown";
        projects_create () [] {ProjectCreate or as "project-create"}:
            "project-create", "project-create-no-name", "project-create-no-token", "project-create-no-workspace",
            "project-create-sa", "project-create-unknown-workspace", "project-create-viewer";
        projects_update (id = required "id") [] {ProjectUpdate or as "project-update"}: "project-update";
        projects_delete (id = required "id") [] {}:
            "project-delete", "project-delete-unknown", "project-delete-viewer", "project-delete-with-service-accounts";
        projects_get (id = required "id") [] {}: "project-get", "project-get-developer", "project-get-sa";
        branches_list (project_id = required "projectId") [] {}: "branch-list", "branch-list-viewer";
        branches_create () [] {BranchCreate or as "branch-create"}:
            "branch-create", "branch-create-duplicate", "branch-create-malformed-project", "branch-create-no-token",
            "branch-create-non-json", "branch-create-unknown-project", "branch-create-viewer";
        branches_update () [] {BranchUpdate or as "branch-update"}: "branch-update", "branch-update-viewer";
        branches_detach (id = required "id") [] {}:
            "branch-delete", "branch-delete-again", "branch-delete-main", "branch-delete-no-id";
        branches_clear_by_query (operation = required "operation", branch_id = required "branchId") [] {}:
            "branch-clear-operation";
        branches_delete (branch_id = segment 2) [] {}: "branch-delete-route-outsider";
        branches_clear (branch_id = segment 2) [] {}:
            "branch-clear-route", "branch-clear-route-no-token", "branch-clear-route-viewer";
    }
}

fn service_accounts() -> Vec<Operation> {
    operations! {
        service_accounts_list (project_id = segment 2) [] {}:
            "sa-list-no-token", "sa-list-outsider", "sa-list-sa", "sa-list-viewer";
        service_accounts_create (project_id = segment 2) [] {ServiceAccountCreate or as "sa-create"}:
            "sa-create", "sa-create-no-name", "sa-create-outsider", "sa-create-viewer";
        service_accounts_update (project_id = segment 2, sa_id = segment 4) [] {ServiceAccountUpdate or as "sa-update"}:
            "sa-update", "sa-update-unknown";
        service_accounts_delete (project_id = segment 2, sa_id = segment 4) [] {}: "sa-delete", "sa-delete-again";
        service_account_keys_list (project_id = segment 2, sa_id = segment 4) [] {}: "sa-key-list", "sa-key-list-outsider";
        service_account_keys_create (project_id = segment 2, sa_id = segment 4) []
            {ServiceAccountKeyCreate or as "sa-key-create"}:
            "redis-sa-key-create", "sa-key-create", "sa-key-create-no-body", "sa-key-create-no-expiry";
        service_account_keys_delete (project_id = segment 2, sa_id = segment 4, key_id = segment 6) [] {}:
            "redis-sa-key-delete", "sa-key-delete", "sa-key-delete-again";
    }
}

fn secret_records() -> Vec<Operation> {
    operations! {
        secret_records_list (project_id = required "projectId") [] {}:
            "legacy-secret-list", "legacy-secret-list-no-project", "legacy-secret-list-no-token";
        secret_records_create () [] {SecretRecordCreate or as "legacy-secret-create"}:
            "legacy-secret-create", "legacy-secret-create-missing", "legacy-secret-create-no-env", "redis-legacy-secret-create";
        secret_records_update (id = required "id") [] {SecretRecordUpdate or as "legacy-secret-update"}:
            "legacy-secret-update", "legacy-secret-update-unknown";
        secret_records_delete (id = required "id") [] {}: "legacy-secret-delete", "legacy-secret-delete-again";
        secret_records_rollback () [] {SecretRecordRollbackRequest or as "legacy-secret-rollback"}:
            "legacy-secret-rollback", "legacy-secret-rollback-missing", "legacy-secret-rollback-unknown-version",
            "legacy-secret-rollback-viewer";
        secrets_health (workspace_id = required "workspaceId") [] {}: "secret-health", "secret-health-no-workspace";
        secret_shares_create () [] {SecretShareCreate or as "secret-share-create"}:
            "secret-share-create", "secret-share-create-malformed", "secret-share-create-outsider",
            "secret-share-create-unknown";
        secret_shares_view (token = required "token") [] {}:
            "secret-share-view", "secret-share-view-limit", "secret-share-view-revoked", "secret-share-view-unknown";
        secret_shares_revoke (id = required "id") [] {}: "secret-share-revoke";
    }
}

fn webhooks_and_keys() -> Vec<Operation> {
    operations! {
        webhooks_list (project_id = segment 2) [] {}: "webhook-list", "webhook-list-developer";
        webhooks_create (project_id = segment 2) [] {WebhookCreate or as "webhook-create"}:
            "webhook-create", "webhook-create-missing", "webhook-create-viewer";
        webhooks_update (project_id = segment 2) [] {WebhookUpdate or as "webhook-toggle"}: "webhook-toggle";
        webhooks_delete_by_query (project_id = segment 2, id = required "id") [] {}: "webhook-delete-query";
        webhooks_ping (project_id = segment 2, webhook_id = segment 4) [] {}: "webhook-post-id";
        webhooks_test (project_id = segment 2) [] {WebhookUrlTest or as "webhook-test-url"}:
            "webhook-test-url", "webhook-test-url-missing";
        api_keys_list () [workspace_id = "workspaceId"] {}: "api-key-list", "api-key-list-sa";
        api_keys_delete (id = segment 3) [] {}: "api-key-delete";
        auth_login () [] {CliLogin or as "cli-login-sa"}:
            "cli-login-bad-key", "cli-login-expired-key", "cli-login-missing", "cli-login-sa";
    }
}

fn access() -> Vec<Operation> {
    operations! {
        access_requests_list () [workspace_id = "workspaceId", project_id = "projectId"] {}:
            "access-request-list", "access-request-list-missing", "access-request-list-outsider", "access-request-list-viewer";
        access_requests_create () [] {AccessRequestCreate or as "access-request-create"}:
            "access-request-create", "access-request-create-missing", "access-request-create-outsider",
            "access-request-create-secret";
        access_requests_update (id = segment 2) [] {AccessRequestUpdate or as "access-request-approve"}:
            "access-request-approve", "access-request-approve-viewer", "access-request-invalid-status", "access-request-unknown";
        jit_generate () [] {JitGenerate or as "jit-generate"}:
            "jit-generate", "jit-generate-free", "jit-generate-missing", "jit-generate-no-duration", "jit-generate-viewer";
        jit_claim () [] {JitClaim or as "jit-claim"}: "jit-claim", "jit-claim-again", "jit-claim-missing", "jit-claim-unknown";
        jit_get (token = segment 2) [] {}: "jit-info-exhausted", "jit-info-no-token", "jit-info-unknown";
    }
}

fn others() -> Vec<Operation> {
    let mut all = operations! {
        health_check () [] {}: "health";
        audit_cli_logs_create () [] {CliLogUpload or as "audit-cli-logs-no-token"}:
            "audit-cli-logs-bad", "audit-cli-logs-no-token";
        workspaces_list () [] {}: "workspace-list", "workspace-list-sa";
        workspaces_get (id = required "id") [] {}: "workspace-get-unknown";
    };
    all.push(Operation {
        id: "audit_list",
        recordings: &["audit-list", "audit-list-outsider", "audit-list-search"],
        call: |client, recording| {
            let call = client.audit_list().workspace_id(recording.required("workspaceId"));
            // The only parameter among the recorded ones that is a number.
            let call = match recording.query("pageSize") {
                Some(size) => call.page_size(size.parse::<i64>().unwrap()),
                None => call,
            };
            Box::pin(outcome(call.send()))
        },
    });
    all
}
