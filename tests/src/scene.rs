//! A folder with the nodes of one network, made by the program's own commands.

use crate::anvil::{Anvil, CHAIN_ID};
use crate::node::Node;
use crate::program::{self, Ended};
use data_encoding::HEXLOWER;
use provenance::id::{NetworkId, PublicKey, SubjectId};
use provenance::network::Network;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

/// Opens the keystores of all nodes.
const PASSPHRASE: &str = "correct horse battery staple\n";

/// Some nodes of one network, none of them running yet.
#[derive(Debug)]
pub struct Scene {
    network: NetworkId,
    /// How many of the founders are nodes; the others follow.
    nodes: u32,
    sites: BTreeMap<String, Site>,
    folder: TempDir,
}

/// A node's folder and settings.
#[derive(Debug, Clone)]
pub struct Site {
    name: String,
    folder: PathBuf,
    passphrase_file: PathBuf,
    settings: BTreeMap<String, String>,
    /// What goes before the node's own command line.
    within: Vec<String>,
}

impl Scene {
    /// A network whose founders are these nodes' cooperatives, and then the holders of these keys.
    pub async fn new(nodes: &[&str], others: &[PublicKey]) -> Self {
        let folder = tempfile::Builder::new().prefix("furrow-test-").tempdir().expect("a temporary folder");
        let passphrase_file = folder.path().join("passphrase");
        std::fs::write(&passphrase_file, PASSPHRASE).expect("the folder can be written");
        let mut sites = BTreeMap::new();
        let mut founders = Vec::new();
        for name in nodes {
            let site = Site::new(name, folder.path().join(name), passphrase_file.clone());
            let keys = site.json(&["key", "new"]).await;
            let keys = keys["keys"].as_array().expect("a list of keys");
            let cooperative = keys.iter().find(|key| key["name"] == "cooperative").expect("every node has this key");
            founders.push(cooperative["public"].as_str().expect("its public half").to_owned());
            sites.insert((*name).to_owned(), site);
        }
        founders.extend(others.iter().map(PublicKey::to_string));
        let file = folder.path().join("network.toml");
        let file = file.to_str().expect("temporary folders have plain names");
        let mut args = vec!["network", "create", "--name", "Test network", "--out", file];
        args.extend(founders.iter().flat_map(|key| ["--founder", key]));
        let made = sites[nodes[0]].json(&args).await;
        for (name, site) in &sites {
            site.json(&["init", "--network", file, "--name", name]).await;
        }
        let network = made["id"].as_str().and_then(|id| id.parse().ok()).expect("the network's id");
        Self { network, nodes: u32::try_from(nodes.len()).expect("a handful"), sites, folder }
    }

    /// Nodes of a network that others founded, in a new folder in `parent`. Whoever knows the network is let in.
    pub async fn of_network(network: &Network, nodes: &[&str], parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("furrow-").tempdir_in(parent).expect("a temporary folder");
        let passphrase_file = folder.path().join("passphrase");
        let file = folder.path().join("network.toml");
        let written = std::fs::write(&passphrase_file, PASSPHRASE);
        written.and_then(|()| std::fs::write(&file, definition(network))).expect("the folder can be written");
        let file = file.to_str().expect("temporary folders have plain names");
        let mut sites = BTreeMap::new();
        for name in nodes {
            let mut site = Site::new(name, folder.path().join(name), passphrase_file.clone());
            site.json(&["init", "--network", file, "--name", name]).await;
            site.set("p2p.admission", "anyone");
            sites.insert((*name).to_owned(), site);
        }
        Self { network: network.id(), nodes: 0, sites, folder }
    }

    /// The network's id.
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// The actor id of one of the founders that are no nodes, by its place in their list.
    pub fn founder(&self, index: u32) -> SubjectId {
        self.network.founder(self.nodes + index)
    }

    /// One of the nodes.
    pub fn site(&mut self, name: &str) -> &mut Site {
        self.sites.get_mut(name).expect("the scene was made with this node")
    }

    /// Starts one of the nodes.
    pub async fn start(&mut self, name: &str) -> Node {
        self.site(name).start().await
    }

    /// Starts a node that stays connected with others.
    pub async fn start_with(&mut self, name: &str, peers: &[&Node]) -> Node {
        let addresses: Vec<&str> = peers.iter().map(|peer| peer.peer_address()).collect();
        self.site(name).set("p2p.bootstrap", &addresses.join(","));
        self.start(name).await
    }

