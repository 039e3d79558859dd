//! Reading the configuration: the file is the base, environment and flags lie over it.

use super::Configuration;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What a setting holds, which decides how its environment variable is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Texts, separated by commas in the environment.
    List,
}

/// Every setting. Its variable is `FURROW_` and the key in capitals: `FURROW_HTTP_LISTEN`.
pub(crate) const SETTINGS: [(&str, Holds); 38] = [
    ("node.name", Holds::Text),
    ("http.listen", Holds::Text),
    ("http.public_url", Holds::Text),
    ("p2p.listen", Holds::List),
    ("p2p.bootstrap", Holds::List),
    ("p2p.mdns", Holds::Flag),
    ("p2p.max_peers", Holds::Number),
    ("p2p.request_timeout_s", Holds::Number),
    ("p2p.block_for_s", Holds::Number),
    ("p2p.admission", Holds::Text),
    ("p2p.trusted", Holds::List),
    ("p2p.open_reading", Holds::Flag),
    ("p2p.max_connections_per_address", Holds::Number),
    ("p2p.max_memory_mib", Holds::Number),
    ("p2p.max_upload_mib_s", Holds::Number),
    ("p2p.max_download_mib_s", Holds::Number),
    ("p2p.discovery", Holds::Flag),
    ("p2p.autonat", Holds::Flag),
    ("p2p.relay_client", Holds::Flag),
    ("p2p.relay_server", Holds::Flag),
    ("p2p.external_addresses", Holds::List),
    ("anchoring.rpc_urls", Holds::List),
    ("anchoring.chain_id", Holds::Number),
    ("anchoring.contract", Holds::Text),
    ("anchoring.interval_s", Holds::Number),
    ("anchoring.max_waiting", Holds::Number),
    ("anchoring.poll_ms", Holds::Number),
    ("anchoring.confirmations", Holds::Number),
    ("anchoring.max_fee_gwei", Holds::Number),
    ("anchoring.replace_after_blocks", Holds::Number),
    ("anchoring.daily_budget_eth", Holds::Text),
    ("recovery.keep_entries", Holds::Number),
    ("recovery.witnesses", Holds::Number),
    ("recovery.new_log_key_after_s", Holds::Number),
    ("store.cache_mib", Holds::Number),
    ("store.write_buffer_mib", Holds::Number),
    ("log.format", Holds::Text),
    ("log.level", Holds::Text),
];

/// Variables that are read elsewhere.
const OTHER_VARIABLES: [&str; 5] =
    ["FURROW_DATA", "FURROW_NODE", "FURROW_PASSPHRASE_FILE", "FURROW_TOKEN_FILE", "FURROW_ANVIL"];

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Not there.
    #[error("there is no configuration at {0}; make one with 'furrow init', or name the right folder with --data")]
    Missing(PathBuf),
    /// Unreadable.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Wrong in the file.
    #[error("{path} is not as it should be")]
    File {
        /// Which file.
        path: PathBuf,
        /// Line, column and rule.
        source: Box<toml::de::Error>,
    },
    /// Wrong in a variable or flag.
    #[error("{origin} = '{value}' is not as it should be: {reason}")]
    Overlay {
        /// Variable or flag.
        origin: String,
        /// Its value.
        value: String,
        /// What was expected.
        reason: String,
    },
    /// A value that makes no sense.
    #[error("setting {key}: {rule}")]
    Value {
        /// Which setting.
        key: &'static str,
        /// Its rule.
        rule: String,
    },
}

/// A value that lies over the file, with where it comes from.
pub(crate) struct Overlay {
    pub(crate) key: &'static str,
    pub(crate) origin: String,
    pub(crate) value: String,
}

impl Overlay {
    /// A value that was given as a flag of the command line.
    pub(crate) fn flag(key: &'static str, flag: &str, value: impl Into<String>) -> Self {
        Self { key, origin: flag.to_owned(), value: value.into() }
    }
}

/// Reads the file and lays the environment's values and then the flags over it.
pub(crate) fn load(path: &Path, flags: Vec<Overlay>) -> Result<Configuration, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ConfigError::Missing(path.to_owned()),
        _ => ConfigError::Read { path: path.to_owned(), source },
    })?;
    let environment = SETTINGS.iter().filter_map(|(key, _)| {
        let origin = variable(key);
        std::env::var(&origin).ok().map(|value| Overlay { key, origin, value })
    });
    merge(path, &text, environment.chain(flags))
}

