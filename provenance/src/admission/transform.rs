//! Rules of produce.transformed.

use super::produce::{check_claims, take_out};
use super::touches::line_touches;
use super::{Case, Outcome, Rule, authority};
use crate::body::ProduceTransformed;
use crate::custody::{Closed, Effect, LotState};
use crate::value::Quantity;

/// Most inputs: with their title lanes, and as many outputs as there may be, they fill the touches but for a few.
const MAX_INPUTS: usize = 24;
/// Most outputs: what fits an event with all their names and codes.
const MAX_OUTPUTS: usize = 32;

/// What came out is made of all inputs, and counts only where all of them do. Each input counts by itself: who follows
/// one of them need not know the others.
pub(super) fn transformed(case: &Case<'_>, body: &ProduceTransformed) -> Result<Outcome, Rule> {
    let (inputs, outputs) = (&body.inputs, &body.outputs);
    if !(1..=MAX_INPUTS).contains(&inputs.len()) || !(1..=MAX_OUTPUTS).contains(&outputs.len()) {
        return Err(Rule::Lines);
    }
    if let Some(place) = &body.place {
        authority::known_place(place, case.basis)?;
    }
    if outputs.iter().map(|output| &output.quantity).chain(&body.loss).any(Quantity::is_zero) {
        return Err(Rule::ZeroQuantity);
    }
    outputs.iter().try_for_each(|output| check_claims(output.claims.as_deref()))?;
    let payload = case.event.payload();
    let lines = line_touches(payload, inputs.iter().map(|input| input.lot), false).ok_or(Rule::Touches)?;
    let named: usize = lines.iter().map(|line| line.len()).sum();
    if named + outputs.len() != payload.touches.len() {
        return Err(Rule::Touches);
    }
    let mut outcome = Vec::with_capacity(payload.touches.len());
    let mut fallen = None;
    for (line, input) in lines.iter().zip(inputs) {
        match take_out(case, *line, &input.quantity, Closed::Transformed) {
            Ok(done) => outcome.extend(done.into_iter().map(|done| Ok(Some(done)))),
            Err(rule) if case.admitted.is_some() => {
                outcome.extend((0..line.len()).map(|_| Err(rule)));
                fallen = Some(rule);
            }
            Err(rule) => return Err(rule),
        }
    }
    let lots = outputs.iter().map(|output| LotState::new(case.acting, output.quantity));
    outcome.extend(lots.map(|lot| fallen.map_or(Ok(Some((Effect::Create, lot))), Err)));
    Ok(outcome)
}
