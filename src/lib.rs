//! The client for secrets managers: typed, cached, redacted secrets from XtraSecurity, Infisical, secr and SyVault, and every endpoint of
//! the first two.
//!
//! ```no_run
//! use xtrasecurity::{XtraClient, XtraError};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), XtraError> {
//!     let client = XtraClient::from_env()?; // XTRA_TOKEN, XTRA_PROJECT_ID
//!     let secrets = client.get_secrets("production").await?; // branch "main", cached for 30 s
//!     let url = secrets.require("DATABASE_URL")?; // a SecretValue: prints as [REDACTED]
//!     connect(url.expose());
//!     Ok(())
//! }
//! # fn connect(_: &str) {}
//! ```
//!
//! # Where to start
//!
//! - Read secrets: [`XtraClient::get_secrets`] gives a [`Secrets`] snapshot.
//! - As a struct, with one error for all that is wrong: [`XtraClient::get_secrets_as`]; rules at [`Secrets::parse`].
//! - Give them to a child process: [`Secrets::apply_to`]. Into this process: [`XtraClient::inject_secrets`].
//! - Without async code: `blocking::XtraClient`, with the feature `blocking`.
//! - A credential that rotates: [`XtraClient::with_secret`]. At start-up and for probes: [`XtraClient::preload`].
//! - Notice when secrets change: `Client::watch`, with the feature `watch`.
//! - Change them: [`XtraClient::set_secret`], [`XtraClient::set_secrets`], and the methods beside them; their types are in
//!   [`xtra::write`].
//! - Branches, projects, service accounts, access: [`XtraClient::create_branch`] and others; their types are in [`xtra::manage`].
//! - Copy them to another environment, or to another service: [`copy_to`](Request::copy_to); see [`copy`].
//! - In a text or a file that refers to them: [`XtraClient::render`]. In figment or config-rs: `SecretsProvider`.
//! - From a shell: the command `xtrasec`, a crate of its own.
//! - Call any endpoint: [`XtraClient::raw`], the client generated from the API's document.
//! - Set options: [`XtraClient::builder`]; where the rest is looked up: [`XtraClient::from_env`].
//! - Test without an account: [`XtraClient::in_memory`], and the dev server (`dev_server`, with the feature `dev-server`).
//! - Coming from Python: `from_python` sets each call of the Python SDK beside its Rust spelling; `from_infisical`, `from_secr` and
//!   `from_syvault` do so for those services.
//! - Read Infisical: `infisical::InfisicalClient`, with the feature `infisical`; all that is said of reads here is so there too.
//! - Read secr or SyVault: `secr::SecrClient` and `syvault::SyVaultClient`, with the features of these names. Nothing of either was tried
//!   against its service; each method says what is documented and what is inferred.
//! - Read variables, a `.env` file or a directory of files, and layer sources over each other: [`sources`].
//! - Read another secrets manager: implement [`SecretSource`] and use [`Client`].
//!
//! # Reading and caching
//!
//! A snapshot is served from memory for its time to live (30 s, shortened at random by up to a tenth). Then the next read
//! fetches. Callers that miss the same scope at the same time share one request, and one that is cancelled takes nothing
//! with it. An error is given to every caller that waited, and is not cached. A read served from memory allocates nothing.
//!
//! Snapshots are kept by base URL, account, project, environment and branch: two tokens never see each other's. A 401, 403
//! or 404 of the service itself, or an answer that is masked, drops what was kept.
//!
//! # What is never a value
//!
//! The service sends `***` to callers that may see names only, and ciphertext where it cannot decrypt or where a client
//! encrypted before storing. Such a read fails with [`ErrorKind::Masked`] or [`ErrorKind::Undecryptable`] and the names.
//! [`allow_unreadable`](Request::allow_unreadable) leaves them out instead. What a client encrypted is opened with
//! [`vault_passphrase`](XtraClientBuilder::vault_passphrase).
//!
//! # Writing
//!
//! A write looks at what is there first, and is checked as a whole before anything is sent. It goes to the branch that is
//! named and to no other, and is repeated only when it cannot have arrived. What is written is read back: what a read does not
//! give is [not confirmed](xtra::write::Written::Unconfirmed), and no plain success. When its answer is lost, or no
//! definite refusal,
//! [`XtraError::may_have_been_applied`] is true, and the message says what to look at. Whatever becomes of it, the client's
//! snapshots of the project leave the cache. [`protect_production`](XtraClientBuilder::protect_production) keeps
//! production from being changed by accident.
//!
//! # Security
//!
//! - Values and tokens are wiped when they are dropped; so is the answer's body. Not wiped: the network library's buffers,
//!   what a caller copies out of [`SecretValue::expose`], and the environment.
//! - No value, token or answer body is in any `Debug`, `Display`, error source, log event or panic of this crate, and of URLs
//!   at most the host and port, in network errors. One place shows the base URL, because it is asked to:
//!   [`explain`](XtraClientBuilder::explain).
//! - `https` only, except on loopback; no redirects, no cookies, no referer. The system's certificates, or bundled ones where
//!   there are none, and those of [`add_root_certificate`](XtraClientBuilder::add_root_certificate).
//! - Proxies from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured;
//!   [`no_proxy`](XtraClientBuilder::no_proxy) turns that off. SOCKS proxies are not supported. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's certificates.
//!   A client that needs one of these variables is not built when its value cannot be used.
//! - A token goes only to a base URL that its giver named: `./.xtrarc` may choose among those, and cannot add one. See
//!   [`XtraClient::from_env`].
//! - No thread stays behind: a name is looked up on a thread that has ended before the answer is used.
//!
//! # Events
//!
//! The crate emits [`tracing`](https://docs.rs/tracing) events under these targets, which stay as they are:
//!
//! | target | events |
//! |---|---|
//! | `xtrasecurity::http` | one for each attempt of a request at `debug` (operation, attempt, status, duration); an exhausted retry budget |
//! | `xtrasecurity::quota` | requests that wait or are refused for the service's limits, snapshots that are kept longer to spare them |
//! | `xtrasecurity::engine` | an empty scope, stale reads, answers that are held back, watches, copies on disk |
//! | `xtrasecurity::credentials` | where a token was found; files that others can read; renewals that fail |
//! | `xtrasecurity::service` | local mode, `.env` files that others can read, layers that are missing, and writes that could not be read back |
//!
//! Names of secrets appear in errors, never in events.
//!
//! # Stability
//!
//! The crate follows semantic versioning, with one exception: [`xtra::raw`] and what [`XtraClient::raw`] gives, and
//! `infisical::raw` alike. They are generated from the service's document, and may change in any release.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `xtra` | yes | the XtraSecurity client and the generated raw client |
//! | `infisical` | | the Infisical client, for either interface of its server, with the credentials of a machine identity; and its raw client |
//! | `secr` | | the secr client: reads, writes and webhooks, by the vendor's documentation alone |
//! | `syvault` | | the SyVault client, experimental: by the vendor's documentation alone, without the keys of folders |
//! | `keyring` | | with `infisical`: the login that its command keeps in the keyring of the operating system |
//! | `http` | with `xtra` | the transport and the credential chains, for a service of your own |
//! | `typed` | yes | secrets as a struct, checked against its JSON Schema; schemas from files |
//! | `blocking` | | the blocking client, `blocking::XtraClient` |
//! | `watch` | | a stream of what changes, and handles on the newest snapshot |
//! | `offline` | | encrypted copies on disk, for the time when the service cannot be reached |
//! | `figment` | | secrets as a provider of figment |
//! | `config` | | secrets as a source of config-rs |
//! | `tower` | with `secr` | webhooks of secr verified in front of a service of tower, such as a handler of axum |
//! | `dev-server` | | the services in memory, each on a loopback port |
#![cfg_attr(docsrs, feature(doc_cfg))]
// A library must not end or write to the program that uses it. Tests may.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
#![cfg_attr(
    not(feature = "xtra"),
    doc = "",
    doc = "This documentation was built without `xtra`, so the links to its items lead nowhere.",
    allow(rustdoc::broken_intra_doc_links)
)]

