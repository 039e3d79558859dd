//! What must hold: after each step what that step could have broken, and at the end everything.

use crate::machine::{Machine, followers};
use crate::oracle;
use crate::shown::Shown;
use crate::trouble::is_authentic;
use crate::violation::Broken;
use crate::world::World;
use ledger::view::Views;
use ledger::{LedgerOptions, Origin, Outcome, SteppedLedger};
use provenance::admission::Hold;
use provenance::event::SignedEvent;
use provenance::id::{EventId, sha256};
use provenance::merkle::{Hash, leaf_hash};
use std::collections::BTreeSet;
use store::{Entries, MemoryDisk, Range, Store, StoreOptions, Voids};

/// How often, when it is looked at what is shown, everything is counted anew: it takes as long as all the rest.
const COUNTED_PERCENT: u64 = 5;

impl World {
    /// The log goes on where it ended, with what was signed.
    pub fn look_at_log(&mut self, at: usize) -> Result<(), Broken> {
        let Machine { node: Some(node), seen, .. } = &mut self.machines[at] else { return Ok(()) };
        // What lies beyond may come from a write of which nobody knows yet whether it is on the disk.
        let size = usize::try_from(node.ledger().size()).expect("logs are short here");
        let new = size.saturating_sub(seen.len());
        let ids = node.ledger().reader().log_ids(seen.len() as u64, new).map_err(Broken::failed)?;
        if seen.len() + ids.len() != size {
            let what = format!("the log of {at} says that it has {size} entries, and has {}", seen.len() + ids.len());
            return Err(Broken::Lost(what));
        }
        for id in ids {
            if !self.signed.contains(&id) && id != self.network.id().as_event() {
                return Err(Broken::Invalid(format!("nobody signed {id}, entry {} of {at}", seen.len())));
            }
            if self.wrong.contains(&id) {
                return Err(Broken::Invalid(format!("{id}, entry {} of {at}, is against the rules", seen.len())));
            }
            seen.push(id);
        }
        Ok(())
    }

    /// The log still begins with all that it ever showed, and its root is that of its entries.
    pub fn look_at_whole_log(&mut self, at: usize) -> Result<(), Broken> {
        let Machine { node: Some(node), seen, .. } = &self.machines[at] else { return Ok(()) };
        let size = usize::try_from(node.ledger().size()).expect("logs are short here");
        let ids = node.ledger().reader().log_ids(0, size).map_err(Broken::failed)?;
        if let Some((index, id)) = seen.iter().enumerate().find(|(index, id)| ids.get(*index) != Some(id)) {
            return Err(Broken::Lost(format!("entry {index} of {at} was {id} and is {:?}", ids.get(index))));
        }
        let root = node.ledger().root_at(ids.len() as u64).map_err(Broken::failed)?;
        if root != root_of(&ids) {
            return Err(Broken::Root(format!("the log of {at} at {} entries", ids.len())));
        }
        self.look_at_log(at)
    }

