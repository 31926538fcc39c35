//! How secrets are written: the options of all commands that do so.

use clap::Args;
use xtrasecurity::write::SetSecrets;
use xtrasecurity::{Request, Xtra};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::session::builder;

#[derive(Args)]
#[command(next_help_heading = "How it is written")]
pub(crate) struct Writing {
    /// Encrypt the values on this machine, with the passphrase in XTRA_VAULT_PASSPHRASE: the service never sees them
    #[arg(long)]
    pub(crate) seal: bool,
    /// Take names with other characters than letters, digits, _ . and -
    #[arg(long)]
    pub(crate) allow_any_name: bool,
    /// Take the environment's name as it is spelled, even if the project has it in other upper and lower case
    #[arg(long)]
    pub(crate) exact: bool,
    /// Read back what was written, and fail when something else is there
    #[arg(long)]
    pub(crate) verify: bool,
}

impl Writing {
    /// Refuses what cannot come to its end, before somebody types a value or agrees to a plan.
    pub(crate) fn check(&self, global: &Global) -> Result<(), Failure> {
        let has_passphrase = || {
            let configuration = builder(global).explain();
            configuration.get("vault_passphrase").is_some_and(|setting| setting.shown().is_some())
        };
        if self.seal && !has_passphrase() {
            return Err(Failure::refused(
                "there is no passphrase to seal values with. Set XTRA_VAULT_PASSPHRASE. Nothing was written",
            ));
        }
        Ok(())
    }

    pub(crate) fn of<'a>(&self, mut request: Request<'a, Xtra, SetSecrets<'a>>) -> Request<'a, Xtra, SetSecrets<'a>> {
        if self.seal {
            request = request.seal();
        }
        if self.allow_any_name {
            request = request.allow_any_name();
        }
        if self.exact {
            request = request.exact();
        }
        if self.verify {
            request = request.verify();
        }
        request
    }
}
