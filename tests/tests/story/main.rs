//! Stories of the whole: several nodes, their keepers, an EVM, and those who mean harm.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod admission;
mod audit;
mod bad_input;
mod browser;
mod bundle;
mod catch_up;
mod conflict;
mod crash;
mod demo;
mod evidence;
mod goods;
mod open_offer;
mod page;
mod part_sale;
mod stolen_key;
mod tampering;
mod trouble;
