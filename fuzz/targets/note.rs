//! Text that may be a checkpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::checkpoint::Checkpoint;
use provenance::id::PublicKey;

fuzz_target!(|text: &str| {
    let _ = Checkpoint::open(text, &PublicKey::from_bytes([7; 32]));
});
