//! Bytes that may be a COSE receipt: what is decoded is encoded again to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::receipt::{ConsistencyReceipt, InclusionReceipt};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = InclusionReceipt::decode(bytes) {
        assert_eq!(receipt.to_vec(), bytes);
    }
    if let Ok(receipt) = ConsistencyReceipt::decode(bytes) {
        assert_eq!(receipt.to_vec(), bytes);
    }
});
