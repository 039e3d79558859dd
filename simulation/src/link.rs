//! What lies between machines: messages on their way, and connections that come and go.

use p2p::{Request, Response};
use replication::{Failure, RequestId};
use std::collections::BTreeSet;

/// What goes from one machine to another.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// With the life of the node that asks: the answer is for that one alone.
    Request {
        id: RequestId,
        life: u64,
        request: Request,
    },
    Response {
        id: RequestId,
        life: u64,
        response: Result<Response, Failure>,
    },
    Gossip(Vec<Vec<u8>>),
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub from: usize,
    pub to: usize,
    pub message: Message,
}

/// Which machines can reach each other, and which think that they can.
#[derive(Debug)]
pub(crate) struct Links {
    count: usize,
    cut: BTreeSet<(usize, usize)>,
    up: BTreeSet<(usize, usize)>,
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

impl Links {
    pub fn new(count: usize) -> Self {
        Self { count, cut: BTreeSet::new(), up: BTreeSet::new() }
    }

    /// Every two machines.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        (0..self.count).flat_map(|one| (one + 1..self.count).map(move |other| (one, other))).collect()
    }

    pub fn is_cut(&self, one: usize, other: usize) -> bool {
        self.cut.contains(&pair(one, other))
    }

    /// Messages between the two are lost from now on.
    pub fn cut(&mut self, one: usize, other: usize) {
        self.cut.insert(pair(one, other));
    }

    pub fn heal(&mut self, one: usize, other: usize) {
        self.cut.remove(&pair(one, other));
    }

    /// Whether both think that they are connected.
    pub fn is_up(&self, one: usize, other: usize) -> bool {
        self.up.contains(&pair(one, other))
    }

    /// True if they were not connected before.
    pub fn set_up(&mut self, one: usize, other: usize) -> bool {
        self.up.insert(pair(one, other))
    }

    /// True if they were connected before.
    pub fn set_down(&mut self, one: usize, other: usize) -> bool {
        self.up.remove(&pair(one, other))
    }

    /// Who thinks that it is connected with this one.
    pub fn peers(&self, at: usize) -> Vec<usize> {
        (0..self.count).filter(|other| *other != at && self.is_up(at, *other)).collect()
    }
}
