//! Lineage on a real store: what walks reach, what recall reports show, and how long they take.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ledger::findings;
use ledger::trace::{Bounds, Direction, How, Lineage, LineageFollower, Trace};
use ledger::view::{LotStanding, ViewFollower, Views};
use ledger::{ForkFollower, Ledger, LedgerOptions, Origin};
use provenance::body::{
    Body, CertificateIssued, Codes, Commodity, Content, Input, Output, ProduceTransformed, Role, UnitPacked,
    UnitUnpacked,
};
use provenance::findings::{Finding, FindingKind};
use provenance::id::SubjectId;
use provenance::payload::Touch;
use provenance::value::{Date, DateRange, LangText};
use std::sync::Arc;
use std::time::Instant;
use story::{Story, Who, kg, text};

const ALL: Bounds = Bounds { depth: u32::MAX, lots: 131_072 };

struct Node {
    ledger: Ledger,
    lineage: Lineage,
    _folder: tempfile::TempDir,
}

impl Node {
    async fn told(story: &Story) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let followers: Vec<Arc<dyn ledger::Follower>> =
            vec![Arc::new(ViewFollower::new(story.network.clone())), Arc::new(LineageFollower), Arc::new(ForkFollower)];
        let options = LedgerOptions { followers, ..LedgerOptions::default() };
        let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
        for some in story.bytes().chunks(1_024) {
            for outcome in ledger.submit(some.to_vec(), Origin::Peer("test".into())).await.unwrap() {
                assert!(outcome.index().is_some(), "{outcome:?}");
            }
        }
        assert!(ledger.followed(ledger.size() - 1).await);
        Self { lineage: Lineage::new(ledger.reader().clone()), ledger, _folder: folder }
    }

    fn down(&self, from: SubjectId) -> Trace {
        self.lineage.trace(&[from], Direction::Downstream, ALL).unwrap()
    }

    fn findings(&self, lot: &SubjectId) -> Vec<Finding> {
        let views = Views::new(self.ledger.reader().clone());
        let (row, history) = (views.produce(lot).unwrap().unwrap(), views.history(lot).unwrap().unwrap());
        findings::of_lot(self.ledger.reader(), &row, &history).unwrap()
    }

    fn up(&self, from: SubjectId) -> Trace {
        self.lineage.trace(&[from], Direction::Upstream, ALL).unwrap()
    }
}

fn subjects(trace: &Trace) -> Vec<SubjectId> {
    assert!(!trace.more);
    sorted(trace.reached.iter().map(|reached| reached.subject))
}

fn sorted(subjects: impl IntoIterator<Item = SubjectId>) -> Vec<SubjectId> {
    let mut subjects: Vec<_> = subjects.into_iter().collect();
    subjects.sort_unstable();
    subjects
}

/// Makes lots of these quantities out of these lots.
fn transform(s: &mut Story, who: Who, inputs: &[(SubjectId, &str)], outputs: &[&str]) -> Vec<SubjectId> {
    let output = |quantity: &&str| Output {
        commodity: Commodity { scheme: text("HS"), code: text("2009.79") },
        name: LangText::single("en", "Juice").unwrap(),
        variety: None,
        quantity: kg(quantity),
        grade: None,
        codes: None,
        claims: None,
    };
    let body = ProduceTransformed {
        run: text("1"),
        process: text("pressed"),
        inputs: inputs.iter().map(|(lot, quantity)| Input { lot: *lot, quantity: kg(quantity) }).collect(),
        outputs: outputs.iter().map(output).collect(),
        loss: None,
        place: None,
    };
    let touches: Vec<Touch> = inputs.iter().map(|(lot, _)| s.on(*lot)).collect();
    let created = outputs.iter().map(|_| Story::new_subject());
    let event =
        s.tell(who, touches.into_iter().chain(created).collect(), &[], Body::ProduceTransformed(Box::new(body)));
    (inputs.len()..inputs.len() + outputs.len()).map(|at| event.subject(at).unwrap()).collect()
}

/// Packs all of some lots, and part of another, into a new unit; gives back the unit and the part.
fn pack(s: &mut Story, who: Who, whole: (SubjectId, &str), part: (SubjectId, &str)) -> (SubjectId, SubjectId) {
    let contents = [whole, part].map(|(lot, quantity)| Content { lot, quantity: kg(quantity) });
    let touches = vec![Story::new_subject(), s.on(whole.0), s.on(part.0), Story::new_subject()];
    let body = UnitPacked { sscc: None, contents: contents.to_vec(), place: None };
    let event = s.tell(who, touches, &[], Body::UnitPacked(body));
    (event.subject(0).unwrap(), event.subject(3).unwrap())
}

