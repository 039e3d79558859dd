//! What an event says, by kind: closed maps with small integer keys.

mod actor;
mod correction;
mod place;
mod produce;
mod transfer;

pub use actor::{ActorEnrolled, ActorUpdated, AnchoringDetails, Custody, NodeDetails, Role};
pub use correction::{CorrectionError, EventCorrected};
pub use place::PlaceRegistered;
pub use produce::{
    Codes, Commodity, Outcome, PriceUpdated, ProduceMoved, ProduceRegistered, ProduceRetired, QualityUpdated,
};
pub use transfer::{
    AcceptedLine, Moves, OfferedLine, Recipient, TemperatureLimits, TransferAccepted, TransferClosed, TransferOffered,
};

use crate::cbor::Any;
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
    ActorEnrolled ActorEnrolled;
    ActorUpdated ActorUpdated;
    PlaceRegistered PlaceRegistered;
    ProduceRegistered Box<ProduceRegistered>;
    ProduceMoved ProduceMoved;
    ProduceQualityUpdated QualityUpdated;
    ProducePriceUpdated PriceUpdated;
    ProduceRetired ProduceRetired;
    TransferOffered Box<TransferOffered>;
    TransferAccepted TransferAccepted;
    TransferDeclined TransferClosed;
    TransferCancelled TransferClosed;
    EventCorrected EventCorrected;
}

impl Body {
    /// The kind, where this program knows its name.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind_number())
    }
}
