//! The sync protocol: what nodes ask each other and answer, with limits and the one encoding.
//!
//! A node follows a peer's log: it learns the log's size from `Hello`, reads event ids from its
//! own cursor with `LogPage`, and fetches the events that it lacks with `Bodies`. `Hello` carries
//! both sides' greetings, so asking it every few seconds tells both nodes of each other's growth,
//! even if a gossip message was lost and nothing new is written.
//!
//! Requests and responses are arrays in deterministic CBOR whose first entry is the kind:
//!
//! ```text
//! hello     0   [0, log: bstr .size 32, log size: uint, program: tstr]      both ways
//! log page  1   [1, from: uint, max: uint]       →  [1, log size: uint, [* id: bstr .size 32]]
//! bodies    2   [2, [* id: bstr .size 32]]       →  [2, [* event: bstr / null]]
//! ```

use crate::wire::{self, Malformed, Reader, Written};
use minicbor::Encoder;
use provenance::id::{EventId, PublicKey};

/// The longest event: what a network's rules allow an event to be.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;
/// The longest request: `Bodies` for [`MAX_BODIES`] ids of 34 bytes each, with room to spare.
pub const MAX_REQUEST_BYTES: usize = 40 * 1024;
/// The longest response. A few of them in flight keep a line busy, and each fits in memory easily.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// The most ids in one page of a log: 140 kB, so that a million ids need 250 round trips.
pub const MAX_PAGE_IDS: u32 = 4096;
/// The most events asked for at once: about what fits in a response at the usual size of events.
pub const MAX_BODIES: usize = 1024;
/// The most requests that a node may have waiting at one peer: enough to keep the line busy while
/// answers are worked on. A peer need not answer more.
pub const REQUESTS_AT_ONCE: usize = 4;
/// The longest program name and version in a greeting.
pub const MAX_PROGRAM_BYTES: usize = 64;

/// The bytes that a `Bodies` response needs beside its bodies: array heads and the kind.
const BODIES_FRAME_BYTES: usize = 8;
/// The most bytes that CBOR puts in front of a body of at most [`MAX_EVENT_BYTES`].
const BODY_HEAD_BYTES: usize = 3;

/// How a node introduces itself and its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The key that signs the log's checkpoints. A cursor into a log is good for this key only: a
    /// peer that starts a new log, for example after it lost its data, shows another key.
    pub log: PublicKey,
    /// How many entries the log has.
    pub log_size: u64,
    /// Name and version of the program, for people to read; at most [`MAX_PROGRAM_BYTES`].
    pub program: String,
}

/// What one node asks another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Here is how I am; how are you?
    Hello(Greeting),
    /// The event ids of your log from index `from` on.
    LogPage {
        /// Index of the first entry wanted.
        from: u64,
        /// The most ids wanted, at most [`MAX_PAGE_IDS`].
        max: u32,
    },
    /// The events with these ids, at most [`MAX_BODIES`].
    Bodies {
        /// The ids, in the order in which the answer shall have the events.
        ids: Vec<EventId>,
    },
}

/// What a node answers; of the same kind as the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The answer to [`Request::Hello`].
    Hello(Greeting),
    /// The answer to [`Request::LogPage`].
    LogPage {
        /// How many entries the log has now.
        log_size: u64,
        /// Ids from the index asked for; fewer than asked for at the log's end.
        ids: Vec<EventId>,
    },
    /// The answer to [`Request::Bodies`]: one entry for each of the first ids asked for. A server
    /// that has much to send answers only some; the rest is asked for again.
    Bodies {
        /// The event's signed bytes, or `None` where the server does not have it.
        bodies: Vec<Option<Vec<u8>>>,
    },
}

/// A message that this node may not send because it breaks the protocol's limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is over a limit of the sync protocol; send less at once")]
pub struct Oversize(#[from] pub Malformed);

impl Request {
    /// The deterministic encoding.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(|to| match self {
            Self::Hello(greeting) => greeting.write(to),
            Self::LogPage { from, max } => to.array(3)?.u8(1)?.u64(*from)?.u32(*max)?.ok(),
            Self::Bodies { ids } => {
                to.array(2)?.u8(2)?;
                write_ids(to, ids)
            }
        })
    }

    /// Reads exactly what [`Request::encode`] writes and refuses all else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::decode(bytes, MAX_REQUEST_BYTES, Self::read, Self::encode)
    }

    /// Whether a peer would accept this request.
    pub fn check(&self) -> Result<(), Oversize> {
        match self {
            Self::Hello(greeting) => greeting.check(),
            Self::LogPage { max, .. } => Ok(within(*max as usize, MAX_PAGE_IDS as usize)?),
            Self::Bodies { ids } => Ok(within(ids.len(), MAX_BODIES)?),
        }
    }

    /// What an answer to this request may look like.
    pub(crate) fn expects(&self) -> Expected {
        match self {
            Self::Hello(_) => Expected::Hello,
            Self::LogPage { max, .. } => Expected::Ids(*max as usize),
            Self::Bodies { ids } => Expected::Bodies(ids.len()),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.list(4)?;
        match (from.u64()?, length) {
            (0, 4) => Greeting::read(from).map(Self::Hello),
            (1, 3) => {
                let first = from.u64()?;
                let max = from.u32()?;
                within(max as usize, MAX_PAGE_IDS as usize)?;
                Ok(Self::LogPage { from: first, max })
            }
            (2, 2) => Ok(Self::Bodies { ids: read_ids(from, MAX_BODIES)? }),
            (0..=2, _) => Err(Malformed::Shape { at: 0 }),
            (kind, _) => Err(Malformed::UnknownKind(kind)),
        }
    }
}