// first, so that the page of `XtraClient` begins with how one is made
mod services;

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod copy;
#[cfg_attr(
    not(feature = "xtra"),
    allow(dead_code, unused_imports, reason = "the rest is for services, each a feature")
)]
mod core;
#[cfg(feature = "http")]
#[cfg_attr(
    not(feature = "xtra"),
    allow(dead_code, unused_imports, reason = "the rest is for services, each a feature")
)]
pub mod credentials;
#[cfg(feature = "dev-server")]
#[cfg_attr(not(feature = "infisical"), allow(dead_code, reason = "the rest is for services, each a feature"))]
mod dev;
pub mod dotenv;
mod engine;
mod env;
#[cfg(all(feature = "http", any(fuzzing, test)))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "http")]
#[cfg_attr(
    not(feature = "xtra"),
    allow(dead_code, unused_imports, reason = "the rest is for services, each a feature")
)]
pub mod http;
pub mod inject;
#[cfg(any(feature = "figment", feature = "config"))]
pub mod providers;
pub mod references;
#[cfg(feature = "typed")]
pub mod schema;
pub mod sources;

pub use core::{ErrorKind, SecretValue, Secrets, XtraError};
pub use engine::{
    CacheOptions, Client, EngineOptions, Request, ScopeHandle, SecretSource, Stats, UseError, WithSecretError,
};
#[cfg(feature = "offline")]
pub use engine::{OfflineKey, OfflineOptions};
#[cfg(any(feature = "figment", feature = "config"))]
pub use providers::SecretsProvider;
#[cfg(feature = "typed")]
pub use schema::Schema;
#[cfg(any(feature = "xtra", feature = "infisical", feature = "secr", feature = "syvault"))]
pub use services::ClientBuilder;
// handed to `inject`, which knows no service
use services::VARIABLES as SERVICE_VARIABLES;
#[cfg(all(feature = "infisical", any(fuzzing, test)))]
#[doc(hidden)]
pub use services::infisical::fuzzing as infisical_fuzzing;
#[cfg(feature = "dev-server")]
pub use services::xtra::dev as dev_server;
#[cfg(all(feature = "xtra", any(fuzzing, test)))]
#[doc(hidden)]
pub use services::xtra::fuzzing as xtra_fuzzing;
#[cfg(feature = "xtra")]
pub use services::xtra::{XtraClient, XtraClientBuilder, XtraClientOptions};

