//! What somebody may do, and the event that says so, made from what the node next to him shows.

mod goods;
mod keys;
mod lots;
mod rulings;

pub(crate) use rulings::next_amendment;

use crate::chance::Chance;
use crate::signer::{Signer, new_key, public};
use ed25519_dalek::{Signer as _, SigningKey};
use ledger::Reader;
use ledger::view::{ProduceRow, Views};
use provenance::admission::Ancestry;
use provenance::body::{
    ActorEnrolled, ActorUpdated, Body, Commodity, Custody, PlaceRegistered, ProduceRegistered, QualityUpdated, Role,
};
use provenance::id::{EventId, NetworkId, SubjectId};
use provenance::network::Network;
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
    /// One lot or two become others.
    Transform,
    /// A lot goes into a unit, or a part of it does.
    Pack,
    Unpack,
    /// Whoever holds or held a lot warns of it.
    Recall,
    EndRecall,
    /// A further key.
    AddKey,
    /// Another key in the place of this one.
    Rotate,
    /// From above somebody gets another key, and an old one ends.
    Replace,
    /// From above the keys of somebody end.
    Revoke,
    /// Of events that exclude each other some stand.
    Decide,
    /// Founders change the network.
    Amend,
    Approve,
}

/// The usual ones, each as often as it is to be tried.
const USUAL: [(Deed, u64); 18] = [
    (Deed::Rename, 1),
    (Deed::RegisterPlace, 1),
    (Deed::RegisterLot, 2),
    (Deed::Grade, 2),
    (Deed::Price, 1),
    (Deed::Move, 1),
    (Deed::Retire, 1),
    (Deed::Offer, 4),
    (Deed::OfferPart, 4),
    (Deed::Answer, 9),
    (Deed::Cancel, 1),
    (Deed::Correct, 1),
    (Deed::Trespass, 1),
    (Deed::Transform, 1),
    (Deed::Pack, 1),
    (Deed::Unpack, 1),
    (Deed::Recall, 1),
    (Deed::EndRecall, 1),
];

/// What those do besides who stand above others.
const OVERSEEING: [(Deed, u64); 5] =
    [(Deed::Replace, 3), (Deed::Revoke, 1), (Deed::Decide, 24), (Deed::Amend, 3), (Deed::Approve, 5)];

/// An event that is not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub touches: Vec<Touch>,
    pub basis: Vec<EventId>,
    pub body: Body,
    /// The key that it gives to somebody.
    pub gives: Option<Gift>,
    /// Whether it is against the rules, so that no log may ever hold it.
    pub is_wrong: bool,
}

/// A key that somebody gets.
#[derive(Debug, Clone)]
pub(crate) enum Gift {
    /// Somebody new, who may or may not bring in others.
    Actor { key: SigningKey, oversees: bool },
    /// An actor who has keys already.
    Key { key: SigningKey, actor: SubjectId },
}

/// What somebody goes by.
pub(crate) struct Knowledge<'a> {
    pub network: &'a Network,
    pub views: Views,
    pub reader: &'a Reader,
    /// All who sign.
    pub signers: &'a [Signer],
}

impl Knowledge<'_> {
    fn id(&self) -> NetworkId {
        self.network.id()
    }

    /// Whether the node knows the event, void or not.
    fn knows(&self, id: &EventId) -> Result<bool, StoreError> {
        Ok(*id == self.id().as_event() || self.reader.stored(id)?.is_some())
    }
}

impl Deed {
    /// What comes to mind of somebody.
    pub fn draw(who: &Signer, chance: &mut Chance) -> Self {
        if who.oversees && chance.percent(20) {
            return weighted(&OVERSEEING, chance);
        }
        // A key is seldom changed, and where it is, sometimes twice.
        if !who.is_founder() && chance.percent(if who.is_weary { 8 } else { 1 }) {
            return Self::Rotate;
        }
        if !who.is_founder() && chance.percent(1) {
            return Self::AddKey;
        }
        weighted(&USUAL, chance)
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
            Self::Trespass => lots::any(known, chance)?.map(|lot| plain(on(&lot), &[], grade(chance))),
            Self::Answer => lots::answer(who, known, chance)?,
            Self::Cancel => lots::cancellation(who, known, chance)?,
            Self::Transform => goods::transformation(who, known, chance)?,
            Self::Pack => goods::packing(who, known, chance)?,
            Self::Unpack => goods::unpacking(who, known, chance)?,
            Self::EndRecall => lots::end_of_recall(who, known, chance)?,
            Self::AddKey => keys::addition(who, known, chance)?,
            Self::Rotate => keys::rotation(who, known, chance)?,
            Self::Replace => keys::replacement(who, known, chance)?,
            Self::Revoke => keys::revocation(who, known, chance)?,
            Self::Decide => rulings::decision(who, known, chance)?,
            Self::Amend => rulings::amendment(who, known, chance)?,
            Self::Approve => rulings::approval(who, known, chance)?,
            _ => lots::with_own(self, who, known, chance)?,
        };
        // What is not known at this node cannot be named there.
        let Some(draft) = draft else { return Ok(None) };
        for id in draft.basis.iter().chain(draft.touches.iter().flat_map(|touch| &touch.prev)) {
            if !known.knows(id)? {
                return Ok(None);
            }
        }
        Ok(Some(draft))
    }
}

fn weighted(deeds: &[(Deed, u64)], chance: &mut Chance) -> Deed {
    let mut left = chance.between(0, deeds.iter().map(|(_, weight)| weight).sum());
    for (deed, weight) in deeds {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return *deed,
        }
    }
    unreachable!("what is drawn is below the sum of the weights")
}

fn plain(touch: Touch, basis: &[EventId], body: Body) -> Draft {
    Draft { touches: vec![touch], basis: basis.to_vec(), body, gives: None, is_wrong: false }
}

fn new_subject() -> Touch {
    Touch { subject: None, lane: Lane::Main, prev: Vec::new() }
}

/// Extends what the views show as the end of the lot.
fn on(lot: &ProduceRow) -> Touch {
    Touch { subject: Some(lot.id), lane: Lane::Main, prev: lot.tips.clone() }
}

fn at_tips(known: &Knowledge<'_>, subject: SubjectId, lane: Lane) -> Result<Touch, StoreError> {
    let mut prev = known.reader.lane_tips(&subject, lane)?;
    if prev.is_empty() && lane == Lane::Main {
        // The lanes of the network and of a founder begin with the network.
        prev.push(known.id().as_event());
    }
    prev.truncate(16);
    Ok(Touch { subject: Some(subject), lane, prev })
}

/// What every actor of these runs may do.
const ROLES: [Role; 3] = [Role::Cooperative, Role::Farmer, Role::Trader];

fn enrolment(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Draft {
    let (key, oversees) = (new_key(chance), chance.percent(40));
    let mut body = ActorEnrolled {
        key: public(&key),
        custody: Custody::Own,
        roles: ROLES.to_vec(),
        may_give: if oversees { ROLES.to_vec() } else { Vec::new() },
        display_name: text(&format!("Actor {}", chance.between(0, 1_000))),
        personal_name: None,
        gln: None,
        gs1_prefixes: None,
        node: None,
        countersignature: [0; 64].into(),
    };
    let message = body.countersigned_bytes(&known.id(), &who.actor);
    body.countersignature = key.sign(&message).to_bytes().into();
    let gives = Some(Gift::Actor { key, oversees });
    Draft { gives, ..plain(new_subject(), &[], Body::ActorEnrolled(body)) }
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
