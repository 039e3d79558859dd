//! Commands about actors as JSON: enrol, change the profile.

use super::produce::maybe;
use super::{gln, gs1_prefixes, hex, text, too_many};
use crate::problem::Problem;
use ledger::author::{EnrolActor, UpdateActor};
use provenance::body::{AnchoringDetails, Custody, NodeDetails, Role};
use provenance::id::PublicKey;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;
use utoipa::ToSchema;

/// Most company prefixes, as the rules have it.
const MAX_PREFIXES: usize = 16;

/// An actor to be enrolled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolmentInput {
    /// Its public key in base32; or `{"kept": true}`, and this node makes and keeps one.
    #[schema(value_type = Object, example = json!({"kept": true}))]
    key: KeyInput,
    /// What it may do.
    #[schema(value_type = Vec<String>, example = json!(["farmer"]))]
    roles: Vec<Role>,
    /// Which roles it may give to others.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    may_give: Vec<Role>,
    /// Under what name the public knows it.
    display_name: String,
    /// The name of a person; sealed.
    personal_name: Option<String>,
    /// Its Global Location Number as a party.
    gln: Option<String>,
    /// Its GS1 company prefixes.
    #[serde(default)]
    gs1_prefixes: Vec<String>,
    /// For a node: its log key, peer id and anchoring.
    node: Option<NodeInput>,
    /// Who holds the secret half of the key; `own` for a foreign key and `kept` for one that this node keeps, unless given.
    #[schema(value_type = Option<String>)]
    custody: Option<Custody>,
    /// For a key that this node does not keep: its signature over the enrolment, 64 bytes in hex.
    countersignature: Option<String>,
}

/// A node's own details.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeInput {
    /// The key that signs its checkpoints, in base32.
    #[schema(value_type = String)]
    log_key: PublicKey,
    /// Its libp2p peer id.
    peer_id: String,
    /// Where it anchors, if it does.
    anchoring: Option<AnchoringInput>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnchoringInput {
    /// EIP-155 chain id.
    chain_id: u64,
    /// Address of the contract.
    #[schema(example = "0x5FbDB2315678afecb367f032d93F642f64180aa3")]
    contract: String,
    /// Address of the account that anchors.
    sender: String,
}

#[derive(Debug, Default)]
pub(super) enum KeyInput {
    #[default]
    Kept,
    Given(PublicKey),
}

impl<'de> Deserialize<'de> for KeyInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Kept {
            kept: bool,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = KeyInput;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a public key in base32, or {\"kept\": true}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<KeyInput, E> {
                text.parse().map(KeyInput::Given).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KeyInput, A::Error> {
                match Kept::deserialize(de::value::MapAccessDeserializer::new(map))? {
                    Kept { kept: true } => Ok(KeyInput::Kept),
                    Kept { kept: false } => Err(de::Error::custom("give the public key instead of {\"kept\": false}")),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl EnrolmentInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<EnrolActor, Problem> {
        too_many("gs1_prefixes", self.gs1_prefixes.len(), MAX_PREFIXES)?;
        let (key, custody) = super::key::given(self.key, self.countersignature.as_deref())?;
        Ok(EnrolActor {
            key,
            custody: self.custody.unwrap_or(custody),
            roles: self.roles,
            may_give: self.may_give,
            display_name: text(&self.display_name, "display_name")?,
            personal_name: maybe(self.personal_name.as_deref(), "personal_name")?,
            gln: self.gln.as_deref().map(|value| gln(value, "gln")).transpose()?,
            gs1_prefixes: gs1_prefixes(&self.gs1_prefixes, "gs1_prefixes")?,
            node: self.node.as_ref().map(NodeInput::read).transpose()?,
        })
    }
}

/// What changes in an actor's profile.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActorChangeInput {
    /// A new display name.
    display_name: Option<String>,
    /// A new Global Location Number.
    gln: Option<String>,
    /// All GS1 company prefixes from now on.
    gs1_prefixes: Option<Vec<String>>,
    /// New node details.
    node: Option<NodeInput>,
}

impl ActorChangeInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self) -> Result<UpdateActor, Problem> {
        too_many("gs1_prefixes", self.gs1_prefixes.as_ref().map_or(0, Vec::len), MAX_PREFIXES)?;
        Ok(UpdateActor {
            display_name: maybe(self.display_name.as_deref(), "display_name")?,
            gln: self.gln.as_deref().map(|value| gln(value, "gln")).transpose()?,
            gs1_prefixes: self.gs1_prefixes.as_ref().map(|all| gs1_prefixes(all, "gs1_prefixes")).transpose()?,
            node: self.node.as_ref().map(NodeInput::read).transpose()?,
        })
    }
}

impl NodeInput {
    fn read(&self) -> Result<NodeDetails, Problem> {
        let anchoring = |given: &AnchoringInput| {
            Ok::<_, Problem>(AnchoringDetails {
                chain_id: given.chain_id,
                contract: hex(&given.contract, "node.anchoring.contract")?,
                sender: hex(&given.sender, "node.anchoring.sender")?,
            })
        };
        Ok(NodeDetails {
            log_key: self.log_key,
            peer_id: text(&self.peer_id, "node.peer_id")?,
            anchoring: self.anchoring.as_ref().map(anchoring).transpose()?,
        })
    }
}
