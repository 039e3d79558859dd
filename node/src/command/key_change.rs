//! `furrow key add`, `rotate`, `replace`, `revoke`: keys of actors come and go, by signed events of the running node.

use crate::cli::Global;
use crate::client::Client;
use crate::command::signing::Signing;
use crate::failure::{Exit, Failure};
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use provenance::id::PublicKey;
use serde_json::{Value, json};

/// What becomes of an actor's keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyChange {
    /// Give an actor a further key, as for a second device
    ///
    /// The node makes and keeps the key. For a key that is kept elsewhere give --public and its holder's signature.
    Add {
        /// Whose, by id or name; this node must keep a key of it [default: the cooperative]
        #[arg(long, value_name = "ACTOR")]
        actor: Option<String>,
        /// What the key is called, such as 'Tablet in the packing house'
        #[arg(long)]
        label: Option<String>,
        /// A key that somebody else holds
        #[arg(long, value_name = "KEY", requires = "countersignature")]
        public: Option<PublicKey>,
        /// Its signature over the event's body
        #[arg(long, value_name = "HEX", requires = "public")]
        countersignature: Option<String>,
    },
    /// Go on with a new key; the old one signs this as its last event
    Rotate {
        /// Whose, by id or name; this node must keep the old key [default: the cooperative]
        #[arg(long, value_name = "ACTOR")]
        actor: Option<String>,
        /// Which key, where the actor has several [default: the newest]
        #[arg(long, value_name = "KEY")]
        old: Option<PublicKey>,
    },
    /// A key was lost or stolen: give the actor a new one, and end all that it had
    ///
    /// Whoever stands above the actor signs it, such as the cooperative for its members.
    Replace {
        /// Whose, by id or name
        actor: String,
        #[command(flatten)]
        ends: Ends,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        signing: Signing,
    },
    /// End all keys of an actor, and give it no new one
    Revoke {
        /// Whose, by id or name
        actor: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        ends: Ends,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Where the old keys end.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the old keys end")]
pub(crate) struct Ends {
    /// The last event of a key that is right; what it signed later does not count [default: all that this node knows
    /// is right]; once for each key
    #[arg(long, value_name = "EVENT")]
    last: Vec<String>,
    /// A key of which nothing is right; may be repeated
    #[arg(long, value_name = "KEY")]
    nothing_of: Vec<PublicKey>,
    /// A later event that stands nevertheless; may be repeated
    #[arg(long, value_name = "EVENT")]
    stands: Vec<String>,
}

impl KeyChange {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Add { actor, label, public, countersignature } => {
                let mut body = json!({});
                for (name, value) in [("name", label), ("countersignature", countersignature)] {
                    if let Some(value) = value {
                        body[name] = value.trim().into();
                    }
                }
                if let Some(key) = public {
                    body["key"] = key.to_string().into();
                }
                let id = own(&client, actor.as_deref()).await?;
                show(global, &client.post(&format!("/actors/{id}/keys"), &body).await?)
            }
            Self::Rotate { actor, old } => {
                let mut body = json!({});
                if let Some(old) = old {
                    body["old"] = old.to_string().into();
                }
                let id = own(&client, actor.as_deref()).await?;
                show(global, &client.post(&format!("/actors/{id}/rotation"), &body).await?)
            }
            Self::Replace { actor, ends, reason, signing } => {
                let mut body = ends.body();
                if let Some(reason) = reason {
                    body["reason"] = reason.into();
                }
                signing.fill(&client, &mut body).await?;
                let id = names::actor(&client, &actor).await?;
                show(global, &client.post(&format!("/actors/{id}/replacement"), &body).await?)
            }
            Self::Revoke { actor, reason, ends, signing } => {
                let mut body = ends.body();
                body["reason"] = reason.into();
                signing.fill(&client, &mut body).await?;
                let id = names::actor(&client, &actor).await?;
                show(global, &client.post(&format!("/actors/{id}/revocation"), &body).await?)
            }
        }
    }
}

impl Ends {
    fn body(&self) -> Value {
        let keys: Vec<String> = self.nothing_of.iter().map(PublicKey::to_string).collect();
        json!({ "last": self.last, "nothing_of": keys, "stands": self.stands })
    }
}

/// The id of an actor, or of the one that the node signs for where nobody is named.
async fn own(client: &Client, actor: Option<&str>) -> Result<String, Failure> {
    if let Some(actor) = actor {
        return names::actor(client, actor).await;
    }
    let status = client.get("/status").await?;
    let own = status.pointer("/node/actor").and_then(Value::as_str).map(str::to_owned);
    own.ok_or_else(|| Failure::new(Exit::BadInput, "the node does not say for whom it signs; name an --actor"))
}

/// The keys of an actor, with how each stands.
fn show(global: &Global, actor: &Value) -> Result<(), Failure> {
    global.output().print(actor, || {
        let row = |key: &Value| {
            [text(key, "/key"), text(key, "/state"), text(key, "/custody"), text(key, "/ended"), text(key, "/name")]
        };
        let keys: Vec<_> = actor.get("keys").and_then(Value::as_array).into_iter().flatten().map(row).collect();
        let heading = format!("Actor {} ({})\n", text(actor, "/display_name"), id_of(actor));
        heading + &table(["key", "state", "custody", "ended", "called"], &keys)
    })?;
    Ok(())
}
