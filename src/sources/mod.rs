//! Small sources that every program has, and layers of sources.
//!
//! | source | its secrets |
//! |---|---|
//! | [`EnvVars`] | the environment variables of this process |
//! | [`DotenvFile`] | a `.env` file |
//! | [`Directory`] | a directory of files, one a secret: Docker, Kubernetes, systemd |
//! | [`Layered`] | several sources, one over the other |
//!
//! Each is a [`SecretSource`](crate::SecretSource) with the scope `()`. A [`Client`](crate::Client) over it has everything that the
//! clients of services have: the cache, typed reads, injection, watches, the blocking calls. None needs a feature or a network.
//!
//! ```
//! use xtrasecurity::{Client, XtraError, sources::Directory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), XtraError> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path();
//! # std::fs::write(path.join("DATABASE_PASSWORD"), "hunter2\n").unwrap();
//! let client = Client::new_with_source(Directory::new(path));
//! let secrets = client.read(()).await?;
//! assert_eq!(secrets.require("DATABASE_PASSWORD")?.expose(), "hunter2");
//! # Ok(())
//! # }
//! ```
//!
//! # How fresh a read is
//!
//! The client keeps a snapshot for 30 s by default, and a watch looks at the source as often. That is right for a Kubernetes mount:
//! the kubelet itself takes up to a minute and a half to bring a change. To see the change of a file sooner, lower the
//! [`ttl`](crate::CacheOptions::ttl): a load costs a few system calls, so one second is cheap. The environment of a process changes
//! only when the process changes it; an hour is as good as 30 s there.
//!
//! No [copy](crate::EngineOptions) is kept on disk of what is on this machine. An answer without any secrets
//! [is held back](crate::Client#what-is-held-back) here too, and so is one that lacks a required name; other changes are taken
//! as they are.

mod directory;
mod dotenv_file;
mod env_vars;
mod layered;
mod reader;

use std::sync::LazyLock;

use crate::core::Identity;

pub use directory::Directory;
pub use dotenv_file::DotenvFile;
pub use env_vars::EnvVars;
pub use layered::{Layer, Layered};

/// Whoever asks for what is on this machine.
fn local() -> Identity {
    static LOCAL: LazyLock<Identity> = LazyLock::new(|| Identity::of("this machine"));
    *LOCAL
}
