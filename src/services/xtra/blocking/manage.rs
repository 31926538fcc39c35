//! What surrounds the secrets: the async methods, sent at once. Their documentation is there.

use std::time::Duration;

use crate::blocking::Client;
use crate::blocking::Request;
use crate::blocking::options;
use crate::core::SecretValue;
use crate::services::xtra::Xtra;
use crate::services::xtra::operations::manage::{
    AccessMode, ClaimJitLink, CompareBranches, CreateBranch, CreateJitLink, CreateProject, CreateServiceAccount,
    CreateServiceAccountKey, DecideAccess, Decision, DeleteBranch, DeleteProject, DeleteServiceAccount,
    DeleteServiceAccountKey, GetAccessRequest, GetJitLink, GetProject, ListAccessRequests, ListBranches, ListProjects,
    ListServiceAccountKeys, ListServiceAccounts, RenameBranch, RequestAccess, UpdateProject, UpdateServiceAccount,
    WaitForAccess, WhoAmI,
};

/// A method of the async client that makes a request, for its twin.
macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $operation:ident;)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\nThe async [`", stringify!($name), "`](crate::XtraClient::", stringify!($name), ") says more.")]
            ///
            /// # Errors
            ///
            /// Those of the async method; [`Config`](crate::ErrorKind::Config) inside an async runtime.
            pub fn $name<'a>(&'a self $(, $argument: $type)*) -> Request<'a, Xtra, $operation> {
                Request(self.as_async().$name($($argument),*))
            }
        )*
    };
}

impl Client<Xtra> {
    requests! {
        /// Tells whose token the client has.
        whoami() -> WhoAmI;

        /// Lists the projects that the caller made, or is a member of.
        list_projects() -> ListProjects;
        /// Looks at one project.
        get_project() -> GetProject;
        /// Makes a project with a branch `main`.
        create_project(name: impl Into<String>, workspace_id: impl Into<String>) -> CreateProject;
        /// Changes the project's name or description.
        update_project() -> UpdateProject;
        /// Deletes a project with its branches and secrets.
        delete_project(id: impl Into<String>) -> DeleteProject;

        /// Lists the branches of the project.
        list_branches() -> ListBranches;
        /// Makes a branch. It is empty.
        create_branch(name: impl Into<String>) -> CreateBranch;
        /// Gives a branch another name.
        rename_branch(name: impl Into<String>, new_name: impl Into<String>) -> RenameBranch;
        /// Deletes a branch with its secrets in all environments.
        delete_branch(name: impl Into<String>) -> DeleteBranch;
        /// Tells what `compare` has more, less and otherwise than `base`: names only.
        compare_branches(base: impl Into<String>, compare: impl Into<String>) -> CompareBranches;

        /// Lists the service accounts of the project.
        list_service_accounts() -> ListServiceAccounts;
        /// Makes a service account, without a key.
        create_service_account(name: impl Into<String>) -> CreateServiceAccount;
        /// Changes a service account's name or permissions.
        update_service_account(id: impl Into<String>) -> UpdateServiceAccount;
        /// Deletes a service account with its keys.
        delete_service_account(id: impl Into<String>) -> DeleteServiceAccount;
        /// Lists the keys of a service account, without the keys themselves.
        list_service_account_keys(account_id: impl Into<String>) -> ListServiceAccountKeys;
        /// Makes a key for a service account.
        create_service_account_key(account_id: impl Into<String>) -> CreateServiceAccountKey;
        /// Deletes a key of a service account.
        delete_service_account_key(
            account_id: impl Into<String>,
            key_id: impl Into<String>
        ) -> DeleteServiceAccountKey;

        /// Asks for access to the project for a time.
        request_access(reason: impl Into<String>, duration: Duration) -> RequestAccess;
        /// Looks where a request for access stands.
        get_access_request(id: impl Into<String>) -> GetAccessRequest;
        /// Waits until somebody has decided on a request for access.
        wait_for_access(id: impl Into<String>) -> WaitForAccess;
        /// Lists requests for access.
        list_access_requests() -> ListAccessRequests;
        /// Decides on a request for access.
        decide_access(id: impl Into<String>, decision: Decision) -> DecideAccess;

        /// Makes a link for somebody who is to ask for access.
        create_jit_link(duration: Duration) -> CreateJitLink;
        /// Looks what a link leads to, without using it up.
        get_jit_link(token: impl Into<SecretValue>) -> GetJitLink;
        /// Claims a link, and gives the request for access that comes of it.
        claim_jit_link(token: impl Into<SecretValue>) -> ClaimJitLink;
    }
}

impl Request<'_, Xtra, ListProjects> {
    options! {
        /// Only those of this workspace.
        workspace(id: impl Into<String>);
    }
}

impl Request<'_, Xtra, CreateProject> {
    options! {
        /// What the project is for.
        description(text: impl Into<String>);
    }
}

impl Request<'_, Xtra, UpdateProject> {
    options! {
        /// The new name.
        name(name: impl Into<String>);
        /// The new description.
        description(text: impl Into<String>);
    }
}

impl Request<'_, Xtra, CreateBranch> {
    options! {
        /// What the branch is for.
        description(text: impl Into<String>);
    }
}

impl Request<'_, Xtra, RenameBranch> {
    options! {
        /// A new description too.
        description(text: impl Into<String>);
    }
}

impl Request<'_, Xtra, CreateServiceAccount> {
    options! {
        /// What the account is for.
        description(text: impl Into<String>);
        /// What the account may do.
        permissions(permissions: impl IntoIterator<Item = impl Into<String>>);
    }
}

impl Request<'_, Xtra, UpdateServiceAccount> {
    options! {
        /// The new name.
        name(name: impl Into<String>);
        /// All that the account may do from now on.
        permissions(permissions: impl IntoIterator<Item = impl Into<String>>);
    }
}

impl Request<'_, Xtra, CreateServiceAccountKey> {
    options! {
        /// What the key is for.
        label(label: impl Into<String>);
        /// For how long the key is good.
        expires_in(time: Duration);
    }
}

impl Request<'_, Xtra, RequestAccess> {
    options! {
        /// Only to these secrets, by their ids.
        secrets(ids: impl IntoIterator<Item = impl Into<String>>);
        /// The project's workspace, whose admins are to decide.
        workspace(id: impl Into<String>);
    }
}

impl Request<'_, Xtra, ListAccessRequests> {
    options! {
        /// Which requests.
        mode(mode: AccessMode);
        /// Those of this workspace.
        workspace(id: impl Into<String>);
    }
}

impl Request<'_, Xtra, WaitForAccess> {
    options! {
        /// How long to wait between two looks.
        every(time: Duration);
        /// How long to wait at most.
        deadline(limit: Duration);
    }
}

impl Request<'_, Xtra, CreateJitLink> {
    options! {
        /// Only to these secrets, by their ids.
        secrets(ids: impl IntoIterator<Item = impl Into<String>>);
        /// What the link is for.
        label(label: impl Into<String>);
        /// How often the link can be claimed.
        max_uses(count: u32);
        /// For how long the link itself is good.
        expires_in(time: Duration);
    }
}
