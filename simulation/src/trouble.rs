//! What goes wrong: machines stop, disks fail, the network falls apart, keys are stolen, and strangers send garbage.

use crate::chance::Chance;
use crate::node::{Job, Waiting};
use crate::settings::{Sabotage, Settings};
use crate::signer::Habit;
use crate::violation::Broken;
use crate::world::{Happening, World};
use ledger::Origin;
use provenance::event::SignedEvent;
use provenance::id::EventId;
use store::{Crash, Entries, EventRow, Fault, Indexes};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// A machine stops at one of its next writes, or at once.
    Crash,
    /// A disk fails, and the machine goes on.
    DiskFault,
    /// The network falls into two parts.
    Partition,
    /// And comes together again.
    Heal,
    /// Somebody sends bytes that nobody signed.
    Forgery,
    /// Somebody copies a key.
    Theft,
    /// Somebody has views made again.
    Rebuild,
}

/// The longest time for which a machine stays off.
const OFF_MS: u64 = 8_000;

/// How long it takes until somebody starts a node again whose disk failed while it started.
const RESTARTED_MS: u64 = 1_000;

/// The longest time until a lost connection is noticed.
const UNNOTICED_MS: u64 = 12_000;

/// How long the network stays apart at most.
const APART_MS: u64 = 15_000;

impl World {
    pub fn plan_troubles(&mut self) {
        let Settings { crashes, disk_faults, partitions, dishonest_percent, .. } = self.settings;
        let thefts = if dishonest_percent > 0 { 1 + dishonest_percent / 30 } else { 0 };
        let troubles = [
            (Trouble::Crash, crashes),
            (Trouble::DiskFault, disk_faults),
            (Trouble::Partition, partitions),
            (Trouble::Forgery, 3),
            (Trouble::Theft, thefts),
            (Trouble::Rebuild, 1),
        ];
        for (trouble, times) in troubles {
            for _ in 0..times {
                let at_ms = self.chance.between(1_000, self.settings.busy_ms);
                self.agenda.note(at_ms, Happening::Trouble(trouble));
            }
        }
    }

    pub fn cause(&mut self, trouble: Trouble) -> Result<(), Broken> {
        let at = self.chance.index(self.machines.len());
        match trouble {
            Trouble::Crash => self.crash(at),
            Trouble::DiskFault => {
                let fault = if self.chance.percent(50) { Fault::Written } else { Fault::NotWritten };
                let times = 1 + self.chance.index(3);
                if let Some(node) = &self.machines[at].node {
                    node.ledger().reader().store().inject(vec![fault; times]);
                }
                self.tell(&format!("the disk of {at} fails {times} times: {fault:?}"));
            }
            Trouble::Partition => self.partition(),
            Trouble::Heal => self.heal(),
            Trouble::Forgery => self.forge(at),
            Trouble::Theft => self.steal(),
            Trouble::Rebuild => {
                if let Some(node) = &mut self.machines[at].node {
                    let name = node.ledger.followers()[self.chance.index(node.ledger.followers().len())].name;
                    node.ledger().rebuild(name);
                    self.machines[at].looked = 0;
                    self.tell(&format!("{at} makes {name} again"));
                    self.follow(at)?;
                }
            }
        }
        Ok(())
    }

    fn crash(&mut self, at: usize) {
        let crash = draw_crash(&mut self.chance);
        if self.chance.percent(30) {
            self.machines[at].disk.stop(crash.surviving);
            self.stop(at);
            return;
        }
        self.tell(&format!("{at} is going to stop: {crash:?}"));
        self.machines[at].disk.crash(Some(crash));
    }

    /// The machine has stopped: whatever ran on it is gone, and it starts again later.
    pub fn stop(&mut self, at: usize) {
        if self.machines[at].node.take().is_none() {
            return;
        }
        self.tell(&format!("{at} stops"));
        self.crashes += 1;
        self.machines[at].life += 1;
        for other in self.links.peers(at) {
            self.part(at, other);
        }
        let at_ms = self.now_ms + self.chance.between(50, OFF_MS);
        self.agenda.note(at_ms, Happening::Start { at });
    }

    pub fn start(&mut self, at: usize) -> Result<(), Broken> {
        let crash = draw_crash(&mut self.chance);
        let stops_again = !self.is_quiet && self.settings.crashes > 0 && self.chance.percent(10);
        let started = self.machines[at].start(&self.network, &self.settings, stops_again.then_some(crash));
        if self.machines[at].disk.is_down() {
            self.tell(&format!("{at} stops while it starts"));
            self.crashes += 1;
            let at_ms = self.now_ms + self.chance.between(50, OFF_MS);
            self.machines[at].node = None;
            self.agenda.note(at_ms, Happening::Start { at });
            return Ok(());
        }
        if started.is_err() && self.settings.fails.is_some_and(|(name, ..)| name == at) && self.machines[at].starts == 1
        {
            self.tell(&format!("{at} cannot start: its disk fails"));
            self.agenda.note(self.now_ms + RESTARTED_MS, Happening::Start { at });
            return Ok(());
        }
        started.map_err(Broken::failed)?;
        self.tell(&format!("{at} starts"));
        self.look_at_whole_log(at)?;
        for other in (0..self.machines.len()).filter(|other| *other != at) {
            let at_ms = self.now_ms + self.chance.between(10, 2_000);
            self.agenda.note(at_ms, Happening::Connect { one: at, other });
        }
        self.follow_soon(at);
        Ok(())
    }

