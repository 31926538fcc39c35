//! The document of the service, held against what the client sends.

use serde_json::Value;

use crate::server::{FOLDER, SyVault, UID};

/// A path with the names of its parameters in the place of what was sent.
fn template<'d>(path: &str, document: &'d Value) -> Option<&'d String> {
    let parts: Vec<&str> = path.split('/').collect();
    document["paths"].as_object().unwrap().keys().find(|template| {
        let own: Vec<&str> = template.split('/').collect();
        own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.starts_with('{') || own == part)
    })
}

#[tokio::test]
async fn every_operation_of_the_document_is_one_of_the_clients_and_is_sent_by_its_route() {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/syvault.json")).unwrap();
    let server = SyVault::start().await;
    let client = server.client();
    let _ = client.list().await;
    let _ = client.get(UID).await;
    let _ = client.create(FOLDER, "T", [("a", "b")]).await;
    let _ = client.rotate(UID).await;
    let _ = client.create_lease(UID).await;
    let _ = client.list_leases().await;
    let _ = client.revoke_lease("lease-1").await;
    let _ = server.builder().bootstrap("vft_unknown").await;
    let mut sent: Vec<String> = Vec::new();
    for request in server.requests() {
        let (method, path) = request.split_once(' ').unwrap();
        let template = template(path, &document).unwrap_or_else(|| panic!("{request} is in no document"));
        let operation = &document["paths"][template][method.to_lowercase()]["operationId"];
        sent.push(operation.as_str().unwrap_or_else(|| panic!("{request} is no operation")).to_owned());
    }
    let all = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut all: Vec<String> = all.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect();
    sent.sort();
    all.sort();
    assert_eq!(server.0.request_count("*"), 0, "the dev server has a route for each");
    assert_eq!(sent, all);
}
