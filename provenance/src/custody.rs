//! Custody of a lot, and title to it: who has how much of it, and what each event does to that.

use crate::id::{EventId, SubjectId};
use crate::value::{Quantity, Unit};
use minicbor::{Decode, Encode};
use std::cmp::Ordering;

/// An offer of a whole lot that nobody has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct OpenOffer {
    /// The transfer.offered event.
    #[n(0)]
    pub offer: EventId,
    /// Who may accept it.
    #[n(1)]
    pub to: SubjectId,
}

/// Why a lot takes no further events on its main lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// Sold, consumed, lost or destroyed by its holder.
    #[n(1)]
    Retired,
    /// Handed to a party outside the network.
    #[n(2)]
    HandedOut,
    /// Nothing of it arrived.
    #[n(3)]
    LostInTransfer,
    /// Used up in the making of others.
    #[n(4)]
    Transformed,
}

/// How the last offer of the whole lot was answered; an acceptance and a cancellation may cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Answered {
    /// The offer.
    #[n(0)]
    pub offer: EventId,
    /// Whether it was accepted.
    #[n(1)]
    pub accepted: bool,
}

/// A lot as it stands after an event of its main lane; or its title, after one of its title lane, where the
/// holder is the owner.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LotState {
    /// Who holds it; the last holder, where it is closed.
    #[n(1)]
    pub holder: SubjectId,
    /// How much there is.
    #[n(2)]
    pub balance: Quantity,
    /// The offer that waits for an answer.
    #[n(3)]
    pub open: Option<OpenOffer>,
    /// Why nothing follows.
    #[n(4)]
    pub closed: Option<Closed>,
    /// The last offer that was answered.
    #[n(5)]
    pub answered: Option<Answered>,
    /// Whether title has a lane of its own; from then on this one tells of possession alone.
    #[cbor(n(6), skip_if = "is_false")]
    pub divided: bool,
    /// The logistic unit in which it lies, and with which it goes.
    #[n(7)]
    pub inside: Option<SubjectId>,
    /// How many lots and units lie in it, where it is itself a logistic unit.
    #[n(8)]
    pub contents: Option<u32>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As the encoding asks for it.
fn is_false(value: &bool) -> bool {
    !value
}

