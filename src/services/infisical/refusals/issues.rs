//! The issues of a request whose form a server does not accept.
//!
//! The server quotes what it was sent. What is shown of an issue is the parameter's name, when it is one of the document's, and what
//! is wrong with it in words of this crate.

use serde::Deserialize;

/// So many issues are shown.
const MOST: usize = 5;

#[derive(Deserialize)]
struct Refusal {
    message: Vec<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    code: String,
    #[serde(default)]
    received: serde_json::Value,
    #[serde(default)]
    path: Vec<serde_json::Value>,
}

/// The parameters of the document that reads and logins have.
const NAMES: &[&str] = &[
    "accessToken",
    "clientId",
    "clientSecret",
    "environment",
    "expandSecretReferences",
    "identityId",
    "includeImports",
    "includePersonalOverrides",
    "include_imports",
    "jwt",
    "keyId",
    "limit",
    "metadataFilter",
    "name",
    "newSecretName",
    "offset",
    "organizationSlug",
    "path",
    "projectId",
    "projectSlug",
    "recursive",
    "secretComment",
    "secretMetadata",
    "secretName",
    "secretPath",
    "secretValue",
    "secrets",
    "skipMultilineEncoding",
    "tagIds",
    "tagSlugs",
    "type",
    "version",
    "viewSecretValue",
    "workspaceId",
    "workspaceSlug",
];

/// Of a longer body nothing is read: no request has so many parts.
const LONGEST: usize = 64 * 1024;

/// The issues of a body in words.
pub(super) fn shown(body: &[u8]) -> String {
    let body = if body.len() > LONGEST { &[] } else { body };
    let Ok(Refusal { message: issues }) = serde_json::from_slice(body) else {
        return "it does not say why".to_owned();
    };
    let mut shown: Vec<String> = issues.iter().take(MOST).map(Issue::shown).collect();
    if issues.len() > MOST {
        shown.push(format!("{} in all", issues.len()));
    }
    if shown.is_empty() { "it does not say why".to_owned() } else { shown.join(", ") }
}

impl Issue {
    fn shown(&self) -> String {
        let named = self.path.iter().filter_map(|part| part.as_str()).next_back();
        let name =
            named.and_then(|name| NAMES.iter().find(|known| **known == name)).map_or("a part of it", |name| name);
        let what = match self.code.as_str() {
            "invalid_type" if self.received == "undefined" => "is missing",
            "invalid_type" => "is of another type",
            "invalid_enum_value" => "is none of the values that may be",
            "invalid_string" => "is of another form",
            "too_small" => "is too short or too small",
            "too_big" => "is too long or too large",
            _ => "cannot be used",
        };
        format!("{name} {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn an_issue_names_a_known_parameter_and_quotes_nothing() {
        let body = br#"{"message":[
            {"code":"invalid_type","expected":"string","received":"undefined","path":["environment"],"message":"Required"},
            {"received":"hunter2","code":"invalid_enum_value","options":["true"],"path":["recursive"],"message":"hunter2"},
            {"code":"hunter2","path":["secrets",0,"hunter2"]}]}"#;
        assert_eq!(
            shown(body),
            "environment is missing, recursive is none of the values that may be, a part of it cannot be used"
        );
    }

    #[test]
    fn many_issues_are_counted_and_no_issue_is_none() {
        let issue = r#"{"code":"too_big","path":["name"]}"#;
        let body = format!(r#"{{"message":[{}]}}"#, [issue; 9].join(","));
        assert!(shown(body.as_bytes()).ends_with("name is too long or too large, 9 in all"));
        for body in ["", "{}", r#"{"message":"text"}"#, r#"{"message":[]}"#, r#"{"message":[5]}"#] {
            assert_eq!(shown(body.as_bytes()), "it does not say why", "{body}");
        }
    }
}
