//! How long a node is away that is killed in the middle of its work: from its start until it serves again.

use crate::corpus::Singles;
use crate::load::offer;
use crate::nodes::{ALONE, Nodes, SIGNERS};
use crate::scale::Scale;
use end_to_end::client::COSE;
use end_to_end::node::Node;
use std::time::{Duration, Instant};

/// Single events a second that the node takes when it is killed.
const RATE: f64 = 1_000.0;

/// What cannot be spared: opening the keys, which takes long on purpose, and all else that a node does at first.
pub const CEILING: &str = "starting with nothing stored";

/// Kills the node under load (SIGKILL) and starts it; the node again, and how long it took.
pub async fn measure(
    scale: &Scale,
    nodes: &mut Nodes,
    node: Node,
    singles: &mut Singles,
) -> anyhow::Result<(Node, Duration)> {
    let lines = singles.lines(2 * scale.requests(RATE).div_ceil(SIGNERS))?;
    let client = node.client.clone();
    let load = tokio::spawn(async move { offer(&client, COSE, lines, RATE).await });
    tokio::time::sleep(scale.offered).await;
    node.kill();
    // It ends with the connection, which is no failure here.
    let _ = load.await?;
    start(nodes).await
}

/// Starts the node with the store that it has, and waits until it says that it is ready.
pub async fn start(nodes: &mut Nodes) -> anyhow::Result<(Node, Duration)> {
    let began = Instant::now();
    let node = nodes.start_again(ALONE).await;
    while node.client.try_read("/health/ready").await.is_none_or(|answer| answer.status != 200) {}
    Ok((node, began.elapsed()))
}
