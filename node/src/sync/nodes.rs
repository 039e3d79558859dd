//! Which enrolled nodes stand behind a peer: the actors whose details name its peer id.

use ledger::view::{ActorFilter, PageSize, Views};
use p2p::PeerId;
use provenance::body::Role;
use provenance::id::{PublicKey, SubjectId};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::StoreError;

/// How long the list of nodes is taken for true: enrolments are rare, and asked about often.
const READ_EVERY: Duration = Duration::from_secs(5);

/// More nodes than any network has; the newest are known.
const MAX_NODES: usize = 10_000;

/// The nodes of the network, as their enrolments and updates name them.
pub(crate) struct Nodes {
    views: Views,
    read: Mutex<Option<(Instant, ByPeer)>>,
}

/// Nodes by the peer id that their details name.
type ByPeer = HashMap<String, Vec<EnrolledNode>>;

/// An enrolled node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EnrolledNode {
    /// Its actor.
    pub(crate) actor: SubjectId,
    /// The key of its log.
    pub(crate) log: PublicKey,
}

impl Nodes {
    pub(crate) fn new(views: Views) -> Self {
        Self { views, read: Mutex::default() }
    }

    /// The nodes that name this peer id. Reads the disk now and then.
    pub(super) fn behind(&self, peer: &PeerId) -> Result<Vec<EnrolledNode>, StoreError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.fresh(&mut read)?.get(&peer.to_string()).cloned().unwrap_or_default())
    }

    /// The list, read again where it is too old.
    fn fresh<'a>(&self, read: &'a mut Option<(Instant, ByPeer)>) -> Result<&'a ByPeer, StoreError> {
        let known = read.take().filter(|(at, _)| at.elapsed() < READ_EVERY);
        let known = match known {
            Some(known) => known,
            None => (Instant::now(), self.all()?),
        };
        Ok(&read.insert(known).1)
    }

    /// Whether a node that names this peer id names this key for its log.
    pub(super) fn is_owner(&self, peer: &PeerId, log: &PublicKey) -> Result<bool, StoreError> {
        Ok(self.behind(peer)?.iter().any(|node| node.log == *log))
    }

    /// The keys of all logs, in their order.
    pub(super) fn logs(&self) -> Result<BTreeSet<PublicKey>, StoreError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.fresh(&mut read)?.values().flatten().map(|node| node.log).collect())
    }

    /// The actors of a peer.
    pub(super) fn actors(&self, peer: &PeerId) -> Result<Vec<SubjectId>, StoreError> {
        Ok(self.behind(peer)?.into_iter().map(|node| node.actor).collect())
    }

    /// All nodes, by the peer id that they name. Reads the disk.
    pub(crate) fn all(&self) -> Result<HashMap<String, Vec<EnrolledNode>>, StoreError> {
        let filter = ActorFilter { role: Some(Role::Node), enroller: None };
        let (mut nodes, mut count, mut cursor) = (HashMap::<_, Vec<_>>::new(), 0, None);
        loop {
            let page = self.views.actors(&filter, cursor, PageSize::new(PageSize::MAX))?;
            count += page.rows.len();
            for row in page.rows {
                if let Some(details) = row.node {
                    let node = EnrolledNode { actor: row.id, log: details.log_key };
                    nodes.entry(details.peer_id.as_str().to_owned()).or_default().push(node);
                }
            }
            cursor = page.next;
            if cursor.is_none() || count >= MAX_NODES {
                return Ok(nodes);
            }
        }
    }
}
