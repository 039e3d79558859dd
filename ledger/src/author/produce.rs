//! Composing the kinds that tell of a lot: registered, moved, handled, graded, priced, labelled, retired.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::{
    AssignCodes, AuthorError, HandleProduce, MoveProduce, RegisterProduce, RetireProduce, UpdatePrice, UpdateQuality,
};
use provenance::body::{
    Body, CodesAssigned, PriceUpdated, ProduceHandled, ProduceMoved, ProduceRegistered, ProduceRetired, QualityUpdated,
};
use provenance::seal;

impl Command for RegisterProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.creates();
        for place in &self.places {
            draft.names_place("places", place)?;
        }
        Ok(Body::ProduceRegistered(Box::new(ProduceRegistered {
            commodity: self.commodity.clone(),
            name: self.name.clone(),
            variety: self.variety.clone(),
            places: ascending(&self.places),
            harvested: self.harvested,
            quantity: self.quantity,
            grade: self.grade.clone(),
            codes: self.codes.clone(),
            claims: (!self.claims.is_empty()).then(|| ascending(&self.claims)),
            harvester: self.harvester.as_ref().map(|name| draft.seals(seal::HARVESTER, name)),
            price: self.price.map(|price| draft.price(seal::REGISTERED_PRICE, price, self.seal_price)),
        })))
    }
}

impl Command for MoveProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_lot("lot", self.lot)?;
        draft.names_place("place", &self.place)?;
        Ok(Body::ProduceMoved(ProduceMoved { place: self.place }))
    }
}

impl Command for HandleProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_lot("lot", self.lot)?;
        if let Some(place) = &self.place {
            draft.names_place("place", place)?;
        }
        Ok(Body::ProduceHandled(ProduceHandled {
            step: self.step.clone(),
            place: self.place,
            temperature: self.temperature,
            remark: self.remark.clone(),
        }))
    }
}

impl Command for AssignCodes {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_lot("lot", self.lot)?;
        Ok(Body::ProduceCodesAssigned(CodesAssigned { codes: self.codes.clone() }))
    }
}

impl Command for UpdateQuality {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_lot("lot", self.lot)?;
        let (grade, reason) = (self.grade.clone(), self.reason.clone());
        Ok(Body::ProduceQualityUpdated(QualityUpdated { grade, reason }))
    }
}

impl Command for UpdatePrice {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        // What it costs is told by its owner.
        if draft.is_divided("lot", self.lot)? {
            draft.extends_title("lot", self.lot)?;
        } else {
            draft.extends_lot("lot", self.lot)?;
        }
        let price = draft.price(seal::UPDATED_PRICE, self.price, self.seal_price);
        Ok(Body::ProducePriceUpdated(PriceUpdated { price, reason: self.reason.clone() }))
    }
}

impl Command for RetireProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let lot = draft.extends_whole("lot", self.lot)?;
        let quantity = self.quantity.unwrap_or(lot.balance);
        Ok(Body::ProduceRetired(ProduceRetired { quantity, outcome: self.outcome }))
    }
}
