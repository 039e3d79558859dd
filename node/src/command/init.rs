//! `furrow init`: make the folder of a node.

use crate::cli::Global;
use crate::config::TEMPLATE;
use crate::data_dir::DataDir;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::keystore::{COOPERATIVE, Cost, Keystore, PublicKeyEntry};
use crate::network_file;
use crate::passphrase::Passphrase;
use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Bytes of a token; twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 32;

/// Make the folder of a node: configuration, token and, where there is none, its keys
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The network's definition, from 'furrow network create'
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// What this node is called [default: the network's name]
    #[arg(long)]
    name: Option<String>,
}

impl Init {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = global.data_dir()?;
        let network = network_file::read(&self.network).or_exit(Exit::BadInput)?;
        if folder.configuration().exists() {
            let message = format!(
                "{} is a node's folder already; change its furrow.toml, or name another folder with --data",
                folder.path().display()
            );
            return Err(Failure::new(Exit::BadInput, message));
        }
        let name = self.name.unwrap_or_else(|| network.name().to_owned());
        let configuration = TEMPLATE.replace("{name}", &toml::Value::String(name.clone()).to_string());
        folder.make().or_exit_with(Exit::BadInput, || format!("cannot make the folder {}", folder.path().display()))?;
        let fresh = make_keystore(global, &folder)?;
        write(&folder.token(), new_token()?.as_bytes(), Readable::ByOwner)?;
        write(&folder.network(), network_file::write(&network).as_bytes(), Readable::ByAll)?;
        // Last, because it marks the folder as complete.
        write(&folder.configuration(), configuration.as_bytes(), Readable::ByAll)?;

        let keys = Keystore::public_keys(&folder.keystore()).or_exit(Exit::Keystore)?;
        let signer = keys.iter().find(|entry| entry.name == COOPERATIVE).and_then(PublicKeyEntry::public_key);
        let is_founder = signer.is_some_and(|key| network.founder(&key).is_some());
        let value = json!({
            "folder": folder.path(),
            "name": name,
            "network": network.id(),
            "keystore_created": fresh,
            "cooperative_key": signer,
            "founder": is_founder,
        });
        let next = if is_founder {
            "The key 'cooperative' is a founder's: the node can write at once."
        } else {
            "The key 'cooperative' is none of the founders': a founder has to enrol it (see 'furrow actor enrol --help')."
        };
        global.output().print(&value, || {
            format!(
                "The node '{name}' has its folder {}.\n{next}\nLook through {}, then start it with 'furrow run'.",
                folder.path().display(),
                folder.configuration().display()
            )
        })?;
        Ok(())
    }
}

/// Whether a new keystore was made.
fn make_keystore(global: &Global, folder: &DataDir) -> Result<bool, Failure> {
    if folder.keystore().exists() {
        return Ok(false);
    }
    let passphrase = Passphrase::ask_new(global.passphrase_file.as_deref()).or_exit(Exit::Keystore)?;
    Keystore::create(&folder.keystore(), &passphrase, Cost::STANDARD).or_exit(Exit::Keystore)?;
    Ok(true)
}

/// A token for those who may write, with the end of its line.
pub(crate) fn new_token() -> Result<String, Failure> {
    let mut token = [0; TOKEN_BYTES];
    getrandom::fill(&mut token)?;
    Ok(format!("{}\n", HEXLOWER.encode(&token)))
}

fn write(path: &Path, bytes: &[u8], readable: Readable) -> Result<(), Failure> {
    durable::replace(path, bytes, readable).or_exit_with(Exit::Failed, || format!("cannot write {}", path.display()))
}
