//! Composing produce.transformed.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::{AuthorError, TransformProduce};
use provenance::body::{Body, Input, Output, ProduceTransformed};
use provenance::value::Text;

impl Command for TransformProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let lot = draft.extends_whole("inputs.lot", input.lot)?;
            inputs.push(Input { lot: input.lot, quantity: input.quantity.unwrap_or(lot.balance) });
        }
        self.outputs.iter().for_each(|_| draft.creates());
        if let Some(place) = &self.place {
            draft.names_place("place", place)?;
        }
        let run = match &self.run {
            Some(run) => run.clone(),
            // No two events of honest journals follow the same one.
            None => Text::new(draft.journal().to_string())?,
        };
        Ok(Body::ProduceTransformed(Box::new(ProduceTransformed {
            run,
            process: self.process.clone(),
            inputs,
            outputs: self.outputs.iter().map(in_order).collect(),
            loss: self.loss.filter(|loss| !loss.is_zero()),
            place: self.place,
        })))
    }
}

fn in_order(output: &Output) -> Output {
    let claims = output.claims.as_deref().filter(|claims| !claims.is_empty()).map(ascending);
    Output { claims, ..output.clone() }
}
