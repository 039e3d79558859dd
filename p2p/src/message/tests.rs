//! Golden bytes, round trips and hostile inputs of the sync protocol's messages.

use super::*;
use proptest::prelude::*;
use provenance::id::SubjectId;

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

fn id(byte: u8) -> EventId {
    EventId::from_bytes([byte; 32])
}

fn greeting() -> Greeting {
    Greeting { log: key(7), log_size: 1000, program: "furrow/0.1.0".to_owned() }
}

fn opening() -> PassedOpening {
    PassedOpening { event: id(8), path: vec![2, 1], salt: [9; 16], value: vec![0x60] }
}

/// `head`, 32 times `byte`, `tail`.
fn around(head: &[u8], byte: u8, tail: &[u8]) -> Vec<u8> {
    [head, &[byte; 32], tail].concat()
}

fn hello_bytes() -> Vec<u8> {
    around(&[0x84, 0, 0x58, 32], 7, b"\x19\x03\xe8\x6cfurrow/0.1.0")
}

#[test]
fn the_bytes_of_requests_are_fixed() {
    let cases = [
        (Request::Hello(greeting()), hello_bytes()),
        (Request::LogPage { from: 70_000, max: 256 }, vec![0x83, 1, 0x1a, 0, 1, 0x11, 0x70, 0x19, 1, 0]),
        (
            Request::Bodies { ids: vec![id(1), id(2)] },
            around(&around(&[0x82, 2, 0x82, 0x58, 32], 1, &[0x58, 32]), 2, &[]),
        ),
        (Request::Bodies { ids: vec![] }, vec![0x82, 2, 0x80]),
        (Request::Cosign { note: "note\n".to_owned() }, b"\x82\x03\x65note\n".to_vec()),
        (Request::Openings { events: vec![id(3)] }, around(&[0x82, 4, 0x81, 0x58, 32], 3, &[])),
        (Request::Anchor { commitment: [4; 32] }, around(&[0x82, 5, 0x58, 32], 4, &[])),
        (Request::State, vec![0x81, 6]),
        (
            Request::MapPages { keys: vec![vec![0, 0, 0, 0, 0, 0, 0, 0, 5]] },
            vec![0x82, 7, 0x81, 0x49, 0, 0, 0, 0, 0, 0, 0, 0, 5],
        ),
        (
            Request::Recent { subjects: vec![SubjectId::from_bytes([5; 32])] },
            around(&[0x82, 8, 0x81, 0x58, 32], 5, &[]),
        ),
        (Request::Growth { old: 24, new: 300 }, vec![0x83, 9, 0x18, 24, 0x19, 1, 44]),
        (Request::KeptLog { log: key(5), from: 7, max: 2 }, around(&[0x84, 16, 0x58, 32], 5, &[7, 2])),
        (Request::Journals { keys: vec![key(6)] }, around(&[0x82, 17, 0x81, 0x58, 32], 6, &[])),
    ];
    for (message, bytes) in cases {
        assert_eq!(message.encode(), bytes, "{message:?}");
        assert_eq!(Request::decode(&bytes), Ok(message));
    }
}

