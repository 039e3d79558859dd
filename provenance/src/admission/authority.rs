//! Who signed, by which right, and where in the journal of the key.

use super::{Ancestry, Judged, Rule, Stop};
use crate::body::{ActorEnrolled, Body, Role};
use crate::event::{SignedEvent, VerifiedEvent};
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use crate::payload::Payload;
use std::sync::Arc;

/// The actor whose key signed.
pub(super) struct Signer {
    pub actor: SubjectId,
    /// The event that gave the actor the key; the network id for founders.
    pub key_event: EventId,
}

/// Where an event stands in its key's journal.
pub(super) struct JournalLink {
    pub signer: Signer,
    pub height: u64,
}

/// The signer's actor and its rights.
pub(crate) struct Authority {
    /// The actor whose key signed.
    pub actor: SubjectId,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Which roles it may give.
    pub may_give: Vec<Role>,
    /// Set where the signer is a founder.
    founder_of: Option<FoundersKnown>,
}

/// All founders' actor ids, where the basis names the network itself.
struct FoundersKnown(Vec<SubjectId>);

/// The enrolment that a judged event is, if it is one.
pub(super) fn enrolment(event: &SignedEvent) -> Option<&ActorEnrolled> {
    match &event.payload().body {
        Body::ActorEnrolled(body) => Some(body),
        _ => None,
    }
}

/// Follows the journal link of an event.
pub(super) fn journal<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    ancestry: &A,
) -> Result<JournalLink, Stop<A::Error>> {
    let link = event.payload().journal;
    if link == network.id().as_event() {
        let actor = network.founder(&event.key()).ok_or(Rule::Journal)?;
        return Ok(JournalLink { signer: Signer { actor, key_event: link }, height: 1 });
    }
    let previous = ancestry.judged(&link).map_err(Stop::Read)?.ok_or(Rule::Journal)?;
    // The unlinked are no part of any journal, so nothing can follow them.
    if previous.event.key() == event.key() && previous.judgement.journal_height > 0 {
        let judgement = &previous.judgement;
        let signer = Signer { actor: judgement.actor, key_event: judgement.key_event };
        return Ok(JournalLink { signer, height: judgement.journal_height + 1 });
    }
    let gives_key = enrolment(&previous.event).is_some_and(|body| body.key == event.key());
    if gives_key && previous.judgement.is_admitted() {
        let actor = previous.event.subject(0).ok_or(Rule::Journal)?;
        return Ok(JournalLink { signer: Signer { actor, key_event: link }, height: 1 });
    }
    Err(Rule::Journal.into())
}

/// Who signed, by the basis alone: a founder where it names the network, else the actor to whom the
/// one enrolment in it gave the key.
pub(super) fn signer(network: &Network, event: &VerifiedEvent, basis: &[Arc<Judged>]) -> Result<Signer, Rule> {
    if names_network(network, event)
        && let Some(actor) = network.founder(&event.key())
    {
        return Ok(Signer { actor, key_event: network.id().as_event() });
    }
    let (key_event, _) = key_given(event, basis)?;
    let actor = key_event.event.subject(0).ok_or(Rule::Signer)?;
    Ok(Signer { actor, key_event: key_event.event.id() })
}

/// The one enrolment in the basis that gives somebody the event's key.
fn key_given<'a>(event: &VerifiedEvent, basis: &'a [Arc<Judged>]) -> Result<(&'a Judged, &'a ActorEnrolled), Rule> {
    let enrolments = basis.iter().filter_map(|judged| Some((&**judged, enrolment(&judged.event)?)));
    let mut given = enrolments.filter(|(_, body)| body.key == event.key());
    if let (Some(one), None) = (given.next(), given.next()) { Ok(one) } else { Err(Rule::Signer) }
}

fn names_network(network: &Network, event: &VerifiedEvent) -> bool {
    event.payload().basis.contains(&network.id().as_event())
}

