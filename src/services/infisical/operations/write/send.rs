//! The requests of writes, by each version of the interface, and what their answers confirm.

use serde::{Deserialize, Serialize};

use super::details::SecretDetails;
use super::{Approval, Written, WrittenSecret, may_be_stored_as};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::http::runtime::wire::{SecretInput, WireSecret};
use crate::http::{Method, Transport};
use crate::services::infisical::request::{Api, Asked};
use crate::services::infisical::scope::{CheckedScope, ProjectName, quoted, shown_path};
use crate::services::infisical::source::{Infisical, how_to_go_on};
use crate::services::infisical::{refusals, wire};

/// The three kinds of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    Delete,
}

impl Kind {
    fn method(self) -> Method {
        match self {
            Self::Create => Method::Post,
            Self::Update => Method::Patch,
            Self::Delete => Method::Delete,
        }
    }

    fn operation(self, api: Api) -> &'static str {
        match (self, api) {
            (Self::Create, Api::V3) => "secrets_v3_create",
            (Self::Update, Api::V3) => "secrets_v3_update",
            (Self::Delete, Api::V3) => "secrets_v3_delete",
            (Self::Create, Api::V4) => "secrets_create",
            (Self::Update, Api::V4) => "secrets_update",
            (Self::Delete, Api::V4) => "secrets_delete",
        }
    }

    fn batch_operation(self, api: Api) -> &'static str {
        match (self, api) {
            (Self::Create, Api::V3) => "secrets_v3_create_batch",
            (Self::Update, Api::V3) => "secrets_v3_update_batch",
            (Self::Delete, Api::V3) => "secrets_v3_delete_batch",
            (Self::Create, Api::V4) => "secrets_create_batch",
            (Self::Update, Api::V4) => "secrets_update_batch",
            (Self::Delete, Api::V4) => "secrets_delete_batch",
        }
    }
}

/// One secret that is to be written.
pub(super) struct Change<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) new_name: Option<&'a str>,
    pub(super) value: Option<&'a SecretValue>,
    pub(super) details: &'a SecretDetails,
}

/// The folder of a write, as each version of the interface names it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<&'a str>,
    environment: &'a str,
    secret_path: &'a str,
}

impl<'a> Place<'a> {
    fn of(scope: &'a CheckedScope, api: Api) -> Self {
        let id = match &scope.project {
            Some(ProjectName::Id(id)) => Some(id.as_ref()),
            _ => None,
        };
        let (project_id, workspace_id) = match api {
            Api::V3 => (None, id),
            Api::V4 => (id, None),
        };
        Self { project_id, workspace_id, environment: &scope.environment, secret_path: &scope.path }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_value: Option<SecretInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_secret_name: Option<&'a str>,
    #[serde(flatten)]
    details: &'a SecretDetails,
}

#[derive(Serialize)]
struct BatchBody<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    secrets: Vec<BatchItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItem<'a> {
    secret_key: &'a str,
    secret_value: SecretInput,
}

/// The answer to a write of one secret or of several. A row has no more than what it is confirmed by.
#[derive(Deserialize)]
struct Answered {
    secret: Option<Row>,
    secrets: Option<Vec<Row>>,
    approval: Option<ApprovalRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: Option<String>,
    secret_key: String,
    #[serde(default)]
    secret_value: WireSecret,
    secret_value_hidden: Option<bool>,
    version: Option<u64>,
    environment: Option<String>,
}

#[derive(Deserialize)]
struct ApprovalRow {
    id: Option<String>,
    slug: Option<String>,
    status: Option<String>,
}

impl From<ApprovalRow> for Approval {
    fn from(row: ApprovalRow) -> Self {
        Self { id: row.id.unwrap_or_default(), slug: row.slug, status: row.status }
    }
}

impl From<Row> for WrittenSecret {
    fn from(row: Row) -> Self {
        Self { id: row.id, name: row.secret_key, version: row.version, unconfirmed: false }
    }
}

impl Row {
    /// Whether the answer says that this was written. A value that is hidden, or that an answer leaves out, says nothing.
    fn confirms(&self, scope: &CheckedScope, name: &str, value: Option<&SecretValue>) -> bool {
        let is_place = self.environment.as_deref().is_none_or(|slug| slug == scope.environment);
        let told = self
            .secret_value
            .expose()
            .filter(|told| !told.is_empty() && self.secret_value_hidden != Some(true) && *told != wire::HIDDEN);
        let is_value = told.zip(value).is_none_or(|(told, sent)| may_be_stored_as(sent.expose(), told));
        self.secret_key == name && is_place && is_value
    }
}

/// Names that are routes of the newer interface: such a secret is written by the older one.
const ROUTES: [&str; 2] = ["batch", "move"];

impl Infisical {
    /// Sends a write of one secret, once.
    pub(super) async fn write_one(
        &self,
        scope: &CheckedScope,
        change: &Change<'_>,
    ) -> Result<Written<WrittenSecret>, XtraError> {
        let send = |api| self.send_one(scope, change, api);
        let sent = match ROUTES.contains(&change.name) {
            true => send(Api::V3).await,
            false => self.ask(scope, send).await.map(|(answer, _)| answer),
        };
        let answered = sent.map_err(|error| explain(error, scope, change))?;
        if let Some(approval) = answered.approval {
            return Ok(Written::AwaitsApproval(approval.into()));
        }
        let name = change.new_name.unwrap_or(change.name);
        let value = change.value.filter(|_| change.kind != Kind::Delete);
        match answered.secret {
            Some(row) if row.confirms(scope, name, value) => {
                let mut written = row.into();
                self.read_back(scope, change, &mut written).await?;
                Ok(Written::Applied(written))
            }
            _ => Err(unconfirmed([name])),
        }
    }

