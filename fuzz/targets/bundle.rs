//! Bytes that may be a proof bundle: every input gets a verdict, and what is decoded is encoded again to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::bundle::Bundle;
use provenance::verification::{Policy, verify};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::decode(bytes) {
        assert_eq!(bundle.to_vec(), bytes);
    }
    verify(bytes, &Policy::default());
});
