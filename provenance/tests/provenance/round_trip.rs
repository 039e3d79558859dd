//! decode ∘ encode = id, and encode ∘ decode = id on everything that decodes.

use crate::story::*;
use minicbor::bytes::ByteArray;
use proptest::prelude::*;
use provenance::body::*;
use provenance::cbor::{self, Any};
use provenance::event::{DecodeError, SignedEvent};
use provenance::id::{EventId, SubjectId};
use provenance::kind::Kind;
use provenance::payload::{After, Lane, Reference, Touch};
use provenance::seal::{Commitment, Sealable};
use provenance::value::*;

fn subject(byte: u8) -> SubjectId {
    SubjectId::from_bytes([byte; 32])
}

fn event_id(byte: u8) -> EventId {
    EventId::from_bytes([byte; 32])
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

fn sealed<T>() -> Sealable<T> {
    Sealable::Sealed(Commitment::from_bytes([0xcc; 32]))
}

fn price() -> Price {
    let money = Money::new(125, Currency::new("EUR").unwrap()).unwrap();
    Price { money, per: Some(Unit::new("KGM").unwrap()) }
}

/// One event of every kind with rules, every field of it filled.
#[allow(clippy::too_many_lines)] // A list reads better in one piece.
pub fn every_kind() -> Vec<(String, SignedEvent)> {
    let node = NodeDetails {
        log_key: public(&key(40)),
        peer_id: text("12D3KooWExample"),
        anchoring: Some(AnchoringDetails { chain_id: 31_337, contract: [1; 20], sender: [2; 20] }),
    };
    let enrolled = ActorEnrolled {
        key: public(&key(30)),
        custody: Custody::Kept,
        roles: vec![Role::Cooperative, Role::Node],
        may_give: vec![Role::Farmer],
        display_name: text("Coopérative"),
        personal_name: Some(sealed()),
        gln: Some(Gln::new("6291041500213").unwrap()),
        gs1_prefixes: Some(vec![Gs1Prefix::new("629104").unwrap()]),
        node: Some(node.clone()),
        countersignature: ByteArray::from([7; 64]),
    };
    let place = PlaceRegistered {
        place_type: text("farm"),
        name: LangText::new([("en".into(), text("Farm")), ("de-CH".into(), text("Hof"))]).unwrap(),
        gln: Some(Gln::new("6291041500213").unwrap()),
        point: Some(Coordinates::from_degrees(-12.34, 170.01).unwrap()),
        exact_point: Some(sealed()),
        outline: Some(Document { sha256: [4; 32], media_type: text("application/geo+json") }),
        area_m2: Some(25_000),
        parent: Some(subject(9)),
        country: Some(text("CH")),
    };
    let registered = ProduceRegistered {
        commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
        name: LangText::single("en", "Apples").unwrap(),
        variety: Some(text("Gala")),
        places: vec![subject(1), subject(2)],
        harvested: Some(
            DateRange::new(Date::parse("2026-09-01").unwrap(), Date::parse("2026-09-03").unwrap()).unwrap(),
        ),
        quantity: Quantity::parse("1250.50", Unit::new("KGM").unwrap(), Some(100)).unwrap(),
        grade: Some(Grade::new(text("UNECE FFV-50"), text("Extra")).unwrap()),
        codes: Some(Codes {
            gtin: Some(Gtin::new("96385074").unwrap()),
            lot: Some(text("L-1")),
            traceability_lot_code: Some(text("TLC-1")),
        }),
        claims: Some(vec![text("BIO-1")]),
        harvester: Some(sealed()),
        price: Some(Sealable::Open(price())),
    };
    let offered = TransferOffered {
        lines: vec![
            OfferedLine { lot: subject(3), quantity: kg("5") },
            OfferedLine { lot: subject(4), quantity: kg("6.5") },
        ],
        to: Recipient::OutsideName(sealed()),
        moves: Moves::Both,
        carrier: Some(subject(5)),
        from_place: Some(subject(6)),
        to_place: Some(subject(7)),
        temperature: Some(TemperatureLimits { min_centicelsius: -50, max_centicelsius: 400 }),
        price: Some(sealed()),
        expires: Some(Timestamp::new(1_800_000_000_000).unwrap()),
        returns: Some(event_id(8)),
    };
    let accepted = TransferAccepted {
        offer: event_id(1),
        lines: vec![AcceptedLine {
            received: kg("4"),
            rejected: Some(kg("0.5")),
            lost: Some(kg("0.5")),
            reason: Some(text("bruised")),
        }],
    };
    let closed = TransferClosed { offer: event_id(1), reason: Some(text("late")) };
    let bodies = vec![
        Body::ActorEnrolled(enrolled),
        Body::ActorUpdated(ActorUpdated {
            display_name: Some(text("New name")),
            gln: None,
            gs1_prefixes: Some(vec![]),
            node: Some(node),
        }),
        Body::PlaceRegistered(place),
        Body::ProduceRegistered(Box::new(registered)),
        Body::ProduceMoved(ProduceMoved { place: subject(1) }),
        Body::ProduceQualityUpdated(QualityUpdated {
            grade: Grade::standard("Premium").unwrap(),
            reason: Some(text("sorted")),
        }),
        Body::ProducePriceUpdated(PriceUpdated { price: Sealable::Open(price()), reason: None }),
        Body::ProduceRetired(ProduceRetired { quantity: kg("1"), outcome: Outcome::Consumed }),
        Body::TransferOffered(Box::new(offered)),
        Body::TransferAccepted(accepted),
        Body::TransferDeclined(closed.clone()),
        Body::TransferCancelled(closed),
        Body::EventCorrected(EventCorrected {
            target: event_id(3),
            reason: text("typing error"),
            replacement: [(3, Any::Text("Gala".into())), (7, Any::Null)].into(),
        }),
        Body::Unknown { kind: Kind::RecallIssued.number(), body: Any::Map(vec![(Any::Integer(1), Any::Integer(2))]) },
    ];
    let signer = Signatory::founder(&network(), 0);
    let signed = bodies.into_iter().map(|body| {
        let name = body.kind().unwrap().name().replace('.', "_");
        let touches = vec![
            touch(subject(1), &[event_id(5), event_id(4)]),
            Touch { subject: Some(subject(1)), lane: Lane::Attester(subject(2)), prev: vec![] },
            new_subject(),
        ];
        let mut payload = signer.payload(touches, &[event_id(6)], body);
        payload.occurred = Some(Occurred::new(Timestamp::new(1_790_000_000_000).unwrap(), None, 120).unwrap());
        payload.on_behalf_of = Some(subject(11));
        payload.captured_by = Some(subject(12));
        payload.refs = Some(vec![Reference { document_type: text("purchase order"), number: text("PO-17") }]);
        payload.after = Some(After { chain_id: 1, commitment: [5; 32] });
        payload.extensions = Some(TextMap::new([("https://example.org/x".into(), Any::Bool(true))]).unwrap());
        (name, signer.clone().sign(payload))
    });
    signed.collect()
}

#[test]
fn every_kind_comes_back_as_it_was() {
    for (name, event) in every_kind() {
        assert_eq!(SignedEvent::decode(event.bytes().to_vec()).unwrap(), event, "{name}");
        for cut in 0..event.bytes().len() {
            assert!(SignedEvent::decode(event.bytes()[..cut].to_vec()).is_err(), "{name} cut at {cut}");
        }
        let longer = [event.bytes(), &[0]].concat();
        assert!(SignedEvent::decode(longer).is_err(), "{name} with a byte more");
    }
}

#[test]
fn oversize_and_newer_events_are_told_apart() {
    assert!(matches!(SignedEvent::decode(vec![0; 16 * 1024 + 1]), Err(DecodeError::TooLarge(_))));
    let event = every_kind().remove(0).1;
    let mut bytes = event.bytes().to_vec();
    // The payload starts with its map head, then 01 01: version 1.
    let at = bytes.windows(5).position(|w| w[1..] == [0x01, 0x01, 0x02, 0x0a]).expect("version and kind") + 2;
    bytes[at] = 2;
    assert!(matches!(SignedEvent::decode(bytes), Err(DecodeError::NewerVersion(2))));
}

fn any_value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        (-(1_i128 << 64)..(1_i128 << 64)).prop_map(Any::Integer),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Any::Bytes),
        ".{0,12}".prop_map(Any::Text),
        any::<bool>().prop_map(Any::Bool),
        Just(Any::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Any::Array),
            prop::collection::btree_map(".{0,6}", inner.clone(), 0..4)
                .prop_map(|map| Any::Map(map.into_iter().map(|(k, v)| (Any::Text(k), v)).collect())),
            (any::<u64>(), inner).prop_map(|(tag, value)| Any::Tagged(tag, Box::new(value))),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_has_one_encoding(value in any_value()) {
        let bytes = cbor::to_vec(&value);
        let back: Any = cbor::from_slice(&bytes).unwrap();
        prop_assert_eq!(cbor::to_vec(&back), bytes);
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = cbor::from_slice::<Any>(&bytes) {
            prop_assert_eq!(cbor::to_vec(&value), bytes);
        }
    }

    #[test]
    fn changed_events_never_panic_and_keep_one_form(at in any::<prop::sample::Index>(), which in 0_usize..14, to in any::<u8>()) {
        let event = every_kind().remove(which).1;
        let mut bytes = event.bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(decoded) = SignedEvent::decode(bytes.clone()) {
            prop_assert_eq!(decoded.bytes(), &bytes[..]);
            prop_assert_eq!(decoded.id(), EventId::of(&bytes));
        }
    }

    #[test]
    fn quantities_come_back(value in any::<u64>(), scale in 0_u8..=9, packages in any::<Option<u32>>()) {
        let quantity = Quantity::new(value, scale, Unit::new("H87").unwrap(), packages).unwrap();
        prop_assert_eq!(cbor::from_slice::<Quantity>(&cbor::to_vec(&quantity)).unwrap(), quantity);
        let parsed = Quantity::parse(&quantity.decimal(), quantity.unit(), packages).unwrap();
        prop_assert_eq!(parsed, quantity);
    }

    #[test]
    fn points_come_back(latitude in -900_000_000_i32..=900_000_000, longitude in -1_800_000_000_i32..=1_800_000_000) {
        let point = Coordinates::new(latitude, longitude).unwrap();
        prop_assert_eq!(cbor::from_slice::<Coordinates>(&cbor::to_vec(&point)).unwrap(), point);
        let (lat, lon) = point.degrees();
        prop_assert_eq!(Coordinates::from_degrees(lat, lon).unwrap(), point);
    }

    #[test]
    fn prices_come_back(amount in 0_i128..(1 << 119)) {
        let price = Price { money: Money::new(amount, Currency::new("ETH").unwrap()).unwrap(), per: None };
        prop_assert_eq!(cbor::from_slice::<Price>(&cbor::to_vec(&price)).unwrap(), price);
    }
}
