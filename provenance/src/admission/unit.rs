//! Rules of unit.packed and unit.unpacked.

use super::lines::{LineDone, Lines};
use super::produce::draw;
use super::touches::names_then_creates;
use super::{Case, Judged, Outcome, Rule, authority};
use crate::body::{Body, Content, UnitPacked, UnitUnpacked};
use crate::custody::{Effect, LotState};
use crate::id::SubjectId;
use crate::payload::{Lane, Payload};
use std::cmp::Ordering;

/// Most contents that are packed at once: beside the unit, each may be a part.
const MAX_PACKED: usize = (Payload::MAX_TOUCHES - 1) / 2;
/// Most contents that are taken out at once: all touches but the unit's.
const MAX_UNPACKED: usize = Payload::MAX_TOUCHES - 1;

pub(super) fn packed(case: &Case<'_>, body: &UnitPacked) -> Result<Outcome, Rule> {
    if !(1..=MAX_PACKED).contains(&body.contents.len()) {
        return Err(Rule::Lines);
    }
    known(case, body.place.as_ref())?;
    let touches = &case.event.payload().touches;
    let is_new = touches[0].subject.is_none();
    if touches[0].lane != Lane::Main || (!is_new && body.sscc.is_some()) {
        return Err(Rule::Touches);
    }
    names_then_creates(&touches[1..], body.contents.iter().map(|content| (content.lot, Lane::Main)))?;
    let existing = if is_new { None } else { Some(a_unit(case.held_lot(0)?)?) };
    let unit = case.event.subject(0).ok_or(Rule::Touches)?;
    let mut lines = Lines::with_common(case);
    for content in &body.contents {
        let touch = lines.next();
        lines.push(1, case.drew(touch), packed_line(case, touch, content, unit));
    }
    let count = count(body.contents.len());
    lines.finish_common(match existing {
        Some(unit) => case.applied(unit, Effect::Load(count))?,
        None => (Effect::Create, LotState::unit(case.acting, count)),
    })
}

/// A part of a lot is packed as a lot of its own, all of it as it is.
fn packed_line(case: &Case<'_>, touch: usize, content: &Content, unit: SubjectId) -> Result<LineDone, Rule> {
    let lot = case.held_lot(touch)?;
    let (effect, part) = match draw(lot, &content.quantity)? {
        Ordering::Less => {
            let part = LotState { inside: Some(unit), ..LotState::new(case.acting, content.quantity) };
            (Effect::Draw(content.quantity), Some(part))
        }
        _ => (Effect::Pack(unit), None),
    };
    Ok(LineDone { named: vec![case.applied(lot, effect)?], part })
}

/// Part-lots that an admitted unit.packed put into its unit: the lot from which each was taken, and the part-lot.
pub fn packed_parts(packing: &Judged) -> Vec<(SubjectId, SubjectId)> {
    let Body::UnitPacked(body) = &packing.event.payload().body else { return Vec::new() };
    let lines = packing.judgement.lines.iter().skip(1).zip(&body.contents);
    let drawn = lines.filter(|(line, _)| matches!(line.effect, Some(Effect::Draw(_)))).map(|(_, content)| content.lot);
    drawn.zip(1 + body.contents.len()..).filter_map(|(from, part)| Some((from, packing.event.subject(part)?))).collect()
}

pub(super) fn unpacked(case: &Case<'_>, body: &UnitUnpacked) -> Result<Outcome, Rule> {
    if !(1..=MAX_UNPACKED).contains(&body.contents.len()) {
        return Err(Rule::Lines);
    }
    known(case, body.place.as_ref())?;
    let touches = &case.event.payload().touches;
    let unit = touches[0].subject.ok_or(Rule::Touches)?;
    let lots = std::iter::once(&unit).chain(&body.contents).map(|lot| (*lot, Lane::Main)).collect::<Vec<_>>();
    names_then_creates(touches, lots.into_iter())?;
    if touches.len() != 1 + body.contents.len() {
        return Err(Rule::Touches);
    }
    let state = a_unit(case.held_lot(0)?)?;
    if state.contents.is_none_or(|held| (held as usize) < body.contents.len()) {
        return Err(Rule::Touches);
    }
    let mut lines = Lines::with_common(case);
    for _ in &body.contents {
        let touch = lines.next();
        lines.push(1, None, unpacked_line(case, touch, unit));
    }
    lines.finish_common(case.applied(state, Effect::Unload(count(body.contents.len())))?)
}

fn unpacked_line(case: &Case<'_>, touch: usize, unit: SubjectId) -> Result<LineDone, Rule> {
    let effect = Effect::Unpack(unit);
    let after = case.lot(touch, Lane::Main)?.apply(&effect, case.acting).map_err(|_| Rule::NotInside)?;
    Ok(LineDone { named: vec![(effect, after)], part: None })
}

/// Lists of contents are short.
fn count(contents: usize) -> u32 {
    u32::try_from(contents).expect("there are at most 64 touches")
}

/// A lot that is a logistic unit.
fn a_unit(lot: &LotState) -> Result<&LotState, Rule> {
    if lot.contents.is_some() { Ok(lot) } else { Err(Rule::Touches) }
}

fn known(case: &Case<'_>, place: Option<&SubjectId>) -> Result<(), Rule> {
    place.map_or(Ok(()), |place| authority::known_place(place, case.basis).map(|_| ()))
}
