//! The roll of enrolled nodes: what the network crate needs to know of the ledger to let nodes in.

use ledger::Ledger;
use ledger::view::{ActorFilter, PageSize, ViewFollower, Views};
use p2p::{PeerId, Roll};
use provenance::body::Role;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio::sync::watch;

/// How often the roll is read at most, however fast the log grows: enrolments are rare.
const READ_EVERY: Duration = Duration::from_secs(2);

/// More nodes than any network has; the newest are known.
const MAX_NODES: usize = 10_000;

/// The roll as of now. Reads the disk.
pub(super) fn read(ledger: &Ledger, open_reading: bool) -> Result<Roll, StoreError> {
    Ok(Roll { enrolled: enrolled(ledger)?, revoked: HashSet::new(), open_reading })
}

/// Tells of a new roll whenever the ledger knows other nodes than before, until the ledger ends.
pub(super) async fn run(ledger: Ledger, roll: watch::Sender<Arc<Roll>>) {
    let mut size = ledger.watch_size();
    loop {
        let end = *size.borrow_and_update();
        // The views must have read what is new, and must not be made again meanwhile.
        if !ledger.followed(end.saturating_sub(1)).await {
            return;
        }
        let reader = ledger.clone();
        match tokio::task::spawn_blocking(move || enrolled(&reader)).await {
            Ok(Ok(enrolled)) if views_have_read(&ledger, end) => tell(&roll, enrolled),
            Ok(Ok(_)) => {
                tokio::time::sleep(READ_EVERY).await;
                continue;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the enrolled nodes cannot be read; who is let in stays as it was");
            }
            Err(_) => return,
        }
        tokio::time::sleep(READ_EVERY).await;
        if size.changed().await.is_err() {
            return;
        }
    }
}

fn tell(roll: &watch::Sender<Arc<Roll>>, enrolled: HashSet<PeerId>) {
    roll.send_if_modified(|before| {
        let differs = before.enrolled != enrolled;
        if differs {
            // Who was a node and is none any more is kept out, also where the operator named it.
            let gone = before.enrolled.iter().chain(&before.revoked).filter(|peer| !enrolled.contains(peer));
            let revoked = gone.take(MAX_NODES).copied().collect();
            *before = Arc::new(Roll { enrolled, revoked, open_reading: before.open_reading });
        }
        differs
    });
}

fn views_have_read(ledger: &Ledger, end: u64) -> bool {
    let followers = ledger.health().followers;
    followers.iter().filter(|follower| follower.name == ViewFollower::NAME).all(|follower| follower.next >= end)
}

/// The peer ids that the details of actors with a node's role name.
fn enrolled(ledger: &Ledger) -> Result<HashSet<PeerId>, StoreError> {
    let views = Views::new(ledger.reader().clone());
    let filter = ActorFilter { role: Some(Role::Node), enroller: None };
    let (mut peers, mut count, mut cursor) = (HashSet::new(), 0, None);
    loop {
        let page = views.actors(&filter, cursor, PageSize::new(PageSize::MAX))?;
        count += page.rows.len();
        // A text that is no peer id names nobody.
        peers.extend(page.rows.into_iter().filter_map(|row| row.node?.peer_id.as_str().parse::<PeerId>().ok()));
        cursor = page.next;
        if cursor.is_none() || count >= MAX_NODES {
            return Ok(peers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers<const N: usize>(first: u8) -> [PeerId; N] {
        std::array::from_fn(|index| {
            let seed = first + u8::try_from(index).unwrap();
            p2p::IdentitySeed::from([seed; 32]).peer_id()
        })
    }

    #[test]
    fn who_left_the_roll_is_revoked_until_it_comes_back() {
        let [a, b, c] = peers(1);
        let (roll, told) = watch::channel(Arc::new(Roll { open_reading: true, ..Roll::default() }));
        tell(&roll, [a, b].into());
        assert_eq!(told.borrow().revoked, HashSet::new());
        tell(&roll, [b, c].into());
        assert_eq!(told.borrow().revoked, [a].into());
        tell(&roll, [a].into());
        assert_eq!(told.borrow().revoked, [b, c].into());
        assert!(told.borrow().open_reading, "the setting stays");
    }

    #[test]
    fn nothing_is_told_where_nothing_changed() {
        let (roll, mut told) = watch::channel(Arc::default());
        let [a] = peers(1);
        tell(&roll, [a].into());
        assert!(told.has_changed().unwrap());
        told.borrow_and_update();
        tell(&roll, [a].into());
        assert!(!told.has_changed().unwrap());
    }
}
