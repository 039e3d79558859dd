//! The contract: its interface and bytecode as committed, and where it keeps a sender's commitment.

use crate::value::Address;
use alloy::primitives::{Address as RawAddress, B256, U256};

alloy::sol! {
    #[allow(missing_docs)]
    #[derive(Debug)]
    FurrowAnchor,
    "../contracts/abi/FurrowAnchor.json"
}

/// The storage slot that holds the commitment of `sender`. It is read directly, rather than through the contract's
/// function, because it is what a storage proof (EIP-1186) proves.
pub(crate) fn commitment_slot(sender: Address) -> B256 {
    B256::from(provenance::evidence::commitment_slot(sender.as_bytes()))
}

/// An address as the Ethereum library takes it.
pub(crate) fn raw(address: Address) -> RawAddress {
    RawAddress::from(*address.as_bytes())
}

/// A word of storage as bytes.
pub(crate) fn word(value: U256) -> [u8; 32] {
    B256::from(value).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_where_solidity_puts_it() {
        // `cast index address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 0`
        let sender: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        assert_eq!(
            commitment_slot(sender).to_string(),
            "0x723077b8a1b173adc35e5f0e7e3662fd1208212cb629f9c128551ea7168da722"
        );
    }
}
