//! Bytes that may be a signed event: what is accepted is the encoding of what was understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::event::SignedEvent;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = SignedEvent::decode(bytes.to_vec()) {
        assert_eq!(event.bytes(), bytes);
        let _ = provenance::signature::Verifier::new().verify_all(vec![event]);
    }
});
