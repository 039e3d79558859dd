//! The view of a handover: an offer together with its answer.

use super::facet::Facet;
use super::history;
use crate::reader::{Reader, Stored};
use minicbor::{Decode, Encode};
use provenance::admission::{Ancestry, Judged, OfferedItem, offered_items, returned_parts};
use provenance::body::{AcceptedLine, Body, Moves, Recipient, TemperatureLimits, TransferOffered};
use provenance::id::{EventId, SubjectId};
use provenance::seal::Sealable;
use provenance::value::{Price, Quantity, Timestamp};
use store::{Cbor, Column, StoreError, Table};

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// It waits for an answer.
    #[n(0)]
    Open,
    /// The addressee took over at least a part.
    #[n(1)]
    Accepted,
    /// The addressee refused.
    #[n(2)]
    Declined,
    /// The offerer took it back.
    #[n(3)]
    Cancelled,
    /// It went to a party outside the network and needs no answer: one signature.
    #[n(4)]
    OneSided,
}

impl TransferState {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Accepted => 1,
            Self::Declined => 2,
            Self::Cancelled => 3,
            Self::OneSided => 4,
        }
    }
}

/// One line of a handover.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct TransferLine {
    /// The lot from which it is taken.
    #[n(0)]
    pub lot: SubjectId,
    /// What passes: the same lot, or the part-lot that was minted from it.
    #[n(1)]
    pub item: SubjectId,
    /// How much is offered.
    #[n(2)]
    pub offered: Quantity,
    /// What the addressee received, rejected and missed.
    #[n(3)]
    pub answer: Option<AcceptedLine>,
    /// The part-lot that went back to the offerer.
    #[n(4)]
    pub returned: Option<SubjectId>,
}

/// A handover; its id is that of the offer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct TransferRow {
    /// The transfer.offered event.
    #[n(0)]
    pub id: EventId,
    /// Who hands over.
    #[n(1)]
    pub offerer: SubjectId,
    /// To whom.
    #[n(2)]
    pub recipient: Recipient,
    /// What passes.
    #[n(3)]
    pub moves: Moves,
    /// What is handed over.
    #[n(4)]
    pub lines: Vec<TransferLine>,
    /// What became of it.
    #[n(5)]
    pub state: TransferState,
    /// Whether it is one of several events that cannot all stand.
    #[n(6)]
    pub disputed: bool,
    /// When it was offered.
    #[n(7)]
    pub offered: Timestamp,
    /// The event that answers it.
    #[n(8)]
    pub answer: Option<EventId>,
    /// When that was signed.
    #[n(9)]
    pub answered: Option<Timestamp>,
    /// Every answer, also those that crossed the one above; ascending.
    #[n(10)]
    pub answers: Vec<EventId>,
    /// Who carries it.
    #[n(11)]
    pub carrier: Option<SubjectId>,
    /// From where.
    #[n(12)]
    pub from_place: Option<SubjectId>,
    /// To where.
    #[n(13)]
    pub to_place: Option<SubjectId>,
    /// How cold or warm on the way.
    #[n(14)]
    pub temperature: Option<TemperatureLimits>,
    /// For how much.
    #[n(15)]
    pub price: Option<Sealable<Price>>,
    /// Until when the offerer wishes an answer.
    #[n(16)]
    pub expires: Option<Timestamp>,
    /// The earlier offer that it takes back.
    #[n(17)]
    pub returns: Option<EventId>,
    /// The events that corrected it, oldest first.
    #[n(18)]
    pub corrections: Vec<EventId>,
}

/// [`Column::Transfers`].
#[derive(Debug)]
pub(crate) struct Transfers;

impl Table for Transfers {
    const COLUMN: Column = Column::Transfers;
    type Key = EventId;
    type Value = TransferRow;
    type Encoding = Cbor;
}

impl TransferRow {
    /// The actor to whom it goes; none outside the network.
    pub fn addressee(&self) -> Option<SubjectId> {
        match &self.recipient {
            Recipient::Actor(actor) => Some(*actor),
            Recipient::OutsideGln(_) | Recipient::OutsideName(_) => None,
        }
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets =
            vec![Facet::All(), Facet::state(self.state), Facet::Offerer(self.offerer), Facet::Party(self.offerer)];
        if let Some(to) = self.addressee() {
            facets.extend([Facet::Recipient(to), Facet::Party(to)]);
        }
        for line in &self.lines {
            facets.push(Facet::Lot(line.lot));
            facets.push(Facet::Lot(line.item));
            facets.extend(line.returned.map(Facet::Lot));
        }
        facets.sort_unstable();
        facets.dedup();
        facets
    }

    /// The row of an offer, from all admitted events; nothing if the event is no admitted offer.
    pub(crate) fn of(reader: &Reader, id: &EventId) -> Result<Option<Self>, StoreError> {
        let Some(stored) = reader.stored(id)?.filter(|stored| stored.judged.judgement.is_admitted()) else {
            return Ok(None);
        };
        if !reader.counts(id)? {
            return Ok(None);
        }
        let Some(items) = offered_items(&stored.judged) else { return Ok(None) };
        let (Body::TransferOffered(body), corrections) = history::corrected_body(reader, &stored)? else {
            return Ok(None);
        };
        let answers = answers(reader, &stored, &items)?;
        let disputed = is_disputed(reader, id, &answers, &items)?;
        let mut row = Self::begin(&stored.judged, *body, corrections, &items);
        row.answer_by(&answers);
        row.disputed = disputed;
        Ok(Some(row))
    }

