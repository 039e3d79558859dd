//! Certificates.

pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod status;
pub(crate) mod view;

use crate::hal::Action;
use crate::links;

/// What a caller may do with the list.
pub(crate) fn issue_action() -> Action {
    Action::new("issue-certificate", "Issue a certificate", "POST", links::certificates())
        .needs("scheme", "The scheme")
        .needs("number", "Its number, by which lots claim it")
        .needs("operators", "For whom it holds")
        .needs("valid", "On which days it holds")
        .takes("places", "For which places; for all without it")
        .takes("commodities", "For which commodities; for all without it")
        .takes("volume_cap", "How much may be sold under it")
        .takes("document", "The certificate itself, by hash")
}
