//! What a run is like: how many take part, how bad the network is, what goes wrong how often.

use crate::chance::Chance;
use store::{Crash, Fault};

/// A part of the program that is broken on purpose, to see whether the run notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Disks acknowledge what they have not written.
    LyingDisks,
    /// One node's views lose rows.
    LostRows,
    /// One node forgets what lots are made of.
    LostLineage,
    /// One node forgets what does not count.
    LostCounting,
    /// One node's log gets an event that nobody signed.
    ForgedEntry,
    /// A connection that was cut stays cut.
    NoHealing,
    /// A node forgets what it has signed of its log, and signs something else.
    TwoFaces,
}

/// What a run is like. All of it follows from the seed, so that many seeds are many sorts of runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Nodes.
    pub machines: usize,
    /// Those who founded the network; more than half of them can change it.
    pub founders: usize,
    /// People and cooperatives beside the founders.
    pub signers: usize,
    /// How long deeds and faults go on, in milliseconds; then the network heals, and all have to come to the same.
    pub busy_ms: u64,
    /// Deeds that are tried.
    pub deeds: u64,
    /// The longest way of a message, in milliseconds; each takes its own time, so messages overtake each other.
    pub delay_ms: u64,
    /// Messages of a hundred that are lost.
    pub loss_percent: u64,
    /// Messages of a hundred that come twice.
    pub duplicate_percent: u64,
    /// How often machines stop, in the middle of whatever they do.
    pub crashes: u64,
    /// How often a disk fails once, while the machine goes on.
    pub disk_faults: u64,
    /// How often the network falls apart.
    pub partitions: u64,
    /// Entries of a log from which on state maps are compared before it is read.
    pub far: u64,
    /// How much of an answer is sent at once, at most: ids of a page, events, less than the protocol allows.
    pub answered_at_once: usize,
    /// How far clocks are off, at most; one of them lags by much more.
    pub clock_skew_ms: u64,
    /// Signers of a hundred that do not sign one thing after the other.
    pub dishonest_percent: u64,
    /// At which commit of its first life a machine stops, whatever else goes wrong.
    pub stops: Option<(usize, Crash)>,
    /// At which commit of its first life, counted from 0, a machine's disk fails once.
    pub fails: Option<(usize, usize, Fault)>,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Settings {
    /// What the seed says.
    pub fn draw(chance: &mut Chance) -> Self {
        let calm = chance.percent(15);
        let rough = |most: u64, chance: &mut Chance| if calm { 0 } else { chance.between(0, most + 1) };
        Self {
            machines: 2 + chance.index(3),
            founders: *chance.one(&[1, 1, 2, 3]).expect("the list is not empty"),
            signers: 3 + chance.index(4),
            busy_ms: 40_000,
            deeds: chance.between(40, 140),
            delay_ms: *chance.one(&[5, 50, 400, 2_500]).expect("the list is not empty"),
            loss_percent: rough(30, chance),
            duplicate_percent: rough(20, chance),
            crashes: rough(5, chance),
            disk_faults: rough(3, chance),
            partitions: rough(3, chance),
            far: *chance.one(&[3, 12, 30_000]).expect("the list is not empty"),
            answered_at_once: *chance.one(&[2, 7, 4_096]).expect("the list is not empty"),
            clock_skew_ms: *chance.one(&[0, 3_000, 60_000]).expect("the list is not empty"),
            dishonest_percent: *chance.one(&[0, 20, 60]).expect("the list is not empty"),
            stops: None,
            fails: None,
            sabotage: None,
        }
    }
}
