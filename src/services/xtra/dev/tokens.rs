//! What callers authenticate with: keys, and the signed tokens that a key is exchanged for.

use std::cell::Cell;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::crypto::fingerprint;
use super::js::{Json, object};
use super::seed::Tier;
use super::state::{Crash, World};

const SIGNED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Holder {
    User(String),
    Account(String),
}

#[derive(Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) holder: Holder,
    pub(super) label: String,
    pub(super) mask: String,
    pub(super) created: Moment,
    /// Told by lists of keys, and changed by every request.
    pub(super) last_used: Cell<Option<Moment>>,
    pub(super) expires: Option<Moment>,
    /// A signed token is no key: no list has it.
    pub(super) is_signed: bool,
}

impl Token {
    pub(super) fn is_of(&self, holder: &Holder) -> bool {
        !self.is_signed && self.holder == *holder
    }
}

/// What a list shows of a key: its kind, and its end.
fn mask(token: &str) -> String {
    let kind = token.split_once('_').map_or("", |(kind, _)| kind);
    let end = token.char_indices().rev().nth(3).map_or(token, |(at, _)| token.get(at..).unwrap_or_default());
    format!("{kind}_...{end}")
}

impl World {
    /// Adds a token; its id.
    pub(super) fn add_token(&mut self, token: &str, holder: Holder, label: &str, expires: Option<Moment>) -> String {
        let id = self.new_id();
        self.tokens.push(Token {
            id: id.clone(),
            fingerprint: fingerprint(token),
            holder,
            label: label.to_owned(),
            mask: mask(token),
            created: self.now(),
            last_used: Cell::new(None),
            expires,
            is_signed: token.matches('.').count() == 2,
        });
        id
    }

    /// The token with this text.
    pub(super) fn token(&self, text: &str) -> Option<&Token> {
        let fingerprint = fingerprint(text);
        self.tokens.iter().find(|token| token.fingerprint == fingerprint)
    }

    /// A signed token for a user or a service account, which is accepted for a day.
    pub(super) fn sign_in(&mut self, holder: Holder) -> Result<String, Crash> {
        let claims = self.claims(&holder).ok_or(Crash)?;
        let encoded = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_text());
        let head = object([("alg", "HS256".into()), ("typ", "JWT".into())]);
        let signed = format!("{}.{}", encoded(&head), encoded(&claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.vault.signature(&signed)));
        let expires = self.now().plus(SIGNED_FOR);
        // The same claims within the same second are the same token.
        if self.token(&token).is_none() {
            self.add_token(&token, holder, "signed in", Some(expires));
        }
        Ok(token)
    }

    fn claims(&self, holder: &Holder) -> Option<Json> {
        let kind = ("type", "cli-token".into());
        let seconds = |moment: Moment| Json::from(i64::try_from(moment.0 / 1000).unwrap_or(i64::MAX));
        let (issued, expires) = (seconds(self.now()), seconds(self.now().plus(SIGNED_FOR)));
        let issued = ("iat", issued);
        let expires = ("exp", expires);
        match holder {
            Holder::User(id) => {
                let user = self.user(id)?;
                Some(object([
                    ("id", Json::from(&user.id)),
                    ("email", Json::from(&user.email)),
                    ("role", "user".into()),
                    ("tier", tier_name(user.tier).into()),
                    kind,
                    issued,
                    expires,
                ]))
            }
            Holder::Account(id) => {
                let account = self.account(id)?;
                Some(object([
                    ("userId", format!("sa_{id}").into()),
                    ("email", format!("sa_{}@bot", account.name).into()),
                    ("role", "service_account".into()),
                    ("tier", "enterprise".into()),
                    kind,
                    ("isServiceAccount", true.into()),
                    ("serviceAccountId", Json::from(id)),
                    ("projectId", Json::from(&account.project)),
                    ("permissions", account.permissions.clone().into()),
                    issued,
                    expires,
                ]))
            }
        }
    }
}

pub(super) fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Free => "free",
        Tier::Pro => "pro",
        Tier::Enterprise => "enterprise",
    }
}
