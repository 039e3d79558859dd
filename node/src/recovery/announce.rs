//! Telling the network that this node's log has a new key: an `actor.updated` of the actor that is this node.

use super::EVERY;
use ledger::author::{Author, Context, UpdateActor};
use ledger::view::{ActorFilter, PageSize, Views};
use provenance::body::{NodeDetails, Role};
use provenance::id::{PublicKey, SubjectId};
use store::StoreError;

/// Tries until the node's enrolment names the present key of its log. There is nothing to do for a log whose key was
/// never changed, nor for a node that is not enrolled.
pub(crate) async fn announce(author: Author, peer_id: String, log: PublicKey) {
    while let Ok(true) = author.ledger().has_new_log_key() {
        let (of, peer) = (author.clone(), peer_id.clone());
        let found = tokio::task::spawn_blocking(move || node(&of, &peer, log)).await;
        match found {
            Ok(Ok(Some((_, details)))) if details.log_key == log => {
                if let Err(error) = author.ledger().log_key_is_known() {
                    tracing::warn!(%error, "that the new log key is known cannot be noted");
                }
                return;
            }
            Ok(Ok(Some((actor, details)))) => {
                let update = UpdateActor {
                    display_name: None,
                    gln: None,
                    gs1_prefixes: None,
                    node: Some(NodeDetails { log_key: log, ..details }),
                };
                let context = Context { actor: Some(actor), ..Context::default() };
                match author.update_actor(context, update).await {
                    Ok(_) => tracing::info!(%log, "the network is told of the log's new key"),
                    Err(error) => tracing::warn!(%error, "the network cannot be told of the log's new key yet"),
                }
            }
            // Most often the signing key is not confirmed yet.
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the node's enrolment cannot be read"),
            Err(_) => return,
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The actor that is this node, with its details: they name this peer id, and this node signs for it.
fn node(author: &Author, peer_id: &str, log: PublicKey) -> Result<Option<(SubjectId, NodeDetails)>, StoreError> {
    let views = Views::new(author.ledger().reader().clone());
    let filter = ActorFilter { role: Some(Role::Node), enroller: None };
    let (mut named, mut cursor) = (Vec::new(), None);
    loop {
        let page = views.actors(&filter, cursor, PageSize::new(PageSize::MAX))?;
        let details = page.rows.into_iter().filter_map(|row| Some((row.id, row.node?)));
        named.extend(details.filter(|(_, details)| details.peer_id.as_str() == peer_id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let former = author.ledger().former_log_key()?;
    own(named, former, log, |actor| author.signs_for(actor))
}

/// Which of the actors that name the node's peer id is the node. Anybody who is enrolled can claim the peer id, so only
/// those count for which the node signs; of several, the one whose log had the former key comes first, then the one
/// whose log has the new key already.
fn own<E>(
    named: Vec<(SubjectId, NodeDetails)>,
    former: Option<PublicKey>,
    log: PublicKey,
    signs_for: impl Fn(&SubjectId) -> Result<bool, E>,
) -> Result<Option<(SubjectId, NodeDetails)>, E> {
    let mut found = Vec::new();
    for (actor, details) in named {
        if signs_for(&actor)? {
            found.push((actor, details));
        }
    }
    let rank = |details: &NodeDetails| match details.log_key {
        key if Some(key) == former => 0,
        key if key == log => 1,
        // A log that was restored twice from one backup: its former key was never announced.
        _ => 2,
    };
    Ok(found.into_iter().min_by_key(|(_, details)| rank(details)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::value::Text;
    use std::convert::Infallible;

    fn actor(number: u8) -> SubjectId {
        SubjectId::from_bytes([number; 32])
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32])
    }

    /// An actor that claims the peer id, with this key for its log.
    fn claims(number: u8, log: u8) -> (SubjectId, NodeDetails) {
        let peer_id = Text::new(p2p::IdentitySeed::from([1; 32]).peer_id().to_string()).unwrap();
        (actor(number), NodeDetails { log_key: key(log), peer_id, anchoring: None })
    }

    /// The log had key 1 and has key 2; the node signs for actors 5 and 6.
    fn chosen(named: &[(SubjectId, NodeDetails)], former: Option<PublicKey>) -> Option<SubjectId> {
        let signs = |of: &SubjectId| Ok::<_, Infallible>([actor(5), actor(6)].contains(of));
        own(named.to_vec(), former, key(2), signs).unwrap().map(|(actor, _)| actor)
    }

    #[test]
    fn whoever_else_claims_the_peer_id_is_passed_over() {
        let former = Some(key(1));
        assert_eq!(chosen(&[claims(9, 1), claims(8, 2), claims(5, 1)], former), Some(actor(5)));
        assert_eq!(chosen(&[claims(9, 1), claims(8, 2)], former), None);
    }

    #[test]
    fn the_one_that_had_the_former_log_comes_first() {
        assert_eq!(chosen(&[claims(5, 2), claims(6, 1)], Some(key(1))), Some(actor(6)));
        assert_eq!(chosen(&[claims(5, 4), claims(6, 2)], Some(key(1))), Some(actor(6)));
        assert_eq!(chosen(&[claims(5, 4)], Some(key(1))), Some(actor(5)), "the former key was never announced");
        assert_eq!(chosen(&[claims(5, 1)], None), Some(actor(5)));
    }
}
