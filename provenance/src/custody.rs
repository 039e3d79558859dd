//! Custody of a lot: who holds how much of it, and what each event does to that.

use crate::id::{EventId, SubjectId};
use crate::value::Quantity;
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

/// A lot as it stands after an event of its main lane.
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
}

impl Effect {
    /// Whether at most one of several such effects on the same state can stand, however much there is.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Offer(..) | Self::Close(..))
    }
}

/// Two effects that cannot both stand, or a draw beyond the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict;

impl LotState {
    /// A new lot.
    pub fn new(holder: SubjectId, balance: Quantity) -> Self {
        Self { holder, balance, open: None, closed: None, answered: None }
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

    fn answer(&mut self, offer: EventId, accepted: bool) {
        self.open = None;
        self.answered = Some(Answered { offer, accepted });
    }

    /// Held by `by`, with no offer open, and not closed.
    fn must_be_free(&self, by: SubjectId) -> Result<(), Conflict> {
        if self.holder == by && self.open.is_none() && self.closed.is_none() { Ok(()) } else { Err(Conflict) }
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
