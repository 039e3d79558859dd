//! `furrow network`: define a network, show it, and change it together with its other founders.

use crate::cli::Global;
use crate::command::said::set;
use crate::command::signing::Signing;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::names;
use crate::network_file;
use crate::output::{table, text};
use clap::{Args, Subcommand};
use provenance::id::PublicKey;
use provenance::network::Network as Definition;
use provenance::value::Text;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Commands about networks.
#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    /// Define a new network of these founders
    Create {
        /// What it is called
        #[arg(long)]
        name: String,
        /// A founder's public key, as 'furrow key show' prints it; once for each founder
        #[arg(long, required = true, value_name = "KEY")]
        founder: Vec<PublicKey>,
        /// The file to write, which all nodes of the network need
        #[arg(long, default_value = "network.toml", value_name = "FILE")]
        out: PathBuf,
    },
    /// Show a definition and check that it makes its id
    Show {
        /// The file [default: that of the node's folder]
        file: Option<PathBuf>,
        /// What amendments made of it, as the running node knows
        #[arg(long, conflicts_with = "file")]
        amended: bool,
    },
    /// Propose, as a founder, a change of the network
    Amend(Box<Amend>),
    /// Approve an amendment, as a founder
    Approve {
        /// The id of the amendment's event
        amendment: String,
        #[command(flatten)]
        signing: Signing,
    },
}

/// What changes.
#[derive(Debug, Args)]
pub(crate) struct Amend {
    /// A contract to which nodes may anchor from now on, as CHAIN:ADDRESS; name all of them
    #[arg(long = "contract", value_name = "CHAIN:ADDRESS")]
    contracts: Vec<String>,
    /// A parameter that is set, as NAME=JSON; NAME=null takes it away; `open_reading=true` lets anyone read from all nodes;
    /// may be repeated
    #[arg(long = "set", value_name = "NAME=JSON")]
    parameters: Vec<String>,
    /// The version of the rules from now on
    #[arg(long, value_name = "VERSION")]
    rules: Option<u64>,
    /// A founder that leaves, by id or name
    #[arg(long, value_name = "ACTOR")]
    leaves: Option<String>,
    /// The leaving founder's last event that is right [default: all that this node knows is right]
    #[arg(long, value_name = "EVENT", requires = "leaves")]
    last: Option<String>,
    /// A lot over which the founders decide, because no resolver can
    #[arg(long, value_name = "LOT")]
    decide: Option<String>,
    /// An event of that lot that stands; may be repeated
    #[arg(long, value_name = "EVENT", requires = "decide")]
    stands: Vec<String>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Network {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Create { name, founder, out } => {
                let mut nonce = [0; 16];
                getrandom::fill(&mut nonce)?;
                let name = Text::new(name).or_exit_with(Exit::BadInput, || "--name".to_owned())?;
                let network = Definition::new(name, nonce, founder).or_exit(Exit::BadInput)?;
                durable::create(&out, network_file::write(&network).as_bytes(), Readable::ByAll)
                    .or_exit_with(Exit::BadInput, || format!("cannot write a new file {}", out.display()))?;
                show(global, &network, &format!("Written to {}: give this file to every node.", out.display()))
            }
            Self::Amend(amend) => amend.run(global).await,
            Self::Approve { amendment, signing } => {
                let (client, mut body) = (global.client()?, json!({}));
                signing.fill(&client, &mut body).await?;
                show_amendment(global, &client.post(&format!("/network/amendments/{amendment}/approval"), &body).await?)
            }
            Self::Show { amended: true, .. } => show_amended(global, &global.client()?.get("/network").await?),
            Self::Show { file, .. } => {
                let file = file.map_or_else(|| global.data_dir().map(|folder| folder.network()), Ok)?;
                let network = network_file::read(&file).or_exit(Exit::BadInput)?;
                show(global, &network, &format!("From {}.", file.display()))
            }
        }
    }
}

