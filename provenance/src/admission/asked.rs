//! The ancestors of one event, each asked for once: several rules look at the same few.

use super::{Ancestry, Counted, Judged};
use crate::id::{EventId, SubjectId};
use crate::merkle::Hash;
use crate::payload::Lane;
use std::cell::RefCell;
use std::sync::Arc;

/// Ancestors that are remembered. An ordinary event has about six; of one with hundreds the others are asked for again,
/// so that looking through the list stays cheap.
const REMEMBERED: usize = 16;

/// Events that were judged before, and those of them that were asked for.
pub(super) struct Asked<'a, A> {
    ancestry: &'a A,
    judged: RefCell<Vec<(EventId, Arc<Judged>)>>,
}

impl<'a, A> Asked<'a, A> {
    pub fn new(ancestry: &'a A) -> Self {
        Self { ancestry, judged: RefCell::new(Vec::with_capacity(REMEMBERED)) }
    }
}

impl<A: Ancestry> Ancestry for Asked<'_, A> {
    type Error = A::Error;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, A::Error> {
        if let Some((_, judged)) = self.judged.borrow().iter().find(|(known, _)| known == id) {
            return Ok(Some(judged.clone()));
        }
        let found = self.ancestry.judged(id)?;
        let mut judged = self.judged.borrow_mut();
        if judged.len() < REMEMBERED
            && let Some(found) = &found
        {
            judged.push((*id, found.clone()));
        }
        Ok(found)
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, A::Error> {
        self.ancestry.lane_tips(subject, lane)
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, A::Error> {
        self.ancestry.lane_events(subject, lane)
    }

    fn journal_root(&self, last: &EventId) -> Result<Hash, A::Error> {
        self.ancestry.journal_root(last)
    }

    fn counted(&self, id: &EventId) -> Result<Option<Arc<Counted>>, A::Error> {
        self.ancestry.counted(id)
    }
}
