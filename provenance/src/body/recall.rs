//! Bodies of recall.issued, recall.updated and recall.ended.

use crate::id::EventId;
use crate::value::Text;
use minicbor::{Decode, Encode};

/// How far a recall reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RecallLevel {
    /// Consumers are warned, or give the goods back.
    #[n(1)]
    Public,
    /// The trade gives the goods back.
    #[n(2)]
    Trade,
    /// The trade is informed.
    #[n(3)]
    Information,
}

/// What those who hold the goods are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RecallAction {
    /// Keep them back.
    #[n(1)]
    Hold,
    /// Send them back.
    #[n(2)]
    Return,
    /// Destroy them.
    #[n(3)]
    Destroy,
    /// Tell those who have them.
    #[n(4)]
    Inform,
}

/// Body of recall.issued. The lots are the subjects that the event touches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct RecallIssued {
    /// How far it reaches.
    #[n(1)]
    pub level: RecallLevel,
    /// What is wrong with the goods.
    #[n(2)]
    pub hazard: Text<512>,
    /// Which goods, in words.
    #[n(3)]
    pub scope: Option<Text<512>>,
    /// What is to be done.
    #[n(4)]
    pub action: RecallAction,
    /// Whom to ask.
    #[n(5)]
    pub contact: Text<512>,
}

/// Body of recall.updated: what is given replaces what stood before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct RecallUpdated {
    /// The recall.
    #[n(1)]
    pub recall: EventId,
    /// Another level.
    #[n(2)]
    pub level: Option<RecallLevel>,
    /// Another hazard.
    #[n(3)]
    pub hazard: Option<Text<512>>,
    /// Another scope.
    #[n(4)]
    pub scope: Option<Text<512>>,
    /// Another action.
    #[n(5)]
    pub action: Option<RecallAction>,
    /// Another contact.
    #[n(6)]
    pub contact: Option<Text<512>>,
}

/// Body of recall.ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct RecallEnded {
    /// The recall.
    #[n(1)]
    pub recall: EventId,
    /// Why.
    #[n(2)]
    pub reason: Text<512>,
}