    /// What was said to be in the log stands there.
    pub fn look_at_outcomes(&self, at: usize, outcomes: &[Outcome]) -> Result<(), Broken> {
        for outcome in outcomes {
            if let Outcome::Admitted { id, index } | Outcome::Known { id, index: Some(index) } = outcome {
                let found = usize::try_from(*index).ok().and_then(|index| self.machines[at].seen.get(index));
                if found != Some(id) {
                    return Err(Broken::Lost(format!(
                        "{id} was acknowledged as entry {index} of {at}, which is {found:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The newest cut has the state root that every other cut of the same set has, and no other was signed.
    pub fn look_at_cut(&mut self, at: usize) -> Result<(), Broken> {
        let machine = &self.machines[at];
        let Some(node) = &machine.node else { return Ok(()) };
        if let Some(contradiction) = machine.log_key.contradiction() {
            return Err(Broken::TwoFaces(format!("{at}: {contradiction}")));
        }
        // While the map is made again there is none.
        let Some((size, root)) = node.ledger().map_root().map_err(Broken::failed)? else { return Ok(()) };
        let root = root.map_or(provenance::state_map::EMPTY, |root| root.hash);
        let size = usize::try_from(size).expect("logs are short here");
        let entries = node.ledger().reader().log_ids(0, size).map_err(Broken::failed)?;
        if entries.len() < size {
            return Err(Broken::Lost(format!("{at} has cut its state map for {size} entries, and has fewer")));
        }
        let (known, by) = *self.roots.entry(digest(&entries)).or_insert((root, at));
        if known != root {
            let what = format!("{at} has another state root for {size} entries than {by}");
            return Err(Broken::Differs(what));
        }
        Ok(())
    }

    /// Where all followers have read the whole log, it is the same that is shown of this set anywhere.
    pub fn look_at_views(&mut self, at: usize) -> Result<(), Broken> {
        let machine = &self.machines[at];
        let Some(node) = &machine.node else { return Ok(()) };
        let size = node.ledger().size();
        // Of a write that failed nobody knows yet whether it is on the disk, where followers already find what it wrote.
        if node.ledger().health().writing.is_some() {
            return Ok(());
        }
        if node.ledger.followers().iter().any(|follower| follower.next != size) {
            return Ok(());
        }
        if machine.looked == machine.seen.len() {
            return Ok(());
        }
        let shown = Shown::of(&node.ledger)?;
        let set = digest(&machine.seen);
        let (known, by) = self.shown.entry(set).or_insert_with(|| (shown.clone(), at));
        if *known != shown {
            let what = format!("{at} shows of {} entries {shown:?}, and {by} {known:?}", machine.seen.len());
            return Err(Broken::Differs(what));
        }
        if self.chance.percent(COUNTED_PERCENT) {
            oracle::compare(node.ledger(), &self.network).map_err(|what| Broken::Differs(format!("{at}: {what}")))?;
        }
        self.machines[at].looked = self.machines[at].seen.len();
        Ok(())
    }

    /// Why the machines have not come to the same yet.
    pub fn unsettled(&self) -> Option<String> {
        let all: BTreeSet<&EventId> = self.machines.iter().flat_map(|machine| &machine.seen).collect();
        for (at, machine) in self.machines.iter().enumerate() {
            let Some(node) = &machine.node else { return Some(format!("{at} does not run")) };
            if machine.seen.len() < all.len() {
                let seen: BTreeSet<&EventId> = machine.seen.iter().collect();
                let lacks: Vec<_> = all.difference(&seen).take(3).collect();
                return Some(format!("{at} lacks {} entries, such as {lacks:?}", all.len() - machine.seen.len()));
            }
            if node.is_behind() || !node.queue.is_empty() || node.is_writing {
                return Some(format!("{at} has still to write or to follow"));
            }
        }
        None
    }

    /// Everything, once all machines have the same set.
    pub fn audit(&mut self) -> Result<(), Broken> {
        self.tell("audit");
        for at in 0..self.machines.len() {
            self.look_at_whole_log(at)?;
            self.look_at_cut(at)?;
            self.look_at_bodies(at)?;
        }
        let mut shown = Vec::new();
        for (at, machine) in self.machines.iter().enumerate() {
            let node = machine.node.as_ref().expect("all machines run at the end");
            shown.push(Shown::of(&node.ledger)?);
            let uncounted = oracle::compare(node.ledger(), &self.network);
            self.uncounted = uncounted.map_err(|what| Broken::Differs(format!("{at}: {what}")))?;
            // Rows that went on from event to event, beside those that all events make.
            if let Some(row) = Views::new(node.ledger().reader().clone()).stray_row().map_err(Broken::failed)? {
                return Err(Broken::Differs(format!("{at} shows {row}")));
            }
        }
        if let Some(at) = shown.iter().position(|other| *other != shown[0]) {
            return Err(Broken::Differs(format!("{at} shows {:?} and 0 shows {:?}", shown[at], shown[0])));
        }
        let at = self.chance.index(self.machines.len());
        if self.made_again(at)? != shown[0] {
            return Err(Broken::Differs(format!("the followers of {at} make other rows when they begin again")));
        }
        let elsewhere = self.in_another_order()?;
        if elsewhere != shown[0] {
            let what = format!("in another order the events show {elsewhere:?} instead of {:?}", shown[0]);
            return Err(Broken::Differs(what));
        }
        Ok(())
    }

    /// Whatever is stored as an event was signed, and its signature holds; and no entry stands beyond the log's end.
    fn look_at_bodies(&self, at: usize) -> Result<(), Broken> {
        let Machine { node: Some(node), seen, .. } = &self.machines[at] else { return Ok(()) };
        let reader = node.ledger().reader();
        let entries = reader.log_ids(0, usize::MAX).map_err(Broken::failed)?;
        if let Some(id) = entries.get(seen.len()) {
            return Err(Broken::Invalid(format!("{id} stands beyond the end of the log of {at}")));
        }
        if let Some(id) = seen[1..].iter().find(|id| !matches!(reader.bytes(&[**id]).as_deref(), Ok([Some(_)]))) {
            return Err(Broken::Lost(format!("the bytes of {id} are missing at {at}")));
        }
        let store = reader.store();
        let mut stored = Vec::with_capacity(entries.len());
        for row in store.scan::<Entries>(Range::all()) {
            let (index, row) = row.map_err(Broken::failed)?;
            let Some(id) = usize::try_from(index).ok().and_then(|index| entries.get(index)) else {
                return Err(Broken::Invalid(format!("an event is kept as entry {index}, beyond the log of {at}")));
            };
            stored.push((*id, row));
        }
        // Void links of journals are stored too.
        for row in store.scan::<Voids>(Range::all()) {
            stored.push(row.map_err(Broken::failed)?);
        }
        for (id, row) in stored {
            let event =
                SignedEvent::decode(row.bytes).ok().filter(|event| event.id() == id && self.signed.contains(&id));
            // Signatures are the same wherever the bytes are.
            if !event.is_some_and(|event| at > 0 || is_authentic(event)) {
                return Err(Broken::Invalid(format!("{id} of {at} was never signed, or its signature does not hold")));
            }
        }
        Ok(())
    }

    /// What a node shows after its followers have begun again.
    fn made_again(&mut self, at: usize) -> Result<Shown, Broken> {
        let node = self.machines[at].node.as_mut().expect("all machines run at the end");
        for follower in node.ledger.followers() {
            node.ledger().rebuild(follower.name);
        }
        for follower in 0..node.ledger.followers().len() {
            node.ledger.follow(follower);
        }
        if !node.follow_to_the_end() {
            return Err(Broken::Failed(format!("{:?}", node.ledger.followers())));
        }
        Shown::of(&node.ledger)
    }

    /// What a new node shows that gets the same events in another order.
    fn in_another_order(&mut self) -> Result<Shown, Broken> {
        let reader = self.machines[0].node.as_ref().expect("all machines run at the end").ledger().reader().clone();
        let options = StoreOptions { cache_bytes: 1 << 20, write_buffer_bytes: 4 << 20, ..StoreOptions::default() };
        let store = Store::open_on(&MemoryDisk::new(false), &options).map_err(Broken::failed)?;
        let options = LedgerOptions { followers: followers(&self.network), ..LedgerOptions::default() };
        let mut ledger = SteppedLedger::open(store, self.network.clone(), options).map_err(Broken::failed)?;
        let log: BTreeSet<EventId> = self.machines[0].seen[1..].iter().copied().collect();
        let mut left = log.clone();
        while !left.is_empty() {
            let mut some: Vec<EventId> = left.iter().copied().collect();
            self.chance.shuffle(&mut some);
            some.truncate(1 + self.chance.index(some.len()));
            let mut missing = Vec::new();
            let events = reader.bytes(&some).map_err(Broken::failed)?.into_iter().flatten().collect();
            for outcome in ledger.write(vec![(events, Origin::Client)]).into_iter().flatten() {
                match outcome {
                    Outcome::Admitted { id, .. } | Outcome::Known { id, .. } => drop(left.remove(&id)),
                    Outcome::Held { hold: Hold::Missing(ids), .. } => missing.extend(ids),
                    Outcome::Void { id, .. } if !log.contains(&id) => drop(left.remove(&id)),
                    other => return Err(Broken::Invalid(format!("a new node says of an entry: {other:?}"))),
                }
            }
            // Void links of journals stand in no log.
            left.extend(missing);
        }
        for follower in 0..ledger.followers().len() {
            while ledger.followers()[follower].next < ledger.ledger().size() {
                if !ledger.follow(follower) {
                    return Err(Broken::Failed(format!("{:?}", ledger.followers())));
                }
            }
        }
        Shown::of(&ledger)
    }
}

/// A digest of a set of events.
fn digest(entries: &[EventId]) -> Hash {
    let mut sorted: Vec<&[u8; 32]> = entries.iter().map(EventId::as_bytes).collect();
    sorted.sort_unstable();
    sha256(&[sorted.into_iter().flatten().copied().collect::<Vec<u8>>().as_slice()])
}

/// The Merkle tree hash as RFC 6962 §2.1 defines it.
fn root_of(ids: &[EventId]) -> Hash {
    match ids {
        [] => sha256(&[]),
        [id] => leaf_hash(id.as_bytes()),
        ids => {
            let (left, right) = ids.split_at(ids.len().next_power_of_two() / 2);
            sha256(&[&[1], &root_of(left), &root_of(right)])
        }
    }
}
