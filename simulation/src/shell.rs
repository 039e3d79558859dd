//! What the program around a node does: it carries messages, writes, lets followers step, and asks what the replica wants asked.

use crate::link::{Message, Parcel};
use crate::node::{Job, Node, Waiting, Written};
use crate::violation::Broken;
use crate::world::{Happening, World};
use ledger::{Origin, Outcome};
use p2p::message::REQUESTS_AT_ONCE;
use p2p::{PeerId, Request, Response};
use provenance::id::EventId;
use replication::{Failure, Output, RequestId, answer};

/// How long an answer is waited for.
const TIMEOUT_MS: u64 = 10_000;

/// Pause after a failed write, as in the ledger.
const RETRY_AFTER_MS: u64 = 250;

/// Events of one gossip message.
const GOSSIPED_AT_ONCE: usize = 8;

impl World {
    fn node(&mut self, at: usize) -> Option<&mut Node> {
        self.machines[at].node.as_mut()
    }

    fn machine_of(&self, peer: &PeerId) -> usize {
        self.machines.iter().position(|machine| machine.peer == *peer).expect("there are no other peers")
    }

    /// Sends a message, which may be lost, come later than others, or come twice.
    fn send(&mut self, from: usize, to: usize, message: &Message) {
        let copies = if self.chance.percent(self.settings.loss_percent) {
            0
        } else {
            1 + u64::from(self.chance.percent(self.settings.duplicate_percent))
        };
        for _ in 0..copies {
            let at_ms = self.now_ms + self.chance.between(1, self.settings.delay_ms + 2);
            self.agenda.note(at_ms, Happening::Deliver(Parcel { from, to, message: message.clone() }));
        }
    }

    pub fn deliver(&mut self, parcel: Parcel) {
        let Parcel { from, to, message } = parcel;
        if self.links.is_cut(from, to) || !self.links.is_up(from, to) {
            return;
        }
        let (now_ms, peer, now_lives) = (self.now_ms, self.machines[from].peer, self.machines[to].life);
        let answered_at_once = self.settings.answered_at_once;
        let Some(node) = self.machines[to].node.as_mut() else { return };
        match message {
            Message::Gossip(events) => {
                self.tell(&format!("{to} hears {} events from {from}", events.len()));
                self.hear(from, to, events);
            }
            Message::Request { id, life, request } => {
                let response = match &request {
                    Request::Hello(greeting) => {
                        node.replica.greeted(&peer, greeting, now_ms);
                        Ok(Response::Hello(node.replica.greeting()))
                    }
                    request => match answer(node.ledger(), request) {
                        Ok(Some(response)) => Ok(shortened(response, answered_at_once)),
                        Ok(None) | Err(_) => Err(Failure::NoAnswer),
                    },
                };
                self.send(to, from, &Message::Response { id, life, response });
            }
            Message::Response { id, life, response } => {
                // A request has one answer; a copy of it comes too late.
                if life != now_lives || node.asked.remove(&id).is_none() {
                    return;
                }
                node.replica.answered(id, response, now_ms);
            }
        }
        self.drain(to);
    }

    /// Events that somebody passed on.
    pub fn hear(&mut self, from: usize, to: usize, events: Vec<Vec<u8>>) {
        let origin = Origin::Peer(self.machines[from].peer.to_string());
        let Some(node) = self.node(to) else { return };
        node.received.extend(events.iter().map(|bytes| EventId::of(bytes)));
        self.submit(to, Job { events, origin, waiting: Waiting::Gossip(from) });
    }

    /// Has events written soon, together with whatever else comes until then.
    pub fn submit(&mut self, at: usize, job: Job) {
        let (after_ms, now_ms, life) = (self.chance.between(0, 30), self.now_ms, self.machines[at].life);
        let Some(node) = self.node(at) else { return };
        node.queue.push(job);
        if !std::mem::replace(&mut node.is_writing, true) {
            self.agenda.note(now_ms + after_ms, Happening::Write { at, life });
        }
    }

