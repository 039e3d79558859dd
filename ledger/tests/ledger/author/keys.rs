//! Keys are added, rotated, replaced and revoked; and each event rests on the key that signed it.

use super::village::{Village, apples, by, enrolment, text};
use ledger::author::{AddKey, AuthorError, Done, Ends, EnrolledKey, ReplaceKey, RevokeActor, RotateKey};
use ledger::view::ActorRow;
use ledger::{ActorKey, KeyState};
use provenance::admission::Rule;
use provenance::body::{Body, Custody, Cut, Role};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::{empty_root, leaf_hash};
use provenance::payload::Touch;

fn add(name: &str) -> AddKey {
    AddKey { key: EnrolledKey::New, custody: Custody::Kept, name: Some(text(name)) }
}

fn rotate() -> RotateKey {
    RotateKey { old: None, key: EnrolledKey::New, custody: Custody::Kept }
}

fn replace(of: SubjectId, ends: Ends) -> ReplaceKey {
    ReplaceKey { of, key: EnrolledKey::New, custody: Custody::Kept, ends, reason: Some(text("lost")) }
}

fn revoke(of: SubjectId, ends: Ends) -> RevokeActor {
    RevokeActor { of, ends, reason: text("the tablet was stolen") }
}

/// What one actor does.
struct One<'a>(&'a Village, SubjectId);

impl One<'_> {
    async fn registers(&self) -> Result<Done, AuthorError> {
        self.0.author.register_produce(by(self.1), apples("1", &[self.0.farm])).await
    }

    fn keys(&self) -> Vec<ActorKey> {
        ActorRow::read(self.0.ledger.reader(), self.0.ledger.network(), &self.1).unwrap().unwrap().keys
    }

    fn states(&self) -> Vec<KeyState> {
        self.keys().iter().map(|key| key.state).collect()
    }
}

fn given(done: &Done) -> PublicKey {
    match &done.event.payload().body {
        Body::ActorKeyAdded(body) => body.key,
        Body::ActorKeyRotated(body) => body.key,
        Body::ActorKeyReplaced(body) => body.key,
        other => panic!("{other:?}"),
    }
}

fn cuts(done: &Done) -> &[Cut] {
    match &done.event.payload().body {
        Body::ActorKeyReplaced(body) => &body.cuts,
        Body::ActorRevoked(body) => &body.cuts,
        other => panic!("{other:?}"),
    }
}

