//! Cosigning: peers confirm each other's checkpoints, and what became of it is remembered for each peer.

mod ask;
mod compare;
mod exchange;
mod serve;

pub(super) use ask::run;
pub(super) use exchange::exchange;
pub(super) use serve::answer;

use ledger::CosignRefusal;
use p2p::PeerId;
use provenance::id::{EventId, PublicKey};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far apart a log is read once more: it costs as much as following it from its start, so nobody may make this node do
/// it all the time. Who contradicts himself is found the next time, or the time after.
const REREAD_APART: Duration = Duration::from_mins(2);

/// What became of cosigning, by peer. Only enrolled nodes have an entry, so their number bounds it.
#[derive(Debug, Default)]
pub(super) struct Cosigning {
    peers: Mutex<HashMap<PeerId, PeerCosigning>>,
    /// Logs that are being read for a checkpoint now; a second request for one is answered with `behind`.
    at_work: Mutex<HashSet<PublicKey>>,
    /// When a log was last read once more from its start, to look for the proof of a contradiction.
    reread: Mutex<HashMap<PublicKey, Instant>>,
}

/// What became of cosigning between this node and a peer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PeerCosigning {
    /// Size of the newest checkpoint of the peer's log that this node cosigned.
    pub(crate) cosigned_for: Option<u64>,
    /// Size of the newest checkpoint of this node's log that the peer cosigned.
    pub(crate) cosigned_by: Option<u64>,
    /// Why this node refused the peer last, unless it has cosigned since.
    pub(crate) refused_here: Option<String>,
    /// Why the peer refused this node last, unless it has cosigned since.
    pub(crate) refused_there: Option<String>,
    /// Whether the peer's log contradicts what it said before: it is neither followed nor cosigned any more.
    pub(crate) rewritten: bool,
}

/// Why a checkpoint is not cosigned, as a number on the wire and a name for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The log is still being read, or its events still come in: ask again later.
    Behind = 1,
    /// Who asks, or whose log it is, is no enrolled node.
    NotEnrolled = 2,
    /// No checkpoint that the log has signed.
    BadNote = 3,
    /// A newer one was cosigned already.
    Older = 4,
    /// The log contradicts what it said before.
    Rewritten = 5,
    /// The log holds an event twice.
    Repeated = 6,
    /// The log holds events that are not admitted here.
    UnknownEvents = 7,
    /// The log lacks events that it should hold by now.
    Withheld = 8,
    /// The two logs have too little in common.
    TooDifferent = 9,
    /// Its entries lead to another state root.
    OtherState = 10,
    /// The asked node cannot sign or read now.
    Unable = 11,
    /// The log does not show that it only grew since an earlier checkpoint.
    Unproven = 12,
}

impl Reason {
    const ALL: [Self; 12] = [
        Self::Behind,
        Self::NotEnrolled,
        Self::BadNote,
        Self::Older,
        Self::Rewritten,
        Self::Repeated,
        Self::UnknownEvents,
        Self::Withheld,
        Self::TooDifferent,
        Self::OtherState,
        Self::Unable,
        Self::Unproven,
    ];

