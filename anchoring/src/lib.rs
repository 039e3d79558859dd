//! Anchors a node's log in an Ethereum contract, and proves that it did.
//!
//! An anchor commits the log's size and root to the `FurrowAnchor` contract. [`AnchorService`] cuts one when the log
//! grew, writes the signed transaction down, broadcasts it, waits until its block is deep enough, reads back what the
//! contract holds and compares that with its own computation; only then do the log's entries count as anchored. What is
//! written down is an [`AnchorRecord`]; its states and the way from one to the next are in [`record`].
//!
//! Evidence for bundles ([`AnchorRecord::evidence`]) is fetched as soon as an anchor is mined, because endpoints forget the
//! state of its block soon, and is kept only after it was verified; [`published`] gives anchors with it to others.
//!
//! The plain parts ([`record`], [`commitment`], [`fees`], [`breaker`]) do no I/O. Storage is whatever implements
//! [`AnchorBook`].
//!
//! **Invariant:** a transaction is broadcast only after its bytes are durable, so a restart knows every hash that may
//! turn up on the chain.
//!
//! **Invariant:** at most one anchor is in flight, and the contract swaps a commitment only for the one it follows. So
//! nothing is anchored twice, whatever is sent again.
//!
//! **Invariant:** no other crate names the Ethereum library; its types do not appear in this crate's interface.

mod book;
pub mod breaker;
mod chain;
pub mod commitment;
mod config;
mod contract;
mod cutting;
mod deploy;
mod encoding;
mod endpoints;
mod evidence;
pub mod fees;
mod journal;
mod newest;
mod problem;
mod published;
pub mod record;
mod round;
mod service;
mod signing;
mod status;
mod value;
mod verify;

pub use book::{AnchorBook, BookError, LogHead};
pub use chain::RpcError;
pub use commitment::{AnchorClaim, Content};
pub use config::AnchorConfig;
pub use deploy::{DeployError, Deployed, deploy};
pub use encoding::DecodeError;
pub use newest::{NewestError, newest_content};
pub use problem::Problem;
pub use published::{MAX_PUBLISHED, Settled, published};
pub use record::{AnchorRecord, AnchorState, Attempt, Inclusion, Line, UnprovenError};
pub use service::{AnchorService, Clock, OpenError};
pub use signing::{KeyError, sender_address};
pub use status::AnchorStatus;
pub use value::{Address, BlockHash, Commitment, TxHash, ValueError};
pub use verify::{Mismatch, Stored, VerifiedAnchor, VerifyError, block_hashes, read_commitment, verify_anchor};
