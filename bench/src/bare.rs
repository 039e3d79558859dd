//! The ceiling of every request over HTTP: a route that does nothing, in a process of its own as a node is.

use anyhow::Context;
use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// Has the program serve the route instead of measuring anything.
pub const ARGUMENT: &str = "--serve-bare-route";

/// What [`Bare`] is called in reports.
pub const NAME: &str = "a bare axum route";

/// The largest answer.
const MOST_BYTES: usize = 1 << 20;

/// The process that serves it, until this is dropped.
#[derive(Debug)]
pub struct Bare {
    process: Child,
    base: String,
}

impl Bare {
    /// Starts this program once more.
    pub fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg(ARGUMENT).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut base = String::new();
        let out = process.stdout.take().context("it is piped")?;
        let mut bare = Self { process, base: String::new() };
        BufReader::new(out).read_line(&mut base)?;
        base.trim().clone_into(&mut bare.base);
        Ok(bare)
    }

    /// Where an answer of so many bytes is had.
    pub fn url(&self, bytes: usize) -> String {
        format!("{}/{}", self.base, bytes.min(MOST_BYTES))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves the route on a free port, which is told on standard output, until the process is ended.
pub async fn serve() -> anyhow::Result<()> {
    static ANSWER: [u8; MOST_BYTES] = [b' '; MOST_BYTES];
    let answer = async |Path(bytes): Path<usize>| &ANSWER[..bytes.min(MOST_BYTES)];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(axum::serve(listener, Router::new().route("/{bytes}", get(answer))).await?)
}
