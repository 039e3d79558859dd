//! An enrolment for a key that is kept elsewhere: prepared, signed by the key's holder, completed.

use crate::cli::Global;
use crate::command::actor::role_name;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use anchoring::Address;
use minicbor::bytes::ByteArray;
use provenance::body::{ActorEnrolled, AnchoringDetails, Custody, NodeDetails, Role};
use provenance::id::{NetworkId, PublicKey, SubjectId};
use provenance::value::{Gln, Gs1Prefix, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// An enrolment that waits for the countersignature of the key's holder, as a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    pub(crate) network: NetworkId,
    pub(crate) enroller: SubjectId,
    pub(crate) key: PublicKey,
    pub(crate) roles: Vec<Role>,
    pub(crate) may_give: Vec<Role>,
    pub(crate) display_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) gln: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) gs1_prefixes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) node: Option<Value>,
}

/// Node details in an enrolment's file, as the API takes them.
#[derive(Deserialize)]
struct NodeInFile {
    log_key: PublicKey,
    peer_id: String,
    anchoring: Option<AnchoringInFile>,
}

#[derive(Deserialize)]
struct AnchoringInFile {
    chain_id: u64,
    contract: Address,
    sender: Address,
}

impl Enrolment {
    /// Reads a prepared enrolment.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(file).or_exit_with(Exit::BadInput, || format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&bytes)
            .or_exit_with(Exit::BadInput, || format!("{} is not a prepared enrolment", file.display()))
    }

    /// Writes it for the holder of the key, and says what comes next.
    pub(crate) fn write(&self, global: &Global, file: &Path) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(self)?;
        durable::replace(file, &json, Readable::ByAll)
            .or_exit_with(Exit::Failed, || format!("cannot write {}", file.display()))?;
        global.output().print(&self.summary(), || {
            format!(
                "Prepared in {0}:\n{1}Send the file to the holder of the key, who runs\n  furrow key countersign --enrolment {0}\n\
                 and then complete it with\n  furrow actor enrol --enrolment {0} --countersignature …",
                file.display(),
                self.describe()
            )
        })?;
        Ok(())
    }

    /// The bytes that the key's holder signs.
    pub(crate) fn countersigned_bytes(&self) -> Result<Vec<u8>, Failure> {
        Ok(self
            .body()
            .or_exit_with(Exit::BadInput, || "the enrolment".to_owned())?
            .countersigned_bytes(&self.network, &self.enroller))
    }

    /// The enrolment for scripts.
    pub(crate) fn summary(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The enrolment for people.
    pub(crate) fn describe(&self) -> String {
        let list = |roles: &[Role]| match roles {
            [] => "nobody's".to_owned(),
            roles => roles.iter().map(|role| role_name(*role)).collect::<Vec<_>>().join(", "),
        };
        format!(
            "  name      {}\n  key       {}\n  roles     {}\n  may give  {}\n  enroller  {}\n  network   {}\n",
            self.display_name,
            self.key,
            list(&self.roles),
            list(&self.may_give),
            self.enroller,
            self.network
        )
    }

    /// The command for the API, still without the countersignature.
    pub(crate) fn command(&self) -> Value {
        let mut command = self.summary();
        if let Some(fields) = command.as_object_mut() {
            fields.remove("network");
            let enroller = fields.remove("enroller");
            fields.insert("actor".to_owned(), enroller.unwrap_or_default());
        }
        command
    }

    fn body(&self) -> anyhow::Result<ActorEnrolled> {
        let node: Option<NodeInFile> = self.node.clone().map(serde_json::from_value).transpose()?;
        let node = node
            .map(|node| {
                let anchoring = node.anchoring.map(|anchoring| AnchoringDetails {
                    chain_id: anchoring.chain_id,
                    contract: *anchoring.contract.as_bytes(),
                    sender: *anchoring.sender.as_bytes(),
                });
                anyhow::Ok(NodeDetails { log_key: node.log_key, peer_id: Text::new(node.peer_id)?, anchoring })
            })
            .transpose()?;
        let prefixes = self.gs1_prefixes.as_ref();
        Ok(ActorEnrolled {
            key: self.key,
            custody: Custody::Own,
            roles: self.roles.clone(),
            may_give: self.may_give.clone(),
            display_name: Text::new(self.display_name.clone())?,
            personal_name: None,
            gln: self.gln.as_deref().map(Gln::new).transpose()?,
            gs1_prefixes: prefixes
                .map(|list| list.iter().map(|prefix| Gs1Prefix::new(prefix)).collect())
                .transpose()?,
            node,
            countersignature: ByteArray::from([0; 64]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn enrolment() -> Enrolment {
        Enrolment {
            network: NetworkId::from_bytes([1; 32]),
            enroller: SubjectId::from_bytes([2; 32]),
            key: PublicKey::from_bytes([3; 32]),
            roles: vec![Role::Trader],
            may_give: vec![],
            display_name: "Hafenmarkt".to_owned(),
            gln: None,
            gs1_prefixes: None,
            node: Some(json!({ "log_key": PublicKey::from_bytes([4; 32]), "peer_id": "12D3KooW", "anchoring": null })),
        }
    }

    #[test]
    fn a_prepared_enrolment_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("enrolment.json");
        std::fs::write(&file, serde_json::to_vec(&enrolment()).unwrap()).unwrap();
        let read = Enrolment::read(&file).unwrap();
        assert_eq!(read.countersigned_bytes().unwrap(), enrolment().countersigned_bytes().unwrap());
        assert_eq!(read.command()["actor"], json!(enrolment().enroller));
        assert!(read.command().get("network").is_none());
    }

    #[test]
    fn every_field_is_signed() {
        let signed = enrolment().countersigned_bytes().unwrap();
        let others = [
            Enrolment { enroller: SubjectId::from_bytes([9; 32]), ..enrolment() },
            Enrolment { roles: vec![Role::Farmer], ..enrolment() },
            Enrolment { display_name: "Other".to_owned(), ..enrolment() },
            Enrolment { node: None, ..enrolment() },
            Enrolment { gln: Some("4000001000005".to_owned()), ..enrolment() },
        ];
        assert!(others.iter().all(|other| other.countersigned_bytes().unwrap() != signed));
    }
}