    async fn send_one(&self, scope: &CheckedScope, change: &Change<'_>, api: Api) -> Result<Answered, XtraError> {
        if api == Api::V3 && change.details.has_metadata() {
            return Err(no_metadata());
        }
        let read;
        let value = match change.value {
            // the older interface takes no change without a value
            None if api == Api::V3 && change.kind == Kind::Update => {
                read = self.stored_value(scope, change.name).await?;
                Some(&read)
            }
            value => value,
        };
        let body = Body {
            place: Place::of(scope, api),
            kind: if scope.personal { "personal" } else { "shared" },
            secret_value: value.map(SecretInput::from),
            new_secret_name: change.new_name,
            details: change.details,
        };
        let request = self.transport().call(change.kind.operation(api), change.kind.method());
        request.path(api.path()).path([change.name]).json(&body).send().await?.json()
    }

    /// The value of a secret as it is stored.
    async fn stored_value(&self, scope: &CheckedScope, name: &str) -> Result<SecretValue, XtraError> {
        let asked = Asked { transport: self.transport(), api: Api::V3, scope };
        let told = asked.get(name, scope.personal, None).await?;
        let row = told.map(|(one, _)| one.secret).filter(|row| row.name == name);
        row.and_then(wire::Row::into_value).ok_or_else(|| {
            let message = format!(
                "nothing was written: this server takes no change without a value, and that of {} is hidden from the caller",
                quoted(name)
            );
            XtraError::new(ErrorKind::Masked, message).with_names([name])
        })
    }

    /// Sends a write of several secrets, once. What awaits an approval comes alone.
    pub(super) async fn write_many(
        &self,
        scope: &CheckedScope,
        kind: Kind,
        secrets: &[(String, SecretValue)],
    ) -> Result<Written<Vec<WrittenSecret>>, XtraError> {
        let send = |api| send_many(self.transport(), scope, kind, secrets, api);
        let (answered, _) = self.ask(scope, send).await.map_err(|error| how_to_go_on(error, scope))?;
        if let Some(approval) = answered.approval {
            return Ok(Written::AwaitsApproval(approval.into()));
        }
        let rows = answered.secrets.unwrap_or_default();
        let by_name: std::collections::HashMap<&str, &Row> =
            rows.iter().map(|row| (row.secret_key.as_str(), row)).collect();
        let is_confirmed =
            |name: &str, value| by_name.get(name).is_some_and(|row| row.confirms(scope, name, Some(value)));
        let missing: Vec<&String> =
            secrets.iter().filter(|(name, value)| !is_confirmed(name, value)).map(|(name, _)| name).collect();
        if !missing.is_empty() {
            return Err(unconfirmed(missing));
        }
        drop(by_name);
        Ok(Written::Applied(rows.into_iter().map(WrittenSecret::from).collect()))
    }
}

async fn send_many(
    transport: &Transport,
    scope: &CheckedScope,
    kind: Kind,
    secrets: &[(String, SecretValue)],
    api: Api,
) -> Result<Answered, XtraError> {
    let items = secrets.iter().map(|(name, value)| BatchItem { secret_key: name, secret_value: value.into() });
    let body = BatchBody { place: Place::of(scope, api), secrets: items.collect() };
    let request = transport.call(kind.batch_operation(api), kind.method());
    request.path(api.batch_path()).json(&body).send().await?.json()
}

fn unconfirmed(names: impl IntoIterator<Item = impl Into<String>>) -> XtraError {
    XtraError::new(ErrorKind::Decode, "the answer to the write is about something else than what was sent")
        .with_names(names)
        .with_note("The write may have been applied: look what is there before it is sent again")
        .with_unknown_outcome()
}

fn no_metadata() -> XtraError {
    let message = "nothing was sent: the server is older than metadata of secrets, and would drop it without a word";
    XtraError::new(ErrorKind::Invalid, message).with_hint(Hint::LeaveOut { option: "secret_metadata" })
}

/// Whether a creation was refused because there is such a secret.
pub(super) fn exists(error: &XtraError) -> bool {
    error.kind() == ErrorKind::Conflict && error.status() == Some(400)
}

/// The longest name in a path of a server of 2024.
const LONGEST_NAME_OF_2024: usize = 100;

/// Says where a write was to go, and what an old server has against it.
fn explain(error: XtraError, scope: &CheckedScope, change: &Change<'_>) -> XtraError {
    let is_long = change.name.chars().count() > LONGEST_NAME_OF_2024;
    let error = match refusals::misses_route(&error) && is_long {
        true => error.with_note("Servers of 2024 have no route for names of more than 100 characters"),
        false => error,
    };
    match error.kind() {
        ErrorKind::NotFound if change.kind == Kind::Create => error.with_note(format!(
            "A write makes no folder: {} must be there in {}",
            shown_path(&scope.path),
            quoted(&scope.environment)
        )),
        _ if exists(&error) => error.with_note(format!(
            "There is a secret {} in the folder {}, which set_secret changes",
            quoted(change.name),
            shown_path(&scope.path)
        )),
        _ => how_to_go_on(error, scope),
    }
}