    /// What people read of the number that a peer sent, which may be newer than this program.
    fn name_of(code: u32) -> String {
        let known = Self::ALL.into_iter().find(|reason| *reason as u32 == code);
        known.map_or_else(|| format!("reason {code}"), |reason| reason.name().to_owned())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::NotEnrolled => "not enrolled",
            Self::BadNote => "bad note",
            Self::Older => "older than one that was cosigned",
            Self::Rewritten => "rewritten log",
            Self::Repeated => "event repeated in the log",
            Self::UnknownEvents => "events unknown here",
            Self::Withheld => "events withheld from the log",
            Self::TooDifferent => "too different",
            Self::OtherState => "other state root",
            Self::Unable => "unable now",
            Self::Unproven => "growth not proven",
        }
    }

    /// The reason of a refusal, and the events that it is about.
    fn of(refusal: &CosignRefusal) -> (Self, Vec<EventId>) {
        let reason = match refusal {
            CosignRefusal::Note(_) | CosignRefusal::OtherNetwork | CosignRefusal::OwnLog => Self::BadNote,
            CosignRefusal::UnknownLog(_) => Self::NotEnrolled,
            CosignRefusal::NotRead { .. } | CosignRefusal::OtherEntries { .. } | CosignRefusal::Busy => Self::Behind,
            CosignRefusal::Older { .. } => Self::Older,
            CosignRefusal::Rewritten { .. } => Self::Rewritten,
            CosignRefusal::Repeated(id) => return (Self::Repeated, vec![*id]),
            CosignRefusal::Unknown(ids) => return (Self::UnknownEvents, ids.clone()),
            CosignRefusal::Withheld(ids) => return (Self::Withheld, ids.clone()),
            CosignRefusal::TooDifferent => Self::TooDifferent,
            CosignRefusal::OtherState => Self::OtherState,
            CosignRefusal::Log(_) | CosignRefusal::Store(_) => Self::Unable,
        };
        (reason, Vec::new())
    }
}

impl Cosigning {
    /// What is known of each peer.
    pub(super) fn all(&self) -> HashMap<PeerId, PeerCosigning> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is known of a peer.
    fn change(&self, peer: &PeerId, change: impl FnOnce(&mut PeerCosigning)) {
        change(self.peers.lock().unwrap_or_else(PoisonError::into_inner).entry(*peer).or_default());
    }

    /// Size of this node's newest checkpoint that the peer cosigned.
    fn cosigned_by(&self, peer: &PeerId) -> Option<u64> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).get(peer).and_then(|known| known.cosigned_by)
    }

    /// Takes note whether the log of a peer contradicts itself.
    fn set_rewritten(&self, peer: &PeerId, rewritten: bool) {
        self.change(peer, |known| known.rewritten = rewritten);
    }

    /// Whether a log may be read once more from its start now; if so, not again for a while.
    fn may_reread(&self, log: PublicKey, now: Instant) -> bool {
        let mut reread = self.reread.lock().unwrap_or_else(PoisonError::into_inner);
        reread.retain(|_, at| now.saturating_duration_since(*at) < REREAD_APART);
        let may = !reread.contains_key(&log);
        if may {
            reread.insert(log, now);
        }
        may
    }

    /// Begins to read a log, unless that is going on already.
    fn begin(&self, log: PublicKey) -> Option<AtWork<'_>> {
        let begun = self.at_work.lock().unwrap_or_else(PoisonError::into_inner).insert(log);
        begun.then_some(AtWork { cosigning: self, log })
    }
}

/// A log that is being read until this is dropped.
#[derive(Debug)]
struct AtWork<'a> {
    cosigning: &'a Cosigning,
    log: PublicKey,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.cosigning.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.log);
    }
}

#[cfg(test)]
mod tests {
    mod rewritten;

    use super::*;

    #[test]
    fn numbers_on_the_wire_never_change() {
        let numbers: Vec<u32> = Reason::ALL.into_iter().map(|reason| reason as u32).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<u32>>());
        assert_eq!(
            (Reason::name_of(8), Reason::name_of(99)),
            (Reason::Withheld.name().to_owned(), "reason 99".to_owned())
        );
    }

    #[test]
    fn a_log_is_not_read_once_more_all_the_time() {
        let (cosigning, now) = (Cosigning::default(), Instant::now());
        let logs = [1, 2].map(|number| PublicKey::from_bytes([number; 32]));
        assert!(cosigning.may_reread(logs[0], now) && cosigning.may_reread(logs[1], now));
        assert!(!cosigning.may_reread(logs[0], now + REREAD_APART / 2));
        assert!(cosigning.may_reread(logs[0], now + REREAD_APART));
    }

    #[test]
    fn one_log_is_read_once_at_a_time() {
        let cosigning = Cosigning::default();
        let log = PublicKey::from_bytes([1; 32]);
        let begun = cosigning.begin(log);
        assert!(begun.is_some() && cosigning.begin(log).is_none());
        drop(begun);
        assert!(cosigning.begin(log).is_some());
    }
}
