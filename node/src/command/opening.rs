//! `furrow opening`: what this node knows of sealed fields, and erasing it.

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::output::{table, text};
use clap::Subcommand;
use serde_json::Value;

/// Commands about openings.
#[derive(Debug, Subcommand)]
pub(crate) enum Opening {
    /// The sealed fields of an event, their values as far as they are known here, and who was given them
    List {
        /// The event's id
        event: String,
    },
    /// Erase what opens an event's sealed fields; the event and all proofs stay as they are
    ///
    /// No copy stays in the node's store, and the node does not fetch it from peers again. Peers to which it was passed
    /// keep theirs, and backups keep what they hold: the command prints who is to be told.
    Erase {
        /// The event's id
        event: String,
        /// Only this field: its name or path, as 'furrow opening list' shows them
        #[arg(long, value_name = "PATH|NAME")]
        field: Option<String>,
    },
}

impl Opening {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        let openings = match self {
            Self::List { event } => client.get(&format!("/events/{event}/openings")).await?,
            Self::Erase { event, field: None } => client.delete(&format!("/events/{event}/openings")).await?,
            Self::Erase { event, field: Some(field) } => {
                if !field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)) {
                    let message = format!("'{field}' is no field; 'furrow opening list {event}' shows names and paths");
                    return Err(Failure::new(Exit::BadInput, message));
                }
                client.delete(&format!("/events/{event}/openings/{field}")).await?
            }
        };
        let rows: Vec<_> = list(&openings, "/fields").iter().map(row).collect();
        global.output().print(&openings, || {
            if rows.is_empty() {
                "The event has no sealed fields.".to_owned()
            } else {
                table(["field", "path", "state", "value", "passed to"], &rows)
            }
        })?;
        Ok(())
    }
}

fn row(field: &Value) -> [String; 5] {
    let passed: Vec<_> = list(field, "/passed").iter().map(|passed| text(passed, "/peer")).collect();
    [text(field, "/name"), text(field, "/path"), text(field, "/state"), text(field, "/value"), passed.join(" ")]
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
