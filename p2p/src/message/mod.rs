//! The sync protocol: what nodes ask each other and answer, with limits and the one encoding.
//!
//! A node follows a peer's log: it learns the log's size from `Hello`, reads event ids from its
//! own cursor with `LogPage`, and fetches the events that it lacks with `Bodies`. `Hello` carries
//! both sides' greetings, so asking it every few seconds tells both nodes of each other's growth,
//! even if a gossip message was lost and nothing new is written.
//!
//! Beside the log, a node asks a peer to cosign a checkpoint of its own with `Cosign`, for what opens
//! sealed fields with `Openings`, and with `Anchor` for what the peer anchored and can prove. One that was restored from a
//! backup asks with `KeptLog` what its own log held, and with `Journals` where the journals of its keys end.
//!
//! `Growth` asks a peer for the proof that its log of one size is the beginning of what it is at another size
//! (RFC 9162 §2.1.4).
//!
//! Two nodes that have most of their events in common compare their state maps instead of their logs: `State` asks
//! for size and root of the peer's newest map, `MapPages` for pages of it, each of which its parent names by hash, and
//! `Recent` for the events of subjects in which the maps differ, with their places in the peer's log.
//!
//! Requests and responses are arrays in deterministic CBOR whose first entry is the kind:
//!
//! ```text
//! hello     0   [0, log: bstr .size 32, log size: uint, program: tstr]      both ways
//! log page  1   [1, from: uint, max: uint]       →  [1, log size: uint, [* id: bstr .size 32]]
//! bodies    2   [2, [* id: bstr .size 32]]       →  [2, [* event: bstr / null]]
//! cosign    3   [3, note: tstr]                  →  [3, line: tstr], or refused:
//!                                                   [3, reason: uint, [* missing id: bstr .size 32]]
//! openings  4   [4, [* id: bstr .size 32]]       →  [4, [* opening]]
//! anchor    5   [5, commitment: bstr .size 32]   →  [5, anchor: bstr / null]
//! state     6   [6]                              →  [6, root / null]
//! map pages 7   [7, [* page key: bstr .size (9..41)]]   →  [7, [* page: bstr / null]]
//! recent    8   [8, [* subject: bstr .size 32]]  →  [8, [* [* [index: uint, id: bstr .size 32]]]]
//! growth    9   [9, old: uint, new: uint]        →  [9, [* hash: bstr .size 32] / null]
//! unknown       [kind: uint, ...]                →  [255, kind: uint]
//! kept log  16  [16, log: bstr .size 32, from: uint, max: uint]
//!                                                →  [16, next: uint, note: tstr / null, [* id: bstr .size 32]]
//! journals  17  [17, [* key: bstr .size 32]]     →  [17, [* [* id: bstr .size 32]]]
//!
//! root    = [size: uint, version: uint, hash: bstr .size 32], version and hash 0 for an empty map
//! opening = [event id: bstr .size 32, path: bstr .size (1..4), salt: bstr .size 16, value: bstr]
//! ```
//!
//! A request of a kind that a node does not know, because the one that asks is newer, is answered with
//! `Unsupported`; every request may be. The bytes of page keys and pages are those of
//! [`provenance::state_map`].

mod request;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use request::Class;
pub use request::Request;
pub(crate) use response::Expected;
pub use response::{MapRoot, PassedOpening, Response};

use crate::wire::{Malformed, Reader, Written};
use minicbor::Encoder;
use provenance::id::{EventId, PublicKey};

