//! The bounds of the machine's memory and of what it asks, each with its reason.

use p2p::message::{MAX_BODIES, MAX_PAGE_IDS, MAX_RESPONSE_BYTES};

/// Peers whose logs are followed at a time; further ones wait for a place. Each place is one bit of a word, and no
/// network has use for more sources than that.
pub const MAX_FOLLOWED: usize = 64;

/// How often a peer is greeted. Idle nodes find within this time what gossip lost.
pub const HELLO_EVERY_MS: u64 = 2_000;

/// Greetings are at least so far apart, however often peers wake each other: gossip is there for speed.
pub const HELLO_APART_MS: u64 = 200;

/// Entries of one log that are read and not judged yet: enough ids for every body that is under way or being
/// written, a megabyte of them.
pub const READ_AHEAD: usize = 8 * MAX_PAGE_IDS as usize;

/// Ids that are wanted in all, those of pages under way included: some 40 MB at most. Beyond them, each of the two
/// stretches that are read of a log may have [`FEW_IDS`], and each log the gaps of its cursor.
pub const MAX_WANTED: usize = 131_072;

/// Ids that are wanted because one peer has shown them: what is read ahead of its log, what a comparison has found, and
/// gaps. Beyond them it may have [`FEW_IDS`] likewise.
pub const MAX_LISTED: usize = 2 * READ_AHEAD;

/// Ids in a page of a log where there is no room for more: so that whoever fills all room with ids that nobody has
/// makes others slower, and stops nobody.
pub const FEW_IDS: u32 = 256;

/// Ids in front of all others, because what came before them rests on them: such as void links of journals, that
/// stand in no log. An honest log needs a handful.
pub const MAX_ANCESTORS: usize = 1_024;

/// Bytes of events that are on their way or wait to be written. A request counts with the longest answer that it
/// may bring until the answer is here.
pub const MAX_BODY_BYTES: usize = 16 * MAX_RESPONSE_BYTES;

/// Requests for events that one peer has to answer at a time. Beside them it is asked for a page and greeted, and
/// one place of those that it grants stays free for what others of this node ask it.
pub const BODY_REQUESTS_AT_ONCE: usize = 2;

/// Events under way from one peer at most: each request as large as the protocol allows.
pub const MAX_WINDOW: usize = BODY_REQUESTS_AT_ONCE * MAX_BODIES;

/// Events of one batch that is submitted: what the ledger commits at once.
pub const BATCH_EVENTS: usize = 4_096;

/// Bytes of one batch, so that large events make smaller batches.
pub const BATCH_BYTES: usize = 2 * MAX_RESPONSE_BYTES;

/// Batches that are being written: one is committed while the next is verified, and one is ready.
pub const BATCHES_AT_ONCE: usize = 3;

/// Unread entries from which on the state maps are compared. To read as many ids takes a megabyte and eight round
/// trips, which is what a comparison takes at least.
pub const FAR: u64 = 8 * MAX_PAGE_IDS as u64;

/// Subjects that may differ, and pages that are still to be compared. Where more do, the log is read: then the
/// difference is so large that reading all ids costs little beside it.
pub const MAX_DIFFERING: usize = 65_536;

/// Questions to one peer in a second, and at once after a rest: well below what a node grants its peers, so that
/// following never looks like flooding.
pub const QUESTIONS_PER_S: u64 = 64;
/// See [`QUESTIONS_PER_S`].
pub const QUESTIONS_AT_ONCE: u64 = 128;
