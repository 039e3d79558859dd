//! Actors.

pub(crate) mod change;
pub(crate) mod devices;
pub(crate) mod enrol;
pub(crate) mod events;
pub(crate) mod forks;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn enrol_action() -> Action {
    Action::new("enrol-actor", "Enrol an actor", "POST", links::actors())
        .needs("key", "Its public key, or {\"kept\": true}")
        .needs("roles", "What it may do")
        .needs("display_name", "Under what name the public knows it")
        .takes("may_give", "Which roles it may give to others")
        .takes("personal_name", "The name of a person; sealed")
        .takes("gln", "Its Global Location Number")
        .takes("gs1_prefixes", "Its GS1 company prefixes")
        .takes("node", "For a node: log key, peer id and anchoring")
        .takes("countersignature", "For a foreign key: its signature over the enrolment")
}
