//! `furrow recall`: warnings of lots, and what contaminated goods have reached.

use crate::cli::Global;
use crate::client::Client;
use crate::command::recall_report::Report;
use crate::command::said::set;
use crate::command::signing::Signing;
use crate::failure::Failure;
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about recalls.
#[derive(Debug, Subcommand)]
pub(crate) enum Recall {
    /// Warn of lots; whoever signs holds them, held them once, or is an authority
    Issue(Box<Issue>),
    /// Change what a recall says
    Update(Box<Update>),
    /// End a recall
    End {
        /// The recall's id
        recall: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// One recall
    Show {
        /// The recall's id
        recall: String,
    },
    /// Recalls that the node knows
    List {
        /// Only those that stand
        #[arg(long)]
        active: bool,
        /// Only those of this lot
        #[arg(long)]
        lot: Option<String>,
        /// Only those of this actor, by id or name
        #[arg(long, value_name = "ACTOR")]
        issuer: Option<String>,
    },
    Report(Report),
}

/// Of what is warned.
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// The lots; what was made of them is found by tracing
    #[arg(required = true, value_name = "LOT")]
    lots: Vec<String>,
    /// public (consumers are warned), trade (the trade gives the goods back) or information
    #[arg(long)]
    level: String,
    /// What is wrong with the goods
    #[arg(long)]
    hazard: String,
    /// Which goods, in words
    #[arg(long)]
    scope: Option<String>,
    /// What is to be done with the goods: hold, return, destroy or inform
    #[arg(long, default_value = "hold")]
    action: String,
    /// Whom to ask
    #[arg(long)]
    contact: String,
    #[command(flatten)]
    signing: Signing,
}

/// What changes.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The recall's id
    recall: String,
    /// public, trade or information
    #[arg(long)]
    level: Option<String>,
    /// What is wrong with the goods
    #[arg(long)]
    hazard: Option<String>,
    /// Which goods, in words
    #[arg(long)]
    scope: Option<String>,
    /// hold, return, destroy or inform
    #[arg(long)]
    action: Option<String>,
    /// Whom to ask
    #[arg(long)]
    contact: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Recall {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Issue(issue) => {
                let mut body = json!({
                    "lots": issue.lots,
                    "level": issue.level,
                    "hazard": issue.hazard,
                    "action": issue.action,
                    "contact": issue.contact,
                });
                set(&mut body, "scope", issue.scope);
                issue.signing.fill(&client, &mut body).await?;
                show(global, &client.post("/recalls", &body).await?)
            }
            Self::Update(update) => {
                let mut body = json!({});
                let Update { recall, level, hazard, scope, action, contact, signing } = *update;
                for (name, value) in
                    [("level", level), ("hazard", hazard), ("scope", scope), ("action", action), ("contact", contact)]
                {
                    set(&mut body, name, value);
                }
                signing.fill(&client, &mut body).await?;
                show(global, &client.patch(&format!("/recalls/{recall}"), &body).await?)
            }
            Self::End { recall, reason, signing } => {
                let mut body = json!({ "reason": reason });
                signing.fill(&client, &mut body).await?;
                show(global, &client.post(&format!("/recalls/{recall}/end"), &body).await?)
            }
            Self::Show { recall } => show(global, &client.get(&format!("/recalls/{recall}")).await?),
            Self::List { active, lot, issuer } => list(global, &client, active, lot, issuer).await,
            Self::Report(report) => report.run(global, &client).await,
        }
    }
}

async fn list(
    global: &Global,
    client: &Client,
    active: bool,
    lot: Option<String>,
    issuer: Option<String>,
) -> Result<(), Failure> {
    let mut path = format!("/recalls?limit=200{}", if active { "&active=true" } else { "" });
    if let Some(lot) = lot {
        let _ = write!(path, "&lot={lot}");
    }
    if let Some(issuer) = issuer {
        let _ = write!(path, "&issuer={}", names::actor(client, &issuer).await?);
    }
    let recalls = client.all(&path, MAX_LISTED).await?;
    let row = |it: &Value| {
        let stands = if it.get("active") == Some(&Value::Bool(true)) { "stands" } else { "ended" };
        let (level, hazard) = (text(it, "/level"), text(it, "/hazard"));
        [stands.to_owned(), level, text(it, "/issued_by/name"), id_of(it).to_owned(), hazard]
    };
    let rows: Vec<_> = recalls.iter().map(row).collect();
    let headings = ["state", "level", "issued by", "id", "hazard"];
    global.output().print(&Value::Array(recalls), || table(headings, &rows))?;
    Ok(())
}

fn show(global: &Global, recall: &Value) -> Result<(), Failure> {
    global.output().print(recall, || {
        let mut out = format!("Recall {}\n", id_of(recall));
        for (label, pointer) in [
            ("level", "/level"),
            ("hazard", "/hazard"),
            ("scope", "/scope"),
            ("action", "/action"),
            ("contact", "/contact"),
            ("issued by", "/issued_by/name"),
            ("ended", "/ended"),
        ] {
            let value = text(recall, pointer);
            if !value.is_empty() {
                let _ = writeln!(out, "  {label:<10} {value}");
            }
        }
        for lot in recall.get("lots").and_then(Value::as_array).into_iter().flatten() {
            let _ = writeln!(out, "  lot        {} (issuer: {})", text(lot, "/lot"), text(lot, "/capacity"));
        }
        out
    })?;
    Ok(())
}
