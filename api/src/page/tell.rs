//! From a lot and its history to the story that the page tells.

use super::language::{Languages, Localised};
use super::sketch::Stop;
use super::steps::Steps;
use super::story::{AnchorShown, Origin, Parent, Proof, Recall, Standing, Story};
use super::words;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::{Proofs, Proven};
use crate::refusal::storage;
use crate::resources::produces::findings::{Finding, concerns_consumers, findings};
use crate::resources::produces::history::told;
use crate::state::{Anchor, ApiState};
use ledger::view::{Capacity, HistoryEntry, LotStanding, PageSize, ProduceFilter, ProduceRow, RecallRow};
use provenance::body::{Body, Outcome};
use provenance::custody::Closed;
use provenance::findings::FindingKind;
use provenance::id::{EventId, SubjectId};
use provenance::value::LangText;
use std::collections::BTreeSet;

/// Recalls that are told on the page: whoever reads three of them eats it no more.
const MAX_RECALLS: usize = 8;

/// Reads everything that the page of a lot tells.
pub(super) fn tell(state: &ApiState, id: &SubjectId, languages: &Languages) -> Result<Story, Problem> {
    let (row, entries) = told(state, id)?;
    let (names, proofs) = (Names::of(state), Proofs::of(state.anchoring.as_ref()));
    let mut steps = Steps::new(state, &row, languages, &names, &proofs);
    steps.tell(&entries)?;
    let (steps, shortened, route) = steps.finish();
    let findings = findings(state, &row, &entries)?;
    let (codes, claims) = (codes(&row), row.claims.iter().map(|claim| claim.as_str().to_owned()).collect());
    Ok(Story {
        id: id.to_string(),
        name: languages.pick(&row.name),
        variety: row.variety.as_ref().map(|variety| variety.as_str().to_owned()),
        grade: row.grade.as_ref().map(words::grade),
        quantity: words::quantity(if row.balance.is_zero() { &row.quantity } else { &row.balance }),
        harvested: row.harvested.map(words::days),
        codes,
        claims,
        producer: names.actor(&row.originator)?.shown(),
        origins: origins(state, &row, languages)?,
        recalls: recalls(state, &row, &findings, &names)?,
        standing: standing(&row, &entries, &names)?,
        findings: noteworthy(&findings),
        parent: parent(state, &row, languages)?,
        parts: parts(state, id)?,
        steps,
        shortened,
        route: drawn(route, &names, languages)?,
        proof: proof(state, &entries, &proofs),
    })
}

/// The recalls that findings tell of.
fn recalls(state: &ApiState, row: &ProduceRow, findings: &[Finding], names: &Names) -> Result<Vec<Recall>, Problem> {
    let standing = findings.iter().filter(|finding| finding.kind == FindingKind::Recalled);
    let issued: BTreeSet<EventId> = standing.flat_map(|finding| finding.events.iter().copied()).collect();
    let mut recalls = Vec::new();
    for id in issued {
        recalls.extend(state.views().recall(&id).map_err(storage)?);
    }
    let is_warning = |recall: &RecallRow| recall.lots.iter().all(|lot| lot.capacity == Capacity::PastHolder);
    recalls.sort_by_key(|recall| (is_warning(recall), recall.level, recall.issued));
    let told = recalls.into_iter().take(MAX_RECALLS).map(|recall| {
        let is_warning = is_warning(&recall);
        Ok(Recall {
            title: if is_warning { words::WARNING } else { words::recalled(recall.level) },
            is_warning,
            advice: words::advice(recall.action),
            hazard: recall.hazard.as_str().to_owned(),
            scope: recall.scope.map(|scope| scope.as_str().to_owned()),
            contact: recall.contact.as_str().to_owned(),
            issuer: names.actor(&recall.issuer)?.shown(),
            when: format!("{} UTC", words::moment(recall.issued.ms())),
            url: links::event(&recall.id),
            inherited: recall.lots.iter().all(|recalled| recalled.lot != row.id),
        })
    });
    told.collect()
}

/// What a consumer should know, each sort of fact once. Disputes and recalls have notices of their own.
fn noteworthy(findings: &[Finding]) -> Vec<&'static str> {
    let mut told: Vec<&'static str> = Vec::new();
    let is_told = |finding: &&Finding| finding.kind != FindingKind::Recalled && concerns_consumers(finding.kind);
    for finding in findings.iter().filter(is_told) {
        if !told.contains(&finding.detail) {
            told.push(finding.detail);
        }
    }
    told
}

fn codes(row: &ProduceRow) -> Vec<(&'static str, String)> {
    let Some(codes) = &row.codes else { return Vec::new() };
    let gtin = codes.gtin.as_ref().map(|gtin| ("GTIN", gtin.as_str().to_owned()));
    let lot = codes.lot.as_ref().map(|lot| ("Lot", lot.as_str().to_owned()));
    let traceability = codes.traceability_lot_code.as_ref().map(|code| ("Traceability lot", code.as_str().to_owned()));
    [gtin, lot, traceability].into_iter().flatten().collect()
}

