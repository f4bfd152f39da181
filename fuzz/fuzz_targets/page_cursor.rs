#![no_main]

#[allow(dead_code)]
#[path = "../../crates/antiphon-wire/tests/hostile/arms.rs"]
mod arms;

libfuzzer_sys::fuzz_target!(|data: &[u8]| arms::page_cursor(data));
