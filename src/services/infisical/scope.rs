//! The scope of a read: project, environment, folder, and what of it is asked for. Names are checked before anything is sent.

use std::borrow::Cow;

use crate::core::{ErrorKind, Hint, ScopeDescription, XtraError, shown_name};
use crate::engine::KeyWriter;
use crate::http::is_quoted;

/// The folder of reads that name none.
pub(super) const ROOT: &str = "/";

/// One set of secrets of Infisical: a folder of an environment of a project, with or without what is below it and what it
/// imports; or one secret of it.
///
/// The [default](Default) scope is the client's: its project, its default environment, its default folder, with imports and with
/// references expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InfisicalScope<'a> {
    pub(super) project: Option<ProjectName<'a>>,
    pub(super) environment: Option<Cow<'a, str>>,
    pub(super) path: Option<Cow<'a, str>>,
    pub(super) secret: Option<Cow<'a, str>>,
    pub(super) version: Option<u64>,
    pub(super) recursive: bool,
    pub(super) imports: Option<bool>,
    pub(super) unexpanded: bool,
    pub(super) strict: bool,
    pub(super) hidden: bool,
    pub(super) personal: bool,
    pub(super) tags: Vec<Cow<'a, str>>,
    pub(super) metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A project, by its id or its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProjectName<'a> {
    Id(Cow<'a, str>),
    Slug(Cow<'a, str>),
}

impl ProjectName<'_> {
    pub(super) fn into_owned(self) -> ProjectName<'static> {
        match self {
            Self::Id(id) => ProjectName::Id(Cow::Owned(id.into_owned())),
            Self::Slug(slug) => ProjectName::Slug(Cow::Owned(slug.into_owned())),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Slug(text) => text,
        }
    }

    pub(super) fn check(&self) -> Result<(), XtraError> {
        match self {
            Self::Id(id) => name_of("project id", id).map(drop),
            Self::Slug(slug) => name_of("project slug", slug).map(drop),
        }
    }
}

impl<'a> InfisicalScope<'a> {
    /// An environment by its slug, on the client's project and default folder.
    pub fn new(environment: impl Into<Cow<'a, str>>) -> Self {
        Self { environment: Some(environment.into()), ..Self::default() }
    }

    /// The same in another project, by its id.
    #[must_use]
    pub fn project_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.project = Some(ProjectName::Id(id.into()));
        self
    }

    /// The same in another project, by its slug.
    #[must_use]
    pub fn project_slug(mut self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.project = Some(ProjectName::Slug(slug.into()));
        self
    }

    /// The same of another environment, by its slug.
    #[must_use]
    pub fn environment(mut self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.environment = Some(slug.into());
        self
    }

    /// The same of another folder.
    #[must_use]
    pub fn path(mut self, path: impl Into<Cow<'a, str>>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// One secret instead of the whole folder.
    #[must_use]
    pub fn secret(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.secret = Some(name.into());
        self
    }

    /// The secrets of the folders below, too.
    #[must_use]
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }

    /// With or without what the folder imports. Default: with, unless a tag or metadata is asked for.
    #[must_use]
    pub fn include_imports(mut self, on: bool) -> Self {
        self.imports = Some(on);
        self
    }

    /// With references in values replaced by what they name, or as they are stored. Default: replaced.
    #[must_use]
    pub fn expand_references(mut self, on: bool) -> Self {
        self.unexpanded = !on;
        self
    }

    /// With no value that holds `${` after references were expanded.
    #[must_use]
    pub fn refuse_unexpanded(mut self) -> Self {
        self.strict = true;
        self
    }

    /// With names alone, or with values. Default: with values.
    #[must_use]
    pub fn view_secret_value(mut self, on: bool) -> Self {
        self.hidden = !on;
        self
    }

    /// With a user's personal values in the place of shared ones.
    #[must_use]
    pub fn personal(mut self) -> Self {
        self.personal = true;
        self
    }

    /// Only secrets with this tag, by its slug; of several calls, those with any of the tags.
    #[must_use]
    pub fn tag(mut self, slug: impl Into<Cow<'a, str>>) -> Self {
        self.tags.push(slug.into());
        self
    }

    /// Only secrets with this metadata; of several calls, those with all of it.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Whether imports are asked for. What is imported has no tags.
    pub(super) fn imports(&self) -> bool {
        self.imports.unwrap_or(self.tags.is_empty() && self.metadata.is_empty())
    }

    /// Writes what tells this scope from others, all but its project and environment.
    pub(super) fn write_rest(&self, default_path: &str, key: &mut KeyWriter) {
        key.field(self.path.as_deref().unwrap_or(default_path));
        let bits = [self.recursive, self.imports(), self.unexpanded, self.strict, self.hidden, self.personal];
        let number = bits.iter().enumerate().fold(0, |number, (at, on)| number | usize::from(*on) << at);
        key.field(FLAGS.get(number..=number).unwrap_or_default());
        if let Some(name) = &self.secret {
            key.field(name);
            key.field(&self.version.map(|version| version.to_string()).unwrap_or_default());
        }
        if !self.tags.is_empty() || !self.metadata.is_empty() {
            // as many fields as a secret has none of
            key.field("");
            key.field("");
            key.field(&self.tags.join(","));
            for (name, value) in &self.metadata {
                key.field(name);
                key.field(value);
            }
        }
    }

    /// The scope with the client's defaults, checked.
    pub(super) fn checked(&self, defaults: &Defaults) -> Result<CheckedScope, XtraError> {
        let project = self.project.clone().map(ProjectName::into_owned).or_else(|| defaults.project.clone());
        project.iter().try_for_each(ProjectName::check)?;
        let environment = self.environment.as_deref().or(defaults.environment.as_deref());
        let environment = environment.ok_or_else(no_environment)?;
        let path = self.path.as_deref().or(defaults.path.as_deref()).unwrap_or(ROOT);
        if let Some(name) = self.secret.as_deref().filter(|name| name.is_empty()) {
            return Err(invalid(format!("the name of the secret {}", flaw_of(name).unwrap_or_default())));
        }
        let tags = self.tags.iter().map(|tag| listed("tag", tag, &[','])).collect::<Result<Vec<_>, _>>()?;
        let metadata = self.metadata.iter().map(|(name, value)| {
            Ok((listed("metadata", name, &['=', ',', '|'])?, listed("metadata", value, &['=', ',', '|'])?))
        });
        Ok(CheckedScope {
            project,
            environment: name_of("environment", environment)?.to_owned(),
            path: folder(path)?,
            secret: self.secret.as_deref().map(str::to_owned),
            version: self.version,
            recursive: self.recursive,
            imports: self.imports(),
            expand: !self.unexpanded,
            strict: self.strict,
            hidden: self.hidden,
            personal: self.personal,
            tags,
            metadata: metadata.collect::<Result<_, XtraError>>()?,
        })
    }
}

