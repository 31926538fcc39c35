//! The document of the service, held against what the client sends.

use serde_json::Value;

use crate::server::Secr;

/// A path with the names of its parameters in the place of what was sent.
fn template(path: &str, document: &Value) -> Option<String> {
    let paths = document["paths"].as_object().unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let own: Vec<&str> = template.split('/').collect();
        own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.starts_with('{') || own == part)
    };
    // one with fewer parameters is meant first
    let mut found: Vec<&String> = paths.keys().filter(|template| fits(template)).collect();
    found.sort_by_key(|template| template.matches('{').count());
    found.first().map(|template| (*template).clone())
}

#[tokio::test]
async fn every_operation_of_the_document_is_one_of_the_clients_and_is_sent_by_its_route() {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/secr.json")).unwrap();
    let server = Secr::start().await;
    let client = server.client();
    let _ = client.pull_secrets("acme", "web", "production").await;
    let _ = client.set_secret("acme", "web", "production", "A", "1").await;
    let _ = client.list_keys("acme", "web", "production").await;
    let _ = client.bulk_set_secrets("acme", "web", "production", [("A", "1")]).await;
    let _ = client.delete_secret("acme", "web", "production", "A").await;
    let _ = client.promote_secrets("acme", "web", "production", "staging").await;
    let _ = client.list_templates("acme", "web").await;
    let _ = client.add_template("acme", "web", "A").await;
    let _ = client.remove_template("acme", "web", "A").await;
    let _ = client.validate_template("acme", "web", "production").await;
    let _ = client.whoami().await;
    let mut sent: Vec<String> = Vec::new();
    for request in server.requests() {
        let (method, path) = request.split_once(' ').unwrap();
        let template = template(path, &document).unwrap_or_else(|| panic!("{request} is in no document"));
        let operation = &document["paths"][&template][method.to_lowercase()]["operationId"];
        sent.push(operation.as_str().unwrap_or_else(|| panic!("{request} is no operation")).to_owned());
    }
    let all = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut all: Vec<String> = all.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect();
    sent.sort();
    all.sort();
    assert_eq!(server.0.request_count("*"), 0, "the dev server has a route for each");
    assert_eq!(sent, all);
}
