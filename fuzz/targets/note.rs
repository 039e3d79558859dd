//! Text that may be a checkpoint with cosignatures: a note that is read is written again to the same text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provenance::checkpoint::Checkpoint;
use provenance::cosignature::cosignatures;
use provenance::id::PublicKey;
use provenance::note::Note;

fuzz_target!(|text: &str| {
    let _ = Checkpoint::open(text, &PublicKey::from_bytes([7; 32]));
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
        for line in cosignatures(&note) {
            let _ = line.verify(note.text());
        }
    }
});
