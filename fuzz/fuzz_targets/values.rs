//! The target of values, names, schemas, references and `.env` files: no panic, and nothing that takes for ever.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/typed/values/readers.rs"]
mod readers;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        readers::read(text);
    }
});
