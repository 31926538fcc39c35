//! Login calls: the route and the body that each method of authentication asks for.

use std::fmt;

use serde::Serialize;

use crate::core::SecretValue;
use crate::http::runtime::wire::SecretInput;

/// A login that is ready to be sent. `Debug` prints its operation alone.
pub(crate) struct LoginCall {
    method: LoginMethod,
    body: LoginBody,
}

/// The methods that have a route of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginMethod {
    Universal,
    Kubernetes,
    Oidc,
    Jwt,
    Gcp,
    Azure,
    Aws,
    Ldap,
}

impl LoginMethod {
    /// The operation, as the document names it.
    fn operation(self) -> &'static str {
        match self {
            Self::Universal => "auth_universal_login",
            Self::Kubernetes => "auth_kubernetes_login",
            Self::Oidc => "auth_oidc_login",
            Self::Jwt => "auth_jwt_login",
            Self::Gcp => "auth_gcp_login",
            Self::Azure => "auth_azure_login",
            Self::Aws => "auth_aws_login",
            Self::Ldap => "auth_ldap_login",
        }
    }

    fn route(self) -> &'static str {
        match self {
            Self::Universal => "universal-auth",
            Self::Kubernetes => "kubernetes-auth",
            Self::Oidc => "oidc-auth",
            Self::Jwt => "jwt-auth",
            Self::Gcp => "gcp-auth",
            Self::Azure => "azure-auth",
            Self::Aws => "aws-auth",
            Self::Ldap => "ldap-auth",
        }
    }
}

impl LoginCall {
    pub(super) fn universal(client_id: &str, client_secret: &SecretValue, organization: Option<&str>) -> Self {
        let proof = Proof::Universal { client_id: client_id.to_owned(), client_secret: client_secret.into() };
        Self::new(LoginMethod::Universal, proof, organization)
    }

    /// A login by a token that another party has issued.
    pub(super) fn token(method: LoginMethod, identity_id: &str, jwt: SecretValue, organization: Option<&str>) -> Self {
        Self::new(method, Proof::Token { identity_id: identity_id.to_owned(), jwt: jwt.into() }, organization)
    }

    /// A login by a request that is signed for AWS; both texts are base64.
    pub(super) fn aws(identity_id: &str, body: SecretValue, headers: SecretValue, organization: Option<&str>) -> Self {
        let proof = Proof::Aws {
            identity_id: identity_id.to_owned(),
            method: "POST",
            body: body.into(),
            headers: headers.into(),
        };
        Self::new(LoginMethod::Aws, proof, organization)
    }

    pub(super) fn ldap(identity_id: &str, username: &str, password: &SecretValue, organization: Option<&str>) -> Self {
        let proof = Proof::Ldap {
            identity_id: identity_id.to_owned(),
            username: username.to_owned(),
            password: password.into(),
        };
        Self::new(LoginMethod::Ldap, proof, organization)
    }

    fn new(method: LoginMethod, proof: Proof, organization: Option<&str>) -> Self {
        let body = LoginBody { proof, organization_slug: organization.map(str::to_owned) };
        Self { method, body }
    }

    /// The operation's name in the document.
    pub(crate) fn operation(&self) -> &'static str {
        self.method.operation()
    }

    /// The path below the base URL. The method is `POST`.
    pub(crate) fn path(&self) -> [&'static str; 4] {
        ["v1", "auth", self.method.route(), "login"]
    }

    /// What is sent as JSON. It holds secrets in the clear.
    pub(crate) fn body(&self) -> &impl Serialize {
        &self.body
    }
}

impl fmt::Debug for LoginCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginCall").field("operation", &self.operation()).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginBody {
    #[serde(flatten)]
    proof: Proof,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_slug: Option<String>,
}

/// What proves the identity.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Proof {
    Universal {
        client_id: String,
        client_secret: SecretInput,
    },
    Token {
        identity_id: String,
        jwt: SecretInput,
    },
    Aws {
        identity_id: String,
        #[serde(rename = "iamHttpRequestMethod")]
        method: &'static str,
        #[serde(rename = "iamRequestBody")]
        body: SecretInput,
        #[serde(rename = "iamRequestHeaders")]
        headers: SecretInput,
    },
    Ldap {
        identity_id: String,
        username: String,
        password: SecretInput,
    },
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn secret() -> SecretValue {
        "hunter2".into()
    }

    fn every_call() -> [LoginCall; 8] {
        let token = |method| LoginCall::token(method, "id-1", secret(), None);
        [
            LoginCall::universal("client-1", &secret(), None),
            token(LoginMethod::Kubernetes),
            token(LoginMethod::Oidc),
            token(LoginMethod::Jwt),
            token(LoginMethod::Gcp),
            token(LoginMethod::Azure),
            LoginCall::aws("id-1", "Ym9keQ==".into(), secret(), None),
            LoginCall::ldap("id-1", "u", &secret(), None),
        ]
    }

    /// The document of the interface, which the generated client is made of.
    fn document() -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/infisical.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn every_call_has_the_operation_the_path_and_the_members_of_the_document() {
        let document = document();
        for call in every_call() {
            let operation = &document["paths"][format!("/{}", call.path().join("/"))]["post"];
            assert_eq!(operation["operationId"], call.operation());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = schema.as_str().unwrap().rsplit('/').next().unwrap();
            let schema = &document["components"]["schemas"][name];
            let sent = serde_json::to_value(call.body()).unwrap();
            for required in schema["required"].as_array().unwrap() {
                assert!(sent.get(required.as_str().unwrap()).is_some(), "{name} needs {required}");
            }
            for member in sent.as_object().unwrap().keys() {
                assert!(schema["properties"].get(member).is_some(), "{name} has no {member}");
            }
        }
    }

    #[test]
    fn a_call_sends_its_secret_and_prints_none() {
        for call in every_call() {
            assert!(serde_json::to_string(call.body()).unwrap().contains("hunter2"));
            assert!(!format!("{call:?}").contains("hunter2"), "{call:?}");
        }
    }

    #[test]
    fn the_organisation_is_sent_when_there_is_one() {
        let call = LoginCall::universal("client-1", &secret(), Some("acme"));
        let expected = json!({"clientId": "client-1", "clientSecret": "hunter2", "organizationSlug": "acme"});
        assert_eq!(serde_json::to_value(call.body()).unwrap(), expected);
    }
}
