//! The bounds of the machine's memory and of what it asks, each with its reason.

use p2p::message::{MAX_PAGE_IDS, MAX_RESPONSE_BYTES};

/// Peers whose logs are followed at a time; further ones wait for a place. Each place is one bit in a word, and a
/// network has no use for more sources.
pub const MAX_FOLLOWED: usize = 64;

/// How often a peer is greeted. Idle nodes find within this time what gossip lost.
pub const HELLO_EVERY_MS: u64 = 2_000;

/// Entries of one log that are read and not judged yet: four pages, so that ids never wait for bodies.
pub const READ_AHEAD: usize = 4 * MAX_PAGE_IDS as usize;

/// Ids that are wanted in all, beyond the one page that every peer may have read: some 40 MB at most.
pub const MAX_WANTED: usize = 131_072;

/// Bytes of events that are on their way or wait to be written. A request counts with the longest answer that it
/// may bring until the answer is here.
pub const MAX_BODY_BYTES: usize = 16 * MAX_RESPONSE_BYTES;

/// Events of one batch that is submitted: what the ledger commits at once.
pub const BATCH_EVENTS: usize = 4_096;

/// Bytes of one batch, so that large events make smaller batches.
pub const BATCH_BYTES: usize = 2 * MAX_RESPONSE_BYTES;

/// Batches that are being written: one is committed while the next is verified, and one is ready.
pub const BATCHES_AT_ONCE: usize = 3;
