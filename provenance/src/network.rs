//! The definition of a network: a name, a nonce and the founders' keys. Its hash is the network id.

use crate::cbor;
use crate::id::{NetworkId, PublicKey, SubjectId, sha256};
use crate::signature::is_well_formed;
use crate::value::{Text, ValueError};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// What every node of a network must know, and what nobody can change without a new network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    definition: Definition,
    /// The hash of the definition, kept because every event that is judged is compared with it.
    id: NetworkId,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Definition {
    #[n(0)]
    name: Text<64>,
    #[cbor(n(1), with = "minicbor::bytes")]
    nonce: [u8; 16],
    #[n(2)]
    founders: Vec<PublicKey>,
}

/// Why a network cannot be defined so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A name that is none.
    #[error("the network's name cannot be shown")]
    Name(#[from] ValueError),
    /// None or too many.
    #[error("a network has 1 to 64 founders, not {0}")]
    Founders(usize),
    /// A key twice.
    #[error("founder key {0} is named twice; name each founder once")]
    Repeated(PublicKey),
    /// A key that no honest signer has.
    #[error("founder key {0} is not a well-formed Ed25519 key; copy it again from `furrow key show`")]
    Key(PublicKey),
}

impl Network {
    /// A majority must be reachable by telephone.
    pub const MAX_FOUNDERS: usize = 64;

    /// Defines a network; the founders keep their order, which numbers them.
    pub fn new(name: Text<64>, nonce: [u8; 16], founders: Vec<PublicKey>) -> Result<Self, NetworkError> {
        if founders.is_empty() || founders.len() > Self::MAX_FOUNDERS {
            return Err(NetworkError::Founders(founders.len()));
        }
        for (index, key) in founders.iter().enumerate() {
            if founders[..index].contains(key) {
                return Err(NetworkError::Repeated(*key));
            }
            if !is_well_formed(key) {
                return Err(NetworkError::Key(*key));
            }
        }
        Ok(Self::unchecked(name, nonce, founders))
    }

    /// A definition whose name and founders nobody has looked at yet; [`Network::check`] does.
    pub(crate) fn unchecked(name: Text<64>, nonce: [u8; 16], founders: Vec<PublicKey>) -> Self {
        Definition { name, nonce, founders }.into()
    }

    /// Whether the definition is one that [`Network::new`] makes.
    pub fn check(&self) -> Result<(), NetworkError> {
        let name = Text::new(self.name())?;
        Self::new(name, *self.nonce(), self.founders().to_vec()).map(drop)
    }

    /// SHA-256 of the deterministic CBOR of `["furrow/network/1", [name, nonce, founders]]`.
    pub fn id(&self) -> NetworkId {
        self.id
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.definition.name.as_str()
    }

    /// What tells it from another network of the same name and founders.
    pub fn nonce(&self) -> &[u8; 16] {
        &self.definition.nonce
    }

    /// The founders' keys, in order.
    pub fn founders(&self) -> &[PublicKey] {
        &self.definition.founders
    }

    /// The actor id of the founder with this key.
    pub fn founder(&self, key: &PublicKey) -> Option<SubjectId> {
        let index = self.founders().iter().position(|founder| founder == key)?;
        Some(self.id.founder(u32::try_from(index).expect("there are at most 64 founders")))
    }
}

impl From<Definition> for Network {
    fn from(definition: Definition) -> Self {
        let id = NetworkId::from_bytes(sha256(&[&cbor::to_vec(&("furrow/network/1", &definition))]));
        Self { definition, id }
    }
}

impl<C> Encode<C> for Network {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.definition.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Network {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        Definition::decode(d, ctx).map(Self::from)
    }
}
