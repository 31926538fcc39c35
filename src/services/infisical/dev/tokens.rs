//! The access tokens of identities: how they are issued, used, renewed and revoked.

use std::time::Duration;

use super::database::{Database, new_id};
use super::generation::Generation;
use super::jwt;
use super::patterns::matches_address;
use super::refusal::Refusal;
use super::rows::{Identity, Token};
use crate::dev::Millis;
use crate::dev::javascript::{Json, Members};

/// An access token as a login gives it.
pub(super) struct Issued {
    pub(super) token: String,
    pub(super) ttl: Duration,
    pub(super) max_ttl: Duration,
}

const IDENTITY_TOKEN: &str = "identityAccessToken";
const USER_TOKEN: &str = "accessToken";

/// The holder of a signed token.
pub(super) enum Holder {
    Identity { token: String, identity: String },
    User(String),
}

/// Lets an identity in from an address, or not.
pub(super) fn trusts(identity: &Identity, address: &str) -> bool {
    let trusted = &identity.addresses;
    trusted.is_empty() || trusted.iter().any(|pattern| matches_address(pattern, address))
}

impl Database {
    /// The token of a person's session.
    pub(super) fn user_token(&self, user: &str) -> String {
        let mut claims = Members::default();
        claims.set("authMethod", "email");
        claims.set("authTokenType", USER_TOKEN);
        claims.set("userId", user);
        claims.set("organizationId", &self.organization);
        let now = self.now();
        jwt::signed(&self.signing_key, claims, now, Some(now.plus(Duration::from_secs(10 * 86_400))))
    }

    /// Issues a token of an identity.
    pub(super) fn issue(&mut self, identity: &str, client_secret: Option<String>) -> Option<Issued> {
        let found = self.identity(identity)?;
        let (ttl, max_ttl, now) = (found.ttl, found.max_ttl, self.now());
        let row = Token {
            id: new_id(),
            identity: found.id.clone(),
            name: None,
            client_secret,
            ttl,
            max_ttl,
            limit: found.uses,
            uses: 0,
            created: now,
            renewed: None,
            used: None,
            is_revoked: false,
        };
        let token = self.signed(&row, now);
        self.tokens.push(row);
        Some(Issued { token, ttl, max_ttl })
    }

    /// The signed token of a row. The servers of 2024 sign the longest lifetime, later ones that until the next renewal.
    fn signed(&self, row: &Token, from: Millis) -> String {
        let mut claims = Members::default();
        claims.set("identityId", &row.identity);
        claims.set("clientSecretId", row.client_secret.clone().unwrap_or_default());
        claims.set("identityAccessTokenId", &row.id);
        claims.set("authTokenType", IDENTITY_TOKEN);
        let lifetime = if self.generation.is_current() { self.lifetime(row, from) } else { row.max_ttl };
        if self.generation.is_current() {
            claims.set("identityName", self.identity(&row.identity).map(|identity| identity.name.clone()));
            claims.set("orgId", &self.organization);
            claims.set("jti", &row.id);
            claims.set("accessTokenTTL", seconds(row.ttl));
            claims.set("accessTokenMaxTTL", seconds(row.max_ttl));
        }
        let expires = (!lifetime.is_zero()).then(|| from.plus(lifetime));
        jwt::signed(&self.signing_key, claims, from, expires)
    }

    /// How long a token lives from a moment on: until the next renewal, and not longer than in all.
    fn lifetime(&self, row: &Token, from: Millis) -> Duration {
        let since = Duration::from_millis(from.0.saturating_sub(row.created.0));
        let left = row.max_ttl.saturating_sub(since);
        match (row.ttl.is_zero(), row.max_ttl.is_zero()) {
            (_, true) => row.ttl,
            (true, false) => left,
            (false, false) => row.ttl.min(left),
        }
    }

