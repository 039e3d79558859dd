//! Logistic units: cartons, pallets, containers.

pub(crate) mod list;
pub(crate) mod pack;
pub(crate) mod read;
pub(crate) mod unpack;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn pack_action() -> Action {
    Action::new("pack-unit", "Pack lots or smaller units into a new unit", "POST", links::units())
        .needs("contents", "Lots and units, each with a quantity where not all of it is packed")
        .takes("sscc", "Serial shipping container code")
        .takes("place", "Where")
}
