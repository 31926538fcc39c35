//! The recordings of two servers.

use std::path::Path;

use serde_json::Value;

/// One exchange with a server.
pub struct Recording {
    pub server: &'static str,
    pub name: String,
    value: Value,
}

impl Recording {
    pub fn status(&self) -> u16 {
        u16::try_from(self.value["response"]["status"].as_u64().unwrap()).unwrap()
    }

    pub fn body(&self) -> &str {
        self.value["response"]["body_text"].as_str().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_default()
    }

    pub fn method(&self) -> &str {
        self.value["request"]["method"].as_str().unwrap()
    }

    pub fn path(&self) -> &str {
        self.value["request"]["path"].as_str().unwrap()
    }

    /// The first parameter of that name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let query = self.value["request"]["query"].as_array().unwrap();
        query.iter().find(|pair| pair[0] == name).and_then(|pair| pair[1].as_str())
    }

    /// The names in the query.
    pub fn query_names(&self) -> Vec<&str> {
        self.value["request"]["query"].as_array().unwrap().iter().filter_map(|pair| pair[0].as_str()).collect()
    }

    pub fn request_header(&self, name: &str) -> Option<&str> {
        let headers = self.value["request"]["headers"].as_object().unwrap();
        headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    }

    /// The headers of the answer that are about its content.
    pub fn headers(&self) -> Vec<(String, String)> {
        let kept = ["content-type", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        let headers = self.value["response"]["headers"].as_array().unwrap().iter();
        let headers =
            headers.map(|pair| (pair[0].as_str().unwrap().to_lowercase(), pair[1].as_str().unwrap().to_owned()));
        headers.filter(|(name, _)| kept.contains(&name.as_str())).collect()
    }
}

/// Every recording of both servers.
pub fn recordings() -> Vec<Recording> {
    let mut found = Vec::new();
    for server in ["2024-08", "2024-10"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recordings/infisical").join(server);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
                found.push(Recording { server, name: value["name"].as_str().unwrap().to_owned(), value });
            }
        }
    }
    found
}
