//! The scripts in `tests/foreign`, as processes.

use end_to_end::program::{self, Ended};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

/// A script with its interpreter, by the name of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Judge {
    Python(&'static str),
    Node(&'static str),
}

/// The exit code of a judge that refuses; others mean that it could not judge.
const REFUSED: i32 = 1;

impl Judge {
    /// Demands that the judge accepts these bytes.
    pub(crate) async fn accepts(self, what: &str, args: &[&str], given: &[u8]) {
        let ended = self.hear(args, given).await;
        assert_eq!(ended.code, Some(0), "{self:?} does not accept {what}: {ended:?}");
    }

    /// Demands that the judge refuses these bytes, and says why.
    pub(crate) async fn refuses(self, what: &str, args: &[&str], given: &[u8]) {
        let ended = self.hear(args, given).await;
        assert_eq!(ended.code, Some(REFUSED), "{self:?} does not refuse {what}: {ended:?}");
        assert!(ended.out.starts_with("refused: "), "{self:?} fails at {what}: {ended:?}");
    }

    /// Runs the script; an argument `FILE` stands for a file with the bytes.
    async fn hear(self, args: &[&str], given: &[u8]) -> Ended {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("given");
        std::fs::write(&file, given).unwrap();
        let file = file.to_str().expect("temporary folders have plain names");
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
        let (interpreter, script) = match self {
            Self::Python(script) => (home.join(".venv/bin/python"), script),
            Self::Node(script) => (PathBuf::from("node"), script),
        };
        let libraries = [home.join(".venv/bin/python"), home.join("node_modules")];
        assert!(libraries.iter().all(|library| library.exists()), "libraries are missing: run 'make setup'");
        let mut command = Command::new(interpreter);
        command.arg(home.join(script)).args(args.iter().map(|arg| if *arg == "FILE" { file } else { arg }));
        command.stdin(Stdio::null()).kill_on_drop(true);
        program::run(command).await
    }
}
