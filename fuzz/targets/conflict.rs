//! Bytes that may be a conflict proof: every input gets a verdict, and what is decoded is encoded again to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::conflict::{ConflictProof, verify};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = ConflictProof::decode(bytes) {
        assert!(ConflictProof::is_one(bytes));
        assert_eq!(proof.to_vec(), bytes);
    }
    verify(bytes, None);
});
