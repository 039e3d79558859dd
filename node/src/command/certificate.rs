//! `furrow certificate`: who may sell what under a scheme.

use crate::cli::Global;
use crate::client::Client;
use crate::command::said::set;
use crate::command::signing::{Signing, quantity};
use crate::failure::{Exit, Failure};
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum Certificate {
    /// Issue a certificate; whoever signs needs the role certifier
    Issue(Box<Issue>),
    /// Suspend, withdraw or reinstate a certificate
    Status {
        /// The certificate's id
        certificate: String,
        /// suspended, withdrawn or reinstated
        state: String,
        /// Since when, as 2026-09-30T12:00:00Z
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// One certificate, as it stands
    Show {
        /// The certificate's id
        certificate: String,
        /// At which moment [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Certificates that the node knows
    List {
        /// Only those that hold for this actor, by id or name
        #[arg(long, value_name = "ACTOR")]
        operator: Option<String>,
        /// Only those that this actor issued, by id or name
        #[arg(long, value_name = "ACTOR")]
        issuer: Option<String>,
    },
}

/// What is certified.
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// The scheme, such as organic
    #[arg(long)]
    scheme: String,
    /// Its number, by which lots claim it
    #[arg(long)]
    number: String,
    /// For whom it holds, by id or name; may be repeated
    #[arg(long = "operator", required = true, value_name = "ACTOR")]
    operators: Vec<String>,
    /// For which places, by id or name; may be repeated [default: all]
    #[arg(long = "place", value_name = "PLACE")]
    places: Vec<String>,
    /// For which commodities, as SCHEME:CODE; may be repeated [default: all]
    #[arg(long = "commodity", value_name = "SCHEME:CODE")]
    commodities: Vec<String>,
    /// The first day on which it holds, as 2026-01-01
    #[arg(long, value_name = "DAY")]
    first: String,
    /// The last day
    #[arg(long, value_name = "DAY")]
    last: String,
    /// How much may be sold under it, such as '5000 KGM'
    #[arg(long, value_name = "QUANTITY")]
    volume_cap: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Certificate {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Issue(issue) => show(global, &issue.run(&client).await?),
            Self::Status { certificate, state, from, reason, signing } => {
                let mut body = json!({ "state": state, "from": from });
                set(&mut body, "reason", reason);
                signing.fill(&client, &mut body).await?;
                show(global, &client.post(&format!("/certificates/{certificate}/status"), &body).await?)
            }
            Self::Show { certificate, at } => {
                let at = at.map_or_else(String::new, |at| format!("?at={}", at.replace('+', "%2B")));
                show(global, &client.get(&format!("/certificates/{certificate}{at}")).await?)
            }
            Self::List { operator, issuer } => list(global, &client, operator, issuer).await,
        }
    }
}

impl Issue {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut operators = Vec::with_capacity(self.operators.len());
        for operator in &self.operators {
            operators.push(names::actor(client, operator).await?);
        }
        let mut places = Vec::with_capacity(self.places.len());
        for place in &self.places {
            places.push(names::place(client, place).await?);
        }
        let commodities = self.commodities.iter().map(|text| commodity(text)).collect::<Result<Vec<_>, _>>()?;
        let mut body = json!({
            "scheme": self.scheme,
            "number": self.number,
            "operators": operators,
            "places": places,
            "commodities": commodities,
            "valid": { "first": self.first, "last": self.last },
        });
        set(&mut body, "volume_cap", self.volume_cap.as_deref().map(quantity).transpose()?);
        self.signing.fill(client, &mut body).await?;
        client.post("/certificates", &body).await
    }
}

fn commodity(text: &str) -> Result<Value, Failure> {
    let wrong = || Failure::new(Exit::BadInput, format!("'{text}' is no commodity; write it as HS:0808.10"));
    let (scheme, code) = text.split_once(':').ok_or_else(wrong)?;
    Ok(json!({ "scheme": scheme.trim(), "code": code.trim() }))
}

async fn list(
    global: &Global,
    client: &Client,
    operator: Option<String>,
    issuer: Option<String>,
) -> Result<(), Failure> {
    let mut path = "/certificates?limit=200".to_owned();
    for (name, actor) in [("operator", operator), ("issuer", issuer)] {
        if let Some(actor) = actor {
            let _ = write!(path, "&{name}={}", names::actor(client, &actor).await?);
        }
    }
    let certificates = client.all(&path, MAX_LISTED).await?;
    let row = |it: &Value| {
        [text(it, "/scheme"), text(it, "/number"), text(it, "/standing"), text(it, "/certifier/name"), id_of(it).into()]
    };
    let rows: Vec<_> = certificates.iter().map(row).collect();
    let headings = ["scheme", "number", "stands", "issued by", "id"];
    global.output().print(&Value::Array(certificates), || table(headings, &rows))?;
    Ok(())
}

fn show(global: &Global, certificate: &Value) -> Result<(), Failure> {
    global.output().print(certificate, || {
        let mut out = format!("Certificate {}\n", id_of(certificate));
        for (label, pointer) in [
            ("scheme", "/scheme"),
            ("number", "/number"),
            ("stands", "/standing"),
            ("at", "/at"),
            ("issued by", "/certifier/name"),
        ] {
            let _ = writeln!(out, "  {label:<10} {}", text(certificate, pointer));
        }
        for step in certificate.get("steps").and_then(Value::as_array).into_iter().flatten() {
            let (from, state, why) = (text(step, "/from"), text(step, "/state"), text(step, "/reason"));
            let _ = writeln!(out, "  since      {from}: {state}{}{why}", if why.is_empty() { "" } else { ", " });
        }
        out
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commodities_are_read() {
        assert_eq!(commodity("HS:0808.10").unwrap(), json!({ "scheme": "HS", "code": "0808.10" }));
        assert!(commodity("0808.10").is_err());
    }
}
