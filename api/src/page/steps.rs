//! The journey of a lot, step by step: its events, with offer and answer of a handover told as one.

use super::language::{Languages, Localised};
use super::story::{Signed, Step, Weight};
use super::tell::named;
use super::words;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::{ProofState, Proofs, Proven};
use crate::refusal::storage;
use crate::state::ApiState;
use ledger::view::{HistoryEntry, ProduceRow, TransferLine, TransferRow, TransferState};
use provenance::body::{Body, Outcome, Recipient};
use provenance::id::{EventId, SubjectId};
use provenance::value::Timestamp;
use std::collections::HashMap;

/// Steps at the beginning and at the end that a page shows of a long history.
const FIRST_STEPS: usize = 12;
const LAST_STEPS: usize = 48;

/// Collects the steps of one lot.
pub(super) struct Steps<'a> {
    state: &'a ApiState,
    row: &'a ProduceRow,
    languages: &'a Languages,
    names: &'a Names,
    proofs: &'a Proofs<'a>,
    steps: Vec<Step>,
    shortened: bool,
    route: Vec<SubjectId>,
}

/// The answers to an offer that lie in the same history.
type Answers<'a> = HashMap<EventId, Vec<&'a HistoryEntry>>;

impl<'a> Steps<'a> {
    /// No step yet.
    pub(super) fn new(
        state: &'a ApiState,
        row: &'a ProduceRow,
        languages: &'a Languages,
        names: &'a Names,
        proofs: &'a Proofs<'a>,
    ) -> Self {
        Self { state, row, languages, names, proofs, steps: Vec::new(), shortened: false, route: Vec::new() }
    }

    /// Steps, whether some were left out, and the places on the way.
    pub(super) fn finish(self) -> (Vec<Step>, bool, Vec<SubjectId>) {
        (self.steps, self.shortened, self.route)
    }

    /// Tells all entries, oldest first.
    pub(super) fn tell(&mut self, entries: &[HistoryEntry]) -> Result<(), Problem> {
        let mut answers = Answers::new();
        for entry in entries {
            if let Some(offer) = answered(entry.body()) {
                answers.entry(offer).or_default().push(entry);
            }
        }
        let offers: HashMap<EventId, &HistoryEntry> = entries.iter().map(|entry| (entry.id(), entry)).collect();
        self.shortened = entries.len() > FIRST_STEPS + LAST_STEPS;
        for (position, entry) in entries.iter().enumerate() {
            self.follow(entry)?;
            if self.shortened && (FIRST_STEPS..entries.len() - LAST_STEPS).contains(&position) {
                continue;
            }
            match entry.body() {
                // Told with its answer, where the lot went on from there.
                Body::TransferOffered(_) => {
                    let answers = answers.get(&entry.id()).map_or(&[][..], Vec::as_slice);
                    if !answers.iter().any(|answer| matches!(answer.body(), Body::TransferAccepted(_))) {
                        self.handover(entry, answers)?;
                    }
                }
                Body::TransferAccepted(body) => match offers.get(&body.offer) {
                    Some(offer) => self.handover(offer, answers.get(&body.offer).map_or(&[][..], Vec::as_slice))?,
                    None => self.single(entry)?,
                },
                Body::TransferDeclined(body) | Body::TransferCancelled(body) if offers.contains_key(&body.offer) => {}
                _ => self.single(entry)?,
            }
        }
        Ok(())
    }

