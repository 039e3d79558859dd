//! What happened in a run, as text: hashed, so that two runs can be compared, and kept for whoever looks for the cause.

use provenance::id::sha256;
use std::collections::VecDeque;

/// Lines that are kept for the report of a violation.
const KEPT: usize = 40;

/// The story of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: [u8; 32],
    newest: VecDeque<String>,
    printing: bool,
}

impl Trace {
    /// An empty story, printed as it goes on or not.
    pub fn new(printing: bool) -> Self {
        Self { hash: [0; 32], newest: VecDeque::new(), printing }
    }

    pub fn tell(&mut self, now_ms: u64, line: &str) {
        let line = format!("{:>9.3} {line}", std::time::Duration::from_millis(now_ms).as_secs_f64());
        self.hash = sha256(&[&self.hash, line.as_bytes()]);
        if self.printing {
            println!("{line}");
        }
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(line);
    }

    /// SHA-256 over all lines: runs with the same have gone the same way.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The newest lines.
    pub fn newest(&self) -> Vec<String> {
        self.newest.iter().cloned().collect()
    }
}
