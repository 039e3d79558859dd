//! `furrow actor`: enrol people, organisations and nodes, and show them.

use crate::cli::Global;
use crate::client::Client;
use crate::command::signing::Signing;
use crate::config;
use crate::conflict;
use crate::enrolment::Enrolment;
use crate::failure::{Exit, Failure, OrExit};
use crate::keystore::{ANCHORING, Keystore, LOG, PEER};
use crate::names::{self, id_of};
use crate::output::{table, text};
use anchoring::Address;
use clap::{Args, Subcommand};
use provenance::body::{AnchoringDetails, NodeDetails, Role};
use provenance::id::PublicKey;
use provenance::value::Text;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about actors.
#[derive(Debug, Subcommand)]
pub(crate) enum Actor {
    /// Bring somebody into the network
    ///
    /// The node makes and keeps a key for a new member. Somebody who has a key of their own prints
    /// it with 'furrow key show'; prepare their enrolment with --key and --prepare, let them sign it
    /// with 'furrow key countersign', and complete it with --enrolment and --countersignature.
    Enrol(Box<Enrol>),
    /// Change what is known of an actor whose key this node keeps
    Update(Update),
    /// All actors that the node knows
    List,
    /// Where an actor's key signed two events on one link of its journal, which no honest program does
    Forks {
        /// Id or name
        actor: String,
        /// Save the oldest fork to this file as evidence; 'furrow verify FILE' needs no node for it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// One actor
    Show {
        /// Id or name
        actor: String,
    },
}

/// Whom to enrol, as what.
#[derive(Debug, Args)]
pub(crate) struct Enrol {
    /// Under what name the public knows the actor
    #[arg(long, required_unless_present = "enrolment", value_name = "NAME")]
    name: Option<String>,
    /// What the actor may do; may be repeated
    #[arg(long = "role", value_parser = role, value_name = "ROLE", required_unless_present_any = ["enrolment", "this_node"])]
    roles: Vec<Role>,
    /// Which roles it may give to others in its turn; may be repeated
    #[arg(long = "may-give", value_parser = role, value_name = "ROLE")]
    may_give: Vec<Role>,
    /// The name of a person; kept sealed
    #[arg(long, value_name = "NAME", conflicts_with_all = ["key", "enrolment"])]
    personal_name: Option<String>,
    /// Its Global Location Number
    #[arg(long)]
    gln: Option<String>,
    /// A GS1 company prefix; may be repeated
    #[arg(long, value_name = "PREFIX")]
    gs1_prefix: Vec<String>,
    /// Enrol this node itself, so that others know its log, its peer id and its anchors
    #[arg(long, conflicts_with_all = ["key", "enrolment"])]
    this_node: bool,
    /// The key of somebody who holds it; needs --prepare
    #[arg(long, requires = "prepare")]
    key: Option<PublicKey>,
    /// Write the enrolment to this file for the holder of --key to sign
    #[arg(long, requires = "key", value_name = "FILE")]
    prepare: Option<PathBuf>,
    /// A prepared enrolment to complete
    #[arg(long, requires = "countersignature", value_name = "FILE")]
    enrolment: Option<PathBuf>,
    /// What 'furrow key countersign' printed for it
    #[arg(long, requires = "enrolment", value_name = "HEX")]
    countersignature: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// What to change.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Id or name
    actor: String,
    /// Another name for the public
    #[arg(long)]
    name: Option<String>,
    /// Another Global Location Number
    #[arg(long)]
    gln: Option<String>,
    /// All its GS1 company prefixes from now on; may be repeated
    #[arg(long, value_name = "PREFIX")]
    gs1_prefix: Vec<String>,
    /// The actor is this node: publish its present log key, peer id and anchoring
    #[arg(long)]
    this_node: bool,
}

impl Actor {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Enrol(enrol) => enrol.run(global, &client).await,
            Self::Update(update) => update.run(global, &client).await,
            Self::List => list(global, &client).await,
            Self::Forks { actor, out } => {
                let id = names::actor(&client, &actor).await?;
                forks(global, &client, &id, out.as_deref()).await
            }
            Self::Show { actor } => {
                let id = names::actor(&client, &actor).await?;
                show(global, &client.get(&format!("/actors/{id}")).await?)
            }
        }
    }
}

