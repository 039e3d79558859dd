//! What this node knows of other nodes' logs and keys, for one of them that was restored.

use ledger::Ledger;
use p2p::message::MAX_JOURNAL_ENDS;
use p2p::{Request, Response};
use store::StoreError;

/// The answer to one of the two questions; nothing to any other. Reads the disk.
pub(crate) fn answer(ledger: &Ledger, request: Request) -> Option<Result<Response, StoreError>> {
    match request {
        Request::KeptLog { log, from, max } => {
            let kept = ledger.witness().kept(&log, from, max as usize);
            Some(kept.map(|kept| Response::KeptLog { next: kept.next, note: kept.note, ids: kept.ids }))
        }
        Request::Journals { keys } => {
            let ends = keys.iter().map(|key| {
                let heads = ledger.reader().journal_heads(key)?;
                Ok(heads.into_iter().take(MAX_JOURNAL_ENDS).map(|head| head.event).collect())
            });
            Some(ends.collect::<Result<_, StoreError>>().map(|ends| Response::Journals { ends }))
        }
        _ => None,
    }
}
