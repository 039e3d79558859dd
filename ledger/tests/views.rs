//! The views on a real store: what they show, and that they show it whatever path events took.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ledger::view::{
    ActorFilter, LotOrigin, LotStanding, PageSize, PlaceFilter, ProduceFilter, TransferFilter, TransferState,
    UnitFilter, ViewFollower, Views,
};
use ledger::{Ledger, LedgerOptions, Origin, Outcome};
use proptest::prelude::*;
use provenance::body::{Body, Moves, Role};
use provenance::cbor::Any;
use provenance::id::{EventId, SubjectId};
use provenance::value::{Grade, Sscc};
use std::sync::Arc;
use story::goods::one_unit;
use story::{Story, kg};

const FARMER: &[Role] = &[Role::Farmer];

struct Node {
    ledger: Ledger,
    views: Views,
    folder: tempfile::TempDir,
}

impl Node {
    fn open(story: &Story) -> Self {
        Self::open_in(story, tempfile::tempdir().unwrap())
    }

    fn open_in(story: &Story, folder: tempfile::TempDir) -> Self {
        let followers: Vec<Arc<dyn ledger::Follower>> = vec![Arc::new(ViewFollower::new(story.network.clone()))];
        let options = LedgerOptions { followers, ..LedgerOptions::default() };
        let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
        let views = Views::new(ledger.reader().clone());
        Self { ledger, views, folder }
    }

    async fn take(&self, events: Vec<Vec<u8>>) -> Vec<Outcome> {
        let outcomes = self.ledger.submit(events, Origin::Peer("test".into())).await.unwrap();
        self.catch_up().await;
        outcomes
    }

    /// Takes the whole story, in order; every event must be admitted.
    async fn tell(&self, story: &Story) {
        for (event, outcome) in story.events.iter().zip(self.take(story.bytes()).await) {
            assert!(outcome.index().is_some(), "{:?} became {outcome:?}", event.payload().body);
        }
    }

