//! Faults of the world: networks that break apart, wires that are slow, disks that are full, peers that mean harm.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod backup;
mod catching_up;
mod full_disk;
mod hostile;
mod latency;
mod overload;
mod partition;
mod recovery;
