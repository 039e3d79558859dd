//! What a node answers.

use super::{
    Greeting, MAX_ANCHOR_BYTES, MAX_BODIES, MAX_EVENT_BYTES, MAX_JOURNAL_ENDS, MAX_JOURNALS, MAX_MAP_PAGE_BYTES,
    MAX_MAP_PAGES, MAX_MISSING, MAX_NOTE_BYTES, MAX_OPENED_EVENTS, MAX_OPENINGS_OF_EVENT, MAX_PAGE_IDS, MAX_PATH,
    MAX_PROGRAM_BYTES, MAX_PROOF_HASHES, MAX_RECENT, MAX_RESPONSE_BYTES, MAX_SIGNATURE_LINE_BYTES, MAX_SUBJECTS,
    Oversize, believable, read_ids, short, within, write_ids,
};
use crate::wire::{self, Malformed, Reader, Written};
use minicbor::Encoder;
use provenance::id::EventId;

/// The bytes that a response with a list needs beside its entries: array heads and the kind.
const FRAME_BYTES: usize = 8;
/// The most bytes that CBOR puts in front of a body of at most [`MAX_EVENT_BYTES`].
const BODY_HEAD_BYTES: usize = 3;
/// The most bytes of an opening beside path and value: the array's head, event and salt with theirs, and
/// the heads of path and value.
const OPENING_FRAME_BYTES: usize = 1 + 34 + 17 + 1 + 3;
/// The most openings in one response.
const MAX_OPENINGS: usize = MAX_OPENED_EVENTS * MAX_OPENINGS_OF_EVENT;

/// The kind of the answer to what is unknown: no request will ever have it.
const UNSUPPORTED: u8 = 255;
const UNSUPPORTED_KIND: u64 = UNSUPPORTED as u64;

/// What a node answers; of the same kind as the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The answer to [`Request::Hello`].
    Hello(Greeting),
    /// The answer to [`Request::LogPage`].
    LogPage {
        /// How many entries the log has now, at most [`MAX_LOG_SIZE`](super::MAX_LOG_SIZE).
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
    /// The answer to [`Request::Cosign`]: it was cosigned.
    Cosigned {
        /// The line to add to the note, at most [`MAX_SIGNATURE_LINE_BYTES`].
        line: String,
    },
    /// The answer to [`Request::Cosign`]: it was not cosigned.
    CosignRefused {
        /// Why, as a number on which the programs agree.
        reason: u32,
        /// Events that the log ought to have, at most [`MAX_MISSING`].
        missing: Vec<EventId>,
    },
    /// The answer to [`Request::Openings`]: as many as fit, and only those that the server has and
    /// that the peer may know. At most [`MAX_OPENINGS_OF_EVENT`] for each event asked for.
    Openings {
        /// What opens the fields.
        openings: Vec<PassedOpening>,
    },
    /// The answer to [`Request::Anchor`].
    Anchor {
        /// The anchor with its evidence, at most [`MAX_ANCHOR_BYTES`] that this crate does not read;
        /// `None` where the server has none of this commitment.
        anchor: Option<Vec<u8>>,
    },
    /// The answer to [`Request::State`].
    State {
        /// The newest map; `None` while the server makes it again.
        root: Option<MapRoot>,
    },
    /// The answer to [`Request::MapPages`]: one entry for each key.
    MapPages {
        /// The page's bytes, at most [`MAX_MAP_PAGE_BYTES`], or `None` where the server has removed it.
        pages: Vec<Option<Vec<u8>>>,
    },
    /// The answer to [`Request::Recent`]: one list for each subject.
    Recent {
        /// Events with their index in the server's log, ascending, at most [`MAX_RECENT`], of the main lane first: the
        /// tips of all lanes, and of each lane those that stand highest. Empty where the subject is unknown.
        events: Vec<Vec<(u64, EventId)>>,
    },
    /// The answer to [`Request::Growth`].
    Growth {
        /// The proof, at most [`MAX_PROOF_HASHES`]; `None` where the server's log does not have these sizes.
        proof: Option<Vec<[u8; 32]>>,
    },
    /// The answer to [`Request::KeptLog`].
    KeptLog {
        /// How many entries the log has had at least, as far as the server knows.
        next: u64,
        /// The newest checkpoint that the log has signed, as a note of at most [`MAX_NOTE_BYTES`].
        note: Option<String>,
        /// Ids from the index asked for; none where the server does not keep that one.
        ids: Vec<EventId>,
    },
    /// The answer to [`Request::Journals`].
    Journals {
        /// For each key the newest events that it signed, at most [`MAX_JOURNAL_ENDS`].
        ends: Vec<Vec<EventId>>,
    },
    /// The answer to any request that the server does not know.
    Unsupported {
        /// The request's kind.
        kind: u64,
    },
}

