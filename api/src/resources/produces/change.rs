//! `PATCH /api/v1/produces/{id}`: a lot is graded, priced or moved.

use super::read::find;
use super::view::{ProduceView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::{Code, Problem};
use crate::state::ApiState;
use crate::values::{Command, ProduceChangeInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::{MoveProduce, UpdatePrice, UpdateQuality};
use provenance::id::SubjectId;

/// Change a lot's grade, price or place.
///
/// Each field that is given becomes one event: first the grade, then the price, then the place. They are signed one
/// after the other; where one is refused, those before it stand, and the problem says so.
#[utoipa::path(
    patch, path = "/api/v1/produces/{id}", tag = "produce", operation_id = "change_produce",
    params(("id" = String, Path, description = "The lot's id")), request_body = Command<ProduceChangeInput>,
    responses(
        (status = 200, description = "The lot as it is now", body = Resource<ProduceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is offered, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    _: Writer,
    State(state): State<ApiState>,
    PathId(lot): PathId<SubjectId>,
    command: Command<ProduceChangeInput>,
) -> Result<Response, Problem> {
    find(&state, &lot)?;
    let (context, fields) = (command.envelope.read()?, command.fields);
    // All values are read before anything is signed.
    let reason = fields.reason()?;
    let grade = fields.grade.as_ref().map(|grade| grade.read("grade")).transpose()?;
    let price = fields.price.as_ref().map(|price| price.read("price")).transpose()?;
    let author = &state.author;
    let mut done = None;
    if let Some(grade) = grade {
        done =
            Some(author.update_quality(context.clone(), UpdateQuality { lot, grade, reason: reason.clone() }).await?);
    }
    if let Some(price) = price {
        let command = UpdatePrice { lot, price, seal_price: fields.seal_price, reason };
        let next = author.update_price(context.clone(), command).await;
        done = Some(next.map_err(|error| Problem::from(error).after(done.is_some(), "the grade was changed"))?);
    }
    if let Some(place) = fields.place {
        let next = author.move_produce(context, MoveProduce { lot, place }).await;
        done =
            Some(next.map_err(|error| Problem::from(error).after(done.is_some(), "what else was given was changed"))?);
    }
    let Some(done) = done else {
        let detail = "The request changes nothing. Give at least one of grade, price and place.";
        return Err(Problem::new(Code::InvalidValue, detail).field("grade").rule("empty"));
    };
    Ok(changed(&state, &done, links::produce(&lot), || resource(&state, &Names::of(&state), find(&state, &lot)?, true))
        .await)
}
