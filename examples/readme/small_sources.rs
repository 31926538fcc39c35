//! The sources that every program has, and layers of them.

use std::error::Error;

use xtrasecurity::XtraClient;

pub async fn read(client: &XtraClient) -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::Client;
    use xtrasecurity::sources::{Directory, EnvVars, Layer, Layered};

    let mounted = Client::new_with_source(Directory::docker()); // /run/secrets: a file is a secret
    println!("{} secrets", mounted.read(()).await?.len());

    let layered = Client::new_with_source(Layered::new([
        Layer::new(EnvVars::new().prefix("APP_"), ()), // first: APP_PORT is the secret PORT
        Layer::new(Directory::docker(), ()).names(["DATABASE_PASSWORD"]).optional(),
        Layer::of_client(client, "production").every_name(),
    ])?);
    let secrets = layered.read(()).await?;
    println!("{:?}", secrets.layer_of("PORT").map(|layer| layer.label()));
    // readme: end
    Ok(())
}
