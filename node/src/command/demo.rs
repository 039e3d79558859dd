//! `furrow demo`: three nodes on this machine live through a harvest, before one's eyes.

use crate::cli::Global;
use crate::demo::{Props, Report, Scene, SceneError, Stage, Told, tell};
use crate::failure::{Exit, Failure, OrExit};
use crate::output::{self, table};
use crate::service::asked_to_stop;
use clap::Args;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Watch three nodes on this machine exchange, anchor and verify a harvest
///
/// Starts a local chain and three nodes, lets them live through a harvest, verifies a lot on a node
/// that saw none of it being made, and goes on serving until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the last step, with an exit code that says whether all went well
    #[arg(long)]
    once: bool,
    /// Folder for keys, stores and logs, emptied at the start [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The harvest to import
    #[arg(long, default_value = "demo/harvest.csv", value_name = "FILE")]
    harvest: PathBuf,
    /// The verifier that shares no code with this program
    #[arg(long, default_value = "web/verifier/dist/cli.js", value_name = "FILE")]
    verifier: PathBuf,
    /// The local chain [default: anvil that 'npm ci' installed in the checkout]
    #[arg(long, env = "FURROW_ANVIL", value_name = "FILE")]
    anvil: Option<PathBuf>,
}

impl Demo {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let (harvest, verifier) = (existing(&self.harvest)?, existing(&self.verifier)?);
        let anvil = match &self.anvil {
            Some(anvil) => existing(anvil)?,
            None => find_anvil()?,
        };
        let scene = Scene::open(self.dir.as_deref()).map_err(|error| {
            let exit = if matches!(error, SceneError::Foreign(_)) { Exit::BadInput } else { Exit::Failed };
            Failure::of(exit, error)
        })?;
        let asked = tokio::spawn(asked_to_stop());
        let mut report = Report::new(global.output());
        let mut stage = report
            .step("chain", async {
                let stage = Stage::raise(&scene, &anvil).await?;
                let result = format!("anvil at {}, a block each second", stage.rpc);
                Ok::<_, Failure>((stage, result))
            })
            .await?;
        let mut asked = asked;
        let props = Props { harvest: &harvest, verifier: &verifier };
        let told = tokio::select! {
            told = tell(&mut report, &scene, &mut stage, &props) => told,
            _ = &mut asked => Err(Failure::new(Exit::Failed, "stopped before the end")),
        };
        let shown = match told {
            Ok(told) => show(global, &report, &stage, &scene, &told, self.once).map(|()| true),
            Err(failure) => Err(failure),
        };
        if matches!(shown, Ok(true)) && !self.once {
            // Whatever ends the waiting, the processes are stopped next.
            let _ = asked.await;
        }
        let logs = scene.path().display().to_string();
        let clean = stage.clear().await;
        shown?;
        if clean {
            Ok(())
        } else {
            Err(Failure::new(Exit::Failed, format!("a node did not stop cleanly; see its log in {logs}")))
        }
    }
}

fn show(
    global: &Global,
    report: &Report,
    stage: &Stage,
    scene: &Scene,
    told: &Told,
    once: bool,
) -> Result<(), Failure> {
    if global.json {
        let nodes = told.nodes.iter().map(|[name, title, url, log_size, anchored]| {
            json!({ "name": name, "title": title, "url": url, "log_size": log_size, "anchored_size": anchored })
        });
        let value = json!({
            "lot": told.lot,
            "page": told.page,
            "verified_after_s": told.verified_after_s,
            "rpc": stage.rpc,
            "contract": stage.contract,
            "folder": scene.path(),
            "nodes": nodes.collect::<Vec<_>>(),
            "steps": report.json(),
        });
        output::line(&value.to_string())?;
        return Ok(());
    }
    let code = QrCode::new(told.page.as_bytes())?;
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let mut text = format!(
        "\n{}\n{}\nLot {}\nanchored and verified {:.1} s after the start. The second verifier says:\n\n{}\n",
        report.table(),
        table(["node", "whose", "address", "log", "anchored"], &told.nodes),
        told.lot,
        told.verified_after_s,
        told.script_said
    );
    let _ = writeln!(text, "{picture}\n  {}", told.page);
    if !once {
        let node = &stage.nodes[0];
        let _ = writeln!(
            text,
            "\nThe nodes keep serving until Ctrl-C. Try meanwhile:\n  furrow --data {} produce list\n  curl {}/api/v1",
            node.folder.display(),
            node.client.base()
        );
    }
    output::line(&text)?;
    Ok(())
}

/// Absolute, because the processes run in folders of their own.
fn existing(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().or_exit_with(Exit::BadInput, || {
        format!("cannot find {}; run the demonstration in the checkout", path.display())
    })
}

/// The program itself, not the script around it, which would not pass signals on.
fn find_anvil() -> Result<PathBuf, Failure> {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let path = PathBuf::from(format!("node_modules/@foundry-rs/anvil-{system}-{processor}/bin/anvil"));
    path.canonicalize().or_exit_with(Exit::BadInput, || {
        format!(
            "cannot find the local chain at {}; run 'npm ci' in the checkout, or name it with --anvil",
            path.display()
        )
    })
}
