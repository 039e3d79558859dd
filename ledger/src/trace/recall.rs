//! Recall reports: everything that contaminated goods have reached, and who has it now.

use super::table::Whereabouts;
use super::walk::{Bounds, Direction, Lineage, Reached};
use crate::view::{LotStanding, ProduceRow, Produces};
use provenance::custody::LotState;
use provenance::id::SubjectId;
use provenance::value::{LangText, Quantity};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use store::{Range, StoreError};

/// Rows that are read at once.
const READ_AT_ONCE: usize = 1_024;

/// How a reached lot or unit is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// What was reached, and how.
    pub reached: Reached,
    /// Who holds it; the last holder where it is closed. None for what is no lot.
    pub holder: Option<SubjectId>,
    /// How it stands.
    pub standing: Option<LotStanding>,
    /// How much there is; none for units.
    pub balance: Option<Quantity>,
    /// What people call it; none for units.
    pub name: Option<LangText>,
}

/// All that was reached, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallReport {
    /// Lots and units, nearest first.
    pub lots: Vec<Present>,
    /// Present holders of what has not left the chain, with how many lots and units each holds.
    pub holders: BTreeMap<SubjectId, usize>,
    /// Whether there is more behind the bounds.
    pub more: bool,
}

/// Lots that were at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The lots, ascending.
    pub lots: Vec<SubjectId>,
    /// Whether there were more.
    pub more: bool,
}

impl Lineage {
    /// The lots and units that were at a place at some moment of a time, in milliseconds, both ends included. One is there
    /// from when it was told until it is told to be elsewhere.
    pub fn at_place(
        &self,
        place: &SubjectId,
        from_ms: u64,
        until_ms: u64,
        most: usize,
    ) -> Result<Arrivals, StoreError> {
        let mut lots: BTreeSet<SubjectId> = BTreeSet::new();
        for row in self.reader.store().scan::<Whereabouts>(Range::prefix(place)) {
            let ((_, time_ms, lot, _), ()) = row?;
            if time_ms > until_ms {
                break;
            }
            if lots.contains(&lot) || (time_ms < from_ms && self.left_before(&lot, place, time_ms, from_ms)?) {
                continue;
            }
            if lots.len() >= most {
                return Ok(Arrivals { lots: lots.into_iter().collect(), more: true });
            }
            lots.insert(lot);
        }
        Ok(Arrivals { lots: lots.into_iter().collect(), more: false })
    }

    /// Whether a lot that came to a place at `time_ms` was told to be elsewhere before `before_ms`.
    fn left_before(
        &self,
        lot: &SubjectId,
        place: &SubjectId,
        time_ms: u64,
        before_ms: u64,
    ) -> Result<bool, StoreError> {
        for row in self.reader.store().scan::<Whereabouts>(Range::prefix(lot)) {
            let ((_, at_ms, at, _), ()) = row?;
            if at_ms >= before_ms {
                break;
            }
            if at_ms > time_ms && at != *place {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All that these lots and units have reached, and who has it now.
    pub fn recall(&self, from: &[SubjectId], bounds: Bounds) -> Result<RecallReport, StoreError> {
        let trace = self.trace(from, Direction::Downstream, bounds)?;
        let parts = trace.reached.par_chunks(READ_AT_ONCE).map(|some| self.present(some));
        let lots = parts.collect::<Result<Vec<_>, _>>()?.concat();
        let mut holders = BTreeMap::new();
        for lot in lots.iter().filter(|lot| lot.standing.is_some_and(|standing| standing != LotStanding::Closed)) {
            if let Some(holder) = lot.holder {
                *holders.entry(holder).or_default() += 1;
            }
        }
        Ok(RecallReport { lots, holders, more: trace.more })
    }

    /// How these are now.
    fn present(&self, some: &[Reached]) -> Result<Vec<Present>, StoreError> {
        let ids: Vec<SubjectId> = some.iter().map(|reached| reached.subject).collect();
        let rows = self.reader.store().multi_get::<Produces>(&ids)?;
        let present = some.iter().zip(rows).map(|(reached, row)| match row {
            Some(row) => Ok(of_row(reached.clone(), row)),
            None => self.counted(reached.clone()),
        });
        present.collect()
    }

    /// What has no row among the lots, such as a unit.
    fn counted(&self, reached: Reached) -> Result<Present, StoreError> {
        let none = Present { reached, holder: None, standing: None, balance: None, name: None };
        let Some(counted) = self.reader.lot(&none.reached.subject)? else { return Ok(none) };
        let LotState { holder, balance, open, closed, contents, .. } = counted.state;
        let standing = match (counted.disputed, closed, open) {
            (true, ..) => LotStanding::Disputed,
            (_, Some(_), _) => LotStanding::Closed,
            (_, _, Some(_)) => LotStanding::Offered,
            _ => LotStanding::Held,
        };
        let balance = contents.is_none().then_some(balance);
        Ok(Present { holder: Some(holder), standing: Some(standing), balance, ..none })
    }
}

fn of_row(reached: Reached, row: ProduceRow) -> Present {
    Present {
        reached,
        holder: Some(row.holder),
        standing: Some(row.standing),
        balance: Some(row.balance),
        name: Some(row.name),
    }
}
