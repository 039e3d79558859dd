//! The representation of a transformation.

use crate::hal::{Links, Resource};
use crate::links;
use crate::names::{Names, Party, PlaceName};
use crate::problem::Problem;
use ledger::Stored;
use provenance::body::{Body, Commodity};
use provenance::id::{EventId, SubjectId};
use provenance::value::{LangText, Quantity, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Lots that were made of others.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TransformationView {
    /// Its event.
    #[schema(value_type = String)]
    id: EventId,
    /// Id of the process run, which several transformations may share.
    #[schema(value_type = String)]
    run: Text<64>,
    /// What was done.
    #[schema(value_type = String, example = "press")]
    process: Text<64>,
    /// By whom.
    by: Party,
    /// When it was signed.
    #[schema(value_type = String)]
    time: Timestamp,
    /// What went in.
    inputs: Vec<InputView>,
    /// What came out.
    outputs: Vec<OutputView>,
    /// What was lost on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    loss: Option<Quantity>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct InputView {
    /// The lot.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// How much of it.
    #[schema(value_type = Object)]
    quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct OutputView {
    /// The lot.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// What it is.
    #[schema(value_type = Object)]
    commodity: Commodity,
    /// What people call it, by language.
    #[schema(value_type = Object)]
    name: LangText,
    /// How much of it came out.
    #[schema(value_type = Object)]
    quantity: Quantity,
}

/// The transformation with its links; nothing for another event.
pub(crate) fn resource(names: &Names, stored: &Stored) -> Result<Option<Resource<TransformationView>>, Problem> {
    let event = &stored.judged.event;
    let Body::ProduceTransformed(body) = &event.payload().body else { return Ok(None) };
    let inputs = body.inputs.iter().map(|input| InputView { lot: input.lot, quantity: input.quantity });
    let created = event.payload().created().map(|touch| event.id().subject(touch));
    let outputs = body.outputs.iter().zip(created).map(|(output, lot)| OutputView {
        lot,
        commodity: output.commodity.clone(),
        name: output.name.clone(),
        quantity: output.quantity,
    });
    let view = TransformationView {
        id: event.id(),
        run: body.run.clone(),
        process: body.process.clone(),
        by: names.actor(&stored.judged.judgement.acting)?,
        time: event.payload().time,
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        loss: body.loss,
        place: body.place.map(|place| names.place(&place)).transpose()?,
    };
    let links = Links::to_self(links::transformation(&view.id))
        .and("event", links::event(&view.id))
        .titled("by", links::actor(&view.by.id), view.by.name.clone())
        .many("input", view.inputs.iter().map(|input| (links::produce(&input.lot), None)))
        .many("output", view.outputs.iter().map(|output| (links::produce(&output.lot), None)))
        .and_maybe("place", view.place.as_ref().map(|place| links::place(&place.id)));
    Ok(Some(Resource::new(view, links)))
}
