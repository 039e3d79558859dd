//! Journal forks: one key signed two events on one link of its journal.

use super::facts::Events;
use super::{Finding, FindingKind};
use crate::admission::Judged;
use crate::id::{EventId, PublicKey, SubjectId};
use std::collections::BTreeMap;

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let forks = on_one_link(events.all.values().map(|told| &*told.judged));
    forks.into_iter().map(|(signer, events)| Finding::new(FindingKind::JournalFork, signer, events)).collect()
}

/// Groups of two or more events of one key on one link of its journal, with who signed them.
pub(crate) fn on_one_link<'a>(events: impl Iterator<Item = &'a Judged>) -> Vec<(SubjectId, Vec<EventId>)> {
    let mut links: BTreeMap<(PublicKey, EventId), Vec<&Judged>> = BTreeMap::new();
    for judged in events {
        links.entry((judged.event.key(), judged.event.payload().journal)).or_default().push(judged);
    }
    let forked = links.into_values().filter(|on_link| on_link.len() > 1);
    forked
        .map(|on_link| (on_link[0].judgement.actor, on_link.iter().map(|judged| judged.event.id()).collect()))
        .collect()
}
