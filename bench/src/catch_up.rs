//! Catching up: a node that holds nothing gets everything from two that hold it all, over loopback.

use crate::admit::mebibytes;
use crate::ceiling::Ceiling;
use crate::nodes::{FRESH, Nodes, SOURCES, shows};
use crate::report::Report;
use crate::resources::{peak_resident_bytes_of, process_time_of};
use crate::stock::Stock;
use std::time::{Duration, Instant};

/// All that takes part shares the machine; more events would tell nothing new.
const EVENTS_AT_MOST: u64 = 1_000_000;

/// Takes the time from when the fresh node listens until its views show the last event.
pub async fn measure(nodes: &mut Nodes, stock: &Stock, ceiling: &Ceiling, report: &mut Report) -> anyhow::Result<()> {
    let (events, store) = stock.at_most(EVENTS_AT_MOST)?;
    let first = nodes.start(SOURCES[0], Some(store), &[]).await?;
    let second = nodes.start(SOURCES[1], Some(store), &[]).await?;
    let size = first.log_size().await;
    let spent_by_sources =
        || -> anyhow::Result<Duration> { Ok(process_time_of(first.process())? + process_time_of(second.process())?) };
    let before = spent_by_sources()?;
    let fresh = nodes.start(FRESH, None, &[&first, &second]).await?;
    // Opening the keys takes long on purpose, and is told by `restart`.
    let (started, began) = (process_time_of(fresh.process())?, Instant::now());
    shows(&fresh, size).await?;
    let took = began.elapsed();
    let fresh_spent = process_time_of(fresh.process())?.saturating_sub(started);
    let sources_spent = spent_by_sources()?.saturating_sub(before);
    #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
    let events = events as f64;
    let cost_us = |spent: Duration| spent.as_secs_f64() * 1e6 / events;
    report.add_rate("catch_up", events / took.as_secs_f64(), "events/s", ceiling.rate, Ceiling::NAME);
    report.add_cost("catch_up_cpu", cost_us(fresh_spent), "µs/event", ceiling.cost_us, Ceiling::NAME);
    report.add("catch_up_sources_cpu", cost_us(sources_spent), "µs/event");
    let peak = |process| anyhow::Ok(mebibytes(peak_resident_bytes_of(process)?));
    report.add("catch_up_rss", peak(fresh.process())?, "MiB at most");
    report.add("catch_up_sources_rss", peak(first.process())?.max(peak(second.process())?), "MiB at most");
    for node in [fresh, second, first] {
        node.stop().await;
    }
    Ok(())
}
