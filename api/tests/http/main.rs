//! The interface over a real ledger, request by request.

mod events;
mod page;
mod refusals;
mod service;
mod story;
mod support;
