//! A run: machines, links and signers, moved by one agenda in simulated time.

use crate::agenda::Agenda;
use crate::chance::Chance;
use crate::link::{Links, Parcel};
use crate::machine::Machine;
use crate::settings::{Sabotage, Settings};
use crate::shown::Shown;
use crate::signer::{Signer, new_key, public};
use crate::trace::Trace;
use crate::trouble::Trouble;
use crate::violation::{Broken, Violation};
use ed25519_dalek::SigningKey;
use provenance::id::EventId;
use provenance::merkle::Hash;
use provenance::network::Network;
use provenance::value::Text;
use replication::RequestId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long nodes may take to come to the same once nothing goes wrong any more: many rounds of greetings, and
/// every patience of the replica; and beside that as many delays of the network for each deed. Where a peer gives away
/// one entry in an answer, each event takes a question for its place in the log and one for itself.
const SETTLING_MS: u64 = 240_000;
const SETTLING_DELAYS: u64 = 4;

/// How often it is looked whether they have.
const LOOK_EVERY_MS: u64 = 2_000;

/// What is going to happen. `life` tells whether it was meant for the node that runs now.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Somebody signs something, or sends again what nobody acknowledged.
    Act,
    /// Somebody is brought in.
    Enrol,
    Deliver(Parcel),
    Write {
        at: usize,
        life: u64,
    },
    Follow {
        at: usize,
        life: u64,
    },
    Tick {
        at: usize,
        life: u64,
    },
    Timeout {
        at: usize,
        life: u64,
        id: RequestId,
    },
    Start {
        at: usize,
    },
    /// Two machines find each other, if they can.
    Connect {
        one: usize,
        other: usize,
    },
    /// Two machines notice that they have lost each other.
    Notice {
        one: usize,
        other: usize,
    },
    Trouble(Trouble),
}

/// What a run that held has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The same for runs that went the same way.
    pub trace: [u8; 32],
    /// Happenings.
    pub steps: u64,
    /// Entries of every log at the end.
    pub entries: usize,
    /// How often machines stopped.
    pub crashes: u64,
    /// Forks of journals that were signed.
    pub forks: u64,
    /// Events of which something does not count as it was admitted.
    pub uncounted: u64,
    /// How often pages of state maps were asked for, to compare them.
    pub compared: u64,
    /// Commits of each machine's disk, until nothing went wrong any more.
    pub commits: Vec<u64>,
    /// How long it took in simulated time until all had the same, once nothing went wrong any more.
    pub settled_ms: u64,
}

/// The state of a run.
pub(crate) struct World {
    pub settings: Settings,
    pub chance: Chance,
    pub now_ms: u64,
    now_shared: Arc<AtomicU64>,
    pub agenda: Agenda<Happening>,
    pub network: Network,
    pub machines: Vec<Machine>,
    pub links: Links,
    pub signers: Vec<Signer>,
    /// Everything that a key of this network has signed as it should be.
    pub signed: BTreeSet<EventId>,
    /// Those of it that are against the rules wherever they are looked at.
    pub wrong: BTreeSet<EventId>,
    /// What is shown of every set of events that all followers of a node had read, by a digest of the set, and where.
    pub shown: BTreeMap<Hash, (Shown, usize)>,
    /// The state root of every set of events that a map was cut for, by a digest of the set, and who cut it.
    pub roots: BTreeMap<Hash, (Hash, usize)>,
    pub trace: Trace,
    pub step: u64,
    pub crashes: u64,
    pub forks: u64,
    pub uncounted: u64,
    pub compared: u64,
    pub commits: Vec<u64>,
    /// Whether nothing goes wrong any more.
    pub is_quiet: bool,
}

/// Runs a seed. `adjust` may change what the seed says.
pub fn run(seed: u64, printing: bool, adjust: impl FnOnce(&mut Settings)) -> Result<Held, Box<Violation>> {
    let mut chance = Chance::new(seed);
    let mut settings = Settings::draw(&mut chance);
    adjust(&mut settings);
    let mut world = World::new(settings, chance, printing);
    world.live().map_err(|broken| {
        let (step, now_ms, newest) = (world.step, world.now_ms, world.trace.newest());
        Box::new(Violation { seed, step, now_ms, broken, newest, trace: world.trace.hash() })
    })
}