    pub fn write(&mut self, at: usize) -> Result<(), Broken> {
        let Some(node) = self.node(at) else { return Ok(()) };
        node.is_writing = false;
        let written = node.write();
        if self.machines[at].disk.is_down() {
            // Nobody hears of what became of it.
            self.stop(at);
            return Ok(());
        }
        let admitted = written.iter().flat_map(|job| &job.outcomes);
        let admitted = admitted.filter(|outcome| matches!(outcome, Outcome::Admitted { .. })).count();
        let size = self.machines[at].node.as_ref().map_or(0, |node| node.ledger().size());
        self.tell(&format!("{at} writes {} jobs, {admitted} admitted, {size} entries", written.len()));
        self.look_at_log(at)?;
        for job in written {
            for outcome in &job.outcomes {
                if let Outcome::Void { id, rule } = outcome {
                    self.tell(&format!("{at} finds {id} void: {}", rule.code()));
                }
            }
            self.look_at_outcomes(at, &job.outcomes)?;
            self.tell_of(at, job);
        }
        self.publish(at)?;
        self.follow_soon(at);
        self.drain(at);
        self.try_again_later(at);
        Ok(())
    }

    /// After a failed write the writer tries the disk again, also where nobody writes.
    fn try_again_later(&mut self, at: usize) {
        let (at_ms, life) = (self.now_ms + RETRY_AFTER_MS, self.machines[at].life);
        let Some(node) = self.node(at) else { return };
        if node.ledger().health().writing.is_some() && !std::mem::replace(&mut node.is_writing, true) {
            self.agenda.note(at_ms, Happening::Write { at, life });
        }
    }

