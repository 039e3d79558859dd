//! Composing the handover: offered, accepted, declined, cancelled.

use super::draft::{Command, Draft};
use super::{AcceptTransfer, AuthorError, CancelTransfer, DeclineTransfer, OfferTransfer};
use provenance::admission::OfferedItem;
use provenance::body::{AcceptedLine, Body, Moves, OfferedLine, TransferAccepted, TransferClosed, TransferOffered};
use provenance::custody::LotState;
use provenance::id::SubjectId;
use provenance::seal;
use provenance::value::Quantity;
use std::cmp::Ordering;

impl Command for OfferTransfer {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut parts = 0;
        for line in &self.lines {
            let lot = offered_lot(draft, line.lot, self.moves)?;
            let quantity = line.quantity.unwrap_or(lot.balance);
            // Two units that cannot be compared mint nothing; admission names the rule.
            parts += usize::from(quantity.compare(&lot.balance) == Ok(Ordering::Less));
            lines.push(OfferedLine { lot: line.lot, quantity });
        }
        (0..parts).for_each(|_| draft.creates());
        if let Some(carrier) = &self.carrier {
            draft.names_actor("carrier", carrier)?;
        }
        for (field, place) in [("from_place", &self.from_place), ("to_place", &self.to_place)] {
            if let Some(place) = place {
                draft.names_place(field, place)?;
            }
        }
        if let Some(returned) = self.returns {
            draft.desk().stored(&returned)?.ok_or(AuthorError::UnknownEvent { field: "returns", event: returned })?;
        }
        Ok(Body::TransferOffered(Box::new(TransferOffered {
            lines,
            to: draft.recipient(&self.to)?,
            moves: self.moves,
            carrier: self.carrier,
            from_place: self.from_place,
            to_place: self.to_place,
            temperature: self.temperature,
            price: self.price.map(|price| draft.price(seal::OFFERED_PRICE, price, self.seal_price)),
            expires: self.expires,
            returns: self.returns,
        })))
    }
}

impl Command for AcceptTransfer {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let items = draft.answers(self.offer)?;
        let lines: Vec<AcceptedLine> = match &self.lines {
            Some(lines) => lines.iter().map(without_zeros).collect(),
            None => items.iter().map(all_received).collect(),
        };
        // What is rejected beside something received goes back as a part-lot.
        let split = |line: &&AcceptedLine| !line.received.is_zero() && line.rejected.is_some();
        lines.iter().filter(split).for_each(|_| draft.creates());
        Ok(Body::TransferAccepted(TransferAccepted { offer: self.offer, lines }))
    }
}

impl Command for DeclineTransfer {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.answers(self.offer)?;
        Ok(Body::TransferDeclined(TransferClosed { offer: self.offer, reason: self.reason.clone() }))
    }
}

impl Command for CancelTransfer {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.answers(self.offer)?;
        Ok(Body::TransferCancelled(TransferClosed { offer: self.offer, reason: self.reason.clone() }))
    }
}

/// Goes on with what an offer that moves this touches of a lot. The first that moves possession or title alone gives
/// title a lane of its own.
fn offered_lot(draft: &mut Draft<'_>, lot: SubjectId, moves: Moves) -> Result<LotState, AuthorError> {
    let field = "lines.lot";
    if moves == Moves::Both {
        return draft.extends_whole(field, lot);
    }
    if moves == Moves::Title && draft.is_divided(field, lot)? {
        return draft.extends_title(field, lot);
    }
    let state = draft.extends_lot(field, lot)?;
    if !state.divided {
        draft.divides(lot);
    }
    Ok(state)
}

fn all_received(item: &OfferedItem) -> AcceptedLine {
    AcceptedLine { received: item.quantity, rejected: None, lost: None, reason: None }
}

/// Forms say "0 rejected"; signed bytes leave out what is nothing.
fn without_zeros(line: &AcceptedLine) -> AcceptedLine {
    let some = |quantity: Option<Quantity>| quantity.filter(|quantity| !quantity.is_zero());
    AcceptedLine { rejected: some(line.rejected), lost: some(line.lost), ..line.clone() }
}
