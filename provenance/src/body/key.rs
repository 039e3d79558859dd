//! Bodies of the kinds that change an actor's keys: added, rotated, replaced and revoked.

use super::Custody;
use crate::cbor;
use crate::id::{EventId, NetworkId, PublicKey, SubjectId};
use crate::kind::Kind;
use crate::value::Text;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode, Encoder};

/// Size and root of a journal: what was signed with a key until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct JournalRoot {
    /// How many events there are.
    #[n(0)]
    pub count: u64,
    /// RFC 9162 root over their ids, in order.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: [u8; 32],
}

/// The end of a key's journal: what was signed later with the key does not count.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cut {
    /// The event that gave the key; the network id for a founder's.
    #[n(0)]
    pub key_event: EventId,
    /// The last event that counts; the one that gave the key, if none does.
    #[n(1)]
    pub last: EventId,
    /// How many events count, the last one included.
    #[n(2)]
    pub count: u64,
    /// RFC 9162 root over their ids, in order, so that a bundle can show that an event is one of them.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// Later events of the journal that stand nevertheless; ascending, distinct.
    #[n(4)]
    pub stands: Vec<EventId>,
}

impl Cut {
    /// The events of the journal that the cut names.
    pub fn ends(&self) -> impl Iterator<Item = EventId> {
        std::iter::once(self.last).chain(self.stands.iter().copied())
    }
}

/// Body of `actor.key_added`: a further key of the same actor, as for a second device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct KeyAdded {
    /// The further key.
    #[n(1)]
    pub key: PublicKey,
    /// Who holds its secret half.
    #[n(2)]
    pub custody: Custody,
    /// What it is called, such as the name of a device.
    #[n(3)]
    pub name: Option<Text<128>>,
    /// The new key's own signature over [`KeyAdded::countersigned_bytes`].
    #[n(10)]
    #[serde(skip)]
    pub countersignature: ByteArray<64>,
}

/// Body of `actor.key_rotated`: the last event of the old key names the new one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct KeyRotated {
    /// The new key.
    #[n(1)]
    pub key: PublicKey,
    /// Who holds its secret half.
    #[n(2)]
    pub custody: Custody,
    /// The old key's journal before this event.
    #[n(3)]
    pub journal: JournalRoot,
    /// The new key's own signature over [`KeyRotated::countersigned_bytes`].
    #[n(10)]
    #[serde(skip)]
    pub countersignature: ByteArray<64>,
}

/// Body of `actor.key_replaced`: from above an actor gets a new key, and old ones end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct KeyReplaced {
    /// The new key.
    #[n(1)]
    pub key: PublicKey,
    /// Who holds its secret half.
    #[n(2)]
    pub custody: Custody,
    /// Where the journals of old keys end; ascending by key event, distinct.
    #[n(4)]
    pub cuts: Vec<Cut>,
    /// Why.
    #[n(5)]
    pub reason: Option<Text<512>>,
    /// The new key's own signature over [`KeyReplaced::countersigned_bytes`].
    #[n(10)]
    #[serde(skip)]
    pub countersignature: ByteArray<64>,
}

/// Body of actor.revoked: from above all keys of an actor end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct ActorRevoked {
    /// Why.
    #[n(1)]
    pub reason: Text<512>,
    /// Where the journals of its keys end; ascending by key event, distinct.
    #[n(2)]
    pub cuts: Vec<Cut>,
}

macro_rules! countersigned {
    ($($body:ident $kind:ident),*) => {$(
        impl $body {
            /// The bytes that the new key signs: tag, network, the actor that gets the key, kind, and the body
            /// without the countersignature (field 10 absent).
            pub fn countersigned_bytes(&self, network: &NetworkId, actor: &SubjectId) -> Vec<u8> {
                countersigned_bytes(self, Kind::$kind, network, actor)
            }
        }
    )*};
}

countersigned!(KeyAdded ActorKeyAdded, KeyRotated ActorKeyRotated, KeyReplaced ActorKeyReplaced);

/// What a new key signs to consent: `["furrow/countersign/1", network, actor, kind, body without field 10]`.
/// Field 10 is the last of these bodies, which have fewer than 24 fields.
pub(super) fn countersigned_bytes<B: Encode<()>>(
    body: &B,
    kind: Kind,
    network: &NetworkId,
    actor: &SubjectId,
) -> Vec<u8> {
    /// Key 10, the head of a byte string of 64 bytes, and those.
    const FIELD_10: usize = 1 + 2 + 64;
    let mut body = cbor::to_vec(body);
    body[0] -= 1;
    body.truncate(body.len() - FIELD_10);
    let mut bytes = Vec::with_capacity(body.len() + 96);
    let mut e = Encoder::new(&mut bytes);
    (|| -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(5)?.str("furrow/countersign/1")?.encode(network)?.encode(actor)?.u16(kind.number())?.ok()
    })()
    .expect("writing to a vector cannot fail");
    bytes.extend_from_slice(&body);
    bytes
}

macro_rules! hex_root {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl serde::Serialize for $name {
            /// The root is shown in hexadecimal.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let fields: &[&str] = &["root" $(, stringify!($field))*];
                let mut out = serializer.serialize_struct(stringify!($name), fields.len())?;
                $(out.serialize_field(stringify!($field), &self.$field)?;)*
                out.serialize_field("root", &data_encoding::HEXLOWER.encode(&self.root))?;
                out.end()
            }
        }
    )*};
}

hex_root! {
    JournalRoot { count }
    Cut { key_event, last, count, stands }
}
