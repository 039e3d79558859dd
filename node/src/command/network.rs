//! `furrow network`: define a network, and show what a definition says.

use crate::cli::Global;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::network_file;
use clap::Subcommand;
use provenance::id::PublicKey;
use provenance::network::Network as Definition;
use provenance::value::Text;
use serde_json::json;
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
    },
}

impl Network {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
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
            Self::Show { file } => {
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
