//! The promises of a token in a file.

use std::fs;

use futures_util::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::http::jwt;

fn file(content: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn now(provider: &FileToken) -> Result<Token, XtraError> {
    provider.token().now_or_never().unwrap()
}

const JSON: Format = Format::Json { token: &["token", "authToken"], base_url: Some("apiUrl") };

fn json(content: &str) -> Result<String, String> {
    let (_dir, path) = file(content);
    let provider = FileToken::open(path, JSON, "the file").map_err(|miss| miss.to_string())?;
    Ok(now(&provider).unwrap().expose().to_owned())
}

#[test]
fn white_space_around_the_token_is_ignored() {
    let (_dir, path) = file("\n  xs_0123 \r\n");
    assert_eq!(now(&FileToken::new(path).unwrap()).unwrap().expose(), "xs_0123");
}

#[test]
fn a_file_without_a_token_is_an_error_that_names_it_and_quotes_nothing() {
    let cases = [("", "is empty"), (" \n", "is empty"), ("hunter2 hunter3", "white space"), ("huntér2", "not ASCII")];
    for (content, wrong) in cases {
        let (_dir, path) = file(content);
        let error = FileToken::new(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let text = format!("{error} {error:?}");
        assert!(text.contains(wrong) && text.contains(&path.display().to_string()), "{text}");
        assert!(!text.contains("hunt"), "{text}");
    }
    let dir = tempfile::tempdir().unwrap();
    for (path, wrong) in [(dir.path().join("none"), "no such file"), (dir.path().to_owned(), "regular file")] {
        let error = FileToken::new(path).unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn a_refused_token_is_read_again_and_another_one_is_worth_a_retry() {
    let (_dir, path) = file("first");
    let provider = FileToken::new(&path).unwrap();
    let first = now(&provider).unwrap();
    assert!(!provider.invalidate(&first), "the file has not changed");

    fs::write(&path, "second").unwrap();
    assert_eq!(now(&provider).unwrap(), first, "a token that works is not read again");
    assert!(provider.invalidate(&first));
    assert_eq!(now(&provider).unwrap().expose(), "second");
}

#[test]
fn a_second_report_of_the_same_token_finds_the_new_one_without_reading() {
    let (_dir, path) = file("first");
    let provider = FileToken::new(&path).unwrap();
    let first = now(&provider).unwrap();
    fs::write(&path, "second").unwrap();
    assert!(provider.invalidate(&first));
    fs::remove_file(&path).unwrap();
    assert!(provider.invalidate(&first));
    assert_eq!(now(&provider).unwrap().expose(), "second");
}

#[test]
fn a_file_that_breaks_later_leaves_the_token_in_use() {
    let (_dir, path) = file("first");
    let provider = FileToken::new(&path).unwrap();
    let first = now(&provider).unwrap();
    fs::write(&path, "not a token").unwrap();
    assert!(!provider.invalidate(&first));
    fs::remove_file(&path).unwrap();
    assert!(!provider.invalidate(&first));
    assert_eq!(now(&provider).unwrap(), first);
}

#[test]
fn an_expired_token_is_read_again_before_it_is_an_error() {
    let (_dir, path) = file(&jwt::signed(r#"{"exp":1}"#));
    let provider = FileToken::new(&path).unwrap();
    let error = now(&provider).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("expired at 1970-01-01T00:00:01Z"), "{error}");
    fs::write(&path, jwt::signed(r#"{"exp":4102444800}"#)).unwrap();
    assert!(now(&provider).is_ok());
}

#[test]
fn the_identity_changes_with_the_token_so_that_another_account_never_meets_what_was_cached() {
    let (_dir, path) = file("first");
    let provider = FileToken::new(&path).unwrap();
    let before = provider.identity();
    fs::write(&path, "second").unwrap();
    assert_eq!(provider.identity(), before, "the file has not been read again yet");
    assert!(provider.invalidate(&now(&provider).unwrap()));
    assert_ne!(provider.identity(), before);
}

#[test]
fn json_holds_its_token_under_one_of_two_names_and_an_empty_one_counts_as_absent() {
    assert_eq!(json(r#"{"token":"a","cache":{"x":1}}"#).unwrap(), "a");
    assert_eq!(json(r#"{"authToken":"b","workspace":null}"#).unwrap(), "b");
    assert_eq!(json(r#"{"authToken":"b","token":"a"}"#).unwrap(), "a");
    assert_eq!(json(r#"{"authToken":"b","token":""}"#).unwrap(), "b");
    for content in ["{}", r#"{"token":null}"#, r#"{"token":"","authToken":""}"#, r#"{"apiKey":"hunter2"}"#] {
        assert!(json(content).unwrap_err().contains("no token under"), "{content}");
    }
}

#[test]
fn json_of_the_wrong_form_is_told_with_its_position_and_not_quoted() {
    for content in [r#"{"token":["hunter2"]}"#, r#"{"token":12345}"#, r#""hunter2""#, r#"{"token":"hunter2"#, "hunter2"]
    {
        let miss = json(content).unwrap_err();
        assert!(miss.contains("line 1, column"), "{miss}");
        assert!(!miss.contains("hunter2") && !miss.contains("12345"), "{miss}");
    }
}

#[test]
fn a_provider_prints_its_path_and_no_token() {
    let (_dir, path) = file("hunter2");
    let printed = format!("{:?}", FileToken::new(path).unwrap());
    assert!(!printed.contains("hunter2") && printed.contains("path"), "{printed}");
}

#[test]
fn a_new_token_for_another_base_url_is_not_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    fs::write(&path, r#"{"token":"one","apiUrl":"https://a.example/api"}"#).unwrap();
    let provider = FileToken::open(path.clone(), JSON, "the file").unwrap();
    let refused = Token::new("one").unwrap();
    for content in [r#"{"token":"two","apiUrl":"https://b.example/api"}"#, r#"{"token":"two"}"#] {
        fs::write(&path, content).unwrap();
        assert!(!provider.invalidate(&refused), "{content}");
        assert_eq!(provider.live_token().unwrap().expose(), "one");
    }
    fs::write(&path, r#"{"token":"two","apiUrl":"https://a.example/api"}"#).unwrap();
    assert!(provider.invalidate(&refused));
    assert_eq!(provider.live_token().unwrap().expose(), "two");
}
