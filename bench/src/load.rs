//! Load on a node: at a rate, whatever it answers, or by so many clients that each wait for their answer.

use crate::times::Times;
use anyhow::Context;
use end_to_end::client::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A request that was due, and answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// When it was to be sent, which it was not if the one before it had no answer yet.
    pub due: Instant,
    pub at: Instant,
}

/// Posts events at a rate of so many requests a second. Each line is sent in its order, because its events rest on each
/// other; what a slow answer delays counts as slow, too: times are told from when a request was due.
pub async fn offer(
    client: &Client,
    media_type: &'static str,
    lines: Vec<Vec<Vec<u8>>>,
    per_second: f64,
) -> anyhow::Result<Vec<Vec<Answered>>> {
    let (began, count) = (Instant::now(), lines.len());
    let mut tasks = JoinSet::new();
    for (line, requests) in lines.into_iter().enumerate() {
        let client = client.clone();
        tasks.spawn(async move {
            let mut answered = Vec::with_capacity(requests.len());
            for (round, body) in requests.into_iter().enumerate() {
                #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
                let due = began + Duration::from_secs_f64((round * count + line) as f64 / per_second);
                tokio::time::sleep_until(due.into()).await;
                let request = client.request(Method::POST, "/api/v1/events").header(CONTENT_TYPE, media_type);
                served(request.body(body)).await?;
                answered.push(Answered { due, at: Instant::now() });
            }
            anyhow::Ok((line, answered))
        });
    }
    let mut answered = vec![Vec::new(); count];
    while let Some(done) = tasks.join_next().await {
        let (line, times) = done??;
        answered[line] = times;
    }
    Ok(answered)
}

/// What clients experienced.
#[derive(Debug)]
pub struct Served {
    pub times: Times,
    /// Answers a second to all of them.
    pub rate: f64,
}

/// So many clients ask for so long, each anew once it has its answer.
pub async fn ask<F>(clients: usize, during: Duration, request: F) -> anyhow::Result<Served>
where
    F: Fn(usize) -> RequestBuilder + Send + Sync + 'static,
{
    let (began, request) = (Instant::now(), Arc::new(request));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let request = request.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            // Everybody gets one answer at least, or there would be nothing to tell.
            while times.is_empty() || began.elapsed() < during {
                let asked = Instant::now();
                served(request(client + times.len() * clients)).await?;
                times.push(asked.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    Ok(Served { times: times.into_iter().collect(), rate })
}

/// Sends a request and reads the whole answer. Who is told to come back later does so, and has waited all the time.
async fn served(request: RequestBuilder) -> anyhow::Result<()> {
    loop {
        let again = request.try_clone().context("the body is held in memory")?;
        let response = again.send().await?;
        let (status, after) = (response.status(), response.headers().get(RETRY_AFTER).cloned());
        let body = response.bytes().await?;
        match after.and_then(|after| after.to_str().ok()?.parse().ok()) {
            Some(seconds) if status == 503 => tokio::time::sleep(Duration::from_secs(seconds)).await,
            _ if status == 200 => return Ok(()),
            _ => anyhow::bail!("the node answered {status}: {}", String::from_utf8_lossy(&body)),
        }
    }
}
