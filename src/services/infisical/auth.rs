//! The authentication of Infisical's clients: tokens of a machine identity, got by a login and renewed before they end.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::raw;
use crate::core::{Clock, ErrorKind, Hint, Identity, SecretValue, XtraError};
use crate::credentials::{
    ChainPosition, CredentialProvider, Exchanged, ExchangedToken, Lookup, ProcessEnv, Step, Token, TokenFuture,
};
use crate::http::WeakTransport;

/// Where a token is looked for.
pub(super) const STEPS: &[Step] = &[
    Step::Explicit,
    Step::Custom(ChainPosition::First),
    Step::Lookup(Lookup::new("the client id and secret in variables", UniversalAuth::of_variables)),
    Step::Variable("INFISICAL_TOKEN"),
    Step::Variable("INFISICAL_ACCESS_TOKEN"),
    Step::Custom(ChainPosition::AfterEnvironment),
    Step::Custom(ChainPosition::Last),
];

/// Pairs of variables with a client id and its secret. The first is the vendor's own.
const CLIENTS: [[&str; 2]; 2] = [
    ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"],
    ["INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET"],
];

/// The slug of the organisation to log in to.
const ORGANIZATION: &str = "INFISICAL_AUTH_ORGANIZATION_SLUG";

/// How long a refused login is not tried again. A server locks an identity out, for everybody, after three that fail within
/// half a minute.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// A way to log in: what is exchanged for a token.
pub(super) trait LogIn: Send + Sync + 'static {
    /// Whose tokens it gets.
    fn identity(&self) -> Identity;

    /// Logs in by one of the operations that carry no token.
    fn log_in<'a>(&'a self, raw: &'a raw::Client) -> BoxFuture<'a, Result<Granted, XtraError>>;

    /// The credential itself, when it stays the same for long.
    fn lasting_credential(&self) -> Option<SecretValue> {
        None
    }
}

/// What a login gave.
pub(super) struct Granted {
    pub(super) token: SecretValue,
    /// Seconds until the server refuses it; 0 when it sets no limit of its own.
    pub(super) expires_in: Option<i64>,
}

impl Granted {
    /// The token, which ends with what is first: its own end, or that of what the server has granted.
    fn exchanged(self) -> Result<Exchanged, XtraError> {
        let token = Token::new(self.token.expose()).map_err(|_| {
            XtraError::new(ErrorKind::Decode, "the server has granted something that cannot be sent as a token")
                .with_hint(Hint::check_base_url("is that of an Infisical server"))
        })?;
        let granted = self.expires_in.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        let exchanged = Exchanged::new(token);
        Ok(granted.map_or(exchanged.clone(), |seconds| exchanged.at_most(Duration::from_secs(seconds))))
    }
}

/// Gives the tokens of a login, which is made when the first is needed, again before its end, and once more when it is refused.
pub(super) struct LoginToken {
    exchanged: ExchangedToken,
    method: Arc<dyn LogIn>,
    /// The way to the server, once there is one.
    transport: Arc<OnceLock<WeakTransport>>,
}

impl LoginToken {
    pub(super) fn new(method: impl LogIn) -> Self {
        let (method, transport): (Arc<dyn LogIn>, _) = (Arc::new(method), Arc::new(OnceLock::new()));
        let (shared, slot) = (Arc::clone(&method), Arc::clone(&transport));
        let exchanged = ExchangedToken::new(method.identity(), move || log_in(Arc::clone(&shared), Arc::clone(&slot)));
        Self { exchanged: exchanged.pause_after_refusal(REFUSED_FOR), method, transport }
    }
}

async fn log_in(method: Arc<dyn LogIn>, transport: Arc<OnceLock<WeakTransport>>) -> Result<Exchanged, XtraError> {
    let transport = transport.get().and_then(WeakTransport::upgrade).ok_or_else(|| {
        XtraError::new(ErrorKind::Credentials, "the client that these credentials were given to is gone")
    })?;
    let root = transport.base_url().to_owned();
    let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
    method.log_in(&raw).await?.exchanged()
}

impl CredentialProvider for LoginToken {
    fn identity(&self) -> Identity {
        self.exchanged.identity()
    }

    fn token(&self) -> TokenFuture<'_> {
        self.exchanged.token()
    }

    fn lasting_token(&self) -> Option<Token> {
        Token::new(self.method.lasting_credential()?.expose()).ok()
    }

    fn connected(&self, transport: &WeakTransport) {
        self.exchanged.measure_by(transport.upgrade().map_or_else(Clock::system, |transport| transport.clock()));
        // one client is built with it
        let _ = self.transport.set(transport.clone());
    }

    fn invalidate(&self, refused: &Token) -> bool {
        self.exchanged.invalidate(refused)
    }
}

/// The login of a machine identity with a client id and a client secret.
pub(super) struct UniversalAuth {
    client_id: String,
    client_secret: SecretValue,
    organization: Option<String>,
}

