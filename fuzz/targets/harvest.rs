//! A CSV file as a clerk may have it: read as a whole, or refused with its faults.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../node/src/harvest/mod.rs"]
mod harvest;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(faults) = harvest::read(bytes) {
        assert!(!faults.is_empty(), "a refusal says why");
    }
});
