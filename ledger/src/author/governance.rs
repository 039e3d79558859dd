//! What founders and resolvers decide: amendments of the network, approvals, and disputes over lots.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::key::{Ends, cuts};
use super::{Author, AuthorError, Context, Done};
use crate::keys;
use provenance::admission::{Ancestry, resolver};
use provenance::body::{
    Body, Change, Contract, DisputeResolved, FounderLeaves, FoundersDecision, NetworkAmended, NetworkApproved,
    Parameters,
};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::value::Text;

/// A founder that leaves the network.
#[derive(Debug, Clone)]
pub struct LeavingFounder {
    /// Its actor.
    pub founder: SubjectId,
    /// Where its journal ends.
    pub ends: Ends,
}

/// A decision over a lot.
#[derive(Debug, Clone)]
pub struct LotDecision {
    /// The lot.
    pub lot: SubjectId,
    /// The events that cannot all stand; those in conflict on the lot where they are not said.
    pub branches: Option<Vec<EventId>>,
    /// Those of them that stand.
    pub stands: Vec<EventId>,
}

/// Proposes, and approves as a founder, a change of the network: network.amended.
#[derive(Debug, Clone, Default)]
pub struct AmendNetwork {
    /// What it follows; what is in force, or the rivals that keep each other out of force, where it is not said.
    pub follows: Option<Vec<EventId>>,
    /// All contracts to which nodes may anchor from now on, in any order.
    pub contracts: Option<Vec<Contract>>,
    /// Parameters that are set.
    pub parameters: Option<Parameters>,
    /// The version of the rules.
    pub rules: Option<u64>,
    /// A founder that leaves.
    pub leaves: Option<LeavingFounder>,
    /// A decision that no resolver can take.
    pub decision: Option<LotDecision>,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// A founder agrees to an amendment: network.approved.
#[derive(Debug, Clone, Copy)]
pub struct ApproveAmendment {
    /// To what.
    pub amendment: EventId,
}

/// Decides which of several events of a lot stand: dispute.resolved.
#[derive(Debug, Clone)]
pub struct ResolveDispute {
    /// Over what.
    pub decision: LotDecision,
    /// Why.
    pub reason: Text<512>,
    /// The decision that this one replaces; the signer's own earlier one over one of the branches where it is not said.
    pub replaces: Option<EventId>,
}

impl Author {
    /// Proposes a change of the network. The event's id is that of the amendment.
    pub async fn amend_network(&self, context: Context, command: AmendNetwork) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Agrees to an amendment of the network.
    pub async fn approve_amendment(&self, context: Context, command: ApproveAmendment) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }

    /// Decides over a lot that was given away more than once.
    pub async fn resolve_dispute(&self, context: Context, command: ResolveDispute) -> Result<Done, AuthorError> {
        self.desk.carry_out(context, command).await
    }
}

impl Command for AmendNetwork {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let desk = draft.desk();
        let (reader, network) = (desk.ledger.reader(), desk.ledger.network());
        let follows = if let Some(follows) = &self.follows {
            ascending(follows)
        } else {
            let settlement = keys::settlement(reader, network);
            let in_force = settlement.in_force();
            let newest = || in_force.amendments.last().copied().unwrap_or_else(|| network.id().as_event());
            if in_force.rivals.is_empty() { vec![newest()] } else { in_force.rivals.iter().copied().collect() }
        };
        let leaves = self.leaves.as_ref().map(|leaves| founder_leaves(draft, leaves)).transpose()?;
        let decision = match &self.decision {
            Some(decision) => {
                let branches = branches(draft, decision)?;
                Some(FoundersDecision { lot: decision.lot, branches, stands: ascending(&decision.stands) })
            }
            None => None,
        };
        let subject = network.id().subject();
        draft.extends_lane_of(subject)?;
        let change = Change {
            contracts: self.contracts.as_deref().map(ascending),
            parameters: self.parameters.clone(),
            rules: self.rules,
            leaves,
            decision,
        };
        Ok(Body::NetworkAmended(Box::new(NetworkAmended { follows, change, reason: self.reason.clone() })))
    }
}

impl Command for ApproveAmendment {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let unknown = AuthorError::NoSuchAmendment { event: self.amendment };
        let stored = draft.desk().stored(&self.amendment)?.filter(|stored| stored.index.is_some()).ok_or(unknown)?;
        if !matches!(stored.judged.event.payload().body, Body::NetworkAmended(_)) {
            return Err(AuthorError::NoSuchAmendment { event: self.amendment });
        }
        draft.extends_lane_of(draft.desk().network_id.subject())?;
        Ok(Body::NetworkApproved(NetworkApproved { amendment: self.amendment }))
    }
}

impl Command for ResolveDispute {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let lot = self.decision.lot;
        let branches = branches(draft, &self.decision)?;
        let mut judged = Vec::with_capacity(branches.len());
        for branch in &branches {
            let unknown = AuthorError::UnknownEvent { field: "branches", event: *branch };
            judged.push(draft.desk().stored(branch)?.ok_or(unknown)?.judged);
        }
        let resolver = resolver(&judged, draft.desk().ledger.reader())?;
        if resolver != Some(draft.signer()) {
            return Err(AuthorError::NotResolver { resolver });
        }
        let replaces = match self.replaces {
            Some(replaces) => Some(replaces),
            None => own_decision(draft, &lot, &branches)?,
        };
        draft.attests(lot)?;
        let (stands, reason) = (ascending(&self.decision.stands), self.reason.clone());
        Ok(Body::DisputeResolved(DisputeResolved { branches, stands, reason, replaces }))
    }
}

/// The events over which is decided.
fn branches(draft: &Draft<'_>, decision: &LotDecision) -> Result<Vec<EventId>, AuthorError> {
    if let Some(branches) = &decision.branches {
        return Ok(ascending(branches));
    }
    let lot = decision.lot;
    let counted = draft.desk().ledger.reader().lot(&lot)?.ok_or(AuthorError::UnknownLot { field: "lot", lot })?;
    if counted.in_conflict.is_empty() {
        return Err(AuthorError::NoConflict { lot });
    }
    Ok(counted.in_conflict.into_iter().collect())
}

/// The newest decision of the signer over one of these branches.
fn own_decision(draft: &Draft<'_>, lot: &SubjectId, branches: &[EventId]) -> Result<Option<EventId>, AuthorError> {
    let reader = draft.desk().ledger.reader();
    for id in reader.lane_events(lot, Lane::Attester(draft.signer()))?.iter().rev() {
        if let Some(judged) = reader.judged(id)?
            && let Body::DisputeResolved(body) = &judged.event.payload().body
            && body.branches.iter().any(|branch| branches.contains(branch))
        {
            return Ok(Some(*id));
        }
    }
    Ok(None)
}

fn founder_leaves(draft: &Draft<'_>, leaving: &LeavingFounder) -> Result<FounderLeaves, AuthorError> {
    let desk = draft.desk();
    let (network, founder) = (desk.ledger.network(), leaving.founder);
    let mut founders = (0..).zip(network.founders()).map(|(index, _)| index);
    let index = founders.find(|index| network.id().founder(*index) == founder);
    let index = index.ok_or(AuthorError::NoFounder { actor: founder })?;
    let keys = keys::of_actor(desk.ledger.reader(), network, &founder)?;
    let cut = cuts(draft, &founder, &keys, &leaving.ends)?.pop();
    Ok(FounderLeaves { index, cut: cut.ok_or(AuthorError::NoLivingKey { actor: founder })? })
}
