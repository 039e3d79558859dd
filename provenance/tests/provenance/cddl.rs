//! The written-down format and the code say the same.

use proptest::prelude::*;
use provenance::cbor::{self, Any};
use provenance::event::SignedEvent;

const CDDL: &str = include_str!("../../../docs/event.cddl");

/// The validator knows no tags, so they are taken out of the grammar here, and tag 18 off the event.
fn fits(rule: &str, bytes: &[u8]) -> Result<(), String> {
    let untagged = CDDL.replace("#6.18([", "[").replace("\n])\n", "\n]\n").replace("#6.2(bstr)", "bstr");
    cddl_cat::validate_cbor_bytes(rule, &untagged, bytes).map_err(|error| error.to_string())
}

/// The rule for the body of a kind.
fn body_rule(name: &str) -> &'static str {
    match name {
        "network_amended" => "network-amended",
        "network_approved" => "network-approved",
        "actor_enrolled" => "actor-enrolled",
        "actor_updated" => "actor-updated",
        "actor_key_added" => "key-added",
        "actor_key_rotated" => "key-rotated",
        "actor_key_replaced" => "key-replaced",
        "actor_revoked" => "actor-revoked",
        "place_registered" => "place-registered",
        "place_updated" => "place-updated",
        "produce_registered" => "produce-registered",
        "produce_collected" => "produce-collected",
        "produce_moved" => "produce-moved",
        "produce_handled" => "produce-handled",
        "produce_quality_updated" => "quality-updated",
        "produce_price_updated" => "price-updated",
        "produce_codes_assigned" => "codes-assigned",
        "produce_transformed" => "produce-transformed",
        "produce_retired" => "produce-retired",
        "produce_inspected" => "produce-inspected",
        "transfer_offered" => "transfer-offered",
        "transfer_accepted" => "transfer-accepted",
        "transfer_declined" | "transfer_cancelled" => "transfer-closed",
        "unit_packed" => "unit-packed",
        "unit_unpacked" => "unit-unpacked",
        "condition_measured" => "condition-measured",
        "device_attached" => "device-attached",
        "device_detached" => "device-detached",
        "certificate_issued" => "certificate-issued",
        "certificate_status" => "certificate-status",
        "recall_issued" => "recall-issued",
        "recall_updated" => "recall-updated",
        "recall_ended" => "recall-ended",
        "event_corrected" => "event-corrected",
        "event_confirmed" => "event-confirmed",
        "event_disputed" => "event-disputed",
        "dispute_resolved" => "dispute-resolved",
        _ => "other-body",
    }
}

/// Field 9 of the payload, which is the third item of the envelope.
fn body_bytes(event: &SignedEvent) -> Vec<u8> {
    let payload = event.payload().to_vec();
    let mut d = minicbor::Decoder::new(&payload);
    let fields = d.map().unwrap().unwrap();
    for _ in 0..fields {
        let field = d.u8().unwrap();
        let start = d.position();
        d.skip().unwrap();
        if field == 9 {
            return payload[start..d.position()].to_vec();
        }
    }
    panic!("every payload has a body");
}

#[test]
fn every_kind_fits_the_cddl() {
    for (name, event) in crate::round_trip::every_kind() {
        assert_eq!(event.bytes()[0], 0xd2, "tag 18");
        fits("event", &event.bytes()[1..]).unwrap_or_else(|error| panic!("{name}: {error}"));
        fits(body_rule(&name), &body_bytes(&event)).unwrap_or_else(|error| panic!("body of {name}: {error}"));
    }
}

proptest! {
    /// Which fields may be absent stands in the format, and nowhere but in the types of the bodies.
    #[test]
    fn bodies_with_fields_left_out_fit_where_they_decode(which in 0_usize..38, left_out in any::<u16>()) {
        let (name, event) = crate::round_trip::every_kind().into_iter().filter(|(name, _)| name != "unknown").nth(which).unwrap();
        let Any::Map(fields) = cbor::from_slice::<Any>(&body_bytes(&event)).unwrap() else { panic!("bodies are maps") };
        let kept = fields.into_iter().enumerate().filter(|(at, _)| left_out & (1 << at) == 0).map(|(_, field)| field);
        let body = cbor::to_vec(&Any::Map(kept.collect()));
        let decoded = SignedEvent::decode(with_body(&event, &body));
        prop_assert_eq!(decoded.is_ok(), fits(body_rule(&name), &body).is_ok(), "{}: {:?}", name, decoded.err());
    }
}

/// The event's bytes with another body; its signature does not fit any more.
fn with_body(event: &SignedEvent, body: &[u8]) -> Vec<u8> {
    let payload = event.payload().to_vec();
    let old = body_bytes(event);
    let at = payload.windows(old.len()).position(|window| window == old).unwrap();
    let payload = [&payload[..at], body, &payload[at + old.len()..]].concat();
    let mut d = minicbor::Decoder::new(event.bytes());
    d.tag().unwrap();
    d.array().unwrap();
    let protected = d.bytes().unwrap();
    let mut e = minicbor::Encoder::new(Vec::new());
    e.tag(minicbor::data::Tag::new(18)).unwrap().array(4).unwrap().bytes(protected).unwrap().map(0).unwrap();
    e.bytes(&payload).unwrap().bytes(event.signature()).unwrap();
    e.into_writer()
}

#[test]
fn what_the_code_refuses_does_not_fit() {
    let (_, event) = crate::round_trip::every_kind().remove(4);
    let payload = event.payload().to_vec();
    assert!(fits("payload", &payload).is_ok());
    // A field number that is not in the format.
    let mut unknown = payload.clone();
    unknown[0] += 1;
    unknown.extend_from_slice(&[15, 0]);
    assert!(fits("payload", &unknown).is_err());
    assert!(fits("touch", &[0x83, 0xf6, 0x02, 0x80]).is_err(), "lane 2");
    assert!(fits("quantity", &[0x83, 0x01, 0x0a, 0x63, b'K', b'G', b'M']).is_err(), "ten decimal places");
    assert!(fits("produce-retired", &body_bytes(&event)).is_err(), "the body of another kind");
}
