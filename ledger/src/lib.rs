//! The use cases of a node: admit and append events, prove what the log holds, run followers.
//!
//! A node is a log and its followers. The write path does one thing: judge an event and append it.
//! Everything else reads the log from a cursor of its own and never blocks a write.
//!
//! **Invariant:** an event is acknowledged only after its batch, with body, judgement, log entry,
//! tiles, lane and journal heads, is on the disk as a whole.

mod alike;
pub mod author;
mod bundle;
mod busy;
mod check;
mod checkpoint;
mod clock;
pub mod conflict;
mod counting;
pub mod findings;
mod follower;
mod forks;
mod founding;
mod held;
mod id_map;
mod journal;
mod keys;
mod ledger;
mod log;
mod map;
mod outcome;
mod pending;
mod reader;
mod receipt;
mod recent;
mod restored;
mod stepped;
mod table;
pub mod trace;
pub mod view;
mod whole;
mod witness;
mod writer;

pub use bundle::{AsOf, BundleRequest, BundleSources, MakeError};
pub use check::CheckError;
pub use checkpoint::AddCosignatureError;
pub use clock::{Clock, SystemClock};
pub use follower::{Follower, FollowerStatus, LogEntry, Pace};
pub use forks::ForkFollower;
pub use keys::{ActorKey, KeyState};
pub use ledger::{HandedIn, Health, Ledger, LedgerOptions, OpenError, WriteError};
pub use log::{Inclusion, LogError, LogSigner};
pub use map::{Cut, LaneTips, StateError, StateProof};
pub use outcome::{Origin, Outcome, Refusal};
pub use reader::{Reader, Stored};
pub use receipt::ReceiptError;
pub use restored::{Restored, trust_journals, unconfirmed_journals};
pub use stepped::SteppedLedger;
pub use whole::{WholeLog, forget_followed, verify_store};
pub use witness::{
    Compared, Contradicted, CosignRefusal, KeepNoteError, KeptLog, MOST_AHEAD, OBSERVED_AT_ONCE, ObserveError, Witness,
};
