//! Secrets of 16 random bytes, and the search for any eight of these in a row in a text, in whatever form.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// So many bytes of a secret in a row are a leak.
const WINDOW: usize = 8;

/// A reproducible source of chance.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn text(&mut self, characters: &str, bytes: usize) -> String {
        let characters: Vec<char> = characters.chars().collect();
        let mut text = String::new();
        while text.len() < bytes {
            text.push(*self.of(&characters));
        }
        text
    }
}

/// What a client is given, and what a hostile service knows of it.
pub struct Canaries {
    pub token: String,
    pub passphrase: String,
    /// Of values: plain words, what has to be escaped everywhere, and what is not ASCII.
    pub values: [String; 3],
    matcher: AhoCorasick,
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MARKS: &str = "\"\\+/=%&?#<>{}[]~^`| ',;:@!$*()-_.abcXYZ019";
const OTHERS: &str = "éüßñçøåæéÀÖÞЖЯфюλπΩאבש";

impl Canaries {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let token = chance.text(&format!("{LETTERS}-._~+/="), 16);
        let passphrase = chance.text(&format!("{LETTERS}{MARKS}"), 16);
        let values = [LETTERS, MARKS, OTHERS].map(|characters| chance.text(characters, 16));
        let all = [&token, &passphrase].into_iter().chain(&values);
        let patterns: Vec<Vec<u8>> = all.flat_map(|secret| traces_of(secret)).collect();
        let matcher = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns).expect("few patterns");
        Self { token, passphrase, values, matcher }
    }

    pub fn all(&self) -> Vec<&str> {
        [&self.token, &self.passphrase].into_iter().chain(&self.values).map(String::as_str).collect()
    }

    /// Whether a text shows eight bytes in a row of any of them.
    pub fn are_in(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}

/// Every form of every window.
fn traces_of(secret: &str) -> Vec<Vec<u8>> {
    let mut traces = Vec::new();
    for spelled in [secret.to_owned(), secret.to_uppercase(), secret.to_lowercase()] {
        for window in spelled.as_bytes().windows(WINDOW) {
            traces.push(window.to_vec());
            traces.extend(forms_of(window).into_iter().map(String::into_bytes));
        }
    }
    traces
}

/// A window in every form that is not its bytes. Of upper and lower case the matcher makes no difference.
fn forms_of(window: &[u8]) -> Vec<String> {
    let mut forms = vec![hex(window), percent(window, |_| false), percent(window, |byte| byte.is_ascii_alphanumeric())];
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    forms.push(percent(window, unreserved));
    forms.push(percent(window, |byte| unreserved(byte) || byte == b' ').replace(' ', "+"));
    forms.push(window.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
    for offset in 0..3 {
        forms.push(within_base64(&STANDARD, window, offset));
        forms.push(within_base64(&URL_SAFE, window, offset));
    }
    if let Ok(text) = std::str::from_utf8(window) {
        let json = serde_json::to_string(text).expect("a text");
        let inner = json[1..json.len() - 1].to_owned();
        forms.push(inner.replace('\\', "\\\\").replace('"', "\\\""));
        forms.push(inner.replace('/', "\\/"));
        forms.push(inner);
        forms.push(text.escape_debug().to_string());
        forms.push(text.escape_default().to_string());
        forms.push(text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect());
    }
    forms
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn percent(bytes: &[u8], is_kept: impl Fn(u8) -> bool) -> String {
    let written = |byte: &u8| if is_kept(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    bytes.iter().map(written).collect()
}

/// What of a text in base64 is made of these bytes alone, when so many others (by three) stand before them.
fn within_base64(engine: &impl base64::Engine, bytes: &[u8], offset: usize) -> String {
    let padded = [&b"..."[..offset], bytes].concat();
    let text = engine.encode(&padded);
    let (first, end) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    text[first..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_part_of_a_secret_is_found_wherever_it_stands() {
        let canaries = Canaries::new(7);
        for secret in canaries.all() {
            for start in 0..=secret.len() - WINDOW {
                let bytes = &secret.as_bytes()[start..start + WINDOW];
                let mut found = forms_of(bytes);
                found.extend(std::str::from_utf8(bytes).map(str::to_owned));
                for form in found {
                    for text in [
                        form.clone(),
                        format!("no {form}!"),
                        format!("x{form}x"),
                        form.to_uppercase(),
                        form.to_lowercase(),
                    ] {
                        assert!(canaries.are_in(&text), "{text}");
                    }
                }
            }
            for offset in 0..3 {
                for text in [format!("{}{secret}", &"ab"[..offset.min(2)]), format!("{}{secret}--", &"xyz"[..offset])] {
                    assert!(canaries.are_in(&STANDARD.encode(&text)), "{text}");
                    assert!(canaries.are_in(&URL_SAFE.encode(&text)), "{text}");
                }
            }
        }
    }

    #[test]
    fn less_of_a_secret_and_other_texts_are_none_of_it() {
        let canaries = Canaries::new(7);
        for secret in canaries.all() {
            let part: String = secret
                .chars()
                .scan(0, |bytes, c| {
                    *bytes += c.len_utf8();
                    (*bytes < WINDOW).then_some(c)
                })
                .collect();
            assert!(!canaries.are_in(&part), "{part}");
        }
        for text in ["", "not found (status 404)", include_str!("canaries.rs"), &"0123456789abcdef".repeat(100)] {
            assert!(!canaries.are_in(text));
        }
        assert!(!canaries.are_in(&format!("{:?}", Canaries::new(8).all())));
    }
}
