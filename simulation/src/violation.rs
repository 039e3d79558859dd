//! What a run has broken, and how to see it again.

use std::fmt;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// A log lacks or changed what it once showed.
    Lost(String),
    /// A log holds what nobody signed, or what does not verify.
    Invalid(String),
    /// Nodes with the same events differ.
    Differs(String),
    /// A log's hashes are not those of its entries.
    Root(String),
    /// A node signed two checkpoints of one size.
    TwoFaces(String),
    /// Nodes do not come to the same set although nothing goes wrong any more.
    NeverSettled(String),
    /// Something failed that cannot fail here.
    Failed(String),
}

/// A run that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The seed, which makes the same run again.
    pub seed: u64,
    /// After how many happenings.
    pub step: u64,
    /// When, in simulated time.
    pub now_ms: u64,
    /// What.
    pub broken: Broken,
    /// What happened just before.
    pub newest: Vec<String>,
    /// The same for runs that went the same way until here.
    pub trace: [u8; 32],
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "a log lost what it had shown: {what}"),
            Self::Invalid(what) => write!(f, "an invalid event is stored: {what}"),
            Self::Differs(what) => write!(f, "the same events show differently: {what}"),
            Self::Root(what) => write!(f, "a log's root is not that of its entries: {what}"),
            Self::TwoFaces(what) => write!(f, "two checkpoints of one size were signed: {what}"),
            Self::NeverSettled(what) => write!(f, "the nodes never come to the same: {what}"),
            Self::Failed(what) => write!(f, "what cannot fail here failed: {what}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, now_ms, broken, newest, trace: _ } = self;
        for line in newest {
            writeln!(f, "    {line}")?;
        }
        writeln!(f, "seed {seed}, step {step}, after {now_ms} ms: {broken}")?;
        write!(f, "see it again with: cargo run --package simulation -- --seed {seed} --trace")
    }
}

impl std::error::Error for Violation {}

impl Broken {
    /// For what cannot fail in memory.
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}
