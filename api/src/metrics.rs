//! Numbers for Prometheus: requests as they are served, and the node's state as of each scrape.

use crate::health;
use crate::problem::{Code, Problem};
use crate::state::ApiState;
use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// From a read out of memory, well below a millisecond, to the request timeout of 30 seconds.
const BUCKETS_S: [f64; 14] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NetworkLabels {
    event: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FollowerLabels {
    follower: String,
}

/// All numbers, with the registry that prints them.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    log_size: Gauge,
    anchored_size: Gauge,
    final_size: Gauge,
    oldest_not_anchored_ms: Gauge,
    follower_lag: Family<FollowerLabels, Gauge>,
    held: Gauge,
    peers: Gauge,
    network: Family<NetworkLabels, Counter>,
    faults: Gauge,
}

impl Metrics {
    /// Registers all numbers, each with what it means.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("furrow"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(BUCKETS_S)),
            log_size: Gauge::default(),
            anchored_size: Gauge::default(),
            final_size: Gauge::default(),
            oldest_not_anchored_ms: Gauge::default(),
            follower_lag: Family::default(),
            held: Gauge::default(),
            peers: Gauge::default(),
            network: Family::default(),
            faults: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from request to answer",
            Unit::Seconds,
            metrics.latency.clone(),
        );
        registry.register("log_entries", "Entries of the log", metrics.log_size.clone());
        registry.register(
            "log_anchored_entries",
            "Entries of the log that a confirmed anchor covers",
            metrics.anchored_size.clone(),
        );
        registry.register(
            "log_final_entries",
            "Entries of the log that a final anchor covers",
            metrics.final_size.clone(),
        );
        registry.register(
            "oldest_not_anchored_milliseconds",
            "How long the oldest entry has waited that no anchor covers; 0 if none waits",
            metrics.oldest_not_anchored_ms.clone(),
        );
        registry.register(
            "follower_lag_entries",
            "Entries of the log that a follower has still to read",
            metrics.follower_lag.clone(),
        );
        registry.register("held_events", "Events that wait for an ancestor or an upgrade", metrics.held.clone());
        registry.register("peers", "Connected nodes", metrics.peers.clone());
        registry.register("network_events", "What the network of nodes counted", metrics.network.clone());
        registry.register("faults", "Things that are wrong, as /health/ready lists them", metrics.faults.clone());
        metrics
    }

    /// The numbers as of now, in the `OpenMetrics` text format.
    pub(crate) fn print(&self, state: &ApiState) -> Result<String, std::fmt::Error> {
        let anchoring = state.anchoring.status();
        let (ledger, size) = (state.ledger.health(), state.ledger.size());
        self.log_size.set(signed(size));
        self.anchored_size.set(signed(anchoring.anchored_size));
        self.final_size.set(signed(anchoring.final_size));
        self.oldest_not_anchored_ms.set(signed(anchoring.oldest_not_anchored_ms.unwrap_or(0)));
        for follower in ledger.followers {
            let labels = FollowerLabels { follower: follower.name.to_owned() };
            self.follower_lag.get_or_create(&labels).set(signed(size.saturating_sub(follower.next)));
        }
        self.held.set(signed(ledger.held as u64));
        self.peers.set(signed(state.peers.peers().len() as u64));
        for (event, count) in state.peers.network().counters {
            // It only grows, and has no end of its own in this program.
            self.network.get_or_create(&NetworkLabels { event }).inner().store(count, Ordering::Relaxed);
        }
        self.faults.set(signed(health::faults(state).len() as u64));
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// Numbers for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", operation_id = "read_metrics",
    responses((status = 200, description = "All numbers", body = String, content_type = "application/openmetrics-text")),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    Extension(metrics): Extension<Arc<Metrics>>,
) -> Result<Response, Problem> {
    let page = metrics
        .print(&state)
        .map_err(|_| Problem::new(Code::Internal, "The numbers could not be printed. Tell the node's operator."))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page).into_response())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Counts and times each request under its route, which bounds the number of labels.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    };
    let start = Instant::now();
    let response = next.run(request).await;
    let took = start.elapsed().as_secs_f64();
    metrics.latency.get_or_create(&RouteLabels { method, route: route.clone() }).observe(took);
    metrics.requests.get_or_create(&RequestLabels { method, route, status: response.status().as_u16() }).inc();
    response
}
