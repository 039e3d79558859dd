//! Cosignatures (C2SP tlog-cosignature): another node's word, with its time, on a log's checkpoint.
//!
//! A node of ours cosigns a checkpoint after it has computed the same state root from the log's
//! entries; so its line says more than that the log only grows, which is all that the
//! specification asks for.

use crate::note::{Note, SignatureLine, key_id};
use crate::origin::LogOrigin;
use crate::signature::{SignatureError, verify_detached};

/// Timestamped Ed25519 cosignatures in the registry of signed-note signature types.
const COSIGNATURE_V1: u8 = 4;

/// Times beyond this are not exact in JSON; the specification would allow ten bits more.
const MAX_TIME_S: u64 = (1 << 53) - 1;

/// A cosignature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignature {
    /// The origin of the cosigner's own log, which is its name.
    pub cosigner: LogOrigin,
    /// When it cosigned, by its own clock, in seconds since 1970.
    pub time_s: u64,
}

/// A line of a note that claims to be a cosignature, under a name and key id that fit each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CosignatureLine<'n> {
    cosigner: LogOrigin,
    line: &'n SignatureLine,
}

/// Why a cosignature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Not eight bytes of time and sixty-four of signature.
    #[error("the cosignature has {0} bytes; there must be 72: time and Ed25519 signature")]
    Length(usize),
    /// A time that no clock shows.
    #[error("the cosignature's time of {0} s is beyond 2^53")]
    Time(u64),
    /// A signature that does not fit.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// The signature line by which `cosigner` confirms a checkpoint at `time_s`, in seconds since 1970.
pub fn cosign(
    checkpoint: &str,
    cosigner: &LogOrigin,
    time_s: u64,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> SignatureLine {
    let signature = sign(signed_text(checkpoint, time_s).as_bytes());
    let name = cosigner.to_string();
    let key_id = key_id(&name, COSIGNATURE_V1, &cosigner.key);
    SignatureLine { name, key_id, signature: [&time_s.to_be_bytes()[..], &signature].concat() }
}

/// All lines of a note that claim to be cosignatures of nodes, in their order; others are ignored.
pub fn cosignatures(note: &Note) -> impl Iterator<Item = CosignatureLine<'_>> {
    note.signatures().iter().filter_map(|line| {
        let cosigner: LogOrigin = line.name.parse().ok()?;
        (line.key_id == key_id(&line.name, COSIGNATURE_V1, &cosigner.key)).then_some(CosignatureLine { cosigner, line })
    })
}

impl CosignatureLine<'_> {
    /// Whose it claims to be.
    pub fn cosigner(&self) -> LogOrigin {
        self.cosigner
    }

    /// Checks it against the text of the note in which it stands.
    pub fn verify(&self, checkpoint: &str) -> Result<Cosignature, CosignatureError> {
        let bytes = &self.line.signature;
        let length = CosignatureError::Length(bytes.len());
        let (time, signature) = bytes.split_first_chunk::<8>().ok_or(length)?;
        let signature = <&[u8; 64]>::try_from(signature).map_err(|_| length)?;
        let time_s = u64::from_be_bytes(*time);
        if time_s > MAX_TIME_S {
            return Err(CosignatureError::Time(time_s));
        }
        verify_detached(&self.cosigner.key, signed_text(checkpoint, time_s).as_bytes(), signature)?;
        Ok(Cosignature { cosigner: self.cosigner, time_s })
    }
}

fn signed_text(checkpoint: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{checkpoint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::id::{NetworkId, PublicKey, sha256};
    use ed25519_dalek::{Signer, SigningKey};

    fn origin(key: &SigningKey) -> LogOrigin {
        let key = PublicKey::from_bytes(key.verifying_key().to_bytes());
        LogOrigin { network: NetworkId::from_bytes([1; 32]), key }
    }

    fn signed() -> (Note, LogOrigin, SigningKey) {
        let (log, cosigner) = (SigningKey::from_bytes(&[2; 32]), SigningKey::from_bytes(&[3; 32]));
        let checkpoint = Checkpoint { origin: origin(&log).to_string(), size: 42, root: [4; 32], state_root: [5; 32] };
        let note = checkpoint.to_note(&origin(&log).key, |text| log.sign(text).to_bytes());
        let mut note = Note::parse(&note).unwrap();
        let line = cosign(note.text(), &origin(&cosigner), 1_679_315_147, |text| cosigner.sign(text).to_bytes());
        note.add_signature_line(line).unwrap();
        (note, origin(&log), cosigner)
    }

    /// The line is put together here as the specification says, by other means.
    #[test]
    fn the_line_is_that_of_the_specification() {
        let (note, log, key) = signed();
        let name = origin(&key).to_string();
        let text = [b"cosignature/v1\ntime 1679315147\n", note.text().as_bytes()].concat();
        let id = sha256(&[name.as_bytes(), &[0x0a, 0x04], key.verifying_key().as_bytes()]);
        let bytes = [&id[..4], &[0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb], &key.sign(&text).to_bytes()].concat();
        let line = format!("\u{2014} {name} {}\n", data_encoding::BASE64.encode(&bytes));
        assert!(note.to_string().ends_with(&line));
        assert_eq!(Checkpoint::open(&note.to_string(), &log.key).unwrap().size, 42, "the log's signature still holds");
    }

    #[test]
    fn it_holds_for_its_text_time_and_name_alone() {
        let (note, _, key) = signed();
        let lines: Vec<_> = cosignatures(&note).collect();
        assert_eq!(lines.len(), 1, "the log's own signature is of another type");
        assert_eq!(lines[0].cosigner(), origin(&key));
        let cosignature = Cosignature { cosigner: origin(&key), time_s: 1_679_315_147 };
        assert_eq!(lines[0].verify(note.text()), Ok(cosignature));
        assert!(lines[0].verify(&note.text().replace("\n42\n", "\n43\n")).is_err());
        let good = lines[0].line;
        for bit in 0..72 * 8 {
            let mut line = good.clone();
            line.signature[bit / 8] ^= 1 << (bit % 8);
            assert!(CosignatureLine { cosigner: origin(&key), line: &line }.verify(note.text()).is_err(), "bit {bit}");
        }
        for length in 0..72 {
            let line = SignatureLine { signature: good.signature[..length].to_vec(), ..good.clone() };
            let claim = CosignatureLine { cosigner: origin(&key), line: &line };
            assert_eq!(claim.verify(note.text()), Err(CosignatureError::Length(length)));
        }
        let beyond = cosign(note.text(), &origin(&key), 1 << 53, |text| key.sign(text).to_bytes());
        let claim = CosignatureLine { cosigner: origin(&key), line: &beyond };
        assert_eq!(claim.verify(note.text()), Err(CosignatureError::Time(1 << 53)));
    }

    #[test]
    fn lines_of_others_are_ignored() {
        let (mut note, _, key) = signed();
        let good = cosign(note.text(), &origin(&key), 7, |text| key.sign(text).to_bytes());
        for line in [
            SignatureLine { name: "witness.example/w1".into(), ..good.clone() },
            SignatureLine { key_id: [0; 4], ..good.clone() },
            SignatureLine { name: origin(&SigningKey::from_bytes(&[9; 32])).to_string(), ..good.clone() },
        ] {
            note.add_signature_line(line).unwrap();
        }
        assert_eq!(cosignatures(&note).count(), 1);
    }
}
