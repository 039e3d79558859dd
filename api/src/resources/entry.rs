//! `/api/v1`: the entry point, which links to all there is.

use super::status::NetworkName;
use crate::auth::MayWrite;
use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::state::{ApiState, NodeIdentity};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// Who answers, for which network, and how much it holds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Entry {
    node: NodeIdentity,
    network: NetworkName,
    /// Durable entries of the node's log.
    log_size: u64,
}

/// The entry point.
#[utoipa::path(
    get, path = "/api/v1", tag = "entry", operation_id = "read_entry_point",
    responses((status = 200, description = "Who answers, with links to all there is", body = Resource<Entry>, content_type = "application/hal+json")),
)]
pub(crate) async fn entry(State(state): State<ApiState>, MayWrite(may_write): MayWrite) -> Resource<Entry> {
    let network = state.ledger.network();
    let entry = Entry {
        node: state.node.as_ref().clone(),
        network: NetworkName { id: network.id(), name: network.name().to_owned() },
        log_size: state.ledger.size(),
    };
    let links = Links::to_self(links::entry())
        .templated("produces", links::produces() + "{?holder,owner,unit,originator,commodity,grade,state,cursor,limit}")
        .templated("produce", links::produces() + "/{id}")
        .templated("bundle", links::produces() + "/{id}/bundle{?as_of,shallow,disclose}")
        .templated("transfers", links::transfers() + "{?state,party,cursor,limit}")
        .templated("transfer", links::transfers() + "/{id}")
        .templated("units", links::units() + "{?sscc,unit,holder,owner,state,cursor,limit}")
        .templated("unit", links::units() + "/{id}")
        .templated("transformation", links::transformations() + "/{id}")
        .templated("events", links::events() + "{?from,limit}")
        .templated("event", links::events() + "/{id}")
        .templated("actors", links::actors() + "{?cursor,limit}")
        .templated("places", links::places() + "{?cursor,limit}")
        .templated("certificates", links::certificates() + "{?scheme,number,operator,issuer,cursor,limit}")
        .templated("recalls", links::recalls() + "{?lot,issuer,active,cursor,limit}")
        .templated("anchors", links::anchors() + "{?before,limit}")
        .templated("inclusion", links::ROOT.to_owned() + "/log/inclusion{?event,index,size}")
        .templated("consistency", links::ROOT.to_owned() + "/log/consistency{?old,new}")
        .templated("consistency-receipt", links::ROOT.to_owned() + "/log/consistency-receipt{?from,to}")
        .templated("map", links::ROOT.to_owned() + "/log/map/{subject}{?size}")
        .templated("receipt", links::events() + "/{id}/receipt{?size}")
        .templated("statement", links::events() + "/{id}/statement{?size}")
        .typed("checkpoint", links::CHECKPOINT, "text/plain")
        .templated("tiles", links::TILES)
        .templated("page", "/p/{id}")
        .and("network", links::network())
        .and("contradictions", links::contradictions())
        .and("peers", links::peers())
        .and("status", links::status())
        .and("actor", links::actor(&state.node.actor))
        .typed("service-desc", links::openapi(), "application/vnd.oai.openapi+json");
    let verify = Action::new("verify", "Verify a proof bundle", "POST", links::verifications());
    let resource = Resource::new(entry, links).offering(verify.sending(provenance::bundle::CONTENT_TYPE));
    if !may_write {
        return resource;
    }
    resource
        .offering(super::produces::register_action())
        .offering(super::produces::collect_action())
        .offering(super::transformations::transform_action())
        .offering(super::units::pack_action())
        .offering(super::places::register_action())
        .offering(super::actors::enrol_action())
        .offering(super::transfers::offer_action())
        .offering(super::certificates::issue_action())
        .offering(super::recalls::issue_action())
        .offering(
            Action::new("submit", "Submit signed events", "POST", links::events()).sending("application/cbor-seq"),
        )
}
