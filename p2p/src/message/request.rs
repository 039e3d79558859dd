//! What one node asks another.

use super::{
    Expected, Greeting, MAX_BODIES, MAX_JOURNALS, MAX_MAP_PAGES, MAX_NOTE_BYTES, MAX_OPENED_EVENTS,
    MAX_OPENINGS_OF_EVENT, MAX_PAGE_IDS, MAX_PAGE_KEY_BYTES, MAX_REQUEST_BYTES, MAX_SUBJECTS, Oversize, believable,
    read_ids, short, within, write_ids,
};
use crate::wire::{self, Malformed, Reader};
use provenance::id::{EventId, PublicKey, SubjectId};

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
    /// Please cosign this checkpoint of mine.
    Cosign {
        /// The checkpoint as a C2SP signed note, at most [`MAX_NOTE_BYTES`].
        note: String,
    },
    /// What opens the sealed fields of these events, as far as I may know it; at most
    /// [`MAX_OPENED_EVENTS`].
    Openings {
        /// The events' ids.
        events: Vec<EventId>,
    },
    /// The anchor of yours with this commitment, and the evidence for it.
    Anchor {
        /// What the anchor contract stores: Keccak-256 over the words of the anchor.
        commitment: [u8; 32],
    },
    /// Size and root of your newest state map.
    State,
    /// Pages of your state map, at most [`MAX_MAP_PAGES`].
    MapPages {
        /// Their keys, each at most [`MAX_PAGE_KEY_BYTES`]: path and version, as the page above names them.
        keys: Vec<Vec<u8>>,
    },
    /// The events of these subjects, at most [`MAX_SUBJECTS`].
    Recent {
        /// The subjects.
        subjects: Vec<SubjectId>,
    },
    /// The proof that your log of `old` entries is the beginning of the one of `new` entries.
    Growth {
        /// The smaller size.
        old: u64,
        /// The larger size.
        new: u64,
    },
    /// What you keep of a log's entries and checkpoints: for its owner, who was restored from a backup.
    KeptLog {
        /// The log's key.
        log: PublicKey,
        /// Index of the first entry wanted.
        from: u64,
        /// The most ids wanted, at most [`MAX_PAGE_IDS`].
        max: u32,
    },
    /// Where the journals of these keys end, as far as you know; at most [`MAX_JOURNALS`].
    Journals {
        /// The keys, in the order in which the answer shall have the ends.
        keys: Vec<PublicKey>,
    },
    /// A request of a newer program. It is answered with [`Response::Unsupported`].
    Unknown {
        /// Its kind.
        kind: u64,
        /// All of it.
        bytes: Vec<u8>,
    },
}

/// What kind of work a request makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A few bytes each way.
    Greeting,
    /// What the log holds: cheap to look up, and open to readers where reading is open.
    Read,
    /// What is done or given to members only, and may take long.
    Favour,
}

impl Request {
    /// The deterministic encoding.
    pub fn encode(&self) -> Vec<u8> {
        if let Self::Unknown { bytes, .. } = self {
            return bytes.clone();
        }
        wire::encode(|to| match self {
            Self::Hello(greeting) => greeting.write(to),
            Self::LogPage { from, max } => to.array(3)?.u8(1)?.u64(*from)?.u32(*max)?.ok(),
            Self::Bodies { ids } => {
                to.array(2)?.u8(2)?;
                write_ids(to, ids)
            }
            Self::Cosign { note } => to.array(2)?.u8(3)?.str(note)?.ok(),
            Self::Openings { events } => {
                to.array(2)?.u8(4)?;
                write_ids(to, events)
            }
            Self::Anchor { commitment } => to.array(2)?.u8(5)?.bytes(commitment)?.ok(),
            Self::State => to.array(1)?.u8(6)?.ok(),
            Self::MapPages { keys } => {
                to.array(2)?.u8(7)?.array(keys.len() as u64)?;
                keys.iter().try_for_each(|key| to.bytes(key)?.ok())
            }
            Self::Recent { subjects } => {
                to.array(2)?.u8(8)?.array(subjects.len() as u64)?;
                subjects.iter().try_for_each(|subject| to.bytes(subject.as_bytes())?.ok())
            }
            Self::Growth { old, new } => to.array(3)?.u8(9)?.u64(*old)?.u64(*new)?.ok(),
            Self::KeptLog { log, from, max } => to.array(4)?.u8(16)?.bytes(log.as_bytes())?.u64(*from)?.u32(*max)?.ok(),
            Self::Journals { keys } => {
                to.array(2)?.u8(17)?.array(keys.len() as u64)?;
                for key in keys {
                    to.bytes(key.as_bytes())?;
                }
                Ok(())
            }
            // Written above, as it came.
            Self::Unknown { .. } => Ok(()),
        })
    }

