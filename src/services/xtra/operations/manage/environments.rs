//! The environments of a project.

use std::collections::BTreeMap;

use crate::core::XtraError;
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Xtra, XtraScope};

/// # Environments
impl<M> Client<Xtra, M> {
    /// Lists the environments of the project, in order of their names, with the number of their secrets on all branches
    /// together.
    ///
    /// The service keeps no environments, only secrets that name one: an environment without secrets is not told. Names are as
    /// they are stored. One request is sent. A service account, which may not look at the project, sends another one, whose
    /// answer holds values; they are wiped.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) also for a project that the caller may not see, and those of any call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secret("preview", "PORT", "5432").await?;
    /// let environments = client.list_environments().await?;
    /// let preview = environments.iter().find(|environment| environment.name == "preview").ok_or("no preview")?;
    /// assert_eq!(preview.secret_count, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_environments(&self) -> Request<'_, Xtra, ListEnvironments, M> {
        self.request(XtraScope::default(), ListEnvironments)
    }
}

/// Lists environments; made by [`XtraClient::list_environments`](crate::XtraClient::list_environments).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListEnvironments;

impl Operation for ListEnvironments {
    const NAME: &'static str = "list_environments";
    type Source = Xtra;
    type Output = Vec<Environment>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<Environment>, XtraError> {
        let (project, raw) = (call.project().await?, call.source().raw());
        let failed = match raw.projects_get().id(&project).send().await.map_err(from_raw) {
            Ok(answer) => {
                let secrets = answer.into_inner().secrets.into_iter().flatten();
                return Ok(counted(secrets.map(|secret| secret.environment_type)));
            }
            // so it answers to service accounts, which may list branches
            Err(error) if error.status() == Some(500) => error,
            Err(error) => return Err(error),
        };
        let Ok(answer) = raw.branches_list().project_id(&project).send().await else { return Err(failed) };
        let secrets = answer.into_inner().0.into_iter().flat_map(|branch| branch.secrets.into_iter().flatten());
        Ok(counted(secrets.map(|secret| secret.environment_type)))
    }
}

/// An environment of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// The name, as it is stored.
    pub name: String,
    /// How many secrets it holds on all branches together. For a service account, secrets that hang on no branch are not
    /// counted.
    pub secret_count: usize,
}

/// The environments that secrets name. One without a name has no address.
fn counted(names: impl Iterator<Item = Option<String>>) -> Vec<Environment> {
    let mut counts = BTreeMap::<String, usize>::new();
    for name in names.flatten().filter(|name| !name.is_empty()) {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().map(|(name, secret_count)| Environment { name, secret_count }).collect()
}