#[test]
fn the_bytes_of_responses_are_fixed() {
    let cases = [
        (Response::Hello(greeting()), hello_bytes()),
        (Response::LogPage { log_size: 24, ids: vec![id(9)] }, around(&[0x83, 1, 0x18, 24, 0x81, 0x58, 32], 9, &[])),
        (
            Response::Bodies { bodies: vec![Some(vec![1, 2]), None, Some(vec![])] },
            vec![0x82, 2, 0x83, 0x42, 1, 2, 0xf6, 0x40],
        ),
        (Response::Cosigned { line: "— a b\n".to_owned() }, [b"\x82\x03\x68", "— a b\n".as_bytes()].concat()),
        (Response::CosignRefused { reason: 5, missing: vec![id(6)] }, around(&[0x83, 3, 5, 0x81, 0x58, 32], 6, &[])),
        (
            Response::Openings { openings: vec![opening()] },
            [around(&[0x82, 4, 0x81, 0x84, 0x58, 32], 8, &[0x42, 2, 1, 0x50]), vec![9; 16], vec![0x41, 0x60]].concat(),
        ),
        (Response::Anchor { anchor: Some(vec![1]) }, vec![0x82, 5, 0x41, 1]),
        (Response::Anchor { anchor: None }, vec![0x82, 5, 0xf6]),
        (
            Response::State { root: Some(MapRoot { size: 24, version: 3, hash: [6; 32] }) },
            around(&[0x82, 6, 0x83, 0x18, 24, 3, 0x58, 32], 6, &[]),
        ),
        (Response::State { root: None }, vec![0x82, 6, 0xf6]),
        (Response::MapPages { pages: vec![Some(vec![0; 4]), None] }, vec![0x82, 7, 0x82, 0x44, 0, 0, 0, 0, 0xf6]),
        (
            Response::Recent { events: vec![vec![], vec![(24, id(7))]] },
            around(&[0x82, 8, 0x82, 0x80, 0x81, 0x82, 0x18, 24, 0x58, 32], 7, &[]),
        ),
        (Response::Growth { proof: Some(vec![[6; 32]]) }, around(&[0x82, 9, 0x81, 0x58, 32], 6, &[])),
        (Response::Growth { proof: None }, vec![0x82, 9, 0xf6]),
        (Response::Unsupported { kind: 300 }, vec![0x82, 0x18, 255, 0x19, 1, 44]),
        (
            Response::KeptLog { next: 9, note: Some("n".to_owned()), ids: vec![id(7)] },
            around(&[0x84, 16, 9, 0x61, b'n', 0x81, 0x58, 32], 7, &[]),
        ),
        (Response::KeptLog { next: 0, note: None, ids: vec![] }, vec![0x84, 16, 0, 0xf6, 0x80]),
        (Response::Journals { ends: vec![vec![id(8)], vec![]] }, around(&[0x82, 17, 0x82, 0x81, 0x58, 32], 8, &[0x80])),
    ];
    for (message, bytes) in cases {
        assert_eq!(message.encode(), bytes, "{message:?}");
        assert_eq!(Response::decode(&bytes), Ok(message));
    }
}

