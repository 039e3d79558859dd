//! What somebody may do, and the event that says so, made from what the node next to him shows.

use crate::chance::Chance;
use crate::signer::{Signer, new_key, public};
use ed25519_dalek::{Signer as _, SigningKey};
use ledger::Reader;
use ledger::view::{PageSize, ProduceFilter, ProduceRow, TransferFilter, TransferRow, TransferState, Views};
use provenance::body::{
    AcceptedLine, ActorEnrolled, ActorUpdated, Body, Commodity, Custody, EventCorrected, Moves, OfferedLine, Outcome,
    PlaceRegistered, PriceUpdated, ProduceMoved, ProduceRegistered, ProduceRetired, QualityUpdated, Recipient, Role,
    TransferAccepted, TransferClosed, TransferOffered,
};
use provenance::cbor::Any;
use provenance::id::{EventId, NetworkId, SubjectId};
use provenance::payload::{Lane, Touch};
use provenance::seal::Sealable;
use provenance::value::{Currency, Grade, LangText, Money, Price, Quantity, Text, Unit};
use store::StoreError;

/// What somebody sets out to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Enrol,
    Rename,
    RegisterPlace,
    RegisterLot,
    Grade,
    Price,
    Move,
    Retire,
    Offer,
    OfferPart,
    Answer,
    Cancel,
    Correct,
    /// Somebody else's lot is graded, which is against the rules.
    Trespass,
}

/// The usual ones, each as often as it is to be tried.
const USUAL: [Deed; 20] = [
    Deed::Rename,
    Deed::RegisterPlace,
    Deed::RegisterLot,
    Deed::RegisterLot,
    Deed::RegisterLot,
    Deed::Grade,
    Deed::Grade,
    Deed::Price,
    Deed::Move,
    Deed::Retire,
    Deed::Offer,
    Deed::Offer,
    Deed::OfferPart,
    Deed::OfferPart,
    Deed::Answer,
    Deed::Answer,
    Deed::Answer,
    Deed::Cancel,
    Deed::Correct,
    Deed::Trespass,
];

/// An event that is not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub touches: Vec<Touch>,
    pub basis: Vec<EventId>,
    pub body: Body,
    /// The key of whoever is enrolled.
    pub enrolled: Option<SigningKey>,
}

/// What somebody goes by.
pub(crate) struct Knowledge<'a> {
    pub network: NetworkId,
    pub views: Views,
    pub reader: &'a Reader,
    /// Actors with the events that brought them in.
    pub actors: &'a [(SubjectId, EventId)],
}

impl Deed {
    pub fn draw(chance: &mut Chance) -> Self {
        *chance.one(&USUAL).expect("the list is not empty")
    }

    /// What it would say; none where there is nothing to do it with.
    pub fn draft(self, who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
        let draft = match self {
            Self::Enrol => Some(enrolment(who, known, chance)),
            Self::Rename => {
                let touch = at_tips(known, who.actor, Lane::Main)?;
                let name = Some(text(&format!("Actor {}", chance.between(0, 1_000))));
                let body = ActorUpdated { display_name: name, gln: None, gs1_prefixes: None, node: None };
                Some(plain(touch, &[], Body::ActorUpdated(body)))
            }
            Self::RegisterPlace => Some(plain(new_subject(), &[], place())),
            Self::RegisterLot => match chance.one(&who.places) {
                Some((place, event)) => Some(plain(new_subject(), &[*event], registration(*place, chance))),
                None => Some(plain(new_subject(), &[], place())),
            },
            Self::Answer => answer(who, known, chance)?,
            Self::Cancel => cancellation(who, known, chance)?,
            Self::Trespass => any_lot(known, chance)?.map(|lot| plain(on(&lot), &[], grade(chance))),
            _ => own_lot(who, known, chance)?.map_or(Ok(None), |lot| self.with_lot(&lot, who, known, chance))?,
        };
        // What is not known at this node cannot be named there.
        let Some(draft) = draft else { return Ok(None) };
        let named = draft.basis.iter().chain(draft.touches.iter().flat_map(|touch| &touch.prev));
        for id in named.filter(|id| **id != known.network.as_event()) {
            if known.reader.stored(id)?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(draft))
    }