impl World {
    fn new(settings: Settings, mut chance: Chance, printing: bool) -> Self {
        let now_shared = Arc::new(AtomicU64::new(0));
        let founders: Vec<SigningKey> = (0..settings.founders).map(|_| new_key(&mut chance)).collect();
        let name = Text::new("simulation").expect("it is a name");
        let network = Network::new(name, [7; 16], founders.iter().map(public).collect()).expect("founders have keys");
        let machines: Vec<Machine> =
            (0..settings.machines).map(|at| Machine::new(at, &settings, now_shared.clone(), &mut chance)).collect();
        let signers = founders.into_iter().zip(0..).map(|(key, number)| {
            let (actor, home) = (network.id().founder(number), number as usize % settings.machines);
            Signer { oversees: true, ..Signer::new(key, actor, network.id().as_event(), home) }
        });
        let signers = signers.collect();
        let mut trace = Trace::new(printing);
        trace.tell(0, &format!("{settings:?}"));
        Self {
            links: Links::new(settings.machines),
            settings,
            chance,
            now_ms: 0,
            now_shared,
            agenda: Agenda::new(),
            network,
            machines,
            signers,
            signed: BTreeSet::new(),
            wrong: BTreeSet::new(),
            shown: BTreeMap::new(),
            roots: BTreeMap::new(),
            trace,
            step: 0,
            crashes: 0,
            forks: 0,
            uncounted: 0,
            compared: 0,
            commits: Vec::new(),
            is_quiet: false,
        }
    }

    fn live(&mut self) -> Result<Held, Broken> {
        self.plan();
        self.until(self.settings.busy_ms)?;
        self.calm();
        let patience_ms = SETTLING_MS + SETTLING_DELAYS * self.settings.delay_ms * self.settings.deeds;
        let mut settled_ms = 0;
        loop {
            self.until(self.settings.busy_ms + settled_ms + LOOK_EVERY_MS)?;
            settled_ms += LOOK_EVERY_MS;
            let Some(open) = self.unsettled() else { break };
            if settled_ms >= patience_ms {
                return Err(Broken::NeverSettled(open));
            }
        }
        self.sabotage()?;
        self.audit()?;
        Ok(Held {
            trace: self.trace.hash(),
            steps: self.step,
            entries: self.machines[0].seen.len(),
            crashes: self.crashes,
            forks: self.forks,
            uncounted: self.uncounted,
            compared: self.compared,
            commits: std::mem::take(&mut self.commits),
            settled_ms,
        })
    }

    /// Notes what the seed has in store.
    fn plan(&mut self) {
        for at in 0..self.machines.len() {
            self.agenda.note(0, Happening::Start { at });
        }
        for signer in 0..self.settings.signers {
            self.agenda.note(100 + 200 * signer as u64, Happening::Enrol);
        }
        for _ in 0..self.settings.deeds {
            let at_ms = self.chance.between(500, self.settings.busy_ms);
            self.agenda.note(at_ms, Happening::Act);
        }
        self.plan_troubles();
    }

    /// Goes on up to this time.
    fn until(&mut self, end_ms: u64) -> Result<(), Broken> {
        while let Some((at_ms, happening)) = self.agenda.next(end_ms) {
            self.advance(at_ms);
            self.step += 1;
            self.happen(happening)?;
        }
        self.advance(end_ms);
        Ok(())
    }

    fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.now_shared.store(now_ms, Ordering::Relaxed);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Broken> {
        match happening {
            Happening::Act => self.act()?,
            Happening::Enrol => self.enrol()?,
            Happening::Deliver(parcel) => self.deliver(parcel),
            Happening::Write { at, life } if self.lives(at, life) => self.write(at)?,
            Happening::Follow { at, life } if self.lives(at, life) => self.follow(at)?,
            Happening::Tick { at, life } if self.lives(at, life) => self.tick(at),
            Happening::Timeout { at, life, id } if self.lives(at, life) => self.time_out(at, id),
            Happening::Start { at } => self.start(at)?,
            Happening::Connect { one, other } => self.connect(one, other),
            Happening::Notice { one, other } => self.notice(one, other),
            Happening::Trouble(trouble) => self.cause(trouble)?,
            // What was meant for a node that runs no longer.
            _ => {}
        }
        Ok(())
    }

    fn lives(&self, at: usize, life: u64) -> bool {
        self.machines[at].life == life && self.machines[at].node.is_some()
    }

    /// From here on nothing goes wrong.
    fn calm(&mut self) {
        self.tell("calm");
        self.is_quiet = true;
        self.commits = self.machines.iter().map(|machine| machine.disk.commits()).collect();
        self.settings.loss_percent = 0;
        self.settings.duplicate_percent = 0;
        for machine in &self.machines {
            machine.disk.crash(None);
            if let Some(node) = &machine.node {
                node.ledger().reader().store().mend();
            }
        }
        if self.settings.sabotage != Some(Sabotage::NoHealing) {
            self.heal();
        }
    }

    pub fn tell(&mut self, line: &str) {
        self.trace.tell(self.now_ms, line);
    }
}
