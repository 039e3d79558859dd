//! How much a caller may ask for: sizes, times and how many at once.

use crate::problem::{Code, Problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// JSON bodies: the longest command, an offer of 64 lots with texts, is below 64 KiB.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Posted events: 1024 of the largest, so one signature batch.
pub(crate) const MAX_EVENTS_BYTES: usize = 16 * 1024 * 1024;

/// Bundles verified at the same time: each keeps a core busy, and holds up to 32 MiB.
pub(crate) const MAX_VERIFICATIONS_AT_ONCE: usize = 2;

/// Bundles made at the same time: a usual one takes milliseconds, the largest seconds and some hundred megabytes.
pub(crate) const MAX_BUNDLES_AT_ONCE: usize = 8;

/// Traces and recall reports made at the same time: the longest takes a second and some hundred megabytes.
pub(crate) const MAX_TRACES_AT_ONCE: usize = 4;

/// Most lots and units of a trace or a recall report: more than a season of a busy cooperative.
pub(crate) const MAX_RECALLED: usize = 131_072;

/// Bodies of bundles that are taken in at the same time, verified or not.
pub(crate) const MAX_BUNDLE_BODIES: usize = 8;

/// Requests served at the same time. Each costs at most its body and its answer; beyond this they would only wait for
/// each other, so the rest is told to come back.
pub(crate) const MAX_CONCURRENT_REQUESTS: usize = 512;

/// The slowest good request, a full batch of events on a slow disk, takes a few seconds.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A command answers with what the views say after it. They follow within milliseconds; when they are being rebuilt
/// the answer is given without waiting longer.
pub(crate) const VIEWS_WAIT: Duration = Duration::from_secs(2);

/// How long open requests may take to end when the node stops; it has to be down within 5 seconds.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// Members of a page unless another number is asked for: what a screen shows.
pub(crate) const DEFAULT_PAGE: usize = 50;

/// Most members of a page of resources; each may need a dozen reads.
pub(crate) const MAX_PAGE: usize = 200;

/// Most events of a page of the feed, which machines read.
pub(crate) const MAX_FEED_PAGE: usize = 1000;

/// Most events of one read of the log's bytes: at some hundred bytes each, about a megabyte.
pub(crate) const MAX_SEQUENCE_EVENTS: usize = 4096;

/// A read of the log's bytes ends after the event that passes this, whatever their number: what one request may hold
/// in memory.
pub(crate) const MAX_SEQUENCE_BYTES: usize = 4 * 1024 * 1024;

/// How long a request waits for its turn at work of which only so much is done at once. Some dozens come in turn within
/// that; who would wait longer is told to come back.
const TURN_WAIT: Duration = Duration::from_secs(1);

/// Bytes of posted events that are read and judged at the same time: four of the largest requests.
#[allow(clippy::cast_possible_truncation)] // Some megabytes.
const MAX_EVENTS_BYTES_AT_ONCE: u32 = 4 * MAX_EVENTS_BYTES as u32;

/// Events that wait until they are judged and durable. A small server takes them within a second or two, which is how
/// long whoever is let in waits at most. A larger request is let in where nobody else waits.
const MAX_EVENTS_AT_ONCE: u32 = 32_768;

/// How many posted events the node holds. A request has a place while its body is read and its events are judged.
pub(crate) struct Intake {
    bytes: Semaphore,
    events: Semaphore,
    most_events: u32,
}

/// The places of one node.
pub(crate) static INTAKE: Intake = Intake::new(MAX_EVENTS_BYTES_AT_ONCE, MAX_EVENTS_AT_ONCE);

impl Intake {
    const fn new(bytes: u32, events: u32) -> Self {
        Self {
            bytes: Semaphore::const_new(bytes as usize),
            events: Semaphore::const_new(events as usize),
            most_events: events,
        }
    }

    /// A place for a body of this length; of the largest where the caller does not say.
    pub(crate) fn body(&self, length: Option<usize>) -> Result<SemaphorePermit<'_>, Problem> {
        let bytes = length.unwrap_or(MAX_EVENTS_BYTES).min(MAX_EVENTS_BYTES);
        self.bytes.try_acquire_many(u32::try_from(bytes).unwrap_or(u32::MAX)).map_err(|_| Self::full())
    }

    /// A place for so many events.
    pub(crate) fn events(&self, count: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.most_events);
        self.events.try_acquire_many(count).map_err(|_| Self::full())
    }

    fn full() -> Problem {
        let detail = "As many events wait as the node takes in within seconds. None of these was taken: send them again after the time in Retry-After.";
        Problem::new(Code::Overloaded, detail)
    }
}

/// A place for work of which only so much is done at once; after [`TURN_WAIT`] without one the caller is sent away.
pub(crate) async fn turn(
    places: &'static Semaphore,
    detail: &'static str,
) -> Result<SemaphorePermit<'static>, Problem> {
    match tokio::time::timeout(TURN_WAIT, places.acquire()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(Problem::new(Code::Overloaded, detail)),
    }
}

/// Refuses requests beyond [`MAX_CONCURRENT_REQUESTS`] at once instead of letting them queue.
pub(crate) async fn shed_load(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_place) = places.try_acquire() else {
        let detail = "The node serves as many requests as it can. Try again after the time in Retry-After.";
        return Problem::new(Code::Overloaded, detail).into_response();
    };
    next.run(request).await
}

/// Ends requests that take longer than [`REQUEST_TIMEOUT`], a body that trickles in included.
pub(crate) async fn cut_off_slow(request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        return response;
    }
    let detail = "The request took longer than 30 seconds. Repeat a read as it is; before repeating a write, read what became of it.";
    Problem::new(Code::Timeout, detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::middleware::{from_fn, from_fn_with_state};
    use axum::routing::get;
    use tower::ServiceExt;

    async fn answer(router: Router) -> Response {
        router.oneshot(Request::builder().uri("/").body(Body::empty()).unwrap()).await.unwrap()
    }

    #[test]
    fn events_beyond_what_may_wait_are_not_taken() {
        let intake = Intake::new(1_000, 10);
        let (body, waiting) = (intake.body(Some(600)).unwrap(), intake.events(10).unwrap());
        assert_eq!(intake.body(Some(600)).unwrap_err().code(), Code::Overloaded);
        assert_eq!(intake.events(1).unwrap_err().code(), Code::Overloaded);
        assert!(intake.body(Some(400)).is_ok());
        drop((body, waiting));
        assert!(intake.body(Some(600)).is_ok() && intake.events(11).is_ok());
        // Who does not say how much comes may send the most.
        assert_eq!(intake.body(None).unwrap_err().code(), Code::Overloaded);
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_in_turn_and_not_after_endless_waiting() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let first = turn(&PLACES, "busy").await.unwrap();
        assert_eq!(turn(&PLACES, "busy").await.unwrap_err().code(), Code::Overloaded);
        let (second, ()) = tokio::join!(turn(&PLACES, "busy"), async { drop(first) });
        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn a_full_node_tells_the_caller_to_come_back() {
        let router = |places: usize| {
            let places = Arc::new(Semaphore::new(places));
            Router::new().route("/", get(|| async { "served" })).layer(from_fn_with_state(places, shed_load))
        };
        assert_eq!(answer(router(1)).await.status(), StatusCode::OK);
        let refused = answer(router(0)).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key(header::RETRY_AFTER));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_cut_off() {
        let hang = || async { std::future::pending::<&str>().await };
        let cut = answer(Router::new().route("/", get(hang)).layer(from_fn(cut_off_slow))).await;
        assert_eq!(cut.status(), StatusCode::GATEWAY_TIMEOUT);
    }
}
