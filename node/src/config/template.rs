//! The file that `furrow init` writes: every setting with its default and what it is for.

use toml::Value;

/// The file's text; `{name}` stands for the node's name.
pub(crate) const TEMPLATE: &str = r#"# Furrow: the configuration of this node.
#
# Every setting is here with its default. To change one, remove the # in front of it. An environment
# variable wins over this file (FURROW_HTTP_LISTEN for listen under [http], lists with commas), and
# a flag of 'furrow run' wins over both. 'furrow doctor' checks everything.

[node]
# What this node is called: in its status, to its peers and on the consumers' page.
name = {name}

[http]
# Where the interface listens for the command line, browsers and other programs. Reading needs no
# password, writing needs the token in the file 'token'. To be reached from other machines, put a
# web server with TLS in front of it.
#listen = "127.0.0.1:7400"

# How others reach this interface, such as "https://furrow.example". It is printed in QR codes, so
# choose it for years. Empty: the address under which a request came.
#public_url = ""

[p2p]
# Where this node listens for other nodes: TCP and QUIC. Open this port in the firewall.
#listen = ["/ip4/0.0.0.0/tcp/4874", "/ip4/0.0.0.0/udp/4874/quic-v1"]

# Nodes to stay connected with: "/dns4/node.example/tcp/4874/p2p/12D3KooW...". The part from /p2p on
# is their peer id, which 'furrow key show peer' prints there. With it the node is trusted from the
# first day on; without it, whoever answers is taken if it is an enrolled node of the network.
#bootstrap = []

# Who is let in. "enrolled": only nodes whose peer id the network enrolled, and those named above and
# below. Until another node is enrolled, and while none is named, the network is just being founded
# and anyone who knows its id is let in. "anyone": anyone who knows its id, always.
#admission = "enrolled"

# Peer ids that are let in though nobody enrolled them yet, such as those of other founders.
#trusted = []

# Let anyone who knows the network's id read its events. Strangers get nothing else. Founders can agree on it for all
# nodes: furrow network amend --set open_reading=true
#open_reading = false

# Find nodes of the network through other nodes, and be found.
#discovery = true

# Ask other nodes whether they can dial this one, and try it for them. The answer stands in
# 'furrow status'.
#autonat = true

# Where this node cannot be dialled, because it is behind a home router: have up to two nodes that
# relay hold a place for it, and try for direct connections with those that come through them.
#relay_client = true

# Relay for nodes that cannot be dialled. For a node that everybody can dial; it needs its addresses:
#relay_server = false

# Where others reach this node, if it cannot tell by itself: a forwarded port of the router, such as
# "/ip4/203.0.113.5/tcp/4874".
#external_addresses = []

# Find nodes of the same network on the local network, and be found.
#mdns = true

# The most nodes connected at a time. Each costs a few hundred kilobytes at rest.
#max_peers = 64

# How long a node may take to answer. On a line below 2.5 Mbit/s, double it.
#request_timeout_s = 15

# How long a node that sent garbage stays cut off.
#block_for_s = 600

# The most connections from one address. A village behind one router may have several nodes.
#max_connections_per_address = 32

# No new connections while the node needs more memory than this. 0: three quarters of the machine's.
#max_memory_mib = 0

# The most that is sent to nodes that catch up. One of them gets at most half of it.
#max_upload_mib_s = 128

# The most that is read from one connection. Who sends more is read more slowly.
#max_download_mib_s = 64

[anchoring]
# JSON-RPC endpoints of an Ethereum chain, in order of preference. Empty: this node does not anchor,
# and says so in its status.
#rpc_urls = []

# The chain's id (EIP-155): 1 for Ethereum, 11155111 for Sepolia. Required with rpc_urls.
#chain_id = 0

# The address of the contract, which 'furrow contract deploy' prints. Required with rpc_urls.
#contract = ""

# New events are anchored this long after the last time.
#interval_s = 600

# They are anchored earlier once so many wait.
#max_waiting = 10000

# How often the chain is looked at: half a block of Ethereum.
#poll_ms = 6000

# An anchor counts once its block is so deep; the newest block has depth 1.
#confirmations = 3

# The most that is paid for a unit of gas. When gas is dearer, anchors wait.
#max_fee_gwei = 50

# A transaction that was not mined within so many blocks is replaced by one with higher fees.
#replace_after_blocks = 10

