//! From a command to the log: who signs, one event at a time for each key, and what became of it.

use super::draft::{Command, Draft};
use super::error::AuthorError;
use super::sealed::{self, FieldOpening};
use super::{Context, Done, Means};
use crate::keys::{self, ActorKey, KeyState};
use crate::ledger::Ledger;
use crate::outcome::{Origin, Outcome};
use crate::reader::Stored;
use provenance::admission::Standing;
use provenance::body::Body;
use provenance::counting::{Reach, reach};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use provenance::value::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::Arc;
use store::StoreError;
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::task::TaskTracker;

/// Locks for keys. Keys that share one wait for each other without need, which is rare as long as
/// there are more locks than keys that sign at the same moment.
const TURNS: usize = 256;

/// All that signing needs.
pub(super) struct Desk {
    pub ledger: Ledger,
    pub means: Means,
    pub default_actor: SubjectId,
    pub network_id: NetworkId,
    founders: HashSet<SubjectId>,
    turns: [Mutex<()>; TURNS],
    tasks: TaskTracker,
    /// Held while openings are taken in, passed on or erased, so that none comes back after it was erased, and none
    /// is handed out without a note.
    pub(super) openings: std::sync::Mutex<()>,
    /// Held while the bytes of erased openings are removed from the disk.
    pub(super) erasing: std::sync::Mutex<()>,
}

/// An actor whose key is kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signer {
    pub actor: SubjectId,
    pub key: PublicKey,
    /// The event that gave the key; the network id for founders.
    pub key_event: EventId,
    /// The actor's enrolment, by which it has its roles; the network id for founders.
    pub enrolment: EventId,
    /// The newest amendment of the network in force.
    pub amendment: Option<EventId>,
}

/// The event that the next one of a journal follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub event: EventId,
    /// When it was signed; nothing where it is the network.
    pub time: Option<Timestamp>,
    /// The newest amendment on which the journal rests so far.
    pub amendment: Option<EventId>,
}

/// A signed event that is not in the log yet.
pub(super) struct Signed {
    pub event: SignedEvent,
    pub openings: Vec<FieldOpening>,
    /// The newest amendment on which the journal rests now.
    pub amendment: Option<EventId>,
}

impl Signed {
    /// What the next event of the journal follows.
    pub fn link(&self) -> Link {
        Link { event: self.event.id(), time: Some(self.event.payload().time), amendment: self.amendment }
    }
}

impl Desk {
    pub fn new(ledger: Ledger, means: Means, default_actor: SubjectId) -> Self {
        let network = ledger.network();
        let network_id = network.id();
        let founders = (0..).zip(network.founders()).map(|(index, _)| network_id.founder(index)).collect();
        let turns = std::array::from_fn(|_| Mutex::new(()));
        Self {
            ledger,
            means,
            default_actor,
            network_id,
            founders,
            turns,
            tasks: TaskTracker::new(),
            openings: std::sync::Mutex::default(),
            erasing: std::sync::Mutex::default(),
        }
    }

    pub async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Carries out one command.
    pub async fn carry_out<C: Command>(self: &Arc<Self>, context: Context, command: C) -> Result<Done, AuthorError> {
        let desk = self.clone();
        self.finish_in_any_case(async move {
            let actor = context.actor.unwrap_or(desk.default_actor);
            let (signer, _turn) = desk.signer_in_turn(actor, command.signing_key()).await?;
            let ready = desk.blocking(move |desk| {
                let ready = desk.sign(&signer, &desk.journal_end(&signer)?, &context, &command)?;
                sealed::keep(desk, [&ready])?;
                Ok::<_, AuthorError>(ready)
            });
            let ready = ready.await??;
            let outcomes = desk.ledger.submit(vec![ready.event.bytes().to_vec()], Origin::Own).await?;
            let outcome = outcomes.into_iter().next().ok_or(AuthorError::Closed)?;
            let settled = desk.blocking(move |desk| {
                let done = desk.settle(ready, outcome)?;
                let decides = desk.stored(&done.id)?.is_some_and(|it| reach(&it.judged) == Reach::Others);
                Ok::<_, AuthorError>((done, decides))
            });
            let (done, decides) = settled.await??;
            // The next command is to know which keys have ended, and what was decided.
            if decides && !desk.ledger.counted(done.index).await {
                return Err(AuthorError::Closed);
            }
            Ok(done)
        })
        .await?
    }

