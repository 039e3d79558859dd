//! Whole nodes of the corpus' network: `furrow` processes with the settings that a node has.

use crate::corpus::{Corpus, Singles};
use crate::resources::process_time_of;
use crate::stock;
use anyhow::Context;
use end_to_end::client::CBOR_SEQUENCE;
use end_to_end::node::Node;
use end_to_end::scene::Scene;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use std::path::Path;
use std::time::{Duration, Instant};

/// The node that is measured alone.
pub const ALONE: &str = "alone";

/// Nodes that hold everything, and one that holds nothing.
pub const SOURCES: [&str; 2] = ["first", "second"];
pub const FRESH: &str = "fresh";

/// Who posts single events at the same time, each with a key of its own.
pub const SIGNERS: usize = 128;

/// How often a node is asked how far it is: often enough for a figure, and a small load.
const ASKED_EVERY: Duration = Duration::from_millis(20);

/// How long a node is watched for whether it rests: it may notice only after half a second that there is something to do.
const WATCHED: Duration = Duration::from_secs(2);

/// No measure of speed, only an end.
const PATIENCE: Duration = Duration::from_hours(1);

/// The folders of the nodes.
pub struct Nodes(Scene);

impl Nodes {
    /// Makes the folders in the folder `parent`. Nothing runs yet.
    pub async fn make(corpus: &Corpus, parent: &Path) -> Self {
        let names = [ALONE, SOURCES[0], SOURCES[1], FRESH];
        let mut scene = Scene::of_network(corpus.network(), &names, parent).await;
        for name in names {
            let site = scene.site(name);
            // Tests make do with little memory; what is measured has what a node has.
            site.unset("store.cache_mib");
            site.unset("store.write_buffer_mib");
        }
        Self(scene)
    }

    /// Starts a node with a copy of this store, or with an empty one, and has it dial others.
    pub async fn start(&mut self, name: &str, store: Option<&Path>, peers: &[&Node]) -> anyhow::Result<Node> {
        let place = self.0.site(name).folder().join("store");
        match store {
            Some(store) => stock::put(store, &place).with_context(|| format!("filling {}", place.display()))?,
            None if place.exists() => std::fs::remove_dir_all(&place)?,
            None => {}
        }
        Ok(self.0.start_with(name, peers).await)
    }

    /// Starts a node with the store that it has.
    pub async fn start_again(&mut self, name: &str) -> Node {
        self.0.start(name).await
    }
}

/// Enrols the node, which makes its bundles complete, and those who post single events to it.
pub async fn enrol(node: &Node, corpus: &Corpus) -> anyhow::Result<Singles> {
    let status = node.client.get("/api/v1/status").await;
    let key = status["log"]["key"].as_str().context("the node's log has a key")?.parse()?;
    let (mut singles, mut events) = Singles::enrol(corpus, SIGNERS)?;
    events.push(singles.enrol_node(node.peer_id(), key)?);
    post(node, events.concat()).await?;
    // The checkpoint of a bundle must know who signed it.
    is_at(node, node.log_size().await, |_| true).await?;
    Ok(singles)
}

/// Waits until the node works no more of its own accord: one that was just enrolled goes through its whole log for sealed
/// fields that it may open, which is nothing that those who ask it wait for later.
pub async fn settles(node: &Node) -> anyhow::Result<()> {
    let (began, mut before) = (Instant::now(), process_time_of(node.process())?);
    loop {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the node never rested");
        tokio::time::sleep(WATCHED).await;
        let now = process_time_of(node.process())?;
        if now.saturating_sub(before) < WATCHED / 20 {
            return Ok(());
        }
        before = now;
    }
}

/// Posts a sequence of events, all of which must be taken.
pub async fn post(node: &Node, sequence: Vec<u8>) -> anyhow::Result<()> {
    let request = node.client.request(Method::POST, "/api/v1/events").header(CONTENT_TYPE, CBOR_SEQUENCE);
    let response = request.body(sequence).send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    // The beginning tells: it may be one answer for each of thousands.
    let told = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
    anyhow::ensure!(status == 200, "the node answered {status}: {told}");
    Ok(())
}

/// Waits until the log has so many entries and its views show them.
pub async fn shows(node: &Node, size: u64) -> anyhow::Result<()> {
    is_at(node, size, |follower| follower != "state_map").await
}

/// Waits until the log has so many entries, and the followers that count have read them.
async fn is_at(node: &Node, size: u64, counts: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while read_by_all(node, &counts).await? < size {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the node never got to {size} entries");
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Ok(())
}

/// Up to which entry every view is written.
pub async fn shown(node: &Node) -> anyhow::Result<u64> {
    read_by_all(node, &|follower| follower != "state_map").await
}

async fn read_by_all(node: &Node, counts: &impl Fn(&str) -> bool) -> anyhow::Result<u64> {
    let status = node.client.get("/api/v1/status").await;
    let followers = status["followers"].as_array().context("the status names followers")?.iter();
    let lags = followers.filter(|follower| counts(follower["name"].as_str().unwrap_or_default()));
    let lag = lags.filter_map(|follower| follower["lag"].as_u64()).max().unwrap_or_default();
    Ok(status["log"]["size"].as_u64().context("the status tells the log's size")?.saturating_sub(lag))
}
