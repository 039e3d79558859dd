//! `furrow device`: what devices travel with, and what they measured.

use crate::cli::Global;
use crate::command::said::{measure, said, set};
use crate::command::signing::Signing;
use crate::failure::Failure;
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Commands about devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// A device travels with a lot, a unit or a place from now on
    Attach {
        /// The device, by id or name
        device: String,
        /// The id of the lot, unit or place
        #[arg(long, value_name = "ID")]
        to: String,
        /// Since when, as 2026-09-30T12:00:00Z
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Until when, if that is known
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// A device does not travel with it any more
    Detach {
        /// The device, by id or name
        device: String,
        /// The id of the lot, unit or place
        #[arg(long, value_name = "ID")]
        from: String,
        /// When, as 2026-09-30T12:00:00Z
        #[arg(long, value_name = "TIME")]
        at: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// Tell what a device measured over a period; --actor names the device
    Measure(Box<Measure>),
}

/// What was measured, and when.
#[derive(Debug, Args)]
pub(crate) struct Measure {
    /// The id of the lot, unit or place
    subject: String,
    /// What was measured
    #[arg(long, default_value = "temperature")]
    property: String,
    /// The first moment, as 2026-09-30T12:00:00Z
    #[arg(long, value_name = "TIME")]
    start: String,
    /// The last moment
    #[arg(long, value_name = "TIME")]
    end: String,
    /// The lowest reading, such as '2.5 CEL'
    #[arg(long, allow_hyphen_values = true, value_name = "VALUE UNIT")]
    lowest: String,
    /// The highest reading
    #[arg(long, allow_hyphen_values = true, value_name = "VALUE UNIT")]
    highest: String,
    /// The mean of the readings
    #[arg(long, allow_hyphen_values = true, value_name = "VALUE UNIT")]
    mean: Option<String>,
    /// How many readings there were
    #[arg(long)]
    readings: u64,
    /// Where, by id or name
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Device {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Attach { device, to, from, until, signing } => {
                let mut body = json!({ "to": to, "from": from });
                set(&mut body, "until", until);
                signing.fill(&client, &mut body).await?;
                let id = names::actor(&client, &device).await?;
                show(global, &client.post(&format!("/actors/{id}/attachments"), &body).await?)
            }
            Self::Detach { device, from, at, signing } => {
                let mut body = json!({ "from": from, "at": at });
                signing.fill(&client, &mut body).await?;
                let id = names::actor(&client, &device).await?;
                show(global, &client.post(&format!("/actors/{id}/detachments"), &body).await?)
            }
            Self::Measure(measured) => {
                let mut body = json!({
                    "property": measured.property,
                    "start": measured.start,
                    "end": measured.end,
                    "lowest": measure(&measured.lowest)?,
                    "highest": measure(&measured.highest)?,
                    "readings": measured.readings,
                });
                set(&mut body, "mean", measured.mean.as_deref().map(measure).transpose()?);
                if let Some(place) = &measured.place {
                    set(&mut body, "place", Some(names::place(&client, place).await?));
                }
                measured.signing.fill(&client, &mut body).await?;
                said(global, &client.post(&format!("/subjects/{}/conditions", measured.subject), &body).await?)
            }
        }
    }
}

/// What a device travels with.
fn show(global: &Global, device: &Value) -> Result<(), Failure> {
    global.output().print(device, || {
        let row = |it: &Value| [text(it, "/from"), text(it, "/until"), text(it, "/to")];
        let rows: Vec<_> = device.get("attachments").and_then(Value::as_array).into_iter().flatten().map(row).collect();
        let heading = format!("Device {} ({})\n", text(device, "/display_name"), id_of(device));
        heading + &table(["from", "until", "travels with"], &rows)
    })?;
    Ok(())
}