# The most that is spent on anchors in a day (UTC), in ether.
#daily_budget_eth = "0.05"

[recovery]
# The order of so many of the newest entries of each enrolled node's log is kept here, 32 bytes each, for
# that node: should it lose its disk, it finds again what it had published. 0 keeps none.
#keep_entries = 1048576

# A node that was restored from a backup asks its peers what it did since. It goes on once so many enrolled
# nodes have answered. 0: more than half of the others, which is safe. Where the backup knows no other node, no
# answer counts unless a number stands here; then any connected peer's does, so connect trusted ones only.
#witnesses = 0

# Where the peers do not have what its log held, it waits, and takes no writes. After so many seconds it opens
# a new log key by itself. 0: never; its operator decides, with 'furrow log new-key'.
#new_log_key_after_s = 0

[store]
# Memory for reading. More makes a node with many millions of events faster.
#cache_mib = 128

# Memory for writes that are not sorted yet.
#write_buffer_mib = 128

[log]
# "text" for people, "json" for programs that collect logs. Both go to standard error.
#format = "text"

# How much is logged: error, warn, info, debug or trace; also by part, such as "info,p2p=debug".
#level = "info"
"#;

/// The configuration's text with these values in a section; nothing if there is no such section.
///
/// A line of the setting, commented out or not, is replaced; so the file's comments survive.
pub(crate) fn set(text: &str, section: &str, values: &[(&str, Value)]) -> Option<String> {
    let heading = format!("[{section}]");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (name, value) in values {
        let start = lines.iter().position(|line| line.trim() == heading)? + 1;
        let length =
            lines[start..].iter().position(|line| line.trim_start().starts_with('[')).unwrap_or(lines.len() - start);
        let is_setting = |line: &&mut String| {
            let line = line.trim_start().trim_start_matches('#').trim_start();
            line.split_once('=').is_some_and(|(key, _)| key.trim() == *name)
        };
        let fresh = format!("{name} = {value}");
        match lines[start..start + length].iter_mut().find(is_setting) {
            Some(line) => *line = fresh,
            None => lines.insert(start, fresh),
        }
    }
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::Configuration;
    use super::super::layers::SETTINGS;
    use super::*;
    use toml::Table;

    fn uncommented() -> String {
        let setting = |line: &str| {
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned)
        };
        let lines = TEMPLATE.lines().map(|line| setting(line).unwrap_or_else(|| line.to_owned()));
        lines.collect::<Vec<_>>().join("\n").replace("{name}", "\"furrow\"")
    }

    #[test]
    fn the_file_states_the_defaults() {
        let commented: Configuration = toml::from_str(&TEMPLATE.replace("{name}", "\"furrow\"")).unwrap();
        assert_eq!(commented, Configuration::default());
        let stated: Configuration = toml::from_str(&uncommented()).unwrap();
        assert_eq!(stated, Configuration::default());
    }

    #[test]
    fn the_file_explains_every_setting() {
        let table: Table = toml::from_str(&uncommented()).unwrap();
        let mut stated: Vec<String> = table
            .iter()
            .flat_map(|(section, values)| {
                values.as_table().unwrap().keys().map(move |name| format!("{section}.{name}"))
            })
            .collect();
        let mut known: Vec<String> = SETTINGS.iter().map(|(key, _)| (*key).to_owned()).collect();
        stated.sort();
        known.sort();
        assert_eq!(stated, known);
    }

    #[test]
    fn a_contract_is_written_into_its_section() {
        let text = TEMPLATE.replace("{name}", "\"x\"");
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        let values = [
            ("contract", Value::String(address.to_owned())),
            ("chain_id", Value::Integer(5)),
            ("rpc_urls", Value::Array(vec![Value::String("http://127.0.0.1:8545".to_owned())])),
        ];
        let changed = set(&text, "anchoring", &values).unwrap();
        let read: Configuration = toml::from_str(&changed).unwrap();
        assert_eq!(read.anchoring.contract, address);
        assert_eq!(read.anchoring.chain_id, 5);
        assert_eq!(read.anchoring.rpc_urls, ["http://127.0.0.1:8545"]);
        assert_eq!(changed.lines().count(), text.lines().count(), "the lines were replaced, not added");
        assert_eq!(set("[node]\n", "anchoring", &values), None);
    }
}
