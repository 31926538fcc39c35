//! Patterns of paths: `/projects/{id}/members` with parameters, `/files/{*rest}` with the rest of a path.

use percent_encoding::percent_decode_str;

/// Patterns are in the order in which they are tried: what is written out goes before a parameter, and that before the rest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathPattern {
    segments: Vec<Segment>,
    text: &'static str,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(&'static str),
    Parameter(&'static str),
    Rest(&'static str),
}

impl PathPattern {
    pub(crate) fn new(text: &'static str) -> Self {
        let segments = text.split('/').skip(1).map(|segment| {
            let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match parameter.map(|name| name.strip_prefix('*').ok_or(name)) {
                None => Segment::Text(segment),
                Some(Ok(name)) => Segment::Rest(name),
                Some(Err(name)) => Segment::Parameter(name),
            }
        });
        Self { segments: segments.collect(), text }
    }

    pub(crate) fn as_str(&self) -> &'static str {
        self.text
    }

    /// The parameters by name, decoded, when the path is of this pattern. None of them is empty.
    pub(crate) fn parameters(&self, path: &str) -> Option<Vec<(String, String)>> {
        let (mut rest, mut parameters) = (path, Vec::new());
        for segment in &self.segments {
            rest = rest.strip_prefix('/')?;
            let end = match segment {
                Segment::Rest(_) => rest.len(),
                _ => rest.find('/').unwrap_or(rest.len()),
            };
            let (part, after) = rest.split_at(end);
            match segment {
                Segment::Text(text) if part == *text => {}
                Segment::Parameter(name) | Segment::Rest(name) if !part.is_empty() => {
                    let value = percent_decode_str(part).decode_utf8_lossy().into_owned();
                    parameters.push(((*name).to_owned(), value));
                }
                _ => return None,
            }
            rest = after;
        }
        rest.is_empty().then_some(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_never_empty() {
        let pattern = PathPattern::new("/a/{id}/b/{*rest}");
        let found = |path: &str| pattern.parameters(path);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found("/a/x%2Fy/b/c/d"), Some(vec![pair("id", "x/y"), pair("rest", "c/d")]));
        for path in ["", "/", "/a", "/a//b/c", "/a/x/b", "/a/x/b/", "/a/x/c/d", "a/x/b/c", "/A/x/b/c"] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(PathPattern::new("/a/{id}").parameters("/a/x/"), None);
    }

    #[test]
    fn what_is_written_out_is_tried_first() {
        let texts = ["/a/{*rest}", "/{x}/b", "/a/{id}", "/a/b", "/a/{id}/c"];
        let mut patterns: Vec<_> = texts.map(PathPattern::new).into();
        patterns.sort();
        let order: Vec<_> = patterns.iter().map(PathPattern::as_str).collect();
        assert_eq!(order, ["/a/b", "/a/{id}", "/a/{id}/c", "/a/{*rest}", "/{x}/b"]);
    }
}
