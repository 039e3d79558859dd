//! Tests of the ledger on a real store.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails right there.

mod attested;
mod author;
