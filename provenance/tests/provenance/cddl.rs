//! The written-down format and the code say the same.

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
        "actor_enrolled" => "actor-enrolled",
        "actor_updated" => "actor-updated",
        "place_registered" => "place-registered",
        "produce_registered" => "produce-registered",
        "produce_moved" => "produce-moved",
        "produce_quality_updated" => "quality-updated",
        "produce_price_updated" => "price-updated",
        "produce_retired" => "produce-retired",
        "transfer_offered" => "transfer-offered",
        "transfer_accepted" => "transfer-accepted",
        "transfer_declined" | "transfer_cancelled" => "transfer-closed",
        "event_corrected" => "event-corrected",
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
