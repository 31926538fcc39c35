//! secr, by its vendor's documentation: nothing here was seen on the wire.

pub(crate) mod client;
mod copy;
#[cfg(feature = "dev-server")]
pub mod dev;
mod operations;
mod pages;
mod protocol;
mod raw;
mod scope;
mod source;
mod webhook;
#[cfg(feature = "tower")]
mod webhook_layer;
pub(crate) mod wire;

pub use client::{DEFAULT_API_URL, SecrClient, SecrClientBuilder};
pub use operations::{
    Account, AddTemplate, BulkSetResult, BulkSetSecrets, DeleteResult, DeleteSecret, ListKeys, ListTemplates,
    ListedKeys, PageQuery, Paged, Pagination, PromoteResult, PromoteSecrets, PullSecrets, PulledSecret, PulledSecrets,
    RemoveTemplate, SecretKey, SecretPages, SetResult, SetSecret, Template, TemplateValidation, ValidateTemplate,
    Whoami,
};
pub use scope::SecrScope;
pub use source::Secr;
pub use webhook::{Webhook, WebhookEvent, WebhookPlace, WebhookVerifier};
#[cfg(feature = "tower")]
pub use webhook_layer::{WebhookLayer, WebhookService};