/// A version of a node's state map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRoot {
    /// Entries of the log that it covers.
    pub size: u64,
    /// Which version wrote the root page, and so stands in its key; 0 for an empty map.
    pub version: u64,
    /// The root; 32 zero bytes for an empty map.
    pub hash: [u8; 32],
}

/// What opens one sealed field of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOpening {
    /// The event.
    pub event: EventId,
    /// Which of its fields, 1 to [`MAX_PATH`] numbers.
    pub path: Vec<u8>,
    /// The salt.
    pub salt: [u8; 16],
    /// CBOR of the value, at most [`MAX_EVENT_BYTES`].
    pub value: Vec<u8>,
}

impl Response {
    /// The answer to [`Request::Bodies`] with as many of `bodies` as fit in one response.
    /// Give them lazily: nothing is taken beyond the first that does not fit.
    pub fn fitting(bodies: impl IntoIterator<Item = Option<Vec<u8>>>) -> Self {
        let mut room = MAX_RESPONSE_BYTES - FRAME_BYTES;
        let fitting = bodies.into_iter().take(MAX_BODIES).map_while(|body| {
            let needed = BODY_HEAD_BYTES + body.as_ref().map_or(0, Vec::len);
            room = room.checked_sub(needed)?;
            Some(body)
        });
        Self::Bodies { bodies: fitting.collect() }
    }

    /// The answer to [`Request::Openings`] with as many of `openings` as fit in one response.
    pub fn fitting_openings(openings: impl IntoIterator<Item = PassedOpening>) -> Self {
        let mut room = MAX_RESPONSE_BYTES - FRAME_BYTES;
        let fitting = openings.into_iter().take(MAX_OPENINGS).map_while(|opening| {
            room = room.checked_sub(opening.most_bytes())?;
            Some(opening)
        });
        Self::Openings { openings: fitting.collect() }
    }