impl Authority {
    /// The signer's rights, by the one key event that its basis names.
    pub(super) fn of(
        network: &Network,
        event: &VerifiedEvent,
        basis: &[Arc<Judged>],
        signer: &Signer,
    ) -> Result<Self, Rule> {
        let names_network = names_network(network, event);
        let founder_of = names_network.then(|| FoundersKnown(founders(network)));
        if signer.key_event == network.id().as_event() {
            if !names_network {
                return Err(Rule::Signer);
            }
            let (roles, may_give) = (Role::ALL.to_vec(), Role::ALL.to_vec());
            return Ok(Self { actor: signer.actor, roles, may_give, founder_of });
        }
        let (key_event, body) = key_given(event, basis)?;
        if key_event.event.id() != signer.key_event {
            return Err(Rule::Signer);
        }
        Ok(Self { actor: signer.actor, roles: body.roles.clone(), may_give: body.may_give.clone(), founder_of })
    }

    /// The actor for whom the event is told.
    pub(super) fn acting(&self, payload: &Payload, basis: &[Arc<Judged>]) -> Result<SubjectId, Rule> {
        let Some(member) = payload.on_behalf_of else { return Ok(self.actor) };
        let recordable = matches!(
            payload.body,
            Body::PlaceRegistered(_)
                | Body::ProduceRegistered(_)
                | Body::ProduceMoved(_)
                | Body::ProduceQualityUpdated(_)
                | Body::ProducePriceUpdated(_)
        );
        let enrolled_here = basis.iter().any(|judged| {
            enrolment(&judged.event).is_some()
                && judged.event.subject(0) == Some(member)
                && judged.judgement.actor == self.actor
        });
        if recordable && enrolled_here { Ok(member) } else { Err(Rule::OnBehalf) }
    }

    /// The rights of the actor on whose account the event stands: where a cooperative records for a
    /// member, the member's own.
    pub(super) fn roles_of(&self, acting: &SubjectId, basis: &[Arc<Judged>]) -> Vec<Role> {
        if *acting == self.actor {
            return self.roles.clone();
        }
        let mut enrolments = basis.iter().filter(|judged| judged.event.subject(0) == Some(*acting));
        enrolments.find_map(|judged| enrolment(&judged.event)).map(|body| body.roles.clone()).unwrap_or_default()
    }

    /// Demands that the basis holds the enrolment of `actor`, or names the network for a founder.
    pub(super) fn known_actor(&self, actor: &SubjectId, basis: &[Arc<Judged>]) -> Result<(), Rule> {
        let founder = self.founder_of.as_ref().is_some_and(|founders| founders.0.contains(actor));
        let enrolled =
            basis.iter().any(|judged| enrolment(&judged.event).is_some() && judged.event.subject(0) == Some(*actor));
        if *actor == self.actor || founder || enrolled { Ok(()) } else { Err(Rule::UnknownActor) }
    }
}

/// Demands that the basis holds the registration of `place`.
pub(super) fn known_place(place: &SubjectId, basis: &[Arc<Judged>]) -> Result<(), Rule> {
    let known = basis.iter().any(|judged| {
        matches!(judged.event.payload().body, Body::PlaceRegistered(_)) && judged.event.subject(0) == Some(*place)
    });
    if known { Ok(()) } else { Err(Rule::UnknownPlace) }
}

/// Whether `upper` is `lower` or stands above it in the tree of enrolments.
pub(super) fn is_at_or_above<A: Ancestry>(upper: &SubjectId, lower: &Judged, ancestry: &A) -> Result<bool, A::Error> {
    let mut actor = lower.judgement.actor;
    let mut key_event = lower.judgement.key_event;
    loop {
        if actor == *upper {
            return Ok(true);
        }
        // A founder's key event is the network, which is no event: the top of the tree.
        let Some(enrolment) = ancestry.judged(&key_event)? else { return Ok(false) };
        actor = enrolment.judgement.actor;
        key_event = enrolment.judgement.key_event;
    }
}

fn founders(network: &Network) -> Vec<SubjectId> {
    let count = u32::try_from(network.founders().len()).expect("there are at most 64 founders");
    (0..count).map(|index| network.id().founder(index)).collect()
}
