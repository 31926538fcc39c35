//! What is read from standard input and files. It may be secret, so it is wiped after use.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use xtrasecurity::SecretValue;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output::printable;

/// Whether standard input is somebody who types.
pub(crate) fn is_typed() -> bool {
    io::stdin().is_terminal()
}

/// The whole of standard input.
pub(crate) fn standard_input(most: usize) -> Result<SecretValue, Failure> {
    all(io::stdin().lock(), "standard input", most)
}

/// The whole of a file.
pub(crate) fn file(path: &Path, most: usize) -> Result<SecretValue, Failure> {
    let name = printable(&path.to_string_lossy());
    let cannot = |error: &io::Error| Failure::io(format!("{name} cannot be read"), error);
    let file = File::open(path).map_err(|error| cannot(&error))?;
    if file.metadata().map_err(|error| cannot(&error))?.is_dir() {
        return Err(Failure::refused(format!("{name} is a directory")));
    }
    all(file, &name, most)
}

fn all(from: impl Read, name: &str, most: usize) -> Result<SecretValue, Failure> {
    let bytes = bytes(from, most).map_err(|error| Failure::io(format!("{name} cannot be read"), &error))?;
    let Some(bytes) = bytes else {
        return Err(Failure::refused(format!("{name} is larger than {} MiB", most >> 20)));
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => {
            Err(Failure::refused(format!("{name} is not UTF-8 text. Encode other data first, with base64 for one")))
        }
    }
}

/// All of it, or nothing when there is more than `most`. No buffer is left behind that is not wiped.
fn bytes(mut from: impl Read, most: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(1 << 16));
    loop {
        let room = buffer.capacity() - buffer.len();
        let before = buffer.len();
        from.by_ref().take(room as u64).read_to_end(&mut buffer)?;
        if buffer.len() > most {
            return Ok(None);
        }
        if buffer.len() - before < room {
            return Ok(Some(buffer));
        }
        let mut larger = Zeroizing::new(Vec::with_capacity(buffer.capacity() * 2));
        larger.extend_from_slice(&buffer);
        buffer = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_up_to_the_bound_and_nothing_beyond_it() {
        for length in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let data = vec![b'x'; length];
            assert!(bytes(&data[..], 300_000).unwrap().is_some_and(|read| *read == data), "{length}");
        }
        assert!(bytes(&[b'x'; 300_001][..], 300_000).unwrap().is_none());
        assert!(bytes(io::repeat(b'x'), 1 << 20).unwrap().is_none());
    }

    #[test]
    fn what_is_no_text_is_refused_and_not_quoted() {
        let refusal = all(&b"canary\xff"[..], "it", 100).err().unwrap();
        assert!(refusal.line.contains("UTF-8") && !refusal.line.contains("canary"), "{}", refusal.line);
    }
}
