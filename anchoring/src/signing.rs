//! Signing transactions with the sender's key.

use crate::fees::Fees;
use crate::value::{Address, TxHash};
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, TxKind, U256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;

/// Not a private key of secp256k1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the anchoring key is not a secp256k1 private key: make a new one with 32 random bytes")]
pub struct KeyError;

/// The account that belongs to a private key.
pub fn sender_address(key: &[u8; 32]) -> Result<Address, KeyError> {
    Signer::new(key).map(|signer| signer.address())
}

/// The sender's key.
pub(crate) struct Signer(PrivateKeySigner);

/// Where a transaction goes and what it carries; none of ours carries ether.
pub(crate) struct Unsigned {
    pub(crate) chain_id: u64,
    pub(crate) nonce: u64,
    pub(crate) fees: Fees,
    pub(crate) gas_limit: u64,
    /// None creates a contract.
    pub(crate) to: Option<Address>,
    pub(crate) input: Vec<u8>,
}

impl Signer {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, KeyError> {
        PrivateKeySigner::from_bytes(&B256::from(key)).map(Self).map_err(|_| KeyError)
    }

    pub(crate) fn address(&self) -> Address {
        Address::from_bytes(self.0.address().into_array())
    }

    /// The transaction's hash and the bytes to broadcast.
    pub(crate) fn sign(&self, unsigned: Unsigned) -> (TxHash, Vec<u8>) {
        let transaction = TxEip1559 {
            chain_id: unsigned.chain_id,
            nonce: unsigned.nonce,
            gas_limit: unsigned.gas_limit,
            max_fee_per_gas: unsigned.fees.max_fee_wei,
            max_priority_fee_per_gas: unsigned.fees.priority_fee_wei,
            to: unsigned.to.map_or(TxKind::Create, |to| TxKind::Call(crate::contract::raw(to))),
            value: U256::ZERO,
            access_list: alloy::eips::eip2930::AccessList::default(),
            input: unsigned.input.into(),
        };
        let signature = self.0.sign_hash_sync(&transaction.signature_hash()).expect("a key in memory signs every hash");
        let signed = transaction.into_signed(signature);
        (TxHash::from_bytes(signed.hash().0), signed.encoded_2718())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_that_of_its_key() {
        // The first account of the mnemonic that development chains use.
        let key = alloy::hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        let expected = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        assert_eq!(sender_address(&key).map(|address| address.to_string()), Ok(expected.to_owned()));
        assert_eq!(sender_address(&[0; 32]), Err(KeyError));
    }
}
