//! The names of the routes, for faults, holds and counts.

/// Reads all values of an environment.
pub const SECRETS_READ: &str = "GET /projects/{projectId}/envs/{env}/secrets";
/// Creates and updates secrets.
pub const SECRETS_UPSERT: &str = "POST /projects/{projectId}/envs/{env}/secrets";
/// Gets one secret as it lies in the database.
pub const SECRET_GET: &str = "GET /projects/{projectId}/envs/{env}/secrets/{key}";
/// Deletes the first secret with a key, on whatever branch.
pub const SECRET_DELETE: &str = "DELETE /projects/{projectId}/envs/{env}/secrets/{key}";
/// Lists the earlier values of a secret.
pub const SECRET_HISTORY: &str = "GET /projects/{projectId}/envs/{env}/secrets/{key}/history";
/// Makes an earlier value of a secret its newest version.
pub const SECRET_ROLLBACK: &str = "POST /projects/{projectId}/envs/{env}/secrets/{key}/history";
/// Gives a secret another value.
pub const SECRET_ROTATE: &str = "POST /projects/{projectId}/envs/{env}/secrets/{key}/rotate";
/// Would make a shadow value the value; there never is one.
pub const SECRET_PROMOTE: &str = "POST /projects/{projectId}/envs/{env}/secrets/{key}/promote";
/// Links a key to a secret of another project.
pub const SECRETS_LINK: &str = "POST /projects/{projectId}/envs/{env}/secrets/link";
/// Copies the secrets of one environment into another.
pub const ENVIRONMENTS_CLONE: &str = "POST /projects/{projectId}/envs/clone";
/// Lists secrets as the dashboard sees them.
pub const SECRETS_BY_ID_LIST: &str = "GET /secret";
/// Creates a secret, whether or not there is one with the key.
pub const SECRETS_BY_ID_CREATE: &str = "POST /secret";
/// Changes the secret with an id.
pub const SECRETS_BY_ID_UPDATE: &str = "PUT /secret";
/// Deletes the secret with an id.
pub const SECRETS_BY_ID_DELETE: &str = "DELETE /secret";
/// Makes an earlier value of the secret with an id its newest version.
pub const SECRETS_BY_ID_ROLLBACK: &str = "POST /secret/rollback";
/// Writes other ciphertext for values and histories, under the same versions.
pub const SECRETS_BY_ID_ROTATE: &str = "POST /secret/rotate";
/// Tells what two branches have otherwise.
pub const BRANCHES_COMPARE: &str = "GET /branch/compare";
/// Gets a project. Lists of projects are counted here too, and meet the same faults: both are one route.
pub const PROJECTS_GET: &str = "GET /project";
/// Creates a project.
pub const PROJECTS_CREATE: &str = "POST /project";
/// Updates a project.
pub const PROJECTS_UPDATE: &str = "PUT /project";
/// Deletes a project.
pub const PROJECTS_DELETE: &str = "DELETE /project";
/// Lists branches.
pub const BRANCHES_LIST: &str = "GET /branch";
/// Creates a branch, or clears one.
pub const BRANCHES_CREATE: &str = "POST /branch";
/// Updates a branch.
pub const BRANCHES_UPDATE: &str = "PUT /branch";
/// Deletes the branch that the query names by `id`; its secrets surface on `main`.
pub const BRANCHES_DETACH: &str = "DELETE /branch";
/// Deletes a branch with its secrets.
pub const BRANCHES_DELETE: &str = "DELETE /branch/{branchId}";
/// Deletes the secrets of a branch.
pub const BRANCHES_CLEAR: &str = "POST /branch/{branchId}/clear";
/// Tells a service account its project.
pub const SERVICE_ACCOUNT_RESOLVE: &str = "GET /service-account/resolve";
/// Lists the service accounts of a project.
pub const SERVICE_ACCOUNTS_LIST: &str = "GET /projects/{projectId}/service-accounts";
/// Creates a service account.
pub const SERVICE_ACCOUNTS_CREATE: &str = "POST /projects/{projectId}/service-accounts";
/// Changes the name and the permissions of a service account.
pub const SERVICE_ACCOUNTS_UPDATE: &str = "PATCH /projects/{projectId}/service-accounts/{saId}";
/// Deletes a service account with its keys.
pub const SERVICE_ACCOUNTS_DELETE: &str = "DELETE /projects/{projectId}/service-accounts/{saId}";
/// Lists the keys of a service account.
pub const SERVICE_ACCOUNT_KEYS_LIST: &str = "GET /projects/{projectId}/service-accounts/{saId}/keys";
/// Creates a key of a service account.
pub const SERVICE_ACCOUNT_KEYS_CREATE: &str = "POST /projects/{projectId}/service-accounts/{saId}/keys";
/// Deletes a key of a service account.
pub const SERVICE_ACCOUNT_KEYS_DELETE: &str = "DELETE /projects/{projectId}/service-accounts/{saId}/keys/{keyId}";
/// Asks for access.
pub const ACCESS_REQUEST: &str = "POST /access/request";
/// Tells how a request for access stands.
pub const ACCESS_STATUS: &str = "GET /access/request";
/// Lists requests for access.
pub const ACCESS_LIST: &str = "GET /access/list";
/// Decides about a request for access.
pub const ACCESS_APPROVE: &str = "POST /access/approve";
/// Lists the requests for access of a workspace or a project.
pub const ACCESS_REQUESTS_LIST: &str = "GET /access-requests";
/// Asks for access to a secret or a project.
pub const ACCESS_REQUESTS_CREATE: &str = "POST /access-requests";
/// Decides about a request for access to a project.
pub const ACCESS_REQUESTS_UPDATE: &str = "PATCH /access-requests/{id}";
/// Begins a break-glass session.
pub const BREAK_GLASS_BEGIN: &str = "POST /access/break-glass";
/// Ends a break-glass session.
pub const BREAK_GLASS_END: &str = "PATCH /access/break-glass";
/// Notes what was done in a break-glass session.
pub const BREAK_GLASS_NOTE: &str = "PUT /access/break-glass";
/// Makes a link by which whoever has it asks for access.
pub const JIT_GENERATE: &str = "POST /jit/generate";
/// Asks for access by a link.
pub const JIT_CLAIM: &str = "POST /jit/claim";
/// Tells what a link is for.
pub const JIT_GET: &str = "GET /jit/{token}";
/// Lists the teams of a project.
pub const PROJECT_TEAMS_LIST: &str = "GET /project/{id}/teams";
/// Gives a team a project.
pub const PROJECT_TEAMS_ADD: &str = "POST /project/{id}/teams";
/// Takes a project from a team.
pub const PROJECT_TEAMS_REMOVE: &str = "DELETE /project/{id}/teams/{teamProjectId}";
/// Lists the addresses that a project lets in.
pub const PROJECT_IPS_LIST: &str = "GET /project/{id}/ip";
/// Adds an address to those that a project lets in.
pub const PROJECT_IPS_ADD: &str = "POST /project/{id}/ip";
/// Removes an address from those that a project lets in.
pub const PROJECT_IPS_REMOVE: &str = "DELETE /project/{id}/ip";
/// Lists the webhooks of a project.
pub const WEBHOOKS_LIST: &str = "GET /projects/{projectId}/webhooks";
/// Creates a webhook.
pub const WEBHOOKS_CREATE: &str = "POST /projects/{projectId}/webhooks";
/// Turns a webhook on or off.
pub const WEBHOOKS_UPDATE: &str = "PATCH /projects/{projectId}/webhooks";
/// Deletes the webhook that the query names by `id`.
pub const WEBHOOKS_REMOVE: &str = "DELETE /projects/{projectId}/webhooks";
/// Deletes a webhook.
pub const WEBHOOKS_DELETE: &str = "DELETE /projects/{projectId}/webhooks/{webhookId}";
/// Makes a link that shows one secret.
pub const SHARES_CREATE: &str = "POST /secret/share";
/// Shows a shared secret.
pub const SHARES_VIEW: &str = "GET /secret/share";
/// Revokes a link that shows one secret.
pub const SHARES_REVOKE: &str = "DELETE /secret/share";
/// Tells who calls.
pub const USER_GET: &str = "GET /user";
/// Lists the caller's keys.
pub const API_KEYS_LIST: &str = "GET /auth/api-keys";
/// Creates a key of the caller.
pub const API_KEYS_CREATE: &str = "POST /auth/api-keys";
/// Deletes a key of the caller.
pub const API_KEYS_DELETE: &str = "DELETE /auth/api-keys/{id}";
/// Exchanges a key for a signed token.
pub const CLI_LOGIN: &str = "POST /auth/cli-login";
/// Gets a workspace. Lists of workspaces are counted here too, and meet the same faults: both are one route.
pub const WORKSPACES_GET: &str = "GET /workspace";
/// Lists the caller's notifications.
pub const NOTIFICATIONS_LIST: &str = "GET /notifications";
/// Marks a notification as read, or as unread.
pub const NOTIFICATIONS_UPDATE: &str = "PATCH /notifications";
/// Deletes a notification.
pub const NOTIFICATIONS_DELETE: &str = "DELETE /notifications";
/// Lists the notification rules of a workspace.
pub const NOTIFICATION_RULES_LIST: &str = "GET /notification-rules";
/// Creates a notification rule.
pub const NOTIFICATION_RULES_CREATE: &str = "POST /notification-rules";
/// Changes a notification rule.
pub const NOTIFICATION_RULES_UPDATE: &str = "PATCH /notification-rules";
/// Deletes a notification rule.
pub const NOTIFICATION_RULES_DELETE: &str = "DELETE /notification-rules";
/// Lists the notification channels of a workspace.
pub const NOTIFICATION_CHANNELS_LIST: &str = "GET /notification-channels";
/// Creates a notification channel.
pub const NOTIFICATION_CHANNELS_CREATE: &str = "POST /notification-channels";
/// Changes a notification channel.
pub const NOTIFICATION_CHANNELS_UPDATE: &str = "PATCH /notification-channels";
/// Deletes a notification channel.
pub const NOTIFICATION_CHANNELS_DELETE: &str = "DELETE /notification-channels";
/// Would send a message to a channel; this server sends none and answers 501.
pub const NOTIFICATION_CHANNELS_TEST: &str = "POST /notification-channels/test";
/// Tells what the caller's plan has been used of.
pub const USAGE_GET: &str = "GET /subscription/usage";
/// Gets the description of the API.
pub const DOCS: &str = "GET /docs";
/// Tells that the server is there.
pub const HEALTH: &str = "GET /health";

/// Where the API begins.
pub(super) const ROOT: &str = "/api";