/// What one event does to one lot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Effect {
    /// The lot comes into being, in the state that is kept beside the effect.
    #[n(0)]
    Create,
    /// Something is told: moved, graded, priced.
    #[n(1)]
    Tell,
    /// A part leaves: offered as a part-lot, or retired.
    #[n(2)]
    Draw(#[n(0)] Quantity),
    /// All of it is offered to an actor.
    #[n(3)]
    Offer(#[n(0)] OpenOffer, #[n(1)] Quantity),
    /// The addressee takes over this much.
    #[n(4)]
    Receive(#[n(0)] EventId, #[n(1)] Quantity),
    /// The offer is declined or cancelled.
    #[n(5)]
    GiveBack(#[n(0)] EventId),
    /// The offer is answered by rejecting this much, while the rest was lost.
    #[n(6)]
    Reject(#[n(0)] EventId, #[n(1)] Quantity),
    /// All of it was lost on the way.
    #[n(7)]
    LoseAll(#[n(0)] EventId),
    /// All of it leaves the network's custody.
    #[n(8)]
    Close(#[n(0)] Closed, #[n(1)] Quantity),
    /// Title gets a lane of its own, where it is offered.
    #[n(9)]
    Divide(#[n(0)] Quantity),
    /// Title gets a lane of its own, and possession is offered to an actor.
    #[n(10)]
    DivideOffer(#[n(0)] OpenOffer, #[n(1)] Quantity),
    /// All of it is put into this unit.
    #[n(11)]
    Pack(#[n(0)] SubjectId),
    /// It is taken out of this unit.
    #[n(12)]
    Unpack(#[n(0)] SubjectId),
    /// So many are put into it.
    #[n(13)]
    Load(#[n(0)] u32),
    /// So many are taken out of it.
    #[n(14)]
    Unload(#[n(0)] u32),
}

impl Effect {
    /// Whether at most one of several such effects on the same state can stand, however much there is.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Offer(..) | Self::Close(..) | Self::Divide(..) | Self::DivideOffer(..) | Self::Pack(..))
    }
}

/// Two effects that cannot both stand, or a draw beyond the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict;

impl LotState {
    /// A new lot.
    pub fn new(holder: SubjectId, balance: Quantity) -> Self {
        Self { holder, balance, open: None, closed: None, answered: None, divided: false, inside: None, contents: None }
    }

    /// A new logistic unit: one of `EA`, with so many contents.
    pub fn unit(holder: SubjectId, contents: u32) -> Self {
        let each = Unit::new("EA").expect("it is two capital letters");
        let one = Quantity::new(1, 0, each, None).expect("nothing has fewer decimal places than none");
        Self { contents: Some(contents), ..Self::new(holder, one) }
    }

    /// The state after `effect`, an act of `by`.
    ///
    /// Only what excludes each other fails. Whether an event may *extend* this state, for instance
    /// tell something while an offer is open, is a question of admission.
    pub fn apply(&self, effect: &Effect, by: SubjectId) -> Result<Self, Conflict> {
        let mut next = self.clone();
        match effect {
            Effect::Create => return Err(Conflict),
            Effect::Tell => {}
            Effect::Draw(quantity) => {
                self.must_be_free(by)?;
                next.balance = self.balance.minus(quantity).map_err(|_| Conflict)?;
            }
            Effect::Offer(open, quantity) => {
                self.must_be_free(by)?;
                self.must_be_whole(quantity)?;
                next.open = Some(*open);
            }
            Effect::Close(closed, quantity) => {
                self.must_be_free(by)?;
                self.must_be_whole(quantity)?;
                next.balance = self.balance.zero();
                next.closed = Some(*closed);
            }
            Effect::Divide(quantity) => {
                self.must_be_free(by)?;
                self.must_be_whole(quantity)?;
                next.divide()?;
            }
            Effect::DivideOffer(open, quantity) => {
                self.must_be_free(by)?;
                self.must_be_whole(quantity)?;
                next.divide()?;
                next.open = Some(*open);
            }
            Effect::Pack(unit) => {
                self.must_be_free(by)?;
                next.inside = Some(*unit);
            }
            Effect::Unpack(unit) => {
                if self.inside != Some(*unit) {
                    return Err(Conflict);
                }
                // It went where the unit went.
                next.inside = None;
                next.holder = by;
            }
            Effect::Load(count) => {
                self.must_be_free(by)?;
                next.contents = Some(self.contents.and_then(|held| held.checked_add(*count)).ok_or(Conflict)?);
            }
            Effect::Unload(count) => {
                self.must_be_free(by)?;
                next.contents = Some(self.contents.and_then(|held| held.checked_sub(*count)).ok_or(Conflict)?);
            }
            Effect::Receive(offer, received) => {
                self.must_await(*offer)?;
                next.answer(*offer, true);
                next.holder = by;
                next.balance = *received;
            }
            Effect::Reject(offer, kept) => {
                self.must_await(*offer)?;
                next.answer(*offer, true);
                next.balance = *kept;
            }
            Effect::LoseAll(offer) => {
                self.must_await(*offer)?;
                next.answer(*offer, true);
                next.balance = self.balance.zero();
                next.closed = Some(Closed::LostInTransfer);
            }
            Effect::GiveBack(offer) => {
                // A cancellation that crosses the answer changes nothing any more.
                if self.answered.is_none_or(|answered| answered.offer != *offer) {
                    self.must_await(*offer)?;
                    next.answer(*offer, false);
                }
            }
        }
        Ok(next)
    }

    fn divide(&mut self) -> Result<(), Conflict> {
        if std::mem::replace(&mut self.divided, true) { Err(Conflict) } else { Ok(()) }
    }

    fn answer(&mut self, offer: EventId, accepted: bool) {
        self.open = None;
        self.answered = Some(Answered { offer, accepted });
    }

    /// Held by `by`, with no offer open, not closed, and not inside a unit.
    fn must_be_free(&self, by: SubjectId) -> Result<(), Conflict> {
        let free = self.holder == by && self.open.is_none() && self.closed.is_none() && self.inside.is_none();
        if free { Ok(()) } else { Err(Conflict) }
    }

    fn must_be_whole(&self, quantity: &Quantity) -> Result<(), Conflict> {
        if self.balance.compare(quantity) == Ok(Ordering::Equal) { Ok(()) } else { Err(Conflict) }
    }

    /// The offer is open, or was just cancelled and nothing else was begun since: then the
    /// acceptance that crosses the cancellation stands.
    fn must_await(&self, offer: EventId) -> Result<(), Conflict> {
        let open = self.open.is_some_and(|open| open.offer == offer);
        let cancelled = self.answered == Some(Answered { offer, accepted: false });
        if open || (cancelled && self.open.is_none() && self.closed.is_none()) { Ok(()) } else { Err(Conflict) }
    }
}
