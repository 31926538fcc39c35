//! The credential chain of Infisical's clients: where credentials are looked for, and the first that are there.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::auth::{Auth, Method, check_id, check_secret};
use super::login_file::{LOGIN_FILE, Login, LoginFile, Miss};
use super::workload::{self, MethodName};
use crate::core::process::NotUnicode;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};
use crate::credentials::{ChainPosition, CredentialProvider, ProcessEnv, Sourced, StaticToken};
use crate::http::Token;
use crate::http::token::Flaw;

/// The variables that errors name.
const TOKEN: &str = "INFISICAL_TOKEN";
const CLIENT_ID: &str = "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID";
const CLIENT_SECRET: &str = "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET";

/// Variables that hold a token, in the order in which they count: of the command and others, of the SDK for Go, and what the
/// command calls the token of a client.
const TOKENS: &[&str] = &[TOKEN, "INFISICAL_ACCESS_TOKEN", "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN"];

/// Variables that hold the id and the secret of a client. Halves of two spellings make no pair.
const CLIENTS: &[(&str, &str)] = &[(CLIENT_ID, CLIENT_SECRET), ("INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET")];

/// One step of the chain.
#[derive(Clone, Copy)]
enum Step {
    /// What the program gives.
    Given,
    /// The first provider of the program's own that was given this position.
    Custom(ChainPosition),
    /// The variables with a token.
    Tokens,
    /// The variables of a client.
    Clients,
    /// The variables of a machine identity, and what its platform has.
    Workload,
    /// The login of Infisical's command.
    LoginFile,
}

const STEPS: &[Step] = &[
    Step::Given,
    Step::Custom(ChainPosition::First),
    Step::Tokens,
    Step::Clients,
    Step::Workload,
    Step::Custom(ChainPosition::AfterEnvironment),
    Step::LoginFile,
    Step::Custom(ChainPosition::Last),
];

/// What the program gives to the chain.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    given: Option<Auth>,
    custom: Vec<(ChainPosition, Arc<dyn CredentialProvider>)>,
}

/// Credentials, and where they were found.
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) origin: Cow<'static, str>,
    /// For a login of the command: the base URL that it is to, `Some(None)` for Infisical's own.
    store: Option<Option<Sourced>>,
}

/// What was found: a provider of tokens, or what to log in with.
pub(crate) enum Credentials {
    Provider(Arc<dyn CredentialProvider>),
    Login(Auth),
}

impl Found {
    fn new(credentials: Credentials, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { credentials, origin: origin.into(), store: None }
    }

    /// A token that is good for now. One that is not is an error: going on could act as somebody else.
    fn token(secret: SecretValue, origin: &'static str) -> Result<Self, XtraError> {
        let token = Token::checked(secret).map_err(|flaw| flaw.error(origin))?;
        token.ensure_live(SystemTime::now(), origin)?;
        Ok(Self::new(Credentials::Provider(Arc::new(StaticToken::found(token, origin))), origin))
    }