    /// About how many bytes it has on the wire: what it holds, and a head for each entry.
    pub(crate) fn size_hint(&self) -> usize {
        match self {
            Self::Hello(_) => 64 + MAX_PROGRAM_BYTES,
            Self::LogPage { ids, .. } | Self::CosignRefused { missing: ids, .. } => 16 + 34 * ids.len(),
            Self::Bodies { bodies } => {
                bodies.iter().map(|body| BODY_HEAD_BYTES + body.as_ref().map_or(0, Vec::len)).sum()
            }
            Self::Cosigned { line } => 8 + line.len(),
            Self::Openings { openings } => openings.iter().map(PassedOpening::most_bytes).sum(),
            Self::Anchor { anchor } => 8 + anchor.as_ref().map_or(0, Vec::len),
            Self::State { .. } => 64,
            Self::Growth { proof } => 8 + 34 * proof.as_ref().map_or(0, Vec::len),
            Self::KeptLog { note, ids, .. } => 24 + note.as_ref().map_or(0, String::len) + 34 * ids.len(),
            Self::Journals { ends } => ends.iter().map(|ends| 8 + 34 * ends.len()).sum(),
            Self::MapPages { pages } => pages.iter().map(|page| 8 + page.as_ref().map_or(0, Vec::len)).sum(),
            Self::Recent { events } => events.iter().map(|events| 8 + 45 * events.len()).sum(),
            Self::Unsupported { .. } => 16,
        }
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
            Self::Cosigned { line } => to.array(2)?.u8(3)?.str(line)?.ok(),
            Self::CosignRefused { reason, missing } => {
                to.array(3)?.u8(3)?.u32(*reason)?;
                write_ids(to, missing)
            }
            Self::Openings { openings } => {
                to.array(2)?.u8(4)?.array(openings.len() as u64)?;
                openings.iter().try_for_each(|opening| opening.write(to))
            }
            Self::Anchor { anchor } => {
                to.array(2)?.u8(5)?;
                match anchor {
                    Some(bytes) => to.bytes(bytes)?.ok(),
                    None => to.null()?.ok(),
                }
            }
            Self::State { root } => {
                to.array(2)?.u8(6)?;
                match root {
                    Some(root) => to.array(3)?.u64(root.size)?.u64(root.version)?.bytes(&root.hash)?.ok(),
                    None => to.null()?.ok(),
                }
            }
            Self::MapPages { pages } => {
                to.array(2)?.u8(7)?.array(pages.len() as u64)?;
                pages.iter().try_for_each(|page| match page {
                    Some(bytes) => to.bytes(bytes)?.ok(),
                    None => to.null()?.ok(),
                })
            }
            Self::Recent { events } => {
                to.array(2)?.u8(8)?.array(events.len() as u64)?;
                for of_subject in events {
                    to.array(of_subject.len() as u64)?;
                    for (index, id) in of_subject {
                        to.array(2)?.u64(*index)?.bytes(id.as_bytes())?;
                    }
                }
                Ok(())
            }
            Self::Growth { proof } => {
                to.array(2)?.u8(9)?;
                match proof {
                    Some(hashes) => {
                        to.array(hashes.len() as u64)?;
                        hashes.iter().try_for_each(|hash| to.bytes(hash)?.ok())
                    }
                    None => to.null()?.ok(),
                }
            }
            Self::KeptLog { next, note, ids } => {
                to.array(4)?.u8(16)?.u64(*next)?;
                match note {
                    Some(note) => to.str(note)?,
                    None => to.null()?,
                };
                write_ids(to, ids)
            }
            Self::Journals { ends } => {
                to.array(2)?.u8(17)?.array(ends.len() as u64)?;
                ends.iter().try_for_each(|ends| write_ids(to, ends))
            }
            Self::Unsupported { kind } => to.array(2)?.u8(UNSUPPORTED)?.u64(*kind)?.ok(),
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
            Self::LogPage { log_size, ids } => {
                believable(*log_size)?;
                Ok(within(ids.len(), MAX_PAGE_IDS as usize)?)
            }
            Self::Bodies { bodies } => {
                within(bodies.len(), MAX_BODIES)?;
                let mut total = FRAME_BYTES;
                for body in bodies {
                    let length = body.as_ref().map_or(0, Vec::len);
                    short(length, MAX_EVENT_BYTES)?;
                    total += BODY_HEAD_BYTES + length;
                }
                Ok(fits(total)?)
            }
            Self::Cosigned { line } => Ok(short(line.len(), MAX_SIGNATURE_LINE_BYTES)?),
            Self::CosignRefused { missing, .. } => Ok(within(missing.len(), MAX_MISSING)?),
            Self::Openings { openings } => {
                within(openings.len(), MAX_OPENINGS)?;
                let mut total = FRAME_BYTES;
                for opening in openings {
                    if opening.path.is_empty() {
                        return Err(Malformed::Empty.into());
                    }
                    short(opening.path.len(), MAX_PATH)?;
                    short(opening.value.len(), MAX_EVENT_BYTES)?;
                    total += opening.most_bytes();
                }
                Ok(fits(total)?)
            }
            Self::Anchor { anchor } => Ok(short(anchor.as_ref().map_or(0, Vec::len), MAX_ANCHOR_BYTES)?),
            Self::State { root } => {
                believable(root.map_or(0, |root| root.size))?;
                Ok(())
            }
            Self::Unsupported { .. } => Ok(()),
            Self::MapPages { pages } => {
                within(pages.len(), MAX_MAP_PAGES)?;
                pages.iter().flatten().try_for_each(|page| Ok(short(page.len(), MAX_MAP_PAGE_BYTES)?))
            }
            Self::Recent { events } => {
                within(events.len(), MAX_SUBJECTS)?;
                for of_subject in events {
                    within(of_subject.len(), MAX_RECENT)?;
                    of_subject.iter().try_for_each(|(index, _)| believable(*index).map(drop))?;
                }
                Ok(())
            }
            Self::Growth { proof } => Ok(within(proof.as_ref().map_or(0, Vec::len), MAX_PROOF_HASHES)?),
            Self::KeptLog { note, ids, .. } => {
                short(note.as_ref().map_or(0, String::len), MAX_NOTE_BYTES)?;
                Ok(within(ids.len(), MAX_PAGE_IDS as usize)?)
            }
            Self::Journals { ends } => {
                within(ends.len(), MAX_JOURNALS)?;
                ends.iter().try_for_each(|ends| Ok(within(ends.len(), MAX_JOURNAL_ENDS)?))
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.list(4)?;
        match (from.u64()?, length) {
            (0, 4) => Greeting::read(from).map(Self::Hello),
            (1, 3) => {
                Ok(Self::LogPage { log_size: believable(from.u64()?)?, ids: read_ids(from, MAX_PAGE_IDS as usize)? })
            }
            (2, 2) => Ok(Self::Bodies {
                bodies: from
                    .entries(MAX_BODIES, |from| from.optional(|from| Ok(from.bytes(MAX_EVENT_BYTES)?.to_vec())))?,
            }),
            (3, 2) => Ok(Self::Cosigned { line: from.text(MAX_SIGNATURE_LINE_BYTES)?.to_owned() }),
            (3, 3) => Ok(Self::CosignRefused { reason: from.u32()?, missing: read_ids(from, MAX_MISSING)? }),
            (4, 2) => Ok(Self::Openings { openings: from.entries(MAX_OPENINGS, PassedOpening::read)? }),
            (5, 2) => Ok(Self::Anchor { anchor: from.optional(|from| Ok(from.bytes(MAX_ANCHOR_BYTES)?.to_vec()))? }),
            (6, 2) => Ok(Self::State { root: from.optional(MapRoot::read)? }),
            (7, 2) => Ok(Self::MapPages {
                pages: from.entries(MAX_MAP_PAGES, |from| {
                    from.optional(|from| Ok(from.bytes(MAX_MAP_PAGE_BYTES)?.to_vec()))
                })?,
            }),
            (8, 2) => Ok(Self::Recent {
                events: from.entries(MAX_SUBJECTS, |from| {
                    from.entries(MAX_RECENT, |from| {
                        from.tuple(2)?;
                        Ok((believable(from.u64()?)?, EventId::from_bytes(from.hash()?)))
                    })
                })?,
            }),
            (9, 2) => {
                let proof = |from: &mut Reader<'_>| from.entries(MAX_PROOF_HASHES, Reader::hash);
                Ok(Self::Growth { proof: from.optional(proof)? })
            }
            (16, 4) => Ok(Self::KeptLog {
                next: from.u64()?,
                note: from.optional(|from| Ok(from.text(MAX_NOTE_BYTES)?.to_owned()))?,
                ids: read_ids(from, MAX_PAGE_IDS as usize)?,
            }),
            (17, 2) => {
                Ok(Self::Journals { ends: from.entries(MAX_JOURNALS, |from| read_ids(from, MAX_JOURNAL_ENDS))? })
            }
            (UNSUPPORTED_KIND, 2) => Ok(Self::Unsupported { kind: from.u64()? }),
            (0..=9 | 16 | 17, _) => Err(Malformed::Shape { at: 0 }),
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
    Cosignature,
    Openings(usize),
    Anchor,
    State,
    MapPages(usize),
    Recent(usize),
    Growth,
    KeptLog(usize),
    Journals(usize),
    /// Only [`Response::Unsupported`], which fits every question.
    Nothing,
}

impl Expected {
    /// Whether `response` can be the answer.
    pub(crate) fn admits(self, response: &Response) -> bool {
        match (self, response) {
            (Self::Ids(most), Response::LogPage { ids, .. }) | (Self::KeptLog(most), Response::KeptLog { ids, .. }) => {
                ids.len() <= most
            }
            (Self::Bodies(most), Response::Bodies { bodies }) => bodies.len() <= most,
            (Self::Hello, Response::Hello(_))
            | (Self::Cosignature, Response::Cosigned { .. } | Response::CosignRefused { .. })
            | (Self::Anchor, Response::Anchor { .. })
            | (Self::State, Response::State { .. })
            | (Self::Growth, Response::Growth { .. })
            | (_, Response::Unsupported { .. }) => true,
            (Self::MapPages(most), Response::MapPages { pages }) => pages.len() <= most,
            (Self::Recent(most), Response::Recent { events }) => events.len() <= most,
            (Self::Journals(asked), Response::Journals { ends }) => ends.len() == asked,
            (Self::Openings(most), Response::Openings { openings }) => openings.len() <= most,
            _ => false,
        }
    }
}

impl MapRoot {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.tuple(3)?;
        Ok(Self { size: believable(from.u64()?)?, version: from.u64()?, hash: from.hash()? })
    }
}

impl PassedOpening {
    /// No encoding of it is longer: the heads of its array and strings, and what they hold.
    fn most_bytes(&self) -> usize {
        OPENING_FRAME_BYTES + self.path.len() + self.value.len()
    }

    fn write(&self, to: &mut Encoder<Vec<u8>>) -> Written {
        to.array(4)?.bytes(self.event.as_bytes())?.bytes(&self.path)?.bytes(&self.salt)?.bytes(&self.value)?.ok()
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.tuple(4)?;
        let event = EventId::from_bytes(from.fixed()?);
        let path = from.filled(MAX_PATH)?.to_vec();
        Ok(Self { event, path, salt: from.fixed()?, value: from.bytes(MAX_EVENT_BYTES)?.to_vec() })
    }
}

fn fits(total: usize) -> Result<(), Malformed> {
    if total > MAX_RESPONSE_BYTES { Err(Malformed::TooLarge { limit: MAX_RESPONSE_BYTES }) } else { Ok(()) }
}