/// A text for each number that the bits of a scope make.
const FLAGS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An environment by its slug, on the client's project and default folder.
impl<'a> From<&'a str> for InfisicalScope<'a> {
    fn from(environment: &'a str) -> Self {
        Self::new(environment)
    }
}

/// As from a text that is borrowed.
impl From<String> for InfisicalScope<'_> {
    fn from(environment: String) -> Self {
        Self::new(environment)
    }
}

/// As from a text that is borrowed.
impl<'a> From<Cow<'a, str>> for InfisicalScope<'a> {
    fn from(environment: Cow<'a, str>) -> Self {
        Self::new(environment)
    }
}

/// What requests use that name no project, environment or folder. Checked by whoever makes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) project: Option<ProjectName<'static>>,
    pub(super) environment: Option<String>,
    pub(super) path: Option<String>,
    /// Changes are polled for, whatever the server would tell.
    #[cfg(feature = "watch")]
    pub(super) polls_only: bool,
}

impl Defaults {
    /// Whether each can be sent.
    pub(super) fn check(&self) -> Result<(), XtraError> {
        self.project.iter().try_for_each(ProjectName::check)?;
        self.environment.iter().try_for_each(|slug| name_of("environment", slug).map(drop))?;
        self.path.iter().try_for_each(|path| folder(path).map(drop))
    }

    /// Writes a project and an environment into a key, these where the scope has none.
    pub(super) fn write_place(&self, scope: &InfisicalScope<'_>, key: &mut KeyWriter) {
        let project = scope.project.as_ref();
        let project = project.or(self.project.as_ref());
        // slugs and ids do not look alike, but a server decides what they look like
        key.field(match project {
            Some(ProjectName::Slug(_)) => "s",
            Some(ProjectName::Id(_)) => "i",
            None => "",
        });
        key.field(project.map_or("", |project| project.text()));
        key.field(scope.environment.as_deref().or(self.environment.as_deref()).unwrap_or_default());
    }
}

/// A scope that may be sent.
#[derive(Debug, Clone)]
pub struct CheckedScope {
    pub(super) project: Option<ProjectName<'static>>,
    pub(super) environment: String,
    /// With a slash at its start, and none at its end but that of the root.
    pub(super) path: String,
    pub(super) secret: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) recursive: bool,
    pub(super) imports: bool,
    pub(super) expand: bool,
    /// References that are left in values make these unreadable.
    pub(super) strict: bool,
    /// No values are asked for.
    pub(super) hidden: bool,
    /// Personal values take the place of shared ones.
    pub(super) personal: bool,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Vec<(String, String)>,
}

