//! Which events of a lane extend which: each part of a lane is read once in a step.

use crate::reader::{Reader, Stored};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::HashMap;
use store::{Range, StoreError};

/// Events of lanes that are remembered: beyond, what was read first is forgotten, and read again if need be.
const REMEMBERED: usize = 1 << 18;

/// Lanes that were read in this step.
#[derive(Default)]
pub(super) struct LanesRead {
    lanes: HashMap<(SubjectId, Lane), Extending>,
    events: usize,
}

/// A lane from some height upwards.
struct Extending {
    /// None before anything was read.
    from: Option<u64>,
    /// By event, those that extend it: log index and id.
    of: HashMap<EventId, Vec<(u64, EventId)>>,
}

impl LanesRead {
    /// The events that extend this one in a lane, none of which stands below `height`: log index and id.
    pub fn extending(
        &mut self,
        reader: &Reader,
        subject: &SubjectId,
        lane: Lane,
        height: u64,
        id: &EventId,
    ) -> Result<&[(u64, EventId)], StoreError> {
        if self.events > REMEMBERED {
            *self = Self::default();
        }
        let read = self.lanes.entry((*subject, lane)).or_insert(Extending { from: None, of: HashMap::new() });
        if read.from.is_none_or(|from| height < from) {
            let at = |height| (*subject, lane, height, EventId::from_bytes([0; 32]));
            let mut range = Range::prefix(&(*subject, lane)).from(&at(height));
            if let Some(from) = read.from {
                range = range.before(&at(from));
            }
            reader.look_along(
                range,
                |_, _| true,
                |_, Stored { index, judged }| {
                    if let (Some(index), Some(at)) = (index, judged.lane_index(subject, lane)) {
                        for prev in &judged.event.payload().touches[at].prev {
                            read.of.entry(*prev).or_default().push((index, judged.event.id()));
                        }
                        self.events += 1;
                    }
                    Ok(())
                },
            )?;
            read.from = Some(height);
        }
        Ok(read.of.get(id).map(Vec::as_slice).unwrap_or_default())
    }
}
