//! The HTTP client, set up so that nothing travels where it should not.

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use super::base_url::BaseUrl;
use super::dns::ThreadResolver;
use super::options::TransportOptions;
use super::tls;
use super::tls::Roots;
use crate::core::{ErrorKind, XtraError};

/// A client for one API root. It has no deadline of its own beyond that of connecting: a call's deadline covers all of its
/// attempts.
pub(crate) fn client(base: &BaseUrl, options: &TransportOptions) -> Result<reqwest::Client, XtraError> {
    let Ok(user_agent) = HeaderValue::from_str(&options.user_agent) else {
        return Err(XtraError::new(ErrorKind::Config, "the user agent holds characters that no header may hold"));
    };
    let roots = if base.is_https() { Roots::SystemAnd(&options.root_certificates) } else { Roots::Nobody };
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(&roots)?)
        .https_only(base.is_https())
        .http1_only()
        .dns_resolver(ThreadResolver::new(options.lookup.clone()))
        // a redirect could carry the token and the body elsewhere, or end on a login page
        .redirect(Policy::none())
        .referer(false)
        // retries are ours to decide; this also spares a copy of each request
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(options.idle_timeout)
        .tcp_nodelay(true)
        .user_agent(user_agent);
    // a proxy would take plain http, and the token in it, off the machine
    if !options.use_proxies || base.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|_| XtraError::new(ErrorKind::Config, "the HTTP client could not be set up"))
}