/// XtraSecurity's own: its scopes, its operations with what they take and give, and its generated client.
#[cfg(feature = "xtra")]
pub mod xtra {
    pub use crate::services::xtra::{
        DEFAULT_API_URL, ReadsBack, WriteOptions, Writes, Xtra, XtraScope, manage, raw, write,
    };
}

/// secr's own: its client, its scopes, its operations with what they take and give, and its webhooks.
///
/// Begin with [`SecrClient`](secr::SecrClient). The guide is `from_secr`.
#[cfg(feature = "secr")]
pub mod secr {
    #[cfg(feature = "dev-server")]
    pub use crate::services::secr::dev;
    pub use crate::services::secr::{
        Account, AddTemplate, BulkSetResult, BulkSetSecrets, DEFAULT_API_URL, DeleteResult, DeleteSecret, ListKeys,
        ListTemplates, ListedKeys, PageQuery, Paged, Pagination, PromoteResult, PromoteSecrets, PullSecrets,
        PulledSecret, PulledSecrets, RemoveTemplate, Secr, SecrClient, SecrClientBuilder, SecrScope, SecretKey,
        SecretPages, SetResult, SetSecret, Template, TemplateValidation, ValidateTemplate, Webhook, WebhookEvent,
        WebhookPlace, WebhookVerifier, Whoami,
    };
    #[cfg(feature = "tower")]
    pub use crate::services::secr::{WebhookLayer, WebhookService};
}

