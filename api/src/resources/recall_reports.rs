//! Recall reports: everything that a contaminated lot, or the lots that were at a contaminated place, have reached, and
//! who has it now; as JSON or CSV.

use crate::extract::{PathId, Query, accepts};
use crate::hal::{Links, Resource};
use crate::limits::MAX_RECALLED;
use crate::links;
use crate::names::{Names, Party};
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::resources::places;
use crate::resources::produces::trace::{known, walk};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ledger::trace::{Arrivals, Bounds, How, Lineage, Present, RecallReport};
use ledger::view::LotStanding;
use provenance::id::{EventId, SubjectId};
use provenance::value::{Date, LangText, Quantity};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use utoipa::{IntoParams, ToSchema};

/// Media type of comma-separated values (RFC 4180).
const CSV: &str = "text/csv";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A day begins first where clocks are 14 hours ahead of UTC …
const EARLIEST_MS: i64 = 14 * 60 * 60 * 1000;
/// … and ends last where they are 12 hours behind.
const LATEST_MS: i64 = 12 * 60 * 60 * 1000;

/// When the place was contaminated.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlaceQuery {
    /// First day, such as `2026-09-30`; without it ever since.
    from: Option<String>,
    /// Last day; without it until now.
    until: Option<String>,
}

/// Everything that contaminated goods have reached, and who has it now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct RecallReportView {
    /// Present holders of what has not left the chain, by id.
    holders: Vec<Holder>,
    /// All lots and units that were reached; nearest first, those with which the report begins at its head.
    lots: Vec<Recalled>,
    /// Whether there are more than 131072: then the report does not show all of them.
    more: bool,
}

/// Somebody to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Holder {
    #[serde(flatten)]
    actor: Party,
    /// How many of the lots and units it holds.
    lots: usize,
}

/// A lot or unit that was reached.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Recalled {
    /// The lot or unit.
    #[schema(value_type = String)]
    id: SubjectId,
    /// What people call it; none for units.
    #[schema(value_type = Option<Object>)]
    name: Option<LangText>,
    /// Steps from where the report begins.
    depth: u32,
    /// From which lot or unit it was reached first.
    #[schema(value_type = Option<String>)]
    from: Option<SubjectId>,
    /// By which event.
    #[schema(value_type = Option<String>)]
    event: Option<EventId>,
    /// How: part, returned, made or packed.
    #[schema(value_type = Option<String>)]
    how: Option<How>,
    /// Who holds it, or held it last.
    holder: Option<Party>,
    /// How it stands: held, offered, disputed or closed.
    #[schema(value_type = Option<String>)]
    state: Option<LotStanding>,
    /// How much there is; none for units.
    #[schema(value_type = Option<Object>)]
    balance: Option<Quantity>,
}

