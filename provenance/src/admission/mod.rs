//! Admission: whether an event is stored for good, decided by its bytes and its ancestors alone.
//!
//! The verdict is the same on every node, whatever its clock says and in whatever order events
//! came. Whether an admitted event *counts* is another question, answered in [`crate::counting`].

mod ancestry;
mod authority;
pub(crate) mod lanes;
mod rule;

mod actor;
mod correction;
mod place;
mod produce;
mod transfer;

pub use ancestry::{Ancestry, Judged, Judgement, LaneLine, Standing};
pub use lanes::join;
pub use rule::Rule;
pub use transfer::{OfferedItem, offered_items, returned_parts};

use crate::body::{Body, Moves};
use crate::custody::{Effect, LotState};
use crate::event::VerifiedEvent;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::network::Network;
use crate::payload::{Lane, Payload};
use authority::{Authority, JournalLink, Signer};
use std::sync::Arc;

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Never stored or passed on.
    Reject(Reject),
    /// Kept, and judged again when what is missing comes.
    Hold(Hold),
    /// Against the rules: neither logged nor pushed; kept only as a link of its signer's journal.
    Void(Rule, Judgement),
    /// Stored and appended for good.
    Admit(Judgement),
}

/// Why an event that is well signed has no place here at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Another network's event.
    #[error("the event belongs to network {found}, this node to {expected}")]
    Network {
        /// What it names.
        found: NetworkId,
        /// What this node serves.
        expected: NetworkId,
    },
}

/// Why an event cannot be judged yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// Ancestors that are not here.
    #[error("{} of the events on which it rests are not here yet", .0.len())]
    Missing(Vec<EventId>),
    /// A kind, or a form of one, for which this program has no rules.
    #[error("this program has no rules for {0}; it is kept until an upgrade brings them")]
    Unsupported(String),
}

/// Either a broken rule, or trouble in reading ancestors.
pub(crate) enum Stop<E> {
    Rule(Rule),
    Read(E),
}

impl<E> From<Rule> for Stop<E> {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

/// All that the rules of one kind may look at.
pub(crate) struct Case<'a> {
    pub event: &'a VerifiedEvent,
    pub authority: &'a Authority,
    /// The actor that acts: the signer's, or the one on whose behalf it records.
    pub acting: SubjectId,
    /// Judged events of the basis, without those that are the network id.
    pub basis: &'a [Arc<Judged>],
    /// Per touch, the joined state of the lot before the event; none where it is no lot or new.
    pub before: &'a [Option<LotState>],
}

/// What the rules of a kind make of each touch: nothing but for lots.
pub(crate) type Outcome = Vec<Option<(Effect, LotState)>>;

/// Judges an event. Ancestors must have been judged before it; those that were not are named.
pub fn judge<A: Ancestry>(network: &Network, event: &VerifiedEvent, ancestry: &A) -> Result<Verdict, A::Error> {
    let (payload, network_id) = (event.payload(), network.id());
    if payload.network != network_id {
        return Ok(Verdict::Reject(Reject::Network { found: payload.network, expected: network_id }));
    }
    if let Some(what) = unsupported(payload) {
        return Ok(Verdict::Hold(Hold::Unsupported(what)));
    }
    let mut missing = Vec::new();
    for id in payload.ancestors().filter(|id| *id != network_id.as_event()) {
        if !missing.contains(&id) && ancestry.judged(&id)?.is_none() {
            missing.push(id);
        }
    }
    // The journal comes first: a void event keeps its place there, so that its signer can go on;
    // and what has no place in any journal is void whatever else it names.
    let link = match authority::journal(network, event, ancestry) {
        _ if missing.contains(&payload.journal) => return Ok(Verdict::Hold(Hold::Missing(missing))),
        Ok(_) if !missing.is_empty() => return Ok(Verdict::Hold(Hold::Missing(missing))),
        Ok(link) => link,
        Err(Stop::Read(error)) => return Err(error),
        Err(Stop::Rule(rule)) => return Ok(Verdict::Void(rule, Judgement::unlinked(rule, &network_id))),
    };
    if corrects_quantity(payload, ancestry)? {
        return Ok(Verdict::Hold(Hold::Unsupported(QUANTITIES.to_owned())));
    }
    let JournalLink { signer, height } = link;
    let ruled = basis(network, payload, ancestry)
        .and_then(|basis| by_rules(network, event, ancestry, &basis, &signer, Some(height)));
    match ruled {
        Ok((acting, lines)) => Ok(Verdict::Admit(signer.judgement(Standing::Admitted, acting, height, lines))),
        Err(Stop::Rule(rule)) => {
            let judgement = signer.judgement(Standing::Void(rule), signer.actor, height, Vec::new());
            Ok(Verdict::Void(rule, judgement))
        }
        Err(Stop::Read(error)) => Err(error),
    }
}

