//! The ids and tokens of this run in place of the recorded ones.

use std::collections::BTreeMap;

use serde_json::Value;

/// Stands for a token in a recording.
const TOKEN: &str = "<token>";

#[derive(Default)]
pub(crate) struct Known {
    ids: BTreeMap<String, String>,
    token: Option<String>,
}

impl Known {
    /// Takes the ids and the token out of an answer and of its recording.
    pub(crate) fn learn(&mut self, recorded: &str, answered: &str) {
        if let (Ok(recorded), Ok(answered)) = (serde_json::from_str(recorded), serde_json::from_str(answered)) {
            self.compare(&recorded, &answered);
        }
    }

    fn compare(&mut self, recorded: &Value, answered: &Value) {
        match (recorded, answered) {
            (Value::Object(recorded), Value::Object(answered)) => {
                for (name, value) in recorded {
                    self.compare(value, answered.get(name).unwrap_or(&Value::Null));
                }
            }
            (Value::String(recorded), Value::String(answered)) if recorded == TOKEN => {
                self.token = Some(answered.clone());
            }
            (Value::String(recorded), Value::String(answered)) if recorded != answered && is_id(recorded) => {
                self.ids.insert(recorded.clone(), answered.clone());
            }
            _ => {}
        }
    }

    pub(crate) fn learn_id(&mut self, recorded: &str, answered: &str) {
        self.ids.insert(recorded.to_owned(), answered.to_owned());
    }

    /// A request's text as this run needs it; `otherwise` is the token when none was learned.
    pub(crate) fn in_request(&self, text: &str, otherwise: &str) -> String {
        let token = self.token.as_deref().unwrap_or(otherwise);
        self.ids.iter().fold(text.replace(TOKEN, token), |text, (recorded, id)| text.replace(recorded, id))
    }

    /// An answer's text as the recording would have it.
    pub(crate) fn in_answer(&self, text: &str) -> String {
        self.token.iter().fold(text.to_owned(), |text, token| text.replace(token, TOKEN))
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