    /// The holder of a signed token that holds.
    pub(super) fn holder(&self, token: &str) -> Result<Holder, Refusal> {
        let claims = jwt::checked(&self.signing_key, token, self.now())
            .map_err(|sentence| Refusal::bad_token(self.generation, sentence))?;
        let text = |name: &str| claims.get(name).and_then(Json::text).unwrap_or_default().to_owned();
        if text("authTokenType") == IDENTITY_TOKEN {
            return Ok(Holder::Identity { token: text("identityAccessTokenId"), identity: text("identityId") });
        }
        Ok(Holder::User(text("userId")))
    }

    fn row(&self, id: &str) -> Result<&Token, Refusal> {
        let found = self.tokens.iter().find(|token| token.id == id && !token.is_revoked);
        found
            .filter(|token| self.identity(&token.identity).is_some())
            .ok_or_else(|| Refusal::unknown_token(self.generation))
    }

    fn forget(&mut self, id: &str) {
        self.tokens.retain(|token| token.id != id);
    }

    /// Uses a token once for a request from an address.
    pub(super) fn use_token(&mut self, id: &str, address: &str) -> Result<(), Refusal> {
        let (generation, now) = (self.generation, self.now());
        let row = self.row(id)?;
        if self.identity(&row.identity).is_some_and(|identity| !trusts(identity, address)) {
            return Err(Refusal::foreign_address(generation));
        }
        self.check_expiry(id)?;
        for token in self.tokens.iter_mut().filter(|token| token.id == id) {
            token.uses += 1;
            token.used = Some(now);
        }
        Ok(())
    }

    /// Deletes a token that has spent its uses or its time.
    fn check_expiry(&mut self, id: &str) -> Result<(), Refusal> {
        let (generation, now) = (self.generation, self.now());
        let row = self.row(id)?;
        let refusal = if row.limit > 0 && row.uses >= row.limit {
            Refusal::uses_spent(generation)
        } else if !row.ttl.is_zero() && row.renewed.unwrap_or(row.created).plus(row.ttl) < now {
            Refusal::unauthorized(generation, "Failed to renew MI access token due to TTL expiration")
        } else {
            return Ok(());
        };
        self.forget(id);
        Err(refusal)
    }

    /// Renews a token as the generation does: the servers of 2024 give the same one back, and destroy one that would outlive its
    /// longest lifetime; later ones give a new one for the rest of it.
    pub(super) fn renew(&mut self, token: &str) -> Result<Issued, Refusal> {
        let (generation, now) = (self.generation, self.now());
        let Holder::Identity { token: id, .. } = self.holder(token)? else {
            return Err(match generation {
                Generation::August2024 => Refusal::not_allowed(),
                _ => Refusal::bad_request("Only identity access tokens can be renewed"),
            });
        };
        self.row(&id)?;
        self.check_expiry(&id)?;
        let row = self.row(&id)?.clone();
        let ends = row.created.plus(row.max_ttl);
        let is_over = !row.max_ttl.is_zero() && ends <= now;
        let outlives = !row.max_ttl.is_zero() && now.plus(row.ttl) >= ends;
        if is_over || (outlives && !generation.is_current()) {
            self.forget(&id);
            let message = if is_over {
                "Failed to renew MI access token due to Max TTL expiration"
            } else {
                "Failed to renew MI access token past its Max TTL expiration"
            };
            return Err(Refusal::unauthorized(generation, message));
        }
        for token in self.tokens.iter_mut().filter(|token| token.id == id) {
            token.renewed = Some(now);
        }
        if generation.is_current() {
            let ttl = self.lifetime(&row, now);
            return Ok(Issued { token: self.signed(&row, now), ttl, max_ttl: row.max_ttl });
        }
        Ok(Issued { token: token.to_owned(), ttl: row.ttl, max_ttl: row.max_ttl })
    }

    pub(super) fn revoke(&mut self, token: &str) -> Result<(), Refusal> {
        let Holder::Identity { token: id, .. } = self.holder(token)? else {
            return Err(Refusal::unknown_token(self.generation));
        };
        self.row(&id)?;
        self.forget(&id);
        Ok(())
    }
}

pub(super) fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
