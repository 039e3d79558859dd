//! Bodies of network.amended and network.approved: what founders change together.

use super::Cut;
use crate::cbor::Any;
use crate::id::{EventId, SubjectId};
use crate::value::Text;
use minicbor::{Decode, Decoder, Encode, Encoder};
use std::collections::BTreeMap;

/// A contract to which nodes may anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Contract {
    /// EIP-155 chain id.
    #[n(0)]
    pub chain_id: u64,
    /// Its address.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub address: [u8; 20],
}

impl serde::Serialize for Contract {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Contract", 2)?;
        out.serialize_field("chain_id", &self.chain_id)?;
        out.serialize_field("address", &format!("0x{}", data_encoding::HEXLOWER.encode(&self.address)))?;
        out.end()
    }
}

/// A founder that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct FounderLeaves {
    /// Position of its key in the network's definition, from 0.
    #[n(0)]
    pub index: u32,
    /// Where its journal ends.
    #[n(1)]
    pub cut: Cut,
}

/// A decision that no resolver can take, because founders signed the branches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct FoundersDecision {
    /// The lot.
    #[n(0)]
    pub lot: SubjectId,
    /// The events that cannot all stand; ascending, distinct.
    #[n(1)]
    pub branches: Vec<EventId>,
    /// Those of them that stand; ascending, distinct.
    #[n(2)]
    pub stands: Vec<EventId>,
}

/// Parameters by name. How many there may be is a rule of the kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(BTreeMap<(usize, Text<128>), Any>);

impl Parameters {
    /// These parameters; of two of one name the later.
    pub fn new(entries: impl IntoIterator<Item = (Text<128>, Any)>) -> Self {
        // Shorter names come first, as their encodings do.
        Self(entries.into_iter().map(|(name, value)| ((name.as_str().len(), name), value)).collect())
    }

    /// All of them, in the order of their encoding.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Any)> {
        self.0.iter().map(|((_, name), value)| (name.as_str(), value))
    }
}

impl serde::Serialize for Parameters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<C> Encode<C> for Parameters {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.map(self.0.len() as u64)?;
        for (name, value) in self.iter() {
            e.str(name)?;
            value.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Parameters {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let len = d.map()?.unwrap_or(0);
        let entries: Result<Vec<_>, _> = (0..len).map(|_| Ok((d.decode_with(ctx)?, d.decode_with(ctx)?))).collect();
        entries.map(Self::new)
    }
}

/// What an amendment changes; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct Change {
    /// All contracts to which nodes may anchor from now on; ascending, distinct.
    #[n(1)]
    pub contracts: Option<Vec<Contract>>,
    /// Parameters that are set; null takes one away.
    #[n(2)]
    pub parameters: Option<Parameters>,
    /// The version of the rules by which events are judged that rest on this.
    #[n(3)]
    pub rules: Option<u64>,
    /// A founder that leaves.
    #[n(4)]
    pub leaves: Option<FounderLeaves>,
    /// A decision over a lot.
    #[n(5)]
    pub decision: Option<FoundersDecision>,
}

/// Body of network.amended. It is in force once more than half of the founders have approved it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct NetworkAmended {
    /// What it follows: the network id, or amendments; ascending, distinct.
    #[n(1)]
    pub follows: Vec<EventId>,
    /// What changes.
    #[n(2)]
    pub change: Change,
    /// Why.
    #[n(3)]
    pub reason: Option<Text<512>>,
}

/// Body of network.approved: a founder agrees.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct NetworkApproved {
    /// To what.
    #[n(1)]
    pub amendment: EventId,
}