    fn partition(&mut self) {
        let side: Vec<bool> = self.machines.iter().map(|_| self.chance.percent(50)).collect();
        self.tell(&format!("the network falls apart: {side:?}"));
        for (one, other) in self.links.pairs() {
            if side[one] != side[other] {
                self.links.cut(one, other);
                let at_ms = self.now_ms + self.chance.between(0, UNNOTICED_MS);
                self.agenda.note(at_ms, Happening::Notice { one, other });
            }
        }
        let at_ms = self.now_ms + self.chance.between(100, APART_MS);
        if self.settings.sabotage != Some(Sabotage::NoHealing) {
            self.agenda.note(at_ms, Happening::Trouble(Trouble::Heal));
        }
    }

    pub fn heal(&mut self) {
        self.tell("the network is whole");
        for (one, other) in self.links.pairs() {
            self.links.heal(one, other);
            let at_ms = self.now_ms + self.chance.between(10, 2_000);
            self.agenda.note(at_ms, Happening::Connect { one, other });
        }
    }

    /// Bytes that look like an event, from a client or from a peer.
    fn forge(&mut self, at: usize) {
        let Some(model) = self.newest_entry() else { return };
        let mut bytes = model;
        let place = self.chance.index(bytes.len());
        bytes[place] ^= 1 << self.chance.index(8);
        self.tell(&format!("{at} is sent a forgery: byte {place} is another"));
        if self.chance.percent(50) {
            let from = (at + 1) % self.machines.len();
            self.hear(from, at, vec![bytes]);
        } else {
            self.submit(at, Job { events: vec![bytes], origin: Origin::Client, waiting: Waiting::Nobody });
        }
    }

    fn newest_entry(&self) -> Option<Vec<u8>> {
        let node = self.machines.iter().find_map(|machine| machine.node.as_ref())?;
        let reader = node.ledger().reader();
        let id = *reader.log_ids(node.ledger().size().saturating_sub(1).max(1), 1).ok()?.first()?;
        reader.bytes(&[id]).ok()?.pop()?
    }

    /// A copy of somebody's key goes on from where it was copied, at another machine.
    fn steal(&mut self) {
        let Some(victim) = self.chance.one(&self.signers).cloned() else { return };
        let mut thief = victim;
        thief.habit = Habit::Thief;
        thief.home = self.chance.index(self.machines.len());
        // The thief knows what was signed, and does not care whether others do.
        thief.trail.clear();
        self.tell(&format!("the key of {} is stolen, by somebody at {}", thief.public_key(), thief.home));
        self.forks += 1;
        self.signers.push(thief);
    }

    /// Breaks on purpose what the audit has to notice.
    pub fn sabotage(&mut self) -> Result<(), Broken> {
        let node = self.machines[0].node.as_ref().expect("all machines run at the end");
        let store = node.ledger().reader().store();
        let mut batch = store.batch();
        match self.settings.sabotage {
            Some(Sabotage::ForgedEntry) => {
                let Some(mut bytes) = self.newest_entry() else { return Ok(()) };
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                let (id, size) = (EventId::of(&bytes), node.ledger().size());
                let Some(newest) = store.get::<Entries>(&(size - 1)).map_err(Broken::failed)? else { return Ok(()) };
                batch.put::<store::Log>(&size, &id);
                batch.put::<Indexes>(&id, &Some(size));
                batch.put::<Entries>(&size, &EventRow { bytes, ..newest });
            }
            Some(Sabotage::LostRows) => batch.clear(store::Column::Actors),
            Some(Sabotage::LostLineage) => batch.clear(store::Column::Lineage),
            Some(Sabotage::LostCounting) => batch.clear(store::Column::Counted),
            _ => return Ok(()),
        }
        batch.commit_synced().map_err(Broken::failed)
    }
}

fn draw_crash(chance: &mut Chance) -> Crash {
    Crash { after_commits: chance.between(0, 6), written: chance.percent(50), surviving: chance.index(5) }
}

/// Whether somebody signed this as it should be signed.
pub(crate) fn is_authentic(event: SignedEvent) -> bool {
    provenance::signature::Verifier::new().verify(event).is_ok()
}
