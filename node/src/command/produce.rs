//! `furrow produce`: lots of produce.

use crate::cli::Global;
use crate::client::Client;
use crate::command::goods::{Codes, Collect, Handle, Transform};
use crate::command::place::name;
use crate::command::signing::{Signing, grade, price, quantity};
use crate::failure::{Exit, Failure};
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about lots.
#[derive(Debug, Subcommand)]
pub(crate) enum Produce {
    /// Register a lot that was harvested
    Register(Box<Register>),
    /// Make the deliveries of members one lot of the cooperative
    Collect(Box<Collect>),
    /// Tell what was done with a lot: cooled, washed, stored
    Handle(Handle),
    /// Give a lot codes on its labels
    Codes(Codes),
    /// Make lots of others: split, merge, pack, press
    Transform(Box<Transform>),
    /// Lots that the node knows
    List {
        /// Only those that this actor holds
        #[arg(long, value_name = "ACTOR")]
        holder: Option<String>,
        /// Only those in this state: held, offered, packed, disputed or closed
        #[arg(long)]
        state: Option<String>,
    },
    /// One lot as it is now
    Show {
        /// The lot's id
        lot: String,
    },
    /// Everything that was ever said about a lot, by whom, and how far it is proven
    History {
        /// The lot's id
        lot: String,
    },
    /// Grade a lot anew
    Grade {
        /// The lot's id
        lot: String,
        /// The grade: A, B, C or Premium, or SCHEME:VALUE
        grade: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Set a lot's price
    Price {
        /// The lot's id
        lot: String,
        /// The price in the minor unit: '250 EUR/KGM' is 2.50 euros a kilogram
        #[arg(allow_hyphen_values = true)]
        price: String,
        /// Seal the price: only a commitment to it is published
        #[arg(long)]
        seal_price: bool,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Tell that a lot is at another place
    Move {
        /// The lot's id
        lot: String,
        /// The place, by id or name
        place: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// Tell that a lot, or a part of it, has left the chain
    Retire {
        /// The lot's id
        lot: String,
        /// How: sold, consumed, lost or destroyed
        outcome: String,
        /// How much [default: all of it]
        #[arg(long)]
        quantity: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
}

/// What was harvested.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// What people call it
    #[arg(long)]
    name: String,
    /// What it is, as a code of a published scheme, such as HS:0808.10 for apples
    #[arg(long, value_name = "SCHEME:CODE")]
    commodity: String,
    /// How much, such as '1250.5 KGM', with packages '1250.5 KGM/100'
    #[arg(long)]
    quantity: String,
    /// Where it was grown, by id or name; may be repeated
    #[arg(long = "place", required = true, value_name = "PLACE")]
    places: Vec<String>,
    /// The variety
    #[arg(long)]
    variety: Option<String>,
    /// Day of the harvest, or FIRST..LAST, as 2026-09-30
    #[arg(long, value_name = "DAY")]
    harvested: Option<String>,
    /// The grade: A, B, C or Premium, or SCHEME:VALUE
    #[arg(long)]
    grade: Option<String>,
    /// The price in the minor unit: '250 EUR/KGM' is 2.50 euros a kilogram
    #[arg(long, allow_hyphen_values = true)]
    price: Option<String>,
    /// Seal the price: only a commitment to it is published
    #[arg(long, requires = "price")]
    seal_price: bool,
    /// GS1 trade item number
    #[arg(long)]
    gtin: Option<String>,
    /// Lot number on the labels
    #[arg(long, value_name = "NUMBER")]
    lot: Option<String>,
    /// A certificate that the lot claims, by its number; may be repeated
    #[arg(long = "claim", value_name = "NUMBER")]
    claims: Vec<String>,
    /// Who harvested it; kept sealed
    #[arg(long, value_name = "NAME")]
    harvester: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Produce {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Register(register) => show(global, &register.run(&client).await?),
            Self::Collect(collect) => show(global, &collect.run(&client).await?),
            Self::Handle(handle) => show(global, &handle.run(&client).await?),
            Self::Codes(codes) => show(global, &codes.run(&client).await?),
            Self::Transform(transform) => show_transformation(global, &transform.run(&client).await?),
            Self::List { holder, state } => list(global, &client, holder, state).await,
            Self::Show { lot } => show(global, &with_findings(&client, &lot).await?),
            Self::History { lot } => history(global, &client, &lot).await,
            Self::Grade { lot, grade: to, reason, signing } => {
                change(global, &client, &lot, json!({ "grade": grade(&to), "reason": reason }), &signing).await
            }
            Self::Price { lot, price: to, seal_price, reason, signing } => {
                let body = json!({ "price": price(&to)?, "seal_price": seal_price, "reason": reason });
                change(global, &client, &lot, body, &signing).await
            }
            Self::Move { lot, place, signing } => {
                let place = names::place(&client, &place).await?;
                change(global, &client, &lot, json!({ "place": place }), &signing).await
            }
            Self::Retire { lot, outcome, quantity: part, signing } => {
                let mut body = json!({ "outcome": outcome });
                if let Some(part) = part {
                    body["quantity"] = quantity(&part)?;
                }
                signing.fill(&client, &mut body).await?;
                show(global, &client.post(&format!("/produces/{lot}/retirement"), &body).await?)
            }
        }
    }
}

impl Register {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let (scheme, code) = self.commodity.split_once(':').ok_or_else(|| {
            let message = format!("--commodity '{}' has no scheme; write it as HS:0808.10", self.commodity);
            Failure::new(Exit::BadInput, message)
        })?;
        let mut places = Vec::new();
        for place in &self.places {
            places.push(names::place(client, place).await?);
        }
        let mut body = json!({
            "commodity": { "scheme": scheme.trim(), "code": code.trim() },
            "name": self.name,
            "places": places,
            "quantity": quantity(&self.quantity)?,
        });
        if let Some(variety) = self.variety {
            body["variety"] = variety.into();
        }
        for (name, code) in [("gtin", self.gtin), ("lot", self.lot)] {
            if let Some(code) = code {
                body["codes"][name] = code.into();
            }
        }
        if let Some(days) = &self.harvested {
            let (first, last) = days.split_once("..").unwrap_or((days, days));
            body["harvested"] = json!({ "first": first.trim(), "last": last.trim() });
        }
        if let Some(text) = &self.grade {
            body["grade"] = grade(text);
        }
        if let Some(text) = &self.price {
            body["price"] = price(text)?;
            body["seal_price"] = self.seal_price.into();
        }
        if !self.claims.is_empty() {
            body["claims"] = self.claims.into();
        }
        if let Some(harvester) = self.harvester {
            body["harvester"] = harvester.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post("/produces", &body).await
    }
}

async fn change(
    global: &Global,
    client: &Client,
    lot: &str,
    mut body: Value,
    signing: &Signing,
) -> Result<(), Failure> {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    signing.fill(client, &mut body).await?;
    show(global, &client.patch(&format!("/produces/{lot}"), &body).await?)
}

async fn list(global: &Global, client: &Client, holder: Option<String>, state: Option<String>) -> Result<(), Failure> {
    let mut path = "/produces?limit=200".to_owned();
    if let Some(holder) = holder {
        path = format!("{path}&holder={}", names::actor(client, &holder).await?);
    }
    if let Some(state) = state {
        path = format!("{path}&state={state}");
    }
    let lots = client.all(&path, MAX_LISTED).await?;
    let row = |lot: &Value| [name(lot), balance(lot), grade_of(lot), text(lot, "/state"), id_of(lot).to_owned()];
    let rows: Vec<_> = lots.iter().map(row).collect();
    global.output().print(&Value::Array(lots), || table(["name", "balance", "grade", "state", "id"], &rows))?;
    Ok(())
}

fn show(global: &Global, lot: &Value) -> Result<(), Failure> {
    global.output().print(lot, || {
        let mut out = format!("{} {}\n", name(lot), text(lot, "/variety"));
        for (label, value) in [
            ("id", id_of(lot).to_owned()),
            ("balance", balance(lot)),
            ("grade", grade_of(lot)),
            ("state", text(lot, "/state")),
            ("holder", text(lot, "/holder/name")),
            ("owner", text(lot, "/owner/name")),
            ("unit", text(lot, "/unit")),
            ("origin", text(lot, "/originator/name")),
        ] {
            if !value.is_empty() {
                let _ = writeln!(out, "  {label:<9} {value}");
            }
        }
        for finding in lot.get("findings").and_then(Value::as_array).into_iter().flatten() {
            let _ = writeln!(out, "  finding   {}: {}", text(finding, "/kind"), text(finding, "/detail"));
        }
        out
    })?;
    Ok(())
}

fn show_transformation(global: &Global, made: &Value) -> Result<(), Failure> {
    global.output().print(made, || {
        let mut out = format!("{} {}\n", text(made, "/process"), id_of(made));
        for (label, list) in [("in", "inputs"), ("out", "outputs")] {
            for line in made.get(list).and_then(Value::as_array).into_iter().flatten() {
                let _ = writeln!(out, "  {label:<4} {}  {} {}", text(line, "/lot"), balance(line), name(line));
            }
        }
        out
    })?;
    Ok(())
}

/// A lot with what a reader of its history should know.
async fn with_findings(client: &Client, lot: &str) -> Result<Value, Failure> {
    let mut shown = client.get(&format!("/produces/{lot}")).await?;
    let mut history = client.get(&format!("/produces/{lot}/history?limit=1")).await?;
    shown["findings"] = history["findings"].take();
    Ok(shown)
}

async fn history(global: &Global, client: &Client, lot: &str) -> Result<(), Failure> {
    let events = client.all(&format!("/produces/{lot}/history"), MAX_LISTED).await?;
    let row = |event: &Value| {
        [
            text(event, "/time"),
            text(event, "/kind"),
            text(event, "/signer/name"),
            text(event, "/proof/state"),
            id_of(event).to_owned(),
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    global.output().print(&Value::Array(events), || table(["signed", "what", "by", "proof", "event"], &rows))?;
    Ok(())
}

/// A lot's balance with its unit.
fn balance(lot: &Value) -> String {
    let quantity = if lot.get("balance").is_some() { "/balance" } else { "/quantity" };
    format!("{} {}", text(lot, &format!("{quantity}/value")), text(lot, &format!("{quantity}/unit")))
}

fn grade_of(lot: &Value) -> String {
    let value = text(lot, "/grade/value");
    if value.is_empty() { text(lot, "/grade") } else { value }
}
