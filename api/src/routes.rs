//! All routes with their documentation, and what every request passes through.

use crate::document::{self, skeleton};
use crate::health;
use crate::limits::{MAX_CONCURRENT_REQUESTS, MAX_EVENTS_BYTES, MAX_JSON_BYTES, cut_off_slow, shed_load};
use crate::metrics::{self, Metrics};
use crate::page;
use crate::problem::{self, Code, Problem};
use crate::resources::{
    actors, amendments, anchors, certificates, conditions, entry, events, log, network, peers, places, produces,
    recall_reports, recalls, snapshots, status, transfers, transformations, units, verifications,
};
use crate::state::ApiState;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, Response, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use provenance::bundle::MAX_BUNDLE_BYTES;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{self, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

/// How long a browser may remember that reads are open to all origins.
const CORS_MAX_AGE: Duration = Duration::from_hours(24);

/// The whole interface.
pub fn router(state: ApiState) -> Router {
    let metrics = Arc::new(Metrics::new());
    let places = Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS));
    let (work, _) = documented_work().split_for_parts();
    let work = work
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(from_fn(cut_off_slow))
        .layer(from_fn_with_state(places, shed_load));
    // Whoever asks how the node is must get an answer most of all when it is busy.
    let (operations, _) = documented_operations().split_for_parts();
    work.merge(operations)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(problem::complete))
        .layer(open_reads())
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn_with_state(metrics.clone(), metrics::observe))
        .layer(Extension(metrics))
        .with_state(state)
}

/// Every route with its documentation.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(skeleton()).merge(documented_work()).merge(documented_operations())
}

fn documented_work() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(entry::entry))
        .routes(routes!(document::read))
        .routes(routes!(produces::list::list, produces::register::register))
        .routes(routes!(produces::read::read, produces::change::change))
        .routes(routes!(produces::retire::retire))
        .routes(routes!(produces::collect::collect))
        .routes(routes!(produces::handle::handle))
        .routes(routes!(produces::codes::assign))
        .routes(routes!(transformations::transform::transform))
        .routes(routes!(transformations::read::read))
        .routes(routes!(units::list::list, units::pack::pack))
        .routes(routes!(units::read::read))
        .routes(routes!(units::pack::pack_more))
        .routes(routes!(units::unpack::unpack))
        .routes(routes!(produces::history::history))
        .routes(routes!(produces::prices::prices))
        .routes(routes!(produces::handovers::list, produces::handovers::offer))
        .routes(routes!(produces::qr::svg))
        .routes(routes!(produces::qr::png))
        .routes(routes!(produces::bundle::read))
        .routes(routes!(produces::conflict::read))
        .routes(routes!(produces::trace::trace))
        .routes(routes!(recall_reports::of_produce))
        .routes(routes!(verifications::verify_bundle).map(|route| route.layer(DefaultBodyLimit::max(MAX_BUNDLE_BYTES))))
        .routes(routes!(transfers::list::list, transfers::offer::offer))
        .routes(routes!(transfers::read::read))
        .routes(routes!(transfers::answer::accept))
        .routes(routes!(transfers::answer::decline))
        .routes(routes!(transfers::answer::cancel))
        .routes(
            routes!(events::feed::feed, events::submit::submit)
                .map(|route| route.layer(DefaultBodyLimit::max(MAX_EVENTS_BYTES))),
        )
        .routes(routes!(events::read::read))
        .routes(routes!(events::read::cose))
        .routes(routes!(events::receipt::receipt))
        .routes(routes!(events::receipt::statement))
        .routes(routes!(events::correct::correct))
        .routes(routes!(events::openings::list, events::openings::erase_all))
        .routes(routes!(events::openings::read, events::openings::erase_one))
        .routes(routes!(actors::list::list, actors::enrol::enrol))
        .routes(routes!(actors::read::read, actors::change::change))
        .routes(routes!(actors::events::list))
        .routes(routes!(actors::forks::list))
        .routes(routes!(actors::forks::read))
        .routes(routes!(places::list::list, places::register::register))
        .routes(routes!(places::read::read, places::change::change))
        .routes(routes!(recall_reports::of_place))
        .routes(routes!(anchors::list))
        .routes(routes!(anchors::read))
        .routes(routes!(log::proofs::inclusion))
        .routes(routes!(log::proofs::consistency))
        .routes(routes!(log::consistency_receipt::receipt))
        .routes(routes!(log::contradictions::list))
        .routes(routes!(log::map::prove))
        .routes(routes!(log::tiles::checkpoint))
        .routes(routes!(log::tiles::tile))
        .routes(routes!(network::read))
        .routes(routes!(peers::list))
        .routes(routes!(status::read))
        .routes(routes!(snapshots::take))
        .routes(routes!(page::page))
        .routes(routes!(actors::keys::add))
        .routes(routes!(actors::keys::rotate))
        .routes(routes!(actors::keys::replace))
        .routes(routes!(actors::keys::revoke))
        .routes(routes!(actors::devices::attach))
        .routes(routes!(actors::devices::detach))
        .routes(routes!(amendments::amend))
        .routes(routes!(amendments::approve))
        .routes(routes!(certificates::list::list, certificates::issue::issue))
        .routes(routes!(certificates::read::read))
        .routes(routes!(certificates::status::change))
        .routes(routes!(produces::inspections::inspect))
        .routes(routes!(produces::decisions::decide))
        .routes(routes!(conditions::measure))
        .routes(routes!(recalls::list::list, recalls::issue::issue))
        .routes(routes!(recalls::read::read, recalls::change::change))
        .routes(routes!(recalls::end::end))
        .routes(routes!(events::statements::confirm))
        .routes(routes!(events::statements::dispute))
}

fn documented_operations() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default().routes(routes!(health::live)).routes(routes!(health::ready)).routes(routes!(metrics::read))
}

/// Reads are public, so any page may make them. Writes need a token, which no page of another origin should hold.
fn open_reads() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(cors::Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::ACCEPT, header::ACCEPT_LANGUAGE, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::LINK, header::RETRY_AFTER])
        .max_age(CORS_MAX_AGE)
}

async fn nowhere() -> Problem {
    Problem::new(Code::NotFound, "There is nothing under this URL. GET /api/v1 links to all that there is.")
}

async fn wrong_method() -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        "This URL does not take this method. The header Allow names those that it takes.",
    )
}

/// The panic itself is printed to the log by the program's hook.
#[allow(clippy::needless_pass_by_value)] // The layer hands it over.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    Problem::new(Code::Internal, "The node failed to answer. Its log has the details; tell its operator.")
        .into_response()
}
