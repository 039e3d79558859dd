//! Recalls.

pub(crate) mod change;
pub(crate) mod end;
pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn issue_action() -> Action {
    Action::new("issue-recall", "Warn of lots", "POST", links::recalls())
        .needs("lots", "Of which lots")
        .needs("level", "public, trade or information")
        .needs("hazard", "What is wrong with the goods")
        .needs("action", "hold, return, destroy or inform")
        .needs("contact", "Whom to ask")
        .takes("scope", "Which goods, in words")
}