    /// Where the lot goes with this event, if it counts.
    fn follow(&mut self, entry: &HistoryEntry) -> Result<(), Problem> {
        if !entry.counts {
            return Ok(());
        }
        match entry.body() {
            Body::ProduceRegistered(body) => self.route.extend(body.places.first()),
            Body::ProduceMoved(body) => self.route.push(body.place),
            Body::TransferAccepted(body) => {
                let offer = self.transfer(&body.offer)?;
                // A part that went elsewhere does not take this lot with it.
                if offer.as_ref().is_some_and(|offer| self.line(offer, entry).is_some_and(|line| self.is_ours(line))) {
                    self.route.extend(offer.and_then(|offer| offer.to_place));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// An event that stands for itself.
    fn single(&mut self, entry: &HistoryEntry) -> Result<(), Problem> {
        let judgement = &entry.stored.judged.judgement;
        let signer = self.names.actor(&judgement.actor)?.shown();
        let acting = self.names.actor(&judgement.acting)?.shown();
        let mut lines = Vec::new();
        let mut place = None;
        let title = match entry.body() {
            Body::ProduceRegistered(body) => {
                lines.push(words::quantity(&body.quantity));
                place = body.places.first();
                if signer == acting { format!("Registered by {acting}") } else { format!("Registered for {acting} by {signer}") }
            }
            Body::ProduceMoved(body) => {
                place = Some(&body.place);
                format!("Moved by {acting}")
            }
            Body::ProduceQualityUpdated(body) => {
                lines.extend(body.reason.as_ref().map(|reason| reason.as_str().to_owned()));
                format!("Graded {}", words::grade(&body.grade))
            }
            Body::ProducePriceUpdated(body) => {
                lines.extend(body.reason.as_ref().map(|reason| reason.as_str().to_owned()));
                format!("Price set to {}", words::price(&body.price))
            }
            Body::ProduceRetired(body) => {
                let how = match body.outcome {
                    Outcome::Sold => "sold",
                    Outcome::Consumed => "used up",
                    Outcome::Lost => "lost or spoilt",
                    Outcome::Destroyed => "destroyed",
                };
                format!("{} {how}", words::quantity(&body.quantity))
            }
            Body::EventCorrected(body) => {
                lines.push(body.reason.as_str().to_owned());
                format!("An earlier record was corrected by {acting}")
            }
            other => format!("Recorded by {acting}: {}", other.kind().map_or("a new kind of event", |kind| kind.name())),
        };
        if !entry.corrections.is_empty() {
            lines.push("Shown as it was corrected afterwards.".to_owned());
        }
        let place = place.map(|place| self.place(place)).transpose()?;
        let step = self.step(title, lines, place, &[(entry, "recorded")])?;
        self.steps.push(step);
        Ok(())
    }

    /// An offer with its answers, as one step.
    fn handover(&mut self, offer: &HistoryEntry, answers: &[&HistoryEntry]) -> Result<(), Problem> {
        let Some(row) = self.transfer(&offer.id())? else { return self.single(offer) };
        let from = self.names.actor(&row.offerer)?.shown();
        let to = match &row.recipient {
            Recipient::Actor(actor) => self.names.actor(actor)?.shown(),
            Recipient::OutsideGln(gln) => format!("the party with GLN {} outside the network", gln.as_str()),
            Recipient::OutsideName(name) => {
                name.open().map_or_else(|| "a party outside the network".to_owned(), |name| name.as_str().to_owned())
            }
        };
        let line = self.line(&row, offer).or_else(|| answers.iter().find_map(|answer| self.line(&row, answer)));
        let ours = line.is_none_or(|line| self.is_ours(line));
        let what = match line {
            Some(line) if !ours => format!("A part of {}", words::quantity(&line.offered)),
            _ => "It".to_owned(),
        };
        let title = match row.state {
            TransferState::Accepted if ours => format!("Handed over from {from} to {to}"),
            TransferState::Accepted | TransferState::OneSided => format!("{what} was handed over from {from} to {to}"),
            TransferState::Open => format!("{what} was offered by {from} to {to}"),
            TransferState::Declined => format!("{what} was offered by {from}, and declined by {to}"),
            TransferState::Cancelled => format!("{what} was offered to {to}, and taken back by {from}"),
        };
        let lines = self.terms(&row, line, answers)?;
        let mut signed: Vec<(&HistoryEntry, &'static str)> = vec![(offer, "offered")];
        signed.extend(answers.iter().map(|answer| (*answer, verb(answer.body()))));
        let place = row.to_place.as_ref().map(|place| self.place(place)).transpose()?;
        let mut step = self.step(title, lines, place, &signed)?;
        step.of_parent &= !ours;
        step.awaits = (row.state == TransferState::Open).then_some(to);
        if matches!(row.state, TransferState::Declined | TransferState::Cancelled) && step.weight == Weight::Counts {
            step.weight = Weight::Beside;
        }
        self.steps.push(step);
        Ok(())
    }

    /// What was agreed and what came of it.
    fn terms(&self, row: &TransferRow, line: Option<&TransferLine>, answers: &[&HistoryEntry]) -> Result<Vec<String>, Problem> {
        let mut lines = Vec::new();
        if let Some(line) = line {
            lines.push(words::quantity(&line.offered));
            if let Some(answer) = &line.answer {
                let told = |what: &str, quantity: &Option<_>| quantity.as_ref().map(|quantity| format!("{} {what}", words::quantity(quantity)));
                lines.extend(told("rejected and given back", &answer.rejected));
                lines.extend(told("missing on arrival", &answer.lost));
                lines.extend(answer.reason.as_ref().map(|reason| reason.as_str().to_owned()));
            }
        }
        lines.extend(row.price.as_ref().and_then(|price| price.open().map(|_| format!("For {}", words::price(price)))));
        if let Some(carrier) = &row.carrier {
            lines.push(format!("Carried by {}", self.names.actor(carrier)?.shown()));
        }
        if row.state == TransferState::OneSided {
            lines.push("The receiver is outside the network, so this handover bears one signature only.".to_owned());
        }
        for answer in answers {
            match answer.body() {
                Body::TransferDeclined(body) | Body::TransferCancelled(body) => {
                    lines.extend(body.reason.as_ref().map(|reason| reason.as_str().to_owned()));
                }
                _ => {}
            }
        }
        Ok(lines)
    }

    fn step(
        &self,
        title: String,
        lines: Vec<String>,
        place: Option<Localised>,
        signed: &[(&HistoryEntry, &'static str)],
    ) -> Result<Step, Problem> {
        let (last, _) = signed.last().expect("a step is made of at least one event");
        let payload = last.stored.judged.event.payload();
        let signatures = signed.iter().map(|(entry, says)| self.signature(entry, says)).collect::<Result<_, _>>()?;
        let at: Timestamp = payload.occurred.map_or(payload.time, |occurred| occurred.start());
        Ok(Step {
            title,
            lines,
            when: words::when(payload.time, payload.occurred),
            when_iso: at.to_string(),
            place,
            signatures,
            awaits: None,
            proof: self.least_proven(signed),
            weight: self.weight(signed),
            of_parent: signed.iter().all(|(entry, _)| entry.subject != self.row.id),
        })
    }

    fn signature(&self, entry: &HistoryEntry, says: &'static str) -> Result<Signed, Problem> {
        let judged = &entry.stored.judged;
        Ok(Signed {
            name: self.names.actor(&judged.judgement.actor)?.shown(),
            says,
            when: format!("{} UTC", words::moment(judged.event.payload().time.ms())),
            url: links::event(&entry.id()),
        })
    }

    /// A step is proven as well as the event of it that is proven least.
    fn least_proven(&self, signed: &[(&HistoryEntry, &'static str)]) -> ProofState {
        let accepted = ProofState { state: Proven::Accepted, anchor: None };
        let states = signed.iter().map(|(entry, _)| entry.stored.index.map_or(accepted, |index| self.proofs.at(index)));
        states.min_by_key(|proof| proof.state).unwrap_or(accepted)
    }

    fn weight(&self, signed: &[(&HistoryEntry, &'static str)]) -> Weight {
        if self.row.is_disputed() && signed.iter().any(|(entry, _)| self.row.in_conflict.contains(&entry.id())) {
            Weight::Conflict
        } else if signed.iter().any(|(entry, _)| !entry.counts) {
            Weight::Beside
        } else {
            Weight::Counts
        }
    }

    fn transfer(&self, offer: &EventId) -> Result<Option<TransferRow>, Problem> {
        self.state.views().transfer(offer).map_err(storage)
    }

    /// The line of a handover by which this lot came, or by which something of it went.
    fn line<'r>(&self, row: &'r TransferRow, entry: &HistoryEntry) -> Option<&'r TransferLine> {
        let came = row.lines.iter().find(|line| line.item == self.row.id);
        came.or_else(|| row.lines.iter().find(|line| line.item == entry.subject || line.lot == entry.subject))
    }

    /// Whether the line moves the lot of this page, or all of a lot of which it is a part.
    fn is_ours(&self, line: &TransferLine) -> bool {
        line.item == self.row.id || line.item == line.lot
    }

    fn place(&self, place: &SubjectId) -> Result<Localised, Problem> {
        Ok(named(self.names.place(place)?.name.as_ref(), self.languages))
    }
}

/// The offer that an event answers.
fn answered(body: &Body) -> Option<EventId> {
    match body {
        Body::TransferAccepted(body) => Some(body.offer),
        Body::TransferDeclined(body) | Body::TransferCancelled(body) => Some(body.offer),
        _ => None,
    }
}

fn verb(body: &Body) -> &'static str {
    match body {
        Body::TransferAccepted(_) => "accepted",
        Body::TransferDeclined(_) => "declined",
        _ => "cancelled",
    }
}
