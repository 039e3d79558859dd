//! The command line: global options and the commands.

use crate::client::Client;
use crate::command;
use crate::config;
use crate::data_dir::DataDir;
use crate::failure::{EXIT_CODES, Exit, Failure, OrExit};
use crate::keystore::{Keystore, KeystoreError};
use crate::output::Output;
use crate::passphrase::Passphrase;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// A provenance node for agricultural produce, and the tools around it.
#[derive(Debug, Parser)]
#[command(name = "furrow", version, about, after_help = EXIT_CODES, max_term_width = 100, subcommand_required = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of all commands.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The node's folder [default: ~/.furrow]
    #[arg(long, global = true, env = "FURROW_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Address of the running node [default: where the node of the folder listens]
    #[arg(long, global = true, env = "FURROW_NODE", value_name = "URL")]
    pub(crate) node: Option<String>,
    /// File with the token that allows writing [default: the one in the folder]
    #[arg(long, global = true, env = "FURROW_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// File that holds the keystore's passphrase, instead of being asked for it
    #[arg(long, global = true, env = "FURROW_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Define a network, and change it together with its other founders
    #[command(subcommand)]
    Network(command::network::Network),
    Init(command::init::Init),
    Run(command::run::Run),
    /// Keys of this node, in its encrypted keystore, and keys of actors that come and go
    #[command(subcommand)]
    Key(command::key::Key),
    /// People, organisations and nodes
    #[command(subcommand)]
    Actor(command::actor::Actor),
    /// Farms, packing houses and shops
    #[command(subcommand)]
    Place(command::place::Place),
    /// Lots of produce
    #[command(subcommand)]
    Produce(command::produce::Produce),
    /// Cartons, pallets and containers, and what lies in them
    #[command(subcommand)]
    Unit(command::unit::Unit),
    Trace(command::trace::Trace),
    /// Handovers
    #[command(subcommand)]
    Transfer(command::transfer::Transfer),
    Import(command::import::Import),
    /// Signed events as files
    #[command(subcommand)]
    Event(command::event::Event),
    /// What opens the sealed fields of events
    #[command(subcommand)]
    Opening(command::opening::Opening),
    /// Anchors of the node's log in the Ethereum contract
    #[command(subcommand)]
    Anchor(command::anchor::Anchor),
    /// The Ethereum contract that keeps the anchors
    #[command(subcommand)]
    Contract(command::contract::Contract),
    /// Proof bundles of lots
    #[command(subcommand)]
    Bundle(command::bundle::Bundle),
    Verify(command::verify::Verify),
    /// A node's log, as an auditor looks at it
    #[command(subcommand)]
    Log(command::log::Log),
    Backup(command::backup::Backup),
    Restore(command::backup::Restore),
    Status(command::status::Status),
    Doctor(command::doctor::Doctor),
    Demo(command::demo::Demo),
    /// Certificates: who may sell what under a scheme
    #[command(subcommand)]
    Certificate(command::certificate::Certificate),
    Inspect(command::inspect::Inspect),
    /// Devices: what they travel with, and what they measured
    #[command(subcommand)]
    Device(command::device::Device),
    /// Recalls: warnings of lots, and what contaminated goods have reached
    #[command(subcommand)]
    Recall(command::recall::Recall),
    /// Decisions over lots that were given away more than once
    #[command(subcommand)]
    Dispute(command::dispute::Dispute),
}

impl Global {
    /// The node's folder.
    pub(crate) fn data_dir(&self) -> Result<DataDir, Failure> {
        DataDir::new(self.data.as_deref())
    }

    /// Where to print.
    pub(crate) fn output(&self) -> Output {
        Output::new(self.json)
    }

    /// The running node, with the token where there is one.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let folder = self.data_dir()?;
        let base = if let Some(node) = &self.node {
            node.clone()
        } else {
            let configuration = config::load(&folder.configuration(), Vec::new())
                .or_exit_with(Exit::BadInput, || {
                    "cannot tell where the node listens; name its address with --node".to_owned()
                })?;
            format!("http://{}", configuration.http.listen)
        };
        let token = match &self.token_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .or_exit_with(Exit::BadInput, || format!("cannot read the token file {}", file.display()))?,
            ),
            // Without a token the node can be read, and says itself what needs one.
            None => std::fs::read_to_string(folder.token()).ok(),
        };
        Client::new(&base, token.as_deref())
    }

    /// Opens the keystore for reading.
    pub(crate) fn keystore(&self) -> Result<Keystore, Failure> {
        let path = self.data_dir()?.keystore();
        let passphrase = self.passphrase(&path)?;
        Keystore::open(&path, &passphrase).or_exit(Exit::Keystore)
    }

    /// Opens the keystore for changing it.
    pub(crate) fn keystore_to_write(&self) -> Result<Keystore, Failure> {
        let path = self.data_dir()?.keystore();
        let passphrase = self.passphrase(&path)?;
        Keystore::open_to_write(&path, &passphrase).or_exit(Exit::Keystore)
    }

    /// Asks for the passphrase of a keystore that is there.
    fn passphrase(&self, keystore: &Path) -> Result<Passphrase, Failure> {
        if !keystore.exists() {
            return Err(Failure::of(Exit::Keystore, KeystoreError::Missing(keystore.to_owned())));
        }
        Passphrase::ask(self.passphrase_file.as_deref()).or_exit(Exit::Keystore)
    }
}

impl Command {
    /// Does it.
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Network(command) => command.run(global).await,
            Self::Init(command) => command.run(global),
            Self::Run(command) => command.run(global).await,
            Self::Key(command) => command.run(global).await,
            Self::Actor(command) => command.run(global).await,
            Self::Place(command) => command.run(global).await,
            Self::Produce(command) => command.run(global).await,
            Self::Unit(command) => command.run(global).await,
            Self::Trace(command) => command.run(global).await,
            Self::Transfer(command) => command.run(global).await,
            Self::Import(command) => command.run(global).await,
            Self::Event(command) => command.run(global).await,
            Self::Opening(command) => command.run(global).await,
            Self::Anchor(command) => command.run(global).await,
            Self::Contract(command) => command.run(global).await,
            Self::Bundle(command) => command.run(global).await,
            Self::Verify(command) => command.run(global).await,
            Self::Log(command) => command.run(global).await,
            Self::Backup(command) => command.run(global).await,
            Self::Restore(command) => command.run(global).await,
            Self::Status(command) => command.run(global).await,
            Self::Doctor(command) => command.run(global).await,
            Self::Demo(command) => command.run(global).await,
            Self::Certificate(command) => command.run(global).await,
            Self::Inspect(command) => command.run(global).await,
            Self::Device(command) => command.run(global).await,
            Self::Recall(command) => command.run(global).await,
            Self::Dispute(command) => command.run(global).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_option_takes_a_secret() {
        fn options(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)));
            command.get_subcommands().for_each(|command| options(command, found));
        }
        let mut found = Vec::new();
        options(&Arguments::command(), &mut found);
        for word in ["passphrase", "password", "secret", "private-key", "token"] {
            assert!(
                !found.iter().any(|option| option == word),
                "--{word} would show a secret to every user of the machine"
            );
        }
    }
}
