//! `GET /api/v1/produces/{id}/prices`: every price that was told of a lot, oldest first.

use super::history::told;
use crate::extract::PathId;
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::names::{Names, Party};
use crate::problem::Problem;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::HistoryEntry;
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};
use provenance::seal::Sealable;
use provenance::value::{Price, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// One price.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct PricePoint {
    /// The price, or the commitment to a sealed one.
    #[schema(value_type = Object)]
    price: Sealable<Price>,
    /// How it came: registered, updated, or offered as the price of a handover.
    occasion: Occasion,
    /// Why it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Text<512>>,
    /// When it was signed.
    #[schema(value_type = String)]
    time: Timestamp,
    /// Who signed it.
    signer: Party,
    /// The event that tells it.
    #[schema(value_type = String)]
    event: EventId,
    /// Whether it shows in the present state.
    counts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Occasion {
    Registered,
    Updated,
    Offered,
}

/// Read a lot's price history.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/prices", tag = "produce", operation_id = "read_produce_prices",
    params(("id" = String, Path, description = "The lot's id")),
    responses(
        (status = 200, description = "Every price", body = Resource<Page<PricePoint>>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn prices(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
) -> Result<Resource<Page<PricePoint>>, Problem> {
    let (_, entries) = told(&state, &id)?;
    let names = Names::of(&state);
    let points = entries.iter().filter_map(|entry| point(entry, &names).transpose());
    let members = points.map(|point| {
        let point = point?;
        let links =
            Links::default().and("event", links::event(&point.event)).and("signer", links::actor(&point.signer.id));
        Ok(Resource::new(point, links))
    });
    let page = Page::of(members.collect::<Result<_, Problem>>()?);
    Ok(Resource::new(page, Links::to_self(links::prices(&id)).and("produce", links::produce(&id))))
}

fn point(entry: &HistoryEntry, names: &Names) -> Result<Option<PricePoint>, Problem> {
    let (occasion, price, reason) = match entry.body() {
        Body::ProduceRegistered(body) => (Occasion::Registered, body.price.clone(), None),
        Body::ProducePriceUpdated(body) => (Occasion::Updated, Some(body.price.clone()), body.reason.clone()),
        Body::TransferOffered(body) => (Occasion::Offered, body.price.clone(), None),
        _ => return Ok(None),
    };
    let Some(price) = price else { return Ok(None) };
    let judged = &entry.stored.judged;
    Ok(Some(PricePoint {
        price,
        occasion,
        reason,
        time: judged.event.payload().time,
        signer: names.actor(&judged.judgement.actor)?,
        event: entry.id(),
        counts: entry.counts,
    }))
}
