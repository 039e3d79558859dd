//! Which touches of an event belong to which of its lines, and what the rules ask of the lots there.

use super::{Case, Rule, authority};
use crate::custody::LotState;
use crate::id::SubjectId;
use crate::payload::{Lane, Payload, Touch};

/// The touches of one line, by their index: of the main lane of its lot, and of the title lane right behind it. One
/// of them is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineTouches {
    pub main: Option<usize>,
    pub title: Option<usize>,
}

impl LineTouches {
    /// How many there are.
    pub fn len(self) -> usize {
        usize::from(self.main.is_some()) + usize::from(self.title.is_some())
    }
}

/// The touches of lines that name these lots: of each in turn the main lane, with or without the title lane behind
/// it; or the title lane alone, if `title_alone` may be named. All that follow must create: what stood there beside
/// them would be taken for a part that the event creates, and change its holder.
pub(crate) fn line_touches(
    payload: &Payload,
    lots: impl IntoIterator<Item = SubjectId>,
    title_alone: bool,
) -> Option<Vec<LineTouches>> {
    let touches = &payload.touches;
    let names =
        |at: usize, lot, lane| touches.get(at).is_some_and(|touch| touch.subject == Some(lot) && touch.lane == lane);
    let (mut at, mut lines) = (0, Vec::new());
    for lot in lots {
        let main = names(at, lot, Lane::Main).then_some(at);
        let after = at + usize::from(main.is_some());
        let title = names(after, lot, Lane::Title).then_some(after);
        if main.is_none() && !(title.is_some() && title_alone) {
            return None;
        }
        at = after + usize::from(title.is_some());
        lines.push(LineTouches { main, title });
    }
    touches[at..].iter().all(|touch| touch.subject.is_none()).then_some(lines)
}

/// Whether touches are exactly of these lanes, in order, followed by others that create.
pub(super) fn names_then_creates(
    touches: &[Touch],
    lanes: impl ExactSizeIterator<Item = (SubjectId, Lane)>,
) -> Result<(), Rule> {
    let (named, rest) = touches.split_at_checked(lanes.len()).ok_or(Rule::Touches)?;
    let fit = named.iter().zip(lanes).all(|(touch, (lot, lane))| touch.subject == Some(lot) && touch.lane == lane);
    if fit && rest.iter().all(|touch| touch.subject.is_none()) { Ok(()) } else { Err(Rule::Touches) }
}

impl Case<'_> {
    /// Demands that the event creates exactly one subject and touches nothing else.
    pub(super) fn creates_one(&self) -> Result<(), Rule> {
        match self.only_touch()?.subject {
            None => Ok(()),
            Some(_) => Err(Rule::Touches),
        }
    }

    /// The one touch of the event.
    pub(super) fn only_touch(&self) -> Result<&Touch, Rule> {
        match self.event.payload().touches.as_slice() {
            [touch] => Ok(touch),
            _ => Err(Rule::Touches),
        }
    }

    /// The subject of the one touch of the event, which is of the main lane of one that exists.
    pub(super) fn only_main(&self) -> Result<SubjectId, Rule> {
        let touch = self.only_touch()?;
        touch.subject.filter(|_| touch.lane == Lane::Main).ok_or(Rule::Touches)
    }

    /// Demands one touch, of the lane of the signer as an attester, of a subject that the basis knows.
    pub(super) fn attests(&self) -> Result<(), Rule> {
        let touch = self.only_touch()?;
        let subject = touch.subject.filter(|_| touch.lane == Lane::Attester(self.authority.actor));
        authority::known_subject(&subject.ok_or(Rule::Touches)?, self.basis).map(|_| ())
    }

    /// The lot before touch `index`, which is of this lane.
    pub(super) fn lot(&self, index: usize, lane: Lane) -> Result<&LotState, Rule> {
        let touch = self.event.payload().touches.get(index).ok_or(Rule::Touches)?;
        if touch.lane != lane {
            return Err(Rule::Touches);
        }
        self.before[index].as_ref().map_err(|rule| *rule)?.as_ref().ok_or(Rule::Touches)
    }

    /// The lot of touch `index`, which the acting actor holds and nobody else waits for.
    pub(super) fn held_lot(&self, index: usize) -> Result<&LotState, Rule> {
        self.free(self.lot(index, Lane::Main)?)
    }

    /// The title of touch `index`, which the acting actor owns and nobody else waits for.
    pub(super) fn owned_lot(&self, index: usize) -> Result<&LotState, Rule> {
        self.free(self.lot(index, Lane::Title)?)
    }

    /// The lot of a line, which the acting actor holds; and its title, which it owns, where that is apart.
    pub(super) fn whole_lot(&self, line: LineTouches) -> Result<(&LotState, Option<&LotState>), Rule> {
        let lot = self.held_lot(line.main.ok_or(Rule::Touches)?)?;
        if lot.divided != line.title.is_some() {
            return Err(Rule::Divided);
        }
        Ok((lot, line.title.map(|title| self.owned_lot(title)).transpose()?))
    }

    fn free<'l>(&self, lot: &'l LotState) -> Result<&'l LotState, Rule> {
        if lot.closed.is_some() {
            return Err(Rule::LotClosed);
        }
        if lot.inside.is_some() {
            return Err(Rule::Packed);
        }
        if lot.holder != self.acting {
            return Err(Rule::NotHolder);
        }
        if lot.open.is_some() {
            return Err(Rule::OfferOpen);
        }
        Ok(lot)
    }
}
