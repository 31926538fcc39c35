//! Where a result goes that holds values: standard output, or a file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output;

#[derive(Args)]
pub(crate) struct OutputTarget {
    /// Write this file (0600) instead of standard output; - is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Write the values even when standard output is a terminal
    #[arg(long)]
    show: bool,
}

impl OutputTarget {
    /// The file, unless it is standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    pub(crate) fn is_forced(&self) -> bool {
        self.force
    }

    /// Refuses what would be refused in the end, before anything is asked for.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.file() {
            None => self.check_standard_output(),
            Some(path) => file::may_be_written(path, self.existing()),
        }
    }

    /// Refuses a terminal, where values would be shown to whoever looks at it.
    pub(crate) fn check_standard_output(&self) -> Result<(), Failure> {
        output::values_may_be_written(self.show)
    }

    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        match self.file() {
            None => output::write_values(text),
            Some(path) => file::write(path, text.as_bytes(), self.existing()),
        }
    }

    fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Refuse }
    }
}
