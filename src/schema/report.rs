//! The report of a check: names, problems and what the settings are for. Never a value.

use std::fmt;

use super::messages;
use super::names::shown;
use crate::core::{ErrorKind, XtraError};

/// One name that a check has something to say about.
///
/// `Display` is a sentence: `PORT is more than 65535 (the port to listen on)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SchemaProblem {
    name: String,
    problem: String,
    description: Option<String>,
}

impl SchemaProblem {
    pub(super) fn new(name: impl Into<String>, problem: impl Into<String>, description: Option<&str>) -> Self {
        let description = description.and_then(messages::summary);
        Self { name: name.into(), problem: problem.into(), description }
    }

    /// The secret's name; for a missing one, the name that it should have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong, in words that follow the name: `is missing`, `is not an integer`.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What the schema says that the setting is for (the doc comment of the field), as one line.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", shown(&self.name), self.problem)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// How secrets compare with a schema; made by [`Secrets::check`](crate::Secrets::check) and
/// [`Secrets::check_schema`](crate::Secrets::check_schema).
///
/// `Display` is a list for people, a problem a line. It holds names and words of the schema, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaReport {
    missing: Vec<SchemaProblem>,
    invalid: Vec<SchemaProblem>,
    unexpected: Vec<SchemaProblem>,
    /// How many settings the schema has.
    settings: usize,
    /// Whether unexpected names are a failure: the caller's wish, or the schema's.
    closed: bool,
    /// Why nothing could be checked.
    defect: Option<String>,
}

impl SchemaReport {
    pub(super) fn new(settings: usize) -> Self {
        Self { missing: Vec::new(), invalid: Vec::new(), unexpected: Vec::new(), settings, closed: false, defect: None }
    }

    /// A report that says why there is none.
    pub(super) fn defect(defect: String) -> Self {
        let problem = SchemaProblem::new("schema", defect.clone(), None);
        Self { invalid: vec![problem], defect: Some(defect), ..Self::new(0) }
    }

    pub(super) fn push_missing(&mut self, name: &str, description: Option<&str>) {
        self.missing.push(SchemaProblem::new(name, "is missing", description));
    }

    pub(super) fn push_invalid(&mut self, name: &str, problem: impl Into<String>, description: Option<&str>) {
        self.invalid.push(SchemaProblem::new(name, problem, description));
    }

    pub(super) fn push_unexpected(&mut self, name: &str) {
        self.unexpected.push(SchemaProblem::new(name, "is not part of the schema", None));
    }

    /// The same with each list in order of the names and each problem once. To be called when everything has been found.
    pub(super) fn in_order(mut self) -> Self {
        for list in [&mut self.missing, &mut self.invalid, &mut self.unexpected] {
            list.sort_unstable();
            list.dedup();
        }
        self
    }

    /// The same for secrets that need not be everything.
    #[cfg(any(feature = "figment", feature = "config"))]
    pub(super) fn without_missing(self) -> Self {
        Self { missing: Vec::new(), ..self }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether the secrets fit: nothing missing, nothing invalid, and no unexpected name where the schema
    /// (`additionalProperties: false`, `#[serde(deny_unknown_fields)]`) or the caller (`deny_unexpected()`) rules those out.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The required settings that no secret feeds, in order of the names.
    #[must_use]
    pub fn missing(&self) -> &[SchemaProblem] {
        &self.missing
    }

    /// The secrets that do not fit their setting, whose values did not come through, or of which several could feed one
    /// setting; in order of the names.
    #[must_use]
    pub fn invalid(&self) -> &[SchemaProblem] {
        &self.invalid
    }

    /// The secrets that feed no setting, in order of the names. They are no failure unless ruled out.
    #[must_use]
    pub fn unexpected(&self) -> &[SchemaProblem] {
        &self.unexpected
    }

    /// Everything that makes the report a failure.
    fn failures(&self) -> impl Iterator<Item = &SchemaProblem> {
        let unexpected = if self.closed { self.unexpected.as_slice() } else { &[] };
        self.missing.iter().chain(&self.invalid).chain(unexpected)
    }

    /// `Ok` when the report is valid, else one error with every problem.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingSecret`] when names are missing and nothing else is wrong, else [`ErrorKind::Invalid`];
    /// [`names`](XtraError::names) lists all the names. [`ErrorKind::Config`] when the schema itself cannot be used.
    pub fn into_result(self) -> Result<(), XtraError> {
        if let Some(defect) = &self.defect {
            return Err(XtraError::new(ErrorKind::Config, format!("the schema {defect}")));
        }
        if self.is_valid() {
            return Ok(());
        }
        let only_missing = self.failures().count() == self.missing.len();
        let kind = if only_missing { ErrorKind::MissingSecret } else { ErrorKind::Invalid };
        let problems: Vec<String> = self.failures().map(ToString::to_string).collect();
        let message = format!("{}: {}", self.headline(), problems.join("; "));
        Err(XtraError::new(kind, message).with_names(self.failures().map(SchemaProblem::name)))
    }

    fn headline(&self) -> String {
        let wrong = self.missing.len() + self.invalid.len();
        let settings = self.settings.max(wrong);
        let wrong = match (wrong, settings) {
            (0, 0) => "no setting is asked for".to_owned(),
            (0, 1) => "the only setting is right".to_owned(),
            (0, settings) => format!("all {settings} settings are right"),
            (1, 1) => "the only setting is wrong".to_owned(),
            (1, settings) => format!("1 of {settings} settings is wrong"),
            (wrong, settings) => format!("{wrong} of {settings} settings are wrong"),
        };
        match (self.closed, self.unexpected.len()) {
            (false, _) | (_, 0) => wrong,
            (true, 1) => format!("{wrong}, and 1 name is unexpected"),
            (true, names) => format!("{wrong}, and {names} names are unexpected"),
        }
    }
}

impl fmt::Display for SchemaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(defect) = &self.defect {
            return write!(f, "the schema {defect}");
        }
        f.write_str(&self.headline())?;
        for problem in self.missing.iter().chain(&self.invalid).chain(&self.unexpected) {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_a_list_and_its_error_as_one_line() {
        let mut report = SchemaReport::new(30);
        report.push_invalid("PORT", "is not an integer", None);
        report.push_missing("DATABASE_URL", Some("Where the database is.\n\nMore of it."));
        report.push_unexpected("OTHER");
        assert_eq!(
            report.to_string(),
            "2 of 30 settings are wrong\n  DATABASE_URL is missing (Where the database is)\n  PORT is not an integer\n  \
             OTHER is not part of the schema"
        );
        let error = report.into_result().unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 of 30 settings are wrong: DATABASE_URL is missing (Where the database is); PORT is not an integer"
        );
        assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["DATABASE_URL".into(), "PORT".into()][..]));
    }

    #[test]
    fn unexpected_names_fail_only_where_they_are_ruled_out() {
        let mut report = SchemaReport::new(1);
        report.push_unexpected("OTHER");
        assert!(report.is_valid());
        assert!(report.clone().into_result().is_ok());
        report.close();
        assert!(!report.is_valid());
        let error = report.into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.names(), ["OTHER"]);
    }
}