fn basis(done: &Done) -> &[EventId] {
    &done.event.payload().basis
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_living_key_signs_and_names_key_event_and_enrolment() {
    let v = Village::new().await;
    let farmer = One(&v, v.farmer);
    let enrolled = farmer.keys()[0].event;
    let added = v.author.add_key(by(v.farmer), add("Tablet in the barn")).await.unwrap();
    let lot = farmer.registers().await.unwrap();
    assert_eq!((lot.event.key(), lot.event.payload().journal), (given(&added), added.id));
    assert!([enrolled, added.id].iter().all(|id| basis(&lot).contains(id)));
    assert_eq!(farmer.keys()[1].name, Some(text("Tablet in the barn")));

    // The tablet's key goes on with another one; the first key of the farmer lives on beside it.
    let rotated = v.author.rotate_key(by(v.farmer), rotate()).await.unwrap();
    assert_eq!(rotated.event.key(), given(&added));
    let Body::ActorKeyRotated(body) = &rotated.event.payload().body else { panic!() };
    assert_eq!((body.journal.count, body.journal.root), (1, leaf_hash(lot.id.as_bytes())));
    assert_eq!(farmer.registers().await.unwrap().event.key(), given(&rotated));
    assert_eq!(farmer.states(), [KeyState::Live, KeyState::Rotated, KeyState::Live]);
    assert_eq!(farmer.keys()[1].ended_by, Some(rotated.id));

    // A key that signed nothing is rotated too, and the one that is named is.
    let first = RotateKey { old: Some(farmer.keys()[2].key), ..rotate() };
    v.author.rotate_key(by(v.farmer), first.clone()).await.unwrap();
    let error = v.author.rotate_key(by(v.farmer), first).await.unwrap_err();
    assert!(matches!(error, AuthorError::KeyEnded { state: KeyState::Rotated, .. }), "{error}");
    assert_eq!(farmer.states().iter().filter(|state| **state == KeyState::Live).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_key_is_rotated_with_an_empty_journal() {
    let v = Village::new().await;
    let rotated = v.author.rotate_key(by(v.trader), rotate()).await.unwrap();
    let Body::ActorKeyRotated(body) = &rotated.event.payload().body else { panic!() };
    assert_eq!((body.journal.count, body.journal.root), (0, empty_root()));
    v.author.rotate_key(by(v.trader), rotate()).await.unwrap();
    assert_eq!(One(&v, v.trader).states(), [KeyState::Rotated, KeyState::Rotated, KeyState::Live]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_from_above_and_the_old_one_signs_no_more() {
    let v = Village::new().await;
    let farmer = One(&v, v.farmer);
    let last = farmer.registers().await.unwrap();
    let old = v.key_of(v.farmer);
    let replaced = v.author.replace_key(by(v.cooperative), replace(v.farmer, Ends::default())).await.unwrap();
    let [cut] = cuts(&replaced) else { panic!() };
    assert_eq!((cut.last, cut.count, cut.stands.len()), (last.id, 2, 0));
    let next = farmer.registers().await.unwrap();
    assert_eq!((next.event.key(), next.event.payload().journal), (given(&replaced), replaced.id));
    assert_eq!(farmer.states(), [KeyState::Replaced, KeyState::Live]);
    assert_eq!(farmer.keys()[0].counted_events, Some(2));

    // Where the new key is elsewhere, the old one is not taken instead.
    v.keys.forget(&given(&replaced));
    let error = farmer.registers().await.unwrap_err();
    assert!(matches!(error, AuthorError::KeyEnded { key, state: KeyState::Replaced, .. } if key == old), "{error}");
    assert!(error.to_string().contains("was replaced from above"));
    assert!(!v.author.signs_for(&v.farmer).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_ends_all_keys_where_the_operator_says() {
    let v = Village::new().await;
    let farmer = One(&v, v.farmer);
    let good = farmer.registers().await.unwrap();
    let (bad, late) = (farmer.registers().await.unwrap(), farmer.registers().await.unwrap());
    let added = v.author.add_key(by(v.farmer), add("Phone")).await.unwrap();
    let by_phone = farmer.registers().await.unwrap();

    let ends = Ends { last: vec![good.id], stands: vec![late.id], ..Ends::default() };
    // The founder stands above the cooperative, and so above the farmer.
    let revoked = v.author.revoke_actor(by(v.founder), revoke(v.farmer, ends)).await.unwrap();
    let of = |event: EventId| cuts(&revoked).iter().find(|cut| cut.key_event == event).unwrap().clone();
    let first = of(farmer.keys()[0].event);
    assert_eq!((first.last, first.count, &first.stands[..]), (good.id, 2, &[late.id][..]));
    assert_eq!((of(added.id).last, of(added.id).count), (by_phone.id, 1));
    assert_eq!(farmer.states(), [KeyState::Revoked, KeyState::Revoked]);
    assert_ne!(bad.id, late.id);
    let error = farmer.registers().await.unwrap_err();
    assert!(matches!(error, AuthorError::KeyEnded { state: KeyState::Revoked, .. }), "{error}");

    let error = v.author.revoke_actor(by(v.founder), revoke(v.farmer, Ends::default())).await.unwrap_err();
    assert!(matches!(error, AuthorError::NoLivingKey { .. }), "{error}");
    // A new key from above brings the actor back, and an earlier end of an old key is still possible.
    let nothing = Ends { nothing_of: vec![given(&added)], ..Ends::default() };
    let back = v.author.replace_key(by(v.cooperative), replace(v.farmer, nothing)).await.unwrap();
    let [cut] = cuts(&back) else { panic!() };
    assert_eq!((cut.key_event, cut.last, cut.count), (added.id, added.id, 0));
    assert_eq!(farmer.registers().await.unwrap().event.key(), given(&back));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_change_keys_is_told_so_and_no_key_is_made() {
    let v = Village::new().await;
    let keys = v.keys.count();
    let rule = |error: AuthorError| match error {
        AuthorError::Rule(rule) => rule,
        other => panic!("{other}"),
    };
    let founders = v.author.add_key(by(v.founder), add("Second")).await.unwrap_err();
    assert_eq!(rule(founders), Rule::FounderKey);
    let founders = v.author.rotate_key(by(v.founder), rotate()).await.unwrap_err();
    assert_eq!(rule(founders), Rule::FounderKey);
    for (signer, of) in [(v.trader, v.farmer), (v.farmer, v.farmer), (v.farmer, v.cooperative)] {
        let error = v.author.replace_key(by(signer), replace(of, Ends::default())).await.unwrap_err();
        assert_eq!(rule(error), Rule::NotAbove);
        let error = v.author.revoke_actor(by(signer), revoke(of, Ends::default())).await.unwrap_err();
        assert_eq!(rule(error), Rule::NotAbove);
    }
    let nobody = SubjectId::from_bytes([9; 32]);
    let error = v.author.revoke_actor(by(v.founder), revoke(nobody, Ends::default())).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownActor { field: "of", .. }), "{error}");

    let of_trader = v.author.register_place(by(v.trader), super::farm()).await.unwrap().id;
    let ends = Ends { last: vec![of_trader], ..Ends::default() };
    let error = v.author.revoke_actor(by(v.cooperative), revoke(v.farmer, ends)).await.unwrap_err();
    assert!(matches!(error, AuthorError::NotSignedBy { field: "last", .. }), "{error}");
    assert_eq!(v.keys.count(), keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_kept_elsewhere_countersigns_that_it_is_added() {
    let v = Village::new().await;
    let key = v.keys.add(77);
    let here = AddKey { key: EnrolledKey::Held(key), ..add("Elsewhere") };
    let added = v.author.add_key(by(v.trader), here).await.unwrap();
    let Body::ActorKeyAdded(body) = &added.event.payload().body else { panic!() };
    let foreign = EnrolledKey::Foreign { key, countersignature: *body.countersignature };
    // The consent is to this actor alone.
    let stolen = AddKey { key: foreign, ..add("Elsewhere") };
    let error = v.author.add_key(by(v.grocer), stolen.clone()).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::Countersignature)), "{error}");
    v.author.rotate_key(by(v.trader), rotate()).await.unwrap();
    v.author.add_key(by(v.trader), AddKey { custody: Custody::Kept, ..stolen }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_enrolled_by_a_key_that_counts_no_more_has_no_key_any_more() {
    let v = Village::new().await;
    let first = One(&v, v.cooperative).keys()[0].clone();
    let nothing = Ends { nothing_of: vec![first.key], ..Ends::default() };
    v.author.replace_key(by(v.founder), replace(v.cooperative, nothing)).await.unwrap();
    // An enrolment that does not count brings nobody in.
    let row = ActorRow::read(v.ledger.reader(), v.ledger.network(), &v.farmer).unwrap();
    assert!(row.is_none(), "{row:?}");
    let error = One(&v, v.farmer).registers().await.unwrap_err();
    assert!(error.to_string().contains("was given by an event that does not count"), "{error}");
    let enrolled = v.author.enrol_actor(by(v.cooperative), enrolment("Anna again", &[Role::Farmer])).await.unwrap();
    assert!(matches!(enrolled.event.payload().touches[..], [Touch { subject: None, .. }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotating_under_load_forks_nothing() {
    let v = Village::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (author, farm, farmer) = (v.author.clone(), v.farm, v.farmer);
        tasks.spawn(async move {
            match number % 8 {
                7 => author.rotate_key(by(farmer), rotate()).await,
                _ => author.register_produce(by(farmer), apples("1", &[farm])).await,
            }
        });
    }
    tasks.join_all().await.into_iter().for_each(|done| drop(done.unwrap()));
    let keys = One(&v, v.farmer).keys();
    assert_eq!(keys.len(), 6);
    let mut signed = 0;
    for key in &keys {
        let heads = v.ledger.reader().journal_heads(&key.key).unwrap();
        assert!(heads.len() <= 1);
        let height = heads.first().map_or(0, |head| head.height);
        // The rotation is the last event of its journal.
        assert!(key.counted_events.is_none_or(|count| count + 1 == height));
        signed += height;
    }
    // Beside the place of the village.
    assert_eq!(signed, 41);
}
