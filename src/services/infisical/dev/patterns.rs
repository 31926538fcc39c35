//! The patterns of paths and addresses in grants, scopes and trusted addresses.

use std::net::IpAddr;

/// Matches a path with a pattern: `*` stands for a part of a segment, `**` for any number of segments.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    fits(&segments(pattern), &segments(path))
}

fn segments(text: &str) -> Vec<&str> {
    text.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", after)), rest) => fits(after, path) || rest.is_some_and(|(_, rest)| fits(pattern, rest)),
        (Some((wanted, after)), Some((segment, rest))) => matches_segment(wanted, segment) && fits(after, rest),
        _ => false,
    }
}

fn matches_segment(pattern: &str, segment: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == segment;
    };
    let Some(mut left) = segment.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('*').collect();
    let (last, between) = parts.split_last().unwrap_or((&"", &[]));
    for part in between {
        let Some((_, after)) = left.split_once(part) else {
            return false;
        };
        left = after;
    }
    left.ends_with(last)
}

/// Has a path parts that stand for others?
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// Matches an address with an address or a network, such as `10.0.0.0/8`.
pub(super) fn matches_address(pattern: &str, address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return pattern == address;
    };
    let (network, length) =
        pattern.split_once('/').map_or((pattern, None), |(network, length)| (network, Some(length)));
    let Ok(network) = network.parse::<IpAddr>() else {
        return false;
    };
    let (one, other, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length = length.map_or(Some(bits), |length| length.parse::<u32>().ok().filter(|length| *length <= bits));
    length.is_some_and(|length| (one ^ other).checked_shr(bits - length).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_by_segment() {
        for (pattern, path, matches) in [
            ("/", "/", true),
            ("/app", "/app", true),
            ("/app", "/app/db", false),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("/app/**", "/app", true),
            ("/app/**", "/apple", false),
            ("/*", "/a/b", false),
            ("/a*e", "/apple", true),
            ("/a/**/z", "/a/b/c/z", true),
        ] {
            assert_eq!(matches_path(pattern, path), matches, "{pattern} {path}");
        }
    }

    #[test]
    fn addresses_match_by_network() {
        for (pattern, address, matches) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "127.0.0.1", true),
            ("::/0", "127.0.0.1", false),
            ("::1", "::1", true),
            ("10.0.0.0/99", "10.0.0.0", false),
        ] {
            assert_eq!(matches_address(pattern, address), matches, "{pattern} {address}");
        }
    }
}
