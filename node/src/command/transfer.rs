//! `furrow transfer`: handovers, which both sides sign.

use crate::cli::Global;
use crate::client::Client;
use crate::command::signing::{Signing, price, quantity};
use crate::failure::{Exit, Failure};
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about handovers.
#[derive(Debug, Subcommand)]
pub(crate) enum Transfer {
    /// Offer lots, or parts of them, to somebody
    Offer(Box<Offer>),
    /// Take an offer, whole or with what was rejected or lost on the way
    Accept(Accept),
    /// Refuse an offer
    Decline(Close),
    /// Take back an offer that is not answered yet
    Cancel(Close),
    /// Handovers that the node knows
    List {
        /// Only those in this state, such as open or accepted
        #[arg(long)]
        state: Option<String>,
        /// Only those from or to this actor
        #[arg(long, value_name = "ACTOR")]
        party: Option<String>,
    },
    /// One handover
    Show {
        /// The transfer's id
        transfer: String,
    },
}

/// What to offer, and to whom.
#[derive(Debug, Args)]
pub(crate) struct Offer {
    /// A lot, or LOT=QUANTITY for a part of it, such as 'ab…yz=400 KGM'; may be repeated
    #[arg(required = true, value_name = "LOT[=QUANTITY]")]
    lots: Vec<String>,
    /// The actor who is to accept, by id or name
    #[arg(long, value_name = "ACTOR")]
    to: Option<String>,
    /// A party outside the network, by its Global Location Number; complete at once
    #[arg(long, value_name = "GLN", conflicts_with = "to")]
    to_gln: Option<String>,
    /// A party outside the network, by name, which is sealed; complete at once
    #[arg(long, value_name = "NAME", conflicts_with_all = ["to", "to_gln"])]
    to_name: Option<String>,
    /// What passes: both, or possession or title alone, which move whole lots to an actor of the network
    #[arg(long, value_name = "WHAT", value_parser = ["both", "possession", "title"], default_value = "both")]
    moves: String,
    /// The price in the minor unit: '250 EUR/KGM' is 2.50 euros a kilogram
    #[arg(long, allow_hyphen_values = true)]
    price: Option<String>,
    /// Seal the price: only a commitment to it is published
    #[arg(long, requires = "price")]
    seal_price: bool,
    /// Who carries it, by id or name
    #[arg(long, value_name = "ACTOR")]
    carrier: Option<String>,
    /// From where, by id or name
    #[arg(long, value_name = "PLACE")]
    from_place: Option<String>,
    /// To where, by id or name
    #[arg(long, value_name = "PLACE")]
    to_place: Option<String>,
    /// Until when an answer is wished, as 2026-09-30T12:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// How an offer is taken.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// The transfer's id
    transfer: String,
    /// For each line, in the offer's order, what was received: 'QUANTITY', with '-QUANTITY' rejected
    /// and '~QUANTITY' lost, such as '390 KGM -10 KGM'; without it, all was received
    #[arg(long = "line", value_name = "LINE", allow_hyphen_values = true)]
    lines: Vec<String>,
    /// Why not all was received
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Which offer is closed.
#[derive(Debug, Args)]
pub(crate) struct Close {
    /// The transfer's id
    transfer: String,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Transfer {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Offer(offer) => show(global, &offer.run(&client).await?),
            Self::Accept(accept) => show(global, &accept.run(&client).await?),
            Self::Decline(close) => show(global, &close.run(&client, "refusal").await?),
            Self::Cancel(close) => show(global, &close.run(&client, "cancellation").await?),
            Self::List { state, party } => list(global, &client, state, party).await,
            Self::Show { transfer } => show(global, &client.get(&format!("/transfers/{transfer}")).await?),
        }
    }
}

impl Offer {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let to = match (&self.to, self.to_gln, self.to_name) {
            (Some(actor), _, _) => json!({ "actor": names::actor(client, actor).await? }),
            (_, Some(gln), _) => json!({ "gln": gln }),
            (_, _, Some(name)) => json!({ "name": name }),
            _ => return Err(Failure::new(Exit::BadInput, "say to whom it goes, with --to, --to-gln or --to-name")),
        };
        let lines = self.lots.iter().map(|line| offered(line)).collect::<Result<Vec<_>, _>>()?;
        let mut body = json!({ "lines": lines, "to": to, "moves": self.moves });
        if let Some(text) = &self.price {
            body["price"] = price(text)?;
            body["seal_price"] = self.seal_price.into();
        }
        if let Some(carrier) = &self.carrier {
            body["carrier"] = names::actor(client, carrier).await?.into();
        }
        for (name, place) in [("from_place", &self.from_place), ("to_place", &self.to_place)] {
            if let Some(place) = place {
                body[name] = names::place(client, place).await?.into();
            }
        }
        if let Some(expires) = self.expires {
            body["expires"] = expires.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post("/transfers", &body).await
    }
}

