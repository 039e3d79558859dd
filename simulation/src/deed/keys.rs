//! Keys that are added, rotated, replaced and revoked; now and then with a cut that is none.

use super::{Draft, Gift, Knowledge, at_tips, plain, text};
use crate::chance::Chance;
use crate::signer::{Signer, new_key, public};
use ed25519_dalek::{Signer as _, SigningKey};
use provenance::body::{ActorRevoked, Body, Custody, Cut, JournalRoot, KeyAdded, KeyReplaced, KeyRotated};
use provenance::id::{EventId, SubjectId};
use provenance::merkle::{Frontier, Hash, leaf_hash};
use provenance::payload::Lane;
use std::collections::BTreeMap;
use store::StoreError;

/// Of a hundred cuts and rotations, how many describe a journal that is not there.
const WRONG_PERCENT: u64 = 12;

/// How a cut is wrong.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Count,
    Root,
}

impl Wrong {
    fn draw(chance: &mut Chance) -> Option<Self> {
        let wrong = chance.percent(WRONG_PERCENT);
        wrong.then(|| if chance.percent(50) { Self::Count } else { Self::Root })
    }
}

/// Signs a body with the key that it gives.
macro_rules! countersigned {
    ($body:expr, $key:expr, $known:expr, $actor:expr) => {{
        let mut body = $body;
        let message = body.countersigned_bytes(&$known.id(), &$actor);
        body.countersignature = $key.sign(&message).to_bytes().into();
        body
    }};
}

/// A further key.
pub(super) fn addition(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    if who.is_founder() {
        return Ok(None);
    }
    let key = new_key(chance);
    let body = KeyAdded { key: public(&key), custody: Custody::Own, name: None, countersignature: [0; 64].into() };
    let body = countersigned!(body, key, known, who.actor);
    giving(who.actor, &[], key, Body::ActorKeyAdded(body), known).map(Some)
}

/// Another key in the place of the one that signs.
pub(super) fn rotation(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    let (key, wrong) = (new_key(chance), Wrong::draw(chance));
    let mut journal = JournalRoot { count: who.line.len() as u64, root: root_of(&who.line) };
    spoil(wrong, &mut journal.count, &mut journal.root);
    let body = KeyRotated { key: public(&key), custody: Custody::Own, journal, countersignature: [0; 64].into() };
    let body = countersigned!(body, key, known, who.actor);
    let draft = giving(who.actor, &[], key, Body::ActorKeyRotated(body), known)?;
    Ok(Some(Draft { is_wrong: wrong.is_some(), ..draft }))
}

/// Somebody below gets another key, and one or some of his old ones end.
pub(super) fn replacement(
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let Some(victim) = somebody_below(who, known, chance)? else { return Ok(None) };
    let (key, wrong) = (new_key(chance), Wrong::draw(chance));
    let cuts = cuts(victim, chance.percent(30), wrong, known, chance)?;
    let body =
        KeyReplaced { key: public(&key), custody: Custody::Own, cuts, reason: None, countersignature: [0; 64].into() };
    let body = countersigned!(body, key, known, victim.actor);
    let draft = giving(victim.actor, &[victim.enrolment], key, Body::ActorKeyReplaced(body), known)?;
    Ok(Some(Draft { is_wrong: wrong.is_some(), ..draft }))
}

/// Keys of somebody below end.
pub(super) fn revocation(
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let Some(victim) = somebody_below(who, known, chance)? else { return Ok(None) };
    let wrong = Wrong::draw(chance);
    let cuts = cuts(victim, chance.percent(60), wrong, known, chance)?;
    let touch = at_tips(known, victim.actor, Lane::Main)?;
    let body = Body::ActorRevoked(ActorRevoked { reason: text("left the network"), cuts });
    Ok(Some(Draft { is_wrong: wrong.is_some(), ..plain(touch, &[victim.enrolment], body) }))
}

fn giving(
    actor: SubjectId,
    basis: &[EventId],
    key: SigningKey,
    body: Body,
    known: &Knowledge<'_>,
) -> Result<Draft, StoreError> {
    let gives = Some(Gift::Key { key, actor });
    Ok(Draft { gives, ..plain(at_tips(known, actor, Lane::Main)?, basis, body) })
}

/// Somebody above whom the signer stands; rather one whose journal has forked.
fn somebody_below<'a>(
    who: &Signer,
    known: &Knowledge<'a>,
    chance: &mut Chance,
) -> Result<Option<&'a Signer>, StoreError> {
    let mut below = Vec::new();
    for signer in known.signers.iter().filter(|signer| signer.above.contains(&who.actor)) {
        if known.knows(&signer.key_event)? {
            below.push(signer);
        }
    }
    let is_copied = |one: &&Signer| below.iter().filter(|other| other.key_event == one.key_event).count() > 1;
    let copied: Vec<&Signer> = below.iter().copied().filter(is_copied).collect();
    let among = if copied.is_empty() || chance.percent(30) { below } else { copied };
    Ok(chance.one(&among).copied())
}

/// Where journals of an actor end: that of one key, or all that the node knows.
fn cuts(
    victim: &Signer,
    of_all: bool,
    wrong: Option<Wrong>,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Vec<Cut>, StoreError> {
    let mut cuts = BTreeMap::from([(victim.key_event, cut(victim, wrong, known, chance)?)]);
    for signer in known.signers.iter().filter(|signer| of_all && signer.actor == victim.actor) {
        if cuts.len() < 16 && !cuts.contains_key(&signer.key_event) && known.knows(&signer.key_event)? {
            cuts.insert(signer.key_event, cut(signer, None, known, chance)?);
        }
    }
    Ok(cuts.into_values().collect())
}

/// Some end of a key's journal, as far as the node knows that, with later events that stand.
pub(super) fn cut_of(of: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Cut, StoreError> {
    cut(of, None, known, chance)
}

fn cut(of: &Signer, wrong: Option<Wrong>, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Cut, StoreError> {
    let mut line = Vec::new();
    for id in &of.line {
        if !known.knows(id)? {
            break;
        }
        line.push(*id);
    }
    // The last ones matter more than what was signed long ago.
    let back = if chance.percent(60) { chance.index(line.len().min(3) + 1) } else { chance.index(line.len() + 1) };
    let (before, _) = line.split_at(line.len() - back);
    let mut stands = Vec::new();
    if chance.percent(30) {
        for copy in known.signers.iter().filter(|signer| signer.key_event == of.key_event) {
            if let Some(id) = copy.line.iter().rfind(|id| !before.contains(id))
                && known.knows(id)?
            {
                stands.push(*id);
            }
        }
        stands.sort_unstable();
        stands.dedup();
        stands.truncate(64);
    }
    let last = before.last().copied().unwrap_or(of.key_event);
    let (mut count, mut root) = (before.len() as u64, root_of(before));
    spoil(wrong, &mut count, &mut root);
    Ok(Cut { key_event: of.key_event, last, count, root, stands })
}

fn spoil(wrong: Option<Wrong>, count: &mut u64, root: &mut Hash) {
    match wrong {
        Some(Wrong::Count) => *count += 1,
        Some(Wrong::Root) => root[0] ^= 1,
        None => {}
    }
}

fn root_of(ids: &[EventId]) -> Hash {
    let mut frontier = Frontier::default();
    for id in ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    frontier.root()
}