    /// Loses the rows of one view, and makes all views again.
    async fn rebuild(&self, expected: [u8; 32]) {
        let mut batch = self.ledger.reader().store().batch();
        batch.clear(store::Column::Produces);
        batch.commit().unwrap();
        assert_ne!(self.views.digest().unwrap(), expected);
        assert!(self.ledger.rebuild(ViewFollower::NAME));
        for _ in 0..1_000 {
            if self.views.digest().unwrap() == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("rebuilt views differ");
    }

    async fn catch_up(&self) {
        assert!(self.ledger.followed(self.ledger.size() - 1).await);
        assert_eq!(self.views.stray_row().unwrap(), None);
    }
}

/// Everything that can happen to lots, told by a founder, a cooperative, a farmer and two buyers.
struct Everything {
    story: Story,
    farm: SubjectId,
    store: SubjectId,
    lot: SubjectId,
    part: SubjectId,
    given_back: SubjectId,
    part_offer: EventId,
    whole_offer: EventId,
    double_sold: SubjectId,
    settled: SubjectId,
    rivals: [EventId; 2],
    crossed_offer: EventId,
}

fn everything() -> Everything {
    let mut s = Story::new();
    let coop = s.enrol(0, &[Role::Cooperative, Role::Node][..1], FARMER);
    let farmer = s.enrol(coop, FARMER, &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let rival = s.enrol(0, &[Role::Retailer], &[]);
    s.rename(farmer, "Hillside Farm");
    let farm = s.place(farmer, "Hillside");
    let store = s.place(buyer, "Cold store");
    let lot = s.lot(farmer, farm, "1000");
    let registration = s.events.last().unwrap().clone();
    s.grade(farmer, lot, "A");
    s.price(farmer, lot, 130);

    // A part is sold, and a part of that comes back.
    let part_offer = s.offer(farmer, lot, "400", true, buyer);
    let part = part_offer.id().subject(1);
    let acceptance = s.accept(buyer, part_offer.id(), part, "300", Some("100"));
    let given_back = acceptance.id().subject(1);

    // Concurrent: the cooperative prices on behalf of its member, who grades meanwhile.
    let (member, enrolment) = (s.id(farmer), s.actors[farmer].enrolment);
    s.beside(|s| {
        let touch = s.on(lot);
        let body = Body::ProducePriceUpdated(provenance::body::PriceUpdated {
            price: provenance::seal::Sealable::Open(story::euro_cents(99)),
            reason: None,
        });
        s.tell_for(coop, Some(member), vec![touch], &[enrolment], body);
    });
    s.grade(farmer, lot, "Premium");
    s.meet();
    s.hand_out(farmer, lot, "50");

    // The rest goes to the buyer's store.
    let whole_offer = s.offer_to_place(farmer, lot, "550", buyer, store);
    s.accept(buyer, whole_offer.id(), lot, "550", None);
    // The variety was wrong all the time: of the lot and of its parts.
    s.correct(farmer, &registration, 3, Any::Text("Fuji".into()));
    s.retire(buyer, lot, "50");

    // A lot is sold twice with a copied key, and nobody accepts.
    let double_sold = s.lot(farmer, farm, "10");
    let first = s.with_copied_key(farmer, |s| s.offer(farmer, double_sold, "10", false, buyer));
    let second = s.offer(farmer, double_sold, "10", false, rival);
    s.meet();

    // Another is sold twice, and one buyer accepts.
    let settled = s.lot(farmer, farm, "20");
    s.with_copied_key(farmer, |s| s.offer(farmer, settled, "20", false, rival));
    let accepted = s.offer(farmer, settled, "20", false, buyer);
    s.accept(buyer, accepted.id(), settled, "20", None);
    s.meet();

    // A cancellation and an acceptance cross.
    let crossed = s.lot(farmer, farm, "30");
    let crossed_offer = s.offer(farmer, crossed, "30", false, buyer);
    s.beside(|s| s.cancel(farmer, crossed_offer.id(), crossed));
    s.accept(buyer, crossed_offer.id(), crossed, "30", None);
    s.meet();
    s.grade(buyer, crossed, "C");

    let declined = s.offer(buyer, crossed, "10", true, rival);
    s.decline(rival, declined.id(), declined.id().subject(1));
    Everything {
        story: s,
        farm,
        store,
        lot,
        part,
        given_back,
        part_offer: part_offer.id(),
        whole_offer: whole_offer.id(),
        double_sold,
        settled,
        rivals: [first.id(), second.id()],
        crossed_offer: crossed_offer.id(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_show_what_happened() {
    let all = everything();
    let node = Node::open(&all.story);
    node.tell(&all.story).await;
    let (views, story) = (&node.views, &all.story);
    let (farmer, buyer) = (story.id(2), story.id(3));

    let lot = views.produce(&all.lot).unwrap().unwrap();
    assert_eq!((lot.holder, lot.originator, lot.part_of(), lot.root), (buyer, farmer, None, all.lot));
    assert_eq!((lot.quantity.decimal(), lot.balance.decimal()), ("1000".into(), "500".into()));
    assert_eq!(lot.grade, Some(Grade::standard("Premium").unwrap()));
    assert_eq!(lot.price.unwrap().open().unwrap().money.amount_minor(), 99);
    assert_eq!(lot.variety.unwrap().as_str(), "Fuji");
    assert_eq!((lot.place, lot.standing), (Some(all.store), LotStanding::Held));
    assert_eq!(lot.corrections.len(), 1);

    let part = views.produce(&all.part).unwrap().unwrap();
    assert_eq!((part.holder, part.originator, part.part_of(), part.root), (buyer, farmer, Some(all.lot), all.lot));
    assert_eq!((part.quantity.decimal(), part.balance.decimal()), ("400".into(), "300".into()));
    assert_eq!(
        part.grade,
        Some(Grade::standard("A").unwrap()),
        "a part has the grade that its lot had when it was taken"
    );
    assert_eq!((part.variety.unwrap().as_str(), part.place), ("Fuji", Some(all.farm)));
    let given_back = views.produce(&all.given_back).unwrap().unwrap();
    assert_eq!(
        (given_back.holder, given_back.part_of(), given_back.balance.decimal()),
        (farmer, Some(all.part), "100".into())
    );

    let history = views.history(&all.part).unwrap().unwrap();
    let kinds: Vec<_> = history.iter().map(|entry| entry.body().kind().unwrap().name()).collect();
    assert_eq!(
        kinds[..4],
        ["produce.registered", "produce.quality_updated", "produce.price_updated", "transfer.offered"]
    );
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "transfer.offered").count(),
        1,
        "later sales of the rest are no history of the part"
    );
    assert!(
        matches!(history[0].body(), Body::ProduceRegistered(body) if body.variety.as_ref().unwrap().as_str() == "Fuji")
    );

    let sale = views.transfer(&all.part_offer).unwrap().unwrap();
    assert_eq!(
        (sale.state, sale.offerer, sale.addressee(), sale.disputed),
        (TransferState::Accepted, farmer, Some(buyer), false)
    );
    assert_eq!((sale.lines[0].item, sale.lines[0].returned), (all.part, Some(all.given_back)));
    assert_eq!(sale.lines[0].answer.as_ref().unwrap().received, kg("300"));
    let crossed = views.transfer(&all.crossed_offer).unwrap().unwrap();
    assert_eq!((crossed.state, crossed.answers.len(), crossed.disputed), (TransferState::Accepted, 2, false));
    assert_eq!(views.transfer(&all.whole_offer).unwrap().unwrap().to_place, Some(all.store));

    let double_sold = views.produce(&all.double_sold).unwrap().unwrap();
    assert_eq!((double_sold.standing, double_sold.tips.len(), double_sold.holder), (LotStanding::Disputed, 2, farmer));
    for rival in all.rivals {
        assert!(views.transfer(&rival).unwrap().unwrap().disputed);
    }
    let settled = views.produce(&all.settled).unwrap().unwrap();
    assert_eq!((settled.standing, settled.holder, settled.beside.len()), (LotStanding::Held, buyer, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_and_places_are_listed_with_founders() {
    let all = everything();
    let node = Node::open(&all.story);
    node.catch_up().await;
    assert!(node.views.actor(&all.story.id(0)).unwrap().unwrap().is_founder(), "founders are there before any event");
    node.tell(&all.story).await;

    let farmer = node.views.actor(&all.story.id(2)).unwrap().unwrap();
    assert_eq!((farmer.display_name.as_str(), farmer.enroller), ("Hillside Farm", Some(all.story.id(1))));
    assert_eq!(node.views.actors_by_key(&farmer.key).unwrap(), std::slice::from_ref(&farmer));
    let everybody = node.views.actors(&ActorFilter::default(), None, PageSize::default()).unwrap();
    assert_eq!(everybody.rows.len(), 5);
    assert!(everybody.rows[4].is_founder());
    let farmers = ActorFilter { role: Some(Role::Farmer), enroller: Some(all.story.id(1)) };
    assert_eq!(node.views.actors(&farmers, None, PageSize::default()).unwrap().rows, std::slice::from_ref(&farmer));

    let signed = node.views.signed_by(&farmer.key, None, PageSize::new(3)).unwrap();
    let rest = node.views.signed_by(&farmer.key, Some(signed[2].judged.event.id()), PageSize::default()).unwrap();
    let told = all.story.events.iter().filter(|event| event.key() == farmer.key).count();
    assert_eq!(signed.len() + rest.len(), told, "all events of a forked journal are found, none twice");

    let places = PlaceFilter { registered_by: Some(farmer.id), gln: None };
    let places = node.views.places(&places, None, PageSize::default()).unwrap().rows;
    assert_eq!((places.len(), places[0].id), (1, all.farm));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_paged_and_filtered() {
    let mut story = Story::new();
    let farmer = story.enrol(0, FARMER, &[]);
    let farm = story.place(farmer, "Hillside");
    let lots: Vec<_> = (0..25).map(|_| story.lot(farmer, farm, "5")).collect();
    story.grade(farmer, lots[3], "Premium");
    let buyer = story.enrol(0, &[Role::Trader], &[]);
    let offer = story.offer(farmer, lots[4], "5", false, buyer);
    let node = Node::open(&story);
    node.tell(&story).await;

    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = node.views.produces(&ProduceFilter::default(), cursor, PageSize::new(10)).unwrap();
        assert!(page.rows.len() <= 10);
        seen.extend(page.rows.iter().map(|row| row.id));
        let Some(next) = page.next else { break };
        cursor = Some(next.to_string().parse().unwrap());
    }
    seen.reverse();
    assert_eq!(seen, lots, "every lot once, newest first");

    let only = |filter: ProduceFilter| {
        let page = node.views.produces(&filter, None, PageSize::default()).unwrap();
        page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let premium = Grade::standard("Premium").unwrap();
    assert_eq!(
        only(ProduceFilter { grade: Some(premium), holder: Some(story.id(farmer)), ..Default::default() }),
        [lots[3]]
    );
    assert_eq!(only(ProduceFilter { standing: Some(LotStanding::Offered), ..Default::default() }), [lots[4]]);
    assert_eq!(only(ProduceFilter { holder: Some(story.id(buyer)), ..Default::default() }), [] as [SubjectId; 0]);
    let prefix = &lots[7].to_string()[..20];
    assert_eq!(node.views.produces_by_prefix(prefix).unwrap()[0].id, lots[7]);
    assert!(node.views.produces_by_prefix("!").unwrap().is_empty());

    let open = TransferFilter { state: Some(TransferState::Open), party: Some(story.id(buyer)), ..Default::default() };
    let open = node.views.transfers(&open, None, PageSize::default()).unwrap().rows;
    assert_eq!(open.iter().map(|row| row.id).collect::<Vec<_>>(), [offer.id()]);
    node.take(vec![story.cancel(farmer, offer.id(), lots[4]).bytes().to_vec()]).await;
    let again = TransferFilter { state: Some(TransferState::Open), ..Default::default() };
    assert!(node.views.transfers(&again, None, PageSize::default()).unwrap().rows.is_empty());
    assert_eq!(node.views.transfer(&offer.id()).unwrap().unwrap().state, TransferState::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_of_others_and_packed_shows_where_it_is_and_whose() {
    let mut s = Story::new();
    let coop = s.enrol(0, &[Role::Cooperative], &[]);
    let (anna, bruno) = (s.enrol(0, FARMER, &[]), s.enrol(0, FARMER, &[]));
    let (trader, shop) = (s.enrol(0, &[Role::Trader], &[]), s.enrol(0, &[Role::Retailer], &[]));
    let (hill, valley) = (s.place(anna, "Hill"), s.place(bruno, "Valley"));
    let store = s.place(trader, "Store");
    let lot = s.collect(coop, &[(anna, hill, "60"), (bruno, valley, "40")], "100");
    s.handle(coop, lot, "washed");
    s.label(coop, lot, "L7");
    let other = s.collect(coop, &[(anna, hill, "10")], "10");
    let pressed = s.transform(coop, &[(lot, "80"), (other, "10")], &["50", "20"]);
    let (juice, rest) = (pressed.id().subject(2), pressed.id().subject(3));
    let boxed = s.pack(coop, None, &[(juice, kg("30"), true), (rest, kg("20"), false)], None);
    let (carton, packed) = (boxed.id().subject(0), boxed.id().subject(3));
    let pallet = s.pack(coop, None, &[(carton, one_unit(), false)], None).id().subject(0);

    let node = Node::open(&s);
    node.tell(&s).await;
    let row = |id: &SubjectId| node.views.produce(id).unwrap().unwrap();
    let collected = row(&lot);
    assert_eq!((collected.origin, collected.balance.decimal().as_str()), (LotOrigin::Collected, "20"));
    let mut grown = vec![hill, valley];
    grown.sort_unstable();
    assert_eq!((collected.places, collected.steps[0].step.as_str()), (grown, "washed"));
    assert_eq!(collected.codes.unwrap().lot.unwrap().as_str(), "L7");
    assert_eq!(row(&other).standing, LotStanding::Closed);
    let made = row(&juice);
    let mut inputs = vec![lot, other];
    inputs.sort_unstable();
    assert_eq!((made.origin, &made.parents, made.part_of(), made.root), (LotOrigin::Transformed, &inputs, None, juice));
    assert_eq!((made.name.best(&["en"]), made.claims.len()), ("Apple juice", 1));
    let children = ProduceFilter { parent: Some(other), ..ProduceFilter::default() };
    let children = node.views.produces(&children, None, PageSize::default()).unwrap().rows;
    let children: std::collections::BTreeSet<_> = children.iter().map(|row| row.id).collect();
    assert_eq!(children, [juice, rest].into(), "both directions can be scanned");
    let part = row(&packed);
    assert_eq!(
        (part.part_of(), part.root, part.inside, part.standing),
        (Some(juice), juice, Some(carton), LotStanding::Packed)
    );
    assert_eq!(part.codes.unwrap().lot.unwrap().as_str(), "J1");
    let unit = node.views.unit(&carton).unwrap().unwrap();
    assert_eq!((unit.contents, unit.inside, unit.standing), (2, Some(pallet), LotStanding::Packed));
    assert!(node.views.produce(&carton).unwrap().is_none(), "a unit is no lot");

    // The outermost unit is handed over, and with it all that lies in it; later only possession of it.
    let sent = s.events.len();
    let (offer, _) = s.hand_over(coop, pallet, one_unit(), Moves::Both, trader, Some(store));
    node.take(s.bytes()[sent..].to_vec()).await;
    let part = row(&packed);
    assert_eq!((part.holder, part.owner, part.place), (s.id(trader), s.id(trader), Some(store)));
    assert_eq!(node.views.unit(&carton).unwrap().unwrap().holder, s.id(trader));
    assert_eq!(node.views.transfer(&offer).unwrap().unwrap().state, TransferState::Accepted);
    let kinds: Vec<_> =
        node.views.history(&packed).unwrap().unwrap().iter().map(|entry| entry.body().kind().unwrap().name()).collect();
    assert_eq!(kinds, ["produce.transformed", "unit.packed", "transfer.offered", "transfer.accepted"]);
    let sent = s.events.len();
    let (lent, _) = s.hand_over(trader, pallet, one_unit(), Moves::Possession, shop, None);
    node.take(s.bytes()[sent..].to_vec()).await;
    let part = row(&packed);
    assert_eq!((part.holder, part.owner), (s.id(shop), s.id(trader)));
    assert_eq!(node.views.transfer(&lent).unwrap().unwrap().state, TransferState::Accepted);
    let held = ProduceFilter { holder: Some(s.id(shop)), inside: Some(carton), ..ProduceFilter::default() };
    assert_eq!(node.views.produces(&held, None, PageSize::default()).unwrap().rows.len(), 2);
    let by_code = UnitFilter { sscc: Some(Sscc::new("106141411234567897").unwrap()), ..UnitFilter::default() };
    assert_eq!(node.views.units(&by_code, None, PageSize::default()).unwrap().rows.len(), 2);

    // What is taken out stays where the unit was, and is its holder's.
    let sent = s.events.len();
    s.unpack(shop, pallet, &[carton]);
    s.unpack(shop, carton, &[packed]);
    s.rename_place(trader, store, "Cold store");
    node.take(s.bytes()[sent..].to_vec()).await;
    let part = row(&packed);
    assert_eq!((part.inside, part.standing, part.place), (None, LotStanding::Held, Some(store)));
    assert_eq!(node.views.unit(&carton).unwrap().unwrap().contents, 1);
    assert_eq!(row(&rest).inside, Some(carton));
    assert_eq!(node.views.place(&store).unwrap().unwrap().name.best(&["en"]), "Cold store");

    // Title moves alone: somebody else owns it, and the holder stays.
    let sent = s.events.len();
    let (sold, _) = s.hand_over(shop, packed, kg("30"), Moves::Title, coop, None);
    node.take(s.bytes()[sent..].to_vec()).await;
    let part = row(&packed);
    assert_eq!((part.holder, part.owner, part.standing), (s.id(shop), s.id(coop), LotStanding::Held));
    assert_eq!(node.views.transfer(&sold).unwrap().unwrap().state, TransferState::Accepted);
    node.rebuild(node.views.digest().unwrap()).await;
}

/// Each event by itself, so that the row goes on from the one before; after each it is the one that all events make.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_goes_on_with_whatever_is_told_of_its_lot() {
    let mut s = Story::new();
    let farmer = s.enrol(0, FARMER, &[]);
    let trader = s.enrol(0, &[Role::Trader], &[]);
    let (farm, barn, shop) = (s.place(farmer, "Hillside"), s.place(farmer, "Barn"), s.place(trader, "Shop"));
    let lot = s.lot(farmer, farm, "10");
    s.move_to(farmer, lot, barn);
    s.handle(farmer, lot, "washed");
    s.grade(farmer, lot, "A");
    s.price(farmer, lot, 120);
    s.label(farmer, lot, "L7");
    let declined = s.offer(farmer, lot, "10", false, trader);
    s.decline(trader, declined.id(), lot);
    let cancelled = s.offer(farmer, lot, "10", false, trader);
    s.cancel(farmer, cancelled.id(), lot);
    let (accepted, _) = s.hand_over(farmer, lot, kg("10"), Moves::Both, trader, Some(shop));
    s.retire(trader, lot, "4");
    let node = Node::open(&s);
    for event in s.bytes() {
        assert!(node.take(vec![event]).await[0].index().is_some());
    }
    let row = node.views.produce(&lot).unwrap().unwrap();
    assert_eq!((row.holder, row.place, row.balance.decimal().as_str()), (s.id(trader), Some(shop), "6"));
    assert_eq!((row.steps.len(), row.events), (1, 13));
    assert_eq!(node.views.transfer(&accepted).unwrap().unwrap().state, TransferState::Accepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_with_a_unit_is_told_of_all_that_lay_in_it() {
    let mut s = Story::new();
    let farmer = s.enrol(0, FARMER, &[]);
    let farm = s.place(farmer, "Hillside");
    let lot = s.lot(farmer, farm, "10");
    let crate_ = s.pack(farmer, None, &[(lot, kg("10"), false)], None).id().subject(0);
    let pallet = s.pack(farmer, None, &[(crate_, one_unit(), false)], None).id().subject(0);
    let node = Node::open(&s);
    node.tell(&s).await;
    let steps = || {
        let row = node.views.produce(&lot).unwrap().unwrap();
        row.steps.iter().map(|step| step.step.to_string()).collect::<Vec<_>>()
    };
    let cooled = s.handle(farmer, pallet, "coled");
    node.take(vec![cooled.bytes().to_vec()]).await;
    assert_eq!(steps(), ["coled"]);
    // Also once it was taken out, and its row has gone on.
    let sent = s.events.len();
    s.unpack(farmer, pallet, &[crate_]);
    s.unpack(farmer, crate_, &[lot]);
    s.handle(farmer, lot, "sorted");
    node.take(s.bytes()[sent..].to_vec()).await;
    assert_eq!(steps(), ["coled", "sorted"]);
    let corrected = s.correct(farmer, &cooled, 1, Any::Text("cooled".into()));
    node.take(vec![corrected.bytes().to_vec()]).await;
    assert_eq!(steps(), ["cooled", "sorted"]);
    node.rebuild(node.views.digest().unwrap()).await;
}

/// Of three generations the middle one is in a conflict of its own before the oldest gets into one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_reaches_what_was_made_of_goods_that_were_disputed_before() {
    let mut s = Story::new();
    let farmer = s.enrol(0, FARMER, &[]);
    let [trader, buyer] = [0, 0].map(|by| s.enrol(by, &[Role::Trader], &[]));
    let farm = s.place(farmer, "Hillside");
    let lot = s.lot(farmer, farm, "10");
    let juice = s.with_copied_key(farmer, |s| s.transform(farmer, &[(lot, "10")], &["7"])).id().subject(1);
    let bottled = s.transform(farmer, &[(juice, "3")], &["2"]).id().subject(1);
    let node = Node::open(&s);
    node.tell(&s).await;
    let standings = || [lot, juice, bottled].map(|id| node.views.produce(&id).unwrap().unwrap().standing);
    let sent = s.events.len();
    s.with_copied_key(farmer, |s| s.offer(farmer, juice, "4", false, trader));
    s.offer(farmer, juice, "4", false, buyer);
    node.take(s.bytes()[sent..].to_vec()).await;
    assert_eq!(standings(), [LotStanding::Closed, LotStanding::Disputed, LotStanding::Held]);
    let rival = s.offer(farmer, lot, "10", false, buyer);
    node.take(vec![rival.bytes().to_vec()]).await;
    assert_eq!(standings(), [LotStanding::Disputed; 3]);
    node.rebuild(node.views.digest().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_reaches_what_was_made_of_the_goods() {
    let mut s = Story::new();
    let farmer = s.enrol(0, FARMER, &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let farm = s.place(farmer, "Hillside");
    let lot = s.lot(farmer, farm, "10");
    let pressed = s.with_copied_key(farmer, |s| s.transform(farmer, &[(lot, "10")], &["7"]));
    let bottled = s.transform(farmer, &[(pressed.id().subject(1), "7")], &["6"]).id().subject(1);
    let node = Node::open(&s);
    node.tell(&s).await;
    assert_eq!(node.views.produce(&bottled).unwrap().unwrap().standing, LotStanding::Held);
    let rival = s.offer(farmer, lot, "10", false, buyer);
    node.take(vec![rival.bytes().to_vec()]).await;
    let standing = |id: &SubjectId| node.views.produce(id).unwrap().unwrap().standing;
    assert_eq!([standing(&lot), standing(&pressed.id().subject(1)), standing(&bottled)], [LotStanding::Disputed; 3]);
    // The buyer's acceptance settles it, against what was made meanwhile.
    let accepted = s.accept(buyer, rival.id(), lot, "10", None);
    node.take(vec![accepted.bytes().to_vec()]).await;
    assert_eq!([standing(&lot), standing(&bottled)], [LotStanding::Held, LotStanding::Disputed]);
    node.rebuild(node.views.digest().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_quantity_shows_at_once_unless_somebody_took_the_lot_over() {
    let mut s = Story::new();
    let farmer = s.enrol(0, FARMER, &[]);
    let buyer = s.enrol(0, &[Role::Trader], &[]);
    let farm = s.place(farmer, "Hillside");
    let (kept, sold) = (s.lot(farmer, farm, "100"), s.lot(farmer, farm, "100"));
    let [.., first, second] = s.events.as_slice() else { panic!() };
    let (first, second) = (first.clone(), second.clone());
    let (_, taken) = s.hand_over(farmer, sold, kg("100"), Moves::Both, buyer, None);
    let ten = || ledger::author::any(&kg("10"));
    s.correct(farmer, &first, 6, ten());
    let correction = s.correct(farmer, &second, 6, ten());
    let node = Node::open(&s);
    node.tell(&s).await;
    let row = |id: &SubjectId| node.views.produce(id).unwrap().unwrap();
    let shown = |id: &SubjectId| (row(id).quantity, row(id).unconfirmed_quantity, row(id).balance);
    assert_eq!(shown(&kept), (kg("10"), None, kg("100")));
    assert_eq!(shown(&sold), (kg("100"), Some(kg("10")), kg("100")));
    let confirmed = s.confirm(buyer, taken.id(), sold, correction.id());
    node.take(vec![confirmed.bytes().to_vec()]).await;
    assert_eq!(shown(&sold), (kg("10"), None, kg("100")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_the_same_after_reopening_and_rebuilding() {
    let all = everything();
    let node = Node::open(&all.story);
    node.tell(&all.story).await;
    let digest = node.views.digest().unwrap();
    node.ledger.close().await;
    let Node { ledger, views, folder } = node;
    drop((ledger, views));

    let node = Node::open_in(&all.story, folder);
    node.catch_up().await;
    assert_eq!(node.views.digest().unwrap(), digest);
    node.rebuild(digest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_keep_their_bytes() {
    let all = everything();
    let node = Node::open(&all.story);
    node.tell(&all.story).await;
    // If this changes, so did the bytes of some row: then raise the version of the views, which
    // makes every node write them again.
    let digest = EventId::from_bytes(node.views.digest().unwrap());
    assert_eq!(digest.to_string(), "pggosi7r6uykrpk4xbr4qyfs7kicnjlk3ynrltkl5ngfayova4mq");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_shows_the_same_bytes(order in Just((0..everything().story.events.len()).collect::<Vec<_>>()).prop_shuffle(), chunk in 1_usize..40) {
        any_order_shows_the_same(&everything().story, order, chunk);
    }

    #[test]
    fn goods_that_are_packed_and_made_of_others_show_the_same_in_any_order(choices in proptest::collection::vec(any::<u8>(), 5..45), seed in any::<u64>(), chunk in 1_usize..40) {
        let mut story = Story::new();
        story.grow_goods(&choices);
        // Any order: what comes before its ancestors waits for them.
        let mut order: Vec<usize> = (0..story.events.len()).collect();
        order.sort_by_key(|at| provenance::id::sha256(&[&seed.to_be_bytes(), &at.to_be_bytes()]));
        any_order_shows_the_same(&story, order, chunk);
    }
}

fn any_order_shows_the_same(story: &Story, order: Vec<usize>, chunk: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (ordered, shuffled) = (Node::open(story), Node::open(story));
        ordered.tell(story).await;
        let events = story.bytes();
        let mut missing = order;
        // Events of signers that are not known yet are not kept: they come again, as in catch-up.
        while !missing.is_empty() {
            let mut again = Vec::new();
            for some in missing.chunks(chunk) {
                let sent = some.iter().map(|index| events[*index].clone()).collect();
                for (index, outcome) in some.iter().zip(shuffled.take(sent).await) {
                    if !matches!(
                        outcome,
                        Outcome::Admitted { .. } | Outcome::Known { .. } | Outcome::Held { kept: true, .. }
                    ) {
                        assert!(matches!(outcome, Outcome::Held { .. }), "{outcome:?}");
                        again.push(*index);
                    }
                }
            }
            assert!(again.len() < missing.len());
            missing = again;
        }
        assert_eq!(shuffled.ledger.size(), ordered.ledger.size());
        let digest = ordered.views.digest().unwrap();
        assert_eq!(shuffled.views.digest().unwrap(), digest);
        if shuffled.views.produces(&ProduceFilter::default(), None, PageSize::new(1)).unwrap().rows.len() == 1 {
            shuffled.rebuild(digest).await;
        }
        shuffled.ledger.close().await;
        ordered.ledger.close().await;
    });
}
