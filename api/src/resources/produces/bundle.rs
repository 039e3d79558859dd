//! `GET /api/v1/produces/{id}/bundle`: everything that verifies a lot's history, in one file.

use crate::auth::MayWrite;
use crate::caching::{ASK_AGAIN, Cached};
use crate::extract::{PathId, Query};
use crate::limits::{MAX_BUNDLES_AT_ONCE, turn};
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use ledger::{AsOf, BundleRequest, BundleSources, MakeError};
use provenance::body::Body;
use provenance::bundle::{CONTENT_TYPE, MAX_BUNDLE_BYTES, MAX_ENTRIES};
use provenance::evidence::ProvenLine;
use provenance::id::{EventId, SubjectId};
use provenance::seal::{Opening, REPLACEMENT, sealable_name};
use serde::Deserialize;
use std::collections::BTreeSet;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

/// Each bundle holds its events in memory, and reads as fast as the disk gives.
static PLACES: Semaphore = Semaphore::const_new(MAX_BUNDLES_AT_ONCE);

/// Which bundle.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BundleQuery {
    /// As of which checkpoint: `best` (the default: the one with the best witnesses that misses nothing of the lot),
    /// `newest`, `cosigned`, `anchored`, or the size of one that is kept.
    as_of: Option<String>,
    /// Leave the histories of the lots out from which this one was taken, but for what it rests on.
    #[serde(default)]
    shallow: bool,
    /// Which sealed fields to open, by their names and commas between, such as `price,harvester`; or `all`. Needs the
    /// node's token.
    disclose: Option<String>,
}

/// Read a lot's proof bundle.
///
/// It verifies without any node: by `furrow verify`, by the npm package `furrow-verifier`, or by whatever follows
/// `docs/verification.md`.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/bundle", tag = "produce", operation_id = "read_bundle",
    params(("id" = String, Path, description = "The lot's id"), BundleQuery),
    responses(
        (status = 200, description = "The bundle", body = Vec<u8>, content_type = "application/vnd.furrow.bundle+cbor"),
        (status = 304, description = "The caller has it already"),
        (status = 401, description = "Opening sealed fields needs the node's token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot or checkpoint, or the node is not enrolled", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The state map is being made again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    MayWrite(may_write): MayWrite,
    PathId(lot): PathId<SubjectId>,
    Query(query): Query<BundleQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let disclose = Disclosure::read(query.disclose.as_deref());
    if disclose != Disclosure::Nothing && !may_write {
        let detail = "Opening sealed fields needs the node's token, as writing does. Leave disclose out to get the bundle without them.";
        return Err(Problem::new(Code::Unauthorized, detail));
    }
    let request = BundleRequest { lot, as_of: as_of(query.as_of.as_deref())?, shallow: query.shallow };
    let busy = "The node makes as many bundles as it can. Try again after the time in Retry-After.";
    let place = turn(&PLACES, busy).await?;
    let sources = Sources { state, disclose };
    let made = tokio::task::spawn_blocking(move || {
        // Given back when the work is done, whether or not the caller still waits for it.
        let _place = place;
        let bundle = sources.state.ledger.bundle(&request, &sources)?.to_vec();
        if bundle.len() > MAX_BUNDLE_BYTES {
            return Err(MakeError::TooLarge(MAX_ENTRIES));
        }
        Ok(Cached::new(CONTENT_TYPE, ASK_AGAIN, bundle))
    });
    let made = made.await.map_err(|_| Problem::new(Code::Internal, "The bundle could not be made."))?;
    let mut response = made.map_err(refused)?.answer(&headers);
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{lot}.bundle\""));
    if let Ok(name) = name {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("authorization"));
    Ok(response)
}

fn as_of(text: Option<&str>) -> Result<AsOf, Problem> {
    Ok(match text {
        None | Some("best") => AsOf::Best,
        Some("newest") => AsOf::Newest,
        Some("cosigned") => AsOf::Cosigned,
        Some("anchored") => AsOf::Anchored,
        Some(size) => AsOf::Size(size.parse().map_err(|_| {
            Problem::new(
                Code::MalformedQuery,
                "as_of is best, newest, cosigned, anchored, or the size of a checkpoint.",
            )
            .field("as_of")
        })?),
    })
}

fn refused(error: MakeError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        MakeError::UnknownLot(lot) => Problem::not_found("produce", lot),
        MakeError::TooOld { .. } | MakeError::NoCheckpoint | MakeError::NotEnrolled => {
            Problem::new(Code::NotFound, detail)
        }
        MakeError::Pruned => Problem::new(Code::Overloaded, detail),
        MakeError::TooLarge(_) => Problem::new(Code::TooLarge, detail),
        MakeError::Log(error) => error.into(),
        MakeError::Store(error) => storage(error),
    }
}

/// Which sealed fields a bundle opens.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Disclosure {
    Nothing,
    All,
    Named(BTreeSet<String>),
}

impl Disclosure {
    fn read(text: Option<&str>) -> Self {
        let names: BTreeSet<String> = text
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        match names.len() {
            0 => Self::Nothing,
            _ if names.contains("all") => Self::All,
            _ => Self::Named(names),
        }
    }
}

/// What the rest of the node gives to a bundle.
struct Sources {
    state: ApiState,
    disclose: Disclosure,
}

impl BundleSources for Sources {
    fn anchors(&self, entries: &[u64], commitments: &[[u8; 32]], size: u64) -> Vec<ProvenLine> {
        self.state.anchoring.published(entries, commitments, size, false)
    }

    fn openings(&self, event: &EventId) -> Result<Vec<(Vec<u8>, Opening)>, MakeError> {
        if self.disclose == Disclosure::Nothing {
            return Ok(Vec::new());
        }
        let mut shown = Vec::new();
        for (path, opening) in self.state.author.openings(event)? {
            let wanted = match &self.disclose {
                Disclosure::Named(names) => self.name(event, &path)?.is_some_and(|name| names.contains(name)),
                _ => true,
            };
            if wanted {
                shown.push((path, opening));
            }
        }
        Ok(shown)
    }
}

impl Sources {
    /// What a sealed field is called; one in a correction as in what is corrected.
    fn name(&self, event: &EventId, path: &[u8]) -> Result<Option<&'static str>, MakeError> {
        let reader = self.state.ledger.reader();
        let Some(mut stored) = reader.stored(event)? else { return Ok(None) };
        let mut path = path;
        if let (Body::EventCorrected(correction), [REPLACEMENT, rest @ ..]) =
            (&stored.judged.event.payload().body, path)
        {
            let Some(target) = reader.stored(&correction.target)? else { return Ok(None) };
            (stored, path) = (target, rest);
        }
        Ok(stored.judged.event.payload().body.kind().and_then(|kind| sealable_name(kind, path)))
    }
}
