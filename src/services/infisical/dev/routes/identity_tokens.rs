//! Tokens of identities that are made without a login.

use crate::dev::Reply;
use crate::dev::javascript::{Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::Token;
use crate::services::infisical::dev::tokens::seconds;

endpoints! {
    /// The creation of a token.
    POST "/v1/auth/token-auth/identities/{identityId}/tokens" as IDENTITY_TOKENS_CREATE since October2024, Write Token
        => create;
    /// The tokens of an identity.
    GET "/v1/auth/token-auth/identities/{identityId}/tokens" as IDENTITY_TOKENS_LIST since October2024, Read Token => list;
    /// The change of a token's name.
    PATCH "/v1/auth/token-auth/tokens/{tokenId}" as IDENTITY_TOKENS_UPDATE since October2024, Write Token => update;
    /// The end of a token.
    POST "/v1/auth/token-auth/tokens/{tokenId}/revoke" as IDENTITY_TOKENS_REVOKE since October2024, Write Token => revoke;
}

fn record(token: &Token) -> Members {
    let mut record = Members::default();
    record.set("id", &token.id);
    record.set("identityId", &token.identity);
    record.set("name", token.name.clone());
    record.set("accessTokenTTL", seconds(token.ttl));
    record.set("accessTokenMaxTTL", seconds(token.max_ttl));
    record.set("accessTokenNumUses", i64::try_from(token.uses).unwrap_or(i64::MAX));
    record.set("accessTokenNumUsesLimit", i64::try_from(token.limit).unwrap_or(i64::MAX));
    record.set("accessTokenLastUsedAt", token.used.map(|used| used.iso()));
    record.set("accessTokenLastRenewedAt", token.renewed.map(|renewed| renewed.iso()));
    record.set("isAccessTokenRevoked", token.is_revoked);
    record.set("identityUAClientSecretId", token.client_secret.clone());
    record.set("createdAt", token.created.iso());
    record.set("updatedAt", token.created.iso());
    record
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let name = body.optional_word("name");
    body.done(asked.generation)?;
    database.check_administrator(asked.actor()?, "create")?;
    let identity = asked.param("identityId");
    let Some(issued) = database.issue(&identity, None) else {
        return Err(Refusal::not_found(format!("Failed to find identity with ID {identity}")));
    };
    let mut made = object([
        ("accessToken", issued.token.into()),
        ("tokenType", "Bearer".into()),
        ("expiresIn", seconds(issued.ttl).into()),
        ("accessTokenMaxTTL", seconds(issued.max_ttl).into()),
    ]);
    if let Some(token) = database.tokens.last_mut() {
        token.name = name;
        if let crate::dev::javascript::Json::Object(members) = &mut made {
            members.set("tokenData", record(token));
        }
    }
    Ok(Reply::ok(&made))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    database.check_administrator(asked.actor()?, "read")?;
    let identity = asked.param("identityId");
    let found = database.tokens.iter().filter(|token| token.identity == identity && token.name.is_some());
    Ok(Reply::ok(&object([("tokens", found.map(record).collect::<Vec<_>>().into())])))
}

fn found<'a>(database: &'a mut Database, id: &str) -> Result<&'a mut Token, Refusal> {
    let found = database.tokens.iter_mut().find(|token| token.id == id);
    found.ok_or_else(|| Refusal::not_found(format!("Access token with ID {id} not found")))
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let name = body.optional_word("name");
    body.done(asked.generation)?;
    database.check_administrator(asked.actor()?, "edit")?;
    let token = found(database, &asked.param("tokenId"))?;
    token.name = name.or_else(|| token.name.clone());
    Ok(Reply::ok(&object([("token", record(token).into())])))
}

fn revoke(database: &mut Database, asked: &Asked) -> Answer {
    database.check_administrator(asked.actor()?, "delete")?;
    found(database, &asked.param("tokenId"))?.is_revoked = true;
    Ok(Reply::ok(&object([("message", "Successfully revoked access token".into())])))
}
