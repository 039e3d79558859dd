//! Answering peers: pages of the log, events, and what is needed to compare state maps.

use ledger::{Ledger, LogError};
use p2p::message::MAX_RECENT;
use p2p::{MapRoot, Request, Response};
use provenance::state_map::{EMPTY, PageKey};
use store::StoreError;

/// Events that are read at once for an answer: enough for one way through the index to serve many, and little beside an
/// answer of megabytes.
const BODIES_AT_ONCE: usize = 64;

/// The answer to a request about log, events or state map; none for requests that need more than the ledger
/// (greetings, cosigning, openings, what is kept for a
/// node that was restored). Blocks on the disk, and the answer is bounded by the protocol's limits.
pub fn answer(ledger: &Ledger, request: &Request) -> Result<Option<Response>, StoreError> {
    Ok(Some(match request {
        Request::LogPage { from, max } => {
            let log_size = ledger.size();
            let most = usize::try_from(log_size.saturating_sub(*from)).unwrap_or(usize::MAX).min(*max as usize);
            Response::LogPage { log_size, ids: ledger.reader().log_ids(*from, most)? }
        }
        Request::Bodies { ids } => {
            let mut failed = None;
            let some = |ids| match ledger.reader().bytes(ids) {
                Ok(bytes) => Some(bytes),
                Err(error) => {
                    // To say that it is not here would be a lie, so an unreadable one fails the whole answer.
                    failed = Some(error);
                    None
                }
            };
            // Not all at once, so that little is read beyond what fits.
            let response = Response::fitting(ids.chunks(BODIES_AT_ONCE).map_while(some).flatten());
            if let Some(error) = failed {
                return Err(error);
            }
            response
        }
        Request::State => Response::State {
            root: ledger.map_root()?.map(|(size, root)| {
                let (version, hash) = root.map_or((0, EMPTY), |root| (root.version, root.hash));
                MapRoot { size, version, hash }
            }),
        },
        Request::MapPages { keys } => {
            // What is no key names no page.
            let page = |key: &Vec<u8>| match PageKey::from_bytes(key) {
                Ok(key) => Ok(ledger.map_page(&key)?.map(|page| page.to_bytes())),
                Err(_) => Ok(None),
            };
            Response::MapPages { pages: keys.iter().map(page).collect::<Result<_, StoreError>>()? }
        }
        Request::Recent { subjects } => {
            let events = subjects.iter().map(|subject| ledger.recent_events(subject, MAX_RECENT));
            Response::Recent { events: events.collect::<Result<_, _>>()? }
        }
        Request::Growth { old, new } => Response::Growth {
            proof: match ledger.consistency(*old, *new) {
                Ok(proof) => Some(proof),
                Err(LogError::Store(error)) => return Err(error),
                // It has not these sizes, or not yet again.
                Err(_) => None,
            },
        },
        Request::Unknown { kind, .. } => Response::Unsupported { kind: *kind },
        Request::Hello(_)
        | Request::Cosign { .. }
        | Request::Openings { .. }
        | Request::Anchor { .. }
        | Request::KeptLog { .. }
        | Request::Journals { .. } => return Ok(None),
    }))
}
