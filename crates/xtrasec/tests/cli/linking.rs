//! What the command needs of the system that it is copied to.

use std::io::{ErrorKind, Write};
use std::process::Command;

/// The C library in its parts, of which newer ones have fewer, the loader, and what the kernel brings.
const ALLOWED: &[&str] = &["libc", "libm", "libdl", "libpthread", "librt", "ld-linux", "ld64", "linux-vdso"];

/// What a program prints, or `None` when it is not installed.
fn printed(program: &str, argument: &str) -> Option<String> {
    match Command::new(program).arg(argument).env("LC_ALL", "C").output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Written past the test harness, which shows nothing of a test that passes.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {why}");
}

#[test]
fn the_command_needs_no_shared_library_beyond_that_of_c() {
    let Some(libraries) = printed("ldd", env!("CARGO_BIN_EXE_xtrasec")) else {
        return skipped("there is no ldd here");
    };
    // A compiler that does not have the archive prints its bare name.
    if !printed("cc", "-print-file-name=libgcc_eh.a").is_some_and(|path| path.starts_with('/')) {
        return skipped("the compiler has no archive of its unwinder, so that is a shared library");
    }
    assert!(libraries.contains("libc.so"), "{libraries}");
    for line in libraries.lines().filter(|line| !line.trim().is_empty()) {
        // "name => path (address)", or "path (address)" for the loader.
        let library = line.split_whitespace().next().unwrap();
        let file = library.rsplit('/').next().unwrap();
        let name = file.split_once(".so").map_or(file, |(name, _)| name);
        assert!(ALLOWED.iter().any(|allowed| name == *allowed || name.starts_with(&format!("{allowed}-"))), "{line}");
    }
}
