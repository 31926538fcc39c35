//! The recordings of two servers, for tests.

use std::path::Path;

use serde_json::Value;

/// The servers that were recorded, from the older to the newer.
pub(crate) const SERVERS: [&str; 2] = ["2024-08", "2024-10"];

/// One exchange with a server.
pub(crate) struct Recording {
    pub(crate) server: &'static str,
    pub(crate) name: String,
    pub(crate) value: Value,
}

impl Recording {
    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.value["response"]["status"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn body(&self) -> &str {
        self.value["response"]["body_text"].as_str().unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        self.value["request"]["method"].as_str().unwrap()
    }

    /// The path of the request below the root.
    pub(crate) fn path(&self) -> &str {
        let path = self.value["request"]["path"].as_str().unwrap();
        path.strip_prefix("/api").unwrap_or(path)
    }

    /// The headers of the answer.
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        let headers = self.value["response"]["headers"].as_array().unwrap().iter();
        headers.map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap())).collect()
    }
}

/// Every recording of both servers.
pub(crate) fn recordings() -> Vec<Recording> {
    let mut found = Vec::new();
    for server in SERVERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/infisical").join(server);
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

/// The recording of this name by each server that has one.
pub(crate) fn recorded(name: &str) -> Vec<Recording> {
    recordings().into_iter().filter(|recording| recording.name == name).collect()
}
