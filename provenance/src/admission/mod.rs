//! Admission: whether an event is stored for good, decided by its bytes and its ancestors alone.
//!
//! The verdict is the same on every node, whatever its clock says and in whatever order events
//! came. Whether an admitted event *counts* is another question, answered in [`crate::counting`].

mod ancestry;
mod asked;
pub(crate) mod authority;
mod beside;
mod counting;
pub(crate) mod lanes;
mod lines;
mod rule;

mod actor;
mod attested;
mod certificate;
mod correction;
mod cut;
mod decision;
mod device;
mod key;
mod network;
mod place;
mod produce;
mod recall;
mod statement;
mod touches;
mod transfer;
mod transform;
mod unit;

pub use ancestry::{Ancestry, Counted, CountedTouch, Judged, Judgement, LaneLine, Seen, Standing};
pub use authority::given_key;
pub(crate) use counting::count_by_rules;
pub use decision::resolver;
pub use lanes::join;
pub use rule::Rule;
pub use transfer::{OfferedItem, offered_items, returned_parts};
pub use unit::packed_parts;

use crate::body::Body;
use crate::custody::{Effect, LotState};
use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{EventId, NetworkId, SubjectId};
use crate::network::Network;
use crate::payload::Payload;
use authority::Authority;

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
    pub event: &'a SignedEvent,
    pub authority: &'a Authority,
    /// The actor that acts: the signer's, or the one on whose behalf it records.
    pub acting: SubjectId,
    /// Events of the basis, without those that are the network id.
    pub basis: &'a [Seen],
    /// Per touch, the joined state of the lot before the event, none where it is no lot or new; or why
    /// there is none.
    pub before: &'a [Result<Option<LotState>, Rule>],
    /// What admission found, where the event is counted: what created a part then creates one still.
    pub admitted: Option<&'a Judgement>,
}

/// What the rules of a kind make of one touch: nothing but for lots.
pub(crate) type Done = Option<(Effect, LotState)>;

/// What the rules of a kind make of each touch. Admission takes it whole or not at all; counting takes
/// the touches that keep the rules.
pub(crate) type Outcome = Vec<Result<Done, Rule>>;

/// Judges an event. Ancestors must have been judged before it; those that were not are named.
pub fn judge<A: Ancestry>(network: &Network, event: &VerifiedEvent, ancestry: &A) -> Result<Verdict, A::Error> {
    let (payload, network_id) = (event.payload(), network.id());
    let ancestry = &asked::Asked::new(ancestry);
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
    if let Some(what) = newer_rules(payload, ancestry)? {
        return Ok(Verdict::Hold(Hold::Unsupported(what)));
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
    let mut judgement = Judgement {
        standing: Standing::Admitted,
        actor: link.signer.actor,
        acting: link.signer.actor,
        key_event: link.signer.key_event,
        journal_height: link.height,
        lines: Vec::new(),
        amendment: link.amendment,
    };
    let ruled = by_rules(network, event, ancestry, &link.signer).and_then(|ruled| {
        (0..payload.touches.len()).try_for_each(|touch| beside::check(network, event, touch, link.height, ancestry))?;
        cut::check_journals(network, event, link.height, ancestry)?;
        let amendment = cut::amendment(payload, link.amendment, ancestry)?;
        Ok((ruled, amendment))
    });
    match ruled {
        Ok(((acting, lines), amendment)) => {
            (judgement.acting, judgement.lines, judgement.amendment) = (acting, lines, amendment);
            Ok(Verdict::Admit(judgement))
        }
        Err(Stop::Rule(rule)) => {
            judgement.standing = Standing::Void(rule);
            Ok(Verdict::Void(rule, judgement))
        }
        Err(Stop::Read(error)) => Err(error),
    }
}

/// What comes of judging an event again where its journal is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Its rules hold.
    Stands(Judgement),
    /// This event, on which it rests, is not there.
    Missing(EventId),
    /// There are no rules for it in this program.
    Unsupported(String),
    /// It breaks a rule.
    Broken(Rule),
}

