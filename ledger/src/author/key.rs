//! Keys that come and go: added, rotated, replaced, revoked; and where the journals of old ones end.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::{Author, AuthorError, Context, Done, EnrolledKey};
use crate::keys::{self, ActorKey, KeyState};
use minicbor::bytes::ByteArray;
use provenance::admission::{Ancestry, Rule};
use provenance::body::{ActorRevoked, Body, Custody, Cut, JournalRoot, KeyAdded, KeyReplaced, KeyRotated};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::empty_root;
use provenance::value::Text;
use std::collections::BTreeMap;

/// Gives the signing actor a further key, as for a second device: `actor.key_added`.
#[derive(Debug, Clone)]
pub struct AddKey {
    /// The further key.
    pub key: EnrolledKey,
    /// Who holds its secret half.
    pub custody: Custody,
    /// What it is called, such as the name of a device.
    pub name: Option<Text<128>>,
}

/// Puts a new key in the place of one that the signing actor still has: `actor.key_rotated`. The old key signs this as
/// its last event.
#[derive(Debug, Clone)]
pub struct RotateKey {
    /// The old key; the newest live one where it is not said.
    pub old: Option<PublicKey>,
    /// The new key.
    pub key: EnrolledKey,
    /// Who holds its secret half.
    pub custody: Custody,
}

/// Where the journals of an actor's keys end. All its living keys end, each with the last event that is known here,
/// where nothing else is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The last events that are right, at most one of each key.
    pub last: Vec<EventId>,
    /// Keys of which nothing is right.
    pub nothing_of: Vec<PublicKey>,
    /// Later events that stand nevertheless, in any order.
    pub stands: Vec<EventId>,
}

/// Gives an actor below the signer a new key in the place of all that it has: `actor.key_replaced`.
#[derive(Debug, Clone)]
pub struct ReplaceKey {
    /// Whose keys.
    pub of: SubjectId,
    /// The new key.
    pub key: EnrolledKey,
    /// Who holds its secret half.
    pub custody: Custody,
    /// Where the old ones end.
    pub ends: Ends,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Ends all keys of an actor below the signer: actor.revoked.
#[derive(Debug, Clone)]
pub struct RevokeActor {
    /// Whose keys.
    pub of: SubjectId,
    /// Where they end.
    pub ends: Ends,
    /// Why.
    pub reason: Text<512>,
}

impl Author {
    /// Gives the signing actor a further key.
    pub async fn add_key(&self, context: Context, command: AddKey) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Puts a new key in the place of an old one, which signs it.
    pub async fn rotate_key(&self, context: Context, command: RotateKey) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Gives somebody below the signing actor a new key, and ends the old ones.
    pub async fn replace_key(&self, context: Context, command: ReplaceKey) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Ends all keys of somebody below the signing actor.
    pub async fn revoke_actor(&self, context: Context, command: RevokeActor) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }
}

impl Command for AddKey {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        extends_own_keys(draft)?;
        let (key, custody, name) = (new_key(draft, &self.key)?, self.custody, self.name.clone());
        let mut body = KeyAdded { key, custody, name, countersignature: ByteArray::from([0; 64]) };
        let consent = body.countersigned_bytes(&draft.desk().network_id, &draft.signer());
        body.countersignature = countersignature(draft, &self.key, &key, &consent)?;
        Ok(Body::ActorKeyAdded(body))
    }
}

impl Command for RotateKey {
    fn signing_key(&self) -> Option<PublicKey> {
        self.old
    }

    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        extends_own_keys(draft)?;
        let (last, key_event) = (draft.journal(), draft.key_event());
        let (count, root) = if last == key_event { (0, empty_root()) } else { end_at(draft, last)? };
        let (key, custody, journal) = (new_key(draft, &self.key)?, self.custody, JournalRoot { count, root });
        let mut body = KeyRotated { key, custody, journal, countersignature: ByteArray::from([0; 64]) };
        let consent = body.countersigned_bytes(&draft.desk().network_id, &draft.signer());
        body.countersignature = countersignature(draft, &self.key, &key, &consent)?;
        Ok(Body::ActorKeyRotated(body))
    }
}

impl Command for ReplaceKey {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        extends_keys_below(draft, &self.of)?;
        let cuts = cuts_of(draft, &self.of, &self.ends)?;
        let (key, custody, reason) = (new_key(draft, &self.key)?, self.custody, self.reason.clone());
        let mut body = KeyReplaced { key, custody, cuts, reason, countersignature: ByteArray::from([0; 64]) };
        let consent = body.countersigned_bytes(&draft.desk().network_id, &self.of);
        body.countersignature = countersignature(draft, &self.key, &key, &consent)?;
        Ok(Body::ActorKeyReplaced(body))
    }
}

impl Command for RevokeActor {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        extends_keys_below(draft, &self.of)?;
        let cuts = cuts_of(draft, &self.of, &self.ends)?;
        Ok(Body::ActorRevoked(ActorRevoked { reason: self.reason.clone(), cuts }))
    }
}

/// The signer changes its own keys. Admission looks at this again; a key is only made where it may be given.
fn extends_own_keys(draft: &mut Draft<'_>) -> Result<(), AuthorError> {
    if draft.key_event() == draft.desk().network_id.as_event() {
        return Err(AuthorError::Rule(Rule::FounderKey));
    }
    draft.extends_own_lane()
}

