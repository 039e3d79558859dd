//! Confirming where the journals of this node's keys end, so that they sign again.

use super::decide::needed;
use super::{EVERY, ask};
use crate::sync::Nodes;
use ledger::Ledger;
use ledger::view::Views;
use p2p::message::MAX_JOURNALS;
use p2p::{Handle, PeerId, Request, Response};
use provenance::id::{EventId, PublicKey};
use std::collections::BTreeSet;
use store::StoreError;

/// Asks enrolled peers until every key is confirmed. What this node lacks of a journal comes through the sync.
///
/// A key is confirmed once as many peers as are `needed` have answered, all that they name is here, and one of them
/// names the journal's present end. A journal that has forked already is nobody's to confirm: the author refuses it.
pub(crate) async fn confirm(ledger: Ledger, network: Handle, witnesses: usize) {
    loop {
        let unconfirmed: Vec<PublicKey> = ledger.unconfirmed_journals().into_iter().collect();
        if unconfirmed.is_empty() {
            return;
        }
        match round(&ledger, &network, witnesses, &unconfirmed).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "the journals of this node's keys cannot be confirmed now"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// False if the network has ended.
async fn round(
    ledger: &Ledger,
    network: &Handle,
    witnesses: usize,
    unconfirmed: &[PublicKey],
) -> Result<bool, StoreError> {
    let Ok(connected) = network.peers().await else { return Ok(false) };
    let (of, own) = (ledger.clone(), network.local_peer().to_string());
    let read = tokio::task::spawn_blocking(move || Nodes::new(Views::new(of.reader().clone())).all()).await;
    let Ok(nodes) = read else { return Ok(false) };
    let others: BTreeSet<String> = nodes?.into_keys().filter(|peer| *peer != own).collect();
    // Health says what is to be done where nobody's answer counts.
    let Some(needed) = needed(witnesses, others.len()) else { return Ok(true) };
    let enrolled = |peer: &PeerId| others.is_empty() || others.contains(&peer.to_string());
    let peers: Vec<PeerId> = connected.into_iter().map(|peer| peer.id).filter(enrolled).collect();
    if peers.len() < needed {
        return Ok(true);
    }
    for keys in unconfirmed.chunks(MAX_JOURNALS) {
        let asked = peers.iter().map(|peer| ask(network, peer, Request::Journals { keys: keys.to_vec() }));
        let answers = futures::future::join_all(asked).await;
        let told: Vec<Vec<Vec<EventId>>> = answers
            .into_iter()
            .filter_map(|answer| match answer {
                Ok(Response::Journals { ends }) => Some(ends),
                _ => None,
            })
            .collect();
        if told.len() < needed {
            return Ok(true);
        }
        let (ledger, keys) = (ledger.clone(), keys.to_vec());
        let confirmed = tokio::task::spawn_blocking(move || {
            let mut confirmed = Vec::new();
            for (at, key) in keys.into_iter().enumerate() {
                let ends: Vec<&[EventId]> = told.iter().map(|ends| ends[at].as_slice()).collect();
                if is_confirmed(&ledger, &key, &ends)? {
                    confirmed.push(key);
                }
            }
            if !confirmed.is_empty() {
                ledger.confirm_journals(&confirmed)?;
                tracing::info!(keys = confirmed.len(), "peers have confirmed where the journals of keys end");
            }
            Ok::<_, StoreError>(())
        });
        match confirmed.await {
            Ok(confirmed) => confirmed?,
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

fn is_confirmed(ledger: &Ledger, key: &PublicKey, told: &[&[EventId]]) -> Result<bool, StoreError> {
    for id in told.iter().copied().flatten() {
        if ledger.reader().stored(id)?.is_none() {
            return Ok(false);
        }
    }
    let own: Vec<EventId> = ledger.reader().journal_heads(key)?.into_iter().map(|head| head.event).collect();
    let names_end = |ends: &&[EventId]| own.iter().all(|end| ends.contains(end));
    Ok(own.len() > 1 || told.iter().any(names_end))
}
