//! Whole programs, and the blocking client.

use std::error::Error;

#[allow(dead_code)]
mod first {
    // readme: begin
    use xtrasecurity::{XtraClient, XtraError};

    #[tokio::main]
    async fn main() -> Result<(), XtraError> {
        let client = XtraClient::from_env()?; // XTRA_TOKEN, XTRA_PROJECT_ID
        let secrets = client.get_secrets("production").await?; // branch "main", cached for 30 s
        let url = secrets.require("DATABASE_URL")?;
        println!("{url:?}, {} characters", url.expose().len()); // [REDACTED]; `expose()` is the text
        Ok(())
    }
    // readme: end
}

pub fn without_async() -> Result<(), Box<dyn Error>> {
    // readme: begin
    use xtrasecurity::blocking::XtraClient;

    let client = XtraClient::from_env()?;
    let secrets = client.get_secrets("production").send()?;
    let projects = client.block_on(client.raw().projects_list().send())??; // an async call, from blocking code
    // readme: end
    drop((secrets, projects));
    Ok(())
}

#[allow(dead_code)]
mod inject {
    // readme: begin
    use xtrasecurity::{XtraClient, XtraError};

    #[tokio::main(flavor = "current_thread")]
    async fn main() -> Result<(), XtraError> {
        let report = XtraClient::from_env()?.inject_secrets("production").override_existing().await?;
        println!("set {:?}, kept {:?}", report.set(), report.kept());
        Ok(())
    }
    // readme: end
}

#[allow(dead_code)]
mod inject_before_the_runtime {
    // readme: begin
    use std::error::Error;
    use xtrasecurity::blocking::XtraClient;

    fn main() -> Result<(), Box<dyn Error>> {
        XtraClient::from_env()?.inject_secrets("production").send()?;
        serve()
    }

    #[tokio::main] // its threads start here, after the variables are set
    async fn serve() -> Result<(), Box<dyn Error>> {
        println!("a URL of {} bytes", std::env::var("DATABASE_URL")?.len());
        Ok(())
    }
    // readme: end
}
