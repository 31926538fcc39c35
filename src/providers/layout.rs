//! The layout of keys: which secrets feed a configuration, and under which keys.

use super::tree::{Scalar, Table};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};

/// Which secrets, and under which keys.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) separator: String,
    pub(super) prefix: String,
    pub(super) keep_case: bool,
    pub(super) guess_types: bool,
    pub(super) allow_empty: bool,
    #[cfg(feature = "typed")]
    pub(super) schema: Option<crate::schema::Schema>,
    #[cfg(feature = "figment")]
    pub(super) profile: Option<String>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            separator: "__".to_owned(),
            prefix: String::new(),
            keep_case: false,
            guess_types: false,
            allow_empty: false,
            #[cfg(feature = "typed")]
            schema: None,
            #[cfg(feature = "figment")]
            profile: None,
        }
    }
}

impl Layout {
    /// `empty` tells what is wrong when there are no secrets that can be read.
    pub(super) fn table<'s>(
        &self,
        secrets: impl ExactSizeIterator<Item = (&'s str, &'s SecretValue)>,
        empty: impl FnOnce() -> XtraError,
    ) -> Result<Table, XtraError> {
        if secrets.len() == 0 && !self.allow_empty {
            return Err(empty());
        }
        let chosen = secrets.filter_map(|(name, value)| Some((name, self.rest(name)?, value))).collect::<Vec<_>>();
        if chosen.is_empty() && !self.allow_empty {
            return Err(self.nothing_chosen());
        }
        #[cfg(feature = "typed")]
        if let Some(schema) = &self.schema {
            return super::typed::table(schema, chosen.into_iter().map(|(_, rest, value)| (rest, value)));
        }
        let mut table = Table::default();
        for (name, rest, value) in chosen {
            let key = if self.keep_case { rest.to_owned() } else { rest.to_lowercase() };
            table.insert(name, &self.segments(&key), self.scalar(value))?;
        }
        Ok(table)
    }

    fn nothing_chosen(&self) -> XtraError {
        let message = format!(
            "there are no secrets to configure with: none that can be read has a name that begins with {:?} and goes on. Names \
             are case-sensitive",
            self.prefix
        );
        XtraError::new(ErrorKind::EmptyScope, message)
            .with_hint(Hint::Correct { option: "prefix" })
            .with_hint(Hint::AllowEmpty)
    }

    /// The name without the prefix. One that is nothing but the prefix has none left.
    fn rest<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(&self.prefix).filter(|rest| !rest.is_empty())
    }

    fn segments<'k>(&self, key: &'k str) -> Vec<&'k str> {
        // the name was made lower case, so its separators were too
        let separator = if self.keep_case { self.separator.clone() } else { self.separator.to_lowercase() };
        let nested: Vec<&str> = match separator.as_str() {
            "" => key.split('.').collect(),
            separator => key.split(separator).flat_map(|part| part.split('.')).collect(),
        };
        if nested.iter().any(|segment| segment.is_empty()) { vec![key] } else { nested }
    }

    fn scalar(&self, value: &SecretValue) -> Scalar {
        let text = value.expose();
        match text {
            _ if !self.guess_types => Scalar::Text(value.clone()),
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            _ => match text.parse::<i128>() {
                Ok(number) if is_64_bits(number) && number.to_string() == text => Scalar::Integer(number),
                _ => Scalar::Text(value.clone()),
            },
        }
    }
}

fn is_64_bits(number: i128) -> bool {
    i64::try_from(number).is_ok() || u64::try_from(number).is_ok()
}