#[tokio::test]
async fn lineage_goes_over_parts_makings_and_units_both_ways() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer, Role::Processor], &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let farm = s.place(farmer, "Hillside");
    let (apples, pears) = (s.lot(farmer, farm, "1000"), s.lot(farmer, farm, "500"));
    let offer = s.offer(farmer, apples, "400", true, buyer);
    let part = offer.subject(1).unwrap();
    let returned = s.accept(buyer, offer.id(), part, "300", Some("100")).subject(1).unwrap();
    let made = transform(&mut s, farmer, &[(apples, "600"), (pears, "100")], &["300", "200"]);
    let (unit, packed) = pack(&mut s, farmer, (made[0], "300"), (pears, "50"));
    let again = transform(&mut s, farmer, &[(made[1], "100")], &["90"]);
    let node = Node::told(&s).await;

    assert_eq!(subjects(&node.down(apples)), sorted([apples, part, returned, made[0], made[1], unit, again[0]]));
    assert_eq!(subjects(&node.down(pears)), sorted([pears, made[0], made[1], unit, packed, again[0]]));
    assert_eq!(subjects(&node.up(again[0])), sorted([again[0], made[1], apples, pears]));
    assert_eq!(subjects(&node.up(returned)), sorted([returned, part, apples]));
    // What lies beside a lot in a unit is not reached through it, but all of it from the unit.
    assert!(!subjects(&node.down(made[0])).contains(&packed));
    assert_eq!(subjects(&node.down(unit)), sorted([unit, made[0], packed]));
    assert_eq!(subjects(&node.up(unit)), sorted([unit, made[0], packed, pears, apples]));

    let direct = node.down(apples).reached.into_iter().find(|reached| reached.subject == made[0]).unwrap();
    assert_eq!((direct.depth, direct.from, direct.how), (1, Some(apples), Some(How::Made)));
    let near = node.lineage.trace(&[apples], Direction::Downstream, Bounds { depth: 1, ..ALL }).unwrap();
    assert!(near.more && near.reached.len() == 4, "{near:?}");
    let few = node.lineage.trace(&[apples], Direction::Downstream, Bounds { lots: 3, ..ALL }).unwrap();
    assert!(few.more && few.reached.len() == 3, "{few:?}");
    let whole = node.lineage.trace(&[again[0]], Direction::Upstream, Bounds { depth: 2, lots: 4 }).unwrap();
    assert!(!whole.more && whole.reached.len() == 4, "bounds that are just reached cut nothing: {whole:?}");
}

#[tokio::test]
async fn what_was_unpacked_is_not_in_the_unit() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let farm = s.place(farmer, "Hillside");
    let (apples, pears) = (s.lot(farmer, farm, "1000"), s.lot(farmer, farm, "500"));
    let (unit, part) = pack(&mut s, farmer, (apples, "1000"), (pears, "50"));
    let touches = vec![s.on(unit), s.on(apples)];
    s.tell(farmer, touches, &[], Body::UnitUnpacked(UnitUnpacked { contents: vec![apples], place: None }));
    let node = Node::told(&s).await;
    assert_eq!(subjects(&node.down(apples)), [apples]);
    assert_eq!(subjects(&node.down(unit)), sorted([unit, part]));
}

#[tokio::test]
async fn what_a_thief_unpacked_is_still_in_the_unit() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let farm = s.place(farmer, "Hillside");
    let (apples, pears) = (s.lot(farmer, farm, "1000"), s.lot(farmer, farm, "500"));
    let (unit, part) = pack(&mut s, farmer, (apples, "1000"), (pears, "50"));
    let packing = s.events.last().unwrap().id();
    let unpack = |s: &mut Story, lot| {
        let touches = vec![s.on(unit), s.on(lot)];
        s.tell(farmer, touches, &[], Body::UnitUnpacked(UnitUnpacked { contents: vec![lot], place: None }));
    };
    unpack(&mut s, apples);
    s.revoke(0, farmer, packing);
    let node = Node::told(&s).await;
    assert_eq!(subjects(&node.down(apples)), sorted([apples, unit]));
    assert_eq!(subjects(&node.down(unit)), sorted([unit, apples, part]));
    assert_eq!(subjects(&node.up(unit)), sorted([unit, apples, part, pears]));
}

#[tokio::test]
async fn what_is_packed_again_is_in_the_unit() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let farm = s.place(farmer, "Hillside");
    let (apples, pears) = (s.lot(farmer, farm, "1000"), s.lot(farmer, farm, "500"));
    let (unit, part) = pack(&mut s, farmer, (apples, "1000"), (pears, "50"));
    let unpack = |s: &mut Story| {
        let touches = vec![s.on(unit), s.on(apples)];
        s.tell(farmer, touches, &[], Body::UnitUnpacked(UnitUnpacked { contents: vec![apples], place: None }));
    };
    unpack(&mut s);
    let touches = vec![s.on(unit), s.on(apples)];
    let contents = vec![Content { lot: apples, quantity: kg("1000") }];
    s.tell(farmer, touches, &[], Body::UnitPacked(UnitPacked { sscc: None, contents, place: None }));
    let node = Node::told(&s).await;
    assert_eq!(subjects(&node.down(apples)), sorted([apples, unit]));
    assert_eq!(subjects(&node.down(unit)), sorted([unit, apples, part]));
    unpack(&mut s);
    let node = Node::told(&s).await;
    assert_eq!(subjects(&node.down(apples)), [apples]);
    assert_eq!(subjects(&node.down(unit)), sorted([unit, part]));
}

