//! The formats that texts are checked for. Unknown ones say nothing, as the standard wants it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::draft::Draft;
use super::pattern::is_pattern;
use crate::schema::normalize;

#[derive(Debug, Clone)]
pub(in crate::schema) struct Format {
    name: String,
    check: fn(&str) -> bool,
}

impl Format {
    pub(super) fn of(name: &str, draft: Draft) -> Option<Self> {
        let (since, check): (Draft, fn(&str) -> bool) = match name {
            normalize::DURATION => (Draft::Draft4, |text| normalize::duration(text).is_some()),
            // the format of `IpAddr`, which is none of the standard's
            "ip" => (Draft::Draft4, |text| text.parse::<IpAddr>().is_ok()),
            "ipv4" => (Draft::Draft4, |text| text.parse::<Ipv4Addr>().is_ok()),
            "ipv6" => (Draft::Draft4, |text| text.parse::<Ipv6Addr>().is_ok()),
            "date" => (Draft::Draft4, |text| date(text).is_some()),
            "time" => (Draft::Draft4, |text| time(text).is_some()),
            "date-time" => (Draft::Draft4, |text| date_time(text).is_some()),
            "duration" => (Draft::Draft201909, |text| iso_duration(text).is_some()),
            "email" => (Draft::Draft4, |text| is_email(text, false)),
            "idn-email" => (Draft::Draft7, |text| is_email(text, true)),
            "hostname" => (Draft::Draft4, |text| text.is_ascii() && is_host_name(text)),
            "idn-hostname" => (Draft::Draft7, is_host_name),
            "uri" => (Draft::Draft4, |text| is_uri(text, true, false)),
            "uri-reference" => (Draft::Draft6, |text| is_uri(text, false, false)),
            "iri" => (Draft::Draft7, |text| is_uri(text, true, true)),
            "iri-reference" => (Draft::Draft7, |text| is_uri(text, false, true)),
            "uri-template" => (Draft::Draft6, is_uri_template),
            "json-pointer" => (Draft::Draft6, is_pointer),
            "relative-json-pointer" => (Draft::Draft7, is_relative_pointer),
            "regex" => (Draft::Draft4, is_pattern),
            "uuid" => (Draft::Draft201909, is_uuid),
            _ => return None,
        };
        (draft >= since).then(|| Self { name: name.to_owned(), check })
    }

    pub(in crate::schema) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        (self.check)(text)
    }
}

/// So many digits as a number, and what follows them.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().ok()).flatten().map(|number| (number, rest))
}

/// `2026-01-31`, a day that there is.
fn date(text: &str) -> Option<()> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let day = chrono::NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day);
    (rest.is_empty() && day.is_some()).then_some(())
}

/// `12:00:00Z` or `12:00:00.5+02:00`; a leap second only where there can be one.
fn time(text: &str) -> Option<()> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == fraction.len() {
            return None;
        }
    }
    let ahead = match rest {
        "Z" | "z" => 0,
        offset => {
            let (ahead, offset) =
                offset.strip_prefix('+').map(|rest| (1, rest)).or_else(|| Some((-1, offset.strip_prefix('-')?)))?;
            let (hours, offset) = digits(offset, 2)?;
            let (minutes, end) = digits(offset.strip_prefix(':')?, 2)?;
            if hours > 23 || minutes > 59 || !end.is_empty() {
                return None;
            }
            ahead * i64::from(hours * 60 + minutes)
        }
    };
    let of_day = (i64::from(hour * 60 + minute) - ahead).rem_euclid(24 * 60);
    let is_in_range = hour <= 23 && minute <= 59 && (second <= 59 || second == 60 && of_day == 24 * 60 - 1);
    is_in_range.then_some(())
}

fn date_time(text: &str) -> Option<()> {
    let (day, rest) = text.split_at_checked("2026-01-31".len())?;
    date(day)?;
    time(rest.strip_prefix(['T', 't'])?)
}

/// `P1Y2M3DT4H5M6S`, `P4W`: parts in this order, with none left out between two.
fn iso_duration(text: &str) -> Option<()> {
    let (days, times) = match text.strip_prefix('P')?.split_once('T') {
        Some((days, times)) => (days, Some(times)),
        None => (text.strip_prefix('P')?, None),
    };
    let is_week = times.is_none() && days.strip_suffix('W').is_some_and(is_count);
    let are_parts = (times.is_some() || !days.is_empty())
        && are_units(days, "YMD")
        && times.is_none_or(|times| !times.is_empty() && are_units(times, "HMS"));
    (is_week || are_parts).then_some(())
}

fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn are_units(text: &str, units: &str) -> bool {
    let (mut rest, mut next) = (text, None);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let unit = after.chars().next().and_then(|unit| units.find(unit));
        let Some(at) = unit.filter(|at| after.len() < rest.len() && next.is_none_or(|next| *at == next)) else {
            return false;
        };
        next = Some(at + 1);
        rest = after.get(1..).unwrap_or_default();
    }
    true
}

fn is_email(text: &str, may_be_foreign: bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_domain = match literal {
        Some(address) => match address.split_at_checked("IPv6:".len()) {
            Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
            _ => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_host_name(domain),
    };
    is_domain && (may_be_foreign || text.is_ascii()) && email_address::EmailAddress::is_valid_local_part(local)
}

/// The name of a host in any script, or as DNS writes it.
fn is_host_name(text: &str) -> bool {
    let ascii = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    ascii.is_ok()
}

/// A URI of RFC 3986; as a reference it may lack its scheme, as an IRI it may hold characters beyond ASCII.
fn is_uri(text: &str, needs_scheme: bool, may_be_foreign: bool) -> bool {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let scheme = rest.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
    let hierarchy = match scheme {
        Some((_, hierarchy)) => hierarchy,
        None if needs_scheme => return false,
        None => rest,
    };
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, hierarchy),
    };
    let first = path.split('/').next().unwrap_or_default();
    let are = |text: &str, more: &str| are_uri_characters(text, more, may_be_foreign);
    authority.is_none_or(|authority| is_authority(authority, may_be_foreign))
        && (scheme.is_some() || !first.contains(':'))
        && are(path, ":@/")
        && are(query, ":@/?")
        && are(fragment, ":@/?")
}

fn is_authority(text: &str, may_be_foreign: bool) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (Err(address), port.strip_prefix(':').or(port.is_empty().then_some(""))),
        None => match host.split_once(':') {
            Some((host, port)) => (Ok(host), Some(port)),
            None => (Ok(host), Some("")),
        },
    };
    let is_host = match host {
        Ok(name) => are_uri_characters(name, "", may_be_foreign),
        Err(address) => address.parse::<Ipv6Addr>().is_ok() || is_future_address(address),
    };
    are_uri_characters(user, ":", may_be_foreign)
        && is_host
        && port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `v1.x`, an address of a kind that is yet to come.
fn is_future_address(text: &str) -> bool {
    let parts = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(version, address)| {
        !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !address.is_empty()
            && !address.contains('%')
            && are_uri_characters(address, ":", false)
    })
}

/// Characters that stand in each part of a URI, those of `more`, and encoded bytes.
fn are_uri_characters(text: &str, more: &str, may_be_foreign: bool) -> bool {
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let fits = match character {
            '%' => [rest.next(), rest.next()].iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            'a'..='z' | 'A'..='Z' | '0'..='9' => true,
            foreign if !foreign.is_ascii() => may_be_foreign && !foreign.is_control(),
            other => "-._~!$&'()*+,;=".contains(other) || more.contains(other),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Literal text, and expressions in braces: `/things{/id}{?page,size:2,tags*}`.
fn is_uri_template(text: &str) -> bool {
    let mut parts = text.split('{');
    let is_literal = |text: &str| {
        let barred = |c: char| c.is_control() || c.is_whitespace() || "\"<>\\^`|}".contains(c);
        let mut encoded = text.split('%').skip(1);
        !text.contains(barred)
            && encoded.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_expression = |text: &str| {
        let variables = text.strip_prefix(|c: char| "+#./;?&=,!@|".contains(c)).unwrap_or(text);
        variables.split(',').all(is_template_variable)
    };
    parts.next().is_some_and(is_literal)
        && parts.all(|part| {
            part.split_once('}').is_some_and(|(expression, literal)| is_expression(expression) && is_literal(literal))
        })
}

/// `name`, `name*` or `name:3`.
fn is_template_variable(text: &str) -> bool {
    let (name, most) = text.split_once(':').unwrap_or((text.strip_suffix('*').unwrap_or(text), "1"));
    let is_length = matches!(most.len(), 1..=4) && !most.starts_with('0') && is_count(most);
    let is_part = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '%';
        !part.is_empty() && part.chars().all(fits) && are_uri_characters(part, "_", false)
    };
    is_length && name.split('.').all(is_part)
}

fn is_pointer(text: &str) -> bool {
    let is_escaped = |part: &str| part.starts_with(['0', '1']);
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(is_escaped)
}

fn is_relative_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let up = text.strip_suffix(rest).unwrap_or_default();
    !up.is_empty() && (up == "0" || !up.starts_with('0')) && (rest == "#" || is_pointer(rest))
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').take(lengths.len() + 1).collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
