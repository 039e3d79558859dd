//! Events: what was signed, as it is told and as its bytes.

pub(crate) mod correct;
pub(crate) mod feed;
pub(crate) mod openings;
pub(crate) mod read;
pub(crate) mod receipt;
mod sequence;
pub(crate) mod statements;
pub(crate) mod submit;
pub(crate) mod told;
pub(crate) mod view;
