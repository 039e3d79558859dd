//! A harness for tests of the whole: nodes as processes, an EVM, peers that lie, and what to compare.
//!
//! All parts are real. A [`scene::Scene`] is a folder with the nodes of one network; a [`node::Node`] is a running
//! `furrow` process, reached only over HTTP and libp2p as anybody would reach it. Events that no node
//! would sign are made by a [`signer::Signer`] with a founder's key of its own, forged by
//! [`forgery`], and brought in by a [`peer::Peer`] that says whatever the test wants.
//!
//! **Invariant:** no test measures time. Waiting ends by [`wait::PATIENCE`], which only tells a
//! hanging test from a slow machine.

pub mod anvil;
pub mod client;
pub mod forgery;
pub mod node;
pub mod peer;
pub mod program;
pub mod proxy;
pub mod scene;
pub mod signer;
pub mod trade;
pub mod views;
pub mod wait;
pub mod wires;
