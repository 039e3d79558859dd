//! A stand-in for the replica.

use ledger::{Ledger, Outcome};
use p2p::{Greeting, PeerId, Request, Response};
use provenance::id::{EventId, PublicKey};
use replication::{BatchId, Failure, Holdings, Known, Output, RequestId, Unwritten};
use std::collections::{BTreeMap, VecDeque};

pub(crate) struct Puller<H> {
    h: H,
    log: PublicKey,
    peers: BTreeMap<Vec<u8>, (PeerId, u64, u64)>,
    asked: BTreeMap<u64, (PeerId, Vec<EventId>)>,
    out: VecDeque<Output>,
    n: u64,
}

impl Puller<Ledger> {
    pub fn new(h: Ledger, log: PublicKey, _: &str) -> Self {
        Self { h, log, peers: BTreeMap::new(), asked: BTreeMap::new(), out: VecDeque::new(), n: 0 }
    }
    pub fn greeting(&self) -> Greeting {
        Greeting { log: self.log, log_size: Holdings::size(&self.h), program: "x".into() }
    }
    pub fn connected(&mut self, peer: PeerId, now_ms: u64) {
        self.peers.insert(peer.to_bytes(), (peer, 1, now_ms));
    }
    pub fn disconnected(&mut self, peer: &PeerId, _: u64) {
        self.peers.remove(&peer.to_bytes());
    }
    pub fn greeted(&mut self, _: &PeerId, _: &Greeting, _: u64) {}
    pub fn wake(&mut self, peer: &PeerId, now_ms: u64) {
        if let Some(p) = self.peers.get_mut(&peer.to_bytes()) {
            p.2 = now_ms;
        }
    }
    fn ask(&mut self, peer: PeerId, ids: Vec<EventId>, request: Request) {
        self.n += 1;
        self.asked.insert(self.n, (peer, ids));
        self.out.push_back(Output::Ask { id: RequestId(self.n), peer, request });
    }
    pub fn answered(&mut self, id: RequestId, answer: Result<Response, Failure>, _: u64) {
        let Some((peer, ids)) = self.asked.remove(&id.0) else { return };
        match answer {
            Ok(Response::LogPage { ids, .. }) => {
                let known = self.h.known(&ids).unwrap_or_default();
                let want: Vec<_> = ids.iter().zip(known).filter(|(_, k)| *k == Known::No).map(|(i, _)| *i).take(1000).collect();
                if !want.is_empty() {
                    self.ask(peer, want.clone(), Request::Bodies { ids: want });
                }
            }
            Ok(Response::Bodies { bodies }) => {
                let events = ids.into_iter().zip(bodies).filter_map(|(id, b)| b.map(|b| (id, b))).collect();
                self.n += 1;
                self.asked.insert(self.n, (peer, vec![]));
                self.out.push_back(Output::Submit { id: BatchId(self.n), source: peer, events });
            }
            _ => {}
        }
    }
    pub fn submitted(&mut self, id: BatchId, outcomes: Result<Vec<Outcome>, Unwritten>, _: u64) {
        let Some((peer, _)) = self.asked.remove(&id.0) else { return };
        let mut missing = vec![];
        for o in outcomes.unwrap_or_default() {
            if let Outcome::Held { hold: provenance::admission::Hold::Missing(ids), .. } = o {
                missing.extend(ids);
            }
        }
        missing.sort();
        missing.dedup();
        let known = self.h.known(&missing).unwrap_or_default();
        let want: Vec<_> = missing.iter().zip(known).filter(|(_, k)| *k == Known::No).map(|(i, _)| *i).take(1000).collect();
        if !want.is_empty() {
            self.ask(peer, want.clone(), Request::Bodies { ids: want });
        }
    }
    pub fn tick(&mut self, now_ms: u64) {
        let mut due = vec![];
        for p in self.peers.values_mut() {
            if p.2 <= now_ms {
                p.2 = now_ms + 2000;
                due.push(p.0);
            }
        }
        for peer in due {
            self.ask(peer, vec![], Request::LogPage { from: 0, max: 4096 });
        }
    }
    pub fn next_tick_ms(&self) -> u64 {
        self.peers.values().map(|p| p.2).min().unwrap_or(u64::MAX)
    }
    pub fn next_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }
}
