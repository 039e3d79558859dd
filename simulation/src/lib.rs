//! Several nodes in one deterministic run: their real ledgers on disks in memory, and the real machine that catches up,
//! without sockets, threads or a clock.
//!
//! A seed decides everything: how many take part, who signs what when, which messages are late, lost or twice there,
//! when the network falls apart, at which write a machine stops and what of that was on its disk, whose key is stolen. The
//! same seed goes the same way each time, to the byte.
//!
//! After each step it is checked that nothing that a log has shown is lost, that nothing is stored which nobody signed,
//! that logs with the same events have the same state root, and that no node signs two checkpoints of one size. In the end
//! the network heals; then all nodes must come to the same set, show the same rows, and show them again when
//! followers begin from zero, and when a new node gets the events in another order.
//!
//! **Invariant:** nothing is decided by the order of a hash map, by the address of anything, or by a real clock.

mod acts;
mod agenda;
mod chance;
mod deed;
mod invariant;
mod link;
mod machine;
mod node;
mod oracle;
mod settings;
mod shell;
mod shown;
mod signer;
mod soak;
mod trace;
mod trouble;
mod violation;
mod world;

pub use settings::{Sabotage, Settings};
pub use soak::{Soaked, soak};
pub use violation::{Broken, Violation};
pub use world::{Held, run};
