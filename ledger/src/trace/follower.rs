//! The follower that writes lineage.

use super::table::{Claims, How, Link, LinkRow, Links, PAGE_LINKS, Whereabouts};
use super::walk::Direction;
use crate::follower::{Follower, LogEntry};
use crate::reader::Reader;
use provenance::admission::{Judged, offered_items, packed_parts, returned_parts};
use provenance::body::Body;
use provenance::findings::claim_texts;
use provenance::id::{EventId, SubjectId};
use provenance::value::Text;
use std::collections::HashMap;
use store::{Batch, Column, StoreError};

/// Raised whenever a row changes its meaning; lineage is then made again.
const VERSION: u32 = 1;

/// Keeps lineage.
#[derive(Debug, Default)]
pub struct LineageFollower;

impl LineageFollower {
    /// Under this name lineage is rebuilt and its lag is measured.
    pub const NAME: &'static str = "lineage";
}

impl Follower for LineageFollower {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn columns(&self) -> &'static [Column] {
        &[Column::Lineage, Column::Whereabouts, Column::Claims]
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let mut links: Vec<(SubjectId, SubjectId, EventId, How)> = Vec::new();
        for LogEntry { stored, .. } in entries {
            let judged = &stored.judged;
            let id = judged.event.id();
            links.extend(derived(judged).into_iter().map(|(from, to, how)| (from, to, id, how)));
            let payload = judged.event.payload();
            let time_ms = payload.occurred.map_or(payload.time, |occurred| occurred.start()).ms();
            for (lot, place) in sightings(reader, judged)? {
                batch.put::<Whereabouts>(&(place, time_ms, lot, id), &());
                batch.put::<Whereabouts>(&(lot, time_ms, place, id), &());
            }
            claims(judged, batch);
        }
        append(reader, &links, batch)
    }
}

/// What came out of what.
fn derived(judged: &Judged) -> Vec<(SubjectId, SubjectId, How)> {
    let event = &judged.event;
    match &event.payload().body {
        Body::TransferOffered(_) => {
            let items = offered_items(judged).unwrap_or_default();
            let parts = items.into_iter().filter(|item| item.item != item.lot);
            parts.map(|item| (item.lot, item.item, How::Part)).collect()
        }
        Body::TransferAccepted(_) => {
            returned_parts(judged).into_iter().map(|(from, part)| (from, part, How::Returned)).collect()
        }
        Body::UnitPacked(body) => {
            let Some(unit) = event.subject(0) else { return Vec::new() };
            let parts = packed_parts(judged);
            let packed = body.contents.iter().map(|content| {
                let part = parts.iter().find(|(from, _)| *from == content.lot);
                (part.map_or(content.lot, |(_, part)| *part), unit, How::Packed)
            });
            parts.iter().map(|(from, part)| (*from, *part, How::Part)).chain(packed).collect()
        }
        Body::UnitUnpacked(body) => {
            let Some(unit) = event.subject(0) else { return Vec::new() };
            body.contents.iter().map(|content| (*content, unit, How::Unpacked)).collect()
        }
        Body::ProduceTransformed(body) => {
            let outputs: Vec<SubjectId> = created(judged).collect();
            let from = |lot: SubjectId| outputs.iter().map(move |output| (lot, *output, How::Made));
            body.inputs.iter().flat_map(|input| from(input.lot)).collect()
        }
        _ => Vec::new(),
    }
}

fn created(judged: &Judged) -> impl Iterator<Item = SubjectId> {
    let at = judged.event.payload().created();
    at.filter_map(|index| judged.event.subject(index as usize))
}

