//! How long after an event was acknowledged by one node another one's interface shows it.

use crate::corpus::{Corpus, Singles};
use crate::load::offer;
use crate::nodes::{Nodes, SIGNERS, SOURCES, enrol, shown, shows};
use crate::report::Report;
use crate::scale::Scale;
use crate::stock::Stock;
use crate::times::Times;
use end_to_end::client::CBOR_SEQUENCE;
use end_to_end::node::Node;
use minicbor::Decoder;
use provenance::id::EventId;
use reqwest::Method;
use reqwest::header::ACCEPT;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Events a second, and how many of them share a request.
const RATES: [(u32, u32); 2] = [(500, 1), (5_000, 10)];

/// How much both nodes hold before.
const EVENTS_AT_MOST: u64 = 1_000_000;

/// How often the other node is looked at; a figure is larger by half of it on average.
const LOOKED_EVERY: Duration = Duration::from_millis(5);

/// No measure of speed, only an end for events that never come.
const PATIENCE: Duration = Duration::from_mins(5);

/// Posts to one of two nodes and looks at the other.
pub async fn measure(
    scale: &Scale,
    nodes: &mut Nodes,
    corpus: &Corpus,
    stock: &Stock,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (_, store) = stock.at_most(EVENTS_AT_MOST)?;
    let first = nodes.start(SOURCES[0], Some(store), &[]).await?;
    let second = nodes.start(SOURCES[1], Some(store), &[&first]).await?;
    let mut singles = enrol(&first, corpus).await?;
    shows(&second, first.log_size().await).await?;
    for (rate, in_one) in RATES {
        let times = at_rate(scale, &first, &second, &mut singles, f64::from(rate), in_one).await?;
        for percent in [50, 95] {
            report.add(format!("propagate_p{percent}/{rate}"), times.percentile_ms(percent), "ms");
        }
    }
    second.stop().await;
    first.stop().await;
    Ok(())
}

async fn at_rate(
    scale: &Scale,
    first: &Node,
    second: &Node,
    singles: &mut Singles,
    rate: f64,
    in_one: u32,
) -> anyhow::Result<Times> {
    let in_one_request = usize::try_from(in_one)?;
    let requests = scale.requests(rate / f64::from(in_one)).div_ceil(SIGNERS);
    let lines = singles.lines(requests * in_one_request)?;
    let ids = |events: &[Vec<u8>]| events.iter().map(|event| EventId::of(event)).collect::<Vec<_>>();
    let sent: Vec<Vec<EventId>> = lines.iter().flat_map(|line| line.chunks(in_one_request)).map(ids).collect();
    let bodies = |line: Vec<Vec<u8>>| line.chunks(in_one_request).map(<[_]>::concat).collect::<Vec<_>>();
    let bodies = lines.into_iter().map(bodies).collect();
    let from = second.log_size().await;
    let events = sent.iter().map(Vec::len).sum();
    let (answered, seen) = tokio::try_join!(
        offer(&first.client, CBOR_SEQUENCE, bodies, rate / f64::from(in_one)),
        look(second, from, events)
    )?;
    let answered = answered.iter().flatten();
    // What the other node shows before the client has read its acknowledgement took no time.
    let times = sent.iter().zip(answered).flat_map(|(ids, answered)| {
        ids.iter().filter_map(|id| Some(seen.get(id)?.saturating_duration_since(answered.at)))
    });
    Ok(times.collect())
}

/// Follows the node's feed until it has shown so many events; when each was seen. What no view shows yet does not count.
async fn look(node: &Node, mut from: u64, events: usize) -> anyhow::Result<HashMap<EventId, Instant>> {
    let (began, mut seen) = (Instant::now(), HashMap::new());
    while seen.len() < events {
        anyhow::ensure!(began.elapsed() < PATIENCE, "{} of {events} events never came", events - seen.len());
        let shown = shown(node).await?;
        if shown > from {
            let request = node
                .client
                .anonymous(Method::GET, &format!("/api/v1/events?from={from}&limit={}", (shown - from).min(4096)));
            let body = request.header(ACCEPT, CBOR_SEQUENCE).send().await?.error_for_status()?.bytes().await?;
            let (mut decoder, now) = (Decoder::new(&body), Instant::now());
            while decoder.position() < body.len() {
                let start = decoder.position();
                decoder.skip()?;
                seen.insert(EventId::of(&body[start..decoder.position()]), now);
                from += 1;
            }
        } else {
            tokio::time::sleep(LOOKED_EVERY).await;
        }
    }
    Ok(seen)
}