    /// Reads exactly what [`Request::encode`] writes and refuses all else. Of a kind that is unknown, nothing more
    /// is read than its number.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        match wire::decode(bytes, MAX_REQUEST_BYTES, Self::read, Self::encode) {
            Err(Malformed::UnknownKind(kind)) => Ok(Self::Unknown { kind, bytes: bytes.to_vec() }),
            read => read,
        }
    }

    /// Whether a peer would accept this request.
    pub fn check(&self) -> Result<(), Oversize> {
        match self {
            Self::Hello(greeting) => greeting.check(),
            Self::LogPage { max, .. } | Self::KeptLog { max, .. } => Ok(within(*max as usize, MAX_PAGE_IDS as usize)?),
            Self::Bodies { ids } => Ok(within(ids.len(), MAX_BODIES)?),
            Self::Cosign { note } => Ok(short(note.len(), MAX_NOTE_BYTES)?),
            Self::Openings { events } => Ok(within(events.len(), MAX_OPENED_EVENTS)?),
            Self::Anchor { .. } | Self::State => Ok(()),
            Self::MapPages { keys } => {
                within(keys.len(), MAX_MAP_PAGES)?;
                keys.iter().try_for_each(|key| Ok(short(key.len(), MAX_PAGE_KEY_BYTES)?))
            }
            Self::Recent { subjects } => Ok(within(subjects.len(), MAX_SUBJECTS)?),
            Self::Growth { new, .. } => Ok(believable(*new).map(drop)?),
            Self::Journals { keys } => Ok(within(keys.len(), MAX_JOURNALS)?),
            Self::Unknown { kind, .. } => Err(Malformed::UnknownKind(*kind).into()),
        }
    }

    /// What it costs to answer it, and who may ask it.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Hello(_) => Class::Greeting,
            Self::LogPage { .. }
            | Self::Bodies { .. }
            | Self::Anchor { .. }
            | Self::State
            | Self::MapPages { .. }
            | Self::Recent { .. }
            | Self::Growth { .. }
            | Self::KeptLog { .. }
            | Self::Journals { .. }
            | Self::Unknown { .. } => Class::Read,
            Self::Cosign { .. } | Self::Openings { .. } => Class::Favour,
        }
    }

    /// What an answer to this request may look like.
    pub(crate) fn expects(&self) -> Expected {
        match self {
            Self::Hello(_) => Expected::Hello,
            Self::LogPage { max, .. } => Expected::Ids(*max as usize),
            Self::Bodies { ids } => Expected::Bodies(ids.len()),
            Self::Cosign { .. } => Expected::Cosignature,
            Self::Openings { events } => Expected::Openings(events.len() * MAX_OPENINGS_OF_EVENT),
            Self::Anchor { .. } => Expected::Anchor,
            Self::State => Expected::State,
            Self::MapPages { keys } => Expected::MapPages(keys.len()),
            Self::Recent { subjects } => Expected::Recent(subjects.len()),
            Self::Growth { .. } => Expected::Growth,
            Self::KeptLog { max, .. } => Expected::KeptLog(*max as usize),
            Self::Journals { keys } => Expected::Journals(keys.len()),
            Self::Unknown { .. } => Expected::Nothing,
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = from.head()?;
        match (from.u64()?, length) {
            (0, 4) => Greeting::read(from).map(Self::Hello),
            (1, 3) => {
                let first = from.u64()?;
                let max = from.u32()?;
                within(max as usize, MAX_PAGE_IDS as usize)?;
                Ok(Self::LogPage { from: first, max })
            }
            (2, 2) => Ok(Self::Bodies { ids: read_ids(from, MAX_BODIES)? }),
            (3, 2) => Ok(Self::Cosign { note: from.text(MAX_NOTE_BYTES)?.to_owned() }),
            (4, 2) => Ok(Self::Openings { events: read_ids(from, MAX_OPENED_EVENTS)? }),
            (5, 2) => Ok(Self::Anchor { commitment: from.hash()? }),
            (6, 1) => Ok(Self::State),
            (7, 2) => Ok(Self::MapPages {
                keys: from.entries(MAX_MAP_PAGES, |from| Ok(from.bytes(MAX_PAGE_KEY_BYTES)?.to_vec()))?,
            }),
            (8, 2) => Ok(Self::Recent {
                subjects: from.entries(MAX_SUBJECTS, |from| from.hash().map(SubjectId::from_bytes))?,
            }),
            (9, 3) => Ok(Self::Growth { old: from.u64()?, new: believable(from.u64()?)? }),
            (16, 4) => {
                let log = PublicKey::from_bytes(from.hash()?);
                let first = from.u64()?;
                let max = from.u32()?;
                within(max as usize, MAX_PAGE_IDS as usize)?;
                Ok(Self::KeptLog { log, from: first, max })
            }
            (17, 2) => {
                let keys = from.entries(MAX_JOURNALS, |from| from.hash().map(PublicKey::from_bytes))?;
                Ok(Self::Journals { keys })
            }
            (0..=9 | 16 | 17, _) => Err(Malformed::Shape { at: 0 }),
            (kind, _) => Err(Malformed::UnknownKind(kind)),
        }
    }
}
