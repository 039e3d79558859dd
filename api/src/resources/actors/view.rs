//! The representation of an actor.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::state::ApiState;
use ledger::view::ActorRow;
use provenance::id::SubjectId;
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
        .and("forks", links::actor_forks(&id))
        .and_maybe("produces", held)
        .and_maybe("transfers", party)
        .and_maybe("enroller", row.enroller.as_ref().map(links::actor))
        .and_maybe("enrolment", row.enrolment.as_ref().map(links::event));
    let (founder, enroller) = (row.is_founder(), row.enroller);
    let resource = Resource::new(ActorView { row, founder, kept_here }, links);
    if !may_write {
        return resource;
    }
    let resource = match enroller {
        Some(enroller) if state.keeps(&enroller) => ended_from_above(resource, &id),
        _ => resource,
    };
    if !kept_here {
        return resource;
    }
    let resource = if founder { resource } else { changing_keys(resource, &id) };
    resource.offering(
        Action::new("change", "Change the profile", "PATCH", links::actor(&id))
            .takes("display_name", "Under what name the public knows it")
            .takes("gln", "Its Global Location Number")
            .takes("gs1_prefixes", "All its GS1 company prefixes")
            .takes("node", "For a node: log key, peer id and anchoring"),
    )
}

/// What an actor may do with its own keys.
fn changing_keys(resource: Resource<ActorView>, id: &SubjectId) -> Resource<ActorView> {
    let add = Action::new("add-key", "Add a key, as for a second device", "POST", links::actor_keys(id, "keys"))
        .takes("key", "The key, or {\"kept\": true}")
        .takes("name", "What it is called, such as the name of a device")
        .takes("countersignature", "For a foreign key: its signature over the event's body");
    let rotate = Action::new("rotate-key", "Go on with a new key", "POST", links::actor_keys(id, "rotation"))
        .takes("old", "The old key; the newest one unless given")
        .takes("key", "The new key, or {\"kept\": true}")
        .takes("countersignature", "For a foreign key: its signature over the event's body");
    resource.offering(add).offering(rotate)
}

/// What the enroller may do with an actor's keys.
fn ended_from_above(resource: Resource<ActorView>, id: &SubjectId) -> Resource<ActorView> {
    let ends = |action: Action| {
        action
            .takes("last", "The last events that are right; all that is known here unless given")
            .takes("nothing_of", "Keys of which nothing is right")
            .takes("stands", "Later events that stand nevertheless")
    };
    let replace =
        Action::new("replace-key", "Put a new key in the place of all", "POST", links::actor_keys(id, "replacement"))
            .takes("key", "The new key, or {\"kept\": true}")
            .takes("reason", "Why");
    let revoke =
        Action::new("revoke", "End all keys", "POST", links::actor_keys(id, "revocation")).needs("reason", "Why");
    resource.offering(ends(replace)).offering(ends(revoke))
}
