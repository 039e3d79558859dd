//! Places.

pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod register;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn register_action() -> Action {
    Action::new("register-place", "Register a place", "POST", links::places())
        .needs("place_type", "What sort of place")
        .needs("name", "What it is called")
        .takes("point", "Where it is, to about a kilometre")
        .takes("exact_point", "Where it is exactly; sealed")
        .takes("gln", "Its Global Location Number")
        .takes("area_m2", "Its area in square metres")
        .takes("parent", "The place of which it is a part")
        .takes("country", "ISO 3166-1 code of its country")
}