/// Why an event does not stand when it is replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// An event by which it must be judged.
    #[error("it rests on event {0}, which does not come before it")]
    Missing(EventId),
    /// A kind, or a form of one, for which this program has no rules.
    #[error("this program has no rules for {0}; verify with a newer one")]
    Unsupported(String),
    /// A rule that it breaks.
    #[error("{0}")]
    Broken(Rule),
}

/// Judges an event of this network again where no journals are at hand, as in a bundle: by touches,
/// basis and body alone. Who signed is found from the basis, and what only journals show, where the
/// key's line goes on and whether it forks a lane, is not asked.
///
/// The judgement is the one that [`judge`] gave when it admitted the event, but for its journal
/// height, which is 0.
pub fn replay<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
) -> Result<Result<Judgement, ReplayError>, A::Error> {
    let payload = event.payload();
    let network_event = network.id().as_event();
    for id in payload.grounds().filter(|id| *id != network_event) {
        if ancestry.judged(&id)?.is_none() {
            return Ok(Err(ReplayError::Missing(id)));
        }
    }
    if let Some(what) = unsupported(payload) {
        return Ok(Err(ReplayError::Unsupported(what)));
    }
    if corrects_quantity(payload, ancestry)? {
        return Ok(Err(ReplayError::Unsupported(QUANTITIES.to_owned())));
    }
    let replayed = basis(network, payload, ancestry).and_then(|basis| {
        let signer = authority::signer(network, event, &basis)?;
        let (acting, lines) = by_rules(network, event, ancestry, &basis, &signer, None)?;
        Ok(signer.judgement(Standing::Admitted, acting, 0, lines))
    });
    match replayed {
        Ok(judgement) => Ok(Ok(judgement)),
        Err(Stop::Rule(rule)) => Ok(Err(ReplayError::Broken(rule))),
        Err(Stop::Read(error)) => Err(error),
    }
}

/// Kinds without rules, and forms of known kinds whose rules come with other kinds.
fn unsupported(payload: &Payload) -> Option<String> {
    if payload.touches.iter().any(|touch| touch.lane == Lane::Title) {
        return Some("title lanes".to_owned());
    }
    match &payload.body {
        Body::Unknown { kind, .. } => {
            Some(payload.body.kind().map_or_else(|| format!("kind {kind}"), |kind| kind.name().to_owned()))
        }
        Body::TransferOffered(offer) if offer.moves != Moves::Both => {
            Some("transfers of possession or title alone".to_owned())
        }
        _ => None,
    }
}

/// A form of event.corrected that only its target tells.
const QUANTITIES: &str = "corrections of quantities";

fn corrects_quantity<A: Ancestry>(payload: &Payload, ancestry: &A) -> Result<bool, A::Error> {
    let Body::EventCorrected(correction) = &payload.body else { return Ok(false) };
    let target = ancestry.judged(&correction.target)?;
    Ok(target.is_some_and(|target| correction.concerns_quantity(&target.event.payload().body)))
}