    /// Tells whoever waits what became of events.
    fn tell_of(&mut self, at: usize, written: Written) {
        let now_ms = self.now_ms;
        let Written { events, outcomes, waiting } = written;
        match waiting {
            Waiting::Nobody => {}
            Waiting::Signer(signer) => self.hear_back(signer, &events, &outcomes),
            Waiting::Batch(id) => {
                let Some(node) = self.node(at) else { return };
                node.received.extend(events.iter().map(|bytes| EventId::of(bytes)));
                node.replica.submitted(id, Ok(outcomes), now_ms);
            }
            Waiting::Gossip(from) => {
                let peer = self.machines[from].peer;
                let Some(node) = self.node(at) else { return };
                if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Held { .. })) {
                    // What it rests on stands in the peer's log.
                    node.replica.wake(&peer, now_ms);
                }
                let is_good = outcomes.iter().all(|outcome| outcome.index().is_some());
                let is_new = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Admitted { .. }));
                if is_good && is_new {
                    for to in self.links.peers(at).into_iter().filter(|to| *to != from) {
                        self.send(at, to, &Message::Gossip(events.clone()));
                    }
                }
            }
        }
    }

    /// Gossips what this node admitted itself.
    fn publish(&mut self, at: usize) -> Result<(), Broken> {
        let Some(node) = self.node(at) else { return Ok(()) };
        let news = node.news().map_err(Broken::failed)?;
        for events in news.chunks(GOSSIPED_AT_ONCE) {
            for to in self.links.peers(at) {
                self.send(at, to, &Message::Gossip(events.to_vec()));
            }
        }
        Ok(())
    }

    /// Has followers step soon if they have something to do.
    pub fn follow_soon(&mut self, at: usize) {
        let (after_ms, now_ms, life) = (self.chance.between(1, 1_500), self.now_ms, self.machines[at].life);
        let Some(node) = self.node(at) else { return };
        if node.is_behind() && !std::mem::replace(&mut node.is_following, true) {
            self.agenda.note(now_ms + after_ms, Happening::Follow { at, life });
        }
    }

    /// One follower or more step once.
    pub fn follow(&mut self, at: usize) -> Result<(), Broken> {
        let Some(count) = self.node(at).map(|node| node.ledger.followers().len()) else { return Ok(()) };
        let one = self.chance.index(count);
        let Some(node) = self.node(at) else { return Ok(()) };
        node.is_following = false;
        for follower in (0..node.ledger.followers().len()).filter(|follower| *follower != one) {
            node.ledger.follow(follower);
        }
        if self.machines[at].disk.is_down() {
            self.stop(at);
            return Ok(());
        }
        self.look_at_cut(at)?;
        self.look_at_views(at)?;
        self.follow_soon(at);
        Ok(())
    }

    pub fn tick(&mut self, at: usize) {
        let now_ms = self.now_ms;
        let Some(node) = self.node(at) else { return };
        node.tick_ms = u64::MAX;
        node.replica.tick(now_ms);
        self.drain(at);
    }

    pub fn time_out(&mut self, at: usize, id: RequestId) {
        let now_ms = self.now_ms;
        let Some(node) = self.node(at) else { return };
        if node.asked.remove(&id).is_some() {
            node.replica.answered(id, Err(Failure::Timeout), now_ms);
            self.drain(at);
        }
    }

    /// Does what the replica wants done, and notes its next tick.
    fn drain(&mut self, at: usize) {
        loop {
            let Some(node) = self.node(at) else { return };
            let Some(output) = node.replica.next_output() else { break };
            match output {
                Output::Ask { id, peer, request } => self.ask(at, id, &peer, request),
                Output::Submit { id, source, events } => {
                    let origin = Origin::Peer(source.map_or_else(|| "gone".to_owned(), |peer| peer.to_string()));
                    let events = events.into_iter().map(|(_, bytes)| bytes).collect();
                    self.submit(at, Job { events, origin, waiting: Waiting::Batch(id) });
                }
                // No machine here lies to another, so there is nobody to penalise.
                Output::Penalise { peer, why, .. } => {
                    let peer = self.machine_of(&peer);
                    self.tell(&format!("{at} penalises {peer}: a peer {why}"));
                }
            }
        }
        // The replica writes too: how far it has read the logs of others.
        if self.machines[at].disk.is_down() {
            return self.stop(at);
        }
        let (now_ms, life) = (self.now_ms, self.machines[at].life);
        let Some(node) = self.node(at) else { return };
        // A machine that asks for no time at all would stop simulated time.
        let due_ms = node.replica.next_tick_ms().max(now_ms + 1);
        if due_ms < node.tick_ms {
            node.tick_ms = due_ms;
            self.agenda.note(due_ms, Happening::Tick { at, life });
        }
    }

    fn ask(&mut self, at: usize, id: RequestId, peer: &PeerId, request: Request) {
        let (to, now_ms, life) = (self.machine_of(peer), self.now_ms, self.machines[at].life);
        let is_up = self.links.is_up(at, to);
        let Some(node) = self.node(at) else { return };
        let waiting = node.asked.values().filter(|asked| **asked == to).count();
        let refused = match () {
            () if !is_up => Some(Failure::Gone),
            () if waiting >= 2 * REQUESTS_AT_ONCE => Some(Failure::Busy),
            () => None,
        };
        if let Some(failure) = refused {
            return node.replica.answered(id, Err(failure), now_ms);
        }
        node.asked.insert(id, to);
        self.note_question(at, to, &request);
        self.agenda.note(now_ms + TIMEOUT_MS, Happening::Timeout { at, life, id });
        self.send(at, to, &Message::Request { id, life, request });
    }

    fn note_question(&mut self, at: usize, to: usize, request: &Request) {
        let what = match request {
            // There are thousands of them.
            Request::Hello(_) => return,
            Request::LogPage { from, .. } => format!("for entries from {from}"),
            Request::Bodies { ids } => format!("for {} events", ids.len()),
            Request::MapPages { keys } => {
                self.compared += 1;
                format!("for {} pages of its state map", keys.len())
            }
            Request::Recent { subjects } => format!("for the events of {} subjects", subjects.len()),
            other => format!("{other:?}"),
        };
        self.tell(&format!("{at} asks {to} {what}"));
    }

    /// Two machines find each other, if both run and nothing is between them.
    pub fn connect(&mut self, one: usize, other: usize) {
        let both_run = self.machines[one].node.is_some() && self.machines[other].node.is_some();
        if !both_run || self.links.is_cut(one, other) || !self.links.set_up(one, other) {
            return;
        }
        self.tell(&format!("{one} and {other} are connected"));
        let now_ms = self.now_ms;
        for (at, peer) in [(one, self.machines[other].peer), (other, self.machines[one].peer)] {
            if let Some(node) = self.node(at) {
                node.replica.connected(peer, now_ms);
            }
            self.drain(at);
        }
    }

    /// Two machines notice that they have lost each other.
    pub fn notice(&mut self, one: usize, other: usize) {
        if self.links.is_cut(one, other) {
            self.part(one, other);
        }
    }

    pub fn part(&mut self, one: usize, other: usize) {
        if !self.links.set_down(one, other) {
            return;
        }
        self.tell(&format!("{one} and {other} are no longer connected"));
        let now_ms = self.now_ms;
        for (at, from) in [(one, other), (other, one)] {
            let peer = self.machines[from].peer;
            let Some(node) = self.node(at) else { continue };
            node.asked.retain(|_, asked| *asked != from);
            node.replica.disconnected(&peer, now_ms);
            self.drain(at);
        }
    }
}

/// Less of an answer, as a peer may give: what is left is asked for again. A page begins with an entry that is known.
fn shortened(mut response: Response, most: usize) -> Response {
    match &mut response {
        Response::LogPage { ids, .. } => ids.truncate(most.max(2)),
        Response::Bodies { bodies } => bodies.truncate(most),
        _ => {}
    }
    response
}