/// Judges an event by its ancestors through touches, basis and body alone.
///
/// Who signed is found in the basis, so the judgement has no place in a journal, and what a key may
/// not do beside its own journal is not looked at: that makes an event void on the node that takes
/// it in, but changes nothing of what it means to the lots that it touches.
pub fn replay<A: Ancestry>(network: &Network, event: &VerifiedEvent, ancestry: &A) -> Result<Replay, A::Error> {
    let payload = event.payload();
    let network_event = network.id().as_event();
    for id in payload.rests_on().filter(|id| *id != network_event) {
        if ancestry.judged(&id)?.is_none() {
            return Ok(Replay::Missing(id));
        }
    }
    if let Some(what) = unsupported(payload) {
        return Ok(Replay::Unsupported(what));
    }
    if let Some(what) = newer_rules(payload, ancestry)? {
        return Ok(Replay::Unsupported(what));
    }
    let ruled = authority::signer(network, event, ancestry)
        .and_then(|signer| by_rules(network, event, ancestry, &signer).map(|ruled| (signer, ruled)));
    match ruled {
        Ok((signer, (acting, lines))) => Ok(Replay::Stands(Judgement {
            standing: Standing::Admitted,
            actor: signer.actor,
            acting,
            key_event: signer.key_event,
            journal_height: 0,
            lines,
            amendment: None,
        })),
        Err(Stop::Rule(rule)) => Ok(Replay::Broken(rule)),
        Err(Stop::Read(error)) => Err(error),
    }
}

/// Whether the event was signed under an amendment whose rules this program does not have.
fn newer_rules<A: Ancestry>(payload: &Payload, ancestry: &A) -> Result<Option<String>, A::Error> {
    for id in &payload.basis {
        let Some(judged) = ancestry.judged(id)? else { continue };
        if let Body::NetworkAmended(body) = &judged.event.payload().body
            && let Some(version) = body.change.rules.filter(|version| *version > RULES_VERSION)
        {
            return Ok(Some(format!("version {version} of the rules")));
        }
    }
    Ok(None)
}

/// Kinds without rules.
fn unsupported(payload: &Payload) -> Option<String> {
    match &payload.body {
        Body::Unknown { kind, .. } => Some(format!("kind {kind}")),
        _ => None,
    }
}

/// The version of the rules that this program has.
const RULES_VERSION: u64 = 1;

fn by_rules<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
    signer: &authority::Signer,
) -> Result<(SubjectId, Vec<LaneLine>), Stop<A::Error>> {
    let payload = event.payload();
    let network_event = payload.network.as_event();
    for id in payload.rests_on().filter(|id| *id != network_event) {
        let judged = ancestry.judged(&id).map_err(Stop::Read)?;
        if judged.is_some_and(|judged| judged.judgement.standing != Standing::Admitted) {
            return Err(Rule::VoidAncestor.into());
        }
    }
    let basis = basis(payload, network_event, ancestry).map_err(Stop::Read)?;
    let authority = Authority::of(network, event, &basis, signer)?;
    let acting = acting(payload, &authority, &basis)?;

    let (mut heights, mut before) = (Vec::new(), Vec::with_capacity(payload.touches.len()));
    for index in 0..payload.touches.len() {
        let found =
            lanes::before(event, index, &payload.touches[index].prev, ancestry, &authority).map_err(Stop::Read)?;
        heights.push(found.height);
        before.push(Ok(found.before?));
    }
    let case = Case { event, authority: &authority, acting, basis: &basis, before: &before, admitted: None };
    let outcome = of_kind(network, &case, ancestry)?;
    debug_assert_eq!(outcome.len(), heights.len(), "every touch has an outcome");
    let mut lines = Vec::with_capacity(heights.len());
    for (height, done) in heights.into_iter().zip(outcome) {
        let (effect, lot) = done?.unzip();
        lines.push(LaneLine { height, effect, lot });
    }
    Ok((acting, lines))
}

/// The events of the basis.
fn basis<A: Ancestry>(payload: &Payload, network_event: EventId, ancestry: &A) -> Result<Vec<Seen>, A::Error> {
    let mut basis = Vec::with_capacity(payload.basis.len());
    for id in payload.basis.iter().filter(|id| **id != network_event) {
        basis.extend(ancestry.seen(id)?);
    }
    Ok(basis)
}