    /// Where all of it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A network's definition as the file that `furrow network create` writes.
fn definition(network: &Network) -> String {
    let founders: Vec<String> = network.founders().iter().map(|key| format!("\"{key}\"")).collect();
    let nonce = HEXLOWER.encode(network.nonce());
    let founders = founders.join(", ");
    format!("name = {:?}\nnonce = \"{nonce}\"\nfounders = [{founders}]\nid = \"{}\"\n", network.name(), network.id())
}

impl Site {
    fn new(name: &str, folder: PathBuf, passphrase_file: PathBuf) -> Self {
        let settings = [
            // The first start takes free ports, and further ones keep them.
            ("http.listen", "127.0.0.1:0"),
            ("p2p.listen", "/ip4/127.0.0.1/tcp/0"),
            // Nodes are connected as a story says, and not otherwise.
            ("p2p.mdns", "false"),
            ("p2p.discovery", "false"),
            // Two nodes show the same only if they say that they are reached under the same name.
            ("http.public_url", "https://furrow.example"),
            ("store.cache_mib", "16"),
            ("store.write_buffer_mib", "16"),
        ];
        let settings = settings.map(|(setting, value)| (setting.to_owned(), value.to_owned())).into();
        Self { name: name.to_owned(), folder, passphrase_file, settings, within: Vec::new() }
    }

    /// Has the node run by this command, such as `ip netns exec there`, from the next start on.
    pub fn within(&mut self, command: Vec<String>) {
        self.within = command;
    }

    /// Changes a setting, such as `p2p.bootstrap`, from the next start on.
    pub fn set(&mut self, setting: &str, value: &str) {
        self.settings.insert(setting.to_owned(), value.to_owned());
    }

    /// Leaves a setting to its default, from the next start on.
    pub fn unset(&mut self, setting: &str) {
        self.settings.remove(setting);
    }

    /// Has it live in another folder from now on, such as one that was restored from a backup.
    pub fn move_to(&mut self, folder: PathBuf) {
        self.folder = folder;
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command in its folder, under its settings.
    pub fn command(&self, args: &[&str]) -> Command {
        self.dressed(program::command(args))
    }

    /// The command under the settings of this node.
    fn dressed(&self, mut command: Command) -> Command {
        command.env("FURROW_DATA", &self.folder).env("FURROW_PASSPHRASE_FILE", &self.passphrase_file);
        for (setting, value) in &self.settings {
            command.env(format!("FURROW_{}", setting.replace('.', "_").to_uppercase()), value);
        }
        command
    }

    /// Runs a command to its end, whatever that is.
    pub async fn run(&self, args: &[&str]) -> Ended {
        program::run(self.command(args)).await
    }

    /// Runs a command that must succeed; what it prints for scripts.
    pub async fn json(&self, args: &[&str]) -> serde_json::Value {
        let ended = self.run(&[args, &["--json"]].concat()).await;
        assert_eq!(ended.code, Some(0), "furrow {args:?}: {ended:?}");
        ended.json()
    }

    /// Has the node anchor in a contract of its own: new entries within a second, in a block with another on it.
    pub async fn anchor_in(&mut self, anvil: &Anvil) {
        let account = self.json(&["key", "show", "anchoring"]).await;
        anvil.fund(account["address"].as_str().expect("an address")).await;
        let deployed = self.json(&["contract", "deploy", "--rpc", &anvil.url()]).await;
        self.set("anchoring.contract", deployed["contract"].as_str().expect("an address"));
        self.set("anchoring.chain_id", &CHAIN_ID.to_string());
        self.set("anchoring.rpc_urls", &anvil.url());
        self.set("anchoring.interval_s", "1");
        self.set("anchoring.poll_ms", "200");
        self.set("anchoring.confirmations", "2");
    }

    /// Starts the node and waits until it is ready.
    pub async fn start(&mut self) -> Node {
        let node = Node::start(
            &self.name,
            self.dressed(program::command_within(&self.within, &["run", "--json"])),
            &self.folder,
        )
        .await;
        self.set("http.listen", node.client.address());
        let (listen, _) = node.peer_address().rsplit_once("/p2p/").expect("the address ends in the peer's name");
        self.set("p2p.listen", listen);
        node
    }
}
