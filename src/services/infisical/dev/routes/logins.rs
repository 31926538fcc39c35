//! Logins, and the renewal and the end of access tokens.

use std::time::Duration;

use crate::dev::Reply;
use crate::dev::javascript::{Json, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::fields::{Fields, is_uuid};
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::Lockout;
use crate::services::infisical::dev::seed::LoginMethod;
use crate::services::infisical::dev::tokens::{Issued, seconds, trusts};

endpoints! {
    /// The login with a client id and a client secret.
    POST "/v1/auth/universal-auth/login" as AUTH_UNIVERSAL_LOGIN since August2024, Write Anybody => universal;
    /// The login with a signed request to AWS.
    POST "/v1/auth/aws-auth/login" as AUTH_AWS_LOGIN since August2024, Write Anybody => aws;
    /// The login with an OIDC token.
    POST "/v1/auth/oidc-auth/login" as AUTH_OIDC_LOGIN since August2024, Write Anybody => oidc;
    /// The login with the token of a Kubernetes service account.
    POST "/v1/auth/kubernetes-auth/login" as AUTH_KUBERNETES_LOGIN since August2024, Write Anybody => kubernetes;
    /// The login with a token of Google Cloud.
    POST "/v1/auth/gcp-auth/login" as AUTH_GCP_LOGIN since August2024, Write Anybody => gcp;
    /// The login with a token of Azure.
    POST "/v1/auth/azure-auth/login" as AUTH_AZURE_LOGIN since August2024, Write Anybody => azure;
    /// The login with a JWT.
    POST "/v1/auth/jwt-auth/login" as AUTH_JWT_LOGIN since Current, Write Anybody => jwt;
    /// The login with a name and a password of LDAP.
    POST "/v1/auth/ldap-auth/login" as AUTH_LDAP_LOGIN since Current, Write Anybody => ldap;
    /// The renewal of an access token.
    POST "/v1/auth/token/renew" as AUTH_TOKEN_RENEW since August2024, Write Anybody => renew;
    /// The end of an access token.
    POST "/v1/auth/token/revoke" as AUTH_TOKEN_REVOKE since August2024, Write Anybody => revoke;
}

/// Failed logins in a row after which an identity is locked, and for how long. Counted by servers of today alone.
const FAILURES: u32 = 3;
const LOCKED: Duration = Duration::from_secs(300);
/// Failures that are so far apart are not in a row.
const IN_A_ROW: Duration = Duration::from_secs(30);

fn issued(issued: &Issued) -> Reply {
    Reply::ok(&object([
        ("accessToken", (&issued.token).into()),
        ("expiresIn", seconds(issued.ttl).into()),
        ("accessTokenMaxTTL", seconds(issued.max_ttl).into()),
        ("tokenType", "Bearer".into()),
    ]))
}

fn universal(database: &mut Database, asked: &Asked) -> Answer {
    let (generation, now) = (asked.generation, database.now());
    let mut body = asked.body();
    let (client_id, secret) = (body.word("clientId"), body.word("clientSecret"));
    body.done(generation)?;
    let Some(identity) = database.identities.iter_mut().find(|identity| identity.client_id == client_id) else {
        return Err(Refusal::unknown_client(generation));
    };
    if !trusts(identity, &asked.call.address) {
        return Err(Refusal::foreign_address(generation));
    }
    if generation.is_current() && identity.lockout.until.is_some_and(|until| until > now) {
        let message = "This identity auth method is temporarily locked, please try again later";
        return Err(Refusal::unauthorized(generation, message));
    }
    let found = identity.secrets.iter_mut().find(|known| !known.is_revoked && known.secret == secret);
    let Some(found) = found else {
        count_failure(&mut identity.lockout, now);
        return Err(Refusal::unauthorized(generation, "Invalid credentials"));
    };
    identity.lockout = Lockout::default();
    if !found.ttl.is_zero() && found.created.plus(found.ttl) < now {
        found.is_revoked = true;
        let august = "Failed to authenticate identity credentials due to expired client secret";
        let later = "Access denied due to expired client secret";
        return Err(Refusal::unauthorized(generation, generation.pick(august, later, later)));
    }
    if found.limit > 0 && found.uses >= found.limit {
        found.is_revoked = true;
        let august = "Failed to authenticate identity credentials due to client secret number of uses limit reached";
        let later = "Access denied due to client secret usage limit reached";
        return Err(Refusal::unauthorized(generation, generation.pick(august, later, later)));
    }
    found.uses += 1;
    let (identity, secret) = (identity.id.clone(), found.id.clone());
    issue(database, &identity, Some(secret))
}

fn count_failure(lockout: &mut Lockout, now: crate::dev::Millis) {
    if lockout.last.is_some_and(|last| last.plus(IN_A_ROW) < now) {
        lockout.failures = 0;
    }
    lockout.failures += 1;
    lockout.last = Some(now);
    if lockout.failures >= FAILURES {
        *lockout = Lockout { until: Some(now.plus(LOCKED)), ..Lockout::default() };
    }
}

fn issue(database: &mut Database, identity: &str, secret: Option<String>) -> Answer {
    let token = database.issue(identity, secret);
    token.map(|token| issued(&token)).ok_or_else(|| Refusal::unknown_client(database.generation))
}

/// The name of a method in the refusal of an identity that does not have it.
fn sentence(method: LoginMethod) -> &'static str {
    match method {
        LoginMethod::Aws => "AWS auth method not found for identity, did you configure AWS auth?",
        LoginMethod::Azure => "Azure auth method not found for identity, did you configure Azure Auth?",
        // The service's own slip: this is what it says of OIDC.
        LoginMethod::Gcp | LoginMethod::Oidc => "GCP auth method not found for identity, did you configure GCP auth?",
        LoginMethod::Jwt => "JWT auth method not found for identity, did you configure JWT auth?",
        LoginMethod::Kubernetes => "Kubernetes auth method not found for identity, did you configure Kubernetes auth?",
        LoginMethod::Ldap => "LDAP auth method not found for identity, did you configure LDAP auth?",
    }
}

