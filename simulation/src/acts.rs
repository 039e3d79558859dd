//! What signers do: honest ones one thing after the other, others not.

use crate::deed::{Deed, Draft, Gift, Knowledge, next_amendment};
use crate::node::{Job, Waiting};
use crate::signer::{Habit, Signer};
use crate::violation::Broken;
use crate::world::World;
use ledger::{Origin, Outcome};
use provenance::body::Body;
use provenance::event::SignedEvent;
use provenance::id::EventId;

/// How many deeds somebody thinks of before leaving it.
const TRIES: usize = 6;

impl World {
    /// A founder, or somebody who was allowed to, brings somebody in.
    pub fn enrol(&mut self) -> Result<(), Broken> {
        let overseers: Vec<usize> = (0..self.signers.len()).filter(|at| self.signers[*at].oversees).collect();
        let number = *self.chance.one(&overseers).expect("founders oversee all");
        self.act_as(number, Some(Deed::Enrol))
    }

    /// Somebody does something.
    pub fn act(&mut self) -> Result<(), Broken> {
        let mut number = self.chance.index(self.signers.len());
        if self.signers[number].is_weary && self.chance.percent(70) {
            number = self.chance.index(self.signers.len());
        }
        self.act_as(number, None)
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
            let deed = deed.unwrap_or_else(|| Deed::draw(&self.signers[number], &mut self.chance));
            found = self.draft(number, deed)?.map(|draft| (deed, draft));
            if found.is_some() {
                break;
            }
        }
        if let Some((deed, draft)) = found {
            let equivocates = self.signers[number].habit == Habit::Equivocates && self.chance.percent(40);
            let event = self.signers[number].sign(network, now_ms, draft.clone());
            self.tell(&format!("{number} at {at} signs {deed:?}: {}", event.id()));
            if equivocates {
                let deed = Deed::draw(&self.signers[number], &mut self.chance);
                self.equivocate(number, deed)?;
            }
            self.note_signed(number, &event, draft);
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
        let event = self.signers[number].sign(self.network.id(), now_ms + 1, draft.clone());
        self.tell(&format!("{number} equivocates at {elsewhere} with {deed:?}: {}", event.id()));
        self.forks += 1;
        self.note_signed(number, &event, draft);
        let events = vec![event.bytes().to_vec()];
        self.submit(elsewhere, Job { events, origin: Origin::Client, waiting: Waiting::Nobody });
        Ok(())
    }

    /// Remembers that this was signed, and lets those sign to whom it gives a key.
    fn note_signed(&mut self, number: usize, event: &SignedEvent, draft: Draft) {
        let id = event.id();
        self.signed.insert(id);
        if draft.is_wrong {
            self.wrong.insert(id);
        }
        match &draft.body {
            Body::PlaceRegistered(_) => self.signers[number].places.push((id.subject(0), id)),
            Body::ActorKeyRotated(_) => self.signers[number].is_weary = true,
            _ => {}
        }
        let home = self.chance.index(self.machines.len());
        let mut new = match draft.gives {
            None => return,
            Some(Gift::Actor { key, oversees }) => {
                let by = &self.signers[number];
                let mut above = vec![by.actor];
                above.extend(&by.above);
                Signer { above, oversees, ..Signer::new(key, id.subject(0), id, home) }
            }
            Some(Gift::Key { key, actor }) => {
                let owner = self.signers.iter().find(|signer| signer.actor == actor);
                owner.expect("keys are given to those who sign").with_key(key, id, home)
            }
        };
        if self.chance.percent(self.settings.dishonest_percent) {
            new.habit = Habit::Equivocates;
        }
        self.signers.push(new);
    }

    fn draft(&mut self, number: usize, deed: Deed) -> Result<Option<Draft>, Broken> {
        let signer = &self.signers[number];
        let Some(node) = &self.machines[signer.home].node else { return Ok(None) };
        let reader = node.ledger().reader();
        let known = Knowledge { network: &self.network, views: node.views(), reader, signers: &self.signers };
        // Nobody can sign before the node next to him knows who he is.
        if signer.key_event != self.network.id().as_event()
            && reader.stored(&signer.key_event).map_err(Broken::failed)?.is_none()
        {
            return Ok(None);
        }
        let draft = deed.draft(signer, &known, &mut self.chance).map_err(Broken::failed)?;
        if draft.is_some() && self.chance.percent(10) {
            let next = next_amendment(signer.amendment, &known, &mut self.chance).map_err(Broken::failed)?;
            let signer = &mut self.signers[number];
            signer.amendment = next.or(signer.amendment);
        }
        Ok(draft)
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
        if went_well {
            self.look_at_views(at)?;
        }
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