fn show(global: &Global, network: &Definition, note: &str) -> Result<(), Failure> {
    let value = json!({
        "id": network.id(),
        "name": network.name(),
        "founders": network.founders().iter().map(|key| json!({
            "key": key,
            "actor": network.founder(key),
        })).collect::<Vec<_>>(),
    });
    global.output().print(&value, || {
        let mut text = format!("Network {}\n  id {}\n", network.name(), network.id());
        for key in network.founders() {
            let actor = network.founder(key).map_or_else(String::new, |actor| actor.to_string());
            let _ = writeln!(text, "  founder {key}\n    actor {actor}");
        }
        text + note
    })?;
    Ok(())
}

impl Amend {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let (client, mut body) = (global.client()?, json!({}));
        if !self.contracts.is_empty() {
            body["contracts"] = self.contracts.iter().map(|text| contract(text)).collect::<Result<_, _>>()?;
        }
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(|text| parameter(text)).collect::<Result<Map<_, _>, _>>()?;
            body["parameters"] = parameters.into();
        }
        set(&mut body, "rules", self.rules);
        if let Some(founder) = &self.leaves {
            let mut leaves = json!({ "founder": names::actor(&client, founder).await? });
            set(&mut leaves, "last", self.last);
            body["leaves"] = leaves;
        }
        set(&mut body, "decision", self.decide.map(|lot| json!({ "lot": lot, "stands": self.stands })));
        set(&mut body, "reason", self.reason);
        self.signing.fill(&client, &mut body).await?;
        show_amendment(global, &client.post("/network/amendments", &body).await?)
    }
}

/// `1:0x5FbDB2315678afecb367f032d93F642f64180aa3`.
fn contract(text: &str) -> Result<Value, Failure> {
    let parts = text.split_once(':').and_then(|(chain, address)| Some((chain.parse::<u64>().ok()?, address)));
    let (chain_id, address) =
        parts.ok_or_else(|| Failure::new(Exit::BadInput, format!("'{text}' is no contract; write it as 1:0x5Fb…")))?;
    Ok(json!({ "chain_id": chain_id, "address": address }))
}

/// `max_age_days=30`.
fn parameter(text: &str) -> Result<(String, Value), Failure> {
    let wrong =
        || Failure::new(Exit::BadInput, format!("'{text}' is no parameter; write it as NAME=JSON, such as days=30"));
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), serde_json::from_str(value).map_err(|_| wrong())?))
}

fn show_amendment(global: &Global, amendment: &Value) -> Result<(), Failure> {
    global.output().print(amendment, || {
        let approvals = amendment.get("approvals").and_then(Value::as_object).map_or(0, Map::len);
        let (id, state) = (text(amendment, "/id"), text(amendment, "/state"));
        format!("Amendment {id}\n  state     {state}\n  approvals {approvals}")
    })?;
    Ok(())
}

fn show_amended(global: &Global, network: &Value) -> Result<(), Failure> {
    global.output().print(network, || {
        let mut out = format!("Network {}\n  id {}\n", text(network, "/name"), text(network, "/id"));
        let _ = writeln!(out, "  rules {}", text(network, "/rules"));
        let row = |it: &Value| {
            let approvals = it.get("approvals").and_then(Value::as_object).map_or(0, Map::len);
            [text(it, "/state"), approvals.to_string(), text(it, "/id"), text(it, "/reason")]
        };
        let rows: Vec<_> = network.get("amendments").and_then(Value::as_array).into_iter().flatten().map(row).collect();
        if rows.is_empty() {
            return out + "Nothing was amended.";
        }
        out + &table(["state", "approvals", "amendment", "why"], &rows)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_and_parameters_are_read() {
        assert_eq!(contract("1:0x00").unwrap(), json!({ "chain_id": 1, "address": "0x00" }));
        assert!(contract("0x00").is_err());
        assert_eq!(parameter("days=30").unwrap(), ("days".to_owned(), json!(30)));
        assert!(parameter("days").is_err() && parameter("days=many").is_err());
    }
}