fn origins(state: &ApiState, row: &ProduceRow, languages: &Languages) -> Result<Vec<Origin>, Problem> {
    let views = state.views();
    let mut origins = Vec::new();
    for place in &row.places {
        if let Some(place) = views.place(place).map_err(storage)? {
            origins.push(Origin {
                name: languages.pick(&place.name),
                place_type: place.place_type.as_str().to_owned(),
                country: place.country.map(|country| country.as_str().to_owned()),
            });
        }
    }
    Ok(origins)
}

fn standing(row: &ProduceRow, entries: &[HistoryEntry], names: &Names) -> Result<Standing, Problem> {
    let holder = names.actor(&row.holder)?.shown();
    Ok(match (row.standing, &row.open_offer) {
        (LotStanding::Disputed, _) => Standing::Disputed,
        (LotStanding::Offered, Some(open)) => Standing::Offered { holder, to: names.actor(&open.to)?.shown() },
        (LotStanding::Closed, _) => Standing::Closed { how: closed(row.closed, row.id, entries), holder },
        _ => Standing::Held { holder },
    })
}

/// How a lot left the chain; of a retired one the last event says it.
fn closed(closed: Option<Closed>, lot: SubjectId, entries: &[HistoryEntry]) -> &'static str {
    let outcome =
        entries.iter().rev().filter(|entry| entry.subject == lot && entry.counts).find_map(|entry| {
            match entry.body() {
                Body::ProduceRetired(body) => Some(body.outcome),
                _ => None,
            }
        });
    match (closed, outcome) {
        (Some(Closed::HandedOut), _) => "Handed to a party outside the network",
        (Some(Closed::LostInTransfer), _) => "Lost on the way",
        (_, Some(Outcome::Sold)) => "Sold",
        (_, Some(Outcome::Consumed)) => "Used up",
        (_, Some(Outcome::Lost)) => "Lost or spoilt",
        (_, Some(Outcome::Destroyed)) => "Destroyed",
        _ => "Left the chain",
    }
}

fn parent(state: &ApiState, row: &ProduceRow, languages: &Languages) -> Result<Option<Parent>, Problem> {
    let Some(id) = &row.part_of() else { return Ok(None) };
    let parent = state.views().produce(id).map_err(storage)?;
    Ok(parent.map(|parent| Parent {
        url: links::page(id),
        name: languages.pick(&parent.name),
        quantity: words::quantity(&parent.quantity),
    }))
}

/// How many parts were taken; a page full of them is told as such.
fn parts(state: &ApiState, id: &SubjectId) -> Result<usize, Problem> {
    let filter = ProduceFilter { parent: Some(*id), ..ProduceFilter::default() };
    let page = state.views().produces(&filter, None, PageSize::new(PageSize::MAX)).map_err(storage)?;
    Ok(page.rows.iter().filter(|row| row.part_of() == Some(*id)).count())
}

fn drawn(route: Vec<SubjectId>, names: &Names, languages: &Languages) -> Result<Vec<Stop>, Problem> {
    let mut stops = Vec::new();
    for place in route {
        let place = names.place(&place)?;
        if let Some(point) = place.point {
            stops.push(Stop { name: named(place.name.as_ref(), languages).text, point });
        }
    }
    Ok(stops)
}

/// The name of a place, also of one whose registration is not here.
pub(super) fn named(name: Option<&LangText>, languages: &Languages) -> Localised {
    name.map_or_else(
        || Localised { tag: "en".to_owned(), text: "a place that is not known here".to_owned() },
        |name| languages.pick(name),
    )
}

fn proof(state: &ApiState, entries: &[HistoryEntry], proofs: &Proofs<'_>) -> Proof {
    let states: Vec<_> = entries.iter().filter_map(|entry| entry.stored.index).map(|index| proofs.at(index)).collect();
    let reached = |least: Proven| states.iter().filter(|proof| proof.state >= least).count();
    let newest = states.iter().filter_map(|proof| proof.anchor).max();
    Proof {
        events: entries.len(),
        anchored: reached(Proven::Anchored),
        finally: reached(Proven::Final),
        anchor: newest.and_then(|sequence| state.anchoring.anchor(sequence)).map(shown),
        enabled: state.anchoring.status().enabled,
    }
}

fn shown(anchor: Anchor) -> AnchorShown {
    let (chain, public_chain) = words::chain(anchor.chain_id);
    AnchorShown {
        chain,
        public_chain,
        contract: anchor.contract,
        sequence: anchor.sequence,
        transaction: anchor.block.as_ref().map(|block| block.transaction.clone()),
        block: anchor
            .block
            .map(|block| (block.number, format!("{} UTC", words::moment(block.timestamp_s.saturating_mul(1000))))),
    }
}
