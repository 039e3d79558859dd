//! Founders amend the network; a resolver decides over a lot that was given away twice.

use super::village::{Village, by, offer, text};
use ed25519_dalek::SigningKey;
use ledger::Origin;
use ledger::author::{
    AcceptTransfer, AmendNetwork, ApproveAmendment, AuthorError, LotDecision, MoveProduce, ResolveDispute, To,
};
use provenance::admission::Rule;
use provenance::body::{Body, Contract};
use provenance::event::SignedEvent;
use provenance::id::EventId;

fn contracts(chain_id: u64) -> AmendNetwork {
    let contracts = Some(vec![Contract { chain_id, address: [7; 20] }]);
    AmendNetwork { contracts, reason: Some(text("another chain")), ..AmendNetwork::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_rests_on_the_newest_amendment_in_force() {
    let v = Village::new().await;
    let first = v.author.amend_network(by(v.founder), contracts(1)).await.unwrap();
    let Body::NetworkAmended(body) = &first.event.payload().body else { panic!() };
    assert_eq!(body.follows, [v.ledger.network().id().as_event()]);
    let lot = v.lot("1").await;
    let registered = v.ledger.reader().origin(&lot).unwrap().unwrap().0;
    assert!(v.event(registered).payload().basis.contains(&first.id));

    let second = v.author.amend_network(by(v.founder), contracts(2)).await.unwrap();
    let Body::NetworkAmended(body) = &second.event.payload().body else { panic!() };
    assert_eq!(body.follows, [first.id]);
    let moved = v.author.move_produce(by(v.farmer), MoveProduce { lot, place: v.farm }).await.unwrap();
    let basis = &moved.event.payload().basis;
    assert!(basis.contains(&second.id) && !basis.contains(&first.id));
    v.author.approve_amendment(by(v.founder), ApproveAmendment { amendment: second.id }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_founders_amend() {
    let v = Village::new().await;
    let error = v.author.amend_network(by(v.cooperative), contracts(1)).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::Founder)), "{error}");
    let amendment = v.lot("1").await;
    let no_amendment = v.ledger.reader().origin(&amendment).unwrap().unwrap().0;
    let approve = ApproveAmendment { amendment: no_amendment };
    let error = v.author.approve_amendment(by(v.founder), approve).await.unwrap_err();
    assert!(matches!(error, AuthorError::NoSuchAmendment { .. }), "{error}");
    let error = v.author.amend_network(by(v.founder), AmendNetwork::default()).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::Empty)), "{error}");
}

/// The farmer's key sells the same lot a second time, on another machine that does not know of the first sale.
async fn sold_twice(v: &Village) -> (provenance::id::SubjectId, [EventId; 2]) {
    let lot = v.lot("10").await;
    let before = v.ledger.reader().origin(&lot).unwrap().unwrap().0;
    let first = v.offer(v.farmer, lot, None, v.trader).await;
    let secret: SigningKey = v.keys.forget(&v.key_of(v.farmer)).unwrap();
    let mut payload = first.event.payload().clone();
    let other = v.author.offer_transfer(by(v.farmer), offer(lot, None, To::Actor(v.grocer))).await;
    assert!(other.is_err(), "the key is not kept any more");
    assert_eq!(payload.journal, before);
    let Body::TransferOffered(body) = &mut payload.body else { panic!() };
    body.to = provenance::body::Recipient::Actor(v.grocer);
    payload.basis = {
        let mut basis = payload.basis.clone();
        basis.push(v.ledger.reader().origin(&v.grocer).unwrap().unwrap().0);
        basis.sort_unstable();
        basis.dedup();
        basis
    };
    let second = SignedEvent::sign(payload, &secret).unwrap();
    let outcome = v.ledger.submit(vec![second.bytes().to_vec()], Origin::Client).await.unwrap();
    assert!(outcome[0].index().is_some(), "{outcome:?}");
    (lot, [first.id, second.id()])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_above_who_is_no_party_decides_and_others_are_told_who() {
    let v = Village::new().await;
    let (lot, [first, second]) = sold_twice(&v).await;
    assert!(v.counted(lot).disputed);
    let decide = |stands| ResolveDispute {
        decision: LotDecision { lot, branches: None, stands: vec![stands] },
        reason: text("the trader had paid"),
        replaces: None,
    };
    let error = v.author.resolve_dispute(by(v.founder), decide(first)).await.unwrap_err();
    let AuthorError::NotResolver { resolver } = error else { panic!("{error}") };
    assert_eq!(resolver, Some(v.cooperative));
    let decided = v.author.resolve_dispute(by(v.cooperative), decide(first)).await.unwrap();
    let Body::DisputeResolved(body) = &decided.event.payload().body else { panic!() };
    let mut branches = vec![first, second];
    branches.sort_unstable();
    assert_eq!((&body.branches, &body.stands, body.replaces), (&branches, &vec![first], None));

    // The signer's second thoughts replace the first.
    let branches = Some(vec![second, first]);
    let again = ResolveDispute { decision: LotDecision { lot, branches, stands: vec![second] }, ..decide(second) };
    let decided_again = v.author.resolve_dispute(by(v.cooperative), again).await.unwrap();
    let Body::DisputeResolved(body) = &decided_again.event.payload().body else { panic!() };
    assert_eq!(body.replaces, Some(decided.id));

    let undisputed = v.author.resolve_dispute(
        by(v.cooperative),
        ResolveDispute { decision: LotDecision { lot: v.farm, branches: None, stands: Vec::new() }, ..decide(first) },
    );
    assert!(matches!(undisputed.await.unwrap_err(), AuthorError::UnknownLot { .. }));
    // The buyer whose offer was not overruled can take over.
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: second, lines: None }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn founders_decide_where_no_resolver_can() {
    let v = Village::new().await;
    let (lot, [first, second]) = sold_twice(&v).await;
    let decision = Some(LotDecision { lot, branches: None, stands: vec![second] });
    let amend = AmendNetwork { decision, ..AmendNetwork::default() };
    let amended = v.author.amend_network(by(v.founder), amend).await.unwrap();
    let Body::NetworkAmended(body) = &amended.event.payload().body else { panic!() };
    let decision = body.change.decision.as_ref().unwrap();
    assert_eq!((decision.lot, decision.branches.contains(&first), &decision.stands[..]), (lot, true, &[second][..]));
}
