//! What an event says, by kind: closed maps with small integer keys.

mod actor;
mod certificate;
mod collection;
mod condition;
mod correction;
mod decision;
mod device;
mod inspection;
mod key;
mod network;
mod place;
mod produce;
mod recall;
mod statement;
mod transfer;
mod transform;
mod unit;

pub use actor::{ActorEnrolled, ActorUpdated, AnchoringDetails, Custody, NodeDetails, Role};
pub use certificate::{CertificateIssued, CertificateState, CertificateStatus};
pub use collection::{Delivery, ProduceCollected};
pub use condition::{ConditionMeasured, Period};
pub use correction::{CorrectionError, EventCorrected};
pub use decision::DisputeResolved;
pub use device::{DeviceAttached, DeviceDetached};
pub use inspection::{Analyte, InspectionVerdict, ProduceInspected};
pub use key::{ActorRevoked, Cut, JournalRoot, KeyAdded, KeyReplaced, KeyRotated};
pub use network::{Change, Contract, FounderLeaves, FoundersDecision, NetworkAmended, NetworkApproved, Parameters};
pub use place::{PlaceRegistered, PlaceUpdated};
pub use produce::{
    Codes, CodesAssigned, Commodity, Outcome, PriceUpdated, ProduceHandled, ProduceMoved, ProduceRegistered,
    ProduceRetired, QualityUpdated,
};
pub use recall::{RecallAction, RecallEnded, RecallIssued, RecallLevel, RecallUpdated};
pub use statement::{EventConfirmed, EventDisputed};
pub use transfer::{
    AcceptedLine, Moves, OfferedLine, Recipient, TemperatureLimits, TransferAccepted, TransferClosed, TransferOffered,
};
pub use transform::{Input, Output, ProduceTransformed};
pub use unit::{Content, UnitPacked, UnitUnpacked};

use crate::cbor::Any;
use crate::id::EventId;
use crate::kind::Kind;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A document outside the event, named by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Document {
    /// SHA-256 of the document's bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// Its media type, such as `application/geo+json`.
    #[n(1)]
    pub media_type: crate::value::Text<128>,
}

impl serde::Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Document", 2)?;
        out.serialize_field("sha256", &data_encoding::HEXLOWER.encode(&self.sha256))?;
        out.serialize_field("media_type", &self.media_type)?;
        out.end()
    }
}

macro_rules! bodies {
    ($($kind:ident $body:ty;)*) => {
        /// The body of an event.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(untagged)]
        #[allow(missing_docs)] // Each variant is named after its kind.
        pub enum Body {
            $($kind($body),)*
            /// Of a kind for which this program has no rules: kept to the letter, never guessed.
            Unknown { #[serde(skip)] kind: u16, body: Any },
        }

        impl Body {
            /// The number of the kind that this body belongs to.
            pub fn kind_number(&self) -> u16 {
                match self {
                    $(Self::$kind(_) => Kind::$kind.number(),)*
                    Self::Unknown { kind, .. } => *kind,
                }
            }

            /// Encodes the body alone.
            pub(crate) fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                match self {
                    $(Self::$kind(body) => body.encode(e, &mut ()),)*
                    Self::Unknown { body, .. } => body.encode(e, &mut ()),
                }
            }

            /// Decodes the body of an event of this kind.
            pub(crate) fn decode(kind: u16, d: &mut Decoder<'_>) -> Result<Self, minicbor::decode::Error> {
                match Kind::from_number(kind) {
                    $(Some(Kind::$kind) => Ok(Self::$kind(Decode::decode(d, &mut ())?)),)*
                    _ => Ok(Self::Unknown { kind, body: Decode::decode(d, &mut ())? }),
                }
            }
        }
    };
}

bodies! {
    NetworkAmended Box<NetworkAmended>;
    NetworkApproved NetworkApproved;
    ActorEnrolled ActorEnrolled;
    ActorUpdated ActorUpdated;
    ActorKeyAdded KeyAdded;
    ActorKeyRotated KeyRotated;
    ActorKeyReplaced KeyReplaced;
    ActorRevoked ActorRevoked;
    PlaceRegistered PlaceRegistered;
    PlaceUpdated Box<PlaceUpdated>;
    ProduceRegistered Box<ProduceRegistered>;
    ProduceCollected Box<ProduceCollected>;
    ProduceMoved ProduceMoved;
    ProduceHandled ProduceHandled;
    ProduceQualityUpdated QualityUpdated;
    ProducePriceUpdated PriceUpdated;
    ProduceCodesAssigned CodesAssigned;
    ProduceTransformed Box<ProduceTransformed>;
    ProduceRetired ProduceRetired;
    ProduceInspected ProduceInspected;
    TransferOffered Box<TransferOffered>;
    TransferAccepted TransferAccepted;
    TransferDeclined TransferClosed;
    TransferCancelled TransferClosed;
    UnitPacked UnitPacked;
    UnitUnpacked UnitUnpacked;
    ConditionMeasured Box<ConditionMeasured>;
    DeviceAttached DeviceAttached;
    DeviceDetached DeviceDetached;
    CertificateIssued Box<CertificateIssued>;
    CertificateStatus CertificateStatus;
    RecallIssued RecallIssued;
    RecallUpdated RecallUpdated;
    RecallEnded RecallEnded;
    EventCorrected EventCorrected;
    EventConfirmed EventConfirmed;
    EventDisputed EventDisputed;
    DisputeResolved DisputeResolved;
}

impl Body {
    /// The kind, where this program knows its name.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind_number())
    }

    /// The events that the body names: one, lists of some, and those at the ends of journals.
    pub(crate) fn named_events(&self) -> (Option<EventId>, [&[EventId]; 3], &[Cut]) {
        let one = |id| (Some(id), [[].as_slice(); 3], [].as_slice());
        match self {
            Self::NetworkAmended(body) => {
                let change = &body.change;
                let (branches, stands) = change
                    .decision
                    .as_ref()
                    .map_or((&[][..], &[][..]), |decision| (decision.branches.as_slice(), decision.stands.as_slice()));
                let cut = change.leaves.as_ref().map_or(&[][..], |leaves| std::slice::from_ref(&leaves.cut));
                (None, [&body.follows, branches, stands], cut)
            }
            Self::NetworkApproved(body) => one(body.amendment),
            Self::ActorKeyReplaced(body) => (None, [&[]; 3], &body.cuts),
            Self::ActorRevoked(body) => (None, [&[]; 3], &body.cuts),
            Self::TransferOffered(body) => (body.returns, [&[]; 3], &[]),
            Self::TransferAccepted(body) => one(body.offer),
            Self::TransferDeclined(body) | Self::TransferCancelled(body) => one(body.offer),
            Self::RecallUpdated(body) => one(body.recall),
            Self::RecallEnded(body) => one(body.recall),
            Self::EventCorrected(body) => one(body.target),
            Self::EventConfirmed(body) => one(body.target),
            Self::EventDisputed(body) => one(body.target),
            Self::DisputeResolved(body) => (body.replaces, [&body.branches, &body.stands, &[]], &[]),
            _ => (None, [&[]; 3], &[]),
        }
    }
}
