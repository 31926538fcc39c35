//! What providers of tokens promise to a program that uses or writes one.

use std::error::Error;
use std::fs;
use std::sync::Arc;

use xtrasecurity::{CredentialProvider, ErrorKind, FileToken, Identity, StaticToken, Token, TokenFuture, XtraError};

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
