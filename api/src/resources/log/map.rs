//! `GET /api/v1/log/map/{subject}`: what a subject's history ends with, proved by the state map.

use crate::extract::{PathId, Query};
use crate::hal::{Links, Resource};
use crate::links;
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::resources::events::view::lane_name;
use crate::state::ApiState;
use axum::extract::State;
use data_encoding::HEXLOWER;
use ledger::StateError;
use provenance::id::{EventId, SubjectId};
use provenance::state_map::{Place, digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// At which size of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MapQuery {
    /// The size of the log at which the map was cut; without it that of the newest checkpoint.
    size: Option<u64>,
}

/// What a subject's history ended with at a size of the log, and the proof of it against the state root of that size's
/// checkpoint. Hashes are lower-case hex.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct MapProof {
    /// The subject.
    #[schema(value_type = String)]
    subject: SubjectId,
    /// Entries of the log that this version of the map covers.
    size: u64,
    /// The root of the map.
    state_root: String,
    /// Whether the subject is in the map.
    present: bool,
    /// Lane → its tips: `main`, `title`, or the id of the actor that attests.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    tips: BTreeMap<String, Vec<EventId>>,
    /// Digest of the tips, which is the value in the map; none where the subject is absent.
    value: Option<String>,
    /// Sibling hashes, from the place upwards.
    siblings: Vec<String>,
    /// Another subject that stands where this one would have to; none where the place is empty or the subject is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<OtherLeaf>,
}

/// Another subject in the way of the one asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct OtherLeaf {
    /// Its id.
    #[schema(value_type = String)]
    subject: SubjectId,
    /// Its value in the map.
    value: String,
}

/// Prove what a subject's history ends with.
#[utoipa::path(
    get, path = "/api/v1/log/map/{subject}", tag = "log", operation_id = "prove_state",
    params(("subject" = String, Path, description = "The id of a lot, place, actor or the network"), MapQuery),
    responses(
        (status = 200, description = "The proof, of presence or of absence", body = Resource<MapProof>, content_type = "application/hal+json"),
        (status = 404, description = "The map of that size is not kept", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The state map is being made again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn prove(
    State(state): State<ApiState>,
    PathId(subject): PathId<SubjectId>,
    Query(query): Query<MapQuery>,
) -> Result<Resource<MapProof>, Problem> {
    let size = match query.size {
        Some(size) => size,
        None => state.ledger.newest_cut()?.size,
    };
    let ledger = state.ledger.clone();
    // It reads the whole history of the subject.
    let found = tokio::task::spawn_blocking(move || ledger.state_proof(&subject, size)).await;
    let found = found.map_err(|_| Problem::new(Code::Internal, "The state could not be proved."))?;
    let found = found.map_err(|error| match error {
        StateError::NotKept { .. } => Problem::new(Code::NotFound, sentence(&error.to_string())).rule("kept"),
        StateError::Store(error) => storage(error),
    })?;
    let links = Links::to_self(links::map_at(&subject, size)).typed("checkpoint", links::CHECKPOINT, "text/plain");
    let other = match found.proof.place {
        Place::Other { key, value } => Some(OtherLeaf { subject: key, value: HEXLOWER.encode(&value) }),
        Place::Leaf | Place::Empty => None,
    };
    let value = digest(&found.tips).map(|value| HEXLOWER.encode(&value));
    let proof = MapProof {
        subject,
        size,
        state_root: HEXLOWER.encode(&found.root),
        present: value.is_some(),
        tips: found.tips.into_iter().map(|(lane, tips)| (lane_name(lane), tips.into_iter().collect())).collect(),
        value,
        siblings: found.proof.siblings.iter().map(|hash| HEXLOWER.encode(hash)).collect(),
        other,
    };
    Ok(Resource::new(proof, links))
}
