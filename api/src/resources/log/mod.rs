//! The log: files for auditors, and proofs as JSON.

pub(crate) mod consistency_receipt;
pub(crate) mod contradictions;
pub(crate) mod map;
pub(crate) mod proofs;
mod tile_path;
pub(crate) mod tiles;
