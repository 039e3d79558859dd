//! Bytes that may be a transparent statement: what is not signed is taken off, and taking it off again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::transparent::strip_unprotected;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stripped) = strip_unprotected(bytes) {
        let again = strip_unprotected(&stripped).expect("what was stripped is a statement");
        assert_eq!(stripped, again);
    }
});
