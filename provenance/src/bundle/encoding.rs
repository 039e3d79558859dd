//! A bundle as its deterministic CBOR.

use super::{Anchor, AnchorLine, Bundle, Entry, NetworkDefinition, Opening, SubjectProof, VERSION};
use crate::merkle::Hash;
use crate::state_map::Place;
use minicbor::Encoder;
use minicbor::encode::{Error, Write};

impl Bundle {
    /// The deterministic encoding. Only what is within the bounds of the format can be read again.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
        bytes
    }

    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.map(8 + u64::from(self.left_out.is_some()))?;
        e.u8(1)?.u64(VERSION)?;
        e.u8(2)?;
        self.network.encode(e)?;
        e.u8(3)?.encode(self.lot)?;
        e.u8(4)?;
        list(e, &self.entries, Entry::encode)?;
        e.u8(5)?;
        list(e, &self.subjects, SubjectProof::encode)?;
        e.u8(6)?.str(&self.checkpoint)?;
        e.u8(7)?;
        list(e, &self.anchors, AnchorLine::encode)?;
        e.u8(8)?;
        list(e, &self.openings, Opening::encode)?;
        if let Some(left_out) = &self.left_out {
            e.u8(9)?.encode(left_out)?;
        }
        Ok(())
    }
}

impl NetworkDefinition {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(3)?.str(&self.name)?.bytes(&self.nonce)?.encode(&self.founders)?.ok()
    }
}

impl Entry {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(3)?.u64(self.index)?.bytes(&self.event)?;
        hashes(e, &self.path)
    }
}

impl SubjectProof {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(if self.proof.place == Place::Leaf { 2 } else { 3 })?.encode(self.subject)?;
        hashes(e, &self.proof.siblings)?;
        match &self.proof.place {
            Place::Leaf => Ok(()),
            Place::Empty => e.null()?.ok(),
            Place::Other { key, value } => e.array(2)?.encode(key)?.bytes(value)?.ok(),
        }
    }
}

impl AnchorLine {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(3)?.encode(self.node)?.encode(self.place)?;
        list(e, &self.anchors, Anchor::encode)
    }
}

impl Anchor {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        let words = &self.words;
        e.map(6 + u64::from(self.consistency.is_some()) + u64::from(self.evidence.is_some()))?;
        e.u8(1)?.bytes(&words.previous)?.u8(2)?.u64(words.number)?.u8(3)?.u64(words.timestamp_s)?;
        e.u8(4)?.u64(words.size)?.u8(5)?.bytes(&words.log_root)?.u8(6)?.bytes(&words.state_root)?;
        if let Some(consistency) = &self.consistency {
            e.u8(7)?;
            hashes(e, consistency)?;
        }
        if let Some(evidence) = &self.evidence {
            e.u8(8)?.encode(evidence)?;
        }
        Ok(())
    }
}

impl Opening {
    fn encode<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(4)?.encode(self.event)?.encode(&self.path)?;
        e.bytes(&self.opening.salt)?.bytes(&self.opening.value)?.ok()
    }
}

fn list<W: Write, T>(
    e: &mut Encoder<W>,
    items: &[T],
    encode: impl Fn(&T, &mut Encoder<W>) -> Result<(), Error<W::Error>>,
) -> Result<(), Error<W::Error>> {
    e.array(items.len() as u64)?;
    items.iter().try_for_each(|item| encode(item, e))
}

fn hashes<W: Write>(e: &mut Encoder<W>, hashes: &[Hash]) -> Result<(), Error<W::Error>> {
    list(e, hashes, |hash, e| e.bytes(hash)?.ok())
}