#[tokio::test]
async fn recall_reports_name_who_has_what() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let (farm, store) = (s.place(farmer, "Hillside"), s.place(farmer, "Cold store"));
    let (lot, other) = (s.lot(farmer, farm, "1000"), s.lot(farmer, farm, "10"));
    let before = s.events.last().unwrap().payload().time.ms();
    let offer = s.offer(farmer, lot, "400", true, buyer);
    let part = offer.subject(1).unwrap();
    s.accept(buyer, offer.id(), part, "400", None);
    s.move_to(farmer, lot, store);
    let moved = s.events.last().unwrap().payload().time.ms();
    s.retire(farmer, other, "10");
    let node = Node::told(&s).await;

    let report = node.lineage.recall(&[lot, other], ALL).unwrap();
    assert!(!report.more);
    let holders: Vec<_> = report.holders.into_iter().collect();
    let mut expected = vec![(s.id(farmer), 1), (s.id(buyer), 1)];
    expected.sort_unstable();
    assert_eq!(holders, expected, "what was retired nobody holds any more");
    let of = |id| report.lots.iter().find(|present| present.reached.subject == id).unwrap();
    assert_eq!(of(part).balance, Some(kg("400")));
    assert_eq!(of(lot).balance, Some(kg("600")));
    assert_eq!(of(other).standing, Some(LotStanding::Closed));

    let at = |place, from, until| node.lineage.at_place(&place, from, until, 100).unwrap().lots;
    assert_eq!(at(farm, 0, u64::MAX), sorted([lot, other]));
    assert_eq!(at(store, 0, moved - 1), []);
    assert_eq!(at(store, moved, moved), [lot]);
    assert_eq!(at(store, moved + 1, u64::MAX), [lot], "it is still there");
    assert_eq!(at(farm, before, before), sorted([lot, other]));
    assert_eq!(at(farm, moved + 1, u64::MAX), [other], "the other was moved away");
    assert!(node.lineage.at_place(&farm, 0, u64::MAX, 1).unwrap().more);
}