impl UniversalAuth {
    /// These credentials, checked.
    ///
    /// Fails with [`ErrorKind::Credentials`] when one of them cannot be sent; `places` is where they came from.
    pub(super) fn new(
        client_id: &str,
        client_secret: &SecretValue,
        organization: Option<String>,
        places: [&str; 2],
    ) -> Result<Self, XtraError> {
        let [client_id, client_secret] = [client_id, client_secret.expose()].map(str::trim);
        for (text, place) in [client_id, client_secret].into_iter().zip(places) {
            if text.is_empty() || text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
                let message = format!("{place} is empty, or holds white space or control characters");
                return Err(XtraError::new(ErrorKind::Credentials, message)
                    .with_hint(Hint::advice("Copy it again, as the dashboard shows it")));
            }
        }
        Ok(Self { client_id: client_id.to_owned(), client_secret: client_secret.into(), organization })
    }

    /// Those that two variables hold. One without the other is an error: going on could act as somebody else.
    fn of_variables(env: &ProcessEnv) -> Result<Option<Arc<dyn CredentialProvider>>, XtraError> {
        for places @ [id, secret] in CLIENTS {
            match (env.setting(id)?, env.setting(secret)?) {
                (Some(id), Some(secret)) => {
                    let organization = env.setting(ORGANIZATION)?.map(|found| found.value);
                    let secret = SecretValue::new(secret.value);
                    let login = Self::new(&id.value, &secret, organization, places)?;
                    return Ok(Some(Arc::new(LoginToken::new(login))));
                }
                (None, None) => {}
                (there, _) => {
                    let (there, missing) = if there.is_some() { (id, secret) } else { (secret, id) };
                    let message = format!("{there} is set and {missing} is not: both are needed to log in");
                    return Err(XtraError::new(ErrorKind::Credentials, message)
                        .with_hint(Hint::advice(format!("Set {missing} too, or unset {there}"))));
                }
            }
        }
        Ok(None)
    }
}

impl LogIn for UniversalAuth {
    fn identity(&self) -> Identity {
        let organization = self.organization.as_deref().unwrap_or_default();
        Identity::of(&format!("universal auth\n{}\n{organization}", self.client_id))
    }

    fn log_in<'a>(&'a self, raw: &'a raw::Client) -> BoxFuture<'a, Result<Granted, XtraError>> {
        let login = raw.auth_universal_login().body_map(|body| {
            let body = body.client_id(&self.client_id).client_secret(self.client_secret.expose());
            body.organization_slug(self.organization.clone())
        });
        Box::pin(async move { Ok(login.send().await?.into_inner().into()) })
    }

    fn lasting_credential(&self) -> Option<SecretValue> {
        Some(self.client_secret.clone())
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Chain;
    use crate::http::jwt;

    fn lasts(claims: &str, expires_in: Option<i64>) -> Option<u64> {
        let granted = Granted { token: jwt::signed(claims).into(), expires_in };
        granted.exchanged().unwrap().lasts.map(|time| time.as_secs())
    }

    #[test]
    fn a_token_ends_with_what_is_first_its_own_end_or_what_was_granted() {
        assert_eq!(
            lasts(r#"{"iat":1000,"exp":2000}"#, Some(100)),
            Some(100),
            "recorded: exp is the longest, expiresIn counts"
        );
        assert_eq!(lasts(r#"{"iat":1000,"exp":2000}"#, Some(5000)), Some(1000));
        assert_eq!(lasts(r#"{"iat":1000,"exp":2000}"#, Some(0)), Some(1000), "0 sets no limit");
        assert_eq!(lasts(r#"{"iat":1000}"#, Some(70)), Some(70));
        assert_eq!(lasts(r#"{"iat":1000}"#, None), None);
        let unusable = Granted { token: "a b".into(), expires_in: None };
        assert_eq!(unusable.exchanged().unwrap_err().kind(), ErrorKind::Decode);
    }

    fn found(variables: &[(&str, &str)]) -> Result<String, XtraError> {
        Chain::new(STEPS).resolve(&ProcessEnv::of(variables)).map(|found| found.origin().to_owned())
    }

    #[test]
    fn credentials_that_can_be_exchanged_are_preferred_to_a_token() {
        let [id, secret] = CLIENTS[0];
        let login = "the client id and secret in variables";
        assert_eq!(found(&[(id, "i"), (secret, "s"), ("INFISICAL_TOKEN", "t")]).unwrap(), login);
        assert_eq!(found(&[(CLIENTS[1][0], "i"), (CLIENTS[1][1], "s")]).unwrap(), login);
        assert_eq!(found(&[("INFISICAL_TOKEN", "st.a.b")]).unwrap(), "INFISICAL_TOKEN");
        assert_eq!(found(&[("INFISICAL_ACCESS_TOKEN", "t")]).unwrap(), "INFISICAL_ACCESS_TOKEN");
    }

    #[test]
    fn half_a_pair_and_what_cannot_be_sent_are_errors_that_name_the_variable_and_quote_nothing() {
        let [id, secret] = CLIENTS[0];
        for (variables, named) in [
            (vec![(id, "hunter2"), ("INFISICAL_TOKEN", "t")], secret),
            (vec![(secret, "hunter2")], id),
            (vec![(id, "i"), (secret, "hunter2 x")], secret),
            (vec![], "INFISICAL_TOKEN: not set"),
        ] {
            let error = found(&variables).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.to_string().contains(named) && !format!("{error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn white_space_around_credentials_is_taken_away_and_each_client_is_an_identity_of_its_own() {
        let login = |id: &str| UniversalAuth::new(id, &" s\n".into(), None, ["id", "secret"]).unwrap();
        assert_eq!(login(" i\n").client_secret.expose(), "s");
        assert_eq!(login(" i\n").identity(), login("i").identity());
        assert_ne!(login("i").identity(), login("j").identity());
    }
}