impl CheckedScope {
    /// The folder in words.
    pub(super) fn place(&self) -> String {
        let mut text =
            format!("the folder {} of the environment {}", shown_path(&self.path), quoted(&self.environment));
        if let Some(project) = &self.project {
            let project = project.text();
            // an id is no secret, and too long for a name
            let shown = if looks_like_an_id(project) { project.to_owned() } else { quoted(project) };
            text.push_str(&format!(" of the project {shown}"));
        }
        text
    }

    /// The project's id or slug; the empty text for one that only the token knows.
    pub(super) fn project_name(&self) -> &str {
        self.project.as_ref().map_or("", ProjectName::text)
    }

    /// Says so when the project may have been given by its slug in the place of its id, or the other way round.
    pub(super) fn about_project(&self, error: XtraError) -> XtraError {
        match &self.project {
            Some(ProjectName::Id(id)) if !looks_like_an_id(id) => error.with_hint(Hint::advice(format!(
                "{} does not look like a project's id: if it is the slug, give it as the slug (INFISICAL_PROJECT_SLUG)",
                quoted(id)
            ))),
            Some(ProjectName::Slug(_)) if error.kind() == ErrorKind::Invalid => error.with_hint(Hint::advice(
                "Give the project's id: servers of 2024 take a slug from machine identities alone",
            )),
            _ => error,
        }
    }

    /// The scope in words.
    pub(super) fn describe(&self) -> ScopeDescription {
        ScopeDescription::new(self.place())
            .named(&self.environment)
            .usual(&["dev", "staging", "prod"])
            .empty_means("Secrets of folders below are read with recursive()")
    }

    /// The request of the whole folder and nothing else: what tells whether it is there.
    pub(super) fn bare(&self) -> Self {
        Self { imports: false, recursive: false, tags: Vec::new(), metadata: Vec::new(), ..self.clone() }
    }
}

/// Whether a text has the form that the ids of projects have had: a UUID, and before that 24 hexadecimal digits.
fn looks_like_an_id(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    match text.chars().filter(|letter| *letter == '-').count() {
        4 => text.len() == 36 && digits == 32,
        0 => text.len() == 24 && digits == 24,
        _ => false,
    }
}

/// The environment, project id or slug, when it can be sent.
fn name_of<'n>(what: &str, name: &'n str) -> Result<&'n str, XtraError> {
    match flaw_of(name) {
        None => Ok(name),
        Some(flaw) => Err(invalid(format!("the {what} {flaw}"))),
    }
}

/// Whether an environment can be sent.
pub(super) fn is_environment(slug: &str) -> bool {
    flaw_of(slug).is_none()
}

/// Whether a project's id can be sent.
pub(super) fn is_project(id: &str) -> bool {
    flaw_of(id).is_none()
}

/// The path of a folder as servers know it. They take a path without a slash at its start, or with an empty part, for a folder
/// that is not there, and fail for one that goes up.
pub(super) fn folder(path: &str) -> Result<String, XtraError> {
    let parts: Vec<&str> = path.trim_start_matches('/').trim_end_matches('/').split('/').collect();
    let leading = path.len() - path.trim_start_matches('/').len();
    let refused = |why: &str| {
        let error = invalid(format!("the path of the folder {} {why}", quoted(path)));
        Err(error.with_hint(Hint::advice("Write it as /app/db, and the topmost folder as /")))
    };
    if let Some(flaw) = flaw_of(path) {
        return Err(invalid(format!("the path of the folder {flaw}"))
            .with_hint(Hint::advice("Write it as /app/db, and the topmost folder as /")));
    }
    if parts == [""] {
        return if path == ROOT { Ok(ROOT.to_owned()) } else { refused("has an empty part") };
    }
    if leading > 1 || path.ends_with("//") || parts.contains(&"") {
        return refused("has an empty part");
    }
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return refused("has a part that goes to another folder");
    }
    Ok(format!("/{}", parts.join("/")))
}

