//! `furrow backup` and `furrow restore`.

use crate::backup::{self, BackupError, Made, Source, Taken};
use crate::cli::Global;
use crate::command::init::new_token;
use crate::config;
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure, OrExit};
use crate::service;
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use store::{OpenError, Store, StoreOptions};

/// Copy the node's data into a new folder, running or not, and verify the copy
///
/// The copy holds the events, the network, the configuration and, with --keys, the keystore (encrypted
/// as it is; without its passphrase it opens nothing). Every event is hashed and its signature verified
/// before the backup gets its name, so a backup that is there is good. Keep it on another machine.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// With the keystore. Whoever has it and its passphrase can sign as this node
    #[arg(long)]
    keys: bool,
}

/// Make a node's folder from a backup, after verifying all of it
///
/// The node that starts there does not know what it did since the backup. It asks its peers first, takes no
/// writes until its log is complete, and signs with a key only once peers confirm where that key's journal ends.
/// Never run it beside the node of which the backup was made.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The new node's folder
    #[arg(long, value_name = "NEW")]
    dir: PathBuf,
    /// The keystore to use, where the backup was made without keys
    #[arg(long, value_name = "FILE")]
    keystore: Option<PathBuf>,
}

impl Backup {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = global.data_dir()?;
        let configuration = config::load(&folder.configuration(), Vec::new()).or_exit(Exit::BadInput)?;
        let _one = lock(&folder)?;
        let bar = global.output().waiting("backing up");
        let tell = |what: &str| bar.set_message(what.to_owned());
        tell("taking a snapshot of the store");
        let snapshot = snapshot(global, &folder).await?;
        let taken = Taken { folder: &folder, configuration: &configuration, snapshot: &snapshot, keys: self.keys };
        let made = backup::make(&taken, &self.folder, tell).await;
        service::remove_snapshots(&folder);
        bar.finish_and_clear();
        let made = made.map_err(failure)?;
        global.output().print(&json(&made), || text(&made))?;
        Ok(())
    }
}

/// A stopped node's store is opened here; a running one makes the snapshot itself.
async fn snapshot(global: &Global, folder: &DataDir) -> Result<PathBuf, Failure> {
    let options = StoreOptions { create: false, ..StoreOptions::default() };
    match Store::open(&folder.store(), &options) {
        Ok(store) => service::take_snapshot(folder, &store)
            .or_exit_with(Exit::Failed, || "the store cannot be copied".to_owned()),
        Err(OpenError::Locked(_)) => {
            let taken = global.client()?.post("/snapshots", &json!({})).await?;
            let path = taken.get("folder").and_then(Value::as_str).map(PathBuf::from);
            let same = path.filter(|path| path.parent().is_some_and(|path| is_same(path, &folder.snapshots())));
            same.ok_or_else(|| {
                let message = "the node that answers has another folder than this command; name the right one with --data, \
                               and make the backup on the node's own machine";
                Failure::new(Exit::BadInput, message)
            })
        }
        Err(error) => Err(Failure::of(Exit::CannotStart, error)),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn lock(folder: &DataDir) -> Result<File, Failure> {
    let path = folder.backup_lock();
    let file = File::create(&path).or_exit_with(Exit::BadInput, || format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Failure::new(Exit::Failed, "another backup of this node is being made; wait for it to end")),
    }
}

fn json(made: &Made) -> Value {
    let manifest = &made.manifest;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    json!({
        "folder": made.folder,
        "made": manifest.made,
        "network": manifest.network,
        "log": manifest.log,
        "state_root": manifest.state_root,
        "keys": manifest.keys,
        "files": manifest.files.len(),
        "bytes": bytes,
    })
}

fn text(made: &Made) -> String {
    let manifest = &made.manifest;
    let keys = if manifest.keys {
        "The keystore is in it, encrypted. Without its passphrase nobody can use it, you neither."
    } else {
        "The keystore is NOT in it: keep a copy of it elsewhere, or make the backup with --keys."
    };
    format!(
        "The backup {} was verified. Entries of the log in it: {}.\n{keys}\nKeep it on another machine. 'furrow restore' makes a node from it.",
        made.folder.display(),
        manifest.log.size
    )
}

impl Restore {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let token = new_token()?;
        let bar = global.output().waiting("restoring");
        let tell = |what: &str| bar.set_message(what.to_owned());
        let source = Source { backup: &self.backup, keystore: self.keystore.as_deref(), token: token.as_bytes() };
        let restored = backup::restore(source, &self.dir, tell).await;
        bar.finish_and_clear();
        let manifest = restored.map_err(failure)?;
        let folder = DataDir::new(Some(&self.dir))?;
        let has_keys = folder.keystore().exists();
        let value = json!({
            "folder": self.dir,
            "made": manifest.made,
            "network": manifest.network,
            "log": manifest.log,
            "keystore": has_keys,
        });
        global.output().print(&value, || {
            let keys = if has_keys {
                ""
            } else {
                "\nThe backup has no keystore: put yours there as 'keystore', before you start the node."
            };
            format!(
                "Every event of the backup of {} was verified. Entries of the log: {}. The node's folder is {}.{keys}\n\
                 Make sure that the old node will never run again. Then start this one with 'furrow run': it asks its peers \
                 what it did since the backup, and takes writes when it knows. 'furrow status' tells how far it is.",
                manifest.made,
                manifest.log.size,
                self.dir.display()
            )
        })?;
        Ok(())
    }
}

fn failure(error: BackupError) -> Failure {
    let exit = match &error {
        BackupError::Exists(_) | BackupError::NoBackup(_) => Exit::BadInput,
        BackupError::Manifest { .. }
        | BackupError::Changed { .. }
        | BackupError::NotWhole(_)
        | BackupError::Other(_)
        | BackupError::Open(OpenError::Corrupt { .. }) => Exit::Unverified,
        BackupError::Keystore(_) => Exit::Keystore,
        _ => Exit::Failed,
    };
    Failure::of(exit, error)
}
