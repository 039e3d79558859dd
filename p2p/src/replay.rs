//! Which gossip a peer brought already, longer than the gossip protocol remembers.
//!
//! The gossip protocol drops what it saw in the last minutes, whoever sends it. Who records messages and
//! sends them again later would have them judged again each time. An honest node never sends one
//! message twice to the same peer.

use std::collections::{HashSet, VecDeque};

/// Messages remembered of one peer, eight bytes each: hours of lively gossip.
const REMEMBERED: usize = 4096;

/// What one peer brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Brought {
    /// Takes note of a message by its id, a hash. Returns whether the peer brought it before.
    ///
    /// Eight bytes of the hash are enough: to make an honest message look repeated, somebody would
    /// have to find one that collides with it beforehand, and would only delay it.
    pub(crate) fn again(&mut self, message_id: &[u8]) -> bool {
        let Some(short) = message_id.first_chunk::<8>().copied().map(u64::from_be_bytes) else { return false };
        if !self.known.insert(short) {
            return true;
        }
        self.order.push_back(short);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_is_noticed_and_memory_bounded() {
        let mut brought = Brought::default();
        let id = |number: usize| (number as u64).to_be_bytes();
        assert!((0..REMEMBERED).all(|number| !brought.again(&id(number))));
        assert!(brought.again(&id(0)));
        assert!(!brought.again(&id(REMEMBERED)) && !brought.again(&id(0)), "the oldest was forgotten");
        assert_eq!(brought.known.len(), REMEMBERED);
        assert!(!brought.again(&[1, 2]), "no id of this protocol");
    }
}
