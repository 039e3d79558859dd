//! `GET /api/v1/log/contradictions`: logs of other nodes that were rewritten, each with the proof.

use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use data_encoding::HEXLOWER;
use ledger::Contradicted;
use provenance::id::{PublicKey, SubjectId};
use provenance::merkle::Hash;
use serde::Serialize;
use utoipa::ToSchema;

/// Logs shown: more of them are no network any more.
const MAX_SHOWN: usize = 200;

/// Two checkpoints that one log has signed, and that cannot both be true. Whoever reads it can verify it, as `docs/log.md` says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ContradictionView {
    /// The key of the log.
    #[schema(value_type = String)]
    log: PublicKey,
    /// The enrolled node that names this key for its log, if one does now.
    #[schema(value_type = Option<String>)]
    node: Option<SubjectId>,
    /// The checkpoint of the smaller size, as a signed note.
    first: String,
    /// The other one, of the same size or a larger one.
    second: String,
    /// Of two sizes: roots of the complete subtrees under the second checkpoint up to the size of the first, largest
    /// first, in lower-case hex.
    before: Vec<String>,
    /// Roots of the largest complete subtrees that follow, up to the size of the second, from left to right.
    between: Vec<String>,
}

/// List the logs that are proven to contradict themselves. They are neither followed nor cosigned.
#[utoipa::path(
    get, path = "/api/v1/log/contradictions", tag = "log", operation_id = "list_contradictions",
    responses((status = 200, description = "All such logs, at most 200", body = Resource<Page<ContradictionView>>, content_type = "application/hal+json")),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Resource<Page<ContradictionView>>, Problem> {
    let found = state.ledger.witness().contradictions().map_err(storage)?;
    let shown = found.into_iter().take(MAX_SHOWN).map(|Contradicted { log, node, proof }| {
        let links = Links::default().many("node", node.iter().map(|node| (links::actor(node), None)));
        let (before, between) = (hex(&proof.before), hex(&proof.between));
        let view = ContradictionView { log, node, first: proof.first, second: proof.second, before, between };
        Resource::new(view, links)
    });
    let links = Links::to_self(links::contradictions()).and("up", links::entry());
    Ok(Resource::new(Page::of(shown.collect()), links))
}

fn hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect()
}
