//! Rules of event.confirmed and event.disputed, and who is party to an event.

use super::{Ancestry, Case, Judged, Outcome, Rule, Stop};
use crate::body::{Body, Recipient};
use crate::id::{EventId, SubjectId};
use crate::payload::Lane;
use std::sync::Arc;

pub(super) fn stated<A: Ancestry>(case: &Case<'_>, target: &EventId, ancestry: &A) -> Result<Outcome, Stop<A::Error>> {
    let touch = case.only_touch()?;
    if touch.lane != Lane::Attester(case.authority.actor) {
        return Err(Rule::Touches.into());
    }
    let target = ancestry.judged(target).map_err(Stop::Read)?.ok_or(Rule::NotParty)?;
    if touch.subject != target.event.subject(0) {
        return Err(Rule::Touches.into());
    }
    if !parties(&target, ancestry).map_err(Stop::Read)?.contains(&case.authority.actor) {
        return Err(Rule::NotParty.into());
    }
    Ok(vec![Ok(None)])
}

/// Who has a part in an event: who signed and acted, who captured it, and those whom its body names as parties.
pub(crate) fn parties<A: Ancestry>(judged: &Arc<Judged>, ancestry: &A) -> Result<Vec<SubjectId>, A::Error> {
    let payload = judged.event.payload();
    let mut parties = vec![judged.judgement.actor, judged.judgement.acting];
    parties.extend(payload.captured_by);
    let offer = match &payload.body {
        Body::TransferAccepted(body) => Some(&body.offer),
        Body::TransferDeclined(body) | Body::TransferCancelled(body) => Some(&body.offer),
        _ => None,
    };
    match &payload.body {
        Body::TransferOffered(body) => {
            parties.extend(body.carrier);
            if let Recipient::Actor(to) = &body.to {
                parties.push(*to);
            }
        }
        Body::ProduceCollected(body) => parties.extend(body.deliveries.iter().map(|delivery| delivery.member)),
        Body::CertificateIssued(body) => parties.extend(&body.operators),
        _ => {}
    }
    if let Some(offer) = offer
        && let Some(offer) = ancestry.judged(offer)?
    {
        // An answer names an offer, and an offer has no further ones.
        parties.extend(self::parties(&offer, ancestry)?);
    }
    Ok(parties)
}
