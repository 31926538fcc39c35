//! Text that is typed: values that are not shown, and answers of which no more is shown than the question says itself.

#[cfg(unix)]
use std::io::IsTerminal;

use xtrasecurity::SecretValue;

use crate::failure::Failure;
#[cfg(unix)]
use crate::output;

/// Asks for one line, which is not shown. Standard input and standard error must be a terminal.
pub(crate) fn ask(prompt: &str) -> Result<SecretValue, Failure> {
    typed(prompt, &[])
}

/// Asks for one of these words, and gives what was typed. It is shown only as far as it is the beginning of one of them: what
/// was pasted from the clipboard may be a secret.
pub(crate) fn ask_for(words: &[&str], prompt: &str) -> Result<String, Failure> {
    typed(prompt, words).map(|text| text.expose().trim().to_owned())
}

#[cfg(not(unix))]
fn typed(prompt: &str, _: &[&str]) -> Result<SecretValue, Failure> {
    let line = rpassword::prompt_password(format!("{prompt} "));
    line.map(SecretValue::new).map_err(|error| Failure::io("nothing can be typed here", &error))
}

/// Each byte is taken as it is typed: a terminal that collects lines itself cuts them at 4095 bytes without a word.
#[cfg(unix)]
fn typed(prompt: &str, words: &[&str]) -> Result<SecretValue, Failure> {
    if !std::io::stderr().is_terminal() {
        // Somebody would wait before a screen that says nothing.
        return Err(Failure::usage(
            "the question cannot be seen, as standard error is no terminal. Leave it on the terminal",
        ));
    }
    let terminal = quiet()?;
    output::ask(prompt);
    let read = |buffer: &mut [u8]| rustix::io::read(std::io::stdin(), buffer).map_err(std::io::Error::from);
    let typed = line(read, Echo { words, shown: 0, write: output::echo });
    // What was pasted behind the line would be taken for commands, and kept in the shell's history.
    drop(terminal);
    output::line_break();
    typed
}

/// Keeps the terminal without its echo for as long as the guard lives: what is typed between two questions is not shown
/// either, nor given to the second. Nothing happens where nobody types.
#[cfg(unix)]
pub(crate) fn silence() -> Result<Option<Quiet>, Failure> {
    std::io::stdin().is_terminal().then(quiet).transpose()
}

#[cfg(not(unix))]
pub(crate) fn silence() -> Result<Option<std::convert::Infallible>, Failure> {
    Ok(None)
}

#[cfg(unix)]
fn quiet() -> Result<Quiet, Failure> {
    Quiet::make().map_err(|error| Failure::io("nothing can be typed here", &error.into()))
}

/// The terminal without its echo, until this is dropped.
#[cfg(unix)]
pub(crate) struct Quiet {
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

/// What of a line is shown while it is typed: nothing, or as much as is the beginning of one of the words.
#[cfg(unix)]
struct Echo<'w, W: FnMut(&str)> {
    words: &'w [&'w str],
    /// The characters that are on the screen.
    shown: usize,
    write: W,
}

#[cfg(unix)]
impl<W: FnMut(&str)> Echo<'_, W> {
    /// Shows what may be shown of the line as it is now.
    fn update(&mut self, typed: &[u8]) {
        let common = |word: &&str| {
            let same = word.bytes().zip(typed).take_while(|(one, other)| one == *other).count();
            word.char_indices().take_while(|(at, character)| at + character.len_utf8() <= same).count()
        };
        let (word, wanted) =
            self.words.iter().map(|word| (*word, common(word))).max_by_key(|(_, count)| *count).unwrap_or(("", 0));
        while self.shown > wanted {
            (self.write)("\u{8} \u{8}");
            self.shown -= 1;
        }
        let more: String = word.chars().skip(self.shown).take(wanted - self.shown).collect();
        if !more.is_empty() {
            (self.write)(&crate::text::printable(&more));
            self.shown = wanted;
        }
    }
}

/// The line that the keys make which are read.
#[cfg(unix)]
fn line(
    mut read: impl FnMut(&mut [u8]) -> std::io::Result<usize>,
    mut echo: Echo<'_, impl FnMut(&str)>,
) -> Result<SecretValue, Failure> {
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
                b'\n' | b'\r' | END => {
                    echo.update(&typed);
                    return finished(&typed);
                }
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
        echo.update(&typed);
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
        let echo = Echo { words: &[], shown: 0, write: |shown: &str| panic!("{shown}") };
        line(read, echo).map(|text| text.expose().to_owned()).map_err(|failure| failure.line)
    }

    /// What a screen shows of what is typed as an answer.
    fn shown(words: &[&str], keys: &[&str]) -> String {
        let mut screen = String::new();
        let mut keys = keys.iter();
        let read = |buffer: &mut [u8]| {
            let chunk = keys.next().copied().unwrap_or_default().as_bytes();
            buffer[..chunk.len()].copy_from_slice(chunk);
            Ok(chunk.len())
        };
        let write = |text: &str| match text {
            "\u{8} \u{8}" => drop(screen.pop()),
            text => screen.push_str(text),
        };
        drop(line(read, Echo { words, shown: 0, write }));
        screen
    }

    #[test]
    fn of_an_answer_no_more_is_shown_than_the_question_says_itself() {
        assert_eq!(shown(&["production"], &["p", "r", "od"]), "prod");
        assert_eq!(shown(&["production"], &["prod-hunter2"]), "prod");
        assert_eq!(shown(&["y", "yes"], &["y\r"]), "y");
        assert_eq!(shown(&["production"], &["hunter2"]), "");
        assert_eq!(shown(&["y", "yes"], &["yes-hunter2"]), "yes");
        assert_eq!(shown(&["production"], &["prox", "\u{7f}", "d"]), "prod", "what is taken back");
        assert_eq!(shown(&["production"], &["prod", "\u{15}", "x"]), "");
        assert_eq!(shown(&["zürich"], &["z\u{c3}"]), "z");
        assert_eq!(shown(&["zürich"], &["zü", "r"]), "zür");
        assert_eq!(shown(&["a\u{1b}[31m"], &["a\u{1b}["]), "a\\u{1b}[", "nothing that a terminal acts on");
        assert_eq!(shown(&[], &["hunter2"]), "");
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