/// The longest event: what a network's rules allow an event to be.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;
/// The longest checkpoint: four lines and room for some hundreds of signatures.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// The longest request: `Cosign` with a note of [`MAX_NOTE_BYTES`]. `Bodies` for [`MAX_BODIES`] ids of
/// 34 bytes each needs about half of it.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 1024;
/// The longest response. A few of them in flight keep a line busy, and each fits in memory easily.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// The most ids in one page of a log: 140 kB, so that a million ids need 250 round trips.
pub const MAX_PAGE_IDS: u32 = 4096;
/// The longest log that is believed: what is claimed is reckoned with, and at a hundred thousand events a second a log
/// gets there in ninety years.
pub const MAX_LOG_SIZE: u64 = 1 << 48;
/// The most events asked for at once: about what fits in a response at the usual size of events.
pub const MAX_BODIES: usize = 1024;
/// The longest line of a signature: a name of up to 256 bytes, and some hundreds of base64.
pub const MAX_SIGNATURE_LINE_BYTES: usize = 1024;
/// The most events that a refusal to cosign names: enough to fetch them and to tell people.
pub const MAX_MISSING: usize = 64;
/// The most events whose openings are asked for at once: each needs a look at who the parties are.
pub const MAX_OPENED_EVENTS: usize = 256;
/// The most sealed fields of one event: every field that a correction can replace, and to spare.
pub const MAX_OPENINGS_OF_EVENT: usize = 16;
/// The deepest path of a sealed field.
pub const MAX_PATH: usize = 4;
/// The longest anchor with its evidence: a header and two trie proofs need some ten kilobytes.
pub const MAX_ANCHOR_BYTES: usize = 256 * 1024;
/// The most pages of a state map asked for at once: 260 kB of them.
pub const MAX_MAP_PAGES: usize = 256;
/// The longest key of a page: the number of nibbles, 32 bytes of them, and a version.
pub const MAX_PAGE_KEY_BYTES: usize = 41;
/// The longest page of a state map: 16 leaves of 64 bytes, and four bytes before them.
pub const MAX_MAP_PAGE_BYTES: usize = 4 + 16 * 64;
/// The most subjects whose events are asked for at once.
pub const MAX_SUBJECTS: usize = 256;
/// The most events of one subject in an answer: what a lot goes through in its life, and to spare.
pub const MAX_RECENT: usize = 64;
/// The most hashes of a proof that a log only grew: two for each level of the tallest tree, and to spare.
pub const MAX_PROOF_HASHES: usize = 128;
/// The most keys whose journals are asked for at once.
pub const MAX_JOURNALS: usize = 256;
/// The most ends of one journal that are told: two are a fork already.
pub const MAX_JOURNAL_ENDS: usize = 16;
/// The most requests that a node may have waiting at one peer: enough to keep the line busy while
/// answers are worked on. A peer need not answer more.
pub const REQUESTS_AT_ONCE: usize = 4;
/// The longest program name and version in a greeting.
pub const MAX_PROGRAM_BYTES: usize = 64;

/// How a node introduces itself and its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The key that signs the log's checkpoints. A cursor into a log is good for this key only: a
    /// peer that starts a new log, for example after it lost its data, shows another key.
    pub log: PublicKey,
    /// How many entries the log has, at most [`MAX_LOG_SIZE`].
    pub log_size: u64,
    /// Name and version of the program, for people to read; at most [`MAX_PROGRAM_BYTES`].
    pub program: String,
}

/// A message that this node may not send because it breaks the protocol's limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is over a limit of the sync protocol; send less at once")]
pub struct Oversize(#[from] pub Malformed);

impl Greeting {
    fn check(&self) -> Result<(), Oversize> {
        believable(self.log_size)?;
        Ok(short(self.program.len(), MAX_PROGRAM_BYTES)?)
    }

    fn write(&self, to: &mut Encoder<Vec<u8>>) -> Written {
        to.array(4)?.u8(0)?;
        to.bytes(self.log.as_bytes())?.u64(self.log_size)?.str(&self.program)?.ok()
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            log: PublicKey::from_bytes(from.hash()?),
            log_size: believable(from.u64()?)?,
            program: from.text(MAX_PROGRAM_BYTES)?.to_owned(),
        })
    }
}

fn within(count: usize, limit: usize) -> Result<(), Malformed> {
    if count > limit {
        return Err(Malformed::TooMany { count: count as u64, limit });
    }
    Ok(())
}

fn write_ids(to: &mut Encoder<Vec<u8>>, ids: &[EventId]) -> Written {
    to.array(ids.len() as u64)?;
    for id in ids {
        to.bytes(id.as_bytes())?;
    }
    Ok(())
}

fn read_ids(from: &mut Reader<'_>, limit: usize) -> Result<Vec<EventId>, Malformed> {
    from.entries(limit, |from| from.hash().map(EventId::from_bytes))
}

/// Refuses a size of a log, or an index in one, that cannot be.
fn believable(size: u64) -> Result<u64, Malformed> {
    if size > MAX_LOG_SIZE { Err(Malformed::LogTooLong(size)) } else { Ok(size) }
}

/// Refuses a text or byte string that is too long to be sent.
fn short(length: usize, limit: usize) -> Result<(), Malformed> {
    if length > limit { Err(Malformed::TooLong { length, limit }) } else { Ok(()) }
}
