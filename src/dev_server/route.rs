//! The names of the routes, for faults, holds and counts.

/// Reads all values of an environment.
pub const SECRETS_READ: &str = "GET /projects/{projectId}/envs/{env}/secrets";
/// Creates and updates secrets.
pub const SECRETS_UPSERT: &str = "POST /projects/{projectId}/envs/{env}/secrets";
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
/// Tells that the server is there.
pub const HEALTH: &str = "GET /health";

/// Where the API begins.
pub(super) const ROOT: &str = "/api";
