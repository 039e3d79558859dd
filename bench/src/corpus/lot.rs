//! What becomes of a lot: ten events, from registration to the second handover.

use super::actor::{Actor, after, new_subject, text};
use provenance::body::{
    AcceptedLine, Body, Codes, Commodity, Moves, OfferedLine, PriceUpdated, ProduceMoved, ProduceRegistered,
    QualityUpdated, Recipient, TransferAccepted, TransferClosed, TransferOffered,
};
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Touch;
use provenance::seal::Sealable;
use provenance::value::{Currency, Date, DateRange, Grade, Gtin, LangText, Money, Price, Quantity, Unit};

/// A lot on its way.
#[derive(Debug, Clone)]
pub struct Lot {
    number: u64,
    /// What the next event does.
    step: Step,
    /// Whose turn it is.
    pub signer: usize,
    subject: SubjectId,
    tip: EventId,
    /// What was offered last, and by whom.
    offer: Option<(EventId, usize)>,
}

/// The events of a lot's life, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Register,
    MoveFirst,
    Grade,
    Price,
    Offer,
    Accept,
    MoveAgain,
    PriceAgain,
    OfferOn,
    AnswerOn,
}

impl Step {
    fn next(self) -> Option<Self> {
        Some(match self {
            Self::Register => Self::MoveFirst,
            Self::MoveFirst => Self::Grade,
            Self::Grade => Self::Price,
            Self::Price => Self::Offer,
            Self::Offer => Self::Accept,
            Self::Accept => Self::MoveAgain,
            Self::MoveAgain => Self::PriceAgain,
            Self::PriceAgain => Self::OfferOn,
            Self::OfferOn => Self::AnswerOn,
            Self::AnswerOn => return None,
        })
    }
}

/// What the lot's next event says.
pub struct Said {
    pub touches: Vec<Touch>,
    pub basis: Vec<EventId>,
    pub body: Body,
}

/// Of every lot that is offered on, one in four is sold in part.
const SOLD_IN_PART: u64 = 4;

/// Of the offers of whole lots, one in ten is declined.
const DECLINED: u64 = 10;

impl Lot {
    /// A lot that `signer` is going to register.
    pub fn new(number: u64, signer: usize) -> Self {
        let nothing = (SubjectId::from_bytes([0; 32]), EventId::from_bytes([0; 32]));
        Self { number, step: Step::Register, signer, subject: nothing.0, tip: nothing.1, offer: None }
    }

    fn is_sold_in_part(&self) -> bool {
        self.number.is_multiple_of(SOLD_IN_PART)
    }

    /// What comes next. An offer goes to actor `to`.
    pub fn say(&self, actors: &[Actor], to: usize) -> anyhow::Result<Said> {
        let signer = &actors[self.signer];
        let here = || vec![after(self.subject, self.tip)];
        let said = |touches, basis: &[EventId], body| Ok(Said { touches, basis: basis.to_vec(), body });
        match self.step {
            Step::Register => said(vec![new_subject()], &[signer.place.1], self.registered(signer)?),
            Step::MoveFirst | Step::MoveAgain => {
                let (place, registered) = signer.place;
                said(here(), &[registered], Body::ProduceMoved(ProduceMoved { place }))
            }
            Step::Grade => {
                let grade = Grade::standard(if self.number.is_multiple_of(3) { "A" } else { "B" })?;
                said(here(), &[], Body::ProduceQualityUpdated(QualityUpdated { grade, reason: None }))
            }
            Step::Price | Step::PriceAgain => {
                let price = Sealable::Open(euros(100 + self.number % 100)?);
                said(here(), &[], Body::ProducePriceUpdated(PriceUpdated { price, reason: None }))
            }
            Step::Offer | Step::OfferOn => {
                let in_part = self.step == Step::OfferOn && self.is_sold_in_part();
                let quantity = kilograms(if in_part { self.kilograms() / 2 } else { self.kilograms() })?;
                let mut touches = here();
                touches.extend(in_part.then(new_subject));
                let (place, registered) = actors[to].place;
                let body = TransferOffered {
                    lines: vec![OfferedLine { lot: self.subject, quantity }],
                    to: Recipient::Actor(actors[to].id),
                    moves: Moves::Both,
                    carrier: None,
                    from_place: None,
                    to_place: Some(place),
                    temperature: None,
                    price: Some(Sealable::Open(euros(100 + self.number % 100)?)),
                    expires: None,
                    returns: None,
                };
                said(touches, &[actors[to].enrolment, registered], Body::TransferOffered(Box::new(body)))
            }
            Step::Accept | Step::AnswerOn => said(here(), &[], self.answered()?),
        }
    }

    /// Goes on after its event was signed; false if that was the last.
    pub fn go_on(&mut self, event: &SignedEvent, to: usize) -> bool {
        let id = event.id();
        self.tip = id;
        match self.step {
            Step::Register => self.subject = id.subject(0),
            Step::Offer | Step::OfferOn => {
                self.offer = Some((id, self.signer));
                self.signer = to;
                if self.step == Step::OfferOn && self.is_sold_in_part() {
                    self.subject = id.subject(1);
                }
            }
            _ => {}
        }
        match self.step.next() {
            Some(step) => self.step = step,
            None => return false,
        }
        true
    }

    fn answered(&self) -> anyhow::Result<Body> {
        let (offer, _) = self.offer.ok_or_else(|| anyhow::anyhow!("an offer comes before its answer"))?;
        let on = self.step == Step::AnswerOn;
        if on && !self.is_sold_in_part() && self.number.is_multiple_of(DECLINED) {
            return Ok(Body::TransferDeclined(TransferClosed { offer, reason: None }));
        }
        let received = if on && self.is_sold_in_part() { self.kilograms() / 2 } else { self.kilograms() };
        let line = AcceptedLine { received: kilograms(received)?, rejected: None, lost: None, reason: None };
        Ok(Body::TransferAccepted(TransferAccepted { offer, lines: vec![line] }))
    }

    fn registered(&self, signer: &Actor) -> anyhow::Result<Body> {
        let (code, name, variety) = [
            ("0808.10", "Apples", "Gala"),
            ("0808.30", "Pears", "Conference"),
            ("0809.29", "Cherries", "Burlat"),
            ("0702.00", "Tomatoes", "Marmande"),
        ][usize::try_from(self.number % 4)?];
        Ok(Body::ProduceRegistered(Box::new(ProduceRegistered {
            commodity: Commodity { scheme: text("HS"), code: text(code) },
            name: LangText::single("en", name)?,
            variety: Some(text(variety)),
            places: vec![signer.place.0],
            harvested: Some(DateRange::new(Date::parse("2026-09-30")?, Date::parse("2026-10-01")?)?),
            quantity: kilograms(self.kilograms())?,
            grade: Some(Grade::standard("B")?),
            codes: Some(Codes {
                gtin: Some(Gtin::new("6291041500213")?),
                lot: Some(text(&format!("L{}", self.number))),
                traceability_lot_code: None,
            }),
            claims: None,
            harvester: None,
            price: Some(Sealable::Open(euros(90)?)),
        })))
    }

    fn kilograms(&self) -> u64 {
        200 + 2 * (self.number % 400)
    }
}

fn kilograms(quantity: u64) -> anyhow::Result<Quantity> {
    Ok(Quantity::parse(&quantity.to_string(), Unit::new("KGM")?, None)?)
}

fn euros(cents: u64) -> anyhow::Result<Price> {
    let money = Money::new(i128::from(cents), Currency::new("EUR")?)?;
    Ok(Price { money, per: Some(Unit::new("KGM")?) })
}
