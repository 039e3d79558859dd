//! The network's definition as a file that is passed from founder to founder.

use data_encoding::HEXLOWER;
use provenance::id::{IdError, NetworkId, PublicKey};
use provenance::network::{Network, NetworkError};
use provenance::value::{Text, ValueError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a network's file says; the id is there to be compared by eye and by program.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    name: String,
    nonce: String,
    founders: Vec<String>,
    id: String,
}

/// Why a file is no network's definition.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkFileError {
    /// Unreadable.
    #[error("cannot read the network's definition {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not such a file.
    #[error("{path} is not a network's definition")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Name.
    #[error("the network has no good name")]
    Name(#[from] ValueError),
    /// Nonce.
    #[error("the network's nonce must be 32 hexadecimal digits; copy the file again")]
    Nonce,
    /// Founder.
    #[error("a founder's key is none")]
    Founder(#[from] IdError),
    /// All together.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Changed.
    #[error(
        "the file says that the network's id is {said}, but its content makes {made}; it was changed on the way, so copy it again"
    )]
    Id {
        /// In the file.
        said: String,
        /// Computed.
        made: NetworkId,
    },
}

/// Reads a definition and checks that it makes the id that it names.
pub(crate) fn read(path: &Path) -> Result<Network, NetworkFileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| NetworkFileError::Read { path: path.to_owned(), source })?;
    let file = toml::from_str(&text)
        .map_err(|source| NetworkFileError::Toml { path: path.to_owned(), source: Box::new(source) })?;
    parse(file)
}

/// Reads a definition as a node tells it over HTTP, and checks that it makes the id that it names.
pub(crate) fn of_json(told: &serde_json::Value) -> Result<Network, NetworkFileError> {
    let text =
        |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let founders = told.get("founders").and_then(serde_json::Value::as_array).into_iter().flatten();
    parse(NetworkFile {
        name: text(told.get("name")),
        nonce: text(told.get("nonce")),
        founders: founders.map(|founder| text(founder.get("key"))).collect(),
        id: text(told.get("id")),
    })
}

/// The file's text for this network.
pub(crate) fn write(network: &Network) -> String {
    let file = NetworkFile {
        name: network.name().to_owned(),
        nonce: HEXLOWER.encode(network.nonce()),
        founders: network.founders().iter().map(ToString::to_string).collect(),
        id: network.id().to_string(),
    };
    let body = toml::to_string(&file).expect("texts and lists of texts are TOML");
    format!(
        "# The definition of a Furrow network. All of its nodes need exactly this file; compare the id over\n\
         # the telephone. Nothing in it is secret, and nothing can be changed without making another network.\n\
         {body}"
    )
}

fn parse(file: NetworkFile) -> Result<Network, NetworkFileError> {
    let nonce = HEXLOWER
        .decode(file.nonce.as_bytes())
        .ok()
        .and_then(|nonce| nonce.try_into().ok())
        .ok_or(NetworkFileError::Nonce)?;
    let founders = file.founders.iter().map(|key| key.parse()).collect::<Result<Vec<PublicKey>, _>>()?;
    let network = Network::new(Text::new(file.name)?, nonce, founders)?;
    let made = network.id();
    if made.to_string() == file.id { Ok(network) } else { Err(NetworkFileError::Id { said: file.id, made }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn network() -> Network {
        let key = PublicKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes());
        Network::new(Text::new("Altes Land").unwrap(), [9; 16], vec![key]).unwrap()
    }

    fn read_text(text: &str) -> Result<Network, NetworkFileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_definition_comes_back() {
        assert_eq!(read_text(&write(&network())).unwrap(), network());
    }

    #[test]
    fn a_changed_definition_is_refused() {
        let text = write(&network());
        let renamed = text.replace("Altes Land", "Neues Land");
        assert!(matches!(read_text(&renamed), Err(NetworkFileError::Id { .. })));
        assert!(matches!(read_text(&format!("{text}more = 1\n")), Err(NetworkFileError::Toml { .. })));
        assert!(matches!(read_text(&text.replace("0909", "09")), Err(NetworkFileError::Nonce)));
    }
}
