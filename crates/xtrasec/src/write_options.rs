//! How secrets are written: the options of all commands that do so.

use clap::Args;
use xtrasecurity::Request;
use xtrasecurity::xtra::write::SetSecrets;
use xtrasecurity::xtra::{ReadsBack, Xtra};

use crate::failure::{Failure, UNCONFIRMED};
use crate::options::Global;
use crate::output;
use crate::session::Target;
use crate::session::builder;
use crate::text::quoted;

/// The options of every write that is read back.
#[derive(Args)]
pub(crate) struct OneWrite {
    /// Take the environment's name as it is spelled, even if the project has it in other upper and lower case
    #[arg(long)]
    exact: bool,
    /// Do not read back what was written, which spares one request
    #[arg(long)]
    unconfirmed: bool,
}

impl OneWrite {
    pub(crate) fn of<'a, Op: ReadsBack>(&self, request: Request<'a, Xtra, Op>) -> Request<'a, Xtra, Op> {
        let request = if self.exact { request.exact() } else { request };
        if self.unconfirmed { request.skip_read_back() } else { request }
    }
}

#[derive(Args)]
#[command(next_help_heading = "How it is written")]
pub(crate) struct WriteOptions {
    /// Encrypt the values on this machine, with the passphrase in XTRA_VAULT_PASSPHRASE: the service never sees them
    #[arg(long)]
    pub(crate) seal: bool,
    /// Take names with other characters than letters, digits, _ . and -
    #[arg(long)]
    pub(crate) allow_any_name: bool,
    /// Say in an error why a read after the write gives something else, or could not be made. The status is 3 with and without
    /// this
    #[arg(long, conflicts_with = "unconfirmed")]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) each: OneWrite,
}

impl WriteOptions {
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
        if self.verify {
            request = request.verify();
        }
        self.each.of(request)
    }
}

/// Tells what the service has taken and no read has shown, and gives the status for it.
pub(crate) fn status_of(unconfirmed: &[String], target: &Target) -> u8 {
    if unconfirmed.is_empty() {
        return 0;
    }
    output::note(&format!(
        "not confirmed in {}: {}. The service has taken this, and a read gives something else, or could not be made: somebody \
         has written meanwhile, or there is a second row of the name. `xtrasec repair --dry-run` shows the rows",
        target.shown(),
        quoted(unconfirmed.iter().map(String::as_str))
    ));
    UNCONFIRMED
}
