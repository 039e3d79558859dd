//! Composing produce.collected.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::{AuthorError, CollectProduce};
use provenance::admission::Rule;
use provenance::body::{Body, Delivery, ProduceCollected};
use provenance::value::Quantity;

impl Command for CollectProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.creates();
        for delivery in &self.deliveries {
            draft.names_actor("deliveries.member", &delivery.member)?;
            if let Some(place) = &delivery.place {
                draft.names_place("deliveries.place", place)?;
            }
        }
        Ok(Body::ProduceCollected(Box::new(ProduceCollected {
            commodity: self.commodity.clone(),
            name: self.name.clone(),
            variety: self.variety.clone(),
            deliveries: self.deliveries.clone(),
            harvested: self.harvested,
            quantity: sum(&self.deliveries)?,
            grade: self.grade.clone(),
            codes: self.codes.clone(),
            claims: (!self.claims.is_empty()).then(|| ascending(&self.claims)),
        })))
    }
}

/// How much all deliveries are together.
fn sum(deliveries: &[Delivery]) -> Result<Quantity, AuthorError> {
    let (first, others) = deliveries.split_first().ok_or(AuthorError::Rule(Rule::Lines))?;
    let mut sum = first.quantity;
    for delivery in others {
        sum = sum.plus(&delivery.quantity)?;
    }
    Ok(sum)
}