/// Whether a folder is this one or below it.
pub(super) fn is_within(folder: &str, above: &str) -> bool {
    above == ROOT || folder == above || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// A part of a list, when it has none of the characters that end one.
fn listed(what: &str, text: &str, ends: &[char]) -> Result<String, XtraError> {
    if text.is_empty() || text.contains(ends) {
        let ends: String = ends.iter().collect();
        return Err(invalid(format!(
            "a {what} filter is empty or holds one of {ends}, which the server could not tell apart"
        )));
    }
    Ok(text.to_owned())
}

/// Why a name or an id cannot be sent.
fn flaw_of(name: &str) -> Option<String> {
    Some(match name {
        "" => "is empty".to_owned(),
        _ if name.trim() != name => format!("{} begins or ends with white space", quoted(name)),
        _ if is_quoted(name) => format!("{} is in quotes: take them away", quoted(name)),
        _ if name.chars().any(char::is_control) => format!("{} contains a control character", quoted(name)),
        _ => return None,
    })
}

fn no_environment() -> XtraError {
    XtraError::new(ErrorKind::Config, "no environment was named, and the client has none by default")
        .with_hint(Hint::GiveEnvironment { entry: None })
}

fn invalid(message: String) -> XtraError {
    XtraError::new(ErrorKind::Invalid, message)
}

/// Whether a text begins as tokens do.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    ["eyJ", "st."].iter().any(|start| text.trim().starts_with(start))
}

/// A name for a message: escaped, and only when it is of a kind that somebody gives to things.
pub(super) fn quoted(name: &str) -> String {
    shown_name(name, looks_like_a_token)
}

/// A path for a message.
pub(super) fn shown_path(path: &str) -> String {
    const LONGEST: usize = 120;
    match path.len() <= LONGEST && !path.split('/').any(looks_like_a_token) {
        true => path.escape_debug().to_string(),
        false => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: &InfisicalScope<'_>) -> Vec<u8> {
        let mut key = KeyWriter::new();
        Defaults::default().write_place(scope, &mut key);
        scope.write_rest(ROOT, &mut key);
        key.as_slice().to_vec()
    }

    #[test]
    fn every_part_of_a_scope_is_in_its_key() {
        let plain = || InfisicalScope::new("dev");
        let scopes = [
            plain(),
            InfisicalScope::new("prod"),
            plain().project_id("p"),
            plain().project_slug("p"),
            plain().path("/app"),
            plain().secret("A"),
            plain().secret("B"),
            InfisicalScope { version: Some(1), ..plain().secret("A") },
            plain().recursive(),
            plain().include_imports(false),
            plain().expand_references(false),
            InfisicalScope { strict: true, ..plain() },
            InfisicalScope { hidden: true, ..plain() },
            InfisicalScope { personal: true, ..plain() },
            InfisicalScope { tags: vec!["a".into()], imports: Some(true), ..plain() },
            InfisicalScope { tags: vec!["b".into()], imports: Some(true), ..plain() },
            InfisicalScope { metadata: vec![("a".into(), "b".into())], imports: Some(true), ..plain() },
            InfisicalScope { metadata: vec![("a".into(), "c".into())], imports: Some(true), ..plain() },
        ];
        let keys: std::collections::HashSet<_> = scopes.iter().map(key).collect();
        assert_eq!(keys.len(), scopes.len());
        assert_eq!(key(&plain()), key(&plain().path("/").include_imports(true)), "what is the default");
    }

    #[test]
    fn a_path_is_brought_into_the_form_that_servers_know_or_refused() {
        for (given, sent) in [("/", "/"), ("/app", "/app"), ("app", "/app"), ("/app/", "/app"), ("app/db", "/app/db")] {
            assert_eq!(folder(given).unwrap(), sent);
        }
        for path in ["", "//", "//app", "/app//db", "/app//", "/app/../app", "/.", " /app", "/app\n", "\"/app\""] {
            assert_eq!(folder(path).unwrap_err().kind(), ErrorKind::Invalid, "{path}");
        }
    }

    #[test]
    fn a_folder_that_only_begins_alike_is_not_below() {
        assert!(is_within("/app", "/app") && is_within("/app/db", "/app") && is_within("/x", "/"));
        assert!(!is_within("/apple", "/app") && !is_within("/", "/app"));
    }

    #[test]
    fn names_that_cannot_be_sent_are_refused_and_a_token_in_their_place_is_not_shown() {
        let defaults = Defaults::default();
        for slug in ["", " dev", "'dev'", "d\0v"] {
            assert_eq!(InfisicalScope::new(slug).checked(&defaults).unwrap_err().kind(), ErrorKind::Invalid);
        }
        let error = InfisicalScope::new(" eyJhbGciOiJI").checked(&defaults).unwrap_err();
        assert!(!error.to_string().contains("eyJ"), "{error}");
        assert_eq!(InfisicalScope::default().checked(&defaults).unwrap_err().kind(), ErrorKind::Config);
        let tags = InfisicalScope { tags: vec!["a,b".into()], ..InfisicalScope::new("dev") };
        assert!(tags.checked(&defaults).is_err());
    }
}