    /// For a login of the command: the base URL that it is to, as [`BaseUrls`](crate::credentials::BaseUrls) takes it.
    pub(crate) fn stored_with(&self) -> Option<Option<&Sourced>> {
        self.store.as_ref().map(Option::as_ref)
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Credentials, or what was seen in their place.
type Looked = Result<Result<Found, String>, XtraError>;

impl Chain {
    /// What the program gives, if it gives any.
    pub(crate) fn auth(mut self, auth: Auth) -> Self {
        self.given = Some(auth);
        self
    }

    /// A provider of the program's own. Of several at one position the first is used.
    pub(crate) fn provider(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.custom.push((position, provider));
        self
    }

    /// The first credentials found. `organization` is the one that logins are to, unless they name another.
    ///
    /// Fails with [`ErrorKind::Credentials`], which says what each step had when none has any. What is there and cannot be used
    /// is an error at once.
    pub(crate) fn resolve(&self, env: &ProcessEnv, organization: Option<&str>) -> Result<Found, XtraError> {
        let mut seen = Vec::new();
        for step in STEPS {
            match self.look(*step, env) {
                None => {}
                Some(Ok(Ok(mut found))) => {
                    if let Credentials::Login(auth) = found.credentials {
                        found.credentials = Credentials::Login(auth.organization_or(organization));
                    }
                    tracing::debug!(target: events::CREDENTIALS, place = &*found.origin, "credentials were found");
                    return Ok(found);
                }
                Some(Ok(Err(saw))) => seen.push(saw),
                Some(Err(error)) => return Err(error),
            }
        }
        let message = format!("no credentials were found. Looked at {}", seen.join("; "));
        Err(XtraError::new(ErrorKind::Credentials, message)
            .with_hint(Hint::GiveToken { variable: TOKEN })
            .with_hint(Hint::advice(format!("Or set {CLIENT_ID} and {CLIENT_SECRET}"))))
    }

    /// `None` is a step that is not there.
    fn look(&self, step: Step, env: &ProcessEnv) -> Option<Looked> {
        Some(match step {
            Step::Given => self.given(),
            Step::Custom(position) => {
                let (_, provider) = self.custom.iter().find(|(at, _)| *at == position)?;
                let credentials = Credentials::Provider(Arc::clone(provider));
                Ok(Ok(Found::new(credentials, "a provider of the program's own")))
            }
            Step::Tokens => tokens(env),
            Step::Clients => clients(env),
            Step::Workload => workload(env),
            Step::LoginFile => login_file(env),
        })
    }

    fn given(&self) -> Looked {
        let Some(auth) = &self.given else { return Ok(Err("the program: gives none".to_owned())) };
        auth.check()?;
        Ok(Ok(match &auth.method {
            Method::Token(token) => Found::token(token.shared(), "the program")?,
            _ => Found::new(Credentials::Login(auth.clone()), "the program"),
        }))
    }
}

fn tokens(env: &ProcessEnv) -> Looked {
    let mut seen = Vec::new();
    for name in TOKENS {
        match env.var(name) {
            Ok(Some(text)) if !text.is_empty() => return Found::token(SecretValue::new(text), name).map(Ok),
            Ok(Some(_)) => seen.push(format!("{name}: empty")),
            Ok(None) => seen.push(format!("{name}: not set")),
            Err(NotUnicode) => return Err(Flaw::NotAscii.error(name)),
        }
    }
    Ok(Err(seen.join("; ")))
}

fn clients(env: &ProcessEnv) -> Looked {
    if MethodName::chosen(env)?.is_some_and(|method| method != MethodName::Universal) {
        return Ok(Err(format!("the id and the secret of a client: {} asks for another method", workload::METHOD)));
    }
    for (id_name, secret_name) in CLIENTS {
        match (env.setting(id_name)?, env.setting(secret_name)?) {
            (None, None) => {}
            (Some(id), Some(secret)) => {
                let secret = SecretValue::new(secret.value);
                check_id(&id.value, id_name)?;
                check_secret(&secret, secret_name)?;
                let auth = Auth::universal(id.value, secret);
                return Ok(Ok(Found::new(Credentials::Login(auth), format!("{id_name} and {secret_name}"))));
            }
            (Some(_), None) => return Err(half(id_name, secret_name)),
            (None, Some(_)) => return Err(half(secret_name, id_name)),
        }
    }
    let pairs: Vec<_> = CLIENTS.iter().map(|(id, secret)| format!("{id} and {secret}: not set")).collect();
    Ok(Err(pairs.join("; ")))
}

/// Going on could act as somebody else.
fn half(there: &str, missing: &str) -> XtraError {
    XtraError::new(ErrorKind::Credentials, format!("{there} is set, and {missing} is not"))
        .with_hint(Hint::advice("Set both, or neither"))
}

fn workload(env: &ProcessEnv) -> Looked {
    let found = workload::find(env, MethodName::chosen(env)?)?;
    Ok(found.map(|(auth, name)| Found::new(Credentials::Login(auth), name)))
}

fn login_file(env: &ProcessEnv) -> Looked {
    match LoginFile::read(env).and_then(|file| file.open(env)) {
        Ok(Login { token, base_url }) => {
            let found = Found::token(token, "the login of the infisical command")?;
            Ok(Ok(Found { store: Some(base_url), origin: LOGIN_FILE.into(), ..found }))
        }
        Err(Miss::Absent(saw)) => Ok(Err(format!("{LOGIN_FILE}: {saw}"))),
        Err(Miss::Unusable(saw)) => {
            tracing::warn!(target: events::CREDENTIALS, "no token from {LOGIN_FILE}: {saw}");
            Ok(Err(format!("{LOGIN_FILE}: {saw}")))
        }
    }
}

/// The base URL of the command's login, which its user has named there.
pub(crate) fn base_url_of_login(env: &ProcessEnv) -> Option<Sourced> {
    LoginFile::read(env).ok()?.into_base_url()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::login_file::tests::{IN_FILE, home};
    use super::super::settings::Settings;
    use super::*;
    use crate::http::jwt;

    fn resolved(chain: &Chain, env: &ProcessEnv) -> Result<Found, XtraError> {
        chain.resolve(env, None)
    }

    fn origin(variables: &[(&str, &str)]) -> Result<String, String> {
        let found = resolved(&Chain::default(), &ProcessEnv::of(variables));
        found.map(|found| found.origin.into_owned()).map_err(|error| error.to_string())
    }

    fn provider(token: &str) -> Arc<dyn CredentialProvider> {
        Arc::new(StaticToken::new(token).unwrap())
    }

    fn token_of(found: &Found) -> String {
        let Credentials::Provider(provider) = &found.credentials else { panic!("{found:?} has no token") };
        provider.token().now_or_never().unwrap().unwrap().expose().to_owned()
    }

    #[test]
    fn each_spelling_of_a_token_is_found_and_the_first_counts() {
        let all = TOKENS.iter().map(|name| (*name, *name)).collect::<Vec<_>>();
        for at in 0..all.len() {
            let found = resolved(&Chain::default(), &ProcessEnv::of(&all[at..])).unwrap();
            assert_eq!((&*found.origin, token_of(&found).as_str()), all[at]);
        }
    }

    #[test]
    fn the_steps_come_in_their_order() {
        let home = home(IN_FILE);
        let mut variables = vec![
            ("INFISICAL_TOKEN", "t"),
            ("INFISICAL_CLIENT_ID", "c"),
            ("INFISICAL_CLIENT_SECRET", "s"),
            ("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", "i"),
        ];
        let mut expect = |expected: &str, remove: usize| {
            let env = ProcessEnv::of(&variables).with_home(home.path());
            assert_eq!(resolved(&Chain::default(), &env).unwrap().origin, expected);
            variables.drain(..remove);
        };
        expect("INFISICAL_TOKEN", 1);
        expect("INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET", 2);
        expect("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", 1);
        expect(LOGIN_FILE, 0);
    }

    #[test]
    fn a_provider_stands_where_it_was_put_and_what_the_program_gives_comes_before_all() {
        let home = home(IN_FILE);
        let with_token = ProcessEnv::of(&[("INFISICAL_TOKEN", "variable")]).with_home(home.path());
        let with_login = ProcessEnv::of(&[]).with_home(home.path());
        let nothing = ProcessEnv::of(&[]);
        for (position, before) in [
            (ChainPosition::First, &with_token),
            (ChainPosition::AfterEnvironment, &with_login),
            (ChainPosition::Last, &nothing),
        ] {
            let chain = Chain::default().provider(position, provider("own")).provider(position, provider("second"));
            assert_eq!(token_of(&resolved(&chain, before).unwrap()), "own", "{position:?}");
            let given = chain.auth(Auth::token("given"));
            assert_eq!(token_of(&resolved(&given, before).unwrap()), "given");
        }
        let after = Chain::default().provider(ChainPosition::AfterEnvironment, provider("own"));
        assert_eq!(token_of(&resolved(&after, &with_token).unwrap()), "variable");
        let last = Chain::default().provider(ChainPosition::Last, provider("own"));
        assert_eq!(resolved(&last, &with_login).unwrap().origin, LOGIN_FILE);
    }

    #[test]
    fn half_of_a_client_is_an_error_that_names_the_other_half() {
        for (id, secret) in CLIENTS {
            for (there, missing) in [(id, secret), (secret, id)] {
                let error = origin(&[(there, "hunter2")]).unwrap_err();
                assert!(error.contains(&format!("{there} is set, and {missing} is not")), "{error}");
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
        let mixed = [("INFISICAL_CLIENT_ID", "c"), ("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", "s")];
        assert!(origin(&mixed).unwrap_err().contains("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID is not"));
    }

    #[test]
    fn the_error_tells_what_each_step_saw_by_name() {
        let home = home("");
        let env = ProcessEnv::of(&[("INFISICAL_TOKEN", ""), ("INFISICAL_CLIENT_ID", "")]).with_home(home.path());
        let error = resolved(&Chain::default(), &env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let text = error.to_string();
        for part in [
            "the program: gives none; INFISICAL_TOKEN: empty; INFISICAL_ACCESS_TOKEN: not set; ",
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: not set; ",
            "INFISICAL_KUBERNETES_IDENTITY_ID, ",
            "INFISICAL_MACHINE_IDENTITY_ID: not set; ",
            "~/.infisical/infisical-config.json: the login's token is in the keyring of the operating system",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_a_token_or_has_expired_is_an_error_at_once_and_not_quoted() {
        let expired = jwt::signed(r#"{"exp":1}"#);
        for (variables, expected) in [
            (vec![("INFISICAL_TOKEN", "\"hunter2\"")], "INFISICAL_TOKEN is in quotes"),
            (vec![("INFISICAL_ACCESS_TOKEN", "hunter2 ")], "INFISICAL_ACCESS_TOKEN begins or ends with white space"),
            (vec![("INFISICAL_TOKEN", ProcessEnv::NOT_UNICODE)], "INFISICAL_TOKEN holds a character"),
            (vec![("INFISICAL_TOKEN", expired.as_str())], "the token from INFISICAL_TOKEN expired"),
            (
                vec![("INFISICAL_CLIENT_ID", "'hunter2'"), ("INFISICAL_CLIENT_SECRET", "s")],
                "INFISICAL_CLIENT_ID is in quotes",
            ),
            (
                vec![("INFISICAL_CLIENT_ID", "c"), ("INFISICAL_CLIENT_SECRET", "'hunter2'")],
                "INFISICAL_CLIENT_SECRET is in quotes",
            ),
        ] {
            let with_more = [&variables[..], &[("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", "i")]].concat();
            let error = origin(&with_more).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_method_that_is_asked_for_comes_before_a_client_and_a_token_before_both() {
        let variables = [
            ("INFISICAL_AUTH_METHOD", "aws-iam"),
            ("INFISICAL_CLIENT_ID", "c"),
            ("INFISICAL_CLIENT_SECRET", "s"),
            ("INFISICAL_MACHINE_IDENTITY_ID", "i"),
            ("INFISICAL_TOKEN", "t"),
        ];
        assert_eq!(origin(&variables).unwrap(), "INFISICAL_TOKEN");
        assert_eq!(origin(&variables[..4]).unwrap(), "INFISICAL_MACHINE_IDENTITY_ID");
        let universal = [&[("INFISICAL_AUTH_METHOD", "universal-auth")][..], &variables[1..4]].concat();
        assert_eq!(origin(&universal).unwrap(), "INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET");
    }

    #[test]
    fn the_token_of_a_login_goes_to_the_base_url_that_it_was_got_from_and_others_do_not() {
        let home = home(IN_FILE);
        let url = |variables: &[(&str, &str)]| {
            let env = ProcessEnv::of(variables).with_home(home.path());
            let found = resolved(&Chain::default(), &env).unwrap();
            let urls = Settings::load(&env).unwrap().base_urls(None, base_url_of_login(&env));
            urls.choose_beside(found.stored_with()).unwrap().value
        };
        assert_eq!(url(&[]), "https://own.example/api");
        assert_eq!(url(&[("INFISICAL_TOKEN", "t")]), "https://app.infisical.com/api");
        assert_eq!(url(&[("INFISICAL_DOMAIN", "https://named.example")]), "https://named.example/api");
    }

    #[test]
    fn the_organisation_of_the_settings_is_for_logins_that_name_none() {
        let env = ProcessEnv::of(&[]);
        let identity = |auth: Auth, slug| {
            let found = Chain::default().auth(auth).resolve(&env, slug).unwrap();
            let Credentials::Login(auth) = found.credentials else { panic!("no login") };
            auth.identity()
        };
        let auth = || Auth::aws_iam("i");
        assert_eq!(identity(auth(), Some("acme")), auth().organization("acme").identity());
        assert_eq!(identity(auth().organization("own"), Some("acme")), auth().organization("own").identity());
    }
}