/// SyVault's own: its client, its scopes and folders, its notations, and its operations with what they take and give.
///
/// Begin with [`SyVaultClient`](syvault::SyVaultClient). The guide is `from_syvault`.
#[cfg(feature = "syvault")]
pub mod syvault {
    #[cfg(feature = "dev-server")]
    pub use crate::services::syvault::dev;
    pub use crate::services::syvault::{
        CreateLease, CreateSecret, CreatedSecret, Lease, LeaseEntry, ListLeases, ListSecrets, ListedSecret, Notation,
        Registration, ResolveNotation, RevokeLease, RotateSecret, Rotation, SyVault, SyVaultClient,
        SyVaultClientBuilder, SyVaultFolder, SyVaultScope, new_client_secret,
    };
}

/// The clock that a client lives by, one to set by hand in tests, and points in time.
pub mod clock {
    pub use crate::core::{Clock, ManualClock, Timestamp};
}

/// The parts of an [`XtraError`]: its advice, the reason of a refusal, the hop that failed, and conflicts.
pub mod error {
    pub use crate::core::{Conflict, Elevation, FileEntry, Hint, Hop, Reason};
}

/// Infisical's own: its client, its scopes, its operations with what they give, and its dev server.
///
/// Begin with [`InfisicalClient`](infisical::InfisicalClient). The guide is `from_infisical`.
#[cfg(feature = "infisical")]
pub mod infisical {
    #[cfg(feature = "dev-server")]
    pub use crate::services::infisical::dev;
    pub use crate::services::infisical::{
        Auth, DEFAULT_BASE_URL, GetSecret, IdToken, Infisical, InfisicalClient, InfisicalClientBuilder, InfisicalScope,
        ListSecrets, ListedSecret, kms, leases, raw, write,
    };
}

/// Lists that come page by page.
pub mod paging {
    pub use crate::core::{Pages, Paging, SecretsPage};
}

/// The operations of a [`Request`], and what they give.
pub mod request {
    pub use crate::engine::{Async, Preload, Preloaded, Read, ReadFuture, Refresh, ScopeRead, WithSecret};
}

/// The parts of a [`Secrets`] snapshot: where it came from, its iterator, and what could not be read.
pub mod snapshot {
    pub use crate::core::{LayerState, SecretsIter, SnapshotSource, Unreadable, UnreadableReason};
}

/// What a [`SecretSource`] of your own speaks with: the keys of its scopes, what it loads, and its operations.
pub mod source {
    pub use crate::core::{Identity, Quota, ScopeDescription};
    pub use crate::engine::{Call, KeyWriter, Loaded, Operation, Reads, Traffic};
    #[cfg(feature = "watch")]
    pub use crate::engine::{Listener, Listening};
}

/// Changes of secrets as they are noticed: streams, and handles on the newest snapshot.
#[cfg(feature = "watch")]
pub mod watch {
    pub use crate::core::Change;
    pub use crate::engine::{Watch, WatchReceiver, WatchSecret};
}

/// What a type derives [`JsonSchema`](schemars::JsonSchema) with: `use xtrasecurity::schemars::{self, JsonSchema};`. The module
/// must be in scope too, because the derived code names it; a dependency on schemars 1 does as well.
#[cfg(feature = "typed")]
pub use schemars;

/// Infisical from the first secret on, with each call of its Python SDKs in Rust.
#[cfg(all(doc, feature = "infisical"))]
#[cfg_attr(not(doctest), doc = include_str!("../docs/infisical.md"))]
pub mod from_infisical {}

/// Each example of the Python SDK of secr, in Rust.
#[cfg(all(doc, feature = "secr"))]
#[cfg_attr(not(doctest), doc = include_str!("../docs/from-secr.md"))]
pub mod from_secr {}

/// Each example of the Python SDK of SyVault, in Rust.
#[cfg(all(doc, feature = "syvault"))]
#[cfg_attr(not(doctest), doc = include_str!("../docs/from-syvault.md"))]
pub mod from_syvault {}

// Its snippets are held against the example `readme`, which compiles them.
#[cfg(all(doc, feature = "xtra"))]
#[cfg_attr(not(doctest), doc = include_str!("../docs/from-python.md"))]
#[cfg_attr(doctest, doc = "Each call of the Python SDK, in Rust.")]
pub mod from_python {}
