//! Reading, by many at once and by one alone: a lot with its history, a lot's bundle, and a bundle's verdict.

use crate::bare::{self, Bare};
use crate::load::{Served, ask};
use crate::report::Report;
use crate::scale::Scale;
use end_to_end::client::Client;
use end_to_end::node::Node;
use provenance::bundle::CONTENT_TYPE;
use provenance::id::SubjectId;
use reqwest::Method;

/// Who asks at the same time.
const CLIENTS: usize = 64;
/// Who scans a code while nobody else does.
const ONE: usize = 1;

/// Lots with their histories.
pub async fn lots(
    scale: &Scale,
    node: &Node,
    lots: &[SubjectId],
    bare: &Bare,
    suffixes: &[String],
    report: &mut Report,
) -> anyhow::Result<()> {
    let paths: Vec<String> = lots.iter().map(|lot| format!("/api/v1/produces/{lot}/history")).collect();
    // First of all, while nothing of the lots is in memory yet.
    get(ONE, scale, node, &paths, bare, "read_lot_alone", suffixes, report).await?;
    get(CLIENTS, scale, node, &paths, bare, "read_lot", suffixes, report).await
}

/// Bundles.
pub async fn bundles(
    scale: &Scale,
    node: &Node,
    lots: &[SubjectId],
    bare: &Bare,
    report: &mut Report,
) -> anyhow::Result<()> {
    let paths: Vec<String> = lots.iter().map(|lot| format!("/api/v1/produces/{lot}/bundle")).collect();
    get(CLIENTS, scale, node, &paths, bare, "read_bundle", &[String::new()], report).await
}

/// The bundles of these lots.
pub async fn fetch(node: &Node, lots: &[SubjectId]) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut bundles = Vec::with_capacity(lots.len());
    for lot in lots {
        let answer = node.client.read(&format!("/api/v1/produces/{lot}/bundle")).await;
        anyhow::ensure!(answer.status == 200, "a bundle was refused: {}", answer.text());
        bundles.push(answer.body);
    }
    Ok(bundles)
}

/// Verdicts of a node on bundles that it is sent.
pub async fn verdicts(
    scale: &Scale,
    node: &Node,
    bundles: Vec<Vec<u8>>,
    bare: &Bare,
    report: &mut Report,
) -> anyhow::Result<()> {
    let client = node.client.clone();
    let request = move |at: usize| {
        let request = client.anonymous(Method::POST, "/api/v1/verifications").header("content-type", CONTENT_TYPE);
        request.body(bundles[at % bundles.len()].clone())
    };
    let served = ask(CLIENTS, scale.offered, request).await?;
    let ceiling = ceiling(CLIENTS, scale, &node.client, bare, 1).await?;
    tell("verify_bundle_http", &[String::new()], &served, &ceiling, report);
    Ok(())
}

#[allow(clippy::too_many_arguments)] // What is asked for, by whom, and beside what.
async fn get(
    clients: usize,
    scale: &Scale,
    node: &Node,
    paths: &[String],
    bare: &Bare,
    name: &str,
    suffixes: &[String],
    report: &mut Report,
) -> anyhow::Result<()> {
    let bytes = node.client.read(&paths[0]).await.body.len();
    let client = node.client.clone();
    let paths = paths.to_vec();
    let request = move |at: usize| client.anonymous(Method::GET, &paths[at % paths.len()]);
    let served = ask(clients, scale.offered, request).await?;
    let ceiling = ceiling(clients, scale, &node.client, bare, bytes).await?;
    tell(name, suffixes, &served, &ceiling, report);
    Ok(())
}

/// What the same clients get from a route that does nothing but answer as many bytes.
async fn ceiling(clients: usize, scale: &Scale, client: &Client, bare: &Bare, bytes: usize) -> anyhow::Result<Served> {
    let (client, url) = (client.http().clone(), bare.url(bytes));
    ask(clients, scale.offered, move |_| client.get(&url)).await
}

fn tell(name: &str, suffixes: &[String], served: &Served, ceiling: &Served, report: &mut Report) {
    for suffix in suffixes {
        report.add_rate(format!("{name}{suffix}"), served.rate, "requests/s", ceiling.rate, bare::NAME);
        for percent in [50, 95] {
            let (value, ceiling) = (served.times.percentile_ms(percent), ceiling.times.percentile_ms(percent));
            report.add_cost(format!("{name}_p{percent}{suffix}"), value, "ms", ceiling, bare::NAME);
        }
    }
}
