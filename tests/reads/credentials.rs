//! What providers of tokens promise to a program that uses or writes one.

use std::error::Error;
use std::fs;
use std::sync::Arc;

use xtrasecurity::credentials::{
    BaseUrls, Chain, ChainPosition, Exchanged, ExchangedToken, Lookup, ProcessEnv, Resolved, SettingsFile,
    SettingsReader, Sourced, Step, TokenStore,
};
use xtrasecurity::{
    ErrorKind, XtraError,
    credentials::{CredentialProvider, FileToken, StaticToken, Token, TokenFuture},
    error::Hint,
    source::Identity,
};

/// A provider of the program's own, which does not say what to do on a refusal.
struct Own;

impl CredentialProvider for Own {
    fn identity(&self) -> Identity {
        Identity::of("own")
    }

    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            tokio::task::yield_now().await;
            Token::new("own-token")
        })
    }
}

fn shareable<T: Send + Sync + 'static>(_: &T) {}

#[tokio::test]
async fn providers_can_be_shared_between_threads_as_one_type() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "file-token\n").unwrap();
    let providers: Vec<Arc<dyn CredentialProvider>> = vec![
        Arc::new(Own),
        Arc::new(StaticToken::new("static-token").unwrap()),
        Arc::new(FileToken::new(path).unwrap()),
    ];
    shareable(&providers);
    let mut tokens = Vec::new();
    for provider in providers {
        // on another thread, through a clone of the handle as a provider itself
        let task = tokio::spawn(async move { Arc::new(provider).token().await });
        tokens.push(task.await.unwrap().unwrap().expose().to_owned());
    }
    assert_eq!(tokens, ["own-token", "static-token", "file-token"]);
}

#[tokio::test]
async fn a_provider_that_says_nothing_about_refusals_is_not_asked_again() {
    let refused = Own.token().await.unwrap();
    assert!(!Own.invalidate(&refused));
    assert!(!Arc::new(Own).invalidate(&refused));
}

#[tokio::test]
async fn a_token_file_that_is_replaced_gives_its_new_token_after_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "old").unwrap();
    let provider = FileToken::new(&path).unwrap();
    let (old, identity) = (provider.token().await.unwrap(), provider.identity());
    assert!(!provider.invalidate(&old), "there is no other token yet");

    let next = dir.path().join("next");
    fs::write(&next, "new").unwrap();
    fs::rename(next, &path).unwrap();
    assert!(provider.invalidate(&old));
    assert_eq!(provider.token().await.unwrap().expose(), "new");
    assert_ne!(provider.identity(), identity, "what the old token has read is not served to the new one");
}

#[test]
fn no_error_or_debug_text_shows_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "hunter2 hunter2").unwrap();
    let errors: Vec<XtraError> = vec![
        Token::new("hunter2\n").unwrap_err(),
        StaticToken::new("hun\tter2").unwrap_err(),
        FileToken::new(&path).unwrap_err(),
    ];
    fs::write(&path, "hunter2").unwrap();
    let token = Token::new("hunter2").unwrap();
    let mut printed = format!("{token:?} {:?}", token.identity());
    printed += &format!("{:?} {:?}", StaticToken::from(token), FileToken::new(&path).unwrap());
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Credentials);
        printed += &format!("{error} {error:?} {:?}", error.source());
    }
    assert!(!printed.contains("hun"), "{printed}");
}

/// A service that is not this crate's: one variable, one file of a login, and a client's id that is exchanged for a token.
mod acme {
    use super::*;

    const LOGIN: TokenStore = TokenStore::in_home(".acme/login.json").base_url_in("url");
    const SETTINGS: SettingsFile = SettingsFile::new(".acmerc", &["url"]);

    const STEPS: &[Step] = &[
        Step::Explicit,
        Step::Custom(ChainPosition::First),
        Step::Variable("ACME_TOKEN"),
        Step::Lookup(Lookup::new(exchanged)),
        Step::Store(LOGIN),
    ];

