//! Lots, and how they change hands.

use super::{Deed, Draft, Knowledge, at_tips, grade, kg, new_subject, on, plain, price, text};
use crate::chance::Chance;
use crate::signer::Signer;
use ledger::view::{LotStanding, PageSize, ProduceFilter, ProduceRow, TransferFilter, TransferRow, TransferState};
use provenance::admission::Ancestry;
use provenance::body::{
    AcceptedLine, Body, EventCorrected, Moves, OfferedLine, Outcome, PriceUpdated, ProduceMoved, ProduceRetired,
    RecallAction, RecallEnded, RecallIssued, RecallLevel, Recipient, TransferAccepted, TransferClosed, TransferOffered,
};
use provenance::cbor::Any;
use provenance::id::SubjectId;
use provenance::payload::Lane;
use provenance::seal::Sealable;
use provenance::value::Quantity;
use store::StoreError;

/// What somebody does with a lot that he holds.
pub(super) fn with_own(
    deed: Deed,
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let Some(lot) = own(who, known, chance)? else { return Ok(None) };
    let lot = &lot;
    let part = kg(["0.5", "1", "7.25", "20"][chance.index(4)]);
    Ok(match deed {
        Deed::Grade => Some(plain(on(lot), &[], grade(chance))),
        Deed::Price => {
            let body = PriceUpdated { price: Sealable::Open(price(chance)), reason: None };
            Some(plain(on(lot), &[], Body::ProducePriceUpdated(body)))
        }
        Deed::Move => chance
            .one(&who.places)
            .map(|(place, event)| plain(on(lot), &[*event], Body::ProduceMoved(ProduceMoved { place: *place }))),
        Deed::Retire => {
            let quantity = if chance.percent(50) { part } else { lot.balance };
            let body = ProduceRetired { quantity, outcome: Outcome::Sold };
            Some(plain(on(lot), &[], Body::ProduceRetired(body)))
        }
        Deed::Offer | Deed::OfferPart => somebody_else(who, known, chance).map(|to| {
            let whole = deed == Deed::Offer;
            let quantity = if whole { lot.balance } else { part };
            let mut draft = plain(on(lot), &[to.enrolment], offer(lot.id, quantity, to.actor));
            draft.touches.extend((!whole).then(new_subject));
            draft
        }),
        Deed::Correct => {
            let body = EventCorrected {
                target: lot.registered_by,
                reason: text("typing error"),
                replacement: [(3, Any::Text(format!("Variety {}", chance.between(0, 9))))].into(),
            };
            let touch = at_tips(known, lot.root, Lane::Attester(who.actor))?;
            Some(plain(touch, &[lot.registered_by], Body::EventCorrected(body)))
        }
        Deed::Recall => {
            let touch = at_tips(known, lot.id, Lane::Attester(who.actor))?;
            let basis = [vec![lot.created_by], lot.tips.clone()].concat();
            let body = RecallIssued {
                level: RecallLevel::Trade,
                hazard: text("glass"),
                scope: None,
                action: RecallAction::Hold,
                contact: text("quality desk"),
            };
            Some(plain(touch, &basis, Body::RecallIssued(body)))
        }
        _ => None,
    })
}

/// Mostly another actor.
fn somebody_else<'a>(who: &Signer, known: &Knowledge<'a>, chance: &mut Chance) -> Option<&'a Signer> {
    let others: Vec<&Signer> = known.signers.iter().filter(|signer| signer.actor != who.actor).collect();
    if chance.percent(3) { chance.one(known.signers) } else { chance.one(&others).copied() }
}

/// A lot that somebody holds.
pub(super) fn own(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<ProduceRow>, StoreError> {
    // What is offered or packed is rather left alone.
    let standing = Some(LotStanding::Held).filter(|_| chance.percent(90));
    let filter = ProduceFilter { holder: Some(who.actor), standing, ..ProduceFilter::default() };
    Ok(chance.one(&known.views.produces(&filter, None, PageSize::new(12))?.rows).cloned())
}

/// A lot of anybody.
pub(super) fn any(known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<ProduceRow>, StoreError> {
    Ok(chance.one(&known.views.produces(&ProduceFilter::default(), None, PageSize::new(12))?.rows).cloned())
}

/// Offers without an answer.
const OPEN: Option<TransferState> = Some(TransferState::Open);

fn one_transfer(
    filter: &TransferFilter,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<TransferRow>, StoreError> {
    Ok(chance.one(&known.views.transfers(filter, None, PageSize::new(12))?.rows).cloned())
}

/// Takes over, in part or as a whole, or refuses.
pub(super) fn answer(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    let filter = TransferFilter { state: OPEN, recipient: Some(who.actor), ..TransferFilter::default() };
    let Some(offer) = one_transfer(&filter, known, chance)? else { return Ok(None) };
    let Some(mut draft) = on_items(&offer, known, TransferClosed { offer: offer.id, reason: None })? else {
        return Ok(None);
    };
    if chance.percent(25) {
        return Ok(Some(draft));
    }
    let some = kg("0.25");
    let rejects = chance.percent(30);
    let mut lines = Vec::new();
    for line in &offer.lines {
        let rest = line.offered.minus(&some).ok().filter(|_| rejects);
        draft.touches.extend(rest.is_some().then(new_subject));
        lines.push(AcceptedLine {
            received: rest.unwrap_or(line.offered),
            rejected: rest.map(|_| some),
            lost: None,
            reason: rest.map(|_| text("bruised")),
        });
    }
    draft.body = Body::TransferAccepted(TransferAccepted { offer: offer.id, lines });
    Ok(Some(draft))
}

/// Takes an offer back.
pub(super) fn cancellation(
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let filter = TransferFilter { state: OPEN, offerer: Some(who.actor), ..TransferFilter::default() };
    let Some(offer) = one_transfer(&filter, known, chance)? else { return Ok(None) };
    let closed = TransferClosed { offer: offer.id, reason: None };
    let draft = on_items(&offer, known, closed.clone())?;
    Ok(draft.map(|draft| Draft { body: Body::TransferCancelled(closed), ..draft }))
}

/// A refusal of an offer, which touches what is offered.
fn on_items(offer: &TransferRow, known: &Knowledge<'_>, closed: TransferClosed) -> Result<Option<Draft>, StoreError> {
    let mut touches = Vec::new();
    for line in &offer.lines {
        let Some(item) = known.views.produce(&line.item)? else { return Ok(None) };
        touches.push(on(&item));
    }
    let body = Body::TransferDeclined(closed);
    Ok(Some(Draft { touches, basis: Vec::new(), body, gives: None, is_wrong: false }))
}

fn offer(lot: SubjectId, quantity: Quantity, to: SubjectId) -> Body {
    Body::TransferOffered(Box::new(TransferOffered {
        lines: vec![OfferedLine { lot, quantity }],
        to: Recipient::Actor(to),
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: None,
        price: None,
        expires: None,
        returns: None,
    }))
}

/// Takes a warning back.
pub(super) fn end_of_recall(
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let Some(lot) = any(known, chance)? else { return Ok(None) };
    let lane = Lane::Attester(who.actor);
    for recall in known.reader.lane_events(&lot.id, lane)? {
        let Some(judged) = known.reader.judged(&recall)? else { continue };
        if matches!(judged.event.payload().body, Body::RecallIssued(_)) {
            let body = Body::RecallEnded(RecallEnded { recall, reason: text("all found") });
            return Ok(Some(plain(at_tips(known, lot.id, lane)?, &[], body)));
        }
    }
    Ok(None)
}