/// Logs an identity in by a method, with the credential that it presents; nothing when any is good enough.
fn by_method(
    database: &mut Database,
    asked: &Asked,
    method: LoginMethod,
    identity: &str,
    presented: Option<&str>,
) -> Answer {
    let generation = asked.generation;
    if !is_uuid(identity) {
        return Err(Refusal::failed_step("Find one"));
    }
    let has_method = |(known, _): &&(LoginMethod, String)| *known == method;
    let found = database.identity(identity);
    let Some((_, accepted)) = found.and_then(|identity| identity.logins.iter().find(has_method)) else {
        return Err(Refusal::method_missing(generation, sentence(method)));
    };
    if presented.is_some_and(|presented| presented != accepted) {
        return Err(Refusal::unauthorized(generation, "Access denied"));
    }
    if found.is_some_and(|identity| !trusts(identity, &asked.call.address)) {
        return Err(Refusal::foreign_address(generation));
    }
    issue(database, identity, None)
}

fn with_token(database: &mut Database, asked: &Asked, method: LoginMethod) -> Answer {
    let mut body = asked.body();
    let (identity, token) = (body.word("identityId"), body.text("jwt"));
    body.done(asked.generation)?;
    by_method(database, asked, method, &identity, Some(&token))
}

fn oidc(database: &mut Database, asked: &Asked) -> Answer {
    with_token(database, asked, LoginMethod::Oidc)
}

fn kubernetes(database: &mut Database, asked: &Asked) -> Answer {
    with_token(database, asked, LoginMethod::Kubernetes)
}

fn gcp(database: &mut Database, asked: &Asked) -> Answer {
    with_token(database, asked, LoginMethod::Gcp)
}

fn azure(database: &mut Database, asked: &Asked) -> Answer {
    with_token(database, asked, LoginMethod::Azure)
}

fn jwt(database: &mut Database, asked: &Asked) -> Answer {
    with_token(database, asked, LoginMethod::Jwt)
}

fn ldap(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let identity = body.word("identityId");
    let presented = format!("{}:{}", body.text("username"), body.text("password"));
    body.done(asked.generation)?;
    by_method(database, asked, LoginMethod::Ldap, &identity, Some(&presented))
}

/// The signed request of AWS is not sent on; its headers must be readable and carry a signature.
fn aws(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let identity = body.word("identityId");
    body.optional_text("iamHttpRequestMethod");
    body.text("iamRequestBody");
    let headers = decoded_headers(&mut body);
    body.done(asked.generation)?;
    let answer = by_method(database, asked, LoginMethod::Aws, &identity, None);
    let is_signed = headers
        .as_ref()
        .is_some_and(|headers| ["Authorization", "authorization"].iter().any(|name| headers.get(name).is_some()));
    match answer {
        Ok(_) if !is_signed => Err(Refusal::unauthorized(asked.generation, "Access denied")),
        answer => answer,
    }
}

fn decoded_headers(body: &mut Fields) -> Option<Json> {
    use base64::Engine as _;
    let text = body.text("iamRequestHeaders");
    base64::engine::general_purpose::STANDARD.decode(text).ok().and_then(|bytes| Json::parse(&bytes))
}

fn renew(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let token = body.word("accessToken");
    body.done(asked.generation)?;
    database.renew(&token).map(|token| issued(&token))
}

fn revoke(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let token = body.word("accessToken");
    body.done(asked.generation)?;
    database.revoke(&token)?;
    Ok(Reply::ok(&object([("message", "Successfully revoked access token".into())])))
}