    /// Runs on even where whoever waits is gone: a key whose turn ended between handing over an
    /// event and its being written would sign the next one on the same link.
    pub async fn finish_in_any_case<F>(&self, work: F) -> Result<F::Output, AuthorError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(work).await.map_err(|_| AuthorError::Closed)
    }

    /// Runs what reads the disk or signs, on a thread that may block.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, AuthorError> {
        let desk = self.clone();
        tokio::task::spawn_blocking(move || work(&desk)).await.map_err(|_| AuthorError::Closed)
    }

    /// Waits until the key signs nothing else.
    pub async fn turn(&self, key: &PublicKey) -> MutexGuard<'_, ()> {
        self.turns[usize::from(key.as_bytes()[0]) % TURNS].lock().await
    }

    /// The actor's newest live key, once it signs nothing else. Where the key ends while its turn is awaited, the one
    /// that took its place signs.
    pub async fn signer_in_turn(
        self: &Arc<Self>,
        actor: SubjectId,
        key: Option<PublicKey>,
    ) -> Result<(Signer, MutexGuard<'_, ()>), AuthorError> {
        let mut signer = self.blocking(move |desk| desk.signer_with(actor, key)).await??;
        loop {
            let turn = self.turn(&signer.key).await;
            let now = self.blocking(move |desk| desk.signer_with(actor, key)).await??;
            if now.key == signer.key {
                return Ok((now, turn));
            }
            signer = now;
        }
    }

    /// The actor with the newest of its live keys that are kept here.
    pub fn signer(&self, actor: SubjectId) -> Result<Signer, AuthorError> {
        self.signer_with(actor, None)
    }

    /// The actor with this live key, or with the newest that is kept here.
    fn signer_with(&self, actor: SubjectId, key: Option<PublicKey>) -> Result<Signer, AuthorError> {
        // Asked before anything is signed: a signature that was made once cannot be taken back.
        if self.ledger.restored().is_some() {
            return Err(AuthorError::Recovering);
        }
        let enrolment = self.enrolment_of(&actor)?.ok_or(AuthorError::UnknownActor { field: "actor", actor })?;
        let (reader, network) = (self.ledger.reader(), self.ledger.network());
        let keys = keys::of_actor(reader, network, &actor)?;
        let asked_for = |found: &&ActorKey| key.is_none_or(|key| found.key == key);
        let kept: Vec<_> = keys.iter().filter(asked_for).filter(|key| self.means.keyring.holds(&key.key)).collect();
        let live = || kept.iter().rev().filter(|key| key.state == KeyState::Live);
        // Another key of the same actor goes on where a journal may have gone on elsewhere.
        let confirmed = live().find(|key| !self.ledger.is_unconfirmed(&key.key));
        let Some(ActorKey { key, event, .. }) = confirmed else {
            return Err(match live().next().or(kept.last()) {
                Some(live) if live.state == KeyState::Live => AuthorError::JournalUnconfirmed { key: live.key },
                Some(ended) => AuthorError::KeyEnded { actor, key: ended.key, state: ended.state },
                None => AuthorError::KeyNotKept { actor },
            });
        };
        let amendment = keys::settlement(reader, network).in_force().amendments.last().copied();
        Ok(Signer { actor, key: *key, key_event: *event, enrolment, amendment })
    }

    /// The event that brought an actor in: its enrolment, or the network for a founder.
    pub fn enrolment_of(&self, actor: &SubjectId) -> Result<Option<EventId>, StoreError> {
        if self.founders.contains(actor) {
            return Ok(Some(self.network_id.as_event()));
        }
        Ok(keys::enrolment(self.ledger.reader(), actor)?.map(|judged| judged.event.id()))
    }

    pub fn stored(&self, id: &EventId) -> Result<Option<Stored>, StoreError> {
        self.ledger.reader().stored(id)
    }

    /// The end of the signer's journal.
    pub fn journal_end(&self, signer: &Signer) -> Result<Link, AuthorError> {
        let heads = self.ledger.reader().journal_heads(&signer.key)?;
        let event = match heads.as_slice() {
            [] => signer.key_event,
            [head] => head.event,
            _ => return Err(AuthorError::JournalForked { key: signer.key }),
        };
        let stored = self.stored(&event)?;
        let amendment = stored.as_ref().filter(|stored| stored.judged.event.key() == signer.key);
        let amendment = amendment.and_then(|stored| stored.judged.judgement.amendment);
        Ok(Link { event, time: stored.map(|stored| stored.judged.event.payload().time), amendment })
    }

    /// Puts an event together and signs it.
    pub fn sign(
        &self,
        signer: &Signer,
        link: &Link,
        context: &Context,
        command: &impl Command,
    ) -> Result<Signed, AuthorError> {
        let amendment = self.amendment_after(signer, link)?;
        let mut draft = Draft::new(self, signer, link, context)?;
        draft.names_event(amendment);
        let body = command.compose(&mut draft)?;
        let (payload, openings) = draft.finish(context, body);
        let event = self.means.keyring.sign(&signer.key, payload)?;
        Ok(Signed { event, openings, amendment })
    }

    /// The amendment on which the next event rests: the newest in force, but never one that the journal has left
    /// behind.
    fn amendment_after(&self, signer: &Signer, link: &Link) -> Result<Option<EventId>, StoreError> {
        let (Some(newest), Some(before)) = (signer.amendment, link.amendment) else {
            return Ok(signer.amendment.or(link.amendment));
        };
        let (mut open, mut seen) = (vec![newest], BTreeSet::new());
        while let Some(id) = open.pop() {
            if id == before {
                return Ok(Some(newest));
            }
            if seen.insert(id)
                && let Some(stored) = self.stored(&id)?
                && let Body::NetworkAmended(body) = &stored.judged.event.payload().body
            {
                open.extend_from_slice(&body.follows);
            }
        }
        Ok(Some(before))
    }

    /// What became of the event. What opens it goes again where it was refused for certain.
    pub fn settle(&self, signed: Signed, outcome: Outcome) -> Result<Done, AuthorError> {
        let error = match outcome {
            Outcome::Admitted { id, index } | Outcome::Known { id, index: Some(index) } => {
                return Ok(Done { id, index, event: signed.event });
            }
            // The disk knows: after a failed write it may hold the event all the same.
            Outcome::Unavailable(error) => return Err(AuthorError::Unavailable(error)),
            Outcome::Known { id, index: None } => self.why_void(&id)?,
            Outcome::Void { rule, .. } => AuthorError::Rule(rule),
            Outcome::Held { hold, .. } => AuthorError::Held(hold),
            Outcome::Rejected(refusal) => AuthorError::Refused(refusal),
        };
        sealed::discard(self, &signed);
        Err(error)
    }

    fn why_void(&self, id: &EventId) -> Result<AuthorError, StoreError> {
        let standing = self.stored(id)?.map(|stored| stored.judged.judgement.standing);
        Ok(match standing {
            Some(Standing::Void(rule)) => AuthorError::Rule(rule),
            _ => AuthorError::UnknownEvent { field: "event", event: *id },
        })
    }
}
