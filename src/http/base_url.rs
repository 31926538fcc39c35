//! The base URL that every path is appended to, checked once.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

use crate::core::{ErrorKind, Hint, XtraError};

/// A checked root: `https`, no credentials, query or fragment, and a path with the end that the service's protocol asks for.
///
/// Generated code appends paths to it as text, so nothing may follow the path and no slash may end it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct BaseUrl {
    text: String,
    https: bool,
    loopback: bool,
}

impl BaseUrl {
    /// Checks a root, whose path must end in `suffix`. Plain `http` is for loopback hosts, unless `danger_allow_http`.
    ///
    /// Fails with [`ErrorKind::Config`]; the message says what is wrong without repeating the text, which may hold credentials.
    pub(crate) fn parse(text: &str, suffix: &str, danger_allow_http: bool) -> Result<Self, XtraError> {
        let url = parse_url(text.trim(), suffix)?;
        let https = url.scheme() == "https";
        let loopback = url.host().is_some_and(|host| is_loopback(&host));
        if !https && !loopback && !danger_allow_http {
            let message = "the base URL must start with https://, since tokens and secrets travel to it";
            return Err(config(message).with_hint(Hint::UseHttps));
        }
        let path = checked_path(&url, suffix)?;
        let origin = url.origin().ascii_serialization();
        Ok(Self { text: origin + path, https, loopback })
    }

    /// The root without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the connection is encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the host is this machine itself, by its name or address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseUrl").field("https", &self.https).field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

fn parse_url(text: &str, suffix: &str) -> Result<Url, XtraError> {
    if text.is_empty() {
        return Err(config(format!("the base URL is empty; give one such as https://host{suffix}")));
    }
    // A url error quotes nothing today, but what it prints is not ours to promise.
    let Ok(url) = Url::parse(text) else {
        return Err(config(format!(
            "the base URL is not a URL; give one such as https://host{suffix}, with the scheme"
        )));
    };
    if !matches!(url.scheme(), "https" | "http") {
        return Err(config(format!(
            "the base URL has another scheme than https; give one such as https://host{suffix}"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "the base URL holds a user name or password, where the token does not belong";
        return Err(config(message).with_hint(Hint::advice("Give the root without them, and the token as a token")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let end = if suffix.is_empty() { "its path" } else { suffix };
        return Err(config(format!("the base URL holds a query (?) or a fragment (#); it must end in {end}")));
    }
    if url.port() == Some(0) {
        return Err(config("the base URL names port 0, which nothing can listen on"));
    }
    Ok(url)
}

fn checked_path<'u>(url: &'u Url, suffix: &str) -> Result<&'u str, XtraError> {
    let path = url.path().trim_end_matches('/');
    if path.contains("//") {
        return Err(config("the path of the base URL has an empty segment (//)"));
    }
    if !path.ends_with(suffix) {
        return Err(config(format!("the base URL must end in {suffix}, as in https://host{suffix}")));
    }
    Ok(path)
}

/// By name only `localhost` itself: whether `*.localhost` stays on the machine depends on the resolver.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => matches!(*name, "localhost" | "localhost."),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => is_loopback_v6(*address),
    }
}

fn is_loopback_v6(address: Ipv6Addr) -> bool {
    IpAddr::V6(address).to_canonical().is_loopback()
}

fn config(message: impl Into<String>) -> XtraError {
    XtraError::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = BaseUrl::parse(text, "/api", false).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        error.to_string()
    }

    #[test]
    fn a_good_root_is_normalised() {
        for (given, kept) in [
            ("https://www.xtrasecurity.in/api", "https://www.xtrasecurity.in/api"),
            ("https://www.xtrasecurity.in/api/", "https://www.xtrasecurity.in/api"),
            ("  https://HOST.example/api//\n", "https://host.example/api"),
            ("https://host:443/api", "https://host/api"),
            ("https://host:8443/deep/er/api", "https://host:8443/deep/er/api"),
            ("https://[2001:db8::1]:8443/api", "https://[2001:db8::1]:8443/api"),
            ("http://127.0.0.1:4000/api", "http://127.0.0.1:4000/api"),
        ] {
            assert_eq!(BaseUrl::parse(given, "/api", false).expect(given).as_str(), kept);
        }
    }

    #[test]
    fn every_bad_form_is_named() {
        for (text, word) in [
            ("", "empty"),
            ("   ", "empty"),
            ("www.xtrasecurity.in/api", "scheme"),
            ("/api", "scheme"),
            ("https://", "not a URL"),
            ("https://host:99999/api", "not a URL"),
            ("ftp://host/api", "scheme"),
            ("file:///api", "scheme"),
            ("localhost:3000/api", "scheme"),
            ("https://user:password@host/api", "user name"),
            ("https://user@host/api", "user name"),
            ("https://:password@host/api", "password"),
            ("https://host/api?x=1", "query"),
            ("https://host/api?", "query"),
            ("https://host/api#top", "fragment"),
            ("https://host/api#", "fragment"),
            ("https://host:0/api", "port 0"),
            ("https://host/a//api", "empty segment"),
            ("https://host", "must end in /api"),
            ("https://host/", "must end in /api"),
            ("https://host/api/v1", "must end in /api"),
            ("https://host/myapi", "must end in /api"),
            ("https://host/API", "must end in /api"),
            ("http://127.0.0.1:4000", "must end in /api"),
        ] {
            let message = refused(text);
            assert!(message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn http_is_for_loopback_or_danger_only() {
        for public in
            ["http://host/api", "http://10.0.0.1/api", "http://app.localhost/api", "http://localhost.evil.example/api"]
        {
            assert!(refused(public).contains("https://"), "{public}");
            let allowed = BaseUrl::parse(public, "/api", true).expect(public);
            assert!(!allowed.is_https() && !allowed.is_loopback());
        }
        for here in [
            "http://localhost/api",
            "http://LOCALHOST.:1/api",
            "http://127.9.9.9/api",
            "http://[::1]/api",
            "http://[::ffff:127.0.0.1]/api",
        ] {
            assert!(BaseUrl::parse(here, "/api", false).expect(here).is_loopback(), "{here}");
        }
    }

    #[test]
    fn without_a_rule_for_its_end_any_path_will_do() {
        for (given, kept) in [("https://host", "https://host"), ("https://host/v1/", "https://host/v1")] {
            assert_eq!(BaseUrl::parse(given, "", false).expect(given).as_str(), kept);
        }
        let error = BaseUrl::parse("https://host?x=1", "", false).expect_err("a query");
        assert!(error.message().ends_with("it must end in its path"), "{error}");
    }

    #[test]
    fn neither_the_error_nor_debug_repeats_the_root() {
        let message = refused("https://user:hunter2@host.example/api?token=hunter3");
        assert!(!message.contains("hunter") && !message.contains("host.example"), "{message}");
        let base = BaseUrl::parse("https://host.example/api", "/api", false).expect("good");
        assert!(!format!("{base:?}").contains("host.example"));
    }
}
