//! Mass balance: nothing makes more than went in.

use super::facts::Events;
use super::{Finding, FindingKind};
use crate::body::{Body, ProduceTransformed};
use crate::value::Quantity;
use std::cmp::Ordering;

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let gains = events.all_counting().filter(|(_, told)| match &told.body {
        Body::ProduceTransformed(body) => gains(body),
        _ => false,
    });
    gains.map(|(id, _)| Finding::new(FindingKind::MassBalance, events.lot, [id])).collect()
}

/// Whether outputs and loss are more than all inputs. Nobody can tell where their units differ.
fn gains(body: &ProduceTransformed) -> bool {
    let out = total(body.outputs.iter().map(|output| &output.quantity).chain(&body.loss));
    let taken = total(body.inputs.iter().map(|input| &input.quantity));
    out.zip(taken).is_some_and(|(out, taken)| out.compare(&taken) == Ok(Ordering::Greater))
}

/// The sum of net quantities of one unit; nothing where there are several units, or none.
pub(super) fn total<'a>(quantities: impl Iterator<Item = &'a Quantity>) -> Option<Quantity> {
    let net = |quantity: &Quantity| Quantity::new(quantity.value(), quantity.scale(), quantity.unit(), None).ok();
    let mut sum: Option<Quantity> = None;
    for quantity in quantities {
        let quantity = net(quantity)?;
        sum = Some(match sum {
            Some(sum) => sum.plus(&quantity).ok()?,
            None => quantity,
        });
    }
    sum
}