/// The actor that acts, and the rules on whom else the event names outside its body.
fn acting(payload: &Payload, authority: &Authority, basis: &[Seen]) -> Result<SubjectId, Rule> {
    let amendments = basis.iter().filter(|seen| matches!(seen.payload().body, Body::NetworkAmended(_)));
    if amendments.count() > 1 {
        return Err(Rule::Amendment);
    }
    let acting = authority.acting(payload, basis)?;
    if let Some(actor) = payload.captured_by {
        authority.known_actor(&actor, basis)?;
    }
    Ok(acting)
}

/// The rules of the event's kind.
fn of_kind<A: Ancestry>(network: &Network, case: &Case<'_>, ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    let named = |id: &EventId| ancestry.judged(id).map_err(Stop::Read);
    let offer = |id: &EventId| named(id)?.ok_or(Stop::Rule(Rule::NotAnOffer));
    Ok(match &case.event.payload().body {
        Body::NetworkAmended(body) => network::amended(case, body, network, ancestry)?,
        Body::NetworkApproved(body) => network::approved(case, body, network, ancestry)?,
        Body::ActorEnrolled(body) => actor::enrolled(case, body)?,
        Body::ActorUpdated(body) => actor::updated(case, body)?,
        Body::ActorKeyAdded(body) => key::added(case, body)?,
        Body::ActorKeyRotated(body) => key::rotated(case, body)?,
        Body::ActorKeyReplaced(body) => key::replaced(case, body, ancestry)?,
        Body::ActorRevoked(body) => key::revoked(case, body, ancestry)?,
        Body::PlaceRegistered(body) => place::registered(case, body)?,
        Body::PlaceUpdated(body) => place::updated(case, body, ancestry)?,
        Body::ProduceRegistered(body) => produce::registered(case, body)?,
        Body::ProduceCollected(body) => produce::collected(case, body)?,
        Body::ProduceMoved(body) => produce::moved(case, body)?,
        Body::ProduceHandled(body) => produce::handled(case, body)?,
        Body::ProduceQualityUpdated(_) => produce::told(case)?,
        Body::ProducePriceUpdated(_) => produce::priced(case)?,
        Body::ProduceCodesAssigned(body) => produce::codes_assigned(case, body)?,
        Body::ProduceTransformed(body) => transform::transformed(case, body)?,
        Body::ProduceRetired(body) => produce::retired(case, body)?,
        Body::ProduceInspected(body) => attested::inspected(case, body)?,
        Body::TransferOffered(body) => {
            let returns = body.returns.as_ref().map(offer).transpose()?;
            transfer::offered(case, body, returns.as_deref())?
        }
        Body::TransferAccepted(body) => transfer::accepted(case, body, &*offer(&body.offer)?)?,
        Body::TransferDeclined(body) => transfer::declined(case, &*offer(&body.offer)?)?,
        Body::TransferCancelled(body) => transfer::cancelled(case, &*offer(&body.offer)?)?,
        Body::UnitPacked(body) => unit::packed(case, body)?,
        Body::UnitUnpacked(body) => unit::unpacked(case, body)?,
        Body::ConditionMeasured(body) => attested::measured(case, body)?,
        Body::DeviceAttached(body) => device::attached(case, body, ancestry)?,
        Body::DeviceDetached(body) => device::detached(case, body, ancestry)?,
        Body::CertificateIssued(body) => certificate::issued(case, body)?,
        Body::CertificateStatus(_) => certificate::status(case, ancestry)?,
        Body::RecallIssued(_) => recall::issued(case)?,
        Body::RecallUpdated(body) => recall::updated(case, body, ancestry)?,
        Body::RecallEnded(body) => recall::ended(case, &body.recall, ancestry)?,
        Body::EventCorrected(body) => correction::corrected(case, body, ancestry)?,
        Body::DisputeResolved(body) => decision::resolved(case, body, ancestry)?,
        Body::EventConfirmed(body) => statement::stated(case, &body.target, ancestry)?,
        Body::EventDisputed(body) => statement::stated(case, &body.target, ancestry)?,
        Body::Unknown { .. } => return Err(Rule::Touches.into()),
    })
}
