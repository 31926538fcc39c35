//! The steps of Infisical's credential chain: clients, tokens and machine identities of variables, and the command's login.

use std::sync::Arc;
use std::time::SystemTime;

use super::auth::Auth;
use super::login_file::{LOGIN_FILE, Login, LoginFile, Miss};
use super::workload::{self, MethodName};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};
use crate::credentials::{ChainPosition, Lookup, ProcessEnv, Resolved, Sourced, StaticToken, Step};
use crate::http::Token;

/// Where credentials are looked for. What can be exchanged is preferred to a token, which ends; a machine identity comes after
/// both, because its variables are often there for other tools.
pub(in crate::services::infisical) const STEPS: &[Step] = &[
    Step::Explicit,
    Step::Custom(ChainPosition::First),
    Step::Lookup(Lookup::new(client)),
    Step::Variable("INFISICAL_TOKEN"),
    Step::Variable("INFISICAL_ACCESS_TOKEN"),
    Step::Variable("INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN"),
    Step::Lookup(Lookup::new(machine_identity)),
    Step::Custom(ChainPosition::AfterEnvironment),
    Step::Lookup(Lookup::new(login_of_command)),
    Step::Custom(ChainPosition::Last),
];

/// Variables that hold the id and the secret of a client. Halves of two spellings make no pair.
const CLIENTS: &[(&str, &str)] = &[
    ("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
    ("INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET"),
];

/// A provider and where it was found, or what was seen in its place.
type Found = Result<Resolved, String>;

fn client(env: &ProcessEnv) -> Result<Found, XtraError> {
    if MethodName::chosen(env)?.is_some_and(|method| method != MethodName::Universal) {
        return Ok(Err(format!("the id and the secret of a client: {} asks for another method", workload::METHOD)));
    }
    for (id_name, secret_name) in CLIENTS {
        match (env.setting(id_name)?, env.setting(secret_name)?) {
            (None, None) => {}
            (Some(id), Some(secret)) => {
                let auth = Auth::universal(id.value, SecretValue::new(secret.value));
                auth.check(id_name, secret_name)?;
                return Ok(Ok(Resolved::new(auth.provider(env)?, format!("{id_name} and {secret_name}"))));
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

fn machine_identity(env: &ProcessEnv) -> Result<Found, XtraError> {
    match workload::find(env, MethodName::chosen(env)?)? {
        Ok((auth, name)) => Ok(Ok(Resolved::new(auth.provider(env)?, name))),
        Err(saw) => Ok(Err(saw)),
    }
}

fn login_of_command(env: &ProcessEnv) -> Result<Found, XtraError> {
    const PLACE: &str = "the login of the infisical command";
    match LoginFile::read(env).and_then(|file| file.open(env)) {
        Ok(Login { token, base_url }) => {
            let token = Token::checked(token).map_err(|flaw| flaw.error(PLACE))?;
            token.ensure_live(SystemTime::now(), PLACE)?;
            let provider = Arc::new(StaticToken::found(token, PLACE));
            Ok(Ok(Resolved::new(provider, LOGIN_FILE).belonging_to(base_url)))
        }
        Err(Miss::Absent(saw)) => Ok(Err(format!("{LOGIN_FILE}: {saw}"))),
        Err(Miss::Unusable(saw)) => {
            tracing::warn!(target: events::CREDENTIALS, "no token from {LOGIN_FILE}: {saw}");
            Ok(Err(format!("{LOGIN_FILE}: {saw}")))
        }
    }
}

/// The base URL of the command's login, which its user has named there.
pub(in crate::services::infisical) fn base_url_of_login(env: &ProcessEnv) -> Option<Sourced> {
    LoginFile::read(env).ok()?.into_base_url()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::login_file::tests::{IN_FILE, home};
    use super::super::settings::Settings;
    use super::*;
    use crate::core::Identity;
    use crate::credentials::{Chain, CredentialProvider};
    use crate::http::{TokenFuture, jwt};

    fn chain() -> Chain {
        Chain::new(STEPS)
    }

    fn origin(variables: &[(&str, &str)]) -> Result<String, String> {
        let found = chain().resolve(&ProcessEnv::of(variables));
        found.map(|found| found.origin().to_owned()).map_err(|error| error.to_string())
    }

    fn provider(token: &str) -> Arc<dyn CredentialProvider> {
        Arc::new(StaticToken::new(token).unwrap())
    }

    fn token_of(found: &Resolved) -> String {
        found.provider().token().now_or_never().unwrap().unwrap().expose().to_owned()
    }

    #[test]
    fn each_spelling_of_a_token_is_found_and_the_first_counts() {
        let all = ["INFISICAL_TOKEN", "INFISICAL_ACCESS_TOKEN", "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN"];
        let all = all.map(|name| (name, name));
        for at in 0..all.len() {
            let found = chain().resolve(&ProcessEnv::of(&all[at..])).unwrap();
            assert_eq!((found.origin(), token_of(&found).as_str()), all[at]);
        }
    }

    #[test]
    fn the_steps_come_in_their_order() {
        let home = home(IN_FILE);
        let mut variables = vec![
            ("INFISICAL_CLIENT_ID", "c"),
            ("INFISICAL_CLIENT_SECRET", "s"),
            ("INFISICAL_TOKEN", "t"),
            ("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", "i"),
        ];
        let mut expect = |expected: &str, remove: usize| {
            let env = ProcessEnv::of(&variables).with_home(home.path());
            assert_eq!(chain().resolve(&env).unwrap().origin(), expected);
            variables.drain(..remove);
        };
        expect("INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET", 2);
        expect("INFISICAL_TOKEN", 1);
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
            let chain = chain().provider(position, provider("own")).provider(position, provider("second"));
            assert_eq!(token_of(&chain.resolve(before).unwrap()), "own", "{position:?}");
            let given = chain.token(Some("given".into()));
            assert_eq!(token_of(&given.resolve(before).unwrap()), "given");
        }
        let after = chain().provider(ChainPosition::AfterEnvironment, provider("own"));
        assert_eq!(token_of(&after.resolve(&with_token).unwrap()), "variable");
        let last = chain().provider(ChainPosition::Last, provider("own"));
        assert_eq!(last.resolve(&with_login).unwrap().origin(), LOGIN_FILE);
    }

    #[test]
    fn a_provider_that_names_a_base_url_has_its_tokens_sent_there_from_each_position_unless_an_option_names_another() {
        struct Own;
        impl CredentialProvider for Own {
            fn identity(&self) -> Identity {
                Identity::of("own")
            }
            fn token(&self) -> TokenFuture<'_> {
                Box::pin(async { Token::new("own") })
            }
            fn base_url(&self) -> Option<String> {
                Some("https://own.example/".to_owned())
            }
        }
        let domain = ("INFISICAL_DOMAIN", "https://named.example");
        for (position, token) in [
            (ChainPosition::First, Some(("INFISICAL_TOKEN", "t"))),
            (ChainPosition::AfterEnvironment, None),
            (ChainPosition::Last, None),
        ] {
            let variables: Vec<_> = token.into_iter().chain([domain]).collect();
            let env = ProcessEnv::of(&variables);
            let settings = Settings::load(&env).unwrap();
            let url = |chain: Chain, option: Option<&str>| {
                let found = chain.resolve(&env).unwrap();
                settings.base_urls(Sourced::option(option, "base_url"), None).choose(Some(&found)).unwrap().value
            };
            let own = || chain().provider(position, Arc::new(Own));
            assert_eq!(url(own(), None), "https://own.example/api", "{position:?}");
            assert_eq!(url(own(), Some("https://option.example")), "https://option.example/api");
            assert_eq!(url(own().token(Some("given".into())), None), "https://named.example/api");
            assert_eq!(url(chain().provider(position, provider("p")), None), "https://named.example/api");
        }
        let home = home(IN_FILE);
        let env = ProcessEnv::of(&[("INFISICAL_TOKEN", "t")]).with_home(home.path());
        for position in [ChainPosition::AfterEnvironment, ChainPosition::Last] {
            let found = chain().provider(position, Arc::new(Own)).resolve(&env).unwrap();
            let urls = Settings::load(&env).unwrap().base_urls(None, base_url_of_login(&env));
            assert_eq!(urls.choose(Some(&found)).unwrap().value, "https://app.infisical.com/api", "it was not asked");
        }
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
        let error = chain().resolve(&env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let text = error.to_string();
        for part in [
            "the program: gives none; INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: not set; ",
            "INFISICAL_TOKEN: empty; INFISICAL_ACCESS_TOKEN: not set; ",
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
            let found = chain().resolve(&env).unwrap();
            let urls = Settings::load(&env).unwrap().base_urls(None, base_url_of_login(&env));
            urls.choose(Some(&found)).unwrap().value
        };
        assert_eq!(url(&[]), "https://own.example/api");
        assert_eq!(url(&[("INFISICAL_TOKEN", "t")]), "https://app.infisical.com/api");
        assert_eq!(url(&[("INFISICAL_DOMAIN", "https://named.example")]), "https://named.example/api");
    }
}
