//! The interface over a real ledger, request by request.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.
#![allow(clippy::needless_pass_by_value)] // Bodies are written where they are sent.

mod attestations;
mod events;
mod goods;
mod keys;
mod page;
mod receipts;
mod refusals;
mod service;
mod story;
mod support;
mod tiles;
mod trace;
