//! Admission over HTTP: the corpus in its order, as sequences in one request after the other.

use crate::ceiling::Ceiling;
use crate::corpus::Corpus;
use crate::nodes::{ALONE, Nodes, post, shows};
use crate::report::Report;
use crate::resources::{process_time, process_time_of};
use std::time::{Duration, Instant};

/// Events of one request: about 6 MB of the 16 MiB that one may have.
const IN_ONE_REQUEST: usize = 16_384;

/// The node's own growth is measured without HTTP.
const EVENTS_AT_MOST: u64 = 1_000_000;

/// Posts the corpus to an empty node. The client is this process, and shares the machine with the node.
pub async fn measure(nodes: &mut Nodes, corpus: &Corpus, ceiling: &Ceiling, report: &mut Report) -> anyhow::Result<()> {
    let node = nodes.start(ALONE, None, &[]).await?;
    let (node_before, client_before) = (process_time_of(node.process())?, process_time()?);
    let began = Instant::now();
    let mut events = 0;
    for batch in corpus.batches(IN_ONE_REQUEST)? {
        let batch = batch?;
        events += batch.len() as u64;
        post(&node, batch.concat()).await?;
        if events >= EVENTS_AT_MOST {
            break;
        }
    }
    // The network itself is the log's first entry.
    shows(&node, events + 1).await?;
    let took = began.elapsed();
    let node_spent = process_time_of(node.process())?.saturating_sub(node_before);
    let client_spent = process_time()?.saturating_sub(client_before);
    #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
    let events = events as f64;
    let cost_us = |spent: Duration| spent.as_secs_f64() * 1e6 / events;
    report.add_rate("admit_http", events / took.as_secs_f64(), "events/s", ceiling.rate, Ceiling::NAME);
    report.add_cost("admit_http_cpu", cost_us(node_spent), "µs/event", ceiling.cost_us, Ceiling::NAME);
    report.add("admit_http_client_cpu", cost_us(client_spent), "µs/event");
    node.stop().await;
    Ok(())
}
