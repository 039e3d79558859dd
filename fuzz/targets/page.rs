//! Bytes that may be a page of the state map: what is read is written again to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::state_map::{Page, PageKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(page) = Page::from_bytes(bytes) {
        assert_eq!(page.to_bytes(), bytes);
        page.hash();
    }
    let _ = PageKey::from_bytes(bytes);
});