#[test]
fn hostile_requests_are_refused() {
    let cases: [(&[u8], Malformed); 22] = [
        (&[], Malformed::Empty),
        (&[0xff], Malformed::Shape { at: 0 }),
        (&[0xa0], Malformed::Shape { at: 0 }),
        (&[0x83, 1, 0], Malformed::Shape { at: 3 }),
        (&[0x82, 1, 0], Malformed::Shape { at: 0 }),
        (&[0x82, 6, 0], Malformed::Shape { at: 0 }),
        (&[0x9f, 9, 0xff], Malformed::Shape { at: 0 }),
        (&[0x82, 7, 0x99, 0x01, 0x01], Malformed::TooMany { count: 257, limit: MAX_MAP_PAGES }),
        (&[0x82, 7, 0x81, 0x58, 42], Malformed::Shape { at: 3 }),
        (&[0x82, 8, 0x99, 0x01, 0x01], Malformed::TooMany { count: 257, limit: MAX_SUBJECTS }),
        (&[0x82, 8, 0x81, 0x41, 0], Malformed::Shape { at: 3 }),
        (&[0x83, 1, 0, 1, 0], Malformed::Trailing(1)),
        (&[0x83, 1, 0x18, 1, 1], Malformed::NotDeterministic),
        (&[0x83, 1, 0, 0x19, 0x10, 0x01], Malformed::TooMany { count: 4097, limit: 4096 }),
        (&[0x82, 2, 0x19, 0x04, 0x01], Malformed::Shape { at: 2 }),
        (
            &[0x82, 2, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            Malformed::TooMany { count: u64::MAX, limit: MAX_BODIES },
        ),
        (&[0x82, 3, 0x41, 0], Malformed::Shape { at: 2 }),
        (&[0x82, 4, 0x99, 0x01, 0x01], Malformed::TooMany { count: 257, limit: MAX_OPENED_EVENTS }),
        (&[0x82, 5, 0x41, 0], Malformed::Shape { at: 2 }),
        (&[0x83, 5, 0x41, 0], Malformed::Shape { at: 0 }),
        (&[0x82, 9, 0], Malformed::Shape { at: 0 }),
        (&[0x83, 9, 0, 0x1b, 0, 1, 0, 0, 0, 0, 0, 1], Malformed::LogTooLong(MAX_LOG_SIZE + 1)),
    ];
    for (bytes, fault) in cases {
        assert_eq!(Request::decode(bytes), Err(fault), "{bytes:02x?}");
    }
    let too_large = Malformed::TooLarge { limit: MAX_REQUEST_BYTES };
    assert_eq!(Request::decode(&vec![0; MAX_REQUEST_BYTES + 1]), Err(too_large));
}

#[test]
fn hostile_responses_are_refused() {
    let long_event = [&[0x82, 2, 0x81, 0x59, 0x40, 0x01][..], &vec![0; 16_385]].concat();
    let long_name = around(&[0x84, 0, 0x58, 32], 7, &[&[0, 0x78, 65][..], &[b'a'; 65]].concat());
    let long_note = [&[0x82, 3, 0x79, 0x04, 0x01][..], &[b'a'; 1025]].concat();
    let pathless = around(&[0x82, 4, 0x81, 0x84, 0x58, 32], 8, &[0x40]);
    let deep = around(&[0x82, 4, 0x81, 0x84, 0x58, 32], 8, &[0x45, 1, 2, 3, 4, 5]);
    let cases: [(&[u8], Malformed); 17] = [
        (&long_event, Malformed::TooLong { length: 16_385, limit: MAX_EVENT_BYTES }),
        (&long_name, Malformed::TooLong { length: 65, limit: MAX_PROGRAM_BYTES }),
        (&[0x82, 2, 0x81, 0xf7], Malformed::Shape { at: 3 }),
        (&[0x82, 2, 0x81, 0x5b, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], Malformed::Shape { at: 3 }),
        (&[0x83, 1, 0, 0x81, 0x41, 0], Malformed::Shape { at: 4 }),
        (&[0x83, 1, 0, 0x99, 0x10, 0x01], Malformed::TooMany { count: 4097, limit: 4096 }),
        (&long_note, Malformed::TooLong { length: 1025, limit: MAX_SIGNATURE_LINE_BYTES }),
        (&[0x83, 3, 0, 0x98, 65], Malformed::TooMany { count: 65, limit: MAX_MISSING }),
        (&[0x82, 4, 0x81, 0x83], Malformed::Shape { at: 3 }),
        (&pathless, Malformed::Shape { at: 38 }),
        (&[0x82, 10, 0], Malformed::UnknownKind(10)),
        (&[0x82, 9, 0], Malformed::Shape { at: 2 }),
        (&[0x82, 9, 0x98, 129], Malformed::TooMany { count: 129, limit: MAX_PROOF_HASHES }),
        (&[0x82, 6, 0x82, 0, 0], Malformed::Shape { at: 2 }),
        (&[0x82, 7, 0x99, 0x01, 0x01], Malformed::TooMany { count: 257, limit: MAX_MAP_PAGES }),
        (&[0x82, 8, 0x81, 0x98, 65], Malformed::TooMany { count: 65, limit: MAX_RECENT }),
        (&deep, Malformed::TooLong { length: 5, limit: MAX_PATH }),
    ];
    for (bytes, fault) in cases {
        assert_eq!(Response::decode(bytes), Err(fault));
    }
}

#[test]
fn a_request_of_a_newer_program_is_read_as_one_that_is_unknown() {
    for bytes in
        [&[0x81, 10][..], &[0x84, 15], &[0x82, 18, 0], &[0x84, 0x19, 1, 0, 0xff, 0xff], &[0x98, 200, 0x18, 255]]
    {
        let request = Request::decode(bytes).unwrap();
        let Request::Unknown { kind, .. } = &request else { panic!("not unknown: {request:?}") };
        assert!(*kind >= 10);
        assert_eq!(request.encode(), bytes);
        assert!(request.check().is_err(), "it is never sent");
        assert!(request.expects().admits(&Response::Unsupported { kind: *kind }));
        assert!(!request.expects().admits(&Response::State { root: None }));
    }
}

#[test]
fn every_truncation_is_refused() {
    let request = Request::Bodies { ids: vec![id(1), id(2)] }.encode();
    let response = Response::Bodies { bodies: vec![Some(vec![1, 2]), None] }.encode();
    for end in 0..request.len() {
        assert!(Request::decode(&request[..end]).is_err());
    }
    for end in 0..response.len() {
        assert!(Response::decode(&response[..end]).is_err());
    }
}

#[test]
fn what_is_over_the_limits_is_not_sent() {
    assert!(Request::LogPage { from: 0, max: MAX_PAGE_IDS + 1 }.check().is_err());
    assert!(Request::Bodies { ids: vec![id(0); MAX_BODIES + 1] }.check().is_err());
    let long = Greeting { program: "x".repeat(MAX_PROGRAM_BYTES + 1), ..greeting() };
    assert!(Request::Hello(long).check().is_err());
    let long = vec![Some(vec![0; MAX_EVENT_BYTES + 1])];
    assert!(Response::Bodies { bodies: long }.check().is_err());
    assert!(Request::Cosign { note: "x".repeat(MAX_NOTE_BYTES + 1) }.check().is_err());
    assert!(Request::Openings { events: vec![id(0); MAX_OPENED_EVENTS + 1] }.check().is_err());
    assert!(Response::Cosigned { line: "x".repeat(MAX_SIGNATURE_LINE_BYTES + 1) }.check().is_err());
    assert!(Response::CosignRefused { reason: 0, missing: vec![id(0); MAX_MISSING + 1] }.check().is_err());
    assert!(Response::Anchor { anchor: Some(vec![0; MAX_ANCHOR_BYTES + 1]) }.check().is_err());
    assert!(Response::Growth { proof: Some(vec![[0; 32]; MAX_PROOF_HASHES + 1]) }.check().is_err());
    for wrong in [
        PassedOpening { path: vec![], ..opening() },
        PassedOpening { path: vec![0; MAX_PATH + 1], ..opening() },
        PassedOpening { value: vec![0; MAX_EVENT_BYTES + 1], ..opening() },
    ] {
        assert!(Response::Openings { openings: vec![wrong] }.check().is_err());
    }
    let much = vec![Some(vec![0; MAX_EVENT_BYTES]); 257];
    assert!(Response::Bodies { bodies: much }.check().is_err());
}

#[test]
fn sizes_that_no_log_has_are_refused() {
    for size in [MAX_LOG_SIZE + 1, u64::MAX - 1, u64::MAX] {
        let root = Some(MapRoot { size, version: 0, hash: [0; 32] });
        for response in [
            Response::Hello(Greeting { log_size: size, ..greeting() }),
            Response::LogPage { log_size: size, ids: vec![] },
            Response::State { root },
            Response::Recent { events: vec![vec![(size, id(1))]] },
        ] {
            assert!(response.check().is_err(), "{response:?}");
            assert_eq!(Response::decode(&response.encode()), Err(Malformed::LogTooLong(size)));
        }
        let request = Request::Hello(Greeting { log_size: size, ..greeting() });
        assert!(request.check().is_err());
        assert_eq!(Request::decode(&request.encode()), Err(Malformed::LogTooLong(size)));
    }
    let longest = Response::Hello(Greeting { log_size: MAX_LOG_SIZE, ..greeting() });
    assert_eq!(Response::decode(&longest.encode()), Ok(longest));
}

#[test]
fn the_largest_messages_pass() {
    let request = Request::Bodies { ids: vec![id(255); MAX_BODIES] };
    assert_eq!(request.check(), Ok(()));
    assert_eq!(Request::decode(&request.encode()), Ok(request));

    let response = Response::fitting(std::iter::repeat(Some(vec![255; MAX_EVENT_BYTES])));
    let Response::Bodies { bodies } = &response else { panic!("not bodies: {response:?}") };
    assert_eq!(bodies.len(), 255);
    assert_eq!(response.check(), Ok(()));
    assert_eq!(Response::decode(&response.encode()), Ok(response));

    let request = Request::Cosign { note: "x".repeat(MAX_NOTE_BYTES) };
    assert_eq!(Request::decode(&request.encode()), Ok(request));
    let large = PassedOpening { value: vec![255; MAX_EVENT_BYTES], path: vec![255; MAX_PATH], ..opening() };
    let response = Response::fitting_openings(std::iter::repeat(large));
    assert_eq!(response.check(), Ok(()));
    assert_eq!(Response::decode(&response.encode()), Ok(response));
    let response = Response::fitting_openings(std::iter::repeat(opening()));
    assert_eq!(response.check(), Ok(()));
    assert_eq!(Response::decode(&response.encode()), Ok(response));
}

#[test]
fn an_answer_must_fit_its_question() {
    let page = Response::LogPage { log_size: 9, ids: vec![id(1), id(2)] };
    assert!(Request::LogPage { from: 0, max: 2 }.expects().admits(&page));
    assert!(!Request::LogPage { from: 0, max: 1 }.expects().admits(&page));
    assert!(!Request::Hello(greeting()).expects().admits(&page));
    let bodies = Response::Bodies { bodies: vec![None] };
    assert!(Request::Bodies { ids: vec![id(1), id(2)] }.expects().admits(&bodies));
    assert!(!Request::Bodies { ids: vec![] }.expects().admits(&bodies));
    let cosign = Request::Cosign { note: String::new() }.expects();
    assert!(cosign.admits(&Response::Cosigned { line: String::new() }));
    assert!(cosign.admits(&Response::CosignRefused { reason: 1, missing: vec![] }));
    assert!(!cosign.admits(&Response::Anchor { anchor: None }));
    assert!(Request::Anchor { commitment: [0; 32] }.expects().admits(&Response::Anchor { anchor: None }));
    let many = Response::Openings { openings: vec![opening(); MAX_OPENINGS_OF_EVENT + 1] };
    assert!(!Request::Openings { events: vec![id(8)] }.expects().admits(&many));
    assert!(Request::Openings { events: vec![id(8), id(9)] }.expects().admits(&many));
    let pages = Response::MapPages { pages: vec![None] };
    assert!(Request::MapPages { keys: vec![vec![0; 9]] }.expects().admits(&pages));
    assert!(!Request::MapPages { keys: vec![] }.expects().admits(&pages));
    let recent = Response::Recent { events: vec![vec![]] };
    assert!(Request::Recent { subjects: vec![SubjectId::from_bytes([1; 32])] }.expects().admits(&recent));
    assert!(!Request::Recent { subjects: vec![] }.expects().admits(&recent));
    assert!(!Request::State.expects().admits(&recent));
    assert!(Request::State.expects().admits(&Response::Unsupported { kind: 6 }));
    assert!(Request::Growth { old: 1, new: 2 }.expects().admits(&Response::Growth { proof: None }));
    assert!(!Request::State.expects().admits(&Response::Growth { proof: None }));
}

fn any_size() -> impl Strategy<Value = u64> {
    0..=MAX_LOG_SIZE
}

fn any_greeting() -> impl Strategy<Value = Greeting> {
    (any::<[u8; 32]>(), any_size(), "\\PC{0,16}").prop_map(|(log, log_size, program)| Greeting {
        log: PublicKey::from_bytes(log),
        log_size,
        program,
    })
}

fn any_ids(most: usize) -> impl Strategy<Value = Vec<EventId>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(EventId::from_bytes), 0..most)
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        any_greeting().prop_map(Request::Hello),
        (any::<u64>(), 0..=MAX_PAGE_IDS).prop_map(|(from, max)| Request::LogPage { from, max }),
        any_ids(40).prop_map(|ids| Request::Bodies { ids }),
        "\\PC{0,60}".prop_map(|note| Request::Cosign { note }),
        any_ids(40).prop_map(|events| Request::Openings { events }),
        any::<[u8; 32]>().prop_map(|commitment| Request::Anchor { commitment }),
        Just(Request::State),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX_PAGE_KEY_BYTES), 0..20)
            .prop_map(|keys| Request::MapPages { keys }),
        prop::collection::vec(any::<[u8; 32]>().prop_map(SubjectId::from_bytes), 0..20)
            .prop_map(|subjects| Request::Recent { subjects }),
        (any::<u64>(), any_size()).prop_map(|(old, new)| Request::Growth { old, new }),
        (any::<[u8; 32]>(), any::<u64>(), 0..=MAX_PAGE_IDS).prop_map(|(log, from, max)| Request::KeptLog {
            log: PublicKey::from_bytes(log),
            from,
            max
        }),
        prop::collection::vec(any::<[u8; 32]>().prop_map(PublicKey::from_bytes), 0..9)
            .prop_map(|keys| Request::Journals { keys }),
    ]
}

