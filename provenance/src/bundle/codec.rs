//! A bundle's deterministic encoding.

use super::{
    Anchor, AnchorLine, Bundle, BundleError, Entry, MAX_BUNDLE_BYTES, OpenedField, SubjectProof, Survival, VERSION,
    reading,
};
use crate::evidence::Evidence;
use crate::merkle::Hash;
use crate::state_map::Place;
use minicbor::Encoder;
use minicbor::encode::{Error, Write};

impl Bundle {
    /// The deterministic encoding.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024 * self.entries.len());
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to a vector cannot fail");
        bytes
    }

    /// Reads a bundle; refuses everything but its one encoding, and whatever is beyond a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::Malformed(format!(
                "it has {} bytes, and at most 32 MiB are allowed",
                bytes.len()
            )));
        }
        let bundle = reading::bundle(bytes)?;
        if bundle.to_vec() == bytes {
            Ok(bundle)
        } else {
            Err(BundleError::Malformed("it is not in the deterministic encoding (RFC 8949 §4.2.1)".to_owned()))
        }
    }

    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.map(8 + u64::from(self.left_out.is_some()) + u64::from(!self.survivals.is_empty()))?;
        e.u8(1)?.u64(VERSION)?;
        e.u8(2)?.encode(&self.network)?;
        e.u8(3)?.encode(self.lot)?;
        e.u8(4)?;
        list(e, &self.entries, Entry::write)?;
        e.u8(5)?;
        list(e, &self.subjects, SubjectProof::write)?;
        e.u8(6)?.str(&self.checkpoint)?;
        e.u8(7)?;
        list(e, &self.lines, AnchorLine::write)?;
        e.u8(8)?;
        list(e, &self.openings, OpenedField::write)?;
        if let Some(left_out) = &self.left_out {
            e.u8(9)?.encode(left_out)?;
        }
        if !self.survivals.is_empty() {
            e.u8(10)?;
            list(e, &self.survivals, Survival::write)?;
        }
        Ok(())
    }
}

impl Entry {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(3)?.u64(self.index)?.bytes(&self.event)?;
        hashes(e, &self.path)
    }
}

impl SubjectProof {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
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
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(3)?.encode(self.node)?;
        e.array(3)?.u64(self.chain_id)?.bytes(&self.line.contract)?.bytes(&self.line.sender)?;
        list(e, &self.anchors, Anchor::write)
    }
}

impl Anchor {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        let words = &self.words;
        e.map(6 + u64::from(self.consistency.is_some()) + u64::from(self.evidence.is_some()))?;
        e.u8(1)?.bytes(&words.previous)?;
        e.u8(2)?.u64(words.number)?;
        e.u8(3)?.u64(words.timestamp_s)?;
        e.u8(4)?.u64(words.size)?;
        e.u8(5)?.bytes(&words.log_root)?;
        e.u8(6)?.bytes(&words.state_root)?;
        if let Some(consistency) = &self.consistency {
            e.u8(7)?;
            hashes(e, consistency)?;
        }
        match &self.evidence {
            None => {}
            Some(Evidence::Storage { header, account, slot }) => {
                e.u8(8)?.array(3)?.bytes(header)?;
                nodes(e, account)?;
                nodes(e, slot)?;
            }
            Some(Evidence::Receipt { header, receipt, transaction, log }) => {
                e.u8(8)?.array(4)?.bytes(header)?;
                nodes(e, receipt)?;
                e.u64(*transaction)?.u64(*log)?;
            }
        }
        Ok(())
    }
}

impl OpenedField {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(4)?.encode(self.event)?.encode(&self.path)?.bytes(&self.salt)?.bytes(&self.value)?.ok()
    }
}

impl Survival {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
        e.array(5)?.encode(self.cutter)?.encode(self.key_event)?.encode(self.event)?.u64(self.index)?;
        hashes(e, &self.path)
    }
}

pub(crate) fn list<W: Write, T>(
    e: &mut Encoder<W>,
    items: &[T],
    write: impl Fn(&T, &mut Encoder<W>) -> Result<(), Error<W::Error>>,
) -> Result<(), Error<W::Error>> {
    e.array(items.len() as u64)?;
    items.iter().try_for_each(|item| write(item, e))
}

fn hashes<W: Write>(e: &mut Encoder<W>, hashes: &[Hash]) -> Result<(), Error<W::Error>> {
    list(e, hashes, |hash, e| e.bytes(hash)?.ok())
}

fn nodes<W: Write>(e: &mut Encoder<W>, nodes: &[Vec<u8>]) -> Result<(), Error<W::Error>> {
    list(e, nodes, |node, e| e.bytes(node)?.ok())
}
