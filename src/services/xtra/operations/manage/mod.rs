//! What surrounds the secrets: projects, branches, service accounts, access.
//!
//! The types here are what [`XtraClient`](crate::XtraClient)'s methods of management take and give.
//!
//! Each method makes a [`Request`](crate::Request), which is sent when it is awaited. It is about the client's project, or the
//! one that [`project_id`](crate::Request::project_id) names; [`branch`](crate::Request::branch) and
//! [`environment`](crate::Request::environment) mean something to [`create_jit_link`](crate::XtraClient::create_jit_link)
//! only. Nothing here is cached. What makes a snapshot out of date, deleting a branch for example, drops it from the cache.
//!
//! Moments are texts as the service writes them, ISO-8601 in UTC. No value of a secret is in any of these types but
//! [`NewKey`] and [`JitLink`], where it prints as `[REDACTED]`.
//!
//! Whatever a method's documentation names, any call can also fail as a read can:
//! [`Unauthorized`](crate::ErrorKind::Unauthorized), [`RateLimited`](crate::ErrorKind::RateLimited),
//! [`Timeout`](crate::ErrorKind::Timeout), [`Network`](crate::ErrorKind::Network), [`Server`](crate::ErrorKind::Server). When
//! that leaves open whether a change was made, [`may_have_been_applied`](crate::XtraError::may_have_been_applied) says so.

mod access;
mod accounts;
mod branches;
mod caller;
mod jit;
mod keys;
mod projects;
mod waiting;

pub use crate::services::xtra::admin::{
    AccessMode, AccessRequest, AccessStatus, AccountKey, Branch, BranchComparison, Caller, Decision, JitLink,
    JitLinkInfo, NewKey, Project, SecretPlace, ServiceAccount,
};
pub use access::{DecideAccess, GetAccessRequest, ListAccessRequests, RequestAccess};
pub use accounts::{CreateServiceAccount, DeleteServiceAccount, ListServiceAccounts, UpdateServiceAccount};
pub use branches::{CompareBranches, CreateBranch, DeleteBranch, ListBranches, RenameBranch};
pub use caller::WhoAmI;
pub use jit::{ClaimJitLink, CreateJitLink, GetJitLink};
pub use keys::{CreateServiceAccountKey, DeleteServiceAccountKey, ListServiceAccountKeys};
pub use projects::{CreateProject, DeleteProject, GetProject, ListProjects, UpdateProject};
pub use waiting::WaitForAccess;
