//! The roll of enrolled nodes: what the network crate needs to know of the ledger to let nodes in.

use ledger::view::{ActorFilter, PageSize, ViewFollower, Views};
use ledger::{KeyState, Ledger};
use p2p::{PeerId, Roll};
use provenance::body::Role;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StoreError;
use tokio::sync::watch;

/// How often the roll is read at most, however fast the log grows: enrolments are rare.
const READ_EVERY: Duration = Duration::from_secs(2);

/// The part of the time that may go into reading the roll, however many nodes there are: one in so many.
const READ_ONE_IN: u32 = 20;

/// Nodes that are known at most: some megabytes of memory, and more than any network has. Of those beyond it nobody is let
/// in who was not before, and none of those before is taken for revoked.
const MAX_NODES: usize = 50_000;

/// The roll as of now; `own` is this node's peer id, and `open_reading` says whether its own settings let anyone read. Reads
/// the disk. While the views have still to read the log nobody is enrolled.
pub(super) fn read(ledger: &Ledger, own: PeerId, open_reading: bool) -> Result<Roll, StoreError> {
    let roll = watch::Sender::new(Arc::new(Roll { open_reading, ..Roll::default() }));
    let end = ledger.size();
    let told = told(ledger, own)?;
    if views_have_read(ledger, end) {
        tell(&roll, told, open_reading);
    }
    Ok(Roll::clone(&roll.borrow()))
}

/// Tells of a new roll whenever the ledger knows other nodes than before, or the founders agreed on something else about
/// reading, until the ledger ends. Arguments as for [`read`].
pub(super) async fn run(ledger: Ledger, roll: watch::Sender<Arc<Roll>>, own: PeerId, open_reading: bool) {
    let mut size = ledger.watch_size();
    loop {
        let end = *size.borrow_and_update();
        // The views must have read what is new, and must not be made again meanwhile.
        if !ledger.followed(end.saturating_sub(1)).await {
            return;
        }
        let (reader, begin) = (ledger.clone(), Instant::now());
        let told = tokio::task::spawn_blocking(move || told(&reader, own)).await;
        let pause = READ_EVERY.max(begin.elapsed() * READ_ONE_IN);
        match told {
            Ok(Ok(told)) if views_have_read(&ledger, end) => tell(&roll, told, open_reading),
            Ok(Ok(_)) => {
                tokio::time::sleep(pause).await;
                continue;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the enrolled nodes cannot be read; who is let in stays as it was");
            }
            Err(_) => return,
        }
        tokio::time::sleep(pause).await;
        if size.changed().await.is_err() {
            return;
        }
    }
}

/// What the ledger tells of nodes.
#[derive(Debug, Default)]
struct Told {
    /// The peer ids of nodes with a living key.
    enrolled: HashSet<PeerId>,
    /// Those of nodes of which every key was ended.
    ended: HashSet<PeerId>,
    /// Whether there are nodes beyond [`MAX_NODES`], of which nothing is told.
    more: bool,
    /// Whether no other node than this one was ever enrolled.
    founding: bool,
    /// Whether the founders agreed that anyone may read.
    open_reading: bool,
}

fn tell(roll: &watch::Sender<Arc<Roll>>, told: Told, open_reading: bool) {
    let Told { mut enrolled, ended, more, founding, open_reading: agreed } = told;
    roll.send_if_modified(|before| {
        if more {
            tracing::error!(
                "more than {MAX_NODES} nodes are enrolled; nodes beyond these are not let in, and one whose enrolment \
                 was undone may not be noticed: find out who enrols so many, and revoke them"
            );
            enrolled.extend(before.enrolled.difference(&ended));
        }
        // Who was a node and is none any more is kept out, also where the operator named it.
        let gone = ended.iter().chain(&before.enrolled).chain(&before.revoked);
        let revoked = gone.filter(|peer| !enrolled.contains(peer)).take(MAX_NODES).copied().collect();
        let after = Roll { enrolled, revoked, founding, open_reading: open_reading || agreed };
        let differs = **before != after;
        if differs {
            *before = Arc::new(after);
        }
        differs
    });
}

