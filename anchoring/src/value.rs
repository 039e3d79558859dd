//! Values of the chain as other crates see them: addresses and hashes, shown in hexadecimal after `0x`.

use alloy::hex;
use alloy::primitives::Address as RawAddress;
use std::fmt;
use std::str::FromStr;

/// Why a text is not a value of the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not `0x` and the right number of hexadecimal digits.
    #[error("'{text}' is not a {what}: write 0x and {digits} hexadecimal digits")]
    Malformed {
        /// The text, shortened to 80 characters.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// How many digits that has.
        digits: usize,
    },
    /// An address in upper and lower case whose case is not its checksum (EIP-55).
    #[error("the checksum of address '{0}' is wrong: copy it again, or write it in lower case to leave the check out")]
    Checksum(String),
}

fn parse<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], ValueError> {
    text.strip_prefix("0x")
        .and_then(|digits| hex::decode(digits).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ValueError::Malformed { text: text.chars().take(80).collect(), what, digits: 2 * N })
}

macro_rules! value {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] [u8; $length]);

        impl $name {
            /// Wraps raw bytes that are known to be such a value.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        value!($(#[$doc])* $name, 32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode_prefixed(self.0))
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                parse(text, $what).map(Self)
            }
        }
    };
}

value! {
    /// An account or a contract, shown with its checksum (EIP-55).
    Address, 20
}

hash! {
    /// Keccak-256 of a signed transaction.
    TxHash, "transaction hash"
}

hash! {
    /// Keccak-256 of a block's header.
    BlockHash, "block hash"
}

hash! {
    /// What the contract stores for a sender: the hash of its newest anchor. Zero where it never anchored.
    Commitment, "commitment"
}

impl Commitment {
    /// What stands before a sender's first anchor.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&RawAddress::from(self.0).to_checksum(None))
    }
}

impl FromStr for Address {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let address = Self(parse(text, "address")?);
        let mixed = text.chars().any(|c| c.is_ascii_uppercase()) && text[2..].chars().any(|c| c.is_ascii_lowercase());
        if mixed && address.to_string() != text {
            return Err(ValueError::Checksum(text.to_owned()));
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_checksum_or_without_case() {
        let checksummed = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        let address: Address = checksummed.parse().unwrap();
        assert_eq!(address.to_string(), checksummed);
        assert_eq!(checksummed.to_lowercase().parse(), Ok(address));
        assert_eq!(
            checksummed.replace("0xf", "0xF").parse::<Address>(),
            Err(ValueError::Checksum(checksummed.replace("0xf", "0xF")))
        );
    }

    #[test]
    fn what_is_too_short_or_not_hexadecimal_is_refused() {
        for text in
            ["", "0x", "0x12", "f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0xzz9fd6e51aad88f6f4ce6ab8827279cfffb92266"]
        {
            assert!(text.parse::<Address>().is_err(), "{text} was read");
            assert!(text.parse::<Commitment>().is_err(), "{text} was read");
        }
    }

    #[test]
    fn a_hash_survives_its_text() {
        let hash = TxHash::from_bytes([0xab; 32]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }
}