#[tokio::test]
async fn findings_rest_on_what_a_history_names() {
    let mut s = Story::new();
    let certifier = s.enrol(0, &[Role::Certifier], &[]);
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let day = |text| Date::parse(text).unwrap();
    let certificate = CertificateIssued {
        scheme: text("organic"),
        number: text("FR-1"),
        operators: vec![s.id(farmer)],
        places: None,
        commodities: None,
        valid: DateRange::new(day("2020-01-01"), day("2020-12-31")).unwrap(),
        volume_cap: Some(kg("1000")),
        document: None,
    };
    let basis = [s.actors[farmer].enrolment];
    s.tell(certifier, vec![Story::new_subject()], &basis, Body::CertificateIssued(Box::new(certificate)));
    let farm = s.place(farmer, "Hillside");
    let lot = claiming(&mut s, farmer, farm, "organic FR-1");
    claiming(&mut s, farmer, farm, "FR-1");
    // Somebody else uses the farmer's key.
    s.with_copied_key(farmer, |s| s.grade(farmer, lot, "A"));
    s.offer(farmer, lot, "10", true, buyer);
    let node = Node::told(&s).await;
    let found = node.findings(&lot);
    let kinds: Vec<_> = found.iter().map(|finding| finding.finding).collect();
    assert!(kinds.contains(&FindingKind::CertificateOutOfDate), "{found:?}");
    assert!(kinds.contains(&FindingKind::JournalFork), "{found:?}");
    // Out of date, neither of the lots uses the cap up.
    assert!(!kinds.contains(&FindingKind::VolumeCapExceeded), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_shows_however_much_is_signed_after_it() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let farm = s.place(farmer, "Hillside");
    let lot = s.lot(farmer, farm, "600");
    let copied = s.with_copied_key(farmer, |s| s.grade(farmer, lot, "A"));
    let own = s.grade(farmer, lot, "C");
    for number in 0..4_200 {
        s.place(farmer, &format!("Field {number}"));
    }
    let node = Node::told(&s).await;
    let mut rivals = vec![copied.id(), own.id()];
    rivals.sort_unstable();
    let shown = |node: &Node| -> Vec<_> {
        let found = node.findings(&lot).into_iter();
        found.filter(|it| it.finding == FindingKind::JournalFork).map(|it| it.events).collect()
    };
    assert_eq!(shown(&node), [rivals.clone()]);
    // A key that has forked once is looked at event by event.
    let third = s.with_copied_key(farmer, |s| s.place(farmer, "Third"));
    let fourth = s.place(farmer, "Fourth");
    for event in &s.events[s.events.len() - 2..] {
        let outcomes = node.ledger.submit(vec![event.bytes().to_vec()], Origin::Client).await.unwrap();
        assert!(outcomes[0].index().is_some(), "{outcomes:?}");
        assert!(node.ledger.followed(node.ledger.size() - 1).await);
    }
    assert_eq!(shown(&node).len(), 2, "{third} {fourth}");
    // Lost, and made again from the log, they are the same.
    let store = node.ledger.reader().store();
    let rows = || store.digest(store::Column::JournalForks).unwrap();
    let before = rows();
    let mut batch = store.batch();
    batch.clear(store::Column::JournalForks);
    batch.commit().unwrap();
    assert_ne!(rows(), before);
    assert!(node.ledger.rebuild(ForkFollower::NAME));
    while rows() != before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(shown(&node).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_the_same_log_find_the_same() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer], &[]);
    let other = s.enrol(0, &[Role::Farmer], &[]);
    let farm = s.place(farmer, "Hillside");
    let (lot, not_his) = (s.lot(farmer, farm, "600"), s.lot(other, farm, "10"));
    let told = s.events.len();
    // Void, one on the other: only who happened to hear of them has them.
    s.with_copied_key(farmer, |s| ["A", "B"].map(|grade| s.grade(farmer, not_his, grade)));
    let void: Vec<Vec<u8>> = s.events.drain(told..).map(|event| event.bytes().to_vec()).collect();
    s.grade(farmer, lot, "A");
    let (one, two) = (Node::told(&s).await, Node::told(&s).await);
    for outcome in two.ledger.submit(void, Origin::Peer("test".into())).await.unwrap() {
        assert!(matches!(outcome, ledger::Outcome::Void { .. }), "{outcome:?}");
    }
    let key = s.events.last().unwrap().key();
    assert_eq!(two.ledger.reader().journal_heads(&key).unwrap().len(), 2, "its journal has forked there");
    assert_eq!(one.ledger.head().unwrap(), two.ledger.head().unwrap());
    assert_eq!(one.findings(&lot), two.findings(&lot));
}

/// A lot of 600 kg that claims a certificate.
fn claiming(s: &mut Story, who: Who, farm: SubjectId, claim: &str) -> SubjectId {
    let lot = s.lot(who, farm, "600");
    let Some(event) = s.events.pop() else { unreachable!() };
    let Body::ProduceRegistered(mut body) = event.payload().body.clone() else { unreachable!() };
    body.claims = Some(vec![text(claim)]);
    body.codes = None::<Codes>;
    s.actors[who].journal = event.payload().journal;
    let basis: Vec<_> = event.payload().basis.clone();
    let event = s.tell(who, vec![Story::new_subject()], &basis, Body::ProduceRegistered(body));
    assert_ne!(event.subject(0), Some(lot));
    event.subject(0).unwrap()
}

/// How long 100,000 lots take. Run it with `cargo test --release -p ledger --test trace -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn a_hundred_thousand_lots() {
    let mut s = Story::new();
    let farmer = s.enrol(0, &[Role::Farmer, Role::Processor], &[]);
    let farm = s.place(farmer, "Hillside");
    let root = s.lot(farmer, farm, "1000");
    // Each lot is split into 32, three times over, and a fourth time as far as it takes.
    let mut layer = vec![root];
    let mut count = 1;
    while count < 100_000 {
        let mut next = Vec::new();
        for lot in layer {
            if count >= 100_000 {
                break;
            }
            let made = transform(&mut s, farmer, &[(lot, "0.001")], &["0.001"; 32]);
            count += made.len();
            next.extend(made);
        }
        layer = next;
    }
    let leaf = *layer.last().unwrap();
    let started = Instant::now();
    let node = Node::told(&s).await;
    println!("{} events with {count} lots taken in and followed: {:?}", s.events.len(), started.elapsed());
    for _ in 0..2 {
        let started = Instant::now();
        let trace = node.down(root);
        println!("{} lots downstream: {:?}", trace.reached.len(), started.elapsed());
        assert_eq!(trace.reached.len(), count);
        let started = Instant::now();
        let report = node.lineage.recall(&[root], ALL).unwrap();
        println!("{} lots in a recall report: {:?}", report.lots.len(), started.elapsed());
        let started = Instant::now();
        println!("{} lots upstream: {:?}", node.up(leaf).reached.len(), started.elapsed());
    }
}