fn views_have_read(ledger: &Ledger, end: u64) -> bool {
    let followers = ledger.health().followers;
    followers.iter().filter(|follower| follower.name == ViewFollower::NAME).all(|follower| follower.next >= end)
}

/// The peer ids that the details of actors with a node's role name, and what the amendments in force say.
fn told(ledger: &Ledger, own: PeerId) -> Result<Told, StoreError> {
    let views = Views::new(ledger.reader().clone());
    let filter = ActorFilter { role: Some(Role::Node), enroller: None };
    let mut told = Told { open_reading: views.network(ledger.network())?.open_reading(), ..Told::default() };
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = views.actors(&filter, cursor, PageSize::new(PageSize::MAX))?;
        count += page.rows.len();
        for row in page.rows {
            let lives = row.keys.iter().any(|key| key.state == KeyState::Live);
            // A text that is no peer id names nobody.
            if let Some(peer) = row.node.and_then(|node| node.peer_id.as_str().parse().ok()) {
                if lives {
                    told.enrolled.insert(peer)
                } else {
                    told.ended.insert(peer)
                };
            }
        }
        cursor = page.next;
        told.more = cursor.is_some();
        if !told.more || count >= MAX_NODES {
            break;
        }
    }
    let others = told.enrolled.union(&told.ended).any(|peer| *peer != own);
    if others && !ledger.is_founded()? {
        ledger.note_founded()?;
    }
    // An enrolment can be undone, but what was a network never becomes the beginning of one again.
    told.founding = !others && !ledger.is_founded()?;
    Ok(told)
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

    fn nodes(enrolled: impl Into<HashSet<PeerId>>) -> Told {
        Told { enrolled: enrolled.into(), ..Told::default() }
    }

    #[test]
    fn who_left_the_roll_is_revoked_until_it_comes_back() {
        let [a, b, c] = peers(1);
        let (roll, told) = watch::channel(Arc::default());
        tell(&roll, nodes([a, b]), true);
        assert_eq!(told.borrow().revoked, HashSet::new());
        tell(&roll, nodes([b, c]), true);
        assert_eq!(told.borrow().revoked, [a].into());
        tell(&roll, nodes([a]), true);
        assert_eq!(told.borrow().revoked, [b, c].into());
        assert!(told.borrow().open_reading, "the setting stays");
    }

    #[test]
    fn a_node_whose_keys_were_ended_is_revoked_whenever_that_is_learned() {
        let [a, b] = peers(1);
        let (roll, told) = watch::channel(Arc::default());
        tell(&roll, Told { ended: [b].into(), ..nodes([a]) }, false);
        assert_eq!((&told.borrow().enrolled, &told.borrow().revoked), (&[a].into(), &[b].into()));
        tell(&roll, nodes([a, b]), false);
        assert_eq!(told.borrow().revoked, HashSet::new(), "it has a new key");
    }

    #[test]
    fn nobody_is_revoked_by_a_flood_of_other_nodes() {
        let [a, b, c] = peers(1);
        let (roll, told) = watch::channel(Arc::default());
        tell(&roll, nodes([a, b]), false);
        tell(&roll, Told { more: true, ended: [b].into(), ..nodes([c]) }, false);
        assert_eq!((&told.borrow().enrolled, &told.borrow().revoked), (&[a, c].into(), &[b].into()));
    }

    #[test]
    fn anyone_may_read_where_the_founders_or_the_operator_say_so() {
        let (roll, told) = watch::channel(Arc::default());
        for (agreed, set) in [(false, false), (true, false), (false, true), (true, true), (false, false)] {
            tell(&roll, Told { open_reading: agreed, ..Told::default() }, set);
            assert_eq!(told.borrow().open_reading, agreed || set);
        }
    }

    #[test]
    fn nothing_is_told_where_nothing_changed() {
        let (roll, mut told) = watch::channel(Arc::default());
        let [a] = peers(1);
        tell(&roll, nodes([a]), false);
        assert!(told.has_changed().unwrap());
        told.borrow_and_update();
        tell(&roll, nodes([a]), false);
        assert!(!told.has_changed().unwrap());
    }
}
