//! Headers and trie proofs from an endpoint: nobody's bytes prove an anchor that was never made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::evidence::{AnchorWords, Evidence, Line};

fuzz_target!(|bytes: &[u8]| {
    let Ok(evidence) = minicbor::decode::<Evidence>(bytes) else { return };
    let line = Line { contract: [1; 20], sender: [2; 20] };
    let hash = [3; 32];
    let anchor =
        AnchorWords { previous: hash, number: 1, timestamp_s: 1, size: 1, log_root: hash, state_root: hash };
    assert!(evidence.verify(&line, &anchor).is_err());
});
