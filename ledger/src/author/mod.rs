//! The use case of writing: a command becomes a signed event, and the event goes into the log.
//!
//! An [`Author`] signs with keys that this node keeps. It finds what the event must name (the key's
//! journal, the tips of the lots, the events on which the signer's right rests), seals what must
//! not stand open, signs and submits. The rules themselves stay with admission: what it refuses
//! comes back as [`AuthorError::Rule`], and nothing was stored.
//!
//! **Invariant:** one key signs one event at a time, from reading its journal until the event is on
//! the disk, so a journal kept here never forks; not even where whoever asked has gone meanwhile.

mod actor;
mod attestation;
mod collection;
mod command;
mod correction;
mod draft;
mod entitlement;
mod error;
mod governance;
mod import;
mod key;
mod means;
mod openings;
mod place;
mod produce;
mod sealed;
mod submission;
mod transfer;
mod transformation;
mod unit;

pub use crate::clock::Clock;
pub use command::{
    AcceptTransfer, AssignCodes, CancelTransfer, CollectProduce, Context, CorrectEvent, DeclineTransfer, Done,
    EnrolActor, EnrolledKey, HandleProduce, MoveProduce, OfferLine, OfferTransfer, PackInto, PackUnit, Portion,
    RegisterPlace, RegisterProduce, RetireProduce, To, TransformProduce, UnpackUnit, UpdateActor, UpdatePlace,
    UpdatePrice, UpdateQuality,
};
pub use correction::{any, correctable_field};
pub use error::AuthorError;
pub use means::{AtRest, FinalAnchors, Keyring, KeyringError, Means, NoAnchors, Salts};
pub use openings::{Knowledge, SealedFieldState};

pub use attestation::{
    AttachDevice, ConfirmEvent, DetachDevice, DisputeEvent, EndRecall, InspectProduce, IssueCertificate, IssueRecall,
    MeasureCondition, SetCertificateStatus, UpdateRecall,
};
pub use governance::{AmendNetwork, ApproveAmendment, LeavingFounder, LotDecision, ResolveDispute};
pub use key::{AddKey, Ends, ReplaceKey, RevokeActor, RotateKey};

use crate::ledger::Ledger;
use provenance::id::{EventId, SubjectId};
use provenance::seal::Opening;
use std::sync::Arc;
use store::StoreError;
use submission::Desk;

/// Turns commands into signed events of the log. Clones share it.
#[derive(Clone)]
pub struct Author {
    desk: Arc<Desk>,
}

impl Author {
    /// An author that signs for `default_actor` where a command names no other.
    pub fn new(ledger: Ledger, means: Means, default_actor: SubjectId) -> Self {
        Self { desk: Arc::new(Desk::new(ledger, means, default_actor)) }
    }

    /// The ledger to which it writes.
    pub fn ledger(&self) -> &Ledger {
        &self.desk.ledger
    }

    /// Who signs where a command does not say it.
    pub fn default_actor(&self) -> SubjectId {
        self.desk.default_actor
    }

    /// Whether the actor exists and a live key of it is kept here.
    pub fn signs_for(&self, actor: &SubjectId) -> Result<bool, StoreError> {
        match self.desk.signer(*actor) {
            Ok(_) => Ok(true),
            Err(AuthorError::Store(error)) => Err(StoreError::clone(&error)),
            Err(_) => Ok(false),
        }
    }

    /// What opens a sealed field of an event, where this node was given it and has not erased it.
    pub fn opening(&self, event: &EventId, path: &[u8]) -> Result<Option<Opening>, StoreError> {
        sealed::read(&self.desk, event, path)
    }

    /// What opens the sealed fields of an event, as far as this node was given it: path and opening, by path.
    pub fn openings(&self, event: &EventId) -> Result<Vec<(Vec<u8>, Opening)>, StoreError> {
        self.desk.openings(event)
    }

    /// The sealed fields of an event, and what this node knows of each; nothing if there is no such event in the log.
    pub fn sealed_fields(&self, event: &EventId) -> Result<Option<Vec<SealedFieldState>>, StoreError> {
        self.desk.sealed_fields(event)
    }

    /// Whether the node of one of these actors may know the sealed fields of an event and this store lacks an opening
    /// that was not erased: then it is worth asking peers.
    pub fn lacks_openings(&self, event: &EventId, nodes: &[SubjectId]) -> Result<bool, StoreError> {
        self.desk.lacks_openings(event, nodes)
    }

