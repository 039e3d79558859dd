//! How long a single event takes until it is acknowledged as durable, at a rate that a busy network has.

use crate::corpus::Singles;
use crate::load::offer;
use crate::nodes::SIGNERS;
use crate::report::Report;
use crate::scale::Scale;
use crate::times::Times;
use end_to_end::client::COSE;
use end_to_end::node::Node;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Events offered in a second, one in each request.
const RATE: f64 = 2_000.0;

/// What a store appends at once, at least; how often is enough to tell the slowest of a hundred.
const SYNCED_BYTES: usize = 4_096;
const SYNCS: usize = 300;

/// Offers single events to the node.
pub async fn measure(
    scale: &Scale,
    node: &Node,
    singles: &mut Singles,
    folder: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    // Everybody is connected before anything is measured.
    offer(&node.client, COSE, singles.lines(1)?, RATE).await?;
    let lines = singles.lines(scale.requests(RATE).div_ceil(SIGNERS))?;
    let syncs = syncs(folder)?;
    let answered = offer(&node.client, COSE, lines, RATE).await?;
    let times: Times = answered.iter().flatten().map(|answered| answered.at - answered.due).collect();
    for percent in [50, 95, 99] {
        let (value, ceiling) = (times.percentile_ms(percent), syncs.percentile_ms(percent));
        report.add_cost(format!("ack_http_p{percent}"), value, "ms", ceiling, "syncing the disk alone");
    }
    Ok(())
}

/// What the disk needs to make a block safe.
fn syncs(folder: &Path) -> anyhow::Result<Times> {
    let path = folder.join("syncs");
    let mut file = File::create(&path)?;
    let sync = |_| {
        let began = Instant::now();
        file.write_all(&[7; SYNCED_BYTES])?;
        file.sync_data()?;
        std::io::Result::Ok(began.elapsed())
    };
    let times = (0..SYNCS).map(sync).collect::<Result<Times, _>>()?;
    std::fs::remove_file(path)?;
    Ok(times)
}
