//! Rules of network.amended and network.approved.

use super::{Ancestry, Case, Outcome, Rule, Stop, cut, decision};
use crate::body::{Body, Change, NetworkAmended, NetworkApproved, Parameters};
use crate::network::Network;
use crate::payload::Lane;

/// Longest list of what an amendment follows: as many as one touch can join.
const MAX_FOLLOWED: usize = 16;

/// Longest list of contracts.
const MAX_CONTRACTS: usize = 16;

/// Most parameters that one amendment sets.
const MAX_PARAMETERS: usize = 32;

/// Longest name of a parameter, in bytes.
const MAX_PARAMETER_NAME: usize = 64;

pub(super) fn amended<A: Ancestry>(
    case: &Case<'_>,
    body: &NetworkAmended,
    network: &Network,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    by_a_founder(case, network)?;
    let start = network.id().as_event();
    let ascending = body.follows.windows(2).all(|pair| pair[0] < pair[1]);
    if !(1..=MAX_FOLLOWED).contains(&body.follows.len()) || !ascending {
        return Err(Rule::Amendment.into());
    }
    if body.follows != [start] {
        for id in &body.follows {
            is_amendment(id, ancestry)?;
        }
    }
    changes(&body.change)?;
    if let Some(leaves) = &body.change.leaves {
        let index = usize::try_from(leaves.index).map_err(|_| Rule::Founder)?;
        network.founders().get(index).ok_or(Rule::Founder)?;
        let whole = leaves.cut.key_event == start && cut::has_form(&leaves.cut);
        if !whole {
            return Err(Rule::Cut.into());
        }
    }
    if let Some(decided) = &body.change.decision {
        decision::branches(&decided.lot, &decided.branches, &decided.stands, ancestry)?;
    }
    Ok(vec![Ok(None)])
}

pub(super) fn approved<A: Ancestry>(
    case: &Case<'_>,
    body: &NetworkApproved,
    network: &Network,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    by_a_founder(case, network)?;
    is_amendment(&body.amendment, ancestry)?;
    Ok(vec![Ok(None)])
}

fn by_a_founder(case: &Case<'_>, network: &Network) -> Result<(), Rule> {
    match case.event.payload().touches.as_slice() {
        [touch] if touch.lane == Lane::Main && touch.subject == Some(network.id().subject()) => {}
        _ => return Err(Rule::Touches),
    }
    if case.authority.is_founder { Ok(()) } else { Err(Rule::Founder) }
}

fn is_amendment<A: Ancestry>(id: &crate::id::EventId, ancestry: &A) -> Result<(), Stop<A::Error>> {
    let judged = ancestry.judged(id).map_err(Stop::Read)?;
    let amends = judged.is_some_and(|judged| matches!(judged.event.payload().body, Body::NetworkAmended(_)));
    if amends { Ok(()) } else { Err(Rule::Amendment.into()) }
}

fn changes(change: &Change) -> Result<(), Rule> {
    if *change == Change::default() {
        return Err(Rule::Empty);
    }
    let contracts = change.contracts.as_deref().unwrap_or_default();
    let mut names = change.parameters.iter().flat_map(Parameters::iter);
    let few = change.parameters.as_ref().is_none_or(|parameters| parameters.iter().len() <= MAX_PARAMETERS);
    let in_order = contracts.len() <= MAX_CONTRACTS && contracts.windows(2).all(|pair| pair[0] < pair[1]);
    let short = names.all(|(name, _)| name.len() <= MAX_PARAMETER_NAME);
    if in_order && few && short { Ok(()) } else { Err(Rule::ListOrder) }
}
