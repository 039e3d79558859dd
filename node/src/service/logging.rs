//! Log lines: structured, on standard error, as text for people or JSON for programs.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that tell of every packet at `info`; they are shown at `warn` unless asked for.
const QUIET: &str = "libp2p=warn,hyper=warn,reqwest=warn,alloy=warn,h2=warn,quinn=warn";

/// The level is not one.
#[derive(Debug, thiserror::Error)]
#[error("log.level '{level}' is no filter: {reason}; write error, warn, info, debug or trace")]
pub(crate) struct LevelError {
    level: String,
    reason: String,
}

/// Starts logging; to be called once.
pub(crate) fn init(log: &Log) -> Result<(), LevelError> {
    let directives = format!("{QUIET},{}", log.level);
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| LevelError { level: log.level.clone(), reason: error.to_string() })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
