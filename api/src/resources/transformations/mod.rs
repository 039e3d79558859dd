//! Transformations: lots that are made of others.

pub(crate) mod read;
pub(crate) mod transform;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do from the entry point.
pub(crate) fn transform_action() -> Action {
    Action::new("transform-produce", "Make lots of others", "POST", links::transformations())
        .needs("process", "What is done: split, merge, pack, press and so on")
        .needs("inputs", "Lots, each with a quantity where not all of it goes in")
        .needs("outputs", "What comes out, each with its quantity")
        .takes("run", "Id of the process run")
        .takes("loss", "What is lost on the way")
        .takes("place", "Where")
}
