//! `furrow run`: the node itself.

use crate::cli::Global;
use crate::config::{self, Overlay};
use crate::failure::{Exit, Failure, OrExit};
use crate::network_file;
use crate::output;
use crate::service::{self, Ready, StartError};
use clap::Args;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// Run the node until SIGINT or SIGTERM
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Where the interface listens, over what furrow.toml says
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// How log lines look: text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Run {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = global.data_dir()?;
        let flags = [
            ("http.listen", "--listen", self.listen),
            ("log.format", "--log-format", self.log_format),
            ("log.level", "--log-level", self.log_level),
        ];
        let flags = flags.into_iter().filter_map(|(key, flag, value)| Some(Overlay::flag(key, flag, value?)));
        let mut configuration = config::load(&folder.configuration(), flags.collect()).or_exit(Exit::BadInput)?;
        service::init_logging(&configuration.log).or_exit(Exit::BadInput)?;
        for variable in config::unknown_variables() {
            tracing::warn!(variable, "an environment variable is no setting of this program; check its spelling");
        }
        let network = network_file::read(&folder.network()).or_exit(Exit::BadInput)?;
        let keystore = Arc::new(Mutex::new(global.keystore_to_write()?));
        // From here on a signal stops the node rather than the program.
        let mut asked = tokio::spawn(service::asked_to_stop());
        let mut announced = false;
        let (ready, broken) = loop {
            let ready =
                service::start(&folder, &configuration, network.clone(), keystore.clone()).await.map_err(failure)?;
            if !std::mem::replace(&mut announced, true) {
                announce(global, &configuration.node.name, &ready)?;
            }
            tokio::select! {
                signal = &mut asked => {
                    let signal = signal.ok().and_then(Result::ok).unwrap_or("an error");
                    tracing::info!(signal, "stopping");
                    break (ready, false);
                }
                () = ready.broken() => break (ready, true),
                () = ready.recovered.cancelled() => {
                    tracing::info!("the log is settled; the node starts again and takes writes");
                    // Whoever was told of the address finds the node there again.
                    configuration.http.listen = ready.http;
                    if !ready.stop().await {
                        return Err(Failure::new(Exit::Failed, "a part of the node did not end in time; start it again"));
                    }
                }
            }
        };
        let in_time = ready.stop().await;
        if broken {
            return Err(Failure::new(Exit::Failed, "a part of the node has ended unexpectedly; see the log above"));
        }
        if !in_time {
            return Err(Failure::new(
                Exit::Failed,
                "a part of the node did not end in time; nothing that was acknowledged is lost",
            ));
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// One line on standard output, once everything listens.
fn announce(global: &Global, name: &str, ready: &Ready) -> Result<(), Failure> {
    for note in &ready.notes {
        tracing::warn!("{note}");
    }
    let url = format!("http://{}", ready.http);
    if global.json {
        let value = json!({
            "ready": true,
            "name": name,
            "url": url,
            "peer_id": ready.peer_id,
            "peer_addresses": ready.peer_addresses,
        });
        output::line(&value.to_string())?;
    } else {
        output::line(&format!("furrow: '{name}' is ready at {url} (peer {})", ready.peer_id))?;
    }
    for address in &ready.peer_addresses {
        tracing::info!(address, "other nodes can dial");
    }
    Ok(())
}

fn failure(error: StartError) -> Failure {
    let exit = match &error {
        StartError::Configuration(_) | StartError::PublicUrl(_) => Exit::BadInput,
        StartError::Keystore(_) => Exit::Keystore,
        _ => Exit::CannotStart,
    };
    Failure::of(exit, error)
}