/// The signer changes the keys of somebody below.
fn extends_keys_below(draft: &mut Draft<'_>, actor: &SubjectId) -> Result<(), AuthorError> {
    draft.names_actor("of", actor)?;
    let line = keys::line(draft.desk().ledger.reader(), actor)?;
    if !line[1..].contains(&draft.signer()) {
        return Err(AuthorError::Rule(Rule::NotAbove));
    }
    draft.extends_lane_of(*actor)
}

fn new_key(draft: &Draft<'_>, key: &EnrolledKey) -> Result<PublicKey, AuthorError> {
    Ok(match key {
        EnrolledKey::New => draft.desk().means.keyring.create_key("")?,
        EnrolledKey::Held(key) | EnrolledKey::Foreign { key, .. } => *key,
    })
}

fn countersignature(
    draft: &Draft<'_>,
    given: &EnrolledKey,
    key: &PublicKey,
    consent: &[u8],
) -> Result<ByteArray<64>, AuthorError> {
    Ok(ByteArray::from(match given {
        EnrolledKey::Foreign { countersignature, .. } => *countersignature,
        EnrolledKey::New | EnrolledKey::Held(_) => draft.desk().means.keyring.countersign(key, consent)?,
    }))
}

/// The cuts of an actor's keys: of all that live, and of those that are named.
fn cuts_of(draft: &Draft<'_>, actor: &SubjectId, ends: &Ends) -> Result<Vec<Cut>, AuthorError> {
    let desk = draft.desk();
    let keys = keys::of_actor(desk.ledger.reader(), desk.ledger.network(), actor)?;
    let mut cuts = cuts(draft, actor, &keys, ends)?;
    cuts.sort_unstable_by_key(|cut| cut.key_event);
    if cuts.is_empty() {
        return Err(AuthorError::NoLivingKey { actor: *actor });
    }
    Ok(cuts)
}

/// The cuts of these keys of one actor.
pub(super) fn cuts(
    draft: &Draft<'_>,
    actor: &SubjectId,
    keys: &[ActorKey],
    ends: &Ends,
) -> Result<Vec<Cut>, AuthorError> {
    let (mut lasts, mut stands) = (BTreeMap::new(), BTreeMap::<EventId, Vec<EventId>>::new());
    for id in &ends.last {
        let (key_event, height) = journal_of(draft, "last", actor, keys, id)?;
        // Of two of one journal the earlier is named to be sure.
        let last = lasts.entry(key_event).or_insert((height, *id));
        *last = (*last).min((height, *id));
    }
    for id in &ends.stands {
        stands.entry(journal_of(draft, "stands", actor, keys, id)?.0).or_default().push(*id);
    }
    let mut cuts = Vec::new();
    for ActorKey { key, event, state, .. } in keys {
        let nothing = ends.nothing_of.contains(key);
        let last = lasts.get(event).map(|(_, last)| *last);
        if *state != KeyState::Live && last.is_none() && !nothing && !stands.contains_key(event) {
            continue;
        }
        let last = match last {
            _ if nothing => None,
            Some(last) => Some(last),
            None => newest(draft, key, event)?,
        };
        let (count, root) = last.map_or(Ok((0, empty_root())), |last| end_at(draft, last))?;
        let stands = ascending(&stands.remove(event).unwrap_or_default());
        cuts.push(Cut { key_event: *event, last: last.unwrap_or(*event), count, root, stands });
    }
    Ok(cuts)
}

/// Of which of these keys' journals an event is, and the how manieth.
fn journal_of(
    draft: &Draft<'_>,
    field: &'static str,
    actor: &SubjectId,
    keys: &[ActorKey],
    id: &EventId,
) -> Result<(EventId, u64), AuthorError> {
    let unknown = AuthorError::UnknownEvent { field, event: *id };
    let judged = draft.desk().stored(id)?.ok_or(unknown)?.judged;
    let signed = |key: &&ActorKey| key.key == judged.event.key() && key.event == judged.judgement.key_event;
    match keys.iter().find(signed) {
        Some(key) if judged.judgement.journal_height > 0 => Ok((key.event, judged.judgement.journal_height)),
        _ => Err(AuthorError::NotSignedBy { field, event: *id, actor: *actor }),
    }
}

/// The last event of a journal that is known here; none where the key signed nothing.
fn newest(draft: &Draft<'_>, key: &PublicKey, key_event: &EventId) -> Result<Option<EventId>, AuthorError> {
    let mut heads = Vec::new();
    for head in draft.desk().ledger.reader().journal_heads(key)? {
        let judged = draft.desk().stored(&head.event)?;
        heads.extend(judged.filter(|stored| stored.judged.judgement.key_event == *key_event).map(|_| head.event));
    }
    match heads.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(AuthorError::ForkedEnd { key: *key }),
    }
}

/// How many events a journal has up to this one, and the root over them.
fn end_at(draft: &Draft<'_>, last: EventId) -> Result<(u64, [u8; 32]), AuthorError> {
    let count = draft.desk().stored(&last)?.map_or(0, |stored| stored.judged.judgement.journal_height);
    Ok((count, draft.desk().ledger.reader().journal_root(&last)?))
}