    /// What opens the sealed fields of an event, for a peer whose node is of one of these actors. Empty if none of
    /// them may know it. What is returned is noted on the disk as passed to `peer`.
    pub fn pass_openings(
        &self,
        event: &EventId,
        nodes: &[SubjectId],
        peer: &str,
    ) -> Result<Vec<(Vec<u8>, Opening)>, StoreError> {
        self.desk.pass(event, nodes, peer)
    }

    /// Keeps openings that came from elsewhere, except of fields that were erased here. Returns how many of them open
    /// no field of the event, which only a hostile sender sends.
    pub fn take_openings(&self, event: &EventId, openings: Vec<(Vec<u8>, Opening)>) -> Result<usize, StoreError> {
        self.desk.take(event, openings)
    }

    /// Erases what opens these fields of an event, so that no copy stays in the store's files, and notes that it must
    /// not be fetched again. Peers that were given it keep theirs: [`SealedFieldState::passed`] names them.
    pub fn erase_openings(&self, event: &EventId, paths: &[Vec<u8>]) -> Result<(), StoreError> {
        self.desk.erase(event, paths)
    }

    /// Waits for the commands that are being carried out. To be called before the ledger is closed.
    pub async fn close(&self) {
        self.desk.close().await;
    }

    /// Brings somebody into the network. The new actor's id is subject 0 of the event.
    pub async fn enrol_actor(&self, context: Context, command: EnrolActor) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Changes what the signing actor tells of itself.
    pub async fn update_actor(&self, context: Context, command: UpdateActor) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Registers a place. Its id is subject 0 of the event.
    pub async fn register_place(&self, context: Context, command: RegisterPlace) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Changes what is told of a place.
    pub async fn update_place(&self, context: Context, command: UpdatePlace) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Makes the deliveries of members one lot. Its id is subject 0 of the event.
    pub async fn collect_produce(&self, context: Context, command: CollectProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Registers a lot. Its id is subject 0 of the event.
    pub async fn register_produce(&self, context: Context, command: RegisterProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Registers many lots, and answers each in its place.
    ///
    /// Every row stands for itself: one that is refused keeps no other back. Rows of one signer go
    /// into the log in their order, some hundreds with one write.
    pub async fn register_all(&self, rows: Vec<(Context, RegisterProduce)>) -> Vec<Result<Done, AuthorError>> {
        self.desk.register_all(rows).await
    }

    /// Tells where a lot is now.
    pub async fn move_produce(&self, context: Context, command: MoveProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Grades a lot.
    pub async fn update_quality(&self, context: Context, command: UpdateQuality) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Prices a lot.
    pub async fn update_price(&self, context: Context, command: UpdatePrice) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Tells what was done with a lot.
    pub async fn handle_produce(&self, context: Context, command: HandleProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Gives a lot codes on labels.
    pub async fn assign_codes(&self, context: Context, command: AssignCodes) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Makes lots of others. The new ones are what the event creates, in the order of the outputs.
    pub async fn transform_produce(&self, context: Context, command: TransformProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Puts lots or units into a logistic unit. The id of a new unit is subject 0 of the event.
    pub async fn pack_unit(&self, context: Context, command: PackUnit) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Takes lots or units out of a logistic unit.
    pub async fn unpack_unit(&self, context: Context, command: UnpackUnit) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Takes a lot, or a part of it, out of the chain.
    pub async fn retire_produce(&self, context: Context, command: RetireProduce) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Offers lots, whole or in part. The event's id is that of the transfer.
    pub async fn offer_transfer(&self, context: Context, command: OfferTransfer) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Takes over what was offered to the signing actor.
    pub async fn accept_transfer(&self, context: Context, command: AcceptTransfer) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Refuses what was offered to the signing actor.
    pub async fn decline_transfer(&self, context: Context, command: DeclineTransfer) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Takes back an offer of the signing actor that nobody has answered.
    pub async fn cancel_transfer(&self, context: Context, command: CancelTransfer) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Replaces values that an earlier event told wrongly.
    pub async fn correct_event(&self, context: Context, command: CorrectEvent) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Desk { ledger, default_actor, .. } = &*self.desk;
        f.debug_struct("Author").field("ledger", ledger).field("default_actor", default_actor).finish_non_exhaustive()
    }
}
