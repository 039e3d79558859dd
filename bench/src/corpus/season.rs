//! The season: who comes when. First everybody is enrolled, then lots come, pass and go.
//!
//! Events name the events before them by hash, and signatures are part of what is hashed; so only events of different
//! lots by different signers can be signed side by side. They come in *waves* of such.

use super::actor::{self, Actor, Frame, text};
use super::lot::{Lot, Said};
use ed25519_dalek::SigningKey;
use provenance::event::SignedEvent;
use provenance::id::EventId;
use provenance::network::Network;
use rayon::prelude::*;
use std::collections::HashSet;

/// A lot for ten events, and an actor for a hundred lots, up to a thousand actors.
const EVENTS_OF_AN_ACTOR: u64 = 1_000;
const ACTORS_AT_MOST: u64 = 1_000;
const ACTORS_AT_LEAST: u64 = 20;

/// Lots on their way at the same time: as many as a region has in its stores, of which a season sees ten times more.
const LOTS_AT_ONCE: u64 = 10_000;

/// Events that are signed side by side at most.
const WAVE: usize = 512;

/// When the season begins, and how far apart its events are.
pub(super) const BEGINS_MS: u64 = 1_760_000_000_000;
pub(super) const APART_MS: u64 = 50;

/// The events still to come.
pub struct Season {
    network: Network,
    actors: Vec<Actor>,
    actors_to_come: usize,
    /// Lots on their way; none where the next one is going to be registered.
    lots: Vec<Option<Lot>>,
    lots_told: u64,
    told: u64,
    events: u64,
    chance: Chance,
}

/// An event that is about to be signed.
struct Draft {
    slot: usize,
    to: usize,
    signer: usize,
    frame: Frame,
    said: Said,
}

impl Season {
    /// A season of so many events.
    pub fn new(events: u64) -> Self {
        let founder = actor::key(0);
        let network = Network::new(text("bench"), [7; 16], vec![actor::public(&founder)]);
        let network = network.expect("the definition is a constant");
        let actors = (events / EVENTS_OF_AN_ACTOR).clamp(ACTORS_AT_LEAST, ACTORS_AT_MOST);
        let slots = (events / 100).clamp(actors, LOTS_AT_ONCE);
        Self {
            network,
            actors: Vec::new(),
            actors_to_come: usize::try_from(actors).expect("there are a thousand at most"),
            lots: vec![None; usize::try_from(slots).expect("there are ten thousand at most")],
            lots_told: 0,
            told: 0,
            events,
            chance: Chance(7),
        }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The founder's last event, where nothing was told yet.
    pub fn last_enrolment(mut self) -> anyhow::Result<EventId> {
        self.enrol()?;
        Ok(self.actors.last().map_or(self.network.id().as_event(), |actor| actor.enrolment))
    }

    /// The next events, in their order; nothing once the season is over.
    pub fn next_wave(&mut self) -> anyhow::Result<Option<Vec<Vec<u8>>>> {
        if self.told >= self.events {
            return Ok(None);
        }
        if self.actors.is_empty() {
            return Ok(Some(self.enrol()?));
        }
        let drafts = self.drafts()?;
        let keys: Vec<&SigningKey> = drafts.iter().map(|draft| &self.actors[draft.signer].key).collect();
        let signed: Vec<(usize, usize, usize, SignedEvent)> = drafts
            .into_par_iter()
            .zip(keys)
            .map(|(Draft { slot, to, signer, frame, said }, key)| {
                let event = frame.sign(key, said.touches, &said.basis, said.body)?;
                Ok((slot, to, signer, event))
            })
            .collect::<anyhow::Result<_>>()?;
        let mut wave = Vec::with_capacity(signed.len());
        for (slot, to, signer, event) in signed {
            self.actors[signer].journal = event.id();
            if let Some(lot) = &mut self.lots[slot]
                && !lot.go_on(&event, to)
            {
                self.lots[slot] = None;
            }
            wave.push(event.bytes().to_vec());
        }
        self.told += wave.len() as u64;
        Ok(Some(wave))
    }

    /// Everybody is enrolled by the founder, and registers a place.
    fn enrol(&mut self) -> anyhow::Result<Vec<Vec<u8>>> {
        let (founder_key, network) = (actor::key(0), self.network.id());
        let founder = network.founder(0);
        let mut journal = network.as_event();
        let mut wave = Vec::new();
        for number in 1..=self.actors_to_come {
            let frame = self.frame(wave.len(), journal, network.as_event());
            let body = actor::enrolment(number, &network, &founder);
            let event = frame.sign(&founder_key, vec![actor::new_subject()], &[], body)?;
            journal = event.id();
            let (id, enrolment, key) = (event.id().subject(0), event.id(), actor::key(number));
            self.actors.push(Actor { key, id, enrolment, journal: enrolment, place: (id, enrolment) });
            wave.push(event.bytes().to_vec());
        }
        for number in 0..self.actors.len() {
            let frame = self.frame(wave.len(), self.actors[number].journal, self.actors[number].enrolment);
            let actor = &mut self.actors[number];
            let event = frame.sign(&actor.key, vec![actor::new_subject()], &[], actor::place(number)?)?;
            actor.journal = event.id();
            actor.place = (event.id().subject(0), event.id());
            wave.push(event.bytes().to_vec());
        }
        self.told = wave.len() as u64;
        Ok(wave)
    }

    /// What is said next, by different signers of different lots.
    fn drafts(&mut self) -> anyhow::Result<Vec<Draft>> {
        let left = usize::try_from(self.events - self.told).unwrap_or(usize::MAX);
        let at_most = WAVE.min(self.actors.len() / 2).min(left);
        let (mut busy, mut drafts) = (HashSet::new(), Vec::with_capacity(at_most));
        while drafts.len() < at_most {
            let slot = self.chance.below(self.lots.len());
            let signer = match &self.lots[slot] {
                Some(lot) => lot.signer,
                None => self.chance.below(self.actors.len()),
            };
            // A lot has one signer at a time, so that this also tells lots apart.
            if !busy.insert(signer) {
                continue;
            }
            let to = (signer + 1 + self.chance.below(self.actors.len() - 1)) % self.actors.len();
            let number = &mut self.lots_told;
            let lot = self.lots[slot].get_or_insert_with(|| {
                *number += 1;
                Lot::new(*number, signer)
            });
            let said = lot.say(&self.actors, to)?;
            let signed_by = &self.actors[signer];
            let frame = self.frame(drafts.len(), signed_by.journal, signed_by.enrolment);
            drafts.push(Draft { slot, to, signer, frame, said });
        }
        Ok(drafts)
    }

    fn frame(&self, ahead: usize, journal: EventId, enrolment: EventId) -> Frame {
        let time_ms = BEGINS_MS + APART_MS * (self.told + ahead as u64);
        Frame { network: self.network.id(), time_ms, journal, enrolment }
    }
}

/// Numbers that look random and are always the same (`SplitMix64`, Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let scaled = (u128::from(bits) * bound as u128) >> 64;
        usize::try_from(scaled).expect("it is below a usize")
    }
}
