//! `POST /api/v1/verifications`: a bundle or a conflict proof in, the verdict out.

use crate::extract::{Query, body, media_type};
use crate::limits::{MAX_BUNDLE_BODIES, MAX_VERIFICATIONS_AT_ONCE, turn};
use crate::problem::{Code, Problem, sentence};
use crate::state::ApiState;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER_PERMISSIVE;
use provenance::bundle::CONTENT_TYPE;
use provenance::conflict;
use provenance::id::{NetworkId, SubjectId};
use provenance::verification::{Policy, verify};
use serde::Deserialize;
use std::collections::BTreeSet;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

/// Verifying is work for a core; more at once would only keep events waiting.
static PLACES: Semaphore = Semaphore::const_new(MAX_VERIFICATIONS_AT_ONCE);

static BODIES: Semaphore = Semaphore::const_new(MAX_BUNDLE_BODIES);

/// Most ids or hashes in one query.
const MAX_LISTED: usize = 256;

/// What the caller wants to be sure of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PolicyQuery {
    /// The network that is expected.
    network: Option<String>,
    /// How many cosigners are wanted.
    #[serde(default)]
    cosigners: usize,
    /// Whose cosignatures count: ids of node actors with commas between; anybody's without it.
    cosigner: Option<String>,
    /// Hashes of blocks, `0x…` with commas between, from a source that the caller trusts.
    block_hash: Option<String>,
}

/// Verify a proof bundle or a conflict proof.
///
/// The node computes; what it says of a bundle rests on its own word. Whoever trusts no node runs `furrow verify` or the
/// npm package `furrow-verifier`, which give the same verdict.
#[utoipa::path(
    post, path = "/api/v1/verifications", tag = "produce", operation_id = "verify_bundle",
    params(PolicyQuery),
    request_body(content = Vec<u8>, content_type = "application/vnd.furrow.bundle+cbor", description = "The bundle, at most 32 MiB; or a conflict proof as application/vnd.furrow.conflict+cbor, at most 8 MiB"),
    responses(
        (status = 200, description = "The verdict, as docs/verification.md describes it, and docs/conflict.md for a conflict proof: valid, incomplete or invalid", body = serde_json::Value, content_type = "application/json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The bundle is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no bundle by its media type", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The node verifies as many bundles as it can", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn verify_bundle(
    State(state): State<ApiState>,
    Query(query): Query<PolicyQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let policy = policy(&query)?;
    let is_conflict = match media_type(request.headers()).as_deref() {
        Some(CONTENT_TYPE) => false,
        Some(conflict::CONTENT_TYPE) => true,
        _ => {
            let detail = format!(
                "Send a bundle with Content-Type: {CONTENT_TYPE}, or a conflict proof with {}.",
                conflict::CONTENT_TYPE
            );
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
    };
    let busy = "The node verifies as many bundles as it can. Try again after the time in Retry-After.";
    // Bodies are large, so their number bounds memory; those that trickle in keep no core from the others.
    let body_place = turn(&BODIES, busy).await?;
    let bytes = body(request, &state).await?;
    let place = turn(&PLACES, busy).await?;
    let verdict = tokio::task::spawn_blocking(move || {
        // Given back when the work is done, whether or not the caller still waits for it.
        let _places = (body_place, place);
        if is_conflict {
            Json(conflict::verify(&bytes, policy.network)).into_response()
        } else {
            Json(verify(&bytes, &policy)).into_response()
        }
    });
    verdict.await.map_err(|_| Problem::new(Code::Internal, "The file could not be verified."))
}

fn policy(query: &PolicyQuery) -> Result<Policy, Problem> {
    let network = query.network.as_deref().map(|id| id.parse::<NetworkId>().map_err(|error| wrong("network", &error)));
    let trusted = query.cosigner.as_deref().map(|ids| {
        listed(ids, "cosigner")?
            .into_iter()
            .map(|id| id.parse::<SubjectId>().map_err(|error| wrong("cosigner", &error)))
            .collect::<Result<BTreeSet<_>, _>>()
    });
    let hashes = query
        .block_hash
        .as_deref()
        .map(|hashes| listed(hashes, "block_hash")?.into_iter().map(block_hash).collect::<Result<BTreeSet<_>, _>>());
    Ok(Policy {
        network: network.transpose()?,
        cosigners: query.cosigners,
        trusted_cosigners: trusted.transpose()?,
        block_hashes: hashes.transpose()?.unwrap_or_default(),
    })
}

fn listed<'t>(text: &'t str, field: &'static str) -> Result<Vec<&'t str>, Problem> {
    let items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.len() > MAX_LISTED {
        return Err(wrong(field, &format!("at most {MAX_LISTED} are taken at once")));
    }
    Ok(items)
}

fn block_hash(text: &str) -> Result<[u8; 32], Problem> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| wrong("block_hash", &"a block's hash is 0x and 64 hexadecimal digits"))
}

fn wrong(field: &'static str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field(field)
}