/// The judged events of the basis, once no ancestor was found void.
fn basis<A: Ancestry>(network: &Network, payload: &Payload, ancestry: &A) -> Result<Vec<Arc<Judged>>, Stop<A::Error>> {
    let network_event = network.id().as_event();
    for id in payload.grounds().filter(|id| *id != network_event) {
        let judged = ancestry.judged(&id).map_err(Stop::Read)?;
        if judged.is_some_and(|judged| judged.judgement.standing != Standing::Admitted) {
            return Err(Rule::VoidAncestor.into());
        }
    }
    let mut basis = Vec::with_capacity(payload.basis.len());
    for id in payload.basis.iter().filter(|id| **id != network_event) {
        basis.extend(ancestry.judged(id).map_err(Stop::Read)?);
    }
    Ok(basis)
}

/// The rules of the event's kind and all that come before them. Where there is a journal, its height
/// says which events of a lane are earlier ones of the same key.
fn by_rules<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
    basis: &[Arc<Judged>],
    signer: &Signer,
    journal_height: Option<u64>,
) -> Result<(SubjectId, Vec<LaneLine>), Stop<A::Error>> {
    let payload = event.payload();
    let authority = Authority::of(network, event, basis, signer)?;
    let acting = authority.acting(payload, basis)?;
    if let Some(actor) = payload.captured_by {
        authority.known_actor(&actor, basis)?;
    }

    let mut before = Vec::with_capacity(payload.touches.len());
    let mut heights = Vec::with_capacity(payload.touches.len());
    for index in 0..payload.touches.len() {
        let (height, state) = lanes::before(event, index, ancestry, &authority)?;
        if let Some(height) = journal_height {
            lanes::check_journal(event, index, height, ancestry)?;
        }
        heights.push(height);
        before.push(state);
    }

    let case = Case { event, authority: &authority, acting, basis, before: &before };
    let outcome = match &payload.body {
        Body::ActorEnrolled(body) => actor::enrolled(&case, body)?,
        Body::ActorUpdated(body) => actor::updated(&case, body)?,
        Body::PlaceRegistered(body) => place::registered(&case, body)?,
        Body::ProduceRegistered(body) => produce::registered(&case, body)?,
        Body::ProduceMoved(body) => produce::moved(&case, body)?,
        Body::ProduceQualityUpdated(_) | Body::ProducePriceUpdated(_) => produce::told(&case)?,
        Body::ProduceRetired(body) => produce::retired(&case, body)?,
        Body::TransferOffered(body) => {
            let returns = match &body.returns {
                Some(id) => Some(offer(ancestry, id)?),
                None => None,
            };
            transfer::offered(&case, body, returns.as_deref())?
        }
        Body::TransferAccepted(body) => transfer::accepted(&case, body, &*offer(ancestry, &body.offer)?)?,
        Body::TransferDeclined(body) => transfer::declined(&case, &*offer(ancestry, &body.offer)?)?,
        Body::TransferCancelled(body) => transfer::cancelled(&case, &*offer(ancestry, &body.offer)?)?,
        Body::EventCorrected(body) => correction::corrected(&case, body, ancestry)?,
        Body::Unknown { .. } => return Err(Rule::Touches.into()),
    };
    debug_assert_eq!(outcome.len(), heights.len(), "every touch has an outcome");
    let lines = heights.into_iter().zip(outcome).map(|(height, lot)| {
        let (effect, lot) = lot.unzip();
        LaneLine { height, effect, lot }
    });
    Ok((acting, lines.collect()))
}

/// The offer that an answer names.
fn offer<A: Ancestry>(ancestry: &A, id: &EventId) -> Result<Arc<Judged>, Stop<A::Error>> {
    ancestry.judged(id).map_err(Stop::Read)?.ok_or(Stop::Rule(Rule::NotAnOffer))
}
