//! Figures of whole nodes, taken from outside: which node is started when, and for which of them.

use crate::bare::Bare;
use crate::ceiling::Ceiling;
use crate::corpus::Corpus;
use crate::nodes::{ALONE, Nodes, enrol, settles};
use crate::report::Report;
use crate::resources::resident_bytes_of;
use crate::scale::Scale;
use crate::stock::Stock;
use crate::{Wanted, ack_http, admit, admit_http, catch_up, propagate, reading, restart, verify_bundle};
use std::path::Path;
use std::time::Duration;

/// Lots that are read in turn: more than any cache of answers would hold by chance, and their ids fit anywhere.
const LOTS: u64 = 2_000;

/// Bundles that are verified.
const BUNDLES: usize = 50;

/// What is there before any node is started.
pub struct Setting<'a> {
    pub scale: &'a Scale,
    pub wanted: &'a Wanted,
    pub corpus: &'a Corpus,
    pub ceiling: &'a Ceiling,
    pub stock: &'a Stock,
    /// Where nodes have their folders: on the disk of the stores.
    pub folder: &'a Path,
}

/// What clients post and read is signed and chosen before; every node ends before the next one is measured.
pub async fn measure(setting: &Setting<'_>, report: &mut Report) -> anyhow::Result<()> {
    let Setting { scale, wanted, corpus, ceiling, stock, folder } = *setting;
    let alone = wanted.any(&["ack_http", "read_", "verify_bundle", "bundle_", "restart", "rss_node"]);
    if !alone && !wanted.any(&["admit_http", "catch_up", "propagate"]) {
        return Ok(());
    }
    let mut nodes = Nodes::make(corpus, folder).await;
    if wanted.any(&["admit_http"]) {
        admit_http::measure(&mut nodes, corpus, ceiling, report).await?;
    }
    if wanted.any(&["catch_up"]) {
        catch_up::measure(&mut nodes, stock, ceiling, report).await?;
    }
    if wanted.any(&["propagate"]) {
        propagate::measure(scale, &mut nodes, corpus, stock, report).await?;
    }
    if alone {
        let bare = Bare::start()?;
        nodes.start(ALONE, None, &[]).await?.stop().await;
        let (empty, starting) = restart::start(&mut nodes).await?;
        empty.stop().await;
        for size in &scale.nodes {
            grown(setting, *size, &bare, starting, &mut nodes, report).await?;
        }
    }
    Ok(())
}

/// What is measured of a node with so many events stored.
async fn grown(
    setting: &Setting<'_>,
    size: u64,
    bare: &Bare,
    starting: Duration,
    nodes: &mut Nodes,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Setting { scale, wanted, corpus, stock, folder, .. } = *setting;
    let (_, store) = stock.at_most(size)?;
    let node = nodes.start(ALONE, Some(store), &[]).await?;
    let mut singles = enrol(&node, corpus).await?;
    settles(&node).await?;
    let lots = corpus.lots(size, LOTS)?;
    anyhow::ensure!(!lots.is_empty(), "among {size} events there is no lot to read");
    let is_last = scale.nodes.last() == Some(&size);
    // The largest is the figure itself, as well as the curve's last point.
    let suffixes = [vec![format!("@{size}")], vec![String::new(); usize::from(is_last)]].concat();
    if wanted.any(&["read_lot"]) {
        reading::lots(scale, &node, &lots, bare, &suffixes, report).await?;
    }
    if is_last {
        if wanted.any(&["ack_http"]) {
            ack_http::measure(scale, &node, &mut singles, folder, report).await?;
        }
        if wanted.any(&["read_bundle"]) {
            reading::bundles(scale, &node, &lots, bare, report).await?;
        }
        if wanted.any(&["verify_bundle", "bundle_"]) {
            let bundles = reading::fetch(&node, &lots[..lots.len().min(BUNDLES)]).await?;
            verify_bundle::measure(&bundles, folder, report)?;
            reading::verdicts(scale, &node, bundles, bare, report).await?;
        }
    }
    // After it has served all that, not when it has just begun.
    let resident = admit::mebibytes(resident_bytes_of(node.process())?);
    let (node, took) = restart::measure(scale, nodes, node, &mut singles).await?;
    let [took_ms, starting_ms] = [took, starting].map(|time| time.as_secs_f64() * 1e3);
    for suffix in suffixes {
        report.add_cost(format!("restart{suffix}"), took_ms, "ms", starting_ms, restart::CEILING);
        report.add(format!("rss_node{suffix}"), resident, "MiB");
    }
    node.stop().await;
    Ok(())
}
