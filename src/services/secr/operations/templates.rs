//! Templates: the names that a project expects.

use std::borrow::Cow;

use super::moment;
use crate::core::{Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::http::Method;
use crate::services::secr::raw::{self, types};
use crate::services::secr::scope::sendable;
use crate::services::secr::{Secr, SecrScope};

/// A name that a project expects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Template {
    /// Its id.
    pub id: Option<String>,
    /// The name of the secret.
    pub key: String,
    /// A note.
    pub description: Option<String>,
    /// Whether an environment without it is not valid.
    pub required: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// What an environment lacks of the names that its project expects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateValidation {
    /// Whether no required name is missing.
    pub valid: bool,
    /// The required names that are missing.
    pub missing: Vec<String>,
    /// The names that no template has. They do not matter to [`valid`](Self::valid).
    pub extra: Vec<String>,
}

/// The operation of a [`Request`] that lists templates.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListTemplates;

/// The operation of a [`Request`] that compares an environment with the templates.
#[derive(Debug)]
#[non_exhaustive]
pub struct ValidateTemplate;

/// The operation of a [`Request`] that adds a template.
#[derive(Debug)]
#[non_exhaustive]
pub struct AddTemplate {
    key: String,
    description: Option<String>,
    required: bool,
}

/// The operation of a [`Request`] that removes a template.
#[derive(Debug)]
#[non_exhaustive]
pub struct RemoveTemplate {
    key: String,
}

/// # secr: templates
impl<M> Client<Secr, M> {
    /// Lists the names that a project expects; awaiting gives a `Vec<`[`Template`]`>`. Whether the service sends a list or an object
    /// with one is not documented: both are read.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is assumed; and those of any call.
    pub fn list_templates<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Secr, ListTemplates, M> {
        self.request(SecrScope::of_project(org.into(), project.into()), ListTemplates)
    }

    /// Compares an environment with the templates of its project; awaiting gives a [`TemplateValidation`].
    ///
    /// # Errors
    ///
    /// Those of any call.
    pub fn validate_template<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Secr, ValidateTemplate, M> {
        self.request(SecrScope::new(org, project, environment), ValidateTemplate)
    }

    /// Adds a name that a project expects, as a required one. For administrators and owners.
    ///
    /// # Errors
    ///
    /// Those of any call. The form of the answer is not documented, and nothing of it is read.
    pub fn add_template<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Secr, AddTemplate, M> {
        let operation = AddTemplate { key: key.into(), description: None, required: true };
        self.request(SecrScope::of_project(org.into(), project.into()), operation)
    }

    /// Removes a name that a project expects. For administrators and owners. Secrets of that name stay.
    ///
    /// # Errors
    ///
    /// Those of any call. The form of the answer is not documented, and nothing of it is read.
    pub fn remove_template<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Secr, RemoveTemplate, M> {
        self.request(SecrScope::of_project(org.into(), project.into()), RemoveTemplate { key: key.into() })
    }
}

impl<M> Request<'_, Secr, AddTemplate, M> {
    /// A note.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }

    /// An environment without the name stays valid.
    pub fn optional(mut self) -> Self {
        self.operation.required = false;
        self
    }
}

impl Operation for ListTemplates {
    const NAME: &'static str = "list_templates";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = Vec<Template>;

    async fn perform(self, call: Call<'_, Secr>) -> Result<Vec<Template>, XtraError> {
        const ASSUMED: &str = "Assumed, and not documented: the answer is a list, or an object with one as `templates`, of objects with a \
                               text as `key` and `required`, which is true or false";
        let scope = call.scope().checked_project()?;
        let request = call.source().raw.templates_list().org(scope.org).project(scope.project);
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let templates = answer.0.into_iter().map(|item| Template {
            id: item.id,
            key: item.key,
            description: item.description,
            required: item.required,
            created_at: moment(item.created_at.as_deref()),
        });
        Ok(templates.collect())
    }
}

impl Operation for ValidateTemplate {
    const NAME: &'static str = "validate_template";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = TemplateValidation;

    async fn perform(self, call: Call<'_, Secr>) -> Result<TemplateValidation, XtraError> {
        const ASSUMED: &str = "Documented: the answer is an object with `valid`, which is true or false, and the lists `missing` and `extra`";
        let scope = call.scope().checked()?;
        let request =
            call.source().raw.templates_validate().org(scope.org).project(scope.project).env(scope.environment);
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        Ok(TemplateValidation { valid: answer.valid, missing: answer.missing, extra: answer.extra })
    }
}

/// Sent without the generated method, which reads an answer; this one has no documented form, and may have no content.
impl Operation for AddTemplate {
    const NAME: &'static str = "add_template";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = ();

    async fn perform(self, call: Call<'_, Secr>) -> Result<(), XtraError> {
        let scope = call.scope().checked_project()?;
        sendable("secret", &self.key)?;
        let body =
            types::TemplateCreate { key: self.key, description: self.description, required: Some(self.required) };
        let request = call.source().transport().call("templates_create", Method::Post);
        request.path(["v1", "templates", &scope.org, &scope.project]).json(&body).send().await.map(drop)
    }
}

impl Operation for RemoveTemplate {
    const NAME: &'static str = "remove_template";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = ();

    async fn perform(self, call: Call<'_, Secr>) -> Result<(), XtraError> {
        let scope = call.scope().checked_project()?;
        let key = sendable("secret", &self.key)?;
        let request = call.source().transport().call("templates_delete", Method::Delete);
        request.path(["v1", "templates", &*scope.org, &*scope.project, key]).send().await.map(drop)
    }
}
