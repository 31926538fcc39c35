//! The blocking client's calls.

use tokio::runtime::Builder;
use xtrasecurity::ErrorKind;
use xtrasecurity::blocking::XtraClient;
use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::xtra::write::LinkSource;

#[test]
fn each_has_its_options_and_does_the_same() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(DevServer::builder().rate_limits(RateLimits::off()).start()).unwrap();
    let client = XtraClient::builder().dev_server(&server).build().unwrap();
    assert_eq!(client.rotate_secret("staging", "API_KEY").value("v-2").send().unwrap().version, "2");
    assert_eq!(client.secret_history("staging", "API_KEY").send().unwrap().current_version, "2");
    assert_eq!(client.rollback_secret("staging", "API_KEY", 1).exact().send().unwrap().version, "3");
    assert_eq!(client.clone_environment("staging", "qa").overwrite(true).send().unwrap().copied, 2);
    let source = LinkSource::new(server.project_id(), "staging", "API_KEY");
    assert_eq!(client.link_secret("qa", "LINK", source).confirm_production().send().unwrap().id.len(), 24);
    assert_eq!(client.delete_secret("qa", "LINK").send().unwrap().rows, 1);
    assert_eq!(client.delete_secret("qa", "LINK").if_exists().send().unwrap().rows, 0);
    assert_eq!(client.delete_secret("qa", "LINK").send().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_client_without_a_service_says_so() {
    let client = XtraClient::in_memory([("KEY", "value")]).unwrap();
    let project = "665f1c2ab7c0de0012345678";
    let error = client.delete_secret("staging", "KEY").project_id(project).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(client.secret_history("staging", "KEY").send().unwrap_err().kind(), ErrorKind::Credentials);
}
