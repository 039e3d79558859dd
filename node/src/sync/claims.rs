//! Which events are being fetched from some peer now, so that several peers are not asked for the same.

use provenance::id::EventId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a claim keeps others from asking. A peer that takes longer is slow or hostile, and the
/// next one is asked.
const CLAIM_LASTS: Duration = Duration::from_secs(5);

/// Ids that are being fetched.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<EventId, Instant>>);

/// Some ids, claimed until this is dropped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    ids: Vec<EventId>,
}

impl Claims {
    /// Claims those of `ids` that nobody has claimed lately, in their order.
    pub(super) fn take(&self, ids: &[EventId], now: Instant) -> Claim<'_> {
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free =
            |since: Option<&Instant>| since.is_none_or(|since| now.saturating_duration_since(*since) >= CLAIM_LASTS);
        let mut taken = Vec::new();
        for id in ids {
            if is_free(claimed.get(id)) {
                claimed.insert(*id, now);
                taken.push(*id);
            }
        }
        Claim { claims: self, ids: taken }
    }
}

impl Claim<'_> {
    /// What was claimed.
    pub(super) fn ids(&self) -> &[EventId] {
        &self.ids
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut claimed = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            claimed.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_claimed_once_until_it_is_free_or_stale() {
        let (claims, now) = (Claims::default(), Instant::now());
        let ids = [1, 2].map(|byte| EventId::from_bytes([byte; 32]));
        let first = claims.take(&ids[..1], now);
        assert_eq!(claims.take(&ids, now).ids(), &ids[1..]);
        assert_eq!(claims.take(&ids, now + CLAIM_LASTS).ids(), ids);
        drop(first);
        assert_eq!(claims.take(&ids, now).ids(), ids);
        assert!(claims.0.lock().unwrap().is_empty(), "nothing is left behind");
    }
}
