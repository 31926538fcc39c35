//! The route to a service: directly, or through the proxy that the environment names.

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::base_url::BaseUrl;
use crate::core::process::NotUnicode;
use crate::core::{ErrorKind, Hint, Hop, XtraError};

/// How requests reach the service of a root.
#[derive(Clone)]
pub(super) struct Route {
    /// Host and port of the service.
    pub(super) service: String,
    pub(super) proxy: Option<Proxy>,
}

/// A proxy on the way.
#[derive(Clone)]
pub(super) struct Proxy {
    /// Host and port: all that may be shown of it.
    pub(super) at: String,
    /// The environment variable that names it.
    pub(super) variable: &'static str,
    /// With its user and password.
    pub(super) url: Url,
}

/// Looks a variable up.
type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>, NotUnicode>;

impl Route {
    /// The route that the environment asks for. Only the variables that this root needs are looked at: none for a loopback
    /// root, which a proxy would take off the machine.
    pub(super) fn find(base: &BaseUrl, use_proxies: bool, var: Lookup<'_>) -> Result<Self, XtraError> {
        let url =
            Url::parse(base.as_str()).map_err(|_| XtraError::new(ErrorKind::Config, "the base URL is not a URL"))?;
        let service = host_and_port(&url);
        // a web server sets HTTP_PROXY from a header of its client when it runs a program of this kind
        let is_cgi = !matches!(var("REQUEST_METHOD"), Ok(None));
        let proxy = if use_proxies && !base.is_loopback() && !is_cgi { proxy_for(base, var)? } else { None };
        Ok(Self { service, proxy })
    }
}

fn proxy_for(base: &BaseUrl, var: Lookup<'_>) -> Result<Option<Proxy>, XtraError> {
    let own = if base.is_https() { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let Some((name, value)) =
        first_of(own, var)?.map_or_else(|| first_of(["ALL_PROXY", "all_proxy"], var), |own| Ok(Some(own)))?
    else {
        return Ok(None);
    };
    let exceptions = first_of(["NO_PROXY", "no_proxy"], var)?.map(|(_, value)| value).unwrap_or_default();
    // what stands for the proxy does not matter: this asks whether the root is an exception
    let matcher = Matcher::builder().all("http://proxy.invalid").no(exceptions).build();
    if base.as_str().parse::<Uri>().is_ok_and(|root| matcher.intercept(&root).is_none()) {
        return Ok(None);
    }
    usable(name, &value).map(Some).map_err(|why| unusable(name, why))
}

/// The first of two spellings that is set. An empty one is as good as none.
fn first_of(names: [&'static str; 2], var: Lookup<'_>) -> Result<Option<(&'static str, String)>, XtraError> {
    for name in names {
        match var(name) {
            Ok(None) => {}
            Ok(Some(value)) if value.trim().is_empty() => return Ok(None),
            Ok(Some(value)) => return Ok(Some((name, value))),
            Err(NotUnicode) => return Err(unusable(name, "is not Unicode")),
        }
    }
    Ok(None)
}

/// A proxy as variables name it: a URL, or host and port alone.
fn usable(variable: &'static str, value: &str) -> Result<Proxy, &'static str> {
    let value = value.trim();
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    let url = url.map_err(|_| "is not the URL of a proxy")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("has another scheme than http or https (SOCKS is not supported)");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("names no host");
    }
    Ok(Proxy { at: host_and_port(&url), variable, url })
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The value may hold a password, and is not shown.
fn unusable(variable: &str, why: &str) -> XtraError {
    let hint = format!("Set {variable} to a proxy as in http://host:port, or unset it");
    XtraError::new(ErrorKind::Config, format!("the environment variable {variable} {why}, so that nothing was sent"))
        .at_hop(Hop::Proxy)
        .with_hint(Hint::FixProxy { what: hint.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(root: &str, variables: &[(&str, &str)]) -> Result<Option<String>, XtraError> {
        let base = BaseUrl::parse(root, "", true).expect("a root");
        let var = |name: &str| match variables.iter().find(|(known, _)| *known == name) {
            Some((_, "<not unicode>")) => Err(NotUnicode),
            found => Ok(found.map(|(_, value)| (*value).to_owned())),
        };
        Route::find(&base, true, &var).map(|route| route.proxy.map(|proxy| proxy.at))
    }

    #[test]
    fn the_variable_of_the_scheme_comes_first_and_the_one_for_all_second() {
        let all =
            [("ALL_PROXY", "http://all.example:1"), ("https_proxy", "tls.example"), ("HTTP_PROXY", "plain.example:3")];
        let at = |root: &str, variables: &[(&str, &str)]| find(root, variables).expect("usable");
        assert_eq!(at("https://a.example", &all).as_deref(), Some("tls.example:80"));
        assert_eq!(at("http://a.example", &all).as_deref(), Some("plain.example:3"));
        assert_eq!(at("https://a.example", &all[..1]).as_deref(), Some("all.example:1"));
        assert_eq!(at("https://a.example", &[("HTTPS_PROXY", ""), all[0]]).as_deref(), Some("all.example:1"));
        assert_eq!(at("https://a.example", &[all[0], ("REQUEST_METHOD", "GET")]), None);
        assert_eq!(at("https://a.example", &[]), None);
        for exception in ["a.example", "*", ".example", "b, a.example"] {
            assert_eq!(at("https://a.example", &[all[0], ("NO_PROXY", exception)]), None, "{exception}");
        }
    }

    #[test]
    fn an_unusable_proxy_is_an_error_that_names_the_variable_and_not_its_value() {
        for (value, why) in [
            ("http://hunter2:99999", "is not the URL of a proxy"),
            ("http://", "is not the URL"),
            ("socks5://hunter2:1", "SOCKS is not supported"),
            ("ftp://hunter2", "another scheme"),
            ("<not unicode>", "not Unicode"),
        ] {
            let error = find("https://a.example", &[("HTTPS_PROXY", value)]).expect_err(value);
            assert_eq!((error.kind(), error.hop()), (ErrorKind::Config, Some(Hop::Proxy)), "{value}");
            let text = error.to_string();
            assert!(text.contains("HTTPS_PROXY") && text.contains(why) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_root_that_needs_no_proxy_does_not_mind_an_unusable_one() {
        let bad = ("HTTPS_PROXY", "http://");
        assert_eq!(find("https://127.0.0.1:1", &[bad]).expect("loopback"), None);
        assert_eq!(find("http://a.example", &[bad]).expect("another scheme"), None);
        assert_eq!(find("https://a.example", &[bad, ("NO_PROXY", "a.example")]).expect("an exception"), None);
    }
}
