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
        Body::Unknown { kind: 60_000, body: Any::Map(vec![(Any::Integer(1), Any::Integer(2))]) },
    ];
    let bodies: Vec<Body> = bodies.into_iter().chain(later_bodies()).collect();
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| bodies.iter().all(|b| b.kind() != Some(**kind))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let signer = Signatory::founder(&network(), 0);
    let signed = bodies.into_iter().map(|body| {
        let name = body.kind().map_or("unknown", Kind::name).replace('.', "_");
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

/// Bodies of keys, network and decisions, of units, attesters, certificates and recalls.
#[allow(clippy::too_many_lines)] // A list reads better in one piece.
fn later_bodies() -> Vec<Body> {
    let signature = || ByteArray::from([7; 64]);
    let document = || Some(Document { sha256: [4; 32], media_type: text("application/pdf") });
    let cut = |key_event| Cut {
        key_event: event_id(key_event),
        last: event_id(2),
        count: 7,
        root: [8; 32],
        stands: vec![event_id(3), event_id(4)],
    };
    let commodity = || Commodity { scheme: text("HS"), code: text("2009.79") };
    let codes = || Codes { gtin: None, lot: Some(text("L-1")), traceability_lot_code: None };
    let measure = |decimal| Measure::parse(decimal, text("CEL")).unwrap();
    let day = |text| Date::parse(text).unwrap();
    let harvested = DateRange::new(day("2026-09-01"), day("2026-09-03")).unwrap();
    let moment = |ms| Timestamp::new(ms).unwrap();
    let name = || LangText::single("en", "Juice").unwrap();
    let parameters = [(text("shorter"), Any::Null), (text("long_name"), Any::Integer(5))];
    let change = Change {
        contracts: Some(vec![Contract { chain_id: u64::MAX, address: [1; 20] }]),
        parameters: Some(Parameters::new(parameters)),
        rules: Some(2),
        leaves: Some(FounderLeaves { index: 1, cut: cut(1) }),
        decision: Some(FoundersDecision {
            lot: subject(1),
            branches: vec![event_id(5), event_id(6)],
            stands: vec![event_id(5)],
        }),
    };
    let delivery = Delivery {
        member: subject(4),
        place: Some(subject(5)),
        quantity: kg("12.5"),
        grade: Some(Grade::standard("A").unwrap()),
        slip: Some(text("S-1")),
    };
    let collected = ProduceCollected {
        commodity: commodity(),
        name: name(),
        variety: Some(text("Gala")),
        deliveries: vec![delivery.clone(), Delivery { place: None, grade: None, slip: None, ..delivery }],
        harvested: Some(harvested),
        quantity: kg("25"),
        grade: Some(Grade::standard("A").unwrap()),
        codes: Some(codes()),
        claims: Some(vec![text("BIO-1")]),
    };
    let output = Output {
        commodity: commodity(),
        name: name(),
        variety: Some(text("Gala")),
        quantity: kg("9"),
        grade: Some(Grade::standard("B").unwrap()),
        codes: Some(codes()),
        claims: Some(vec![text("BIO-1")]),
    };
    let analyte = Analyte { name: text("lead"), value: Some(measure("0.01")), limit: Some(measure("0.1")) };
    vec![
        Body::NetworkAmended(Box::new(NetworkAmended {
            follows: vec![event_id(1), event_id(2)],
            change,
            reason: Some(text("grown")),
        })),
        Body::NetworkApproved(NetworkApproved { amendment: event_id(1) }),
        Body::ActorKeyAdded(KeyAdded {
            key: public(&key(31)),
            custody: Custody::Own,
            name: Some(text("tablet")),
            countersignature: signature(),
        }),
        Body::ActorKeyRotated(KeyRotated {
            key: public(&key(31)),
            custody: Custody::Kept,
            journal: JournalRoot { count: 1_000, root: [6; 32] },
            countersignature: signature(),
        }),
        Body::ActorKeyReplaced(KeyReplaced {
            key: public(&key(31)),
            custody: Custody::Own,
            cuts: vec![cut(1), cut(2)],
            reason: Some(text("stolen")),
            countersignature: signature(),
        }),
        Body::ActorRevoked(ActorRevoked { reason: text("closed"), cuts: vec![cut(1)] }),
        Body::PlaceUpdated(Box::new(PlaceUpdated {
            name: Some(name()),
            gln: Some(Gln::new("6291041500213").unwrap()),
            point: Some(Coordinates::from_degrees(-12.34, 170.01).unwrap()),
            exact_point: Some(sealed()),
            outline: document(),
            area_m2: Some(u64::MAX),
            parent: Some(subject(9)),
            country: Some(text("CH")),
        })),
        Body::ProduceCollected(Box::new(collected)),
        Body::ProduceHandled(ProduceHandled {
            step: text("cool"),
            place: Some(subject(1)),
            temperature: Some(TemperatureLimits { min_centicelsius: -100, max_centicelsius: 200 }),
            remark: Some(text("overnight")),
        }),
        Body::ProduceCodesAssigned(CodesAssigned { codes: codes() }),
        Body::ProduceTransformed(Box::new(ProduceTransformed {
            run: text("run 7"),
            process: text("press"),
            inputs: vec![Input { lot: subject(1), quantity: kg("10") }, Input { lot: subject(2), quantity: kg("1.5") }],
            outputs: vec![output],
            loss: Some(kg("2.5")),
            place: Some(subject(3)),
        })),
        Body::ProduceInspected(ProduceInspected {
            sample: text("sample 7"),
            method: text("EN 15662"),
            analytes: vec![analyte, Analyte { name: text("zinc"), value: None, limit: None }],
            verdict: InspectionVerdict::Inconclusive,
            document: document(),
            place: Some(subject(3)),
        }),
        Body::UnitPacked(UnitPacked {
            sscc: Some(Sscc::new("106141411234567897").unwrap()),
            contents: vec![Content { lot: subject(1), quantity: kg("10") }],
            place: Some(subject(3)),
        }),
        Body::UnitUnpacked(UnitUnpacked { contents: vec![subject(2), subject(1)], place: Some(subject(3)) }),
        Body::ConditionMeasured(Box::new(ConditionMeasured {
            property: text("temperature"),
            period: Period { start: moment(1_790_000_000_000), end: moment(1_790_003_600_000) },
            lowest: measure("-18.5"),
            highest: measure("4"),
            mean: Some(measure("2.25")),
            readings: 360,
            series: document(),
            place: Some(subject(3)),
        })),
        Body::DeviceAttached(DeviceAttached {
            to: subject(1),
            from: moment(1_790_000_000_000),
            until: Some(moment(1_790_003_600_000)),
        }),
        Body::DeviceDetached(DeviceDetached { from: subject(1), at: moment(1_790_003_600_000) }),
        Body::CertificateIssued(Box::new(CertificateIssued {
            scheme: text("organic"),
            number: text("BIO-1"),
            operators: vec![subject(1), subject(2)],
            places: Some(vec![subject(3)]),
            commodities: Some(vec![commodity()]),
            valid: DateRange::new(day("2026-01-01"), day("2026-12-31")).unwrap(),
            volume_cap: Some(kg("100000")),
            document: document(),
        })),
        Body::CertificateStatus(CertificateStatus {
            state: CertificateState::Withdrawn,
            from: moment(1_790_003_600_000),
            reason: Some(text("residues")),
        }),
        Body::RecallIssued(RecallIssued {
            level: RecallLevel::Public,
            hazard: text("listeria"),
            scope: Some(text("all of lot 7")),
            action: RecallAction::Destroy,
            contact: text("+33 5 00 00 00 00"),
        }),
        Body::RecallUpdated(RecallUpdated {
            recall: event_id(1),
            level: Some(RecallLevel::Information),
            hazard: Some(text("none")),
            scope: Some(text("lot 8 too")),
            action: Some(RecallAction::Inform),
            contact: Some(text("the shop")),
        }),
        Body::RecallEnded(RecallEnded { recall: event_id(1), reason: text("all came back") }),
        Body::EventConfirmed(EventConfirmed { target: event_id(1), method: text("paper"), evidence: document() }),
        Body::EventDisputed(EventDisputed { target: event_id(1), reason: text("never came"), evidence: document() }),
        Body::DisputeResolved(DisputeResolved {
            branches: vec![event_id(1), event_id(2)],
            stands: vec![event_id(2)],
            reason: text("delivered"),
            replaces: Some(event_id(3)),
        }),
    ]
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
    let newer = EventId::of(&bytes);
    assert!(matches!(SignedEvent::decode(bytes), Err(DecodeError::NewerVersion { id, version: 2 }) if id == newer));
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
    fn changed_events_never_panic_and_keep_one_form(at in any::<prop::sample::Index>(), which in 0_usize..39, to in any::<u8>()) {
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
    fn measures_come_back(value in any::<i64>(), scale in 0_u8..=9) {
        let measure = Measure::new(value, scale, text("mg/kg")).unwrap();
        prop_assert_eq!(&cbor::from_slice::<Measure>(&cbor::to_vec(&measure)).unwrap(), &measure);
        prop_assert_eq!(Measure::parse(&measure.decimal(), text("mg/kg")).unwrap(), measure);
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
