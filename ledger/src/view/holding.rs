//! Who has a lot or a unit: its holder, its owner, what waits for an answer, and whether all that is agreed.

use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::custody::{LotState, OpenOffer};
use provenance::id::{EventId, SubjectId};
use std::collections::BTreeSet;
use store::StoreError;

/// How a lot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LotStanding {
    /// Somebody holds it, and may do with it what he likes.
    #[n(0)]
    Held,
    /// All of it is offered to somebody.
    #[n(1)]
    Offered,
    /// Events exclude each other, and nobody's acceptance has settled it.
    #[n(2)]
    Disputed,
    /// It has left the chain.
    #[n(3)]
    Closed,
    /// It lies inside a unit, and goes where that goes until it is unpacked.
    #[n(4)]
    Packed,
}

impl LotStanding {
    /// How a lot stands that is not disputed.
    pub(crate) fn of(state: &LotState) -> Self {
        match state {
            state if state.closed.is_some() => Self::Closed,
            state if state.inside.is_some() => Self::Packed,
            state if state.open.is_some() => Self::Offered,
            _ => Self::Held,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Offered => 1,
            Self::Disputed => 2,
            Self::Closed => 3,
            Self::Packed => 4,
        }
    }
}

/// A lot or unit as all events that count show it on its main and its title lane.
#[derive(Debug, Clone)]
pub(crate) struct Holding {
    pub state: LotState,
    /// Whoever holds it; inside a unit, whoever holds the outermost one.
    pub holder: SubjectId,
    /// Whoever owns it: the holder, but where title is apart.
    pub owner: SubjectId,
    pub standing: LotStanding,
    /// An offer of title alone that waits for an answer.
    pub title_offer: Option<OpenOffer>,
    pub tips: BTreeSet<EventId>,
    pub in_conflict: BTreeSet<EventId>,
    pub beside: BTreeSet<EventId>,
}

impl Holding {
    /// The holding of a lot; where what created it is in conflict, `contested`. Nothing for what is no lot.
    pub fn of(reader: &Reader, lot: &SubjectId, contested: bool) -> Result<Option<Self>, StoreError> {
        let Some(mut counted) = reader.lot(lot)? else { return Ok(None) };
        let mut disputed = contested || counted.disputed;
        let mut title_offer = None;
        if counted.state.divided
            && let Some(title) = reader.title(lot)?
        {
            disputed |= title.disputed;
            // Where both move together, both lanes tell of the same offer.
            title_offer = title.state.open.filter(|open| counted.state.open != Some(*open));
            counted.in_conflict.extend(title.in_conflict);
            counted.beside.extend(title.beside);
        }
        let standing = if disputed { LotStanding::Disputed } else { LotStanding::of(&counted.state) };
        let (holder, owner) = who(reader, lot, &counted.state)?;
        Ok(Some(Self {
            holder,
            owner,
            standing,
            title_offer,
            tips: counted.tips,
            in_conflict: counted.in_conflict,
            beside: counted.beside,
            state: counted.state,
        }))
    }
}

/// Holder and owner of a lot in this state. What lies inside a unit goes with it; and so does its title, where it has
/// no lane of its own.
fn who(reader: &Reader, lot: &SubjectId, state: &LotState) -> Result<(SubjectId, SubjectId), StoreError> {
    let (mut lot, mut state, mut owner, mut passed) = (*lot, state.clone(), None, BTreeSet::new());
    loop {
        if owner.is_none() && state.divided {
            owner = reader.title(&lot)?.map(|title| title.state.holder);
        }
        // A unit never lies inside itself; only units in conflict could seem to.
        let Some(unit) = state.inside.filter(|unit| passed.insert(*unit)) else { break };
        let Some(counted) = reader.lot(&unit)? else { break };
        (lot, state) = (unit, counted.state);
    }
    Ok((state.holder, owner.unwrap_or(state.holder)))
}
