//! That events lie before the end of their key's journal, as far as a bundle shows it.

use super::{Failure, Reason};
use crate::admission::given_key;
use crate::bundle::{Bundle, Survival};
use crate::counting::{Survivors, cuts};
use crate::history::History;
use crate::id::EventId;
use crate::merkle::{leaf_hash, verify_inclusion};

/// The rest of check 4.
pub(super) fn verified(bundle: &Bundle, history: &History) -> Result<Survivors, Failure> {
    let mut found = Survivors::default();
    for survival in &bundle.survivals {
        if !holds(bundle, history, survival) {
            let detail = "it is not shown that the event lies before the end of its key's journal";
            return Err(Failure::of_event(Reason::BadSurvival, survival.event, detail));
        }
        found.0.insert((survival.cutter, survival.key_event, survival.event));
    }
    Ok(found)
}

fn holds(bundle: &Bundle, history: &History, survival: &Survival) -> bool {
    let (Some(cutter), Some(judged)) = (history.get(&survival.cutter), history.get(&survival.event)) else {
        return false;
    };
    let given = |id: &EventId| given_key(&history.get(id)?.event).map(|(key, _)| key);
    let journal = (judged.judgement.key_event, judged.event.key());
    let cuts = cuts(&bundle.network, cutter, given);
    let of_journal = cuts.iter().find(|(cut, _)| *cut == journal && cut.0 == survival.key_event);
    of_journal.is_some_and(|(_, cut)| {
        let leaf = leaf_hash(survival.event.as_bytes());
        verify_inclusion(&leaf, survival.index, cut.count, &survival.path, &cut.root).is_ok()
    })
}
