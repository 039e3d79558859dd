//! Bodies of the kinds that tell who somebody is: actor.enrolled and actor.updated.

use super::key::countersigned_bytes;
use crate::id::{NetworkId, PublicKey, SubjectId};
use crate::kind::Kind;
use crate::seal::Sealable;
use crate::value::{Gln, Gs1Prefix, Text};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// What an actor may do. The numbers stand in signed bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Registers and trades produce, also of its members.
    #[n(1)]
    Cooperative,
    /// Grows and registers produce.
    #[n(2)]
    Farmer,
    /// Runs a node: keeps a log and anchors it.
    #[n(3)]
    Node,
    /// Carries produce for others.
    #[n(4)]
    Carrier,
    /// Packs and transforms.
    #[n(5)]
    Processor,
    /// Buys and sells between businesses.
    #[n(6)]
    Trader,
    /// Sells to consumers.
    #[n(7)]
    Retailer,
    /// Inspects on the spot.
    #[n(8)]
    Inspector,
    /// Analyses samples.
    #[n(9)]
    Laboratory,
    /// Issues certificates.
    #[n(10)]
    Certifier,
    /// A public authority.
    #[n(11)]
    Authority,
    /// A device that measures.
    #[n(12)]
    Device,
}

impl Role {
    /// Every role: what founders may give.
    pub const ALL: [Role; 12] = [
        Self::Cooperative,
        Self::Farmer,
        Self::Node,
        Self::Carrier,
        Self::Processor,
        Self::Trader,
        Self::Retailer,
        Self::Inspector,
        Self::Laboratory,
        Self::Certifier,
        Self::Authority,
        Self::Device,
    ];
}

/// Who holds the secret half of an actor's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// The actor itself.
    #[n(0)]
    Own,
    /// A cooperative, for a member.
    #[n(1)]
    Kept,
}

/// Where a node anchors: verifiers accept no other chain, contract and sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AnchoringDetails {
    /// EIP-155 chain id.
    #[n(0)]
    pub chain_id: u64,
    /// Address of the anchor contract.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub contract: [u8; 20],
    /// Address of the one sender of this node's log.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sender: [u8; 20],
}

impl serde::Serialize for AnchoringDetails {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let address = |bytes: &[u8; 20]| format!("0x{}", data_encoding::HEXLOWER.encode(bytes));
        let mut out = serializer.serialize_struct("AnchoringDetails", 3)?;
        out.serialize_field("chain_id", &self.chain_id)?;
        out.serialize_field("contract", &address(&self.contract))?;
        out.serialize_field("sender", &address(&self.sender))?;
        out.end()
    }
}

/// What others must know of a node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct NodeDetails {
    /// The key that signs the checkpoints of its log.
    #[n(1)]
    pub log_key: PublicKey,
    /// Its libp2p peer id, as text.
    #[n(2)]
    pub peer_id: Text<128>,
    /// Where it anchors, if it does.
    #[n(3)]
    pub anchoring: Option<AnchoringDetails>,
}

/// Body of actor.enrolled: a founder, or an actor with the right to, brings somebody in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ActorEnrolled {
    /// The new actor's first key.
    #[n(1)]
    pub key: PublicKey,
    /// Who holds its secret half.
    #[n(2)]
    pub custody: Custody,
    /// What the actor may do; ascending, distinct.
    #[n(3)]
    pub roles: Vec<Role>,
    /// Which roles the actor may give to others in its turn; empty for most. Ascending, distinct.
    #[n(4)]
    pub may_give: Vec<Role>,
    /// Under what name the public knows it.
    #[n(5)]
    pub display_name: Text<128>,
    /// The name of a person.
    #[n(6)]
    pub personal_name: Option<Sealable<Text<128>>>,
    /// Its Global Location Number as a party.
    #[n(7)]
    pub gln: Option<Gln>,
    /// Its GS1 company prefixes.
    #[n(8)]
    pub gs1_prefixes: Option<Vec<Gs1Prefix>>,
    /// For a node: its log key, peer id and anchoring.
    #[n(9)]
    pub node: Option<NodeDetails>,
    /// The new key's own signature over [`ActorEnrolled::countersigned_bytes`]: nobody can be
    /// enrolled, nor a key claimed, without its holder.
    #[n(10)]
    #[serde(skip)]
    pub countersignature: ByteArray<64>,
}

impl ActorEnrolled {
    /// The bytes that the new key signs: tag, network, enroller, kind, and the body without the
    /// countersignature (field 10 absent).
    pub fn countersigned_bytes(&self, network: &NetworkId, enroller: &SubjectId) -> Vec<u8> {
        countersigned_bytes(self, Kind::ActorEnrolled, network, enroller)
    }
}

/// Body of actor.updated: what is given replaces what stood before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ActorUpdated {
    /// A new display name.
    #[n(1)]
    pub display_name: Option<Text<128>>,
    /// A new Global Location Number.
    #[n(2)]
    pub gln: Option<Gln>,
    /// All GS1 company prefixes from now on.
    #[n(3)]
    pub gs1_prefixes: Option<Vec<Gs1Prefix>>,
    /// New node details.
    #[n(4)]
    pub node: Option<NodeDetails>,
}