/// Report what a contaminated lot has reached.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/recall-report", tag = "produce", operation_id = "report_recall_of_produce",
    params(("id" = String, Path, description = "The lot's or unit's id")),
    responses(
        (status = 200, description = "All lots and present holders; as CSV where `Accept` asks for `text/csv`", content(
            (Resource<RecallReportView> = "application/hal+json"), (String = "text/csv"),
        )),
        (status = 404, description = "No such lot or unit here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn of_produce(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    known(&state, &id)?;
    let links = Links::to_self(links::recall_report(&id)).and("produce", links::produce(&id));
    report(state, &id, links, &headers, move |_| Ok(Arrivals { lots: vec![id], more: false })).await
}

/// Report what the lots have reached that were at a contaminated place.
///
/// A lot is at a place from when that is told, or it grew there, until it is told to be elsewhere.
#[utoipa::path(
    get, path = "/api/v1/places/{id}/recall-report", tag = "places", operation_id = "report_recall_of_place",
    params(("id" = String, Path, description = "The place's id"), PlaceQuery),
    responses(
        (status = 200, description = "All lots and present holders; as CSV where `Accept` asks for `text/csv`", content(
            (Resource<RecallReportView> = "application/hal+json"), (String = "text/csv"),
        )),
        (status = 404, description = "No such place here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn of_place(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<PlaceQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    places::read::find(&state, &id)?;
    let from_ms = moment(query.from.as_deref(), "from", -EARLIEST_MS)?.unwrap_or(0);
    let until_ms = moment(query.until.as_deref(), "until", DAY_MS + LATEST_MS)?.unwrap_or(u64::MAX);
    let own = links::with_query(
        &links::place_recall_report(&id),
        &[("from", query.from.clone()), ("until", query.until.clone())],
    );
    let links = Links::to_self(own).and("place", links::place(&id));
    let begin = move |lineage: &Lineage| lineage.at_place(&id, from_ms, until_ms, MAX_RECALLED).map_err(storage);
    report(state, &id, links, &headers, begin).await
}

/// A day's moment in milliseconds.
fn moment(day: Option<&str>, field: &'static str, shift_ms: i64) -> Result<Option<u64>, Problem> {
    let Some(text) = day else { return Ok(None) };
    let day = Date::parse(text).map_err(|_| {
        Problem::new(Code::MalformedQuery, format!("{field} is a day, such as 2026-09-30.")).field(field)
    })?;
    Ok(Some(u64::try_from(i64::from(day.days()) * DAY_MS + shift_ms).unwrap_or(0)))
}

async fn report(
    state: ApiState,
    of: &SubjectId,
    links: Links,
    headers: &HeaderMap,
    begin: impl FnOnce(&Lineage) -> Result<Arrivals, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let as_csv = accepts(headers, CSV) && !accepts(headers, "application/json");
    let of = *of;
    walk(move || {
        let lineage = Lineage::new(state.ledger.reader().clone());
        let arrivals = begin(&lineage)?;
        let bounds = Bounds { depth: u32::MAX, lots: MAX_RECALLED };
        let mut report = lineage.recall(&arrivals.lots, bounds).map_err(storage)?;
        report.more |= arrivals.more;
        let view = view(report, &Names::of(&state))?;
        if !as_csv {
            return Ok(Resource::new(view, links).into_response());
        }
        let name = HeaderValue::from_str(&format!("attachment; filename=\"recall-{of}.csv\""));
        let name = name.map_err(|_| Problem::new(Code::Internal, "The file could not be named."))?;
        let media_type = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        Ok(([(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, name)], csv(&view)).into_response())
    })
    .await
}

fn view(report: RecallReport, names: &Names) -> Result<RecallReportView, Problem> {
    let mut holders = Vec::with_capacity(report.holders.len());
    for (actor, lots) in &report.holders {
        holders.push(Holder { actor: names.actor(actor)?, lots: *lots });
    }
    let lots = report.lots.into_iter().map(|present| recalled(present, names)).collect::<Result<_, _>>()?;
    Ok(RecallReportView { holders, lots, more: report.more })
}

fn recalled(present: Present, names: &Names) -> Result<Recalled, Problem> {
    let holder = present.holder.map(|holder| names.actor(&holder)).transpose()?;
    let Present { reached, standing: state, balance, name, .. } = present;
    let (id, depth, from, event, how) = (reached.subject, reached.depth, reached.from, reached.event, reached.how);
    Ok(Recalled { id, name, depth, from, event, how, holder, state, balance })
}

/// One line for each lot and unit (RFC 4180). The last one says so where there are more.
fn csv(view: &RecallReportView) -> String {
    let mut out = "lot,name,depth,how,from,event,holder,holder_name,state,balance,unit\r\n".to_owned();
    for lot in &view.lots {
        let name = lot.name.as_ref().map_or("", |name| name.best(&["en"]));
        let holder = lot.holder.as_ref();
        let cells = [
            lot.id.to_string(),
            name.to_owned(),
            lot.depth.to_string(),
            lot.how.map_or("", how).to_owned(),
            lot.from.map(|from| from.to_string()).unwrap_or_default(),
            lot.event.map(|event| event.to_string()).unwrap_or_default(),
            holder.map(|holder| holder.id.to_string()).unwrap_or_default(),
            holder.and_then(|holder| holder.name.clone()).unwrap_or_default(),
            lot.state.map_or("", state).to_owned(),
            lot.balance.map(|balance| balance.decimal()).unwrap_or_default(),
            lot.balance.map(|balance| balance.unit().as_str().to_owned()).unwrap_or_default(),
        ];
        let _ = write!(out, "{}\r\n", cells.map(|text| cell(&text)).join(","));
    }
    if view.more {
        out.push_str("there are more,,,,,,,,,,\r\n");
    }
    out
}

/// A cell that no program takes for a formula: others have written these names. (OWASP, "CSV Injection".)
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn how(how: How) -> &'static str {
    match how {
        How::Part => "part",
        How::Returned => "returned",
        How::Made => "made",
        How::Packed => "packed",
        How::Unpacked => "unpacked",
    }
}

fn state(standing: LotStanding) -> &'static str {
    match standing {
        LotStanding::Held => "held",
        LotStanding::Packed => "packed",
        LotStanding::Offered => "offered",
        LotStanding::Disputed => "disputed",
        LotStanding::Closed => "closed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("Hillside Farm"), "Hillside Farm");
        assert_eq!(cell("Smith, \"Sons\""), "\"Smith, \"\"Sons\"\"\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")"] {
            assert!(cell(formula).starts_with("\"'"), "{formula}");
        }
    }

    #[test]
    fn days_are_those_of_any_place_on_earth() {
        assert_eq!(moment(Some("1970-01-02"), "from", -EARLIEST_MS).unwrap(), Some(10 * 60 * 60 * 1000));
        assert_eq!(moment(Some("1970-01-01"), "from", -EARLIEST_MS).unwrap(), Some(0));
        assert_eq!(moment(None, "until", 0).unwrap(), None);
        assert!(moment(Some("yesterday"), "from", 0).is_err());
    }
}
