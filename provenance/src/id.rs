//! Identifiers: 32-byte hashes with a type of their own, shown as lowercase base32.

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Lowercase base32 without padding (RFC 4648 §6, alphabet lowered): 52 characters for 32 bytes.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().expect("the alphabet has 32 distinct symbols")
});

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an identifier: write its 52 characters a to z and 2 to 7, all in lower case")]
pub struct IdError(String);

/// SHA-256 of the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Lowercase base32 of any bytes, as used for every identifier that people see.
pub fn base32(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps raw bytes that are known to be such an identifier.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&BASE32.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                BASE32
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or_else(|| IdError(text.chars().take(64).collect()))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// SHA-256 of an event's complete signed bytes, so that `sha256sum` of the file prints it.
    /// Where a founder has no event to name, the network id stands in its place.
    EventId
}

id! {
    /// What a history is about: SHA-256(id of the event that created it ‖ 4-byte big-endian index).
    SubjectId
}

id! {
    /// SHA-256 of a network's definition; every event carries it.
    NetworkId
}

id! {
    /// An Ed25519 public key (RFC 8032), 32 bytes.
    PublicKey
}

impl EventId {
    /// The id of these signed bytes.
    pub fn of(signed: &[u8]) -> Self {
        Self(sha256(&[signed]))
    }

    /// The subject that this event creates with its touch number `index`.
    pub fn subject(&self, index: u32) -> SubjectId {
        SubjectId(sha256(&[&self.0, &index.to_be_bytes()]))
    }
}

impl NetworkId {
    /// The actor id of the founder whose key stands at `index` in the network's definition.
    pub fn founder(&self, index: u32) -> SubjectId {
        SubjectId(sha256(&[&self.0, &index.to_be_bytes()]))
    }

    /// The network as a subject, which amendments touch.
    pub fn subject(&self) -> SubjectId {
        SubjectId(self.0)
    }

    /// The network id in a place where an event id is asked for and founders have none.
    pub fn as_event(&self) -> EventId {
        EventId(self.0)
    }
}
