//! `/api/v1/network`: the network that this node serves, as its founders defined and amended it.

use crate::auth::MayWrite;
use crate::hal::{Links, Resource};
use crate::links;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use data_encoding::HEXLOWER;
use ledger::view::NetworkRow;
use provenance::id::{NetworkId, PublicKey, SubjectId};
use provenance::network::Network;
use serde::Serialize;
use utoipa::ToSchema;

/// A network. Its id is the hash of name, nonce and founders' keys.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct NetworkView {
    /// SHA-256 of the definition.
    #[schema(value_type = String)]
    id: NetworkId,
    /// What it is called.
    name: String,
    /// What tells it from others of the same name, 16 bytes in lower-case hex.
    nonce: String,
    /// Its founders, in the order that numbers them.
    founders: Vec<Founder>,
    /// How amendments left it: who has a vote, contracts, parameters, version of the rules, and all amendments.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    now: NetworkRow,
}

/// A founder of the network.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct Founder {
    /// Its actor id.
    #[schema(value_type = String)]
    actor: SubjectId,
    /// Its public key.
    #[schema(value_type = String)]
    key: PublicKey,
}

/// Read the network: its definition, and what amendments made of it.
#[utoipa::path(
    get, path = "/api/v1/network", tag = "network", operation_id = "read_network",
    responses((status = 200, description = "The network", body = Resource<NetworkView>, content_type = "application/hal+json")),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<NetworkView>, Problem> {
    let network = state.ledger.network();
    let founders = founders(network);
    let links = Links::to_self(links::network())
        .and("up", links::entry())
        .many("founder", founders.iter().map(|founder| (links::actor(&founder.actor), None)));
    let (id, name, nonce) = (network.id(), network.name().to_owned(), HEXLOWER.encode(network.nonce()));
    let now = state.views().network(network).map_err(storage)?;
    let links = links.many("amendment", now.amendments.iter().map(|row| (links::event(&row.id), None)));
    let may_amend = may_write && founders.iter().any(|founder| state.keeps(&founder.actor));
    let resource = Resource::new(NetworkView { id, name, nonce, founders, now }, links);
    Ok(if may_amend { resource.offering(super::amendments::amend_action()) } else { resource })
}

fn founders(network: &Network) -> Vec<Founder> {
    let named = |key: &PublicKey| network.founder(key).map(|actor| Founder { actor, key: *key });
    network.founders().iter().filter_map(named).collect()
}