    fn exchanged(env: &ProcessEnv) -> Result<Result<Resolved, String>, XtraError> {
        let Some(id) = env.setting("ACME_CLIENT_ID")? else { return Ok(Err("ACME_CLIENT_ID: not set".to_owned())) };
        let identity = Identity::of(&id.value);
        let exchange = move || {
            let token = format!("for-{}", id.value);
            async { Ok(Exchanged::new(Token::new(token)?)) }
        };
        Ok(Ok(Resolved::new(Arc::new(ExchangedToken::new(identity, exchange)), "ACME_CLIENT_ID")))
    }

    pub fn chain() -> Chain {
        Chain::new(STEPS)
    }

    pub fn base_url(env: &ProcessEnv) -> Result<Sourced, XtraError> {
        let mut reader = SettingsReader::new(env);
        let named = reader.first_variable(&["ACME_URL"]);
        let file = reader.file(&SETTINGS).take("url");
        let token = chain().resolve(env).ok();
        BaseUrls::new("https://acme.example")
            .named(named)
            .in_working_dir(file)
            .user(LOGIN.contents(env))
            .variable("ACME_URL")
            .choose(token.as_ref())
    }
}

#[tokio::test]
async fn a_service_of_ones_own_has_a_chain_of_its_own_in_a_few_lines() {
    let home = tempfile::tempdir().unwrap();
    let env = |variables: &[(&str, &str)]| ProcessEnv::of_variables(variables.iter().copied()).with_home(home.path());
    let found = |chain: Chain, variables: &[(&str, &str)]| chain.resolve(&env(variables)).unwrap();
    let both = [("ACME_TOKEN", "from-variable"), ("ACME_CLIENT_ID", "4711")];
    let own = acme::chain().provider(ChainPosition::First, Arc::new(Own));
    for (resolved, origin, token) in [
        (found(acme::chain().token(Some("given".into())), &both), "the token option", "given"),
        (found(own, &both), "a provider of the program's own", "own-token"),
        (found(acme::chain(), &both), "ACME_TOKEN", "from-variable"),
        (found(acme::chain(), &both[1..]), "ACME_CLIENT_ID", "for-4711"),
    ] {
        assert_eq!((resolved.origin(), resolved.stored_with()), (origin, None));
        assert_eq!(resolved.provider().token().await.unwrap().expose(), token);
    }

    let error = acme::chain().resolve(&env(&[("ACME_TOKEN", "")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    for part in [
        "the program: gives none; ACME_TOKEN: empty; ACME_CLIENT_ID: not set",
        "~/.acme/login.json: there is no such file",
        "Set ACME_TOKEN",
    ] {
        assert!(error.to_string().contains(part), "{part} is not in {error}");
    }
    assert!(!error.to_string().to_lowercase().contains("xtra"), "{error}");
    assert!(matches!(error.hint(), Some(Hint::GiveToken { variable: "ACME_TOKEN" })), "{error:?}");
}

#[test]
fn a_token_of_a_service_of_ones_own_goes_only_to_a_base_url_that_its_giver_named() {
    let (home, working) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base_url = |variables: &[(&str, &str)]| {
        let env = ProcessEnv::of_variables(variables.iter().copied());
        acme::base_url(&env.with_home(home.path()).with_working_dir(working.path()))
    };
    let token = ("ACME_TOKEN", "t");
    assert_eq!(base_url(&[token]).unwrap().value, "https://acme.example");
    assert_eq!(base_url(&[token, ("ACME_URL", "https://own.example")]).unwrap().value, "https://own.example");

    fs::write(working.path().join(".acmerc"), r#"{"url":"https://attacker.example/x"}"#).unwrap();
    let error = base_url(&[token]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in [".acmerc (url)", "https://attacker.example,", "export ACME_URL=…"] {
        assert!(error.to_string().contains(part), "{part} is not in {error}");
    }

    fs::create_dir(home.path().join(".acme")).unwrap();
    fs::write(home.path().join(".acme/login.json"), r#"{"token":"t","url":"https://attacker.example"}"#).unwrap();
    let url = base_url(&[]).unwrap();
    assert_eq!(
        (url.value.as_str(), &*url.origin),
        ("https://attacker.example/x", ".acmerc (url)"),
        "by the login's word"
    );
}
