//! Handovers.

pub(crate) mod answer;
pub(crate) mod list;
pub(crate) mod offer;
pub(crate) mod read;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn offer_action() -> Action {
    Action::new("offer-transfer", "Offer lots to somebody", "POST", links::transfers())
        .needs("lines", "Lots, each with a quantity where not all of it is offered")
        .needs("to", "An actor, or an outside party by GLN or name")
        .takes("moves", "possession, title or both")
        .takes("price", "For how much")
        .takes("carrier", "Who carries it")
        .takes("from_place", "From where")
        .takes("to_place", "To where")
        .takes("temperature", "How cold or warm on the way")
        .takes("expires", "Until when an answer is wished")
}
