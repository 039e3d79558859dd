//! What counts, counted anew from the whole log, against what the followers have kept beside it.

use ledger::view::Views;
use ledger::{Ledger, Reader};
use provenance::admission::{Ancestry, Judged};
use provenance::body::Cut;
use provenance::counting::Journals;
use provenance::history::History;
use provenance::id::{EventId, SubjectId};
use provenance::network::Network;
use provenance::state_map;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt::Display;

/// Journals, each link of which is walked.
struct Walked(HashMap<EventId, EventId>);

impl Journals for Walked {
    type Error = Infallible;

    fn is_within(&self, _: &EventId, cut: &Cut, event: &Judged) -> Result<bool, Infallible> {
        let mut next = cut.last;
        for _ in 0..cut.count {
            if next == event.event.id() {
                return Ok(true);
            }
            let Some(before) = self.0.get(&next) else { break };
            next = *before;
        }
        Ok(false)
    }
}

/// How many events do not count as they were admitted; or where what is kept is another than what is counted anew.
/// All followers must have read the whole log.
pub(crate) fn compare(ledger: &Ledger, network: &Network) -> Result<u64, String> {
    let reader = ledger.reader();
    let history = counted(reader, network).map_err(failed)?;
    let (mut uncounted, mut subjects) = (0, BTreeSet::new());
    for judged in history.events() {
        let id = judged.event.id();
        let expected = history.look(&id).and_then(|seen| seen.counted);
        let kept = reader.counted(&id).map_err(failed)?;
        if kept != expected {
            return Err(format!("{id} counts as {kept:?} instead of {expected:?}"));
        }
        uncounted += u64::from(kept.is_some());
        subjects.extend((0..judged.event.payload().touches.len()).filter_map(|at| judged.event.subject(at)));
    }
    for subject in &subjects {
        compare_subject(ledger, &history, subject)?;
    }
    Ok(uncounted)
}

/// The state map and the views say of a subject what its history says.
fn compare_subject(ledger: &Ledger, history: &History, subject: &SubjectId) -> Result<(), String> {
    let proven = ledger.state_proof(subject, ledger.size()).map_err(failed)?;
    if state_map::digest(&proven.tips) != history.digest(subject) {
        return Err(format!("the state map has other tips of {subject}: {:?}", proven.tips));
    }
    proven.proof.verify(&proven.root, subject, history.digest(subject).as_ref()).map_err(failed)?;
    let row = Views::new(ledger.reader().clone()).produce(subject).map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    let lot = history.lot(subject).ok_or_else(|| format!("{subject} is shown, and is no lot"))?;
    let (holder, tips) = (history.holder(&lot.state), lot.tips.iter().copied().collect::<Vec<_>>());
    if (row.balance, row.holder, &row.tips) != (lot.state.balance, holder, &tips) {
        return Err(format!("{subject} is shown as {row:?} instead of {lot:?}"));
    }
    Ok(())
}

/// The log, counted as a whole.
fn counted(reader: &Reader, network: &Network) -> Result<History, store::StoreError> {
    let (mut history, mut links) = (History::default(), HashMap::new());
    for id in reader.log_ids(1, usize::MAX)? {
        let Some(judged) = reader.judged(&id)? else { continue };
        // Void links of journals stand in no log, and a journal may be cut at one of them.
        let mut open: Vec<EventId> = judged.event.payload().ancestors().collect();
        links.insert(judged.event.id(), judged.event.payload().journal);
        while let Some(id) = open.pop() {
            let Some(judged) = reader.judged(&id)? else { continue };
            let before = judged.event.payload().journal;
            if links.insert(id, before).is_none() {
                open.push(before);
            }
        }
        history.add(judged);
    }
    history.count(network, &Walked(links));
    Ok(history)
}

fn failed(error: impl Display) -> String {
    error.to_string()
}
