//! Bodies of the handover: offered, accepted, declined, cancelled.

use crate::id::{EventId, SubjectId};
use crate::seal::Sealable;
use crate::value::{Gln, Price, Quantity, Text, Timestamp};
use minicbor::{Decode, Encode};

/// One lot, or a part of one, that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct OfferedLine {
    /// The lot from which it is taken.
    #[n(0)]
    pub lot: SubjectId,
    /// How much; less than the balance mints a part-lot.
    #[n(1)]
    pub quantity: Quantity,
}

/// To whom an offer goes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(flat)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// An actor of the network, who must accept.
    #[n(0)]
    Actor(#[n(0)] SubjectId),
    /// A party outside the network, by its GLN: the handover has one signature and is complete.
    #[n(1)]
    OutsideGln(#[n(0)] Gln),
    /// A party outside the network, by name.
    #[n(2)]
    OutsideName(#[n(0)] Sealable<Text<128>>),
}

/// What passes to the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// Possession: somebody else holds it, the owner stays.
    #[n(1)]
    Possession,
    /// Title: somebody else owns it, the holder stays.
    #[n(2)]
    Title,
    /// Both.
    #[n(3)]
    Both,
}

/// Between which temperatures the goods must stay, in hundredths of a degree Celsius.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct TemperatureLimits {
    /// Not colder.
    #[n(0)]
    pub min_centicelsius: i16,
    /// Not warmer.
    #[n(1)]
    pub max_centicelsius: i16,
}

/// Body of transfer.offered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct TransferOffered {
    /// What is offered. The event touches the lots in this order, and then, in this order too,
    /// creates one part-lot for each line that takes less than the balance.
    #[n(1)]
    pub lines: Vec<OfferedLine>,
    /// To whom.
    #[n(2)]
    pub to: Recipient,
    /// What passes.
    #[n(3)]
    pub moves: Moves,
    /// Who carries it.
    #[n(4)]
    pub carrier: Option<SubjectId>,
    /// From where.
    #[n(5)]
    pub from_place: Option<SubjectId>,
    /// To where.
    #[n(6)]
    pub to_place: Option<SubjectId>,
    /// How cold or warm on the way.
    #[n(7)]
    pub temperature: Option<TemperatureLimits>,
    /// For how much.
    #[n(8)]
    pub price: Option<Sealable<Price>>,
    /// Until when the offerer wishes an answer.
    #[n(9)]
    pub expires: Option<Timestamp>,
    /// The earlier offer that this one takes back.
    #[n(10)]
    pub returns: Option<EventId>,
}

/// The answer to one line of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct AcceptedLine {
    /// Taken over.
    #[n(1)]
    pub received: Quantity,
    /// Given back.
    #[n(2)]
    pub rejected: Option<Quantity>,
    /// Not there any more.
    #[n(3)]
    pub lost: Option<Quantity>,
    /// Why not all was received.
    #[n(4)]
    pub reason: Option<Text<512>>,
}

/// Body of transfer.accepted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct TransferAccepted {
    /// The offer.
    #[n(1)]
    pub offer: EventId,
    /// One answer for each line of the offer, in its order. The event touches the offered lots in
    /// that order, and then creates one part-lot for each line that is rejected in part.
    #[n(2)]
    pub lines: Vec<AcceptedLine>,
}

/// Body of transfer.declined and transfer.cancelled: nothing changes hands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct TransferClosed {
    /// The offer.
    #[n(1)]
    pub offer: EventId,
    /// Why.
    #[n(2)]
    pub reason: Option<Text<512>>,
}
