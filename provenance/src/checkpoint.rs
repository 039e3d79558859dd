//! Checkpoints: a log's size and roots as a signed note (C2SP tlog-checkpoint, signed-note).

use crate::id::PublicKey;
use crate::merkle::Hash;
use crate::note::{Note, NoteError, SignatureLine, key_id};
use crate::signature::verify_detached;
use data_encoding::BASE64;

/// Ed25519 in the registry of signed-note signature types.
const ED25519: u8 = 1;

/// Before the state root on its extension line.
const STATE_LABEL: &str = "furrow/state/1 ";

/// What a log says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: names network and node, unique in the world; see [`crate::origin::LogOrigin`].
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
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A note without a checkpoint as its text.
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
        let signature = sign(text.as_bytes()).to_vec();
        let line = SignatureLine { name: self.origin.clone(), key_id: key_id(&self.origin, ED25519, key), signature };
        format!("{text}\n{line}\n")
    }

    /// Reads a note and checks the signature of the log's own key; other lines are ignored.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, CheckpointError> {
        Self::of_note(&Note::parse(note)?, key)
    }

    /// The checkpoint in a note whose lines have been read; checks as [`Checkpoint::open`] does.
    pub fn of_note(note: &Note, key: &PublicKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note.text())?;
        let expected = key_id(&checkpoint.origin, ED25519, key);
        let lines = note.signatures().iter();
        let mut own = lines.filter(|line| line.name == checkpoint.origin && line.key_id == expected).peekable();
        if own.peek().is_none() {
            return Err(CheckpointError::Unsigned);
        }
        for line in own {
            let signature = <&[u8; 64]>::try_from(&line.signature[..]).map_err(|_| CheckpointError::Signature)?;
            verify_detached(key, note.text().as_bytes(), signature).map_err(|_| CheckpointError::Signature)?;
        }
        Ok(checkpoint)
    }

    /// Reads the text of a note whose log, and so its key, is not known yet. Nothing is verified.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
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