fn any_opening() -> impl Strategy<Value = PassedOpening> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 1..=most);
    (any::<[u8; 32]>(), bytes(MAX_PATH), any::<[u8; 16]>(), bytes(100))
        .prop_map(|(event, path, salt, value)| PassedOpening { event: EventId::from_bytes(event), path, salt, value })
}

fn any_response() -> impl Strategy<Value = Response> {
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..400));
    prop_oneof![
        any_greeting().prop_map(Response::Hello),
        (any_size(), any_ids(40)).prop_map(|(log_size, ids)| Response::LogPage { log_size, ids }),
        prop::collection::vec(body.clone(), 0..40).prop_map(|bodies| Response::Bodies { bodies }),
        "\\PC{0,60}".prop_map(|line| Response::Cosigned { line }),
        (any::<u32>(), any_ids(40)).prop_map(|(reason, missing)| Response::CosignRefused { reason, missing }),
        prop::collection::vec(any_opening(), 0..20).prop_map(|openings| Response::Openings { openings }),
        body.clone().prop_map(|anchor| Response::Anchor { anchor }),
        prop::option::of((any_size(), any::<u64>(), any::<[u8; 32]>()))
            .prop_map(|root| root.map(|(size, version, hash)| MapRoot { size, version, hash }))
            .prop_map(|root| Response::State { root }),
        prop::collection::vec(body, 0..20).prop_map(|pages| Response::MapPages { pages }),
        prop::collection::vec(
            prop::collection::vec((any_size(), any::<[u8; 32]>().prop_map(EventId::from_bytes)), 0..9),
            0..9
        )
        .prop_map(|events| Response::Recent { events }),
        any::<u64>().prop_map(|kind| Response::Unsupported { kind }),
        prop::option::of(prop::collection::vec(any::<[u8; 32]>(), 0..20)).prop_map(|proof| Response::Growth { proof }),
        (any::<u64>(), prop::option::of("\\PC{0,60}"), any_ids(40)).prop_map(|(next, note, ids)| Response::KeptLog {
            next,
            note,
            ids
        }),
        prop::collection::vec(any_ids(3), 0..9).prop_map(|ends| Response::Journals { ends }),
    ]
}

proptest! {
    #[test]
    fn requests_come_back(request in any_request()) {
        prop_assert_eq!(request.check(), Ok(()));
        prop_assert_eq!(Request::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn responses_come_back(response in any_response()) {
        prop_assert_eq!(response.check(), Ok(()));
        prop_assert_eq!(Response::decode(&response.encode()), Ok(response));
    }

    #[test]
    fn only_the_one_encoding_decodes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(request.encode(), bytes.clone());
        }
        if let Ok(response) = Response::decode(&bytes) {
            prop_assert_eq!(response.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_means_something_else(
        request in any_request(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut bytes = request.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert_ne!(Request::decode(&bytes), Ok(request));
    }
}
