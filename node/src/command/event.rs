//! `furrow event`: signed events as files.

use crate::cli::Global;
use crate::client::{CBOR_SEQUENCE, COSE};
use crate::command::said::said;
use crate::command::signing::Signing;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::output::{printable, table, text};
use clap::Subcommand;
use provenance::event::MAX_EVENT_BYTES;
use provenance::event::SignedEvent;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What one request to the node may carry, with room for its limit of 16 MiB.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Commands about events.
#[derive(Debug, Subcommand)]
pub(crate) enum Event {
    /// Hand signed events to the node, one in each file
    Submit {
        /// Files with the exact bytes of one event each; ancestors before descendants
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Save an event's exact bytes, whose SHA-256 is its id
    Save {
        /// The event's id
        event: String,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show an event
    Show {
        /// The event's id
        event: String,
    },
    /// Say that an event is right, as a party of it
    Confirm {
        /// The event's id
        event: String,
        /// How it was confirmed, such as 'signature on paper'
        #[arg(long)]
        method: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// Say that an event is wrong, as a party of it
    Dispute {
        /// The event's id
        event: String,
        /// What is not so
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        signing: Signing,
    },
}

impl Event {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Submit { files } => submit(global, &files).await,
            Self::Save { event, out } => {
                let bytes = global.client()?.bytes(&format!("/events/{event}"), COSE).await?;
                durable::replace(&out, &bytes, Readable::ByAll)
                    .or_exit_with(Exit::Failed, || format!("cannot write {}", out.display()))?;
                let value = json!({ "event": event, "file": out, "bytes": bytes.len() });
                global.output().print(&value, || {
                    format!("{} bytes in {}; sha256sum prints the id in hexadecimal", bytes.len(), out.display())
                })?;
                Ok(())
            }
            Self::Confirm { event, method, signing } => {
                state(global, &format!("/events/{event}/confirmation"), json!({ "method": method }), &signing).await
            }
            Self::Dispute { event, reason, signing } => {
                state(global, &format!("/events/{event}/dispute"), json!({ "reason": reason }), &signing).await
            }
            Self::Show { event } => {
                let event = global.client()?.get(&format!("/events/{event}")).await?;
                global.output().print(&event, || format!("{event:#}"))?;
                Ok(())
            }
        }
    }
}

/// What a party says of an event.
async fn state(global: &Global, path: &str, mut body: Value, signing: &Signing) -> Result<(), Failure> {
    let client = global.client()?;
    signing.fill(&client, &mut body).await?;
    said(global, &client.post(path, &body).await?)
}

async fn submit(global: &Global, files: &[PathBuf]) -> Result<(), Failure> {
    // All are read and checked first: a mistake in the last file is told before anything is sent.
    let events = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let client = global.client()?;
    let bar = global.output().progress(events.len(), "submitting");
    let mut outcomes = Vec::new();
    let mut rest = events.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |event: &&Vec<u8>| {
            bytes += event.len();
            bytes <= MAX_BATCH_BYTES
        };
        let (batch, after) = rest.split_at(rest.iter().take_while(fits).count());
        let sequence = batch.concat();
        let answer = client.post_bytes("/events", CBOR_SEQUENCE, sequence).await?;
        outcomes.extend(list(&answer));
        bar.inc(batch.len() as u64);
        rest = after;
    }
    bar.finish_and_clear();
    let refused =
        outcomes.iter().filter(|outcome| matches!(outcome_name(outcome), "void" | "rejected" | "held")).count();
    let row = |(outcome, file): (&Value, &PathBuf)| {
        [outcome_name(outcome).to_owned(), file.display().to_string(), printable(&text(outcome, "/problem/detail"))]
    };
    let rows: Vec<_> = outcomes.iter().zip(files).map(row).collect();
    global.output().print(&Value::Array(outcomes.clone()), || table(["outcome", "file", "why"], &rows))?;
    if refused > 0 {
        return Err(Failure::new(Exit::Failed, format!("{refused} of {} events were not admitted", files.len())));
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let name = || file.display().to_string();
    let length = std::fs::metadata(file).or_exit_with(Exit::BadInput, name)?.len();
    if length > MAX_EVENT_BYTES as u64 {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{} has {length} bytes; an event has at most {MAX_EVENT_BYTES}", name()),
        ));
    }
    let bytes = std::fs::read(file).or_exit_with(Exit::BadInput, name)?;
    SignedEvent::decode(bytes.clone()).or_exit_with(Exit::BadInput, name)?;
    Ok(bytes)
}

fn list(answer: &Value) -> Vec<Value> {
    answer.get("results").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn outcome_name(outcome: &Value) -> &str {
    outcome.get("outcome").and_then(Value::as_str).unwrap_or("admitted")
}
