//! `furrow unit`: cartons, pallets and containers, and what lies in them.

use crate::cli::Global;
use crate::client::Client;
use crate::command::goods::portion;
use crate::command::place::name;
use crate::command::signing::Signing;
use crate::failure::Failure;
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::Subcommand;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about logistic units.
#[derive(Debug, Subcommand)]
pub(crate) enum Unit {
    /// Pack lots, or smaller units, into a new unit
    Pack {
        /// A lot or unit, or LOT=QUANTITY for a part of it, such as 'ab…yz=400 KGM'; may be repeated
        #[arg(required = true, value_name = "LOT[=QUANTITY]")]
        contents: Vec<String>,
        /// The unit's serial shipping container code
        #[arg(long)]
        sscc: Option<String>,
        /// Where, by id or name
        #[arg(long, value_name = "PLACE")]
        place: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Put more into a unit
    Add {
        /// The unit's id
        unit: String,
        /// A lot or unit, or LOT=QUANTITY for a part of it; may be repeated
        #[arg(required = true, value_name = "LOT[=QUANTITY]")]
        contents: Vec<String>,
        /// Where, by id or name
        #[arg(long, value_name = "PLACE")]
        place: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Take lots, or smaller units, out of a unit
    Unpack {
        /// The unit's id
        unit: String,
        /// What is taken out [default: all of it]
        #[arg(value_name = "LOT")]
        contents: Vec<String>,
        /// Where, by id or name
        #[arg(long, value_name = "PLACE")]
        place: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// One unit, with what lies in it
    Show {
        /// The unit's id
        unit: String,
    },
    /// Units that the node knows
    List {
        /// Only those that this actor holds
        #[arg(long, value_name = "ACTOR")]
        holder: Option<String>,
        /// Only those with this serial shipping container code
        #[arg(long)]
        sscc: Option<String>,
        /// Only those in this state: held, offered, packed, disputed or closed
        #[arg(long)]
        state: Option<String>,
    },
}

impl Unit {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        let (path, body, place, signing) = match self {
            Self::Show { unit } => return show(global, &client, &unit).await,
            Self::List { holder, sscc, state } => return list(global, &client, holder, sscc, state).await,
            Self::Pack { contents, sscc, place, signing } => {
                let mut body = json!({ "contents": portions(&contents)? });
                if let Some(sscc) = sscc {
                    body["sscc"] = sscc.into();
                }
                ("/units".to_owned(), body, place, signing)
            }
            Self::Add { unit, contents, place, signing } => {
                (format!("/units/{unit}/contents"), json!({ "contents": portions(&contents)? }), place, signing)
            }
            Self::Unpack { unit, contents, place, signing } => {
                let body = if contents.is_empty() { json!({}) } else { json!({ "contents": contents }) };
                (format!("/units/{unit}/unpackings"), body, place, signing)
            }
        };
        let mut body = body;
        if let Some(place) = &place {
            body["place"] = names::place(&client, place).await?.into();
        }
        signing.fill(&client, &mut body).await?;
        let unit = client.post(&path, &body).await?;
        print(global, &unit, &[])
    }
}

fn portions(contents: &[String]) -> Result<Vec<Value>, Failure> {
    contents.iter().map(|content| portion(content)).collect()
}

async fn show(global: &Global, client: &Client, unit: &str) -> Result<(), Failure> {
    let mut found = client.get(&format!("/units/{unit}")).await?;
    let mut inside = client.all(&format!("/produces?unit={unit}&limit=200"), MAX_LISTED).await?;
    inside.extend(client.all(&format!("/units?unit={unit}&limit=200"), MAX_LISTED).await?);
    found["inside"] = inside.clone().into();
    print(global, &found, &inside)
}

async fn list(
    global: &Global,
    client: &Client,
    holder: Option<String>,
    sscc: Option<String>,
    state: Option<String>,
) -> Result<(), Failure> {
    let mut path = "/units?limit=200".to_owned();
    if let Some(holder) = holder {
        let _ = write!(path, "&holder={}", names::actor(client, &holder).await?);
    }
    for (name, value) in [("sscc", sscc), ("state", state)] {
        if let Some(value) = value {
            let _ = write!(path, "&{name}={value}");
        }
    }
    let units = client.all(&path, MAX_LISTED).await?;
    let row = |unit: &Value| {
        [
            text(unit, "/sscc"),
            text(unit, "/contents"),
            text(unit, "/holder/name"),
            text(unit, "/state"),
            id_of(unit).to_owned(),
        ]
    };
    let rows: Vec<_> = units.iter().map(row).collect();
    global.output().print(&Value::Array(units), || table(["sscc", "contents", "holder", "state", "id"], &rows))?;
    Ok(())
}

fn print(global: &Global, unit: &Value, inside: &[Value]) -> Result<(), Failure> {
    global.output().print(unit, || {
        let mut out = format!("unit {}\n", text(unit, "/sscc"));
        for (label, value) in [
            ("id", id_of(unit).to_owned()),
            ("contents", text(unit, "/contents")),
            ("state", text(unit, "/state")),
            ("holder", text(unit, "/holder/name")),
            ("owner", text(unit, "/owner/name")),
            ("inside", text(unit, "/unit")),
        ] {
            if !value.is_empty() {
                let _ = writeln!(out, "  {label:<9} {value}");
            }
        }
        for content in inside {
            let what = if content.get("sscc").is_some() || content.get("contents").is_some() {
                format!("unit {}", text(content, "/sscc"))
            } else {
                format!("{} {} {}", name(content), text(content, "/balance/value"), text(content, "/balance/unit"))
            };
            let _ = writeln!(out, "  - {what}  {}", id_of(content));
        }
        out
    })?;
    Ok(())
}
