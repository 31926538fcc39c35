//! Makes the generated documentation fit for rustdoc.

/// Drops example blocks (each would count as an ignored doctest) and folded schemas, takes the variant off the paths, and
/// escapes what rustdoc would read as HTML or as a link.
pub(crate) fn clean(text: &str) -> String {
    let mut fenced = false;
    let mut folded = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with("```") {
            fenced = !fenced;
        } else if bare.starts_with("<details>") {
            folded = true;
        } else if bare.ends_with("</details>") {
            folded = false;
        } else if !fenced && !folded {
            lines.push(builder_link(bare).unwrap_or_else(|| clean_line(line.trim_end())));
        }
    }
    lines.dedup_by(|next, previous| next.is_empty() && previous.is_empty());
    lines.join("\n").trim_matches('\n').to_owned()
}

/// The generator's own link from a request to the method that makes it is the one link that stays.
fn builder_link(line: &str) -> Option<String> {
    if let Some(method) = line.strip_prefix("Builder for [`").and_then(|rest| rest.strip_suffix("`]")) {
        return Some(format!("Builder for [`{method}`](super::{method})"));
    }
    let (method, target) = line.strip_prefix("[`")?.split_once("`]: super::")?;
    (method == target).then(String::new)
}

/// Text outside back-ticks is escaped; inside them only a path loses its variant.
fn clean_line(line: &str) -> String {
    line.split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => escape(part),
            _ if part.starts_with('/') => part.split('#').next().unwrap_or(part).to_owned(),
            _ => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("`")
}

fn escape(text: &str) -> String {
    text.replace('<', "\\<")
        .replace('[', "\\[")
        .split(' ')
        .map(|word| match word.starts_with("http://") || word.starts_with("https://") {
            true => format!("<{word}>"),
            false => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}
