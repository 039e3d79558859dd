//! The key of the node's log, which signs its checkpoints.

use ed25519_dalek::{Signer, SigningKey};
use ledger::LogSigner;
use provenance::id::{NetworkId, PublicKey};

/// Signs under an origin that no other log in the world has.
pub(crate) struct LogKey {
    origin: String,
    key: SigningKey,
}

impl LogKey {
    /// The log of the node with this key in this network.
    pub(crate) fn new(network: &NetworkId, key: SigningKey) -> Self {
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
        Self { origin: format!("furrow/{network}/{public}"), key }
    }
}

impl LogSigner for LogKey {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::checkpoint::Checkpoint;

    #[test]
    fn a_checkpoint_can_be_opened_with_the_logs_key() {
        let signer = LogKey::new(&NetworkId::from_bytes([1; 32]), SigningKey::from_bytes(&[2; 32]));
        let checkpoint = Checkpoint { origin: signer.origin().to_owned(), size: 3, root: [4; 32], state_root: [0; 32] };
        let note = checkpoint.to_note(&signer.key(), |text| signer.sign(text));
        assert_eq!(Checkpoint::open(&note, &signer.key()).unwrap(), checkpoint);
    }
}
