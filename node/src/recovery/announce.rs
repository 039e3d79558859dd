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
        let (views, peer) = (Views::new(author.ledger().reader().clone()), peer_id.clone());
        let found = tokio::task::spawn_blocking(move || node(&views, &peer)).await;
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
                    // Most often the signing key is not confirmed yet.
                    Err(error) => tracing::warn!(%error, "the network cannot be told of the log's new key yet"),
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the node's enrolment cannot be read"),
            Err(_) => return,
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The actor whose details name this peer id.
fn node(views: &Views, peer_id: &str) -> Result<Option<(SubjectId, NodeDetails)>, StoreError> {
    let filter = ActorFilter { role: Some(Role::Node), enroller: None };
    let mut cursor = None;
    loop {
        let page = views.actors(&filter, cursor, PageSize::new(PageSize::MAX))?;
        let found = page.rows.into_iter().find_map(|row| {
            let details = row.node.filter(|details| details.peer_id.as_str() == peer_id)?;
            Some((row.id, details))
        });
        cursor = page.next;
        if found.is_some() || cursor.is_none() {
            return Ok(found);
        }
    }
}