impl Accept {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut body = json!({});
        if self.lines.is_empty() && self.reason.is_some() {
            return Err(Failure::new(Exit::BadInput, "a --reason needs a --line that says what was not received"));
        }
        if !self.lines.is_empty() {
            let mut lines = self.lines.iter().map(|line| received(line)).collect::<Result<Vec<_>, _>>()?;
            if let Some(reason) = &self.reason {
                for line in lines.iter_mut().filter(|line| line.get("rejected").or(line.get("lost")).is_some()) {
                    line["reason"] = reason.as_str().into();
                }
            }
            body["lines"] = lines.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post(&format!("/transfers/{}/acceptance", self.transfer), &body).await
    }
}

impl Close {
    async fn run(self, client: &Client, how: &str) -> Result<Value, Failure> {
        let mut body = json!({});
        if let Some(reason) = self.reason {
            body["reason"] = reason.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post(&format!("/transfers/{}/{how}", self.transfer), &body).await
    }
}

fn offered(line: &str) -> Result<Value, Failure> {
    match line.split_once('=') {
        Some((lot, part)) => Ok(json!({ "lot": lot.trim(), "quantity": quantity(part)? })),
        None => Ok(json!({ "lot": line })),
    }
}

/// `390 KGM -10 KGM ~2 KGM`: received, rejected, lost.
fn received(line: &str) -> Result<Value, Failure> {
    let marks: Vec<usize> = line.char_indices().filter(|(_, c)| matches!(c, '-' | '~')).map(|(at, _)| at).collect();
    let first = marks.first().copied().unwrap_or(line.len());
    let mut answer = json!({ "received": quantity(line[..first].trim())? });
    for (index, at) in marks.iter().enumerate() {
        let end = marks.get(index + 1).copied().unwrap_or(line.len());
        let name = if line[*at..].starts_with('-') { "rejected" } else { "lost" };
        answer[name] = quantity(line[at + 1..end].trim())?;
    }
    Ok(answer)
}

async fn list(global: &Global, client: &Client, state: Option<String>, party: Option<String>) -> Result<(), Failure> {
    let mut path = "/transfers?limit=200".to_owned();
    if let Some(state) = state {
        path = format!("{path}&state={state}");
    }
    if let Some(party) = party {
        path = format!("{path}&party={}", names::actor(client, &party).await?);
    }
    let transfers = client.all(&path, MAX_LISTED).await?;
    let row = |transfer: &Value| {
        [text(transfer, "/from/name"), recipient(transfer), text(transfer, "/state"), id_of(transfer).to_owned()]
    };
    let rows: Vec<_> = transfers.iter().map(row).collect();
    global.output().print(&Value::Array(transfers), || table(["from", "to", "state", "id"], &rows))?;
    Ok(())
}

fn show(global: &Global, transfer: &Value) -> Result<(), Failure> {
    global.output().print(transfer, || {
        let mut out = format!("Transfer {}\n", id_of(transfer));
        for (label, value) in
            [("from", text(transfer, "/from/name")), ("to", recipient(transfer)), ("state", text(transfer, "/state"))]
        {
            let _ = writeln!(out, "  {label:<6} {value}");
        }
        for line in transfer.get("lines").and_then(Value::as_array).into_iter().flatten() {
            let (value, unit) = (text(line, "/quantity/value"), text(line, "/quantity/unit"));
            let _ = writeln!(out, "  line   {value} {unit}  {}", text(line, "/item"));
        }
        out
    })?;
    Ok(())
}

/// An actor's name, or what is known of a party outside the network.
fn recipient(transfer: &Value) -> String {
    let outside = ["/to/actor/name", "/to/gln", "/to/name"].map(|pointer| text(transfer, pointer));
    outside.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_offers_and_answers_are_read() {
        assert_eq!(offered("abc").unwrap(), json!({ "lot": "abc" }));
        assert_eq!(offered("abc=400 KGM").unwrap()["quantity"]["value"], "400");
        let answer = received("390 KGM -8 KGM ~2 KGM").unwrap();
        assert_eq!(answer["received"]["value"], "390");
        assert_eq!(answer["rejected"]["value"], "8");
        assert_eq!(answer["lost"], json!({ "value": "2", "unit": "KGM" }));
        assert_eq!(received("390 KGM").unwrap(), json!({ "received": { "value": "390", "unit": "KGM" } }));
        assert!(received("all").is_err());
    }
}
