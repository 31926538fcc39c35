//! The seeds of the targets `answers` and `infisical`, made of the recordings: `cargo run --example seeds` in this folder.
//!
//! Long texts are shortened, and of the answers that then are alike one is kept; of Infisical's, which were asked for twice, one of
//! each form.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use framing::{MARKS, written};
use serde_json::Value;

/// A string of an answer is cut to so many characters; what is longer teaches the fuzzer nothing.
const LONGEST_TEXT: usize = 200;

/// A list is cut to so many items.
const LONGEST_LIST: usize = 3;

/// The answer itself, in bytes.
const LONGEST_BODY: usize = 4096;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    seeds("answers", &[""], operation, |seed, _| seed.to_owned())?;
    seeds("infisical", &["infisical/2024-10", "infisical/2024-08"], operation_of_infisical, |seed, form| {
        format!("{} {form}", seed.lines().next().unwrap_or_default())
    })
}

/// Writes the seeds of a target. Of those with the same `kind`, from a seed and the form of its body, the first is kept.
fn seeds(
    target: &str,
    folders: &[&str],
    operation: fn(&Value) -> u8,
    kind: fn(&str, &str) -> String,
) -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = here.join("corpus").join(target);
    let _ = fs::remove_dir_all(&seeds);
    fs::create_dir_all(&seeds)?;
    let mut written_already = BTreeSet::new();
    for folder in folders {
        let mut paths: Vec<_> =
            fs::read_dir(here.join("../tests/recordings").join(folder))?.collect::<Result<_, _>>()?;
        paths.sort_by_key(fs::DirEntry::file_name);
        for path in
            paths.iter().map(fs::DirEntry::path).filter(|path| path.extension().is_some_and(|end| end == "json"))
        {
            let recording: Value = serde_json::from_slice(&fs::read(&path)?)?;
            let Some((seed, form)) = seed(&recording, operation) else { continue };
            if written_already.insert(kind(&seed, &form)) {
                fs::write(seeds.join(path.file_stem().ok_or("no name")?), seed)?;
            }
        }
    }
    for (number, (mark, _)) in MARKS.iter().enumerate() {
        let mark = char::from(*mark);
        for (form, body) in [
            ("error", format!(r#"{{"error":"no {mark} here","code":"{mark}"}}"#)),
            ("conflict", format!(r#"{{"error":"x","conflicts":[{{"key":"{mark}","expected":"{mark}"}}]}}"#)),
            ("text", format!("no {mark} here")),
            ("cut", format!(r#"["no {mark} here"#)),
        ] {
            fs::write(seeds.join(format!("repeats-{number}-{form}")), written(0, 400, [].into_iter(), &body))?;
        }
    }
    println!("{} seeds of {target}", fs::read_dir(seeds)?.count());
    Ok(())
}

/// A seed, and the form of its body: its members, without what they hold.
fn seed(recording: &Value, operation: fn(&Value) -> u8) -> Option<(String, String)> {
    let response = recording.get("response")?;
    let status = u16::try_from(response["status"].as_u64()?).ok()?;
    let headers = response["headers"].as_array()?;
    let headers = headers.iter().filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)));
    let counted = ["content-type", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    let headers = headers.filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        counted.contains(&name.as_str()) || name.contains("mask")
    });
    let body = response["body_text"].as_str()?;
    let (body, form) = match serde_json::from_str(body) {
        Ok(json) => {
            let json = shortened(json);
            (json.to_string(), form(&json))
        }
        Err(_) => (body.chars().take(LONGEST_TEXT).collect(), "text".to_owned()),
    };
    let seed =
        (body.len() <= LONGEST_BODY).then(|| written(operation(&recording["request"]), status, headers, &body))?;
    Some((seed, form))
}

fn form(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let members: Vec<_> = members.iter().map(|(name, member)| format!("{name}:{}", form(member))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.first().map(form).unwrap_or_default()),
        Value::Null => "0".to_owned(),
        _ => String::new(),
    }
}

/// The number that the target `infisical` knows the operation by; 7 is any other.
fn operation_of_infisical(request: &Value) -> u8 {
    let (method, path) = (request["method"].as_str().unwrap_or(""), request["path"].as_str().unwrap_or(""));
    let path = path.split('?').next().unwrap_or_default();
    match method {
        "GET" if path.ends_with("/v3/secrets/raw") => 0,
        "GET" if path.contains("/v3/secrets/raw/") => 2,
        _ if path.contains("/v3/secrets/") => 3,
        _ if path.contains("/v1/auth/") => 4,
        _ if path.contains("/kms/keys") => 5,
        _ if path.contains("/folders") => 6,
        _ => 7,
    }
}

/// The number that the target knows the operation by; 7 is any other.
fn operation(request: &Value) -> u8 {
    let (method, path) = (request["method"].as_str().unwrap_or(""), request["path"].as_str().unwrap_or(""));
    match method {
        "GET" if path.ends_with("/secrets") => 0,
        "POST" if path.ends_with("/secrets") => 1,
        "GET" if path.ends_with("/resolve") => 2,
        "GET" if path.ends_with("/history") => 3,
        "GET" if path.ends_with("/project") => 4,
        "GET" if path.ends_with("/secret") => 5,
        "GET" if path.contains("/audit") => 6,
        _ => 7,
    }
}

fn shortened(json: Value) -> Value {
    match json {
        Value::String(text) => Value::String(text.chars().take(LONGEST_TEXT).collect()),
        Value::Array(items) => items.into_iter().take(LONGEST_LIST).map(shortened).collect(),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, shortened(member))).collect(),
        other => other,
    }
}
