//! Evidence as CBOR: an array of three for storage evidence, of four for receipt evidence (docs/bundle.cddl).

use super::{Evidence, MAX_HEADER_BYTES, MAX_NODE_BYTES, MAX_PROOF_NODES, TrieNode};
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

impl<C> Encode<C> for Evidence {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Storage { header, account, slot } => {
                e.array(3)?.bytes(header)?;
                encode_nodes(e, account)?;
                encode_nodes(e, slot)
            }
            Self::Receipt { header, receipt, transaction, log } => {
                e.array(4)?.bytes(header)?;
                encode_nodes(e, receipt)?;
                e.u64(*transaction)?.u64(*log)?.ok()
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Evidence {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let position = d.position();
        match d.array()? {
            Some(3) => Ok(Self::Storage {
                header: decode_bytes(d, MAX_HEADER_BYTES)?,
                account: decode_nodes(d)?,
                slot: decode_nodes(d)?,
            }),
            Some(4) => Ok(Self::Receipt {
                header: decode_bytes(d, MAX_HEADER_BYTES)?,
                receipt: decode_nodes(d)?,
                transaction: decode_index(d)?,
                log: decode_index(d)?,
            }),
            _ => Err(Error::message("evidence is an array of three or of four").at(position)),
        }
    }
}

fn encode_nodes<W: Write>(e: &mut Encoder<W>, nodes: &[TrieNode]) -> Result<(), minicbor::encode::Error<W::Error>> {
    e.array(nodes.len() as u64)?;
    nodes.iter().try_for_each(|node| e.bytes(node)?.ok())
}

fn decode_nodes(d: &mut Decoder<'_>) -> Result<Vec<TrieNode>, Error> {
    let position = d.position();
    let count = d.array()?.and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| (1..=MAX_PROOF_NODES).contains(count));
    let count = count.ok_or_else(|| Error::message("a proof has 1 to 64 nodes").at(position))?;
    (0..count).map(|_| decode_bytes(d, MAX_NODE_BYTES)).collect()
}

fn decode_bytes(d: &mut Decoder<'_>, max: usize) -> Result<Vec<u8>, Error> {
    let position = d.position();
    let bytes = d.bytes()?;
    if bytes.is_empty() || bytes.len() > max {
        return Err(Error::message("a header or node is empty or too long").at(position));
    }
    Ok(bytes.to_vec())
}

fn decode_index(d: &mut Decoder<'_>) -> Result<u64, Error> {
    let position = d.position();
    let index = d.u64()?;
    (index < super::INTEGER_LIMIT).then_some(index).ok_or_else(|| Error::message("an index is too large").at(position))
}