/// Variables that look like settings and are none: probably misspelt.
pub(crate) fn unknown_variables() -> Vec<String> {
    let known: Vec<String> = SETTINGS.iter().map(|(key, _)| variable(key)).collect();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("FURROW_"))
        .filter(|name| !known.contains(name) && !OTHER_VARIABLES.contains(&name.as_str()))
        .collect()
}

fn merge(path: &Path, text: &str, overlays: impl Iterator<Item = Overlay>) -> Result<Configuration, ConfigError> {
    let in_file = |source| ConfigError::File { path: path.to_owned(), source: Box::new(source) };
    // The file alone first: only so the error knows the line.
    let mut configuration: Configuration = toml::from_str(text).map_err(in_file)?;
    let mut table: Table = toml::from_str(text).map_err(in_file)?;
    for overlay in overlays {
        let wrong = |reason: String| ConfigError::Overlay {
            origin: overlay.origin.clone(),
            value: overlay.value.clone(),
            reason,
        };
        let (section, name) = overlay.key.split_once('.').expect("settings are section.name");
        let value = read(overlay.key, &overlay.value).map_err(wrong)?;
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        section.as_table_mut().expect("the file was read").insert(name.to_owned(), value);
        configuration = table.clone().try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    }
    configuration.check()?;
    Ok(configuration)
}

fn read(key: &str, text: &str) -> Result<Value, String> {
    let (_, holds) = SETTINGS.iter().find(|(known, _)| *known == key).expect("overlays name settings");
    match holds {
        Holds::Text => Ok(Value::String(text.to_owned())),
        Holds::Number => text.parse().map(Value::Integer).map_err(|_| "write a whole number".to_owned()),
        Holds::Flag => text.parse().map(Value::Boolean).map_err(|_| "write true or false".to_owned()),
        Holds::List => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Ok(Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect()))
        }
    }
}

/// The environment variable of a setting.
fn variable(key: &str) -> String {
    format!("FURROW_{}", key.replace('.', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::with_sources;

    fn merged(text: &str, overlays: Vec<Overlay>) -> Result<Configuration, ConfigError> {
        merge(Path::new("furrow.toml"), text, overlays.into_iter())
    }

    fn over(key: &'static str, value: &str) -> Overlay {
        Overlay { key, origin: variable(key), value: value.to_owned() }
    }

    #[test]
    fn later_layers_win() {
        let text = "[http]\nlisten = \"127.0.0.1:1000\"\n[p2p]\nmdns = false\n";
        let configuration = merged(text, vec![]).unwrap();
        assert_eq!(configuration.http.listen.port(), 1000);
        assert!(!configuration.p2p.mdns);
        let environment = over("http.listen", "127.0.0.1:2000");
        let flag = Overlay::flag("http.listen", "--listen", "127.0.0.1:3000");
        assert_eq!(merged(text, vec![environment, flag]).unwrap().http.listen.port(), 3000);
    }

    #[test]
    fn every_kind_of_value_can_come_from_the_environment() {
        let configuration = merged(
            "",
            vec![
                over("p2p.bootstrap", "/ip4/1.2.3.4/tcp/1, /ip4/1.2.3.4/tcp/2"),
                over("p2p.mdns", "false"),
                over("p2p.max_peers", "7"),
                over("log.format", "json"),
                over("node.name", "123"),
            ],
        )
        .unwrap();
        assert_eq!(configuration.p2p.bootstrap, ["/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2"]);
        assert_eq!((configuration.p2p.mdns, configuration.p2p.max_peers), (false, 7));
        assert_eq!(configuration.log.format, super::super::LogFormat::Json);
        assert_eq!(configuration.node.name, "123");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = merged("[http]\nlisten = \"127.0.0.1:1000\"\nlisten_port = 1\n", vec![]).unwrap_err();
        let error = with_sources(&error);
        assert!(error.contains("line 3") && error.contains("listen_port"), "{error}");
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = merged("", vec![over("p2p.max_peers", "many")]).unwrap_err().to_string();
        assert!(error.contains("FURROW_P2P_MAX_PEERS") && error.contains("whole number"), "{error}");
        let error = merged("", vec![over("http.listen", "here")]).unwrap_err().to_string();
        assert!(error.contains("FURROW_HTTP_LISTEN"), "{error}");
    }
}