    /// The row of a new offer of which nothing is in conflict; it is what [`of`](Self::of) makes of it.
    pub(crate) fn offered(judged: &Judged) -> Option<Self> {
        let (Body::TransferOffered(body), Some(items)) = (&judged.event.payload().body, offered_items(judged)) else {
            return None;
        };
        Some(Self::begin(judged, (**body).clone(), Vec::new(), &items))
    }

    /// Takes in the first answer to the offer, where nothing of either is in conflict; false, and nothing is changed, where
    /// more must be looked at.
    pub(crate) fn answer(&mut self, answer: &Stored) -> bool {
        let is_open = self.state == TransferState::Open && self.answers.is_empty() && !self.disputed;
        if is_open {
            self.answer_by(std::slice::from_ref(answer));
        }
        is_open
    }

    /// As it is before any answer.
    fn begin(offer: &Judged, body: TransferOffered, corrections: Vec<EventId>, items: &[OfferedItem]) -> Self {
        let line = |item: &OfferedItem| TransferLine {
            lot: item.lot,
            item: item.item,
            offered: item.quantity,
            answer: None,
            returned: None,
        };
        Self {
            id: offer.event.id(),
            offerer: offer.judgement.acting,
            lines: items.iter().map(line).collect(),
            state: match &body.to {
                Recipient::Actor(_) => TransferState::Open,
                Recipient::OutsideGln(_) | Recipient::OutsideName(_) => TransferState::OneSided,
            },
            disputed: false,
            offered: offer.event.payload().time,
            answer: None,
            answered: None,
            answers: Vec::new(),
            recipient: body.to,
            moves: body.moves,
            carrier: body.carrier,
            from_place: body.from_place,
            to_place: body.to_place,
            temperature: body.temperature,
            price: body.price,
            expires: body.expires,
            returns: body.returns,
            corrections,
        }
    }

    /// Puts the answers in, the one that decides first.
    fn answer_by(&mut self, answers: &[Stored]) {
        let Some(first) = answers.first().map(|answer| &*answer.judged) else { return };
        let payload = first.event.payload();
        self.state = match &payload.body {
            Body::TransferAccepted(_) => TransferState::Accepted,
            Body::TransferDeclined(_) => TransferState::Declined,
            _ => TransferState::Cancelled,
        };
        if let Body::TransferAccepted(body) = &payload.body {
            let returned = returned_parts(first);
            for (index, line) in self.lines.iter_mut().enumerate() {
                line.answer = body.lines.get(index).cloned();
                line.returned = returned.iter().find(|(from, _)| *from == line.item).map(|(_, part)| *part);
            }
        }
        (self.answer, self.answered) = (Some(first.event.id()), Some(payload.time));
        self.answers = answers.iter().map(|answer| answer.judged.event.id()).collect();
        self.answers.sort_unstable();
    }
}

/// The offer that an event answers.
pub(crate) fn answered_offer(body: &Body) -> Option<EventId> {
    match body {
        Body::TransferAccepted(body) => Some(body.offer),
        Body::TransferDeclined(body) | Body::TransferCancelled(body) => Some(body.offer),
        _ => None,
    }
}

/// All answers to an offer, the one that decides first: an acceptance stands against a
/// cancellation that crosses it; otherwise the earlier one.
fn answers(reader: &Reader, offer: &Stored, items: &[OfferedItem]) -> Result<Vec<Stored>, StoreError> {
    let id = offer.judged.event.id();
    // Every answer touches every item, so a lane of the first shows all of them.
    let Some(first) = items.first() else { return Ok(Vec::new()) };
    let Some(lane) = first.lanes.first().copied() else { return Ok(Vec::new()) };
    let Some(height) = offer.judged.height_in(&first.item, lane) else { return Ok(Vec::new()) };
    let mut answers = Vec::new();
    for stored in reader.on_lane(&first.item, lane, height + 1)? {
        let event = &stored.judged.event;
        if answered_offer(&event.payload().body) == Some(id) && reader.counts(&event.id())? {
            answers.push(stored);
        }
    }
    answers.sort_by_key(|answer| {
        let event = &answer.judged.event;
        let accepted = matches!(event.payload().body, Body::TransferAccepted(_));
        (!accepted, event.payload().time, event.id())
    });
    Ok(answers)
}

/// Whether the offer does not count, or it or an answer to it is in conflict with something on a lot that is not
/// settled, or was settled against it.
fn is_disputed(
    reader: &Reader,
    offer: &EventId,
    answers: &[Stored],
    items: &[OfferedItem],
) -> Result<bool, StoreError> {
    if !reader.seen(offer)?.is_some_and(|seen| seen.counts_at_all()) {
        return Ok(true);
    }
    let own = |id: &EventId| id == offer || answers.iter().any(|answer| answer.judged.event.id() == *id);
    for item in items {
        for lot in [item.lot, item.item] {
            let Some(main) = reader.lot(&lot)? else { continue };
            // Only a lot whose title is apart has a title lane; in a conflict it may be about just that.
            let apart = main.state.divided || !main.in_conflict.is_empty();
            let title = if apart { reader.title(&lot)? } else { None };
            for counted in std::iter::once(main).chain(title) {
                let unsettled = counted.disputed && counted.in_conflict.iter().any(own);
                let settled_against =
                    !counted.disputed && counted.in_conflict.iter().any(|id| own(id) && counted.beside.contains(id));
                if unsettled || settled_against {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}
