//! Checkpoints: a log's size and roots as a signed note (C2SP tlog-checkpoint, signed-note).

use crate::id::{PublicKey, sha256};
use crate::merkle::Hash;
use crate::signature::verify_detached;
use data_encoding::BASE64;

/// Ed25519 in the registry of signed-note signature types.
const ED25519: u8 = 1;

/// Before the state root on its extension line.
const STATE_LABEL: &str = "furrow/state/1 ";

/// More lines than any checkpoint of ours or any cosigner set needs.
const MAX_BYTES: usize = 16 * 1024;

/// What a log says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: names network and node, unique in the world.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its Merkle tree.
    pub root: Hash,
    /// The root of the state map; 32 zero bytes while there is none.
    pub state_root: Hash,
}

/// Why a text is not a checkpoint of the expected log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note with a checkpoint body.
    #[error("the text is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// No signature line of the expected key.
    #[error("the checkpoint bears no signature of the log's key")]
    Unsigned,
    /// A signature line that does not fit.
    #[error("the signature on the checkpoint does not fit its text")]
    Signature,
}

impl Checkpoint {
    /// The signed text: origin, size, root and state root, each on its line.
    pub fn text(&self) -> String {
        let (root, state) = (BASE64.encode(&self.root), BASE64.encode(&self.state_root));
        format!("{}\n{}\n{root}\n{STATE_LABEL}{state}\n", self.origin, self.size)
    }

    /// The whole note, signed under the origin as key name.
    pub fn to_note(&self, key: &PublicKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
        let text = self.text();
        let mut signature = key_id(&self.origin, key).to_vec();
        signature.extend_from_slice(&sign(text.as_bytes()));
        format!("{text}\n\u{2014} {} {}\n", self.origin, BASE64.encode(&signature))
    }

    /// Reads a note and checks the signature of the log's own key.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, CheckpointError> {
        if note.len() > MAX_BYTES {
            return Err(CheckpointError::Malformed("it is longer than 16 KiB"));
        }
        let end = note.find("\n\n").ok_or(CheckpointError::Malformed("no empty line before the signatures"))? + 1;
        let (text, signatures) = (&note[..end], &note[end + 1..]);
        let checkpoint = Self::parse(text)?;
        let prefix = format!("\u{2014} {} ", checkpoint.origin);
        let expected = key_id(&checkpoint.origin, key);
        let mut found = false;
        for line in signatures.lines() {
            let Some(encoded) = line.strip_prefix(&prefix) else { continue };
            let bytes = BASE64
                .decode(encoded.as_bytes())
                .map_err(|_| CheckpointError::Malformed("a signature is not base64"))?;
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else { continue };
            let Ok(signature) = <&[u8; 64]>::try_from(signature) else { continue };
            if *id == expected {
                verify_detached(key, text.as_bytes(), signature).map_err(|_| CheckpointError::Signature)?;
                found = true;
            }
        }
        if found { Ok(checkpoint) } else { Err(CheckpointError::Unsigned) }
    }

    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let wrong = CheckpointError::Malformed;
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(wrong("it has fewer than four lines"));
        let origin = line()?;
        let size_text = line()?;
        let size: u64 = size_text.parse().map_err(|_| wrong("the size is not a decimal number"))?;
        let root = hash(line()?)?;
        let state_root = hash(line()?.strip_prefix(STATE_LABEL).ok_or(wrong("the state root's line is missing"))?)?;
        let checkpoint = Self { origin: origin.to_owned(), size, root, state_root };
        // One text per checkpoint: leading zeros, further lines and other base64 are refused.
        if origin.is_empty() || checkpoint.text() != text {
            return Err(wrong("it is not written in the one form that its content has"));
        }
        Ok(checkpoint)
    }
}

fn hash(text: &str) -> Result<Hash, CheckpointError> {
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| CheckpointError::Malformed("a root is not base64"))?;
    bytes.try_into().map_err(|_| CheckpointError::Malformed("a root must have 32 bytes"))
}

/// First four bytes of SHA-256(name ‖ newline ‖ type ‖ key), as signed-note defines it.
fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    fn signed() -> (String, PublicKey) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
        let checkpoint =
            Checkpoint { origin: "furrow.example/net/node".into(), size: 42, root: [1; 32], state_root: [0; 32] };
        (checkpoint.to_note(&public, |bytes| key.sign(bytes).to_bytes()), public)
    }

    #[test]
    fn golden() {
        let (note, _) = signed();
        assert!(note.starts_with(
            "furrow.example/net/node\n42\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\
             furrow/state/1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} furrow.example/net/node "
        ));
    }

    #[test]
    fn one_changed_character_is_seen() {
        let (note, key) = signed();
        assert_eq!(Checkpoint::open(&note, &key).unwrap().size, 42);
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(Checkpoint::open(&text, &key).is_err(), "byte {at} was changed unseen");
            }
        }
        for end in 0..note.len() - 1 {
            if note.is_char_boundary(end) {
                assert!(Checkpoint::open(&note[..end], &key).is_err(), "cut at {end}");
            }
        }
    }
}
