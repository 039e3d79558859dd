//! The `furrow` program as a process: found, started, and heard out.

use crate::wait::PATIENCE;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// What a command left when it ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The exit code; nothing where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
}

impl Ended {
    /// What a command with `--json` printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

/// The binary that the workspace's build made, beside this program or, for a test, one folder above it.
///
/// # Panics
///
/// Where it was not built.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows where it runs");
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("furrow")).find(|binary| binary.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "there is no 'furrow' for {}: run 'cargo build --workspace --bins', or 'make test' for all",
            own.display()
        )
    })
}

/// A command without any setting of the caller's environment.
pub fn command(args: &[&str]) -> Command {
    command_within(&[], args)
}

/// The same, run by another program.
pub(crate) fn command_within(by: &[String], args: &[&str]) -> Command {
    let mut line = by.iter().map(OsString::from).chain([binary().into_os_string()]);
    let mut command = Command::new(line.next().expect("the binary at least"));
    command.args(line);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FURROW_") {
            command.env_remove(name);
        }
    }
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What the verifier in TypeScript says of a file, as JSON.
///
/// # Panics
///
/// Where it was not built, or does not end.
pub async fn by_typescript(file: &Path, policy: &[&str]) -> Ended {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/verifier/dist/cli.js");
    assert!(cli.is_file(), "{} is missing: run 'make setup'", cli.display());
    let mut command = Command::new("node");
    command.arg(cli).arg(file).arg("--json").args(policy).stdin(Stdio::null()).kill_on_drop(true);
    run(command).await
}

/// Runs a command to its end.
///
/// # Panics
///
/// Where it does not end.
pub async fn run(mut command: Command) -> Ended {
    let told = format!("{:?}", command.as_std());
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{told} does not end")).expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
