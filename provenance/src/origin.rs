//! The origin of a log: under which name it signs, unique in the world.

use crate::id::{NetworkId, PublicKey};
use std::fmt;
use std::str::FromStr;

/// `furrow/<network id>/<log key>`: the first line of a log's checkpoints, and the name under
/// which its node signs them and cosigns those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogOrigin {
    /// The network whose events the log holds.
    pub network: NetworkId,
    /// The key of the log.
    pub key: PublicKey,
}

/// A text that is no origin of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the origin of a log is written furrow/<network id>/<log key>")]
pub struct LogOriginError;

impl fmt::Display for LogOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "furrow/{}/{}", self.network, self.key)
    }
}

impl FromStr for LogOrigin {
    type Err = LogOriginError;

    fn from_str(text: &str) -> Result<Self, LogOriginError> {
        let (network, key) =
            text.strip_prefix("furrow/").and_then(|rest| rest.split_once('/')).ok_or(LogOriginError)?;
        let network = network.parse().map_err(|_| LogOriginError)?;
        let key = key.parse().map_err(|_| LogOriginError)?;
        Ok(Self { network, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_origin() {
        let origin = LogOrigin { network: NetworkId::from_bytes([0; 32]), key: PublicKey::from_bytes([0xff; 32]) };
        let text = format!("furrow/{}/{}q", "a".repeat(52), "7".repeat(51));
        assert_eq!(origin.to_string(), text);
        assert_eq!(text.parse(), Ok(origin));
        for wrong in [
            String::new(),
            text.to_uppercase(),
            format!("{text}/"),
            format!("/{text}"),
            text.replace('q', "r"),
            text[..text.len() - 1].to_owned(),
            text.replace("furrow/", "furrow//"),
        ] {
            assert_eq!(wrong.parse::<LogOrigin>(), Err(LogOriginError), "{wrong}");
        }
    }
}
