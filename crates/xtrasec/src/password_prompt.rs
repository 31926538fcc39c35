//! Text that is typed and not shown.

#[cfg(unix)]
use std::io::IsTerminal;

use xtrasecurity::SecretValue;

use crate::failure::Failure;
#[cfg(unix)]
use crate::output;

/// Asks for one line. Standard input and standard error must be a terminal.
#[cfg(not(unix))]
pub(crate) fn ask(prompt: &str) -> Result<SecretValue, Failure> {
    let line = rpassword::prompt_password(prompt);
    line.map(SecretValue::new).map_err(|error| Failure::io("nothing can be typed here", &error))
}

/// Asks for one line. Standard input and standard error must be a terminal.
///
/// Each byte is taken as it is typed: a terminal that collects lines itself cuts them at 4095 bytes without a word.
#[cfg(unix)]
pub(crate) fn ask(prompt: &str) -> Result<SecretValue, Failure> {
    let cannot = |error: rustix::io::Errno| Failure::io("nothing can be typed here", &error.into());
    if !std::io::stderr().is_terminal() {
        // Somebody would wait before a screen that says nothing.
        return Err(Failure::usage(
            "the question cannot be seen, as standard error is no terminal. Leave it on the terminal",
        ));
    }
    let terminal = Quiet::make().map_err(cannot)?;
    output::ask(prompt);
    let typed = line(|buffer| rustix::io::read(std::io::stdin(), buffer).map_err(std::io::Error::from));
    // What was pasted behind the line would be taken for commands, and kept in the shell's history.
    drop(terminal);
    output::line_break();
    typed
}

/// The terminal without its echo, until this is dropped.
#[cfg(unix)]
struct Quiet {
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Quiet {
    fn make() -> Result<Self, rustix::io::Errno> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        // Signals as well: one that ends the process would leave the terminal like this.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}

/// The line that the keys make which are read.
#[cfg(unix)]
fn line(mut read: impl FnMut(&mut [u8]) -> std::io::Result<usize>) -> Result<SecretValue, Failure> {
    use zeroize::Zeroizing;

    /// Beyond this nobody types.
    const LONGEST: usize = 1 << 16;
    const INTERRUPT: u8 = 3;
    const END: u8 = 4;
    const ERASE_ALL: u8 = 21;

    let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut chunk = Zeroizing::new([0; 1024]);
    loop {
        let count = match read(chunk.as_mut_slice()) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::io("what is typed cannot be read", &error)),
        };
        let keys = chunk.get(..count).unwrap_or_default();
        for (position, key) in keys.iter().enumerate() {
            match *key {
                INTERRUPT => return Err(Failure::refused("interrupted. Nothing was done")),
                b'\n' | b'\r' if position + 1 < count => {
                    return Err(Failure::refused(
                        "several lines were pasted. Nothing was done: a text of several lines is given by a pipe or a file",
                    ));
                }
                b'\n' | b'\r' | END => return finished(&typed),
                8 | 127 => drop(erase(&mut typed)),
                ERASE_ALL => typed.clear(),
                _ if typed.len() == LONGEST => {
                    return Err(Failure::refused("that is too long to be typed: give it by a pipe or a file"));
                }
                key => typed.push(key),
            }
        }
        if count == 0 {
            return finished(&typed);
        }
    }
}

/// Takes the last character back.
#[cfg(unix)]
fn erase(typed: &mut Vec<u8>) -> Option<()> {
    while typed.pop()? & 0xc0 == 0x80 {}
    Some(())
}

#[cfg(unix)]
fn finished(typed: &[u8]) -> Result<SecretValue, Failure> {
    let text = std::str::from_utf8(typed).map_err(|_| Failure::refused("what was typed is not UTF-8 text"))?;
    if text.contains(|character: char| character.is_control() && character != '\t') {
        return Err(Failure::refused(
            "a control character was typed, by an arrow key perhaps. Nothing was done: a text that holds one is given by a \
             pipe or a file",
        ));
    }
    Ok(text.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn typed(chunks: &[&str]) -> Result<String, String> {
        let mut chunks = chunks.iter();
        let read = |buffer: &mut [u8]| {
            let chunk = chunks.next().copied().unwrap_or_default().as_bytes();
            buffer[..chunk.len()].copy_from_slice(chunk);
            Ok(chunk.len())
        };
        line(read).map(|text| text.expose().to_owned()).map_err(|failure| failure.line)
    }

    #[test]
    fn keys_that_take_back_take_back_whole_characters() {
        assert_eq!(typed(&["aü\u{7f}", "\u{8}", "\u{8}b", "c\r"]).unwrap(), "bc");
        assert_eq!(typed(&["wrong\u{15}", "right", "\n"]).unwrap(), "right");
        assert_eq!(typed(&["a\tb \u{4}"]).unwrap(), "a\tb ");
        assert_eq!(typed(&["no end"]).unwrap(), "no end");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_not_quoted() {
        let long = "x".repeat(1000);
        let endless = vec![long.as_str(); 66];
        for keys in [&["canary\u{3}"][..], &["canary\u{1b}[A", "\r"], &["canary\ntwo\n"], &endless] {
            let line = typed(keys).unwrap_err();
            assert!(!line.contains("canary"), "{line}");
        }
    }

    #[test]
    fn a_long_text_is_not_cut() {
        let part = "0123456789".repeat(100);
        let parts: Vec<&str> = std::iter::repeat_n(part.as_str(), 20).chain(["\n"]).collect();
        assert_eq!(typed(&parts).unwrap().len(), 20_000);
    }
}
