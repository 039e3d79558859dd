//! The machine against peers that follow a script, and against chance.

mod compared;
mod faults;
mod ledgers;
mod paged;
mod poison;
mod world;
