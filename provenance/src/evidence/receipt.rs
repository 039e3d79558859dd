//! The receipt of an anchor's transaction, as the trie of receipts holds it (EIP-658, EIP-2718).

use super::{AnchorWords, Line, keccak256, padded, rlp};

/// The declaration of the contract's event; its hash is the first topic of its logs.
const ANCHORED: &[u8] = b"Anchored(address,bytes32,uint256,uint256,uint64,bytes32,bytes32)";

/// Bytes below this stand for the type of a typed receipt; a list begins above it.
const TYPES_END: u8 = 0x80;

/// Whether the transaction succeeded and its log of this index tells that the sender anchored this in the contract.
pub(super) fn tells_of(receipt: &[u8], log: u64, line: &Line, anchor: &AnchorWords) -> bool {
    succeeded_and_tells(receipt, log, line, anchor).is_some()
}

fn succeeded_and_tells(receipt: &[u8], log: u64, line: &Line, anchor: &AnchorWords) -> Option<()> {
    let list = match receipt.split_first()? {
        (kind, list) if *kind < TYPES_END => list,
        _ => receipt,
    };
    // Status, gas used up to it, bloom filter, logs; chains of their own append more.
    let fields = rlp::list(list)?;
    let [status, _, _, logs, ..] = fields.as_slice() else { return None };
    let logs = rlp::list(logs)?;
    let log = rlp::list(logs.get(usize::try_from(log).ok()?)?)?;
    let [address, topics, data] = log.as_slice() else { return None };
    let topics = rlp::list(topics)?;
    let [event, sender] = topics.as_slice() else { return None };
    let fits = rlp::integer(status) == Some(1)
        && rlp::string(address)? == line.contract
        && rlp::hash(event)? == keccak256(ANCHORED)
        && rlp::hash(sender)? == padded(&line.sender)
        && rlp::string(data)? == anchor.to_bytes();
    fits.then_some(())
}
