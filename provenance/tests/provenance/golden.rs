//! Golden bytes: what is signed and hashed today must be so for ever.

use crate::story::*;
use data_encoding::HEXLOWER;
use provenance::seal::{Opening, SealedField};

/// Compares with the file; `UPDATE=1` writes it, for a format that is new.
pub fn check(name: &str, text: &str) {
    let path = format!("{}/tests/provenance/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path} is missing; run with UPDATE=1"));
    assert_eq!(text, expected.trim(), "{name} has changed");
}

#[test]
fn ids() {
    let network = network();
    let event = Signatory::founder(&network, 0).registers_place();
    check("network_id.txt", &network.id().to_string());
    check("place_event_id.txt", &event.id().to_string());
    check("place_subject_id.txt", &event.subject(0).unwrap().to_string());
    check("founder_1_actor_id.txt", &network.id().founder(1).to_string());
}

#[test]
fn events_of_every_kind_with_rules() {
    for (name, event) in crate::round_trip::every_kind() {
        check(&format!("{name}.hex"), &HEXLOWER.encode(event.bytes()));
    }
}

#[test]
fn commitments_of_sealed_fields() {
    let event = Signatory::founder(&network(), 0).registers_place();
    let field = SealedField { signer: &event.key(), journal: &event.payload().journal, path: &[5] };
    let opening = Opening { salt: [3; 16], value: vec![0x82, 1, 2] };
    check("commitment.hex", &HEXLOWER.encode(opening.commitment(field).as_bytes()));
    // Another field, event or salt gives another commitment.
    let elsewhere = SealedField { path: &[6], ..field };
    assert_ne!(opening.commitment(field), opening.commitment(elsewhere));
}
