//! Lots.

pub(crate) mod bundle;
pub(crate) mod change;
pub(crate) mod codes;
pub(crate) mod collect;
pub(crate) mod conflict;
pub(crate) mod decisions;
pub(crate) mod findings;
pub(crate) mod handle;
pub(crate) mod handovers;
pub(crate) mod history;
pub(crate) mod inspections;
pub(crate) mod list;
pub(crate) mod prices;
pub(crate) mod qr;
pub(crate) mod read;
pub(crate) mod register;
pub(crate) mod retire;
pub(crate) mod trace;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn register_action() -> Action {
    Action::new("register-produce", "Register a lot", "POST", links::produces())
        .needs("commodity", "Scheme and code of what it is")
        .needs("name", "What people call it")
        .needs("quantity", "How much there is: value and unit")
        .takes("variety", "The variety")
        .takes("places", "Where it was grown")
        .takes("harvested", "First and last day of the harvest")
        .takes("grade", "Its grade")
        .takes("codes", "GTIN, lot number, traceability lot code")
        .takes("claims", "Certificates that it claims")
        .takes("harvester", "Who harvested it; sealed")
        .takes("price", "What it costs")
}

/// How a cooperative takes in what its members bring.
pub(crate) fn collect_action() -> Action {
    Action::new("collect-produce", "Collect deliveries of members in one lot", "POST", links::collections())
        .needs("commodity", "Scheme and code of what it is")
        .needs("name", "What people call it")
        .needs("deliveries", "Who brought how much")
        .takes("variety", "The variety")
        .takes("harvested", "First and last day of the harvest")
        .takes("grade", "Its grade")
        .takes("codes", "GTIN, lot number, traceability lot code")
        .takes("claims", "Certificates that it claims")
}
