//! What is measured of this crate: 50 secrets into the environment. Its settings are variables, as everywhere.

use xtrasecurity::blocking::InfisicalClient;

fn main() -> Result<(), xtrasecurity::XtraError> {
    InfisicalClient::from_env()?.inject_secrets("dev").path("/many").send()?;
    assert_eq!(std::env::var("MANY_49").as_deref(), Ok("value-49-of-a-usual-length-0123456789"));
    Ok(())
}
