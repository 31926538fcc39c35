//! How the command is linked: without the compiler's shared unwinding library, so that it needs the C library alone.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The archive that holds what the shared library `libgcc_s` would bring.
const ARCHIVE: &str = "libgcc_eh.a";

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_native = std::env::var_os("HOST") == std::env::var_os("TARGET");
    if target("OS") != "linux" || target("ENV") != "gnu" || !is_native {
        return Ok(());
    }
    match (installed(), std::env::var_os("OUT_DIR")) {
        (Some(archive), Some(out)) => link_statically(&archive, &PathBuf::from(out).join("link")),
        _ => Ok(()),
    }
}

/// Puts a linker script in front of the shared library where the archive is installed, which it is beside every gcc. The
/// standard library asks the linker for `gcc_s` by name, so there is no option that would say the same.
fn link_statically(archive: &Path, directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("libgcc_s.so"), format!("GROUP ( {} libgcc.a )\n", archive.display()))?;
    println!("cargo::rustc-link-arg-bin=xtrasec=-L{}", directory.display());
    Ok(())
}

/// Where the C compiler has the archive. It prints the bare name when it has none.
fn installed() -> Option<PathBuf> {
    let output = Command::new("cc").arg(format!("-print-file-name={ARCHIVE}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let plain = path.to_str()?.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-".contains(&byte));
    (plain && path.is_absolute() && path.is_file()).then_some(path)
}
