//! The commitment of an anchor, as the contract computes it.

use crate::contract::FurrowAnchor::Anchored;
use crate::value::{Commitment, TxHash};
use alloy::primitives::U256;
use provenance::evidence::AnchorWords;

/// What one anchor says about a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Content {
    /// The sender's commitment before this anchor.
    #[n(0)]
    pub previous: Commitment,
    /// Number of entries in the log.
    #[n(1)]
    pub size: u64,
    /// Root of the RFC 9162 Merkle tree over those entries.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub log_root: [u8; 32],
    /// Root of the state map after those entries; zero where none is kept.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub state_root: [u8; 32],
}

impl Content {
    /// What the contract stores when this content is anchored in a block of this number and time
    /// (seconds since the epoch): `keccak256(abi.encode(previous, block number, timestamp, size, log root,
    /// state root))`, six words of 32 bytes.
    pub fn commitment(&self, block_number: u64, timestamp_s: u64) -> Commitment {
        Commitment::from_bytes(self.words(block_number, timestamp_s).commitment())
    }

    /// The six words of which the commitment is the hash.
    pub(crate) fn words(&self, block_number: u64, timestamp_s: u64) -> AnchorWords {
        AnchorWords {
            previous: *self.previous.as_bytes(),
            number: block_number,
            timestamp_s,
            size: self.size,
            log_root: self.log_root,
            state_root: self.state_root,
        }
    }

    /// Whether an event of the contract tells of exactly this content, anchored in this block.
    pub(crate) fn is_told_by(&self, event: &Anchored, block_number: u64, timestamp_s: u64) -> bool {
        *self == Self::of(event)
            && event.blockNumber == U256::from(block_number)
            && event.timestamp == U256::from(timestamp_s)
    }

    /// The content that an event of the contract tells of.
    pub(crate) fn of(event: &Anchored) -> Self {
        Self {
            previous: Commitment::from_bytes(event.previous.0),
            size: event.size,
            log_root: event.logRoot.0,
            state_root: event.stateRoot.0,
        }
    }
}

/// What a verifier needs to know of an anchor to look it up on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorClaim {
    /// The chain it is on.
    pub chain_id: u64,
    /// The transaction that carried it.
    pub tx_hash: TxHash,
    /// What it says.
    pub content: Content,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same vectors stand in the tests of the contract.
    #[test]
    fn commitments_are_those_of_the_contract() {
        let first = Content { previous: Commitment::ZERO, size: 1000, log_root: [0x11; 32], state_root: [0; 32] };
        let commitment = first.commitment(21_000_000, 1_760_000_000);
        assert_eq!(commitment.to_string(), "0x4f96868d1a8a1d6927de6855243835e1b3d745fb4c4856efe41a9a37582e6420");
        let second = Content { previous: commitment, size: 1_000_000, log_root: [0x22; 32], state_root: [0x33; 32] };
        assert_eq!(
            second.commitment(21_000_300, 1_760_003_600).to_string(),
            "0x6b8750fc8c3cec2199bb298bed8deaaf422b2879c582ceb44427528db72755e4"
        );
    }

    proptest! {
        #[test]
        fn one_flipped_bit_changes_the_commitment(
            previous: [u8; 32], size: u64, log_root: [u8; 32], state_root: [u8; 32], number: u64, time: u64, bit in 0..896_usize,
        ) {
            let content = Content { previous: Commitment::from_bytes(previous), size, log_root, state_root };
            let (mut changed, mut other_number, mut other_time) = (content, number, time);
            let flip = |bytes: &[u8; 32], bit: usize| {
                let mut bytes = *bytes;
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            match bit {
                0..256 => changed.previous = Commitment::from_bytes(flip(&previous, bit)),
                256..512 => changed.log_root = flip(&log_root, bit - 256),
                512..768 => changed.state_root = flip(&state_root, bit - 512),
                768..832 => changed.size ^= 1 << (bit - 768),
                832..864 => other_number ^= 1 << (bit - 832),
                _ => other_time ^= 1 << (bit - 864),
            }
            prop_assert_ne!(content.commitment(number, time), changed.commitment(other_number, other_time));
        }
    }
}