/// Which lots an event tells to be at which places.
fn sightings(reader: &Reader, judged: &Judged) -> Result<Vec<(SubjectId, SubjectId)>, StoreError> {
    let event = &judged.event;
    let all_at = |place: Option<SubjectId>, lots: Vec<SubjectId>| {
        lots.into_iter().filter_map(|lot| Some((lot, place?))).collect::<Vec<_>>()
    };
    let first = || event.subject(0).into_iter().collect::<Vec<_>>();
    Ok(match &event.payload().body {
        Body::ProduceRegistered(body) => {
            event.subject(0).into_iter().flat_map(|lot| body.places.iter().map(move |place| (lot, *place))).collect()
        }
        Body::ProduceCollected(body) => {
            let places = body.deliveries.iter().filter_map(|delivery| delivery.place);
            event.subject(0).into_iter().flat_map(|lot| places.clone().map(move |place| (lot, place))).collect()
        }
        Body::ProduceMoved(body) => all_at(Some(body.place), first()),
        Body::ProduceHandled(body) => all_at(body.place, first()),
        Body::ProduceTransformed(body) => all_at(body.place, created(judged).collect()),
        Body::UnitPacked(body) => {
            let lots = body.contents.iter().map(|content| content.lot).chain(event.subject(0));
            all_at(body.place, lots.chain(created(judged)).collect())
        }
        Body::UnitUnpacked(body) => all_at(body.place, body.contents.iter().copied().chain(event.subject(0)).collect()),
        Body::TransferOffered(body) => all_at(body.from_place, body.lines.iter().map(|line| line.lot).collect()),
        Body::TransferAccepted(body) => {
            let Some(offer) = reader.stored(&body.offer)? else { return Ok(Vec::new()) };
            let Body::TransferOffered(offered) = &offer.judged.event.payload().body else { return Ok(Vec::new()) };
            let items = offered_items(&offer.judged).unwrap_or_default();
            all_at(offered.to_place, items.into_iter().map(|item| item.item).collect())
        }
        _ => Vec::new(),
    })
}

/// Keeps certificates by what they can be called, and lots by what they claim.
fn claims(judged: &Judged, batch: &mut Batch) {
    let event = &judged.event;
    let Some(subject) = event.subject(0) else { return };
    let mut claim = |claims: &Option<Vec<Text<128>>>| {
        for claim in claims.iter().flatten() {
            batch.put::<Claims>(&(claim.to_string(), Claims::LOT, subject, event.id()), &());
        }
    };
    match &event.payload().body {
        Body::ProduceRegistered(body) => claim(&body.claims),
        Body::ProduceCollected(body) => claim(&body.claims),
        Body::CertificateIssued(body) => {
            for text in claim_texts(&subject, body) {
                batch.put::<Claims>(&(text, Claims::CERTIFICATE, subject, event.id()), &());
            }
        }
        _ => {}
    }
}

/// Puts each link behind those of both its ends.
fn append(
    reader: &Reader,
    links: &[(SubjectId, SubjectId, EventId, How)],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut ends: HashMap<(SubjectId, u8), Vec<Link>> = HashMap::new();
    for (from, to, event, how) in links {
        let (event, how) = (*event, *how);
        ends.entry((*from, Direction::Downstream.number())).or_default().push(Link { subject: *to, event, how });
        ends.entry((*to, Direction::Upstream.number())).or_default().push(Link { subject: *from, event, how });
    }
    let keys: Vec<_> = ends.keys().map(|(subject, direction)| (*subject, *direction, 0)).collect();
    let rows = reader.store().multi_get::<Links>(&keys)?;
    for ((subject, direction, _), first) in keys.into_iter().zip(rows) {
        let mut first = first.unwrap_or_default();
        let added = ends.remove(&(subject, direction)).unwrap_or_default();
        let (old, mut number) = (first.behind, first.behind);
        let mut last = match number {
            0 => std::mem::take(&mut first.links),
            _ => reader.store().get::<Links>(&(subject, direction, number))?.unwrap_or_default().links,
        };
        for link in added {
            if last.len() >= PAGE_LINKS {
                let full = std::mem::take(&mut last);
                if number == 0 {
                    first.links = full;
                } else {
                    batch.put::<Links>(&(subject, direction, number), &LinkRow { behind: 0, links: full });
                }
                number += 1;
            }
            last.push(link);
        }
        if number == 0 {
            first.links = last;
        } else {
            batch.put::<Links>(&(subject, direction, number), &LinkRow { behind: 0, links: last });
        }
        first.behind = number;
        if number == 0 || number != old {
            batch.put::<Links>(&(subject, direction, 0), &first);
        }
    }
    Ok(())
}
