//! The journey of a lot, step by step: its events, with offer and answer of a handover told as one.

use super::attested;
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
use ledger::Stored;
use ledger::view::{HistoryEntry, ProduceRow, TransferLine, TransferRow, TransferState};
use provenance::body::{Body, Moves, Outcome, Recipient};
use provenance::id::{EventId, SubjectId};
use provenance::value::Timestamp;
use std::collections::{HashMap, HashSet};

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
    told: Vec<Step>,
    shortened: bool,
    route: Vec<SubjectId>,
}

impl<'a> Steps<'a> {
    /// No step yet.
    pub(super) fn new(
        state: &'a ApiState,
        row: &'a ProduceRow,
        languages: &'a Languages,
        names: &'a Names,
        proofs: &'a Proofs<'a>,
    ) -> Self {
        Self { state, row, languages, names, proofs, told: Vec::new(), shortened: false, route: Vec::new() }
    }

    /// Steps, whether some were left out, and the places on the way.
    pub(super) fn finish(self) -> (Vec<Step>, bool, Vec<SubjectId>) {
        (self.told, self.shortened, self.route)
    }

    /// Tells all entries, oldest first.
    pub(super) fn tell(&mut self, entries: &[HistoryEntry]) -> Result<(), Problem> {
        let by_id: HashMap<EventId, &HistoryEntry> = entries.iter().map(|entry| (entry.id(), entry)).collect();
        let accepted: HashSet<EventId> = entries
            .iter()
            .filter_map(|entry| match entry.body() {
                Body::TransferAccepted(body) => Some(body.offer),
                _ => None,
            })
            .collect();
        self.shortened = entries.len() > FIRST_STEPS + LAST_STEPS;
        for (position, entry) in entries.iter().enumerate() {
            self.follow(entry)?;
            if self.shortened && (FIRST_STEPS..entries.len() - LAST_STEPS).contains(&position) {
                continue;
            }
            match entry.body() {
                // Told with its acceptance, where the lot went on from there.
                Body::TransferOffered(_) if accepted.contains(&entry.id()) => {}
                Body::TransferOffered(_) => self.handover(entry, entry)?,
                Body::TransferAccepted(body) => match by_id.get(&body.offer) {
                    Some(offer) => self.handover(entry, offer)?,
                    None => self.single(entry)?,
                },
                Body::TransferDeclined(body) | Body::TransferCancelled(body) if by_id.contains_key(&body.offer) => {}
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
            Body::ProduceCollected(body) => {
                self.route.extend(body.deliveries.iter().filter_map(|delivery| delivery.place).take(1));
            }
            Body::ProduceMoved(body) => self.route.push(body.place),
            Body::ProduceHandled(body) => self.route.extend(body.place),
            Body::ProduceTransformed(body) => self.route.extend(body.place),
            Body::UnitPacked(body) => self.route.extend(body.place),
            Body::UnitUnpacked(body) => self.route.extend(body.place),
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
                if signer == acting {
                    format!("Registered by {acting}")
                } else {
                    format!("Registered for {acting} by {signer}")
                }
            }
            Body::ProduceCollected(body) => {
                for delivery in &body.deliveries {
                    let member = self.names.actor(&delivery.member)?.shown();
                    lines.push(format!("{} from {member}", words::quantity(&delivery.quantity)));
                }
                format!("Collected from {} by {acting}", members(body.deliveries.len()))
            }
            Body::ProduceHandled(body) => {
                place = body.place.as_ref();
                lines.extend(body.temperature.map(words::temperature));
                lines.extend(body.remark.as_ref().map(|remark| remark.as_str().to_owned()));
                format!("{} by {acting}", words::capitalised(body.step.as_str()))
            }
            Body::ProduceCodesAssigned(_) => format!("Labelled by {acting}"),
            Body::ProduceTransformed(body) => {
                place = body.place.as_ref();
                for input in &body.inputs {
                    lines.push(format!("From {} of {}", words::quantity(&input.quantity), self.lot_name(&input.lot)?));
                }
                lines.extend(body.loss.as_ref().map(|loss| format!("{} was lost", words::quantity(loss))));
                format!("Made by {acting}: {}", body.process.as_str())
            }
            Body::UnitPacked(body) => {
                place = body.place.as_ref();
                lines.extend(body.sscc.as_ref().map(|sscc| format!("Shipping unit {}", sscc.as_str())));
                format!("Packed by {acting}")
            }
            Body::UnitUnpacked(body) => {
                place = body.place.as_ref();
                format!("Unpacked by {acting}")
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
            other => match attested::told(other, &acting) {
                Some((title, more)) => {
                    lines.extend(more);
                    title
                }
                None => {
                    format!("Recorded by {acting}: {}", other.kind().map_or("a new kind of event", |kind| kind.name()))
                }
            },
        };
        if !entry.corrections.is_empty() {
            lines.push("Shown as it was corrected afterwards.".to_owned());
        }
        let place = place.map(|place| self.place(place)).transpose()?;
        let step = self.step(title, lines, place, entry, &[(&entry.stored, "recorded")])?;
        self.told.push(step);
        Ok(())
    }

    /// An offer with its answers, as one step. `told` is the entry under which it stands in the journey.
    fn handover(&mut self, told: &HistoryEntry, offer: &HistoryEntry) -> Result<(), Problem> {
        let Some(row) = self.transfer(&offer.id())? else { return self.single(told) };
        let from = self.names.actor(&row.offerer)?.shown();
        let to = match &row.recipient {
            Recipient::Actor(actor) => self.names.actor(actor)?.shown(),
            Recipient::OutsideGln(gln) => format!("the party with GLN {} outside the network", gln.as_str()),
            Recipient::OutsideName(name) => {
                name.open().map_or_else(|| "a party outside the network".to_owned(), |name| name.as_str().to_owned())
            }
        };
        let line = self.line(&row, told);
        let ours = line.is_none_or(|line| self.is_ours(line));
        let what = match line {
            Some(line) if !ours => format!("A part of {}", words::quantity(&line.offered)),
            _ => "It".to_owned(),
        };
        let title = match (row.moves, row.state) {
            (Moves::Title, TransferState::Accepted) => format!("Sold by {from} to {to}; who holds it did not change"),
            (Moves::Possession, TransferState::Accepted) => {
                format!("Handed over from {from} to {to}; who owns it did not change")
            }
            (_, state) => Self::outcome(state, &what, ours, &from, &to),
        };
        // The answer to the offer of a part lies on the line of that part, so it is looked up.
        let mut answers = Vec::with_capacity(row.answers.len());
        for answer in &row.answers {
            answers.extend(self.state.ledger.reader().stored(answer).map_err(storage)?);
        }
        let lines = self.terms(&row, line.filter(|_| ours), &answers)?;
        let mut signed: Vec<(&Stored, &'static str)> = vec![(&offer.stored, "offered")];
        signed.extend(answers.iter().map(|answer| (answer, verb(&answer.judged.event.payload().body))));
        let place = row.to_place.as_ref().map(|place| self.place(place)).transpose()?;
        let mut step = self.step(title, lines, place, told, &signed)?;
        step.of_parent &= !ours;
        step.awaits = (row.state == TransferState::Open).then_some(to);
        if matches!(row.state, TransferState::Declined | TransferState::Cancelled) && step.weight == Weight::Counts {
            step.weight = Weight::Beside;
        }
        self.told.push(step);
        Ok(())
    }

    /// What became of an offer, in a sentence.
    fn outcome(state: TransferState, what: &str, ours: bool, from: &str, to: &str) -> String {
        match state {
            TransferState::Accepted | TransferState::OneSided if ours => format!("Handed over from {from} to {to}"),
            TransferState::Accepted | TransferState::OneSided => format!("{what} was handed over from {from} to {to}"),
            TransferState::Open => format!("{what} was offered by {from} to {to}"),
            TransferState::Declined => format!("{what} was offered by {from}, and declined by {to}"),
            TransferState::Cancelled => format!("{what} was offered to {to}, and taken back by {from}"),
        }
    }

    /// What was agreed and what came of it.
    fn terms(
        &self,
        row: &TransferRow,
        line: Option<&TransferLine>,
        answers: &[Stored],
    ) -> Result<Vec<String>, Problem> {
        let mut lines = Vec::new();
        if let Some(line) = line {
            lines.push(words::quantity(&line.offered));
            if let Some(answer) = &line.answer {
                let told = |what: &str, quantity: &Option<_>| {
                    quantity.as_ref().map(|quantity| format!("{} {what}", words::quantity(quantity)))
                };
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
            match &answer.judged.event.payload().body {
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
        told: &HistoryEntry,
        signed: &[(&Stored, &'static str)],
    ) -> Result<Step, Problem> {
        let (last, _) = signed.last().expect("a step is made of at least one event");
        let payload = last.judged.event.payload();
        let signatures = signed.iter().map(|(stored, says)| self.signature(stored, says)).collect::<Result<_, _>>()?;
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
            weight: self.weight(told, signed),
            of_parent: told.subject != self.row.id && !self.is_unit(&told.subject)?,
        })
    }

    fn signature(&self, stored: &Stored, says: &'static str) -> Result<Signed, Problem> {
        let event = &stored.judged.event;
        Ok(Signed {
            name: self.names.actor(&stored.judged.judgement.actor)?.shown(),
            says,
            when: format!("{} UTC", words::moment(event.payload().time.ms())),
            url: links::event(&event.id()),
        })
    }

    /// A step is proven as well as the event of it that is proven least.
    fn least_proven(&self, signed: &[(&Stored, &'static str)]) -> ProofState {
        let accepted = ProofState { state: Proven::Accepted, anchor: None };
        let states = signed.iter().map(|(stored, _)| stored.index.map_or(accepted, |index| self.proofs.at(index)));
        states.min_by_key(|proof| proof.state).unwrap_or(accepted)
    }

    fn weight(&self, told: &HistoryEntry, signed: &[(&Stored, &'static str)]) -> Weight {
        let among = |ids: &[EventId]| signed.iter().any(|(stored, _)| ids.contains(&stored.judged.event.id()));
        if self.row.is_disputed() && among(&self.row.in_conflict) {
            Weight::Conflict
        } else if !told.counts || among(&self.row.beside) {
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

    fn is_unit(&self, subject: &SubjectId) -> Result<bool, Problem> {
        Ok(self.state.views().unit(subject).map_err(storage)?.is_some())
    }

    fn lot_name(&self, lot: &SubjectId) -> Result<String, Problem> {
        let row = self.state.views().produce(lot).map_err(storage)?;
        Ok(row.map_or_else(|| "a lot that is not known here".to_owned(), |row| self.languages.pick(&row.name).text))
    }

    fn place(&self, place: &SubjectId) -> Result<Localised, Problem> {
        Ok(named(self.names.place(place)?.name.as_ref(), self.languages))
    }
}

fn members(deliveries: usize) -> String {
    if deliveries == 1 { "one member".to_owned() } else { format!("{deliveries} deliveries of members") }
}

fn verb(body: &Body) -> &'static str {
    match body {
        Body::TransferAccepted(_) => "accepted",
        Body::TransferDeclined(_) => "declined",
        _ => "cancelled",
    }
}