impl Response {
    /// The answer to [`Request::Bodies`] with as many of `bodies` as fit in one response.
    /// Give them lazily: nothing is taken beyond the first that does not fit.
    pub fn fitting(bodies: impl IntoIterator<Item = Option<Vec<u8>>>) -> Self {
        let mut room = MAX_RESPONSE_BYTES - BODIES_FRAME_BYTES;
        let fitting = bodies.into_iter().take(MAX_BODIES).map_while(|body| {
            let needed = BODY_HEAD_BYTES + body.as_ref().map_or(0, Vec::len);
            room = room.checked_sub(needed)?;
            Some(body)
        });
        Self::Bodies { bodies: fitting.collect() }
    }

    /// The deterministic encoding.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(|to| match self {
            Self::Hello(greeting) => greeting.write(to),
            Self::LogPage { log_size, ids } => {
                to.array(3)?.u8(1)?.u64(*log_size)?;
                write_ids(to, ids)
            }
            Self::Bodies { bodies } => {
                to.array(2)?.u8(2)?.array(bodies.len() as u64)?;
                for body in bodies {
                    match body {
                        Some(bytes) => to.bytes(bytes)?,
                        None => to.null()?,
                    };
                }
                Ok(())
            }
        })
    }

    /// Reads exactly what [`Response::encode`] writes and refuses all else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::decode(bytes, MAX_RESPONSE_BYTES, Self::read, Self::encode)
    }

    /// Whether a peer would accept this response.
    pub fn check(&self) -> Result<(), Oversize> {
        match self {
            Self::Hello(greeting) => greeting.check(),
            Self::LogPage { ids, .. } => Ok(within(ids.len(), MAX_PAGE_IDS as usize)?),
            Self::Bodies { bodies } => {
                within(bodies.len(), MAX_BODIES)?;
                let mut total = BODIES_FRAME_BYTES;
                for body in bodies {
                    let length = body.as_ref().map_or(0, Vec::len);
                    if length > MAX_EVENT_BYTES {
                        return Err(Malformed::TooLong { length, limit: MAX_EVENT_BYTES }.into());
                    }
                    total += BODY_HEAD_BYTES + length;
                }
                if total > MAX_RESPONSE_BYTES {
                    return Err(Malformed::TooLarge { limit: MAX_RESPONSE_BYTES }.into());
                }
                Ok(())
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.list(4)?;
        match (from.u64()?, length) {
            (0, 4) => Greeting::read(from).map(Self::Hello),
            (1, 3) => Ok(Self::LogPage { log_size: from.u64()?, ids: read_ids(from, MAX_PAGE_IDS as usize)? }),
            (2, 2) => Ok(Self::Bodies {
                bodies: from
                    .entries(MAX_BODIES, |from| from.optional(|from| Ok(from.bytes(MAX_EVENT_BYTES)?.to_vec())))?,
            }),
            (0..=2, _) => Err(Malformed::Shape { at: 0 }),
            (kind, _) => Err(Malformed::UnknownKind(kind)),
        }
    }
}

/// The shape that the answer to a request must have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    Hello,
    Ids(usize),
    Bodies(usize),
}

impl Expected {
    /// Whether `response` can be the answer.
    pub(crate) fn admits(self, response: &Response) -> bool {
        match (self, response) {
            (Self::Hello, Response::Hello(_)) => true,
            (Self::Ids(most), Response::LogPage { ids, .. }) => ids.len() <= most,
            (Self::Bodies(most), Response::Bodies { bodies }) => bodies.len() <= most,
            _ => false,
        }
    }
}

impl Greeting {
    fn check(&self) -> Result<(), Oversize> {
        let (length, limit) = (self.program.len(), MAX_PROGRAM_BYTES);
        if length > limit {
            return Err(Malformed::TooLong { length, limit }.into());
        }
        Ok(())
    }

    fn write(&self, to: &mut Encoder<Vec<u8>>) -> Written {
        to.array(4)?.u8(0)?;
        to.bytes(self.log.as_bytes())?.u64(self.log_size)?.str(&self.program)?.ok()
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            log: PublicKey::from_bytes(from.hash()?),
            log_size: from.u64()?,
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

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