async fn forks(global: &Global, client: &Client, actor: &str, out: Option<&Path>) -> Result<(), Failure> {
    let page = client.get(&format!("/actors/{actor}/forks")).await?;
    let forks = page.pointer("/_embedded/item").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(out) = out {
        let oldest = forks.first().map(|fork| text(fork, "/link"));
        let nothing = || Failure::new(Exit::Failed, "no journal of this actor is known to have forked");
        let path = format!("/actors/{actor}/forks/{}", oldest.ok_or_else(nothing)?);
        return conflict::save(global, client, &path, out).await;
    }
    let rows = forks.iter().map(|fork| {
        let events = fork["events"].as_array().map_or(0, Vec::len);
        [text(fork, "/key"), text(fork, "/link"), events.to_string()]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    global.output().print(&page, || table(["key", "link", "events"], &rows))?;
    Ok(())
}

impl Enrol {
    async fn run(mut self, global: &Global, client: &Client) -> Result<(), Failure> {
        if let (Some(file), Some(signature)) = (&self.enrolment, &self.countersignature) {
            let mut body = Enrolment::read(file)?.command();
            body["countersignature"] = signature.trim().into();
            self.signing.fill(client, &mut body).await?;
            return show(global, &client.post("/actors", &body).await?);
        }
        let node = if self.this_node { Some(this_node(global)?) } else { None };
        if self.this_node && !self.roles.contains(&Role::Node) {
            self.roles.push(Role::Node);
        }
        for list in [&mut self.roles, &mut self.may_give] {
            list.sort_unstable();
            list.dedup();
        }
        if let (Some(key), Some(file)) = (self.key, &self.prepare) {
            let enrolment = self.prepared(client, key).await?;
            return enrolment.write(global, file);
        }
        let mut body = json!({
            "key": { "kept": true },
            "display_name": self.name,
            "roles": self.roles,
            "may_give": self.may_give,
        });
        set(&mut body, "personal_name", self.personal_name.as_deref());
        set(&mut body, "gln", self.gln.as_deref());
        if !self.gs1_prefix.is_empty() {
            body["gs1_prefixes"] = self.gs1_prefix.clone().into();
        }
        if let Some(node) = node {
            body["node"] = serde_json::to_value(node)?;
        }
        self.signing.fill(client, &mut body).await?;
        show(global, &client.post("/actors", &body).await?)
    }

    /// What the holder of a foreign key is to sign: it names the enroller, which is the signer of the command.
    async fn prepared(&self, client: &Client, key: PublicKey) -> Result<Enrolment, Failure> {
        let mut signer = json!({});
        self.signing.fill(client, &mut signer).await?;
        let status = client.get("/status").await?;
        let enroller =
            signer.get("actor").or(status.pointer("/node/actor")).and_then(Value::as_str).unwrap_or_default();
        let network = client.get("/network").await?;
        let enrolment = Enrolment {
            network: text(&network, "/id").parse().or_exit(Exit::Failed)?,
            enroller: enroller.parse().or_exit(Exit::Failed)?,
            key,
            roles: self.roles.clone(),
            may_give: self.may_give.clone(),
            display_name: self.name.clone().unwrap_or_default(),
            gln: self.gln.clone(),
            gs1_prefixes: (!self.gs1_prefix.is_empty()).then(|| self.gs1_prefix.clone()),
            node: None,
        };
        // A mistake is told now, not after the holder has signed it.
        enrolment.countersigned_bytes()?;
        Ok(enrolment)
    }
}

impl Update {
    async fn run(self, global: &Global, client: &Client) -> Result<(), Failure> {
        let id = names::actor(client, &self.actor).await?;
        let mut body = json!({});
        set(&mut body, "display_name", self.name.as_deref());
        set(&mut body, "gln", self.gln.as_deref());
        if !self.gs1_prefix.is_empty() {
            body["gs1_prefixes"] = self.gs1_prefix.into();
        }
        if self.this_node {
            body["node"] = serde_json::to_value(this_node(global)?)?;
        }
        show(global, &client.patch(&format!("/actors/{id}"), &body).await?)
    }
}

/// What others must know of the node of this folder.
fn this_node(global: &Global) -> Result<NodeDetails, Failure> {
    let folder = global.data_dir()?;
    let keys = Keystore::public_keys(&folder.keystore()).or_exit(Exit::Keystore)?;
    let public = |name: &str| {
        let key = keys.iter().find(|key| key.name == name).and_then(|key| key.public.clone());
        key.ok_or_else(|| {
            Failure::new(
                Exit::Keystore,
                format!("the keystore has no key '{name}'; make a new one with 'furrow key new'"),
            )
        })
    };
    let configuration = config::load(&folder.configuration(), Vec::new()).or_exit(Exit::BadInput)?;
    let anchoring = match configuration.anchor_config().or_exit(Exit::BadInput)? {
        Some(anchoring) => {
            let sender: Address = public(ANCHORING)?.parse().or_exit(Exit::Keystore)?;
            let (chain_id, contract) = (anchoring.chain_id, *anchoring.contract.as_bytes());
            Some(AnchoringDetails { chain_id, contract, sender: *sender.as_bytes() })
        }
        None => None,
    };
    let peer_id = Text::new(public(PEER)?).or_exit(Exit::Keystore)?;
    Ok(NodeDetails { log_key: public(LOG)?.parse().or_exit(Exit::Keystore)?, peer_id, anchoring })
}

async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let actors = client.all("/actors?limit=200", MAX_LISTED).await?;
    let row = |actor: &Value| {
        let roles = actor.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        [text(actor, "/display_name"), roles.collect::<Vec<_>>().join(", "), id_of(actor).to_owned()]
    };
    let rows: Vec<_> = actors.iter().map(row).collect();
    global.output().print(&Value::Array(actors), || table(["name", "roles", "id"], &rows))?;
    Ok(())
}

fn show(global: &Global, actor: &Value) -> Result<(), Failure> {
    global.output().print(actor, || {
        let roles = actor.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        format!(
            "{}\n  id     {}\n  key    {}\n  roles  {}\n",
            text(actor, "/display_name"),
            id_of(actor),
            text(actor, "/key"),
            roles.collect::<Vec<_>>().join(", ")
        )
    })?;
    Ok(())
}

fn set(body: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(Value::String(text.to_lowercase())).map_err(|_| {
        let names: Vec<String> = Role::ALL.iter().map(|role| role_name(*role)).collect();
        format!("choose one of {}", names.join(", "))
    })
}

pub(crate) fn role_name(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_in_lower_case() {
        assert_eq!(role("Farmer"), Ok(Role::Farmer));
        assert!(role("king").unwrap_err().contains("cooperative"));
    }
}
