//! What signers do: honest ones one thing after the other, others not.

use crate::deed::{Deed, Draft, Knowledge};
use crate::node::{Job, Waiting};
use crate::signer::{Habit, Signer};
use crate::violation::Broken;
use crate::world::World;
use ledger::{Origin, Outcome};
use provenance::body::Body;
use provenance::id::{EventId, SubjectId};

/// How many deeds somebody thinks of before leaving it.
const TRIES: usize = 4;

impl World {
    /// The founder brings somebody in.
    pub fn enrol(&mut self) -> Result<(), Broken> {
        self.act_as(0, Some(Deed::Enrol))
    }

    /// Somebody does something.
    pub fn act(&mut self) -> Result<(), Broken> {
        let signer = self.chance.index(self.signers.len());
        self.act_as(signer, None)
    }

    fn act_as(&mut self, number: usize, deed: Option<Deed>) -> Result<(), Broken> {
        let at = self.signers[number].home;
        if !self.let_views_follow(at)? {
            return Ok(());
        }
        let (now_ms, network) = (self.machine_time(at), self.network.id());
        let mut found = None;
        // Most of what comes to mind cannot be done, as nothing is there to do it with.
        for _ in 0..TRIES {
            let deed = deed.unwrap_or_else(|| Deed::draw(&mut self.chance));
            found = self.draft(number, deed)?.map(|draft| (deed, draft));
            if found.is_some() {
                break;
            }
        }
        if let Some((deed, draft)) = found {
            let equivocates = self.signers[number].habit == Habit::Equivocates && self.chance.percent(40);
            let signer = &self.signers[number];
            let (event, enrolled) = (signer.sign(network, now_ms, draft.clone()), draft.enrolled.clone());
            self.tell(&format!("{number} at {at} signs {deed:?}: {}", event.id()));
            if equivocates {
                let deed = Deed::draw(&mut self.chance);
                self.equivocate(number, deed)?;
            }
            self.signed.insert(event.id());
            if matches!(draft.body, Body::PlaceRegistered(_)) {
                self.signers[number].places.push((event.id().subject(0), event.id()));
            }
            if let Some(key) = enrolled {
                let home = self.chance.index(self.machines.len());
                let mut new = Signer::new(key, event.id().subject(0), event.id(), home);
                if self.chance.percent(self.settings.dishonest_percent) {
                    new.habit = Habit::Equivocates;
                }
                self.signers.push(new);
            }
            self.signers[number].goes_on_with(event);
        }
        self.send_trail(number);
        Ok(())
    }

    /// The same key signs another thing after the same one, and tells another node.
    fn equivocate(&mut self, number: usize, deed: Deed) -> Result<(), Broken> {
        let elsewhere = self.chance.index(self.machines.len());
        let now_ms = self.machine_time(elsewhere);
        let Some(draft) = self.draft(number, deed)? else { return Ok(()) };
        if draft.enrolled.is_some() {
            return Ok(());
        }
        let event = self.signers[number].sign(self.network.id(), now_ms + 1, draft);
        self.tell(&format!("{number} equivocates at {elsewhere} with {deed:?}: {}", event.id()));
        self.forks += 1;
        self.signed.insert(event.id());
        let events = vec![event.bytes().to_vec()];
        self.submit(elsewhere, Job { events, origin: Origin::Client, waiting: Waiting::Nobody });
        Ok(())
    }

    fn draft(&mut self, number: usize, deed: Deed) -> Result<Option<Draft>, Broken> {
        let signer = &self.signers[number];
        let Some(node) = &self.machines[signer.home].node else { return Ok(None) };
        let actors: Vec<(SubjectId, EventId)> =
            self.signers.iter().map(|signer| (signer.actor, signer.key_event)).collect();
        let reader = node.ledger().reader();
        // Nobody can sign before the node next to him knows who he is.
        let key_event = signer.key_event;
        if key_event != self.network.id().as_event() && reader.stored(&key_event).map_err(Broken::failed)?.is_none() {
            return Ok(None);
        }
        let known = Knowledge { network: self.network.id(), views: node.views(), reader, actors: &actors };
        deed.draft(signer, &known, &mut self.chance).map_err(Broken::failed)
    }

    /// Whoever signs waits until the views show what the log holds.
    fn let_views_follow(&mut self, at: usize) -> Result<bool, Broken> {
        let Some(node) = &mut self.machines[at].node else { return Ok(false) };
        let went_well = node.follow_to_the_end();
        if self.machines[at].disk.is_down() {
            self.stop(at);
            return Ok(false);
        }
        self.look_at_cut(at)?;
        Ok(went_well)
    }

    /// Sends what nobody acknowledged, in the order in which it was signed.
    fn send_trail(&mut self, number: usize) {
        let signer = &self.signers[number];
        if signer.trail.is_empty() {
            return;
        }
        let events = signer.trail.iter().map(|event| event.bytes().to_vec()).collect();
        self.submit(signer.home, Job { events, origin: Origin::Client, waiting: Waiting::Signer(number) });
    }

    /// A signer hears what became of its events.
    pub fn hear_back(&mut self, number: usize, events: &[Vec<u8>], outcomes: &[Outcome]) {
        let drops_mistakes = self.chance.percent(50);
        let signer = &mut self.signers[number];
        for (bytes, outcome) in events.iter().zip(outcomes) {
            let id = EventId::of(bytes);
            match outcome {
                Outcome::Admitted { .. } | Outcome::Known { .. } => signer.has_seen(&id),
                // A mistake is forgotten and its place in the journal taken again, or built upon; then it is sent
                // again with what comes after it.
                Outcome::Void { .. } if drops_mistakes => signer.forget_last(&id),
                _ => {}
            }
        }
    }

    fn machine_time(&self, at: usize) -> u64 {
        use ledger::Clock;
        self.machines[at].clock.now_ms()
    }
}
