//! The recordings: what was asked, by whom, and what two servers answered.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::wire::Call;

/// The recordings of one server.
pub(crate) struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    pub(crate) fn of(server: &str) -> Self {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings/infisical"));
        Recordings { folder: root.join(server) }
    }

    /// The names of all of them.
    pub(crate) fn names(&self) -> Vec<String> {
        let index = fs::read_to_string(self.folder.join("INDEX.tsv")).unwrap();
        index.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    }

    pub(crate) fn load(&self, name: &str) -> Recording {
        let text = fs::read(self.folder.join(format!("{name}.json"))).unwrap();
        Recording { name: name.to_owned(), whole: serde_json::from_slice(&text).unwrap() }
    }

    /// The recorded body of an answer.
    pub(crate) fn answer(&self, name: &str) -> Value {
        serde_json::from_str(&self.load(name).body()).unwrap()
    }
}

pub(crate) struct Recording {
    pub(crate) name: String,
    whole: Value,
}

impl Recording {
    fn text(&self, pointer: &str) -> String {
        self.whole.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn identity(&self) -> String {
        self.text("/identity")
    }

    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.whole["response"]["status"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn body(&self) -> String {
        spelled_out(&self.text("/response/body_text"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let headers = self.whole["response"]["headers"].as_array().unwrap();
        let found = headers.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
        found.map(|pair| pair[1].as_str().unwrap().to_owned())
    }

    pub(crate) fn sent_json(&self) -> Option<&Value> {
        self.whole["request"]["body"].get("json")
    }

    /// The token that was sent.
    pub(crate) fn token(&self) -> Option<String> {
        let header = self.text("/request/headers/Authorization");
        header.get(7..).map(str::to_owned)
    }

    /// The request, with this run's tokens and ids in the place of the recorded ones.
    pub(crate) fn call(&self, here: impl Fn(&str) -> String, token: Option<String>) -> Call {
        let mut call = Call::new(&self.text("/request/method"), here(&spelled_out(&self.text("/request/target"))));
        let headers = self.whole["request"]["headers"].as_object().unwrap();
        for (name, value) in headers {
            let value = value.as_str().unwrap();
            call = match name.as_str() {
                "Content-Length" => call,
                "Authorization" if token.is_some() => {
                    let scheme = &value[..7.min(value.len())];
                    call.header(name, &format!("{scheme}{}", token.clone().unwrap()))
                }
                _ => call.header(name, &here(value)),
            };
        }
        let body = &self.whole["request"]["body"];
        match (body.get("json"), body.get("text").and_then(Value::as_str)) {
            (Some(json), _) => call.text(here(&spelled_out(&json.to_string()))),
            (None, Some(text)) => call.text(here(&spelled_out(text))),
            (None, None) => call,
        }
    }
}

/// A text whose runs of one character, `<y*1000000>`, are written out.
pub(crate) fn spelled_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let inside = &rest[start + 1..];
        let run = inside.split_once('>').and_then(|(inside, after)| {
            let (letter, count) = inside.split_once('*')?;
            (letter.len() == 1).then_some(())?;
            Some((letter.repeat(count.parse().ok()?), after))
        });
        out += &rest[..start];
        match run {
            Some((run, after)) => {
                out += &run;
                rest = after;
            }
            None => {
                out.push('<');
                rest = inside;
            }
        }
    }
    out + rest
}