    fn with_lot(
        self,
        lot: &ProduceRow,
        who: &Signer,
        known: &Knowledge<'_>,
        chance: &mut Chance,
    ) -> Result<Option<Draft>, StoreError> {
        let part = kg(["0.5", "1", "7.25", "20"][chance.index(4)]);
        Ok(match self {
            Self::Grade => Some(plain(on(lot), &[], grade(chance))),
            Self::Price => {
                let body = PriceUpdated { price: Sealable::Open(price(chance)), reason: None };
                Some(plain(on(lot), &[], Body::ProducePriceUpdated(body)))
            }
            Self::Move => chance
                .one(&who.places)
                .map(|(place, event)| plain(on(lot), &[*event], Body::ProduceMoved(ProduceMoved { place: *place }))),
            Self::Retire => {
                let quantity = if chance.percent(50) { part } else { lot.balance };
                let body = ProduceRetired { quantity, outcome: Outcome::Sold };
                Some(plain(on(lot), &[], Body::ProduceRetired(body)))
            }
            Self::Offer | Self::OfferPart => chance.one(known.actors).map(|(to, enrolment)| {
                let whole = self == Self::Offer;
                let quantity = if whole { lot.balance } else { part };
                let mut draft = plain(on(lot), &[*enrolment], offer(lot.id, quantity, *to));
                draft.touches.extend((!whole).then(new_subject));
                draft
            }),
            Self::Correct => {
                let body = EventCorrected {
                    target: lot.registered_by,
                    reason: text("typing error"),
                    replacement: [(3, Any::Text(format!("Variety {}", chance.between(0, 9))))].into(),
                };
                let touch = at_tips(known, lot.root, Lane::Attester(who.actor))?;
                Some(plain(touch, &[lot.registered_by], Body::EventCorrected(body)))
            }
            _ => None,
        })
    }
}

fn plain(touch: Touch, basis: &[EventId], body: Body) -> Draft {
    Draft { touches: vec![touch], basis: basis.to_vec(), body, enrolled: None }
}

fn new_subject() -> Touch {
    Touch { subject: None, lane: Lane::Main, prev: Vec::new() }
}

/// Extends what the views show as the end of the lot.
fn on(lot: &ProduceRow) -> Touch {
    Touch { subject: Some(lot.id), lane: Lane::Main, prev: lot.tips.clone() }
}

fn at_tips(known: &Knowledge<'_>, subject: SubjectId, lane: Lane) -> Result<Touch, StoreError> {
    use provenance::admission::Ancestry;
    let mut prev = known.reader.lane_tips(&subject, lane)?;
    if prev.is_empty() && lane == Lane::Main {
        // The lane of a founder begins with the network.
        prev.push(known.network.as_event());
    }
    prev.truncate(16);
    Ok(Touch { subject: Some(subject), lane, prev })
}

fn own_lot(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<ProduceRow>, StoreError> {
    let filter = ProduceFilter { holder: Some(who.actor), ..ProduceFilter::default() };
    Ok(chance.one(&known.views.produces(&filter, None, PageSize::new(12))?.rows).cloned())
}

fn any_lot(known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<ProduceRow>, StoreError> {
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
fn answer(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
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

fn cancellation(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
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
    Ok(Some(Draft { touches, basis: Vec::new(), body: Body::TransferDeclined(closed), enrolled: None }))
}

fn enrolment(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Draft {
    let key = new_key(chance);
    let mut body = ActorEnrolled {
        key: public(&key),
        custody: Custody::Own,
        roles: vec![Role::Cooperative, Role::Farmer, Role::Trader],
        may_give: Vec::new(),
        display_name: text(&format!("Actor {}", chance.between(0, 1_000))),
        personal_name: None,
        gln: None,
        gs1_prefixes: None,
        node: None,
        countersignature: [0; 64].into(),
    };
    let message = body.countersigned_bytes(&known.network, &who.actor);
    body.countersignature = key.sign(&message).to_bytes().into();
    Draft { enrolled: Some(key), ..plain(new_subject(), &[], Body::ActorEnrolled(body)) }
}

fn place() -> Body {
    Body::PlaceRegistered(PlaceRegistered {
        place_type: text("farm"),
        name: LangText::single("en", "Hillside").expect("it is a name"),
        gln: None,
        point: None,
        exact_point: None,
        outline: None,
        area_m2: Some(12_000),
        parent: None,
        country: Some(text("FR")),
    })
}

fn registration(place: SubjectId, chance: &mut Chance) -> Body {
    Body::ProduceRegistered(Box::new(ProduceRegistered {
        commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
        name: LangText::single("en", "Apples").expect("it is a name"),
        variety: None,
        places: vec![place],
        harvested: None,
        quantity: kg(["10", "100", "250.5"][chance.index(3)]),
        grade: None,
        codes: None,
        claims: None,
        harvester: None,
        price: Some(Sealable::Open(price(chance))),
    }))
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

fn grade(chance: &mut Chance) -> Body {
    let grade = Grade::standard(["A", "B", "C", "Premium"][chance.index(4)]).expect("it is one of the four");
    Body::ProduceQualityUpdated(QualityUpdated { grade, reason: None })
}

fn price(chance: &mut Chance) -> Price {
    let money = Money::new(i128::from(chance.between(1, 500)), Currency::new("EUR").expect("it is a code"));
    Price { money: money.expect("it is an amount"), per: Some(kilogram()) }
}

fn kg(decimal: &str) -> Quantity {
    Quantity::parse(decimal, kilogram(), None).expect("it is a quantity")
}

fn kilogram() -> Unit {
    Unit::new("KGM").expect("it is a unit")
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).expect("it is a text")
}
