//! The representation of an actor.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::state::ApiState;
use ledger::view::ActorRow;
use serde::Serialize;
use utoipa::ToSchema;

/// An actor: a person, organisation, node or device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ActorView {
    /// Key, roles, names, codes and events of the actor.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    row: ActorRow,
    /// Whether it is a founder of the network.
    founder: bool,
    /// Whether this node keeps its key and can sign for it.
    kept_here: bool,
}

/// The actor with its links, and its actions for a caller who may write.
pub(crate) fn resource(state: &ApiState, row: ActorRow, may_write: bool) -> Resource<ActorView> {
    let (id, kept_here) = (row.id, state.keeps(&row.id));
    let own = |name: &'static str| Some((name, Some(id.to_string())));
    let held = own("holder").map(|parameter| links::with_query(&links::produces(), &[parameter]));
    let party = own("party").map(|parameter| links::with_query(&links::transfers(), &[parameter]));
    let links = Links::to_self(links::actor(&id))
        .and("collection", links::actors())
        .and("events", links::actor_events(&id))
        .and_maybe("produces", held)
        .and_maybe("transfers", party)
        .and_maybe("enroller", row.enroller.as_ref().map(links::actor))
        .and_maybe("enrolment", row.enrolment.as_ref().map(links::event));
    let resource = Resource::new(ActorView { founder: row.is_founder(), kept_here, row }, links);
    if !may_write || !kept_here {
        return resource;
    }
    resource.offering(
        Action::new("change", "Change the profile", "PATCH", links::actor(&id))
            .takes("display_name", "Under what name the public knows it")
            .takes("gln", "Its Global Location Number")
            .takes("gs1_prefixes", "All its GS1 company prefixes")
            .takes("node", "For a node: log key, peer id and anchoring"),
    )
}
