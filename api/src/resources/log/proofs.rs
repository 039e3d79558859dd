//! `/api/v1/log/…`: proofs about the log as JSON (RFC 9162).

use crate::extract::Query;
use crate::hal::{Links, Resource};
use crate::links;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use data_encoding::HEXLOWER;
use provenance::id::EventId;
use provenance::merkle::Hash;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entry, and in which log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InclusionQuery {
    /// The event; or name its index.
    #[param(value_type = Option<String>)]
    event: Option<EventId>,
    /// The index in the log; or name the event.
    index: Option<u64>,
    /// The size of the log; without it the present one.
    size: Option<u64>,
}

/// The proof that an entry stands in the log (RFC 9162 §2.1.3). Hashes are lower-case hex.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct InclusionProof {
    /// The entry: an event id, at index 0 the network id.
    #[schema(value_type = String)]
    entry: EventId,
    /// Which entry it is, from zero.
    index: u64,
    /// In the log of this size.
    size: u64,
    /// SHA-256(0x00 ‖ entry).
    leaf_hash: String,
    /// The root that the proof leads to.
    root: String,
    /// Sibling hashes, from the leaf upwards.
    proof: Vec<String>,
}

/// Prove that an event stands in the log.
#[utoipa::path(
    get, path = "/api/v1/log/inclusion", tag = "log", operation_id = "prove_inclusion", params(InclusionQuery),
    responses(
        (status = 200, description = "The proof", body = Resource<InclusionProof>, content_type = "application/hal+json"),
        (status = 400, description = "Neither or both of event and index", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such entry in a log of that size", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn inclusion(
    State(state): State<ApiState>,
    Query(query): Query<InclusionQuery>,
) -> Result<Resource<InclusionProof>, Problem> {
    let index = match (query.event, query.index) {
        (None, Some(index)) => index,
        (Some(event), None) => {
            let stored = state.ledger.reader().stored(&event).map_err(storage)?;
            stored
                .and_then(|stored| stored.index)
                .ok_or_else(|| Problem::not_found("event in its log with the id", event))?
        }
        _ => {
            let detail = "Name one entry: either event with its id, or index with its number.";
            return Err(Problem::new(Code::MalformedQuery, detail).field("event").rule("one_of"));
        }
    };
    let size = query.size.unwrap_or_else(|| state.ledger.size());
    let found = state.ledger.inclusion(index, size)?;
    let links = Links::to_self(links::inclusion_at(index, size)).and("event", links::event(&found.entry)).typed(
        "checkpoint",
        links::CHECKPOINT,
        "text/plain",
    );
    let proof = InclusionProof {
        entry: found.entry,
        index,
        size,
        leaf_hash: HEXLOWER.encode(&found.leaf_hash),
        root: HEXLOWER.encode(&found.root),
        proof: hashes(&found.proof),
    };
    Ok(Resource::new(proof, links))
}

/// Between which sizes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyQuery {
    /// The earlier size, at least 1.
    old: u64,
    /// The later size; without it the present one.
    new: Option<u64>,
}

/// The proof that an earlier log is the beginning of a later one (RFC 9162 §2.1.4). Hashes are lower-case hex.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ConsistencyProof {
    /// The earlier size.
    old: u64,
    /// The later size.
    new: u64,
    /// The root at the earlier size.
    old_root: String,
    /// The root at the later size.
    new_root: String,
    /// The hashes that lead from one to the other; none where the sizes are the same.
    proof: Vec<String>,
}

/// Prove that the log only grew.
#[utoipa::path(
    get, path = "/api/v1/log/consistency", tag = "log", operation_id = "prove_consistency", params(ConsistencyQuery),
    responses(
        (status = 200, description = "The proof", body = Resource<ConsistencyProof>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The log never had such sizes", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn consistency(
    State(state): State<ApiState>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Resource<ConsistencyProof>, Problem> {
    let (old, new) = (query.old, query.new.unwrap_or_else(|| state.ledger.size()));
    let ledger = &state.ledger;
    let proof = ConsistencyProof {
        old,
        new,
        proof: hashes(&ledger.consistency(old, new)?),
        old_root: HEXLOWER.encode(&ledger.root_at(old)?),
        new_root: HEXLOWER.encode(&ledger.root_at(new)?),
    };
    // Between equal sizes there is nothing that a receipt could prove (RFC 9942 §5.3).
    let receipt = (old < new).then(|| links::consistency_receipt(old, new));
    let links = Links::to_self(links::consistency(old, new))
        .typed("checkpoint", links::CHECKPOINT, "text/plain")
        .and_maybe("receipt", receipt);
    Ok(Resource::new(proof, links))
}

fn hashes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect()
}
